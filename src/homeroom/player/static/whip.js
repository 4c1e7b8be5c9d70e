// Going live from the browser: WebRTC sent to the server by WHIP (RFC 9725), and again by itself.

export const QUALITIES = {
  1080: { width: 1920, height: 1080, bitrate: 4_500_000 },
  720: { width: 1280, height: 720, bitrate: 2_500_000 },
  480: { width: 854, height: 480, bitrate: 1_000_000 },
};

const FRAMES = 30;
const GATHER_MS = 2000;
const CONNECT_MS = 10_000;
const LOST_MS = 3000;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;
const FOR_GOOD = new Set([
  "early",
  "over",
  "gone",
  "no_stream",
  "not_installed",
  "no_h264",
  "blocked",
]);

class Refusal extends Error {
  constructor(code) {
    super(code);
    this.code = code;
  }
}

/** Sends one picture and one sound.
 *
 * Events: "state" (detail: "off" | "connecting" | "live" | "again"), "refused" (detail: a code:
 * early, over, gone, no_stream, busy, not_installed, no_h264, blocked, offline). After "refused" it tries
 * again while `isWanted`.
 */
export class Publisher extends EventTarget {
  constructor(base) {
    super();
    this.base = base;
    this.isWanted = false;
    this.isRunning = false;
    this.state = "off";
    this.tracks = { video: null, audio: null };
    this.quality = QUALITIES[720];
    this.attempt = null;
    addEventListener("pagehide", () => this.stop());
  }

  /** Send another picture or sound from now on; null for none. */
  async use(kind, track) {
    this.tracks[kind] = track;
    const sender = this.attempt?.senders[kind];
    if (sender) {
      await sender.replaceTrack(track);
    }
  }

  /** Hold the picture within a quality. */
  async limit(quality) {
    this.quality = quality;
    if (this.attempt) {
      await this.attempt.limit(quality);
    }
  }

  start() {
    this.isWanted = true;
    if (!this.isRunning) {
      this.isRunning = true;
      this.run();
    }
  }

  stop() {
    this.isWanted = false;
    this.wake?.();
    this.attempt?.end();
    this.attempt = null;
    this.tell("off");
  }

  /** Connect, and again whenever the connection is lost, until told to stop. */
  async run() {
    let pause = FIRST_PAUSE_MS;
    let wasLive = false;
    while (this.isWanted) {
      this.tell(wasLive ? "again" : "connecting");
      const attempt = new Attempt(this.base, this.tracks, this.quality);
      this.attempt = attempt;
      try {
        await attempt.connect();
        wasLive = true;
        pause = FIRST_PAUSE_MS;
        this.tell("live");
        await attempt.lost;
      } catch (error) {
        if (!attempt.isEnded) {
          this.refused(error instanceof Refusal ? error.code : "offline", wasLive);
        }
      }
      attempt.end();
      if (this.attempt === attempt) {
        this.attempt = null;
      }
      if (this.isWanted) {
        this.tell(wasLive ? "again" : "connecting");
        await this.sleep(pause * (0.75 + Math.random() / 2));
        pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
      }
    }
    this.isRunning = false;
    this.tell("off");
  }

  refused(code, wasLive) {
    // A way that worked once is worth trying again, whatever has become of it meanwhile.
    if (FOR_GOOD.has(code) && !(code === "blocked" && wasLive)) {
      this.isWanted = false;
    }
    this.dispatchEvent(new CustomEvent("refused", { detail: code }));
  }

  sleep(milliseconds) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  tell(state) {
    if (state !== this.state) {
      this.state = state;
      this.dispatchEvent(new CustomEvent("state", { detail: state }));
    }
  }
}

/** One connection, from the offer to its end. */
class Attempt {
  constructor(base, tracks, quality) {
    this.base = base;
    // No ICE servers: the server is reached directly, and no third party is asked.
    this.peer = new RTCPeerConnection({ iceServers: [], bundlePolicy: "max-bundle" });
    this.ending = new AbortController();
    this.location = null;
    this.lost = new Promise((resolve) => {
      this.lose = resolve;
    });
    const add = (kind, encodings) =>
      this.peer.addTransceiver(tracks[kind] ?? kind, {
        direction: "sendonly",
        sendEncodings: encodings,
      });
    this.video = add("video", [{ maxBitrate: quality.bitrate, maxFramerate: FRAMES }]);
    this.senders = { video: this.video.sender, audio: add("audio", [{}]).sender };
    this.quality = quality;
  }

