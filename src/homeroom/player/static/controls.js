// Controls of the live player and the replay player: buttons, volume, full screen, keys.

const SVG = "http://www.w3.org/2000/svg";
const ICONS = {
  play: "M8 5.1v13.8c0 .8.9 1.3 1.6.8l10.3-6.9c.6-.4.6-1.2 0-1.6L9.6 4.3C8.9 3.8 8 4.3 8 5.1z",
  pause:
    "M6.5 4.5h3a1 1 0 0 1 1 1v13a1 1 0 0 1-1 1h-3a1 1 0 0 1-1-1v-13a1 1 0 0 1 1-1zm8 0h3a1 1 0 0 1 1 1v13a1 1 0 0 1-1 1h-3a1 1 0 0 1-1-1v-13a1 1 0 0 1 1-1z",
  sound:
    "M3 9.5v5a1 1 0 0 0 1 1h3l4.3 4.1c.6.6 1.7.2 1.7-.7V5.1c0-.9-1.1-1.3-1.7-.7L7 8.5H4a1 1 0 0 0-1 1zm13-2.2a1 1 0 0 1 1.4.1 7 7 0 0 1 0 9.2 1 1 0 1 1-1.5-1.3 5 5 0 0 0 0-6.6 1 1 0 0 1 .1-1.4z",
  muted:
    "M3 9.5v5a1 1 0 0 0 1 1h3l4.3 4.1c.6.6 1.7.2 1.7-.7V5.1c0-.9-1.1-1.3-1.7-.7L7 8.5H4a1 1 0 0 0-1 1zm12.3-.2a1 1 0 0 1 1.4 0l1.8 1.8 1.8-1.8a1 1 0 1 1 1.4 1.4L19.9 12.5l1.8 1.8a1 1 0 0 1-1.4 1.4l-1.8-1.8-1.8 1.8a1 1 0 0 1-1.4-1.4l1.8-1.8-1.8-1.8a1 1 0 0 1 0-1.4z",
  full: "M5 4h4a1 1 0 0 1 0 2H6v3a1 1 0 0 1-2 0V5a1 1 0 0 1 1-1zm10 0h4a1 1 0 0 1 1 1v4a1 1 0 1 1-2 0V6h-3a1 1 0 1 1 0-2zM5 14a1 1 0 0 1 1 1v3h3a1 1 0 1 1 0 2H5a1 1 0 0 1-1-1v-4a1 1 0 0 1 1-1zm14 0a1 1 0 0 1 1 1v4a1 1 0 0 1-1 1h-4a1 1 0 1 1 0-2h3v-3a1 1 0 0 1 1-1z",
  small:
    "M5 4.5h14A2.5 2.5 0 0 1 21.5 7v10a2.5 2.5 0 0 1-2.5 2.5H5A2.5 2.5 0 0 1 2.5 17V7A2.5 2.5 0 0 1 5 4.5zm0 2a.5.5 0 0 0-.5.5v10c0 .3.2.5.5.5h14a.5.5 0 0 0 .5-.5V7a.5.5 0 0 0-.5-.5zm7.5 5.5h5a.5.5 0 0 1 .5.5v3a.5.5 0 0 1-.5.5h-5a.5.5 0 0 1-.5-.5v-3a.5.5 0 0 1 .5-.5z",
};
const IDLE_MS = 3000; // milliseconds without a movement after which the controls go
const VOLUME_STEP = 0.1;

/** Create an element with a class, and text or children. */
export function createElement(name, className, ...children) {
  const made = document.createElement(name);
  made.className = className;
  made.append(...children);
  return made;
}

/** Create an SVG element with an icon. */
export function createIcon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.append(document.createElementNS(SVG, "path"));
  setIcon(svg, name);
  return svg;
}

/** Set the icon of an SVG element. */
export function setIcon(svg, name) {
  svg.firstChild.setAttribute("d", ICONS[name]);
}

/** Create a button with a text, or with an icon whose label is the text. */
export function createButton(className, text, act, name = "") {
  const made = createElement("button", className);
  made.type = "button";
  made.addEventListener("click", act);
  if (name) made.append(createIcon(name));
  setLabel(made, text, name);
  return made;
}

function setLabel(made, text, name) {
  if (!name) {
    made.textContent = text;
    return;
  }
  setIcon(made.firstChild, name);
  made.setAttribute("aria-label", text);
  made.title = text;
}

/** The large button in the middle of a picture: an icon, and words that are seen. */
export function createLargeButton(text, act, name) {
  const made = createButton("player-hint", "", act);
  made.append(createIcon(name), text);
  return made;
}

/** An input of the kind range; its filled part is told to the style sheet. */
export function createSlider(className, label, onChange) {
  const made = createElement("input", className);
  Object.assign(made, { type: "range", min: 0, max: 1, step: 0.05, value: 0 });
  made.setAttribute("aria-label", label);
  made.addEventListener("input", () => {
    showFill(made);
    onChange(made.valueAsNumber);
  });
  return made;
}

/** Set the filled part of a range for the style sheet. */
export function showFill(range) {
  range.style.setProperty("--filled", `${(100 * range.value) / (range.max || 1)}%`);
}

