// The replay of a class: its clips one after the other, each from where the viewer left it.

import { button, Controls, element, fill, large, slider } from "./controls.js";

const SPEEDS = [0.75, 1, 1.25, 1.5, 2];
const KINDS = ["class", "scene"];
const SKIP = 5; // seconds
const NOTED = 5; // seconds between two notes of where the viewer is
const ENDING = 5; // seconds before the end from which a clip counts as seen
const SOONEST = 500; // milliseconds until fresh addresses are asked for, then twice as many
const LATEST = 30_000;

/** Seconds as people write them: 1:05, 1:02:03. */
function clock(seconds) {
  const whole = Math.floor(seconds || 0);
  const two = (number) => String(number % 60).padStart(2, "0");
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}:${two(whole)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes)}:${two(whole)}`;
}

/** Where the viewer is in each clip, kept where the browser allows it. */
class Places {
  #slot;
  #known = { last: "", at: {} };

  constructor(slot) {
    this.#slot = slot;
    try {
      const { last, at } = JSON.parse(localStorage.getItem(slot)) ?? this.#known;
      this.#known = { last: String(last), at: { ...at } };
    } catch {
      // Nothing is kept, or nothing that we wrote.
    }
  }

  get last() {
    return this.#known.last;
  }

  of(id) {
    return Number(this.#known.at[id]) || 0;
  }

  note(id, seconds) {
    this.#known.last = id;
    if (seconds) this.#known.at[id] = Math.floor(seconds);
    else delete this.#known.at[id];
    try {
      localStorage.setItem(this.#slot, JSON.stringify(this.#known));
    } catch {
      // Then it is known until the page is left.
    }
  }
}

/** Plays clips in `root`, an empty element with the class "replay"; `slot` names what is kept. */
export class Replay extends EventTarget {
  #texts;
  #places;
  #video = element("video", "picture-video");
  #note = element("p", "picture-note");
  #time = element("span", "picture-time");
  #list = element("div", "clips");
  #stage;
  #seek;
  #hint;

  #clips = [];
  #clip = null;
  #speed = 1;
  #isWanted = false; // whether it plays, or would if it could
  #isWatched = false;
  #hasBegun = false; // to play anything
  #tries = 0;
  #retry = 0;
  #notedAt = 0;

  constructor(root, texts, slot) {
    super();
    this.#texts = texts;
    this.#places = new Places(slot);
    const video = this.#video;
    video.playsInline = true;
    video.preload = "metadata";
    this.#note.setAttribute("role", "status");
    this.#hint = large(texts["replay.play"], () => this.#toggle(), "play");
    this.#seek = slider("picture-range picture-seek", texts["replay.seek"], (at) => this.#go(at));
    this.#seek.step = 1;
    this.#stage = element("div", "picture", video, this.#note, this.#hint);
    root.append(this.#stage, this.#list);
    const middle = [this.#time, this.#seek];
    new Controls(this.#stage, video, texts, () => this.#toggle(), middle, [this.#speeds()]);
    this.#listen();
    this.#show();
  }

  /** Show these clips; with fresh addresses of the same clips the viewer stays where they are. */
  show(clips) {
    const before = this.#clip;
    this.#clips = KINDS.flatMap((kind) =>
      clips.filter((clip) => clip.kind === kind).sort((one, other) => one.started - other.started),
    );
    const byId = (id) => this.#clips.find((clip) => clip.id === id);
    const clip = byId(before?.id) ?? byId(this.#places.last) ?? this.#clips[0] ?? null;
    const isSame = clip?.id === before?.id && !this.#video.error && !this.#retry;
    this.#clip = clip;
    // What has begun to play goes on: its address was good.
    if (!isSame) this.#load();
    this.#tell();
  }

  #load() {
    clearTimeout(this.#retry);
    this.#retry = 0;
    const video = this.#video;
    if (!this.#clip) {
      video.removeAttribute("src");
      video.load();
      return;
    }
    const at = this.#places.of(this.#clip.id);
    // A place in the address is sought before anything is shown.
    video.src = at ? `${this.#clip.url}#t=${at}` : this.#clip.url;
    video.playbackRate = video.defaultPlaybackRate = this.#speed;
    if (this.#isWanted) this.#run();
    this.#show();
  }

  #choose(clip) {
    this.#keep();
    this.#clip = clip;
    this.#isWanted = true;
    this.#tries = 0;
    this.#load();
    this.#tell();
  }

  async #run() {
    this.#isWanted = true;
    try {
      await this.#video.play();
    } catch (error) {
      if (error.name === "NotAllowedError") this.#isWanted = false;
    }
  }

  #toggle() {
    if (this.#video.paused) {
      this.#run();
    } else {
      this.#isWanted = false;
      this.#video.pause();
    }
  }

  #go(at) {
    this.#video.currentTime = at;
    this.#show();
  }

  /** Note where the viewer is. */
  #keep() {
    const { currentTime, readyState } = this.#video;
    if (!this.#clip || !readyState) return;
    this.#notedAt = currentTime;
    const isSeen = currentTime > this.#length - ENDING;
    this.#places.note(this.#clip.id, isSeen ? 0 : currentTime);
  }

  get #length() {
    const { duration } = this.#video;
    return Number.isFinite(duration) ? duration : (this.#clip?.seconds ?? Infinity);
  }

  #next() {
    this.#keep();
    const next = this.#clips[this.#clips.indexOf(this.#clip) + 1];
    if (next?.kind === this.#clip.kind) this.#choose(next);
    else this.#isWanted = false;
  }

  /** Ask for fresh addresses: the one we have is no good any more, or the server is away. */
  #expire() {
    if (!this.#clip || this.#retry) return;
    const delay = Math.min(SOONEST * 2 ** this.#tries, LATEST);
    this.#tries += 1;
    this.#retry = setTimeout(() => this.dispatchEvent(new Event("expired")), delay);
    this.#note.textContent = this.#tries > 2 ? this.#texts["replay.waiting"] : "";
    this.#watch(false);
  }

  #watch(isWatched) {
    if (isWatched === this.#isWatched) return;
    this.#isWatched = isWatched;
    this.dispatchEvent(new CustomEvent("watching", { detail: { on: isWatched } }));
  }

  #listen() {
    const video = this.#video;
    const on = (name, act) => video.addEventListener(name, act);
    on("playing", () => {
      this.#hasBegun = true;
      this.#tries = 0;
      this.#note.textContent = "";
      this.#watch(true);
      this.#show();
    });
    on("pause", () => {
      this.#watch(false);
      this.#keep();
    });
    on("waiting", () => this.#watch(false));
    on("timeupdate", () => {
      if (Math.abs(video.currentTime - this.#notedAt) > NOTED) this.#keep();
      this.#show();
    });
    on("durationchange", () => this.#show());
    on("ended", () => this.#next());
    on("error", () => this.#expire());
    window.addEventListener("pagehide", () => this.#keep());
    this.#stage.addEventListener("keydown", ({ key, target }) => {
      const by = { ArrowLeft: -SKIP, ArrowRight: SKIP }[key];
      if (by && !target.matches("input, select")) this.#go(video.currentTime + by);
    });
  }

  #show() {
    const { currentTime } = this.#video;
    const length = this.#length;
    const isKnown = Number.isFinite(length);
    const seek = this.#seek;
    seek.disabled = !isKnown;
    seek.max = isKnown ? Math.ceil(length) : 1;
    seek.value = isKnown ? currentTime : 0;
    fill(seek);
    const [at, all] = [clock(currentTime), clock(length)];
    const words = this.#texts["replay.at"].replace("{at}", at).replace("{all}", all);
    seek.setAttribute("aria-valuetext", isKnown ? words : at);
    this.#time.textContent = isKnown ? `${at} / ${all}` : at;
    this.#hint.hidden = this.#hasBegun || !this.#clip;
    this.#stage.classList.toggle("is-off", !this.#hasBegun);
  }

  #speeds() {
    const select = element("select", "picture-speed");
    select.setAttribute("aria-label", this.#texts["replay.speed"]);
    for (const speed of SPEEDS) select.add(new Option(`${speed}×`, speed));
    select.value = this.#speed;
    select.addEventListener("change", () => {
      this.#speed = Number(select.value);
      this.#video.playbackRate = this.#video.defaultPlaybackRate = this.#speed;
    });
    return select;
  }

  /** Write the list of clips; of a single one there is nothing to choose. */
  #tell() {
    const many = this.#clips.length > 1;
    const groups = KINDS.map((kind) => this.#clips.filter((clip) => clip.kind === kind));
    const written = groups.flatMap((clips, at) => {
      if (!many || !clips.length) return [];
      const name = this.#texts[`replay.${KINDS[at]}`];
      const list = element("ul", "", ...clips.map((clip, index) => this.#item(clip, index)));
      list.setAttribute("aria-label", name);
      return [element("p", "", name), list];
    });
    const hadFocus = this.#list.contains(document.activeElement);
    this.#list.replaceChildren(...written);
    if (hadFocus) this.#list.querySelector("[aria-current]")?.focus();
  }

  #item(clip, index) {
    const name = this.#texts["replay.clip"].replace("{number}", index + 1);
    const made = button("clip", name, () => this.#choose(clip));
    const language = document.documentElement.lang || undefined;
    const begun = new Date(1000 * clip.started).toLocaleTimeString(language, {
      hour: "2-digit",
      minute: "2-digit",
      hourCycle: "h23",
    });
    const length = clip.seconds ? ` · ${clock(clip.seconds)}` : "";
    made.append(element("span", "", begun + length));
    if (clip === this.#clip) made.setAttribute("aria-current", "true");
    return element("li", "", made);
  }
}
