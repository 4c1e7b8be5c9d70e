/** The room of a class: one WebSocket, kept open, and who the viewer is in it. */

import { Tickets } from "./tickets.js";
import { ChatAccess, ChatRefusal, ChatRole, CloseCode, ParticipantKind } from "./wire.js";

const SHORTEST = 0.5;
const LONGEST = 15;
/** Seconds after which a question without an answer means that the line is dead. */
const PATIENCE = 5;
/** Seconds of silence after which one is asked: a line may be dead without anybody saying so. */
const QUIET = 30;
const LIKES_AT_ONCE = 20;
/** Coming back would change nothing: our frame was malformed, or there is no such class. */
const FINAL = [CloseCode.MALFORMED, CloseCode.NOT_FOUND];
const ENTRIES = ["message", "delete", "pin", "unpin", "pause", "resume"];

/** What the server refused: its code, and the seconds to wait where it said so. */
export class Problem extends Error {
  constructor(code, wait = 0) {
    super(code);
    this.code = code;
    this.wait = wait;
  }
}

/** Read the page data that the server wrote into the page. */
export function pageData() {
  return JSON.parse(document.getElementById("page").textContent);
}

/** Fill the placeholders of a text: `{name}`. */
export function filled(text, values) {
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

/**
 * Events: welcome, you, state, counts, entries (`{entries, fresh}`), no, people, and online, offline
 * (`{final, code}`), needs_login. The detail of each is what the server sent.
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
  #ahead = 0;
  #socket = null;
  #isWelcome = false;
  #used = null;
  #attempt = 0;
  #retry = 0;
  #dead = 0;
  #last = 0;
  #unsent = new Map();
  #likes = 0;
  #liking = 0;
  #plays = false;

  constructor(page) {
    super();
    this.#base = page.base;
    this.#tickets = new Tickets(page);
    if (page.state) this.#hear(page.state);
    addEventListener("online", () => this.#check());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") this.#check();
    });
  }

  /** The time by the server's clock, in seconds. */
  get now() {
    return Date.now() / 1000 + this.#ahead;
  }

  /** Likes that the server does not know of yet. */
  get pendingLikes() {
    return this.#likes;
  }

  /** Whether there is anything to join with where a login is needed. */
  get hasTicket() {
    return this.#tickets.best !== null;
  }

  /** Connect, always anew: a line is for one ticket, so that a refusal is of that one. */
  start() {
    this.stop();
    const url = new URL(`${this.#base}/room`, location.href);
    url.protocol = url.protocol.replace("http", "ws");
    const socket = new WebSocket(url);
    this.#socket = socket;
    socket.onopen = () => this.#join();
    socket.onmessage = ({ data }) => this.#receive(JSON.parse(data));
    socket.onclose = ({ code }) => {
      if (socket === this.#socket) this.#lost(code);
    };
  }

  stop() {
    clearTimeout(this.#retry);
    clearTimeout(this.#dead);
    const socket = this.#socket;
    this.#socket = null;
    this.#isWelcome = false;
    socket?.close();
  }

  /** Say something in the chat; it is sent again until the server has it. Returns its nonce. */
  say(text) {
    const bytes = crypto.getRandomValues(new Uint8Array(12));
    const nonce = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    this.#unsent.set(nonce, text);
    this.#send({ t: "say", text, nonce });
    const isStuck = () => this.#isWelcome && this.#unsent.has(nonce);
    setTimeout(() => isStuck() && this.#check(), PATIENCE * 1000);
    return nonce;
  }

  /** Count a like; likes travel in bundles, one a second. */
  like() {
    this.#likes += 1;
    if (!this.#liking) this.#liking = setTimeout(() => this.#flush(), 1000);
  }

  /** Tell whether the viewer watches, which counts as time watched. */
  play(on) {
    if (on === this.#plays) return;
    this.#plays = on;
    this.#send({ t: "play", on });
  }

  /** Ask for the state anew, as when the address of a clip has expired. */
  ask() {
    this.#send({ t: "state" });
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

  /** Log in; raises Problem. */
  async login(account, password) {
    const { ticket } = await this.#post("login", { account, password });
    this.#become(ParticipantKind.USER, ticket);
  }

  /** Leave a telephone number and a nickname, as a guest does before chatting; raises Problem. */
  async enlist(telephone, nickname) {
    const told = { telephone, nickname, ticket: this.#tickets.best };
    const { ticket } = await this.#post("guest", told);
    this.#become(ParticipantKind.GUEST, ticket);
  }

  async logout() {
    const ticket = this.#tickets.best;
    this.#tickets.forget(ticket);
    await this.#post("logout", { ticket }).catch(() => {
      // The viewer has left on this page all the same.
    });
    this.start();
  }

  #become(kind, ticket) {
    this.#tickets.keep(kind, ticket);
    this.start();
  }

  #join() {
    this.#used = this.#tickets.best;
    this.#socket.send(JSON.stringify({ t: "join", ticket: this.#used, after: this.#last }));
  }

  #send(frame) {
    if (this.#isWelcome) this.#socket.send(JSON.stringify(frame));
  }

  #flush() {
    this.#liking = 0;
    if (!this.#isWelcome || !this.#likes) return;
    const n = Math.min(this.#likes, LIKES_AT_ONCE);
    this.#send({ t: "like", n });
    this.#likes -= n;
    if (this.#likes) this.#liking = setTimeout(() => this.#flush(), 1000);
  }

  #receive(events) {
    clearTimeout(this.#dead);
    this.#dead = setTimeout(() => this.#check(), QUIET * 1000);
    const entries = [];
    for (const event of events) {
      if (ENTRIES.includes(event.t)) entries.push(event);
      else this.#take(event);
    }
    if (entries.length) this.#enter(entries, false);
  }

  #take(event) {
    if (event.t === "welcome") this.#welcome(event);
    else if (event.t === "state") this.#hear(event);
    else if (event.t === "you") this.#meet(event);
    else if (event.t === "no" && event.why !== ChatRefusal.FAILED) this.#unsent.delete(event.nonce);
    else if (event.t === "no") setTimeout(() => this.#repeat(event.nonce), 2000);
    else if (event.t === "counts") this.counts = event;
    if (!["welcome", "state", "you"].includes(event.t)) this.#tell(event.t, event);
  }

  #welcome(event) {
    const isFirst = !this.#isWelcome;
    // Who has just been told who they are may say something new at once: that is on its way.
    const unsent = [...this.#unsent.keys()];
    this.#isWelcome = true;
    this.#attempt = 0;
    this.#meet(event.you);
    this.#hear(event.state);
    this.#tell("welcome", event);
    if (event.fresh) this.#last = 0;
    this.#enter(event.entries, event.fresh);
    for (const nonce of unsent) this.#repeat(nonce);
    if (!isFirst) return;
    if (this.#plays) this.#send({ t: "play", on: true });
    if (!this.#liking) this.#flush();
    this.#tell("online");
  }

  #meet(you) {
    this.you = you;
    if (you.ticket) this.#tickets.keep(you.kind, you.ticket);
    this.#tell("you", you);
  }

  #hear(state) {
    this.state = state;
    this.#ahead = state.now - Date.now() / 1000;
    this.#tell("state", state);
  }

  #enter(received, fresh) {
    const entries = received.filter(({ id }) => id > this.#last);
    for (const entry of entries) {
      this.#last = Math.max(this.#last, entry.id);
      if (entry.viewer === this.you.viewer) this.#unsent.delete(entry.nonce);
    }
    if (fresh || entries.length) this.#tell("entries", { entries, fresh });
  }

  #repeat(nonce) {
    const text = this.#unsent.get(nonce);
    if (text !== undefined) this.#send({ t: "say", text, nonce });
  }

  /** After sleep or a change of network, find out at once whether the line still works. */
  #check() {
    if (!this.#isWelcome) {
      if (this.#attempt) this.start();
      return;
    }
    clearTimeout(this.#dead);
    this.ask();
    this.#dead = setTimeout(() => {
      this.stop();
      this.#lost(0);
    }, PATIENCE * 1000);
  }

  #lost(code) {
    this.#isWelcome = false;
    this.#socket = null;
    clearTimeout(this.#dead);
    if (code === CloseCode.LOGIN_REQUIRED && this.#used === null) {
      this.#attempt = 0;
      this.#tell("needs_login");
    } else if (code === CloseCode.LOGIN_REQUIRED) {
      this.#tickets.forget(this.#used);
      this.start();
    } else if (FINAL.includes(code)) {
      this.#attempt = 0;
      this.#tell("offline", { final: true, code });
    } else {
      if (code === CloseCode.TOO_MANY) this.#attempt += 3;
      const wait = Math.min(LONGEST, SHORTEST * 2 ** this.#attempt * (1 + Math.random()));
      this.#attempt += 1;
      this.#retry = setTimeout(() => this.start(), wait * 1000);
      this.#tell("offline", { final: false, code });
    }
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  async #post(path, body) {
    let answer;
    try {
      answer = await fetch(`${this.#base}/${path}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      });
    } catch {
      throw new Problem("offline");
    }
    const told = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Problem(told.code ?? "failed", told.retry_after);
    return told;
  }
}
