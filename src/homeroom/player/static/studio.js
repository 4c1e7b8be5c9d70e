// The teacher's studio: camera, screen and microphone, seen here before anybody else sees them.

import { Publisher, QUALITIES } from "./whip.js";

const FRAMES = 30;
const QUIETEST_DB = -60;
const AFTERGLOW_MS = 5000;
const find = (id) => document.getElementById(id);

/** The devices of this computer, the picture of them, and the button that sends it. */
export class Studio {
  constructor(base, texts) {
    this.texts = texts;
    this.publisher = new Publisher(base);
    this.picture = null;
    this.sound = null;
    this.source = null;
    this.sourceBefore = null;
    this.isHidden = false;
    this.isMuted = false;
    this.isOpen = false;
    this.stoppedAt = -Infinity;
    this.said = "";
    this.wire();
    if (!isSecureContext || !navigator.mediaDevices) {
      this.say("insecure");
      this.isBarred = true;
    }
    this.draw();
  }

  /** Take over whether the class may be sent now, and whether somebody sends it. */
  show(isOpen, isOnAir) {
    this.isOpen = isOpen;
    const isElsewhere =
      isOnAir && !this.publisher.isWanted && performance.now() - this.stoppedAt > AFTERGLOW_MS;
    if (isElsewhere && !this.said) {
      this.say("already");
    } else if (!isOpen && !this.said) {
      this.say("early");
    } else if ((!isOnAir && this.said === "already") || (isOpen && this.said === "early")) {
      this.say("");
    }
    this.draw();
  }

  /** The class is over: let go of everything. */
  close() {
    this.publisher.stop();
    this.picture?.stop();
    this.sound?.stop();
    this.picture = this.sound = this.source = null;
  }

  wire() {
    for (const source of ["camera", "screen", "nothing"]) {
      find(`use-${source}`).addEventListener("click", () => this.choose(source));
    }
    find("camera").addEventListener("change", () => this.choose("camera"));
    find("microphone").addEventListener("change", () => this.attempt(() => this.open(false, true)));
    find("quality").addEventListener("change", () => this.limit());
    find("hide").addEventListener("click", () => {
      this.isHidden = !this.isHidden;
      this.draw();
    });
    find("mute").addEventListener("click", () => {
      this.isMuted = !this.isMuted;
      this.say(this.isMuted ? "muted" : "");
      this.draw();
    });
    find("go").addEventListener("click", () => {
      if (this.publisher.isWanted) {
        this.publisher.stop();
        this.say("stopped");
      } else {
        this.publisher.start();
      }
    });
    this.publisher.addEventListener("state", ({ detail }) => {
      if (detail === "off") {
        this.stoppedAt = performance.now();
      } else if (detail !== "connecting" || this.said !== "busy") {
        this.say(detail);
      }
      this.draw();
    });
    this.publisher.addEventListener("refused", ({ detail }) => {
      this.say(`teach.${detail}` in this.texts ? detail : "unreachable");
      this.draw();
    });
    navigator.mediaDevices?.addEventListener("devicechange", () => this.list());
    addEventListener("beforeunload", (event) => {
      if (this.publisher.isWanted) {
        event.preventDefault();
      }
    });
  }

  // --- devices ------------------------------------------------------------------------------

  /** Show the camera, the screen, or nothing; goes on with what there was where that fails. */
  choose(source) {
    return this.attempt(async () => {
      if (source === "screen") {
        if (!navigator.mediaDevices.getDisplayMedia) {
          this.say("no_screen");
          return;
        }
        const shared = await this.share();
        if (shared === null) {
          return;
        }
        await this.take(shared.getVideoTracks()[0], "screen");
        if (this.sound === null) {
          await this.open(false, true, true);
        }
      } else if (source === "camera") {
        await this.open(true, this.sound === null);
      } else {
        await this.take(null, "nothing");
        if (this.sound === null) {
          await this.open(false, true);
        }
      }
    });
  }

  async attempt(deed) {
    this.say("");
    try {
      await deed();
    } catch (error) {
      this.say(TROUBLES[error.name] ?? "in_use");
    }
    await this.list();
    this.draw();
  }

  /** Let the teacher choose a screen; null where they would rather not. */
  async share() {
    const video = { ...this.size("max"), frameRate: { max: FRAMES } };
    try {
      return await navigator.mediaDevices.getDisplayMedia({ video, audio: false });
    } catch (error) {
      if (error.name === "NotAllowedError" && !/system/i.test(error.message)) {
        return null;
      }
      throw error;
    }
  }

  /** Open camera, microphone or both, with one question by the browser for both. */
  async open(camera, microphone, isOptional = false) {
    const devices = await navigator.mediaDevices.enumerateDevices();
    const has = (kind) => devices.some((device) => device.kind === kind);
    const wanted = {};
    if (camera && has("videoinput")) {
      const frameRate = { ideal: FRAMES, max: FRAMES };
      wanted.video = { ...chosen("camera"), ...this.size("ideal"), frameRate };
    }
    if (microphone && has("audioinput")) {
      wanted.audio = { ...chosen("microphone") };
    }
    if (camera ? !wanted.video : !wanted.audio) {
      if (isOptional) {
        return;
      }
      throw new DOMException("there is none", "NotFoundError");
    }
    const stream = await navigator.mediaDevices.getUserMedia(wanted);
    for (const track of stream.getTracks()) {
      await (track.kind === "video" ? this.take(track, "camera") : this.listen(track));
    }
  }

