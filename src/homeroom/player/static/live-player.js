// The live picture: plays a class as it happens, and comes back by itself when it breaks off.

import { Controls, createButton, createElement, createLargeButton, setIcon } from "./controls.js";
import { bufferEnd, LiveEdge } from "./live-edge.js";
import { listMethods } from "./playback.js";

// All in milliseconds, but for what says otherwise.
const CHECK_MS = 250;
const STALL_MS = 3000; // without anything new, after which another connection is tried
const STABLE_MS = 3000; // of picture after which the next break counts as the first one
const MIN_RETRY_MS = 300;
const MAX_RETRY_MS = 5000;
const NOTICE_DELAY_MS = 2000; // of a break before anything is said of it
const UNLOAD_AFTER_MS = 60_000; // of a pause after which nothing more is loaded
const MAX_LIVE_LAG = 2; // seconds by which one is not live any more
const MAX_FAILURES = 2; // without a picture, after which the next way is tried

/** Plays the sources of one class in `root`, an empty element with the class "picture". */
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
  #hasPlayed = false; // whether this way has shown a picture
  #failures = 0; // tries of it that did not
  #retries = 0; // since it last ran well
  #closeStream = null;
  #retryTimer = 0;
  #timer = 0;
  #lastDataAt = 0; // when something new came last
  #newestEnd = 0;
  #firstFrameAt = 0; // when this connection's first picture was shown
  #brokenAt = 0;
  #pausedAt = 0;
  #isPlaying = false;
  #hadSound = false; // whether the sound was ever on

  constructor(root, texts) {
    super();
    this.#root = root;
    this.#texts = texts;
    const video = this.#video;
    video.playsInline = true;
    video.muted = true; // no browser begins with sound by itself
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

  /** Play; what plays already goes on, and takes new addresses when it must connect again. */
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

  /** Stop, and let go of everything. */
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
    // Not at once: a library is in the middle of something when it says so.
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
    // Where nobody looks no frame is shown, though the sound may be heard.
    const hasNoFrames = () => document.hidden || !video.requestVideoFrameCallback;
    video.addEventListener("playing", () => hasNoFrames() && onFrame(), { signal });
    // Not before: a library begins with load(), which pauses.
    video.addEventListener("loadedmetadata", () => this.#startVideo(), { once: true, signal });
    video.addEventListener("loadeddata", () => this.#liveEdge.seekToLive(), { once: true, signal });
    this.#liveEdge.start();
    this.#render();
  }

  /** Close the connection; the last picture stays. */
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
      // Some browsers, as when they save power, want to be asked even without sound.
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
    // A way that has shown a picture broke off; one that never has may be barred on the way here.
    if (reason === "unplayable" || !this.#hasPlayed) this.#failures += 1;
    this.#disconnect();
    this.#setPlaying(false);
    this.#brokenAt ||= now;
    if (this.#failures >= MAX_FAILURES && this.#methods.length > 1) {
      // It may be the server that is away: then each way has its turn again.
      this.#methods.push(this.#methods.shift());
      this.#failures = 0;
      this.#hasPlayed = false;
    }
    const delay = Math.min(MIN_RETRY_MS * 2 ** this.#retries, MAX_RETRY_MS);
    this.#retries += 1;
    // Not all viewers at once.
    this.#retryTimer = setTimeout(() => this.#connect(), delay * (0.5 + Math.random() / 2));
    this.#render();
  }

  #check() {
    const now = performance.now();
    const video = this.#video;
    // Where the browser itself loads, what is loaded does not tell whether it goes on.
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
    // Who paused for a moment is taken along; who paused for longer goes on where they were.
    this.#liveEdge.isFollowing = this.#liveEdge.lag < MAX_LIVE_LAG;
    this.#startVideo();
  }

  #goLive() {
    if (this.#closeStream) this.#liveEdge.seekToLive();
    if (this.#video.paused) this.#resume();
  }

  /** Do what the large button over the picture offers. */
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
      // A library pauses too, when it lets go.
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