/** The control bar of a video, and its keyboard and pointer events. */
export class Controls {
  #root;
  #video;
  #texts;
  #toggle;
  #play;
  #mute;
  #volume;
  #fullscreenButton = null;
  #timer = 0;

  /** Initialize with the frame, its video, the texts, a play/pause handler and extra elements. */
  constructor(root, video, texts, toggle, middle = [], end = []) {
    this.#root = root;
    this.#video = video;
    this.#texts = texts;
    this.#toggle = toggle;
    this.#play = createButton("player-button", texts["picture.play"], toggle, "play");
    this.#mute = createButton("player-button", texts["picture.mute"], () => this.mute(), "sound");
    this.#volume = createSlider("player-range player-volume", texts["picture.volume"], (volume) => {
      video.volume = volume;
      video.muted = volume === 0;
    });
    const sound = createElement("div", "player-sound", this.#mute, this.#volume);
    const bar = createElement("div", "player-bar", this.#play, sound, ...middle);
    bar.append(createElement("span", "player-spacer"), ...end, ...this.#createScreenButtons());
    root.append(bar);
    root.tabIndex = -1;
    for (const name of ["play", "pause", "volumechange", "emptied"]) {
      video.addEventListener(name, () => this.render());
    }
    this.#bindEvents();
    this.render();
  }

  /** Turn the sound on or off. */
  mute(isMuted = !this.#video.muted) {
    this.#video.muted = isMuted;
    if (!isMuted && this.#video.volume === 0) this.#video.volume = 0.5;
  }

  /** Render the state of the video. */
  render() {
    const { paused, muted, volume } = this.#video;
    const texts = this.#texts;
    const name = paused ? "play" : "pause";
    setLabel(this.#play, texts[`picture.${name}`], name);
    setLabel(this.#mute, texts["picture.mute"], muted ? "muted" : "sound");
    this.#mute.setAttribute("aria-pressed", muted);
    this.#volume.value = muted ? 0 : volume;
    showFill(this.#volume);
    this.showControls();
  }

  /** Show the controls; they fade while the video plays. */
  showControls() {
    clearTimeout(this.#timer);
    this.#root.classList.remove("is-idle");
    if (this.#video.paused) return;
    this.#timer = setTimeout(() => this.#root.classList.add("is-idle"), IDLE_MS);
  }

  #createScreenButtons() {
    const video = this.#video;
    const made = [];
    if (document.pictureInPictureEnabled && video.requestPictureInPicture) {
      const small = createButton(
        "player-button player-pip",
        this.#texts["picture.small"],
        () => {
          const done = document.pictureInPictureElement
            ? document.exitPictureInPicture()
            : video.requestPictureInPicture();
          done.catch(() => {
            // Picture-in-picture needs the first frame.
          });
        },
        "small",
      );
      const show = (isSmall) => small.setAttribute("aria-pressed", isSmall);
      video.addEventListener("enterpictureinpicture", () => show(true));
      video.addEventListener("leavepictureinpicture", () => show(false));
      show(false);
      made.push(small);
    }
    // iPhones support full screen only for the video itself; an embedded page may not have it.
    if (document.fullscreenEnabled || video.webkitEnterFullscreen) {
      const text = this.#texts["picture.full"];
      const full = createButton("player-button", text, () => this.#toggleFullscreen(), "full");
      const show = () =>
        full.setAttribute("aria-pressed", document.fullscreenElement === this.#root);
      document.addEventListener("fullscreenchange", show);
      show();
      this.#fullscreenButton = full;
      made.push(full);
    }
    return made;
  }

  #toggleFullscreen() {
    if (!document.fullscreenEnabled) this.#video.webkitEnterFullscreen();
    else if (document.fullscreenElement === this.#root) document.exitFullscreen();
    else
      this.#root.requestFullscreen().catch(() => {
        // The browser has told the viewer why not.
      });
  }

  #bindEvents() {
    const root = this.#root;
    const video = this.#video;
    for (const name of ["pointermove", "pointerdown", "focusin"]) {
      root.addEventListener(name, () => this.showControls());
    }
    root.addEventListener("pointerleave", ({ pointerType }) => {
      if (pointerType === "mouse" && !video.paused) root.classList.add("is-idle");
    });
    // A tap shows the controls; with a mouse they are visible already, so a click toggles playback.
    video.addEventListener("click", ({ pointerType }) => {
      if (pointerType !== "touch") this.#toggle();
    });
    video.addEventListener("dblclick", () => this.#fullscreenButton?.click());
    root.addEventListener("keydown", (event) => this.#onKey(event));
  }

  #onKey(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const isButton = event.target.matches("button, select");
    const isField = event.target.matches("input, select");
    const keys = {
      k: () => this.#toggle(),
      m: () => this.mute(),
      f: () => this.#fullscreenButton?.click(),
    };
    if (!isButton) keys[" "] = keys.k;
    if (!isField) {
      keys.ArrowUp = () => this.#changeVolume(VOLUME_STEP);
      keys.ArrowDown = () => this.#changeVolume(-VOLUME_STEP);
    }
    const act = keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
    this.showControls();
  }

  #changeVolume(by) {
    const video = this.#video;
    const volume = Math.min(Math.max((video.muted ? 0 : video.volume) + by, 0), 1);
    video.volume = volume;
    video.muted = volume === 0;
  }
}
