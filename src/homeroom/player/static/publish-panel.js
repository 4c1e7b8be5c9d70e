// Publish panel of the teacher's page: select, preview and publish camera, screen and microphone.

import { QUALITIES, WhipPublisher } from "./whip.js";

const FRAME_RATE = 30;
const MIN_LEVEL_DB = -60;
const STOP_GRACE_MS = 5000;
const OPENING_MS = 1500; // that a device, or the browser's question, may take without a word
const byId = (id) => document.getElementById(id);

/** Device selection, preview, and the button that starts publishing. */
export class PublishPanel {
  constructor(base, texts) {
    this.texts = texts;
    this.publisher = new WhipPublisher(base);
    this.videoTrack = null;
    this.audioTrack = null;
    this.source = null;
    this.previousSource = null;
    this.isHidden = false;
    this.isMuted = false;
    this.isOpen = false;
    this.stoppedAt = -Infinity;
    this.statusKey = "";
    this.bindEvents();
    if (!isSecureContext || !navigator.mediaDevices) {
      this.setStatus("insecure");
      this.isUnsupported = true;
    }
    this.render();
  }

  /** Update: the class may be published now, or is published (perhaps by another program). */
  show(isOpen, isOnAir) {
    this.isOpen = isOpen;
    const isElsewhere =
      isOnAir && !this.publisher.isWanted && performance.now() - this.stoppedAt > STOP_GRACE_MS;
    if (isElsewhere && !this.statusKey) {
      this.setStatus("already");
    } else if (!isOpen && !this.statusKey) {
      this.setStatus("early");
    } else if (
      (!isOnAir && this.statusKey === "already") ||
      (isOpen && this.statusKey === "early")
    ) {
      this.setStatus("");
    }
    this.render();
  }

  /** Do not reconnect until this promise settles, which says whether the class is over. */
  waitFor(answer) {
    this.publisher.pending = answer;
  }

  /** Stop publishing and release the devices, as at the end of the class. */
  close() {
    this.publisher.stop();
    this.videoTrack?.stop();
    this.audioTrack?.stop();
    this.videoTrack = this.audioTrack = this.source = null;
  }

  bindEvents() {
    for (const source of ["camera", "screen", "nothing"]) {
      byId(`use-${source}`).addEventListener("click", () => this.selectSource(source));
    }
    byId("camera").addEventListener("change", () => this.selectSource("camera"));
    byId("microphone").addEventListener("change", () =>
      this.runSafely(() => this.openDevices(false, true)),
    );
    byId("quality").addEventListener("change", () => this.limitQuality());
    byId("hide").addEventListener("click", () => {
      this.isHidden = !this.isHidden;
      this.render();
    });
    byId("mute").addEventListener("click", () => {
      this.isMuted = !this.isMuted;
      this.setStatus(this.isMuted ? "muted" : "");
      this.render();
    });
    byId("go").addEventListener("click", () => {
      if (this.publisher.isWanted) {
        this.publisher.stop();
        this.setStatus("stopped");
      } else {
        this.publisher.start();
      }
    });
    this.publisher.addEventListener("state", ({ detail }) => {
      if (detail === "off") {
        this.stoppedAt = performance.now();
      } else if (detail !== "connecting" || this.statusKey !== "busy") {
        this.setStatus(detail);
      }
      this.render();
    });
    this.publisher.addEventListener("refused", ({ detail }) => {
      this.setStatus(`teach.${detail}` in this.texts ? detail : "unreachable");
      this.render();
    });
    navigator.mediaDevices?.addEventListener("devicechange", () => this.listDevices());
    addEventListener("beforeunload", (event) => {
      if (this.publisher.isWanted) {
        event.preventDefault();
      }
    });
  }

  // --- devices ------------------------------------------------------------------------------

