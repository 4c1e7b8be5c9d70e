// Live player: plays a class live and reconnects by itself.

import { Controls, createButton, createElement, createLargeButton, setIcon } from "./controls.js";
import { bufferEnd, LiveEdge } from "./live-edge.js";
import { listMethods } from "./playback.js";

const CHECK_MS = 250;
const STALL_MS = 3000; // without new data before it reconnects
const STABLE_MS = 3000; // of playback after which the retry delay is reset
const MIN_RETRY_MS = 300;
const MAX_RETRY_MS = 5000;
const NOTICE_DELAY_MS = 2000; // of a break before the notice is shown
const UNLOAD_AFTER_MS = 60_000; // of a pause after which the stream is closed
const MAX_LIVE_LAG = 2; // seconds of lag that still count as live
const MAX_FAILURES = 2; // without a frame before the next method is tried

/** Plays the sources of one class in `root`, an empty element with the class "player". */
export class LivePlayer extends EventTarget {
  #root;
  #video = createElement("video", "player-video");
  #lastFrame = createElement("canvas", "player-last-frame");
  #notice = createElement("p", "player-notice");
  #hint;
  #liveBadge;
  #liveButton;
  #controls;
  #liveEdge;
  #texts;

  #sources = null;
  #methods = [];
  #hasPlayed = false; // true once this method has shown a frame
  #failures = 0; // of this method
  #retries = 0; // since playback was last stable
  #closeStream = null;
  #retryTimer = 0;
  #timer = 0;
  #lastDataAt = 0; // when new data last arrived
  #newestEnd = 0;
  #firstFrameAt = 0; // when this connection's first frame was shown
  #brokenAt = 0;
  #pausedAt = 0;
  #isPlaying = false;
  #hadSound = false; // true once the sound was on

