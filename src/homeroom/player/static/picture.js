// The live picture: plays a class as it happens, and comes back by itself when it breaks off.

import { button, Controls, draw, element, large } from "./controls.js";
import { Edge, end } from "./edge.js";
import { ways } from "./ways.js";

// All in milliseconds, but for what says otherwise.
const CHECK = 250;
const SILENT = 3000; // without anything new, after which another connection is tried
const SETTLED = 3000; // of picture after which the next break counts as the first one
const SOONEST = 300;
const LATEST = 5000;
const TOLD = 2000; // of a break before anything is said of it
const PARKED = 60_000; // of a pause after which nothing more is loaded
const OLD = 2; // seconds by which one is not live any more
const TRIES = 2; // without a picture, after which the next way is tried

/** Plays the sources of one class in `root`, an empty element with the class "picture". */
export class Picture extends EventTarget {
  #root;
  #video = element("video", "picture-video");
  #still = element("canvas", "picture-still");
  #note = element("p", "picture-note");
  #hint;
  #live;
  #back;
  #controls;
  #edge;
  #texts;

  #sources = null;
  #ways = [];
  #works = false; // whether this way has shown a picture
  #misses = 0; // tries of it that did not
  #tries = 0; // since it last ran well
  #close = null;
  #retry = 0;
  #timer = 0;
  #heard = 0; // when something new came last
  #newest = 0;
  #shownAt = 0; // when this connection's first picture was shown
  #brokenAt = 0;
  #pausedAt = 0;
  #isWatched = false;
  #isHeard = false; // whether the sound was ever on