  /** Select camera, screen or no video; on failure the previous source stays. */
  selectSource(source) {
    return this.runSafely(async () => {
      if (source === "screen") {
        if (!navigator.mediaDevices.getDisplayMedia) {
          this.setStatus("no_screen");
          return;
        }
        const screen = await this.pickScreen();
        if (screen === null) {
          return;
        }
        await this.setVideo(screen.getVideoTracks()[0], "screen");
        if (this.audioTrack === null) {
          await this.openDevices(false, true, true);
        }
      } else if (source === "camera") {
        await this.openDevices(true, this.audioTrack === null);
      } else {
        await this.setVideo(null, "nothing");
        if (this.audioTrack === null) {
          await this.openDevices(false, true);
        }
      }
    });
  }

  async runSafely(action) {
    this.setStatus("");
    const timer = setTimeout(() => this.setStatus("opening"), OPENING_MS);
    try {
      await action();
      this.clearStatus("opening");
    } catch (error) {
      this.setStatus(ERROR_TEXTS[error.name] ?? "in_use");
    }
    clearTimeout(timer);
    await this.listDevices();
    this.render();
  }

  /** Ask for a screen to share; returns null if the teacher cancels. */
  async pickScreen() {
    const video = { ...this.sizeConstraint("max"), frameRate: { max: FRAME_RATE } };
    try {
      return await navigator.mediaDevices.getDisplayMedia({ video, audio: false });
    } catch (error) {
      if (error.name === "NotAllowedError" && !/system/i.test(error.message)) {
        return null;
      }
      throw error;
    }
  }

  /** Open camera, microphone or both with one permission prompt. */
  async openDevices(camera, microphone, isOptional = false) {
    const devices = await navigator.mediaDevices.enumerateDevices();
    const has = (kind) => devices.some((device) => device.kind === kind);
    const constraints = {};
    if (camera && has("videoinput")) {
      const frameRate = { ideal: FRAME_RATE, max: FRAME_RATE };
      constraints.video = {
        ...deviceConstraint("camera"),
        ...this.sizeConstraint("ideal"),
        frameRate,
      };
    }
    if (microphone && has("audioinput")) {
      constraints.audio = { ...deviceConstraint("microphone") };
    }
    if (camera ? !constraints.video : !constraints.audio) {
      if (isOptional) {
        return;
      }
      throw new DOMException("there is none", "NotFoundError");
    }
    const stream = await navigator.mediaDevices.getUserMedia(constraints);
    for (const track of stream.getTracks()) {
      await (track.kind === "video" ? this.setVideo(track, "camera") : this.setAudio(track));
    }
  }

  /** Switch the video track, in the preview and while publishing. */
  async setVideo(track, source) {
    const previous = this.videoTrack;
    if (this.source !== "screen") {
      this.previousSource = this.source;
    }
    this.source = source;
    this.videoTrack = track;
    this.isHidden = false;
    if (track !== null) {
      // With little bandwidth a screen keeps its sharpness, a camera its motion.
      track.contentHint = source === "screen" ? "detail" : "motion";
      this.watchTrack(track);
    }
    byId("preview").srcObject = track && new MediaStream([track]);
    await this.publisher.replaceTrack("video", track);
    previous?.stop();
  }

  async setAudio(track) {
    const previous = this.audioTrack;
    this.audioTrack = track;
    this.watchTrack(track);
    await this.publisher.replaceTrack("audio", track);
    previous?.stop();
    this.startMeter(track);
  }

  /** Say when a device delivers nothing for a time, and when it is gone. */
  watchTrack(track) {
    track.addEventListener("ended", () => this.onTrackEnded(track));
    track.addEventListener("mute", () => this.setStatus("silent_device"));
    track.addEventListener("unmute", () => this.clearStatus("silent_device"));
  }

  /** Handle the end of a track: device unplugged, or screen sharing stopped. */
  async onTrackEnded(track) {
    if (track === this.audioTrack) {
      this.audioTrack = null;
      await this.publisher.replaceTrack("audio", null);
      this.setStatus("unplugged");
    } else if (track === this.videoTrack) {
      const wasScreen = this.source === "screen";
      const { previousSource } = this;
      await this.setVideo(null, "nothing");
      this.setStatus("");
      // Only a camera that was on before returns: never turn one on unasked.
      if (wasScreen && previousSource === "camera") {
        await this.selectSource("camera");
      }
      this.setStatus(this.statusKey || (wasScreen ? "screen_ended" : "unplugged"));
    }
    this.render();
  }