  /** Show another picture from now on, live or not. */
  async take(track, source) {
    const before = this.picture;
    if (this.source !== "screen") {
      this.sourceBefore = this.source;
    }
    this.source = source;
    this.picture = track;
    this.isHidden = false;
    if (track !== null) {
      // Letters stay sharp when the way is narrow; a face stays in motion.
      track.contentHint = source === "screen" ? "detail" : "motion";
      track.addEventListener("ended", () => this.lose(track));
    }
    find("mirror").srcObject = track && new MediaStream([track]);
    await this.publisher.use("video", track);
    before?.stop();
  }

  async listen(track) {
    const before = this.sound;
    this.sound = track;
    track.addEventListener("ended", () => this.lose(track));
    await this.publisher.use("audio", track);
    before?.stop();
    this.measure(track);
  }

  /** A device was unplugged, or the browser was told to share the screen no longer. */
  async lose(track) {
    if (track === this.sound) {
      this.sound = null;
      await this.publisher.use("audio", null);
      this.say("unplugged");
    } else if (track === this.picture) {
      const wasScreen = this.source === "screen";
      const { sourceBefore } = this;
      await this.take(null, "nothing");
      this.say("");
      // Only a camera that was on before comes back: none is ever switched on by surprise.
      if (wasScreen && sourceBefore === "camera") {
        await this.choose("camera");
      }
      this.say(this.said || (wasScreen ? "screen_ended" : "unplugged"));
    }
    this.draw();
  }

  async limit() {
    const quality = QUALITIES[find("quality").value];
    await this.attempt(async () => {
      await this.publisher.limit(quality);
      const bound = this.source === "screen" ? "max" : "ideal";
      await this.picture?.applyConstraints({ ...this.size(bound), frameRate: { max: FRAMES } });
    });
  }

  size(bound) {
    const { width, height } = QUALITIES[find("quality").value];
    return { width: { [bound]: width }, height: { [bound]: height } };
  }

  /** Fill the lists of devices; their names are known once one of them may be used. */
  async list() {
    const devices = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
    for (const [id, kind, track] of [
      ["camera", "videoinput", this.source === "camera" ? this.picture : null],
      ["microphone", "audioinput", this.sound],
    ]) {
      const named = devices.filter((device) => device.kind === kind && device.label);
      const list = find(id);
      list.disabled = named.length === 0;
      if (named.length > 0) {
        const current = track?.getSettings().deviceId ?? list.value;
        list.replaceChildren(...named.map((device) => new Option(device.label, device.deviceId)));
        list.value = named.some(({ deviceId }) => deviceId === current)
          ? current
          : named[0].deviceId;
      }
    }
  }

  // --- the level meter ------------------------------------------------------------------------

  measure(track) {
    this.context ??= new AudioContext();
    const analyser = this.context.createAnalyser();
    analyser.fftSize = 1024;
    this.context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    const meter = find("level");
    const tick = () => {
      if (track !== this.sound) {
        meter.value = 0;
        return;
      }
      analyser.getFloatTimeDomainData(samples);
      const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
      const level = 1 - (10 * Math.log10(power + 1e-12)) / QUIETEST_DB;
      meter.value = Math.max(0, level, meter.value - 0.02);
      requestAnimationFrame(tick);
    };
    tick();
  }

  // --- what is shown --------------------------------------------------------------------------

  say(what) {
    this.said = what;
    find("said").textContent = what ? this.texts[`teach.${what}`] : "";
  }

  draw() {
    const { texts, publisher } = this;
    if (this.picture) {
      this.picture.enabled = !this.isHidden;
    }
    if (this.sound) {
      this.sound.enabled = !this.isMuted;
    }
    for (const source of ["camera", "screen", "nothing"]) {
      const button = find(`use-${source}`);
      button.setAttribute("aria-pressed", String(this.source === source));
      button.disabled = Boolean(this.isBarred);
    }
    find("mirror-note").hidden = this.picture !== null;
    find("hide").hidden = this.picture === null;
    find("hide").textContent = texts[this.isHidden ? "teach.show_picture" : "teach.hide_picture"];
    find("mute").disabled = this.sound === null;
    find("mute").textContent = texts[this.isMuted ? "teach.unmute" : "teach.mute"];
    const go = find("go");
    const hasAny = this.picture !== null || this.sound !== null;
    go.disabled = !publisher.isWanted && !(this.isOpen && hasAny);
    go.textContent = texts[publisher.isWanted ? "teach.stop" : "teach.start"];
    go.classList.toggle("first", !publisher.isWanted);
    go.classList.toggle("grave", publisher.isWanted);
    find("studio").dataset.sending = publisher.state;
  }
}

const TROUBLES = {
  NotAllowedError: "denied",
  NotFoundError: "no_device",
  NotReadableError: "in_use",
  AbortError: "in_use",
  OverconstrainedError: "no_device",
};

function chosen(id) {
  const { disabled, value } = document.getElementById(id);
  return disabled || !value ? {} : { deviceId: { exact: value } };
}