  async connect() {
    const wanted = h264();
    if (wanted.length === 0) {
      throw new Refusal("no_h264");
    }
    this.video.setCodecPreferences(wanted);
    await this.peer.setLocalDescription();
    await this.limit(this.quality);
    await within(
      GATHER_MS,
      this.peer,
      "icegatheringstatechange",
      () => this.peer.iceGatheringState === "complete",
    );
    const answer = await this.post(this.peer.localDescription.sdp);
    await this.peer.setRemoteDescription({ type: "answer", sdp: answer });
    const isSettled = () => !["new", "connecting"].includes(this.peer.connectionState);
    const settled = within(CONNECT_MS, this.peer, "connectionstatechange", isSettled);
    await Promise.race([settled, this.lost]);
    if (this.peer.connectionState !== "connected") {
      throw new Refusal("blocked");
    }
    this.watch();
  }

  async post(offer) {
    const answer = await fetch(`${this.base}/whip`, {
      method: "POST",
      headers: { "content-type": "application/sdp" },
      body: offer,
      signal: this.ending.signal,
    });
    if (answer.status !== 201) {
      throw new Refusal(await why(answer));
    }
    this.location = answer.headers.get("location");
    const text = await answer.text();
    return text;
  }

  /** The picture keeps its size when the way is narrow; it gets coarser, or slower. */
  async limit(quality) {
    this.quality = quality;
    const sender = this.senders.video;
    const parameters = sender.getParameters();
    parameters.degradationPreference = "maintain-resolution";
    for (const encoding of parameters.encodings) {
      encoding.maxBitrate = quality.bitrate;
    }
    await sender.setParameters(parameters);
  }

  watch() {
    let timer = null;
    const look = () => {
      const state = this.peer.connectionState;
      clearTimeout(timer);
      if (state === "failed" || state === "closed") {
        this.lose();
      } else if (state === "disconnected") {
        timer = setTimeout(this.lose, LOST_MS);
      }
    };
    this.peer.addEventListener("connectionstatechange", look);
    // A server that ends the session says so: no need to wait until nothing is heard of it.
    const { transport } = this.senders.video;
    transport?.addEventListener("statechange", () => {
      if (transport.state === "closed" || transport.state === "failed") {
        this.lose();
      }
    });
    look();
  }

  get isEnded() {
    return this.ending.signal.aborted;
  }

  end() {
    this.ending.abort();
    this.peer.close();
    this.lose();
    this.remove();
  }

  /** Tell the server that it is over; a page that is being left can still say so. */
  remove() {
    if (this.location !== null) {
      const session = this.location;
      this.location = null;
      fetch(session, { method: "DELETE", keepalive: true }).catch(() => {
        // The server ends a session that falls silent.
      });
    }
  }
}

/** The codecs to offer: H.264 as the stream carries it, and what repairs its losses. */
function h264() {
  const { codecs } = RTCRtpSender.getCapabilities("video");
  const found = codecs.filter(
    (codec) =>
      codec.mimeType.toLowerCase() === "video/h264" &&
      /packetization-mode=1/.test(codec.sdpFmtpLine ?? ""),
  );
  const repair = codecs.filter((codec) => codec.mimeType.toLowerCase() === "video/rtx");
  return found.length === 0 ? [] : [...found, ...repair];
}

async function why(answer) {
  const told = await answer.json().catch(() => ({}));
  return told.code ?? { 404: "gone", 501: "not_installed" }[answer.status] ?? "offline";
}

/** Wait until something holds, at most so long. */
function within(milliseconds, target, event, holds) {
  return new Promise((resolve) => {
    const finish = () => {
      clearTimeout(timer);
      target.removeEventListener(event, look);
      resolve();
    };
    const look = () => holds() && finish();
    const timer = setTimeout(finish, milliseconds);
    target.addEventListener(event, look);
    look();
  });
}