  async limitQuality() {
    const quality = QUALITIES[byId("quality").value];
    await this.runSafely(async () => {
      await this.publisher.limitQuality(quality);
      const bound = this.source === "screen" ? "max" : "ideal";
      await this.videoTrack?.applyConstraints({
        ...this.sizeConstraint(bound),
        frameRate: { max: FRAME_RATE },
      });
    });
  }

  sizeConstraint(bound) {
    const { width, height } = QUALITIES[byId("quality").value];
    return { width: { [bound]: width }, height: { [bound]: height } };
  }

  /** List the devices; browsers hide their names until one may be used. */
  async listDevices() {
    const devices = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
    for (const [id, kind, track] of [
      ["camera", "videoinput", this.source === "camera" ? this.videoTrack : null],
      ["microphone", "audioinput", this.audioTrack],
    ]) {
      const devicesOfKind = devices.filter((device) => device.kind === kind && device.label);
      const list = byId(id);
      list.disabled = devicesOfKind.length === 0;
      if (devicesOfKind.length > 0) {
        const current = track?.getSettings().deviceId ?? list.value;
        list.replaceChildren(
          ...devicesOfKind.map((device) => new Option(device.label, device.deviceId)),
        );
        list.value = devicesOfKind.some(({ deviceId }) => deviceId === current)
          ? current
          : devicesOfKind[0].deviceId;
      }
    }
  }

  // --- the level meter ------------------------------------------------------------------------

  startMeter(track) {
    this.context ??= new AudioContext();
    const analyser = this.context.createAnalyser();
    analyser.fftSize = 1024;
    this.context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    const meter = byId("level");
    const tick = () => {
      if (track !== this.audioTrack) {
        meter.value = 0;
        return;
      }
      analyser.getFloatTimeDomainData(samples);
      const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
      const level = 1 - (10 * Math.log10(power + 1e-12)) / MIN_LEVEL_DB;
      meter.value = Math.max(0, level, meter.value - 0.02);
      requestAnimationFrame(tick);
    };
    tick();
  }

  // --- rendering ------------------------------------------------------------------------------

  /** Take back a text that is no longer true. */
  clearStatus(key) {
    const { state } = this.publisher;
    if (this.statusKey === key) {
      this.setStatus(state === "off" ? "" : state);
    }
  }

  setStatus(key) {
    this.statusKey = key;
    byId("publish-status").textContent = key ? this.texts[`teach.${key}`] : "";
  }

  render() {
    const { texts, publisher } = this;
    if (this.videoTrack) {
      this.videoTrack.enabled = !this.isHidden;
    }
    if (this.audioTrack) {
      this.audioTrack.enabled = !this.isMuted;
    }
    for (const source of ["camera", "screen", "nothing"]) {
      const button = byId(`use-${source}`);
      button.setAttribute("aria-pressed", String(this.source === source));
      button.disabled = Boolean(this.isUnsupported);
    }
    byId("preview-note").hidden = this.videoTrack !== null;
    byId("hide").hidden = this.videoTrack === null;
    byId("hide").textContent = texts[this.isHidden ? "teach.show_picture" : "teach.hide_picture"];
    byId("mute").disabled = this.audioTrack === null;
    byId("mute").textContent = texts[this.isMuted ? "teach.unmute" : "teach.mute"];
    const go = byId("go");
    const hasAny = this.videoTrack !== null || this.audioTrack !== null;
    go.disabled = !publisher.isWanted && !(this.isOpen && hasAny);
    go.textContent = texts[publisher.isWanted ? "teach.stop" : "teach.start"];
    go.classList.toggle("primary", !publisher.isWanted);
    go.classList.toggle("danger", publisher.isWanted);
    byId("studio").dataset.sending = publisher.state;
  }
}

const ERROR_TEXTS = {
  NotAllowedError: "denied",
  NotFoundError: "no_device",
  NotReadableError: "in_use",
  AbortError: "in_use",
  OverconstrainedError: "no_device",
};

function deviceConstraint(id) {
  const { disabled, value } = document.getElementById(id);
  return disabled || !value ? {} : { deviceId: { exact: value } };
}
