// Live player: plays a class live, reconnects by itself, and says what is missing.

import {
  Controls,
  createButton,
  createElement,
  createIcon,
  createLargeButton,
  setIcon,
} from "./controls.js";
import { LiveEdge } from "./live-edge.js";
import { chooseNote, explainsNoPicture, sendsNothing } from "./live-notes.js";
import { Loss, listMethods } from "./playback.js";
import { PlaybackMonitor } from "./playback-monitor.js";
import { StreamProblem } from "./wire.js";

const CHECK_MS = 250;
const SILENT_MS = 3000; // without new data before it reconnects
const STUCK_MS = 8000; // without a movement, though data arrive, before it reconnects
const EXPLAINED_MS = 15_000; // in place of both, while the server knows the reason
const STABLE_MS = 3000; // of playback after which the retry delay is reset
const SOUND_FIRST_MS = 1000; // of sound without a frame after which it counts as playback
const UNSTUCK_MS = 1000; // of playback after which a stream that was stuck counts as mended
const MIN_RETRY_MS = 300;
const MAX_RETRY_MS = 5000;
const UNLOAD_AFTER_MS = 60_000; // of a pause after which the stream is closed
const MAX_LIVE_LAG = 2; // seconds of lag that still count as live
const MAX_FAILURES = 2; // without a frame before the next method is tried

/** Plays the sources of one class in `root`, an empty element with the class "player". */
export class LivePlayer extends EventTarget {
  #root;
  #video = createElement("video", "player-video");
  #lastFrame = createElement("canvas", "player-last-frame");
  #soundOnly;
  #notice = createElement("p", "player-notice");
  #hint;
  #liveBadge;
  #liveButton;
  #controls;
  #liveEdge;
  #monitor;
  #texts;

  #sources = null;
  #problems = new Set(); // of the stream, as the server knows them
  #methods = [];
  #hasPlayed = false; // true once this method has played something
  #hasEverPlayed = false; // true once any method has
  #hasFailedToDecode = false;
  #failures = 0; // of this method
  #picturelessMethods = 0; // that have played the sound alone
  #retries = 0; // since playback was last stable
  #closeStream = null;
  #retryTimer = 0;
  #timer = 0;
  #shownAt = 0; // when this connection began to show frames, or to play sound alone
  #brokenAt = 0;
  #loss = ""; // why the last connection was given up
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
    const soundOnly = createElement("span", "", texts["picture.sound_only"]);
    this.#soundOnly = createElement("p", "player-sound-only", createIcon("sound"), soundOnly);
    root.append(video, this.#soundOnly, this.#lastFrame, this.#notice, this.#hint);
    const toggle = () => this.#toggle();
    this.#controls = new Controls(root, video, texts, toggle, [this.#liveBadge, this.#liveButton]);
    this.#liveEdge = new LiveEdge(video);
    this.#monitor = new PlaybackMonitor(video);
    this.#bindEvents();
    this.#render();
  }

  /** Play these sources. A running stream continues; the new URLs are for the next connection. */
  play(sources) {
    const isNew = this.#sources === null;
    this.#sources = sources;
    if (!isNew) return;
    this.#methods = listMethods(this.#video);
    this.#failures = this.#retries = this.#pausedAt = this.#picturelessMethods = 0;
    this.#hasPlayed = this.#hasEverPlayed = this.#hasFailedToDecode = false;
    this.#chooseSeeking();
    this.#loss = "";
    this.#brokenAt = performance.now();
    this.#liveEdge.isFollowing = true;
    this.#timer = setInterval(() => this.#check(), CHECK_MS);
    this.#connect();
  }