  constructor(root, texts) {
    super();
    this.#root = root;
    this.#texts = texts;
    const video = this.#video;
    video.playsInline = true;
    video.muted = true; // no browser begins with sound by itself
    this.#hint = large(texts["picture.unmute"], () => this.#accept(), "muted");
    this.#live = element("span", "picture-live", texts["picture.live"]);
    this.#back = button("picture-back", texts["picture.back"], () => this.#catchUp());
    this.#note.setAttribute("role", "status");
    this.#still.setAttribute("aria-hidden", "true");
    this.#still.hidden = true;
    root.append(video, this.#still, this.#note, this.#hint);
    const toggle = () => this.#toggle();
    this.#controls = new Controls(root, video, texts, toggle, [this.#live, this.#back]);
    this.#edge = new Edge(video);
    this.#listen();
    this.#show();
  }

  /** Play; what plays already goes on, and takes new addresses when it must connect again. */
  play(sources) {
    const isNew = this.#sources === null;
    this.#sources = sources;
    if (!isNew) return;
    this.#ways = ways(this.#video);
    this.#misses = this.#tries = this.#pausedAt = 0;
    this.#works = false;
    this.#brokenAt = performance.now();
    this.#edge.isFollowing = true;
    this.#timer = setInterval(() => this.#check(), CHECK);
    this.#open();
  }

  /** Stop, and let go of everything. */
  stop() {
    this.#sources = null;
    clearInterval(this.#timer);
    this.#drop();
    this.#still.hidden = true;
    this.#watch(false);
    this.#show();
  }

  #open() {
    this.#drop();
    const usable = this.#ways.filter(({ kind }) => this.#sources[kind]);
    this.#ways = usable;
    if (usable.length === 0) return;
    const [{ kind, open }] = usable;
    const video = this.#video;
    const opened = new AbortController();
    const { signal } = opened;
    // Not at once: a library is in the middle of something when it says so.
    const lost = (why) => {
      setTimeout(() => signal.aborted || this.#lose(why));
    };
    const close = open(video, this.#sources[kind], lost);
    this.#close = () => {
      opened.abort();
      close();
    };
    this.#heard = performance.now();
    this.#newest = this.#shownAt = 0;
    const shown = () => signal.aborted || this.#shownAt || this.#shown();
    video.requestVideoFrameCallback?.(shown);
    // Where nobody looks no frame is shown, though the sound may be heard.
    const isBlind = () => document.hidden || !video.requestVideoFrameCallback;
    video.addEventListener("playing", () => isBlind() && shown(), { signal });
    // Not before: a library begins with load(), which pauses.
    video.addEventListener("loadedmetadata", () => this.#run(), { once: true, signal });
    video.addEventListener("loadeddata", () => this.#edge.jump(), { once: true, signal });
    this.#edge.start();
    this.#show();
  }

  /** Close the connection; the last picture stays. */
  #drop() {
    clearTimeout(this.#retry);
    this.#retry = 0;
    if (!this.#close) return;
    const { videoWidth: width, videoHeight: height } = this.#video;
    if (this.#shownAt && width) {
      Object.assign(this.#still, { width, height, hidden: false });
      this.#still.getContext("2d").drawImage(this.#video, 0, 0);
    }
    this.#edge.stop();
    this.#close();
    this.#close = null;
  }

  async #run() {
    try {
      await this.#video.play();
    } catch (error) {
      // Some browsers, as when they save power, want to be asked even without sound.
      if (error.name === "NotAllowedError") this.#pause();
    }
  }

  #shown() {
    this.#shownAt = performance.now();
    this.#works = true;
    this.#brokenAt = 0;
    this.#still.hidden = true;
    this.#watch(!this.#video.paused);
    this.#show();
  }

  #lose(why) {
    const now = performance.now();
    if (this.#shownAt && this.#heard - this.#shownAt > SETTLED) this.#misses = this.#tries = 0;
    // A way that has shown a picture broke off; one that never has may be barred on the way here.
    if (why === "unplayable" || !this.#works) this.#misses += 1;
    this.#drop();
    this.#watch(false);
    this.#brokenAt ||= now;
    if (this.#misses >= TRIES && this.#ways.length > 1) {
      // It may be the server that is away: then each way has its turn again.
      this.#ways.push(this.#ways.shift());
      this.#misses = 0;
      this.#works = false;
    }
    const delay = Math.min(SOONEST * 2 ** this.#tries, LATEST);
    this.#tries += 1;
    // Not all viewers at once.
    this.#retry = setTimeout(() => this.#open(), delay * (0.5 + Math.random() / 2));
    this.#show();
  }

  #check() {
    const now = performance.now();
    const video = this.#video;
    // Where the browser itself loads, what is loaded does not tell whether it goes on.
    const newest = end(video) + (video.src.startsWith("blob:") ? 0 : video.currentTime);
    if (newest !== this.#newest || this.#pausedAt) this.#heard = now;
    this.#newest = newest;
    if (this.#close && this.#pausedAt && now - this.#pausedAt > PARKED) this.#drop();
    if (this.#close && now - this.#heard > SILENT) this.#lose("silent");
    this.#show();
  }

  #toggle() {
    if (!this.#sources) return;
    if (this.#video.paused) this.#resume();
    else this.#video.pause();
  }

  #pause() {
    this.#pausedAt = performance.now();
    this.#watch(false);
    this.#show();
  }

  #resume() {
    this.#pausedAt = 0;
    if (!this.#close) {
      this.#open();
      return;
    }
    // Who paused for a moment is taken along; who paused for longer goes on where they were.
    this.#edge.isFollowing = this.#edge.lag < OLD;
    this.#run();
  }

  #catchUp() {
    if (this.#close) this.#edge.jump();
    if (this.#video.paused) this.#resume();
  }

  /** Do what the large button over the picture offers. */
  #accept() {
    if (this.#pausedAt) this.#resume();
    else this.#controls.mute(false);
    this.#root.focus();
  }

  #watch(isWatched) {
    if (isWatched === this.#isWatched) return;
    this.#isWatched = isWatched;
    this.dispatchEvent(new CustomEvent("watching", { detail: { on: isWatched } }));
  }

  #listen() {
    const video = this.#video;
    video.addEventListener("pause", () => {
      // A library pauses too, when it lets go.
      if (!this.#close || !video.paused) return;
      if (document.hidden) this.#watch(false);
      else this.#pause();
    });
    video.addEventListener("playing", () => {
      this.#pausedAt = 0;
      this.#watch(Boolean(this.#shownAt));
      this.#show();
    });
    video.addEventListener("volumechange", () => {
      this.#isHeard ||= !video.muted;
      this.#show();
    });
    document.addEventListener("visibilitychange", () => {
      if (document.hidden || !this.#close || this.#pausedAt) return;
      if (this.#edge.isFollowing && this.#edge.lag > 1) this.#edge.jump();
      if (video.paused) this.#run();
    });
    window.addEventListener("online", () => this.#retry && this.#open());
  }

  #show() {
    const now = performance.now();
    const isBroken = this.#sources && this.#brokenAt && now - this.#brokenAt > TOLD;
    const isHopeless = this.#sources && this.#ways.length === 0;
    const said = isHopeless ? "picture.unplayable" : "picture.waiting";
    const words = isBroken || isHopeless ? this.#texts[said] : "";
    if (this.#note.textContent !== words) this.#note.textContent = words;
    const hasPicture = Boolean(this.#shownAt || this.#pausedAt) || !this.#still.hidden;
    this.#root.classList.toggle("is-off", !this.#sources || !hasPicture);
    const isOld = Boolean(this.#pausedAt) || !this.#edge.isFollowing;
    this.#live.hidden = isOld || words !== "";
    this.#back.hidden = !isOld;
    this.#offer();
  }

  #offer() {
    const hint = this.#hint;
    const isPaused = Boolean(this.#pausedAt) && !this.#shownAt;
    const isSilent = this.#video.muted && this.#shownAt && !this.#isHeard;
    hint.hidden = !this.#sources || (!isPaused && (!isSilent || this.#pausedAt));
    draw(hint.firstChild, isPaused ? "play" : "muted");
    hint.lastChild.data = this.#texts[isPaused ? "picture.play" : "picture.unmute"];
  }
}