  constructor(root, texts) {
    super();
    this.#root = root;
    this.#texts = texts;
    const video = this.#video;
    video.playsInline = true;
    video.muted = true; // browsers allow autoplay only without sound
    this.#hint = createLargeButton(texts["picture.unmute"], () => this.#onHint(), "muted");
    this.#liveBadge = createElement("span", "player-live", texts["picture.live"]);
    this.#liveButton = createButton("player-back", texts["picture.back"], () => this.#goLive());
    this.#notice.setAttribute("role", "status");
    this.#lastFrame.setAttribute("aria-hidden", "true");
    this.#lastFrame.hidden = true;
    root.append(video, this.#lastFrame, this.#notice, this.#hint);
    const toggle = () => this.#toggle();
    this.#controls = new Controls(root, video, texts, toggle, [this.#liveBadge, this.#liveButton]);
    this.#liveEdge = new LiveEdge(video);
    this.#bindEvents();
    this.#render();
  }

  /** Play these sources. A running stream continues; the new URLs are for the next connection. */
  play(sources) {
    const isNew = this.#sources === null;
    this.#sources = sources;
    if (!isNew) return;
    this.#methods = listMethods(this.#video);
    this.#failures = this.#retries = this.#pausedAt = 0;
    this.#hasPlayed = false;
    this.#brokenAt = performance.now();
    this.#liveEdge.isFollowing = true;
    this.#timer = setInterval(() => this.#check(), CHECK_MS);
    this.#connect();
  }

  /** Stop playback and close the connection. */
  stop() {
    this.#sources = null;
    clearInterval(this.#timer);
    this.#disconnect();
    this.#lastFrame.hidden = true;
    this.#setPlaying(false);
    this.#render();
  }

  #connect() {
    this.#disconnect();
    const usable = this.#methods.filter(({ kind }) => this.#sources[kind]);
    this.#methods = usable;
    if (usable.length === 0) return;
    const [{ kind, open }] = usable;
    const video = this.#video;
    const connection = new AbortController();
    const { signal } = connection;
    // Deferred: the library must not be destroyed inside its own callback.
    const onLost = (reason) => {
      setTimeout(() => signal.aborted || this.#onLost(reason));
    };
    const close = open(video, this.#sources[kind], onLost);
    this.#closeStream = () => {
      connection.abort();
      close();
    };
    this.#lastDataAt = performance.now();
    this.#newestEnd = this.#firstFrameAt = 0;
    const onFrame = () => signal.aborted || this.#firstFrameAt || this.#onFirstFrame();
    video.requestVideoFrameCallback?.(onFrame);
    // A hidden page renders no frames, but may play sound.
    const hasNoFrames = () => document.hidden || !video.requestVideoFrameCallback;
    video.addEventListener("playing", () => hasNoFrames() && onFrame(), { signal });
    // Not earlier: a library starts with load(), which pauses the video.
    video.addEventListener("loadedmetadata", () => this.#startVideo(), { once: true, signal });
    video.addEventListener("loadeddata", () => this.#liveEdge.seekToLive(), { once: true, signal });
    this.#liveEdge.start();
    this.#render();
  }

  /** Close the connection, and keep its last frame on screen. */
  #disconnect() {
    clearTimeout(this.#retryTimer);
    this.#retryTimer = 0;
    if (!this.#closeStream) return;
    const { videoWidth: width, videoHeight: height } = this.#video;
    if (this.#firstFrameAt && width) {
      Object.assign(this.#lastFrame, { width, height, hidden: false });
      this.#lastFrame.getContext("2d").drawImage(this.#video, 0, 0);
    }
    this.#liveEdge.stop();
    this.#closeStream();
    this.#closeStream = null;
  }

  async #startVideo() {
    try {
      await this.#video.play();
    } catch (error) {
      // Some browsers want a user gesture even for muted video, as when they save power.
      if (error.name === "NotAllowedError") this.#pause();
    }
  }

  #onFirstFrame() {
    this.#firstFrameAt = performance.now();
    this.#hasPlayed = true;
    this.#brokenAt = 0;
    this.#lastFrame.hidden = true;
    this.#setPlaying(!this.#video.paused);
    this.#render();
  }

  #onLost(reason) {
    const now = performance.now();
    if (this.#firstFrameAt && this.#lastDataAt - this.#firstFrameAt > STABLE_MS)
      this.#failures = this.#retries = 0;
    // A method that has shown frames lost its connection; one that never has may be blocked.
    if (reason === "unplayable" || !this.#hasPlayed) this.#failures += 1;
    this.#disconnect();
    this.#setPlaying(false);
    this.#brokenAt ||= now;
    if (this.#failures >= MAX_FAILURES && this.#methods.length > 1) {
      // Methods rotate: if the server was away, each gets another turn.
      this.#methods.push(this.#methods.shift());
      this.#failures = 0;
      this.#hasPlayed = false;
    }
    const delay = Math.min(MIN_RETRY_MS * 2 ** this.#retries, MAX_RETRY_MS);
    this.#retries += 1;
    // Jitter, so that viewers do not reconnect all at once.
    this.#retryTimer = setTimeout(() => this.#connect(), delay * (0.5 + Math.random() / 2));
    this.#render();
  }

  #check() {
    const now = performance.now();
    const video = this.#video;
    // With native playback the buffer does not show progress, so the position is added.
    const newest = bufferEnd(video) + (video.src.startsWith("blob:") ? 0 : video.currentTime);
    if (newest !== this.#newestEnd || this.#pausedAt) this.#lastDataAt = now;
    this.#newestEnd = newest;
    if (this.#closeStream && this.#pausedAt && now - this.#pausedAt > UNLOAD_AFTER_MS)
      this.#disconnect();
    if (this.#closeStream && now - this.#lastDataAt > STALL_MS) this.#onLost("silent");
    this.#render();
  }

  #toggle() {
    if (!this.#sources) return;
    if (this.#video.paused) this.#resume();
    else this.#video.pause();
  }

  #pause() {
    this.#pausedAt = performance.now();
    this.#setPlaying(false);
    this.#render();
  }

  #resume() {
    this.#pausedAt = 0;
    if (!this.#closeStream) {
      this.#connect();
      return;
    }
    // After a short pause return to the live edge; after a longer one continue at the position.
    this.#liveEdge.isFollowing = this.#liveEdge.lag < MAX_LIVE_LAG;
    this.#startVideo();
  }

  #goLive() {
    if (this.#closeStream) this.#liveEdge.seekToLive();
    if (this.#video.paused) this.#resume();
  }

  /** Handle the large button over the video. */
  #onHint() {
    if (this.#pausedAt) this.#resume();
    else this.#controls.mute(false);
    this.#root.focus();
  }

  #setPlaying(isPlaying) {
    if (isPlaying === this.#isPlaying) return;
    this.#isPlaying = isPlaying;
    this.dispatchEvent(new CustomEvent("watching", { detail: { on: isPlaying } }));
  }

  #bindEvents() {
    const video = this.#video;
    video.addEventListener("pause", () => {
      // A library pauses the video, too, when it is destroyed.
      if (!this.#closeStream || !video.paused) return;
      if (document.hidden) this.#setPlaying(false);
      else this.#pause();
    });
    video.addEventListener("playing", () => {
      this.#pausedAt = 0;
      this.#setPlaying(Boolean(this.#firstFrameAt));
      this.#render();
    });
    video.addEventListener("volumechange", () => {
      this.#hadSound ||= !video.muted;
      this.#render();
    });
    document.addEventListener("visibilitychange", () => {
      if (document.hidden || !this.#closeStream || this.#pausedAt) return;
      if (this.#liveEdge.isFollowing && this.#liveEdge.lag > 1) this.#liveEdge.seekToLive();
      if (video.paused) this.#startVideo();
    });
    window.addEventListener("online", () => this.#retryTimer && this.#connect());
  }

  #render() {
    const now = performance.now();
    const isBroken = this.#sources && this.#brokenAt && now - this.#brokenAt > NOTICE_DELAY_MS;
    const isHopeless = this.#sources && this.#methods.length === 0;
    const textKey = isHopeless ? "picture.unplayable" : "picture.waiting";
    const text = isBroken || isHopeless ? this.#texts[textKey] : "";
    if (this.#notice.textContent !== text) this.#notice.textContent = text;
    const hasPicture = Boolean(this.#firstFrameAt || this.#pausedAt) || !this.#lastFrame.hidden;
    this.#root.classList.toggle("is-off", !this.#sources || !hasPicture);
    const isOld = Boolean(this.#pausedAt) || !this.#liveEdge.isFollowing;
    this.#liveBadge.hidden = isOld || text !== "";
    this.#liveButton.hidden = !isOld;
    this.#updateHint();
  }

  #updateHint() {
    const hint = this.#hint;
    const isPaused = Boolean(this.#pausedAt) && !this.#firstFrameAt;
    const isSilent = this.#video.muted && this.#firstFrameAt && !this.#hadSound;
    hint.hidden = !this.#sources || (!isPaused && (!isSilent || this.#pausedAt));
    setIcon(hint.firstChild, isPaused ? "play" : "muted");
    hint.lastChild.data = this.#texts[isPaused ? "picture.play" : "picture.unmute"];
  }
}
