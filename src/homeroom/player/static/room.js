/** Client of the live room: one WebSocket that reconnects, and the viewer's identity. */

import { Tickets } from "./tickets.js";
import { ChatAccess, ChatRefusal, ChatRole, CloseCode, ParticipantKind } from "./wire.js";

const MIN_RETRY_SECONDS = 0.5;
const MAX_RETRY_SECONDS = 15;
/** Seconds to wait for a reply before the connection counts as dead. */
const REPLY_TIMEOUT_SECONDS = 5;
/** Seconds of silence after which the connection is probed: it may be dead without a close. */
const IDLE_SECONDS = 30;
const MAX_LIKES = 20;
/** Close codes after which reconnecting is useless: malformed command, or unknown class. */
const FINAL = [CloseCode.MALFORMED, CloseCode.NOT_FOUND];
const ENTRY_TYPES = ["message", "delete", "pin", "unpin", "pause", "resume"];

/** Error of a request, with the server's code and the seconds to wait, if any. */
export class RequestError extends Error {
  constructor(code, wait = 0) {
    super(code);
    this.code = code;
    this.wait = wait;
  }
}

/** Return the data that the server wrote into the page. */
export function pageData() {
  return JSON.parse(document.getElementById("page").textContent);
}

/** Return a text with its placeholders, `{name}`, filled in. */
export function formatText(text, values) {
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

function randomText() {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Events: welcome, you, state, counts, entries (`{entries, fresh}`), no, people, streams, remind, and online,
 * offline (`{final, code}`), needs_login. The detail of each is what the server sent.
 */
export class Room extends EventTarget {
  you = {
    viewer: null,
    name: "",
    role: ChatRole.VIEWER,
    kind: ParticipantKind.VISITOR,
    ticket: null,
    chat: ChatAccess.OPEN,
  };
  counts = { viewers: 0, likes: 0 };
  state;
  #base;
  #tickets;
  #clockOffset = 0;
  #socket = null;
  #isJoined = false;
  #usedTicket = null;
  #attempt = 0;
  #retryTimer = 0;
  #silenceTimer = 0;
  #lastEntry = 0;
  #unsent = new Map();
  #unsentLikes = 0;
  #likeTimer = 0;
  #isPlaying = false;
  /** The visit of this page: a new connection goes on with it. */
  #visit = randomText();

  constructor(page) {
    super();
    this.#base = page.base;
    this.#tickets = new Tickets(page);
    if (page.state) this.#applyState(page.state);
    addEventListener("online", () => this.#checkConnection());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") this.#checkConnection();
    });
  }

  /** The time by the server's clock, in seconds. */
  get now() {
    return Date.now() / 1000 + this.#clockOffset;
  }

  /** Likes that are not sent yet. */
  get pendingLikes() {
    return this.#unsentLikes;
  }

  /** True if there is a ticket to join with. */
  get hasTicket() {
    return this.#tickets.current !== null;
  }

  /** Open a new connection; each is for one ticket, so that a refusal concerns that ticket. */
  start() {
    this.stop();
    const url = new URL(`${this.#base}/room`, location.href);
    url.protocol = url.protocol.replace("http", "ws");
    const socket = new WebSocket(url);
    this.#socket = socket;
    socket.onopen = () => this.#join();
    socket.onmessage = ({ data }) => this.#receive(JSON.parse(data));
    socket.onclose = ({ code }) => {
      if (socket === this.#socket) this.#onClose(code);
    };
  }

  stop() {
    clearTimeout(this.#retryTimer);
    clearTimeout(this.#silenceTimer);
    const socket = this.#socket;
    this.#socket = null;
    this.#isJoined = false;
    socket?.close();
  }

  /** Send a chat message, again until the server has stored it. Returns its nonce. */
  sendMessage(text) {
    const nonce = randomText();
    this.#unsent.set(nonce, text);
    this.#send({ t: "say", text, nonce });
    const isStuck = () => this.#isJoined && this.#unsent.has(nonce);
    setTimeout(() => isStuck() && this.#checkConnection(), REPLY_TIMEOUT_SECONDS * 1000);
    return nonce;
  }

  /** Count a like; likes are sent in batches, once a second. */
  like() {
    this.#unsentLikes += 1;
    if (!this.#likeTimer) this.#likeTimer = setTimeout(() => this.#flush(), 1000);
  }

  /** Report that the video plays or pauses, for the watch time. */
  setPlaying(on) {
    if (on === this.#isPlaying) return;
    this.#isPlaying = on;
    this.#send({ t: "play", on });
  }

  /** Request the state, as after the URL of a clip has expired. */
  requestState() {
    this.#send({ t: "state" });
  }

  /** Book a reminder of the class; the server answers with "remind", or "no". */
  bookReminder() {
    this.#send({ t: "remind" });
  }

  delete(id) {
    this.#send({ t: "delete", id });
  }

  pin(id) {
    this.#send({ t: "pin", id });
  }

  mute(viewer, on) {
    this.#send({ t: "mute", viewer, on });
  }

  pause(on) {
    this.#send({ t: "pause", on });
  }

  /** Log in; throws RequestError. */
  async login(account, password) {
    const { ticket } = await this.#post("login", { account, password });
    this.#useTicket(ParticipantKind.USER, ticket);
  }

  /** Register a guest, who may then chat; throws RequestError. */
  async registerGuest(telephone, nickname) {
    const fields = { telephone, nickname, ticket: this.#tickets.current };
    const { ticket } = await this.#post("guest", fields);
    this.#useTicket(ParticipantKind.GUEST, ticket);
  }

  async logout() {
    const ticket = this.#tickets.current;
    this.#tickets.forget(ticket);
    await this.#post("logout", { ticket }).catch(() => {
      // This page has dropped the ticket, so the viewer is logged out here.
    });
    this.start();
  }

  #useTicket(kind, ticket) {
    this.#tickets.save(kind, ticket);
    this.start();
  }

  #join() {
    this.#usedTicket = this.#tickets.current;
    this.#socket.send(
      JSON.stringify({
        t: "join",
        ticket: this.#usedTicket,
        after: this.#lastEntry,
        visit: this.#visit,
      }),
    );
  }

  #send(frame) {
    if (this.#isJoined) this.#socket.send(JSON.stringify(frame));
  }

  #flush() {
    this.#likeTimer = 0;
    if (!this.#isJoined || !this.#unsentLikes) return;
    const n = Math.min(this.#unsentLikes, MAX_LIKES);
    this.#send({ t: "like", n });
    this.#unsentLikes -= n;
    if (this.#unsentLikes) this.#likeTimer = setTimeout(() => this.#flush(), 1000);
  }

  #receive(events) {
    clearTimeout(this.#silenceTimer);
    this.#silenceTimer = setTimeout(() => this.#checkConnection(), IDLE_SECONDS * 1000);
    const entries = [];
    for (const event of events) {
      if (ENTRY_TYPES.includes(event.t)) entries.push(event);
      else this.#handle(event);
    }
    if (entries.length) this.#addEntries(entries, false);
  }

  #handle(event) {
    if (event.t === "welcome") this.#welcome(event);
    else if (event.t === "state") this.#applyState(event);
    else if (event.t === "you") this.#applyIdentity(event);
    else if (event.t === "no" && event.why !== ChatRefusal.FAILED) this.#unsent.delete(event.nonce);
    else if (event.t === "no") setTimeout(() => this.#resend(event.nonce), 2000);
    else if (event.t === "counts") this.counts = event;
    if (!["welcome", "state", "you"].includes(event.t)) this.#emit(event.t, event);
  }

  #welcome(event) {
    const isFirst = !this.#isJoined;
    // Messages that listeners send during this event are sent already: do not send them twice.
    const unsent = [...this.#unsent.keys()];
    this.#isJoined = true;
    this.#attempt = 0;
    this.#applyIdentity(event.you);
    this.#applyState(event.state);
    this.#emit("welcome", event);
    if (event.fresh) this.#lastEntry = 0;
    this.#addEntries(event.entries, event.fresh);
    for (const nonce of unsent) this.#resend(nonce);
    if (!isFirst) return;
    if (this.#isPlaying) this.#send({ t: "play", on: true });
    if (!this.#likeTimer) this.#flush();
    this.#emit("online");
  }

  #applyIdentity(you) {
    this.you = you;
    if (you.ticket) this.#tickets.save(you.kind, you.ticket);
    this.#emit("you", you);
  }

  #applyState(state) {
    this.state = state;
    this.#clockOffset = state.now - Date.now() / 1000;
    this.#emit("state", state);
  }

  #addEntries(newEntries, fresh) {
    const entries = newEntries.filter(({ id }) => id > this.#lastEntry);
    for (const entry of entries) {
      this.#lastEntry = Math.max(this.#lastEntry, entry.id);
      if (entry.viewer === this.you.viewer) this.#unsent.delete(entry.nonce);
    }
    if (fresh || entries.length) this.#emit("entries", { entries, fresh });
  }

  #resend(nonce) {
    const text = this.#unsent.get(nonce);
    if (text !== undefined) this.#send({ t: "say", text, nonce });
  }

  /** Probe the connection, as after sleep or a change of network. */
  #checkConnection() {
    if (!this.#isJoined) {
      if (this.#attempt) this.start();
      return;
    }
    clearTimeout(this.#silenceTimer);
    this.requestState();
    this.#silenceTimer = setTimeout(() => {
      this.stop();
      this.#onClose(0);
    }, REPLY_TIMEOUT_SECONDS * 1000);
  }

  #onClose(code) {
    this.#isJoined = false;
    this.#socket = null;
    clearTimeout(this.#silenceTimer);
    if (code === CloseCode.LOGIN_REQUIRED && this.#usedTicket === null) {
      this.#attempt = 0;
      this.#emit("needs_login");
    } else if (code === CloseCode.LOGIN_REQUIRED) {
      this.#tickets.forget(this.#usedTicket);
      this.start();
    } else if (FINAL.includes(code)) {
      this.#attempt = 0;
      this.#emit("offline", { final: true, code });
    } else {
      if (code === CloseCode.TOO_MANY) this.#attempt += 3;
      const wait = Math.min(
        MAX_RETRY_SECONDS,
        MIN_RETRY_SECONDS * 2 ** this.#attempt * (1 + Math.random()),
      );
      this.#attempt += 1;
      this.#retryTimer = setTimeout(() => this.start(), wait * 1000);
      this.#emit("offline", { final: false, code });
    }
  }

  #emit(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  async #post(path, body) {
    let response;
    try {
      response = await fetch(`${this.#base}/${path}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      });
    } catch {
      throw new RequestError("offline");
    }
    const fields = await response.json().catch(() => ({}));
    if (!response.ok) throw new RequestError(fields.code ?? "failed", fields.retry_after);
    return fields;
  }
}
