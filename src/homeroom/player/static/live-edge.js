// Keeps playback near the live edge by small changes of the playback rate, without stalls.

const TICK_MS = 100; // milliseconds
const SAMPLES = 10; // the last second
const MAX_SAMPLES = 60;
const STEPS = 2; // times between growths of the buffer from which its usual step is known
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
const CATCH_UP_RATE = 4; // in place of a seek
const END_MARGIN = 0.1; // seconds after the buffer that still count as its end
const HOLE_EDGE = 0.05; // seconds before a hole from which on it is jumped over
const SEEK_MARGIN = 0.01; // seconds into a range, as a seek to its very start may miss it

/** Return whether the browser itself loads the stream, so that its own ranges can be trusted. */
export function isNative(video) {
  return video.src.startsWith("http");
}

/** Return what can be played, as ranges `[start, end]` in seconds of the video's clock.
 *
 * With MSE only the buffer says that: `seekable` follows the metadata, which may be of a file.
 */
function playableRanges(video) {
  const ranges = isNative(video) && !video.buffered.length ? video.seekable : video.buffered;
  return Array.from(ranges, (_, index) => [ranges.start(index), ranges.end(index)]);
}

/** Return the end of the buffer in seconds of the video's clock; 0 if it is empty. */
export function bufferEnd(video) {
  return playableRanges(video).at(-1)?.[1] ?? 0;
}

/** Return where to go on from a position outside of these ranges, or null if it may stay.
 *
 * Before a hole, and before the first range, playback would wait for what never comes.
 */
export function findWayBack(ranges, position) {
  if (!ranges.length) return null;
  for (const [index, [start, end]] of ranges.entries()) {
    const isLast = index === ranges.length - 1;
    if (position < start) return start + SEEK_MARGIN;
    if (position < end - HOLE_EDGE || (isLast && position <= end + END_MARGIN)) return null;
  }
  return ranges.at(-1)[0] + SEEK_MARGIN;
}

/** Compares the smallest buffer of the last second with a target, and adapts the playback rate. */
export class LiveEdge {
  #video;
  #timer = 0;
  #samples = [];
  #target = MIN_BUFFER;
  #stalledAt = 0;
  #end = 0;
  #grownAt = 0;
  #steps = []; // the last times between two growths of the buffer, in milliseconds

  constructor(video) {
    this.#video = video;
    // True while the viewer wants to be at the live edge.
    this.isFollowing = true;
    // False for a stream with pictures that only seem to be a start: after a seek, browsers begin
    // to decode at one of them, and fail.
    this.canSeek = true;
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
    this.#end = this.#grownAt = 0;
    this.#steps = [];
    this.#forgetSamples();
  }

  /** Go to the live edge, by a seek if possible. */
  seekToLive() {
    this.isFollowing = true;
    this.#forgetSamples();
    const ranges = playableRanges(this.#video);
    if (!ranges.length) return;
    const [start, end] = ranges.at(-1);
    const back = findWayBack(ranges, this.#video.currentTime);
    if (this.canSeek)
      this.#video.currentTime = Math.max(end - 2 * this.#target, start + SEEK_MARGIN);
    else if (back !== null) this.#video.currentTime = back;
  }

  /** Samples that cover a second, or a whole step of a buffer that grows by frames far apart. */
  get #samplesNeeded() {
    const step = this.#steps.length === STEPS ? Math.min(...this.#steps) : 0;
    return Math.min(Math.max(SAMPLES, Math.ceil((1.5 * step) / TICK_MS)), MAX_SAMPLES);
  }

  #forgetSamples() {
    this.#samples = [];
    this.#video.playbackRate = 1;
  }

  #onStall() {
    const isRunning = this.#timer && !this.#video.seeking && this.#samples.length >= SAMPLES;
    this.#stalledAt = isRunning ? performance.now() : 0;
  }

  #onResume() {
    if (this.#stalledAt && performance.now() - this.#stalledAt < MAX_STALL_MS) {
      this.#target = Math.min(this.#target + BUFFER_STEP, MAX_BUFFER);
      this.#forgetSamples();
    }
    this.#stalledAt = 0;
  }

  #check() {
    const video = this.#video;
    this.#measureSteps();
    if (!video.paused && this.#repairPosition()) return;
    if (!this.isFollowing) video.playbackRate = 1;
    if (!this.isFollowing || video.paused || video.seeking) return;
    this.#target = Math.max(this.#target - BUFFER_DECAY, MIN_BUFFER);
    this.#samples.push(this.lag);
    const needed = this.#samplesNeeded;
    this.#samples.splice(0, this.#samples.length - needed);
    const isWhole = this.#samples.length === needed;
    const excess = Math.min(...this.#samples) - this.#target;
    // Of a buffer that grows by large steps a part of the samples says nothing.
    if (excess > MAX_EXCESS && (isWhole || needed === SAMPLES)) this.#catchUp();
    else if (isWhole) this.#setRate(excess);
  }

  #catchUp() {
    if (this.canSeek) this.seekToLive();
    else this.#video.playbackRate = CATCH_UP_RATE;
  }

  /** Leave a position from which playback would wait for ever; returns whether it did. */
  #repairPosition() {
    const video = this.#video;
    if (isNative(video)) return false;
    const back = findWayBack(playableRanges(video), video.currentTime);
    if (back === null) return false;
    if (this.isFollowing) this.seekToLive();
    else video.currentTime = back;
    return true;
  }

  #measureSteps() {
    const end = bufferEnd(this.#video);
    if (end === this.#end) return;
    const now = performance.now();
    if (this.#grownAt) this.#steps = [...this.#steps.slice(1 - STEPS), now - this.#grownAt];
    this.#grownAt = now;
    this.#end = end;
  }

  #setRate(excess) {
    const video = this.#video;
    if (Math.abs(excess) < MIN_DEVIATION) video.playbackRate = 1;
    else if (excess > MAX_DEVIATION) video.playbackRate = 1 + Math.min(MAX_SPEEDUP, excess / 2);
    else if (excess < -MAX_DEVIATION) video.playbackRate = 1 - MAX_SLOWDOWN;
  }
}
