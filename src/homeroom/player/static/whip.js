// WHIP client (RFC 9725): publishes by WebRTC to the server, and reconnects by itself.

import { PublishRefusal } from "./wire.js";

export const QUALITIES = {
  1080: { width: 1920, height: 1080, bitrate: 4_500_000 },
  720: { width: 1280, height: 720, bitrate: 2_500_000 },
  480: { width: 854, height: 480, bitrate: 1_000_000 },
};

const FRAME_RATE = 30;
const GATHER_MS = 2000;
const CONNECT_MS = 10_000;
const DISCONNECT_MS = 3000;
const MIN_RETRY_MS = 500;
const MAX_RETRY_MS = 10_000;
const FATAL_CODES = new Set([
  PublishRefusal.EARLY,
  PublishRefusal.OVER,
  PublishRefusal.NO_STREAM,
  PublishRefusal.NOT_INSTALLED,
  "gone",
  "no_h264",
  "blocked",
]);

class PublishError extends Error {
  constructor(code) {
    super(code);
    this.code = code;
  }
}

/** Publishes one video track and one audio track.
 *
 * Events: "state" (detail: "off" | "connecting" | "live" | "again"), "refused" (detail: a code:
 * early, over, gone, no_stream, busy, not_installed, no_h264, blocked, offline). After "refused" it
 * retries while `isWanted`.
 */
export class WhipPublisher extends EventTarget {
  constructor(base) {
    super();
    this.base = base;
    this.isWanted = false;
    this.isRunning = false;
    this.state = "off";
    this.tracks = { video: null, audio: null };
    this.quality = QUALITIES[720];
    this.session = null;
    /** Answer to wait for before an attempt to reconnect. */
    this.pending = null;
    addEventListener("pagehide", () => this.stop());
  }

  /** Replace a track; null for none. */
  async replaceTrack(kind, track) {
    this.tracks[kind] = track;
    const sender = this.session?.senders[kind];
    if (sender) {
      await sender.replaceTrack(track);
    }
  }

  /** Limit the bit rate to that of a quality. */
  async limitQuality(quality) {
    this.quality = quality;
    if (this.session) {
      await this.session.limitQuality(quality);
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
    this.cancelSleep?.();
    this.session?.end();
    this.session = null;
    this.setState("off");
  }

  /** Connect and reconnect, with growing delays, until `stop`. */
  async run() {
    let retryMs = MIN_RETRY_MS;
    let wasLive = false;
    while (this.isWanted) {
      this.setState(wasLive ? "again" : "connecting");
      const session = new WhipSession(this.base, this.tracks, this.quality);
      this.session = session;
      try {
        await session.connect();
        wasLive = true;
        retryMs = MIN_RETRY_MS;
        this.setState("live");
        await session.closed;
      } catch (error) {
        if (!session.isEnded) {
          this.onRefused(error instanceof PublishError ? error.code : "offline", wasLive);
        }
      }
      session.end();
      if (this.session === session) {
        this.session = null;
      }
      if (this.isWanted) {
        this.setState(wasLive ? "again" : "connecting");
        await this.sleep(retryMs * (0.75 + Math.random() / 2));
        retryMs = Math.min(retryMs * 2, MAX_RETRY_MS);
        await this.pending;
      }
    }
    this.isRunning = false;
    this.setState("off");
  }

  onRefused(code, wasLive) {
    // A connection that has worked once is retried even if it seems blocked now.
    if (FATAL_CODES.has(code) && !(code === "blocked" && wasLive)) {
      this.isWanted = false;
    }
    this.dispatchEvent(new CustomEvent("refused", { detail: code }));
  }

  sleep(milliseconds) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.cancelSleep = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  setState(state) {
    if (state !== this.state) {
      this.state = state;
      this.dispatchEvent(new CustomEvent("state", { detail: state }));
    }
  }
}

/** One WHIP session, from the offer to its end. */
class WhipSession {
  constructor(base, tracks, quality) {
    this.base = base;
    // No ICE servers: the server is reached directly, without third parties.
    this.peer = new RTCPeerConnection({ iceServers: [], bundlePolicy: "max-bundle" });
    this.aborter = new AbortController();
    this.location = null;
    this.closed = new Promise((resolve) => {
      this.markClosed = resolve;
    });
    const addTransceiver = (kind, encodings) =>
      this.peer.addTransceiver(tracks[kind] ?? kind, {
        direction: "sendonly",
        sendEncodings: encodings,
      });
    this.video = addTransceiver("video", [
      { maxBitrate: quality.bitrate, maxFramerate: FRAME_RATE },
    ]);
    this.senders = { video: this.video.sender, audio: addTransceiver("audio", [{}]).sender };
    this.quality = quality;
  }

