// Keeps a live picture close to the moment it was taken, and lets it run without a break.

const TICK_MS = 100; // milliseconds
const SAMPLES = 10; // the last second
const MIN_BUFFER = 0.15; // seconds of picture that must always be left, as long as nothing stalls
const MAX_BUFFER = 1;
const BUFFER_STEP = 0.1; // seconds by which a stall makes the cushion thicker
const MAX_STALL_MS = 1000; // milliseconds; what stands still for longer is broken, not uneven
const BUFFER_DECAY = 0.0003; // seconds by which it gets thinner again in each tick
const MIN_DEVIATION = 0.03;
const MAX_DEVIATION = 0.08; // between the two the speed stays as it is: no change is better than a small one
const MAX_EXCESS = 0.6; // seconds too much from which on it is quicker to jump than to hurry
const MAX_SPEEDUP = 0.1;
const MAX_SLOWDOWN = 0.04; // what nobody hears: players keep the pitch

/** The last moment there is to see, in seconds of the video's clock; 0 where there is none. */
export function bufferEnd(video) {
  const ranges = video.buffered.length ? video.buffered : video.seekable;
  return ranges.length ? ranges.end(ranges.length - 1) : 0;
}

/** Watches how much picture is left at the least, and makes the video a little faster or slower. */
export class LiveEdge {
  #video;
  #timer = 0;
  #samples = [];
  #target = MIN_BUFFER;
  #stalledAt = 0;

  constructor(video) {
    this.#video = video;
    // Whether the viewer wants to see what is happening now, and nothing older.
    this.isFollowing = true;
    video.addEventListener("waiting", () => this.#onStall());
    video.addEventListener("playing", () => this.#onResume());
  }

  /** Seconds by which the picture is older than the newest that has come. */
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

  /** Show the newest picture. */
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
