// Device check of the teacher's page: camera, microphone and speaker, before going live.

const GOOD = 1;
const BAD = 2;
const HEARD_LEVEL = 0.1; // of the meter: the microphone delivers more than silence
const MIN_LEVEL_DB = -60;
const TONE_HZ = 660;
const TONE_SECONDS = 0.7;
const MAX_NAME = 200;
const MAX_DEVICES = 20;
const KINDS = { camera: "videoinput", microphone: "audioinput", speaker: "audiooutput" };

const byId = (id) => document.getElementById(id);

/** The dialog in which the teacher tries the devices; its result is sent when it is finished. */
export class DeviceCheck {
  constructor(base, texts) {
    this.base = base;
    this.texts = texts;
    this.dialog = byId("checking");
    this.tracks = [];
    this.reset();
    for (const device of Object.keys(KINDS)) {
      for (const button of this.row(device).querySelectorAll("[data-verdict]")) {
        button.addEventListener("click", () => this.judge(device, Number(button.dataset.verdict)));
      }
    }
    byId("check-sound").addEventListener("click", () => this.playSound());
    byId("check-done").addEventListener("click", () => this.finish());
    this.dialog.addEventListener("close", () => this.close());
  }

  row(device) {
    return this.dialog.querySelector(`[data-device="${device}"]`);
  }

  reset() {
    this.results = Object.fromEntries(
      Object.keys(KINDS).map((device) => [device, { name: "", names: [], program: 0, user: 0 }]),
    );
  }

  /** Open the dialog and the devices. */
  async open() {
    this.reset();
    byId("check-failed").hidden = true;
    for (const device of Object.keys(KINDS)) this.judge(device, 0);
    this.say("camera", "looking");
    this.say("microphone", "looking");
    this.say("speaker", "speaker");
    this.dialog.showModal();
    await Promise.all([this.openCamera(), this.openMicrophone()]);
    await this.listDevices();
  }

  /** Release the devices. */
  close() {
    for (const track of this.tracks) track.stop();
    this.tracks = [];
    byId("check-picture").srcObject = null;
    byId("check-level").value = 0;
  }

  say(device, key) {
    this.row(device).querySelector("p").textContent = this.texts[`teach.check_${key}`];
  }

  /** Take the verdict of the teacher; 0 takes it back. */
  judge(device, verdict) {
    this.results[device].user = verdict;
    for (const button of this.row(device).querySelectorAll("[data-verdict]")) {
      button.setAttribute("aria-pressed", String(Number(button.dataset.verdict) === verdict));
    }
  }

  /** Return a track of a device, or null: the device is missing, or was not allowed. */
  async openTrack(device, constraints) {
    try {
      const stream = await navigator.mediaDevices.getUserMedia(constraints);
      const [track] = stream.getTracks();
      if (!this.dialog.open) {
        track.stop();
        return null;
      }
      this.tracks.push(track);
      this.results[device].name = track.label.slice(0, MAX_NAME);
      this.say(device, device);
      return track;
    } catch {
      this.results[device].program = BAD;
      this.say(device, "missing");
      return null;
    }
  }

  async openCamera() {
    const track = await this.openTrack("camera", { video: true });
    if (track === null) return;
    const picture = byId("check-picture");
    picture.srcObject = new MediaStream([track]);
    const { camera } = this.results;
    camera.program = BAD;
    picture.addEventListener(
      "loadeddata",
      () => {
        camera.program = GOOD;
      },
      { once: true },
    );
  }

  async openMicrophone() {
    const track = await this.openTrack("microphone", { audio: true });
    if (track === null) return;
    const { microphone } = this.results;
    microphone.program = BAD;
    this.context ??= new AudioContext();
    const analyser = this.context.createAnalyser();
    analyser.fftSize = 1024;
    this.context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    const meter = byId("check-level");
    const measure = () => {
      if (!this.tracks.includes(track)) return;
      analyser.getFloatTimeDomainData(samples);
      const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
      meter.value = Math.max(0, 1 - (10 * Math.log10(power + 1e-12)) / MIN_LEVEL_DB);
      if (meter.value > HEARD_LEVEL) microphone.program = GOOD;
      requestAnimationFrame(measure);
    };
    measure();
  }

  /** Play a short tone. */
  async playSound() {
    const { speaker } = this.results;
    try {
      this.context ??= new AudioContext();
      await this.context.resume();
      const tone = this.context.createOscillator();
      const volume = this.context.createGain();
      volume.gain.value = 0.2;
      tone.frequency.value = TONE_HZ;
      tone.connect(volume).connect(this.context.destination);
      tone.start();
      tone.stop(this.context.currentTime + TONE_SECONDS);
      speaker.program = GOOD;
    } catch {
      speaker.program = BAD;
    }
  }

  /** List the devices; browsers hide their names until one may be used. */
  async listDevices() {
    const devices = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
    for (const [device, kind] of Object.entries(KINDS)) {
      const labels = devices
        .filter((item) => item.kind === kind && item.label)
        .map((item) => item.label.slice(0, MAX_NAME));
      const result = this.results[device];
      result.names = labels.slice(0, MAX_DEVICES);
      if (!result.name && device === "speaker") result.name = labels[0] ?? "";
    }
  }

  /** Send the result, and close. */
  async finish() {
    const button = byId("check-done");
    button.disabled = true;
    const delay = await this.measureDelay();
    const headers = { "content-type": "application/json" };
    const body = JSON.stringify({ ...this.results, delay });
    const request = { method: "POST", headers, body };
    const response = await fetch(`${this.base}/check`, request).catch(() => null);
    button.disabled = false;
    byId("check-failed").hidden = Boolean(response?.ok);
    if (response?.ok) this.dialog.close();
  }

  /** Return the milliseconds of a small request and its answer. */
  async measureDelay() {
    const begin = performance.now();
    await fetch("/healthz", { method: "HEAD", cache: "no-store" }).catch(() => null);
    return Math.round(performance.now() - begin);
  }
}
