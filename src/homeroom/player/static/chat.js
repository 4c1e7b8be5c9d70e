/** The chat of a class: the list, the line to write in, and for staff what keeps it in order. */

import { guestForm, loginForm } from "./forms.js";
import { filled } from "./room.js";
import { ChatAccess, ChatRefusal, ChatRole, OVER_PHASES } from "./wire.js";

const LONGEST = 500;
/** From how many characters on the page says how many are left. */
const NEARLY = 400;
/** Messages that stay in the page while the reader is at the newest. */
const KEPT = 400;
/** How many pixels from its end the list still counts as read to the end. */
const NEAR = 48;
const NOTICE_SECONDS = 6;
const BREAK_SECONDS = 2;
const REMEDIES = [ChatAccess.GUEST, ChatAccess.LOGIN];

/** Everything that somebody wrote reaches the page as text, never as markup. */
export class Chat {
  #room;
  #texts;
  #parts;
  #messages = new Map();
  #pending = new Map();
  #unread = 0;
  #isAtEnd = true;
  #isOffline = false;
  #isResuming = false;
  #noticeTimer = 0;
  #offlineTimer = 0;
  #hours;
  #days;

  /** `root` is the section of chat.html. */
  constructor(root, room, { texts, language }) {
    this.#room = room;
    this.#texts = texts;
    const short = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
    this.#hours = new Intl.DateTimeFormat(language, short);
    this.#days = new Intl.DateTimeFormat(language, {
      dateStyle: "long",
      timeStyle: "medium",
      hourCycle: "h23",
    });
    const one = (selector) => root.querySelector(selector);
    this.#parts = {
      title: one("h2"),
      pinned: one(".pinned"),
      pinnedText: one(".pinned-text"),
      unpin: one(".unpin"),
      pause: one(".pause"),
      log: one(".log"),
      list: one("ol"),
      empty: one(".empty"),
      unread: one(".unread"),
      form: one(".say"),
      text: one("textarea"),
      send: one(".send"),
      mustLogin: one(".must-login"),
      notice: one(".notice"),
      counter: one(".counter"),
      shape: one("template"),
      login: one(".login-dialog"),
      guest: one(".guest-dialog"),
    };
    this.#listen();
    this.#wire();
    this.#refresh();
  }

  /** Ask the viewer to log in or to say who they are. */
  askWho(what) {
    const dialog = this.#parts[what];
    if (!dialog.open) dialog.showModal();
  }

  #listen() {
    const room = this.#room;
    room.addEventListener("entries", ({ detail }) => this.#enter(detail));
    room.addEventListener("no", ({ detail }) => this.#refused(detail));
    room.addEventListener("state", ({ detail }) => {
      this.#showPinned(detail.pinned);
      this.#refresh();
    });
    room.addEventListener("you", () => {
      this.#refresh();
      if (this.#isResuming && room.you.chat === ChatAccess.OPEN) this.#submit();
      if (!REMEDIES.includes(room.you.chat)) this.#isResuming = false;
    });
    room.addEventListener("online", () => this.#connected(true));
    room.addEventListener("offline", () => {
      this.#offlineTimer ||= setTimeout(() => this.#connected(false), BREAK_SECONDS * 1000);
    });
  }

  #wire() {
    const { text, form, log, list, unread, pinned, unpin, pause, mustLogin } = this.#parts;
    const { login, guest } = this.#parts;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    text.addEventListener("keydown", (event) => {
      // Enter that ends the choice of a Chinese character is not one that sends.
      const isChoosing = event.isComposing || event.keyCode === 229;
      if (event.key !== "Enter" || event.shiftKey || isChoosing) return;
      event.preventDefault();
      this.#submit();
    });
    text.addEventListener("input", () => this.#count());
    log.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    new ResizeObserver(() => this.#isAtEnd && this.#toEnd()).observe(log);
    unread.addEventListener("click", () => this.#toEnd());
    pinned.addEventListener("click", () => {
      pinned.ariaExpanded = String(pinned.ariaExpanded !== "true");
    });
    unpin.addEventListener("click", () => this.#room.pin(null));
    pause.addEventListener("click", () => this.#room.pause(!this.#room.state.paused));
    mustLogin.addEventListener("click", () => this.askWho(ChatAccess.LOGIN));
    list.addEventListener("click", ({ target }) => this.#moderate(target.closest("[data-deed]")));
    const goOn = (dialog) => () => {
      this.#isResuming = true;
      dialog.close();
      text.focus();
    };
    loginForm(login.querySelector("form"), this.#room, this.#texts, goOn(login));
    guestForm(guest.querySelector("form"), this.#room, this.#texts, goOn(guest));
  }

  #submit() {
    const { text } = this.#parts;
    const said = text.value.trim();
    const { chat } = this.#room.you;
    if (!said || text.disabled) return;
    if ([...said].length > LONGEST) {
      this.#notify(this.#texts["chat.no.long"]);
    } else if (REMEDIES.includes(chat)) {
      this.askWho(chat);
    } else {
      const nonce = this.#room.say(said);
      text.value = "";
      this.#count();
      this.#pend(nonce, said);
    }
  }

  /** Show one's own message at once; it stays pale until the server has it. */
  #pend(nonce, text) {
    const { name, role, viewer } = this.#room.you;
    const item = this.#item({ viewer, name, role, text, at: this.#room.now });
    item.classList.add("is-mine", "is-pending");
    this.#pending.set(nonce, item);
    this.#parts.list.append(item);
    this.#toEnd();
  }

  #enter({ entries, fresh }) {
    if (fresh) this.#clear();
    let others = 0;
    for (const entry of entries) {
      if (entry.t === "message") others += this.#add(entry) ? 0 : 1;
      else if (entry.t === "delete") this.#remove(entry.target);
      else if (entry.t === "pin") this.#showPinned(entry.message);
      else if (entry.t === "unpin") this.#showPinned(null);
      else this.#setPaused(entry.t === "pause");
    }
    if (this.#isAtEnd) this.#toEnd();
    else this.#tellUnread(this.#unread + others);
  }

  /** Forget what was shown, but not what is still to be sent. */
  #clear() {
    this.#messages.clear();
    this.#parts.list.replaceChildren(...this.#pending.values());
  }

  #add(entry) {
    const isMine = entry.viewer === this.#room.you.viewer && entry.role === this.#room.you.role;
    const pending = isMine ? this.#pending.get(entry.nonce) : undefined;
    const item = this.#item(entry, pending);
    item.classList.toggle("is-mine", isMine && (entry.viewer !== null || pending !== undefined));
    this.#messages.set(entry.id, item);
    if (pending) this.#pending.delete(entry.nonce);
    const [next] = this.#pending.values();
    const isInPlace = pending && item.nextSibling === (next ?? null);
    if (!isInPlace) this.#parts.list.insertBefore(item, next ?? null);
    return isMine;
  }

  #item(entry, item = this.#parts.shape.content.firstElementChild.cloneNode(true)) {
    const [name, badge, time] = item.querySelectorAll("b, .badge, time");
    const at = new Date(entry.at * 1000);
    name.textContent = entry.name;
    badge.hidden = entry.role === ChatRole.VIEWER;
    badge.textContent = this.#texts[`chat.${entry.role}`] ?? "";
    time.dateTime = at.toISOString();
    time.title = this.#days.format(at);
    time.textContent = this.#hours.format(at);
    item.querySelector(".words").textContent = entry.text;
    item.classList.toggle("is-staff", entry.role !== ChatRole.VIEWER);
    item.classList.remove("is-pending");
    if (entry.id) {
      item.dataset.id = entry.id;
      this.#offerDeeds(item, entry);
    }
    return item;
  }

  #offerDeeds(item, { viewer, name }) {
    if (this.#room.you.role !== ChatRole.TEACHER) return;
    const deeds = item.querySelector(".deeds");
    deeds.hidden = false;
    item.dataset.viewer = viewer ?? "";
    for (const button of deeds.children) {
      const { deed } = button.dataset;
      button.ariaLabel = filled(this.#texts[`chat.${deed}`], { name });
      button.title = button.ariaLabel;
      button.hidden = deed === "mute" && viewer === null;
    }
  }

  #moderate(button) {
    if (!button) return;
    const { id, viewer } = button.closest("li").dataset;
    if (button.dataset.deed === "delete") this.#room.delete(Number(id));
    else if (button.dataset.deed === "pin") this.#room.pin(Number(id));
    else this.#room.mute(Number(viewer), true);
  }

  #remove(id) {
    const item = this.#messages.get(id);
    if (!item) return;
    item.querySelector(".words").textContent = this.#texts["chat.removed"];
    item.querySelector(".deeds").hidden = true;
    item.classList.add("is-removed");
    if (this.#room.state?.pinned?.id === id) this.#showPinned(null);
  }

  #refused({ about, nonce, why }) {
    // A message that failed is sent again; what was to be done to one that is gone, is done.
    if (
      why === ChatRefusal.FAILED ? about === "say" : why === ChatRefusal.MISSING && about !== "say"
    )
      return;
    const item = this.#pending.get(nonce);
    if (item) {
      const { text } = this.#parts;
      this.#pending.delete(nonce);
      item.remove();
      if (!text.value && why !== ChatRefusal.MUTED)
        text.value = item.querySelector(".words").textContent;
      this.#count();
    }
    if (REMEDIES.includes(why)) this.askWho(why);
    else this.#notify(this.#texts[`chat.no.${why}`] ?? this.#texts["page.failed"]);
  }

  #showPinned(message) {
    const { title, pinned, pinnedText, unpin } = this.#parts;
    title.classList.toggle("unseen", message !== null);
    pinned.hidden = message === null;
    if (message === null) pinned.ariaExpanded = "false";
    unpin.hidden = message === null || this.#room.you.role !== ChatRole.TEACHER;
    if (message) pinnedText.textContent = message.text;
    if (this.#room.state) this.#room.state.pinned = message;
  }

  #setPaused(paused) {
    this.#room.state.paused = paused;
    this.#refresh();
  }

  /** What stands between the viewer and the chat, if anything does. */
  get #barrier() {
    const { you, state } = this.#room;
    if (!state) return null;
    if (OVER_PHASES.includes(state.phase)) return ChatRefusal.OVER;
    if (you.role === ChatRole.TEACHER) return null;
    if (you.chat === ChatAccess.MUTED) return ChatRefusal.MUTED;
    return state.paused ? ChatRefusal.PAUSED : null;
  }

  #refresh() {
    const { text, send, mustLogin, pause, unpin, empty } = this.#parts;
    const { you, state } = this.#room;
    const barrier = this.#barrier;
    const isStaff = you.role === ChatRole.TEACHER;
    const mustLogIn = you.chat === ChatAccess.LOGIN && barrier === null;
    empty.textContent = this.#texts[barrier === ChatRefusal.OVER ? "chat.nothing" : "chat.empty"];
    text.disabled = barrier !== null;
    send.disabled = barrier !== null;
    text.hidden = mustLogIn;
    send.hidden = mustLogIn;
    mustLogin.hidden = !mustLogIn;
    unpin.hidden = !isStaff || !state?.pinned;
    pause.hidden = !isStaff || barrier !== null;
    pause.ariaPressed = String(Boolean(state?.paused));
    pause.textContent = this.#texts[state?.paused ? "chat.resume" : "chat.pause"];
    this.#notify("");
  }

  /** A word that passes; without one, what lasts is said: a barrier, or that the line is lost. */
  #notify(words) {
    const { notice } = this.#parts;
    const barrier = this.#barrier;
    const lasting = this.#isOffline ? "chat.offline" : barrier && `chat.no.${barrier}`;
    const text = words || (lasting ? this.#texts[lasting] : "");
    if (notice.textContent !== text) notice.textContent = text;
    clearTimeout(this.#noticeTimer);
    if (words) this.#noticeTimer = setTimeout(() => this.#notify(""), NOTICE_SECONDS * 1000);
  }

  #connected(isOnline) {
    clearTimeout(this.#offlineTimer);
    this.#offlineTimer = 0;
    this.#isOffline = !isOnline;
    this.#notify("");
  }

  #count() {
    const { text, counter } = this.#parts;
    const { length } = [...text.value.trim()];
    counter.textContent = length < NEARLY ? "" : `${length} / ${LONGEST}`;
    counter.classList.toggle("wrong", length > LONGEST);
  }

  #scrolled() {
    const { log } = this.#parts;
    this.#isAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < NEAR;
    if (this.#isAtEnd) this.#tellUnread(0);
  }

  #toEnd() {
    const { log, list } = this.#parts;
    while (list.children.length > KEPT) {
      this.#messages.delete(Number(list.firstElementChild.dataset.id));
      list.firstElementChild.remove();
    }
    log.scrollTop = log.scrollHeight;
    this.#isAtEnd = true;
    this.#tellUnread(0);
  }

  #tellUnread(number) {
    const { unread } = this.#parts;
    this.#unread = number;
    unread.hidden = number === 0;
    const words = this.#texts[number === 1 ? "chat.one_new" : "chat.new"];
    unread.lastElementChild.textContent = filled(words, { n: number });
  }
}