  /** Set the problems of the stream that the server knows, those of the teacher's program. */
  setProblems(problems) {
    const previous = this.#problems;
    this.#problems = new Set(problems);
    this.#chooseSeeking();
    if (!this.#sources) return;
    const isNew = (problem) => this.#problems.has(problem) && !previous.has(problem);
    const isOver = [...previous].some((problem) => !this.#problems.has(problem));
    // A connection that was made without the picture does not get it later.
    const isBlind = this.#shownAt && !this.#monitor.hasPictureTrack;
    const hasPictureAgain = explainsNoPicture(previous) && !explainsNoPicture(this.#problems);
    // Without keyframes a connection must begin in another way.
    const lacksStart =
      this.#closeStream && !this.#shownAt && isNew(StreamProblem.KEYFRAMES_MISSING);
    if ((isOver && this.#retryTimer) || (isBlind && hasPictureAgain) || lacksStart) this.#connect();
    this.#render();
  }

  /** Seek only where there are keyframes, and no seek has broken the decoder. */
  #chooseSeeking() {
    const hasKeyframes = !this.#problems.has(StreamProblem.KEYFRAMES_MISSING);
    this.#liveEdge.canSeek = hasKeyframes && !this.#hasFailedToDecode;
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
    const onLost = (loss) => {
      setTimeout(() => signal.aborted || this.#onLost(loss));
    };
    const onData = () => signal.aborted || this.#monitor.onData(performance.now());
    const hasKeyframes = this.#liveEdge.canSeek;
    const close = open(video, this.#sources[kind], { onLost, onData, hasKeyframes });
    this.#closeStream = () => {
      connection.abort();
      close();
    };
    this.#monitor.start(performance.now());
    this.#shownAt = 0;
    const onFrame = () => signal.aborted || this.#shownAt || this.#onShown();
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
    if (this.#shownAt && width) {
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

  /** Handle the first frame of a connection, or sound that goes on without one. */
  #onShown() {
    this.#shownAt = performance.now();
    this.#monitor.rest(this.#shownAt);
    this.#hasPlayed = this.#hasEverPlayed = true;
    // What a server keeps for those who join may be all that comes of a stuck stream.
    if (this.#loss !== Loss.STUCK) this.#brokenAt = 0;
    this.#lastFrame.hidden = true;
    this.#setPlaying(!this.#video.paused);
    this.#render();
  }

  #onLost(loss) {
    if (this.#shownAt && this.#monitor.movedAt - this.#shownAt > STABLE_MS)
      this.#failures = this.#retries = 0;
    // A method that has shown frames lost its connection; one that never has may be blocked.
    const isFault = [Loss.UNPLAYABLE, Loss.STUCK].includes(loss) || !this.#hasPlayed;
    const isExcused = this.#isExplained && [Loss.SILENT, Loss.STUCK].includes(loss);
    if (isFault && !isExcused) this.#failures += 1;
    if (loss === Loss.PICTURELESS) this.#failures = MAX_FAILURES;
    // Without a picture track the cause is another: the picture came later than the connection.
    const hasPicture = this.#monitor.hasPictureTrack;
    if (hasPicture && this.#video.error?.code === MediaError.MEDIA_ERR_DECODE)
      this.#hasFailedToDecode = true;
    this.#chooseSeeking();
    this.#loss = loss;
    this.#brokenAt ||= this.#monitor.movedAt;
    this.#disconnect();
    this.#setPlaying(false);
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

  /** True while the server knows why nothing can be played. */
  get #isExplained() {
    return sendsNothing(this.#problems) || (!this.#shownAt && explainsNoPicture(this.#problems));
  }

  #check() {
    const now = performance.now();
    this.#monitor.sample(now);
    if (this.#pausedAt) this.#monitor.onData(now);
    if (this.#pausedAt || document.hidden) this.#monitor.rest(now);
    if (this.#closeStream) this.#checkConnection(now);
    this.#render();
  }

  /** Judge what the connection plays; give it up if that is nothing. */
  #checkConnection(now) {
    const monitor = this.#monitor;
    if (this.#pausedAt && now - this.#pausedAt > UNLOAD_AFTER_MS) this.#disconnect();
    if (!this.#closeStream || this.#pausedAt) return;
    if (monitor.hasFrames) this.#picturelessMethods = 0;
    const patience = monitor.hasPictureTrack ? SOUND_FIRST_MS : 0;
    if (!this.#shownAt && monitor.movedAt - monitor.startedAt > patience) this.#onShown();
    if (this.#shownAt && monitor.movedAt - this.#shownAt > UNSTUCK_MS) this.#brokenAt = 0;
    const loss = this.#findLoss(now);
    if (loss === Loss.PICTURELESS) this.#picturelessMethods += 1;
    if (loss) this.#onLost(loss);
  }

  /** Return why the connection is useless, or an empty string. */
  #findLoss(now) {
    const { dataAt, movedAt, frameAt, hasFrames, hasPictureTrack } = this.#monitor;
    const isExplained = this.#isExplained;
    if (now - dataAt > (isExplained ? EXPLAINED_MS : SILENT_MS)) return Loss.SILENT;
    if (now - movedAt > (isExplained ? EXPLAINED_MS : STUCK_MS)) return Loss.STUCK;
    const isPictureless = hasPictureTrack && !hasFrames && now - frameAt > STUCK_MS;
    const hasOtherWay = this.#picturelessMethods < this.#methods.length;
    const isUnexplained = !explainsNoPicture(this.#problems);
    return isPictureless && hasOtherWay && isUnexplained ? Loss.PICTURELESS : "";
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
      this.#setPlaying(Boolean(this.#shownAt));
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

  /** Return the name of the note to show, or an empty string. */
  #chooseNote() {
    if (!this.#sources || this.#pausedAt) return "";
    if (this.#methods.length === 0) return "unplayable";
    const hasArrived = this.#closeStream && this.#monitor.dataAt > this.#monitor.startedAt;
    return chooseNote({
      problems: this.#problems,
      monitor: this.#monitor,
      now: performance.now(),
      brokenAt: this.#brokenAt,
      isOffline: !hasArrived && [Loss.NETWORK, Loss.ENDED].includes(this.#loss),
      hasPlayed: this.#hasEverPlayed,
    });
  }

  #render() {
    const note = this.#chooseNote();
    const text = note && this.#texts[`note.${note}`];
    if (this.#notice.textContent !== text) this.#notice.textContent = text;
    const hasPicture = Boolean(this.#shownAt || this.#pausedAt) || !this.#lastFrame.hidden;
    this.#root.classList.toggle("is-off", !this.#sources || !hasPicture);
    const isSoundOnly = Boolean(this.#shownAt) && !this.#monitor.hasPictureTrack;
    this.#soundOnly.hidden = !this.#sources || !isSoundOnly;
    const isOld = Boolean(this.#pausedAt) || !this.#liveEdge.isFollowing;
    this.#liveBadge.hidden = isOld || this.#brokenAt > 0 || note === "standing";
    this.#liveButton.hidden = !isOld;
    this.#updateHint();
  }

  #updateHint() {
    const hint = this.#hint;
    const isPaused = Boolean(this.#pausedAt) && !this.#shownAt;
    const isSilent = this.#video.muted && this.#shownAt && !this.#hadSound;
    hint.hidden = !this.#sources || (!isPaused && (!isSilent || this.#pausedAt));
    setIcon(hint.firstChild, isPaused ? "play" : "muted");
    hint.lastChild.data = this.#texts[isPaused ? "picture.play" : "picture.unmute"];
  }
}
