// Keeps a live picture close to the moment it was taken, and lets it run without a break.

const TICK = 100; // milliseconds
const SAMPLES = 10; // the last second
const CUSHION = 0.15; // seconds of picture that must always be left, as long as nothing stalls
const LARGEST = 1;
const STEP = 0.1; // seconds by which a stall makes the cushion thicker
const HICCUP = 1000; // milliseconds; what stands still for longer is broken, not uneven
const DECAY = 0.0003; // seconds by which it gets thinner again in each tick
const NEAR = 0.03;
const FAR = 0.08; // between the two the speed stays as it is: no change is better than a small one
const JUMP = 0.6; // seconds too much from which on it is quicker to jump than to hurry
const FASTEST = 0.1;
const SLOWEST = 0.04; // what nobody hears: players keep the pitch

/** The last moment there is to see, in seconds of the video's clock; 0 where there is none. */
export function end(video) {
  const ranges = video.buffered.length ? video.buffered : video.seekable;
  return ranges.length ? ranges.end(ranges.length - 1) : 0;
}

/** Watches how much picture is left at the least, and makes the video a little faster or slower. */
export class Edge {
  #video;
  #timer = 0;
  #ahead = [];
  #cushion = CUSHION;
  #stalledAt = 0;

  constructor(video) {
    this.#video = video;
    // Whether the viewer wants to see what is happening now, and nothing older.
    this.isFollowing = true;
    video.addEventListener("waiting", () => this.#stalled());
    video.addEventListener("playing", () => this.#thicken());
  }

  /** Seconds by which the picture is older than the newest that has come. */
  get lag() {
    return Math.max(end(this.#video) - this.#video.currentTime, 0);
  }

  start() {
    this.stop();
    this.#timer = setInterval(() => this.#adjust(), TICK);
  }

  stop() {
    clearInterval(this.#timer);
    this.#timer = 0;
    this.#ahead = [];
    this.#video.playbackRate = 1;
  }

  /** Show the newest picture. */
  jump() {
    this.#ahead = [];
    this.isFollowing = true;
    this.#video.playbackRate = 1;
    const newest = end(this.#video);
    if (newest) this.#video.currentTime = Math.max(newest - 2 * this.#cushion, 0);
  }

  #stalled() {
    const isRunning = this.#timer && !this.#video.seeking && this.#ahead.length === SAMPLES;
    this.#stalledAt = isRunning ? performance.now() : 0;
  }

  #thicken() {
    if (this.#stalledAt && performance.now() - this.#stalledAt < HICCUP) {
      this.#cushion = Math.min(this.#cushion + STEP, LARGEST);
      this.#ahead = [];
      this.#video.playbackRate = 1;
    }
    this.#stalledAt = 0;
  }

  #adjust() {
    const video = this.#video;
    if (!this.isFollowing) video.playbackRate = 1;
    if (!this.isFollowing || video.paused || video.seeking) return;
    this.#cushion = Math.max(this.#cushion - DECAY, CUSHION);
    this.#ahead.push(this.lag);
    if (this.#ahead.length > SAMPLES) this.#ahead.shift();
    const spare = Math.min(...this.#ahead) - this.#cushion;
    if (spare > JUMP) this.jump();
    else if (this.#ahead.length === SAMPLES) this.#hurry(spare);
  }

  #hurry(spare) {
    const video = this.#video;
    if (Math.abs(spare) < NEAR) video.playbackRate = 1;
    else if (spare > FAR) video.playbackRate = 1 + Math.min(FASTEST, spare / 2);
    else if (spare < -FAR) video.playbackRate = 1 - SLOWEST;
  }
}