  async connect() {
    const codecsToOffer = h264Codecs();
    if (codecsToOffer.length === 0) {
      throw new PublishError("no_h264");
    }
    this.video.setCodecPreferences(codecsToOffer);
    await this.peer.setLocalDescription();
    await this.limitQuality(this.quality);
    await waitFor(
      GATHER_MS,
      this.peer,
      "icegatheringstatechange",
      () => this.peer.iceGatheringState === "complete",
    );
    const answer = await this.post(this.peer.localDescription.sdp);
    await this.peer.setRemoteDescription({ type: "answer", sdp: answer });
    const isSettled = () => !["new", "connecting"].includes(this.peer.connectionState);
    const isConnectedOrFailed = waitFor(CONNECT_MS, this.peer, "connectionstatechange", isSettled);
    await Promise.race([isConnectedOrFailed, this.closed]);
    if (this.peer.connectionState !== "connected") {
      throw new PublishError("blocked");
    }
    this.watchConnection();
  }

  async post(offer) {
    const answer = await fetch(`${this.base}/whip`, {
      method: "POST",
      headers: { "content-type": "application/sdp" },
      body: offer,
      signal: this.aborter.signal,
    });
    if (answer.status !== 201) {
      throw new PublishError(await errorCode(answer));
    }
    this.location = answer.headers.get("location");
    const text = await answer.text();
    return text;
  }

  /** Limit the bit rate; with little bandwidth quality and frame rate drop, not the resolution. */
  async limitQuality(quality) {
    this.quality = quality;
    const sender = this.senders.video;
    const parameters = sender.getParameters();
    parameters.degradationPreference = "maintain-resolution";
    for (const encoding of parameters.encodings) {
      encoding.maxBitrate = quality.bitrate;
    }
    await sender.setParameters(parameters);
  }

  watchConnection() {
    let timer = null;
    const check = () => {
      const state = this.peer.connectionState;
      clearTimeout(timer);
      if (state === "failed" || state === "closed") {
        this.markClosed();
      } else if (state === "disconnected") {
        timer = setTimeout(this.markClosed, DISCONNECT_MS);
      }
    };
    this.peer.addEventListener("connectionstatechange", check);
    // A server that ends the session closes the transport: no need to wait for a time-out.
    const { transport } = this.senders.video;
    transport?.addEventListener("statechange", () => {
      if (transport.state === "closed" || transport.state === "failed") {
        this.markClosed();
      }
    });
    check();
  }

  get isEnded() {
    return this.aborter.signal.aborted;
  }

  end() {
    this.aborter.abort();
    this.peer.close();
    this.markClosed();
    this.remove();
  }

  /** Delete the session on the server; `keepalive` also works while the page unloads. */
  remove() {
    if (this.location !== null) {
      const session = this.location;
      this.location = null;
      fetch(session, { method: "DELETE", keepalive: true }).catch(() => {
        // The server also ends sessions that fall silent.
      });
    }
  }
}

/** Return the codecs to offer: H.264 as the stream carries it, and retransmission. */
function h264Codecs() {
  const { codecs } = RTCRtpSender.getCapabilities("video");
  const supported = codecs.filter(
    (codec) =>
      codec.mimeType.toLowerCase() === "video/h264" &&
      /packetization-mode=1/.test(codec.sdpFmtpLine ?? ""),
  );
  const repair = codecs.filter((codec) => codec.mimeType.toLowerCase() === "video/rtx");
  return supported.length === 0 ? [] : [...supported, ...repair];
}

async function errorCode(answer) {
  const body = await answer.json().catch(() => ({}));
  return (
    body.code ?? { 404: "gone", 501: PublishRefusal.NOT_INSTALLED }[answer.status] ?? "offline"
  );
}

/** Wait for a condition, checked at an event, or for a time-out. */
function waitFor(milliseconds, target, event, condition) {
  return new Promise((resolve) => {
    const finish = () => {
      clearTimeout(timer);
      target.removeEventListener(event, check);
      resolve();
    };
    const check = () => condition() && finish();
    const timer = setTimeout(finish, milliseconds);
    target.addEventListener(event, check);
    check();
  });
}
