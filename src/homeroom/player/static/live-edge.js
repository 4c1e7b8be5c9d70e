// Keeps playback near the live edge by small changes of the playback rate, without stalls.

const TICK_MS = 100; // milliseconds
const SAMPLES = 10; // the last second
const MIN_BUFFER = 0.15; // seconds; the buffer to keep while nothing stalls
const MAX_BUFFER = 1;
const BUFFER_STEP = 0.1; // seconds that a stall adds to the target
const MAX_STALL_MS = 1000; // a longer stall is a broken connection, not jitter
const BUFFER_DECAY = 0.0003; // seconds that each tick takes off the target again
const MIN_DEVIATION = 0.03;
const MAX_DEVIATION = 0.08; // between the two the rate stays: fewer changes
const MAX_EXCESS = 0.6; // seconds above the target from which on it seeks
const MAX_SPEEDUP = 0.1;
const MAX_SLOWDOWN = 0.04; // not audible: browsers preserve the pitch

/** Return the end of the buffer in seconds of the video's clock; 0 if it is empty. */
export function bufferEnd(video) {
  const ranges = video.buffered.length ? video.buffered : video.seekable;
  return ranges.length ? ranges.end(ranges.length - 1) : 0;
}

/** Compares the smallest buffer of the last second with a target, and adapts the playback rate. */
export class LiveEdge {
  #video;
  #timer = 0;
  #samples = [];
  #target = MIN_BUFFER;
  #stalledAt = 0;

  constructor(video) {
    this.#video = video;
    // True while the viewer wants to be at the live edge.
    this.isFollowing = true;
    video.addEventListener("waiting", () => this.#onStall());
    video.addEventListener("playing", () => this.#onResume());
  }

  /** Seconds between the playback position and the end of the buffer. */
  get lag() {
    return Math.max(bufferEnd(this.#video) - this.#video.currentTime, 0);
  }

  start() {
    this.stop();
    this.#timer = setInterval(() => this.#check(), TICK_MS);
  }

  stop() {
    clearInterval(this.#timer);
    this.#timer = 0;
    this.#samples = [];
    this.#video.playbackRate = 1;
  }

  /** Seek to the live edge. */
  seekToLive() {
    this.#samples = [];
    this.isFollowing = true;
    this.#video.playbackRate = 1;
    const newest = bufferEnd(this.#video);
    if (newest) this.#video.currentTime = Math.max(newest - 2 * this.#target, 0);
  }

  #onStall() {
    const isRunning = this.#timer && !this.#video.seeking && this.#samples.length === SAMPLES;
    this.#stalledAt = isRunning ? performance.now() : 0;
  }

  #onResume() {
    if (this.#stalledAt && performance.now() - this.#stalledAt < MAX_STALL_MS) {
      this.#target = Math.min(this.#target + BUFFER_STEP, MAX_BUFFER);
      this.#samples = [];
      this.#video.playbackRate = 1;
    }
    this.#stalledAt = 0;
  }

  #check() {
    const video = this.#video;
    if (!this.isFollowing) video.playbackRate = 1;
    if (!this.isFollowing || video.paused || video.seeking) return;
    this.#target = Math.max(this.#target - BUFFER_DECAY, MIN_BUFFER);
    this.#samples.push(this.lag);
    if (this.#samples.length > SAMPLES) this.#samples.shift();
    const excess = Math.min(...this.#samples) - this.#target;
    if (excess > MAX_EXCESS) this.seekToLive();
    else if (this.#samples.length === SAMPLES) this.#setRate(excess);
  }

  #setRate(excess) {
    const video = this.#video;
    if (Math.abs(excess) < MIN_DEVIATION) video.playbackRate = 1;
    else if (excess > MAX_DEVIATION) video.playbackRate = 1 + Math.min(MAX_SPEEDUP, excess / 2);
    else if (excess < -MAX_DEVIATION) video.playbackRate = 1 - MAX_SLOWDOWN;
  }
}
