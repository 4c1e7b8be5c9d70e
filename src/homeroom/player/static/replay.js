// Replay player: plays the clips of a class in order, each from the saved position.

import {
  Controls,
  createButton,
  createElement,
  createLargeButton,
  createSlider,
  showFill,
} from "./controls.js";

const SPEEDS = [0.75, 1, 1.25, 1.5, 2];
const STREAM_KINDS = ["class", "scene"];
const SKIP_SECONDS = 5; // seconds
const SAVE_SECONDS = 5; // between two saves of the position
const ENDING_SECONDS = 5; // before the end, from which on a clip counts as watched
const MIN_RETRY_MS = 500; // until new URLs are requested; doubles each time
const MAX_RETRY_MS = 30_000;

/** Format seconds as 1:05 or 1:02:03. */
function formatDuration(seconds) {
  const whole = Math.floor(seconds || 0);
  const pad = (number) => String(number % 60).padStart(2, "0");
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}:${pad(whole)}`;
  return `${Math.floor(minutes / 60)}:${pad(minutes)}:${pad(whole)}`;
}

/** The viewer's position in each clip, in local storage if the browser allows it. */
class PositionStore {
  #slot;
  #saved = { last: "", at: {} };

  constructor(slot) {
    this.#slot = slot;
    try {
      const { last, at } = JSON.parse(localStorage.getItem(slot)) ?? this.#saved;
      this.#saved = { last: String(last), at: { ...at } };
    } catch {
      // Nothing is stored, or in another format.
    }
  }

  get last() {
    return this.#saved.last;
  }

  get(id) {
    return Number(this.#saved.at[id]) || 0;
  }

  save(id, seconds) {
    this.#saved.last = id;
    if (seconds) this.#saved.at[id] = Math.floor(seconds);
    else delete this.#saved.at[id];
    try {
      localStorage.setItem(this.#slot, JSON.stringify(this.#saved));
    } catch {
      // Then the positions last as long as the page.
    }
  }
}

/** Plays clips in `root`, an empty element; `slot` is the storage key of the positions. */
export class ReplayPlayer extends EventTarget {
  #texts;
  #positions;
  #video = createElement("video", "player-video");
  #notice = createElement("p", "player-notice");
  #time = createElement("span", "player-time");
  #list = createElement("div", "clip-list");
  #frame;
  #seekBar;
  #hint;

  #clips = [];
  #clip = null;
  #speed = 1;
  #shouldPlay = false; // true if the viewer wants it to play
  #isPlaying = false;
  #hasStarted = false; // anything at all
  #retries = 0;
  #retryTimer = 0;
  #savedAt = 0;

  constructor(root, texts, slot) {
    super();
    this.#texts = texts;
    this.#positions = new PositionStore(slot);
    const video = this.#video;
    video.playsInline = true;
    video.preload = "metadata";
    this.#notice.setAttribute("role", "status");
    this.#hint = createLargeButton(texts["replay.play"], () => this.#toggle(), "play");
    this.#seekBar = createSlider("player-range player-seek", texts["replay.seek"], (at) =>
      this.#seekTo(at),
    );
    this.#seekBar.step = 1;
    this.#frame = createElement("div", "player", video, this.#notice, this.#hint);
    root.append(this.#frame, this.#list);
    const middle = [this.#time, this.#seekBar];
    new Controls(this.#frame, video, texts, () => this.#toggle(), middle, [
      this.#createSpeedSelect(),
    ]);
    this.#bindEvents();
    this.#render();
  }

  /** Show these clips; new URLs of the same clips do not interrupt playback. */
  show(clips) {
    const previous = this.#clip;
    this.#clips = STREAM_KINDS.flatMap((kind) =>
      clips
        .filter((clip) => clip.kind === kind)
        .sort((first, second) => first.started - second.started),
    );
    const byId = (id) => this.#clips.find((clip) => clip.id === id);
    const clip = byId(previous?.id) ?? byId(this.#positions.last) ?? this.#clips[0] ?? null;
    const isSame = clip?.id === previous?.id && !this.#video.error && !this.#retryTimer;
    this.#clip = clip;
    // A clip that plays continues: its URL was valid.
    if (!isSame) this.#load();
    this.#renderList();
  }

  #load() {
    clearTimeout(this.#retryTimer);
    this.#retryTimer = 0;
    const video = this.#video;
    if (!this.#clip) {
      video.removeAttribute("src");
      video.load();
      return;
    }
    const at = this.#positions.get(this.#clip.id);
    // A position in the URL fragment applies before the first frame is shown.
    video.src = at ? `${this.#clip.url}#t=${at}` : this.#clip.url;
    video.playbackRate = video.defaultPlaybackRate = this.#speed;
    if (this.#shouldPlay) this.#startVideo();
    this.#render();
  }

  #select(clip) {
    this.#savePosition();
    this.#clip = clip;
    this.#shouldPlay = true;
    this.#retries = 0;
    this.#load();
    this.#renderList();
  }

  async #startVideo() {
    this.#shouldPlay = true;
    try {
      await this.#video.play();
    } catch (error) {
      if (error.name === "NotAllowedError") this.#shouldPlay = false;
    }
  }

  #toggle() {
    if (this.#video.paused) {
      this.#startVideo();
    } else {
      this.#shouldPlay = false;
      this.#video.pause();
    }
  }

  #seekTo(at) {
    this.#video.currentTime = at;
    this.#render();
  }

  /** Save the current position. */
  #savePosition() {
    const { currentTime, readyState } = this.#video;
    if (!this.#clip || !readyState) return;
    this.#savedAt = currentTime;
    const isSeen = currentTime > this.#length - ENDING_SECONDS;
    this.#positions.save(this.#clip.id, isSeen ? 0 : currentTime);
  }

  get #length() {
    const { duration } = this.#video;
    return Number.isFinite(duration) ? duration : (this.#clip?.seconds ?? Infinity);
  }

  #playNext() {
    this.#savePosition();
    const next = this.#clips[this.#clips.indexOf(this.#clip) + 1];
    if (next?.kind === this.#clip.kind) this.#select(next);
    else this.#shouldPlay = false;
  }

  /** Request new URLs: the current one has expired, or the server is away. */
  #onExpired() {
    if (!this.#clip || this.#retryTimer) return;
    const delay = Math.min(MIN_RETRY_MS * 2 ** this.#retries, MAX_RETRY_MS);
    this.#retries += 1;
    this.#retryTimer = setTimeout(() => this.dispatchEvent(new Event("expired")), delay);
    this.#notice.textContent = this.#retries > 2 ? this.#texts["replay.waiting"] : "";
    this.#setPlaying(false);
  }

  #setPlaying(isPlaying) {
    if (isPlaying === this.#isPlaying) return;
    this.#isPlaying = isPlaying;
    this.dispatchEvent(new CustomEvent("watching", { detail: { on: isPlaying } }));
  }

  #bindEvents() {
    const video = this.#video;
    const on = (name, handler) => video.addEventListener(name, handler);
    on("playing", () => {
      this.#hasStarted = true;
      this.#retries = 0;
      this.#notice.textContent = "";
      this.#setPlaying(true);
      this.#render();
    });
    on("pause", () => {
      this.#setPlaying(false);
      this.#savePosition();
    });
    on("waiting", () => this.#setPlaying(false));
    on("timeupdate", () => {
      if (Math.abs(video.currentTime - this.#savedAt) > SAVE_SECONDS) this.#savePosition();
      this.#render();
    });
    on("durationchange", () => this.#render());
    on("ended", () => this.#playNext());
    on("error", () => this.#onExpired());
    window.addEventListener("pagehide", () => this.#savePosition());
    this.#frame.addEventListener("keydown", ({ key, target }) => {
      const offset = { ArrowLeft: -SKIP_SECONDS, ArrowRight: SKIP_SECONDS }[key];
      if (offset && !target.matches("input, select")) this.#seekTo(video.currentTime + offset);
    });
  }

  #render() {
    const { currentTime } = this.#video;
    const length = this.#length;
    const isKnown = Number.isFinite(length);
    const seek = this.#seekBar;
    seek.disabled = !isKnown;
    seek.max = isKnown ? Math.ceil(length) : 1;
    seek.value = isKnown ? currentTime : 0;
    showFill(seek);
    const [at, all] = [formatDuration(currentTime), formatDuration(length)];
    const text = this.#texts["replay.at"].replace("{at}", at).replace("{all}", all);
    seek.setAttribute("aria-valuetext", isKnown ? text : at);
    this.#time.textContent = isKnown ? `${at} / ${all}` : at;
    this.#hint.hidden = this.#hasStarted || !this.#clip;
    this.#frame.classList.toggle("is-off", !this.#hasStarted);
  }

  #createSpeedSelect() {
    const select = createElement("select", "player-speed");
    select.setAttribute("aria-label", this.#texts["replay.speed"]);
    for (const speed of SPEEDS) select.add(new Option(`${speed}×`, speed));
    select.value = this.#speed;
    select.addEventListener("change", () => {
      this.#speed = Number(select.value);
      this.#video.playbackRate = this.#video.defaultPlaybackRate = this.#speed;
    });
    return select;
  }

  /** Render the list of clips, if there are several. */
  #renderList() {
    const many = this.#clips.length > 1;
    const groups = STREAM_KINDS.map((kind) => this.#clips.filter((clip) => clip.kind === kind));
    const nodes = groups.flatMap((clips, at) => {
      if (!many || !clips.length) return [];
      const name = this.#texts[`replay.${STREAM_KINDS[at]}`];
      const list = createElement(
        "ul",
        "",
        ...clips.map((clip, index) => this.#createItem(clip, index)),
      );
      list.setAttribute("aria-label", name);
      return [createElement("p", "", name), list];
    });
    const hadFocus = this.#list.contains(document.activeElement);
    this.#list.replaceChildren(...nodes);
    if (hadFocus) this.#list.querySelector("[aria-current]")?.focus();
  }

  #createItem(clip, index) {
    const name = this.#texts["replay.clip"].replace("{number}", index + 1);
    const item = createButton("clip", name, () => this.#select(clip));
    const language = document.documentElement.lang || undefined;
    const startTime = new Date(1000 * clip.started).toLocaleTimeString(language, {
      hour: "2-digit",
      minute: "2-digit",
      hourCycle: "h23",
    });
    const length = clip.seconds ? ` · ${formatDuration(clip.seconds)}` : "";
    item.append(createElement("span", "", startTime + length));
    if (clip === this.#clip) item.setAttribute("aria-current", "true");
    return createElement("li", "", item);
  }
}
