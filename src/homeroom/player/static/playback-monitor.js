// Measures what a video element really plays: its position, its frames, and what arrives for it.

import { bufferEnd, isNative } from "./live-edge.js";

const MIN_STEP = 0.01; // seconds by which two positions differ if it plays
const GAP_DECAY = 0.9; // of the usual time between frames, with each sample that has new ones
const MIN_GAPS = 7; // between samples with new frames, from which on that time is known
const UNKNOWN_GAP_MS = 4000;

/** Samples of one connection after the other; all times are those of `performance.now()`. */
export class PlaybackMonitor {
  /** When the connection was opened. */
  startedAt = 0;
  /** When the position last moved on. */
  movedAt = 0;
  /** When a new frame was last shown, or decoded where browsers do not tell. */
  frameAt = 0;
  /** When new data last arrived. */
  dataAt = 0;
  /** True once this connection has had a frame. */
  hasFrames = false;
  #video;
  #position = 0;
  #frames = 0;
  #end = 0;
  #frameGap = 0;
  #gaps = 0;
  #isAwaitingFrame = false;
  #hasSought = false;

  constructor(video) {
    this.#video = video;
    // A position that was chosen is not one that was played to.
    video.addEventListener("seeking", () => {
      this.#position = video.currentTime;
      this.#hasSought = true;
    });
  }

  /** Begin anew for another connection. */
  start(now) {
    this.startedAt = now;
    this.rest(now);
    this.#position = this.#video.currentTime;
    this.#end = this.#frameGap = 0;
    this.#frames = this.#countFrames();
    this.#gaps = 0;
    this.hasFrames = this.#hasSought = false;
  }

  /** Take a time in which nothing had to play, as a pause, for one in which all was well. */
  rest(now) {
    this.movedAt = this.frameAt = this.dataAt = now;
  }

  /** Note that data arrived which may not be playable yet. */
  onData(now) {
    this.dataAt = now;
  }

  sample(now) {
    const video = this.#video;
    // With native playback the buffer does not show progress, so the position is added.
    const end = bufferEnd(video) + (isNative(video) ? video.currentTime : 0);
    if (end !== this.#end) this.dataAt = now;
    this.#end = end;
    if (Math.abs(video.currentTime - this.#position) > MIN_STEP && !video.seeking) {
      this.#position = video.currentTime;
      this.movedAt = now;
    }
    if (video.requestVideoFrameCallback) this.#awaitFrame();
    else if (this.#countFrames() !== this.#frames) this.#onFrame(now);
  }

  /** Note the next frame that is shown: one between two samples is enough. */
  #awaitFrame() {
    if (this.#isAwaitingFrame) return;
    this.#isAwaitingFrame = true;
    this.#video.requestVideoFrameCallback((now) => {
      this.#isAwaitingFrame = false;
      this.#onFrame(now);
    });
  }

  #onFrame(now) {
    // The first frame, and one that a seek brought, says nothing about the time between frames.
    if (this.hasFrames && !this.#hasSought) {
      this.#frameGap = Math.max(now - this.frameAt, this.#frameGap * GAP_DECAY);
      this.#gaps += 1;
    }
    this.#frames = this.#countFrames();
    this.hasFrames = true;
    this.#hasSought = false;
    this.frameAt = now;
  }

  /** True if the stream has a picture, whether or not a frame of it was decoded. */
  get hasPictureTrack() {
    return this.#video.videoWidth > 0;
  }

  /** Milliseconds without a frame that are too long for this stream, which may be one of slides. */
  get longFrameGap() {
    return this.#gaps < MIN_GAPS ? UNKNOWN_GAP_MS : 3 * this.#frameGap;
  }

  #countFrames() {
    return this.#video.getVideoPlaybackQuality?.().totalVideoFrames ?? 0;
  }
}
