/** Chat of a class: messages, input, and moderation for staff. */

import { bindGuestForm, bindLoginForm } from "./forms.js";
import { formatText } from "./room.js";
import { ChatAccess, ChatRefusal, ChatRole, OVER_PHASES } from "./wire.js";

const MAX_LENGTH = 500;
/** Length from which on the counter is shown. */
const COUNTER_FROM = 400;
/** Messages kept in the page while the list is scrolled to the end. */
const MAX_MESSAGES = 400;
/** Pixels from the end within which the list counts as scrolled to the end. */
const END_TOLERANCE_PX = 48;
const NOTICE_SECONDS = 6;
const OFFLINE_DELAY_SECONDS = 2;
const DIALOGS = [ChatAccess.GUEST, ChatAccess.LOGIN];

/** Renders messages as text, never as markup. */
export class Chat {
  #room;
  #texts;
  #elements;
  #messages = new Map();
  #pending = new Map();
  #unread = 0;
  #isAtEnd = true;
  #isOffline = false;
  #isResuming = false;
  #onEntered = null;
  #noticeTimer = 0;
  #offlineTimer = 0;
  #shortTime;
  #fullTime;

  /** `root` is the section of chat.html. */
  constructor(root, room, { texts, language }) {
    this.#room = room;
    this.#texts = texts;
    const short = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
    this.#shortTime = new Intl.DateTimeFormat(language, short);
    this.#fullTime = new Intl.DateTimeFormat(language, {
      dateStyle: "long",
      timeStyle: "medium",
      hourCycle: "h23",
    });
    const query = (selector) => root.querySelector(selector);
    this.#elements = {
      title: query("h2"),
      pinned: query(".pinned"),
      pinnedText: query(".pinned-text"),
      unpin: query(".unpin"),
      pause: query(".pause"),
      log: query(".log"),
      list: query("ol"),
      empty: query(".empty"),
      unread: query(".unread"),
      form: query(".message-form"),
      text: query("textarea"),
      send: query(".send"),
      mustLogin: query(".login-button"),
      notice: query(".notice"),
      counter: query(".counter"),
      template: query("template"),
      login: query(".login-dialog"),
      guest: query(".guest-dialog"),
    };
    this.#bindRoom();
    this.#bindElements();
    this.#render();
  }

  /** Open the login dialog or the guest dialog: to chat, or to call `onEntered` afterwards. */
  openDialog(what, onEntered = null) {
    const dialog = this.#elements[what];
    this.#onEntered = onEntered;
    if (what === ChatAccess.GUEST) {
      const texts = this.#texts;
      dialog.querySelector("h2").textContent = texts[onEntered ? "guest.remind" : "guest.title"];
      const enter = texts[onEntered ? "guest.remind_enter" : "guest.enter"];
      dialog.querySelector(".primary").textContent = enter;
    }
    if (!dialog.open) dialog.showModal();
  }

  #bindRoom() {
    const room = this.#room;
    room.addEventListener("entries", ({ detail }) => this.#addEntries(detail));
    room.addEventListener("no", ({ detail }) => this.#onRefused(detail));
    room.addEventListener("state", ({ detail }) => {
      this.#showPinned(detail.pinned);
      this.#render();
    });
    room.addEventListener("you", () => {
      this.#render();
      if (!this.#isResuming || DIALOGS.includes(room.you.chat)) return;
      this.#isResuming = false;
      if (this.#onEntered) this.#onEntered();
      else if (room.you.chat === ChatAccess.OPEN) this.#submit();
    });
    room.addEventListener("online", () => this.#setOnline(true));
    room.addEventListener("offline", () => {
      this.#offlineTimer ||= setTimeout(() => this.#setOnline(false), OFFLINE_DELAY_SECONDS * 1000);
    });
  }

  #bindElements() {
    const { text, form, log, list, unread, pinned, unpin, pause, mustLogin } = this.#elements;
    const { login, guest } = this.#elements;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    text.addEventListener("keydown", (event) => {
      // Enter during text composition (Chinese input) must not send.
      const isChoosing = event.isComposing || event.keyCode === 229;
      if (event.key !== "Enter" || event.shiftKey || isChoosing) return;
      event.preventDefault();
      this.#submit();
    });
    text.addEventListener("input", () => this.#updateCounter());
    log.addEventListener("scroll", () => this.#onScroll(), { passive: true });
    new ResizeObserver(() => this.#isAtEnd && this.#scrollToEnd()).observe(log);
    unread.addEventListener("click", () => this.#scrollToEnd());
    pinned.addEventListener("click", () => {
      pinned.ariaExpanded = String(pinned.ariaExpanded !== "true");
    });
    unpin.addEventListener("click", () => this.#room.pin(null));
    pause.addEventListener("click", () => this.#room.pause(!this.#room.state.paused));
    mustLogin.addEventListener("click", () => this.openDialog(ChatAccess.LOGIN));
    list.addEventListener("click", ({ target }) => this.#moderate(target.closest("[data-action]")));
    const resume = (dialog) => () => {
      this.#isResuming = true;
      dialog.close();
      if (!this.#onEntered) text.focus();
    };
    bindLoginForm(login.querySelector("form"), this.#room, this.#texts, resume(login));
    bindGuestForm(guest.querySelector("form"), this.#room, this.#texts, resume(guest));
  }

  #submit() {
    const { text } = this.#elements;
    const message = text.value.trim();
    const { chat } = this.#room.you;
    if (!message || text.disabled) return;
    if ([...message].length > MAX_LENGTH) {
      this.#notify(this.#texts["chat.no.long"]);
    } else if (DIALOGS.includes(chat)) {
      this.openDialog(chat);
    } else {
      const nonce = this.#room.sendMessage(message);
      text.value = "";
      this.#updateCounter();
      this.#addPending(nonce, message);
    }
  }

  /** Show an own message at once, as pending until the server has stored it. */
  #addPending(nonce, text) {
    const { name, role, viewer } = this.#room.you;
    const item = this.#renderMessage({ viewer, name, role, text, at: this.#room.now });
    item.classList.add("is-mine", "is-pending");
    this.#pending.set(nonce, item);
    this.#elements.list.append(item);
    this.#scrollToEnd();
  }

  #addEntries({ entries, fresh }) {
    if (fresh) this.#clearEntries();
    let others = 0;
    for (const entry of entries) {
      if (entry.t === "message") others += this.#addMessage(entry) ? 0 : 1;
      else if (entry.t === "delete") this.#markRemoved(entry.target);
      else if (entry.t === "pin") this.#showPinned(entry.message);
      else if (entry.t === "unpin") this.#showPinned(null);
      else this.#setPaused(entry.t === "pause");
    }
    if (this.#isAtEnd) this.#scrollToEnd();
    else this.#setUnread(this.#unread + others);
  }

  /** Remove all messages except pending ones. */
  #clearEntries() {
    this.#messages.clear();
    this.#elements.list.replaceChildren(...this.#pending.values());
  }

  #addMessage(entry) {
    const isOwn = entry.viewer === this.#room.you.viewer && entry.role === this.#room.you.role;
    const pending = isOwn ? this.#pending.get(entry.nonce) : undefined;
    const item = this.#renderMessage(entry, pending);
    item.classList.toggle("is-mine", isOwn && (entry.viewer !== null || pending !== undefined));
    this.#messages.set(entry.id, item);
    if (pending) this.#pending.delete(entry.nonce);
    const [next] = this.#pending.values();
    const isInPlace = pending && item.nextSibling === (next ?? null);
    if (!isInPlace) this.#elements.list.insertBefore(item, next ?? null);
    return isOwn;
  }

  #renderMessage(entry, item = this.#elements.template.content.firstElementChild.cloneNode(true)) {
    const [name, badge, time] = item.querySelectorAll("b, .badge, time");
    const at = new Date(entry.at * 1000);
    name.textContent = entry.name;
    badge.hidden = entry.role === ChatRole.VIEWER;
    badge.textContent = this.#texts[`chat.${entry.role}`] ?? "";
    time.dateTime = at.toISOString();
    time.title = this.#fullTime.format(at);
    time.textContent = this.#shortTime.format(at);
    item.querySelector(".message-text").textContent = entry.text;
    item.classList.toggle("is-staff", entry.role !== ChatRole.VIEWER);
    item.classList.remove("is-pending");
    if (entry.id) {
      item.dataset.id = entry.id;
      this.#addActions(item, entry);
    }
    return item;
  }

  #addActions(item, { viewer, name }) {
    if (this.#room.you.role !== ChatRole.TEACHER) return;
    const actions = item.querySelector(".actions");
    actions.hidden = false;
    item.dataset.viewer = viewer ?? "";
    for (const button of actions.children) {
      const { action } = button.dataset;
      button.ariaLabel = formatText(this.#texts[`chat.${action}`], { name });
      button.title = button.ariaLabel;
      button.hidden = action === "mute" && viewer === null;
    }
  }

  #moderate(button) {
    if (!button) return;
    const { id, viewer } = button.closest("li").dataset;
    if (button.dataset.action === "delete") this.#room.delete(Number(id));
    else if (button.dataset.action === "pin") this.#room.pin(Number(id));
    else this.#room.mute(Number(viewer), true);
  }

  #markRemoved(id) {
    const item = this.#messages.get(id);
    if (!item) return;
    item.querySelector(".message-text").textContent = this.#texts["chat.removed"];
    item.querySelector(".actions").hidden = true;
    item.classList.add("is-removed");
    if (this.#room.state?.pinned?.id === id) this.#showPinned(null);
  }

  #onRefused({ about, nonce, why }) {
    // A failed message is sent again; a command about a deleted message needs no notice.
    if (
      why === ChatRefusal.FAILED ? about === "say" : why === ChatRefusal.MISSING && about !== "say"
    )
      return;
    const item = this.#pending.get(nonce);
    if (item) {
      const { text } = this.#elements;
      this.#pending.delete(nonce);
      item.remove();
      if (!text.value && why !== ChatRefusal.MUTED)
        text.value = item.querySelector(".message-text").textContent;
      this.#updateCounter();
    }
    if (DIALOGS.includes(why)) this.openDialog(why);
    else this.#notify(this.#texts[`chat.no.${why}`] ?? this.#texts["page.failed"]);
  }

  #showPinned(message) {
    const { title, pinned, pinnedText, unpin } = this.#elements;
    title.classList.toggle("visually-hidden", message !== null);
    pinned.hidden = message === null;
    if (message === null) pinned.ariaExpanded = "false";
    unpin.hidden = message === null || this.#room.you.role !== ChatRole.TEACHER;
    if (message) pinnedText.textContent = message.text;
    if (this.#room.state) this.#room.state.pinned = message;
  }

  #setPaused(paused) {
    this.#room.state.paused = paused;
    this.#render();
  }

  /** The reason why the viewer may not chat, or null. */
  get #barrier() {
    const { you, state } = this.#room;
    if (!state) return null;
    if (OVER_PHASES.includes(state.phase)) return ChatRefusal.OVER;
    if (you.role === ChatRole.TEACHER) return null;
    if (you.chat === ChatAccess.MUTED) return ChatRefusal.MUTED;
    return state.paused ? ChatRefusal.PAUSED : null;
  }

  #render() {
    const { text, send, mustLogin, pause, unpin, empty } = this.#elements;
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

  /** Show a notice for some seconds; without one show the lasting reason, if any. */
  #notify(words) {
    const { notice } = this.#elements;
    const barrier = this.#barrier;
    const lasting = this.#isOffline ? "chat.offline" : barrier && `chat.no.${barrier}`;
    const text = words || (lasting ? this.#texts[lasting] : "");
    if (notice.textContent !== text) notice.textContent = text;
    clearTimeout(this.#noticeTimer);
    if (words) this.#noticeTimer = setTimeout(() => this.#notify(""), NOTICE_SECONDS * 1000);
  }

  #setOnline(isOnline) {
    clearTimeout(this.#offlineTimer);
    this.#offlineTimer = 0;
    this.#isOffline = !isOnline;
    this.#notify("");
  }

  #updateCounter() {
    const { text, counter } = this.#elements;
    const { length } = [...text.value.trim()];
    counter.textContent = length < COUNTER_FROM ? "" : `${length} / ${MAX_LENGTH}`;
    counter.classList.toggle("error-text", length > MAX_LENGTH);
  }

  #onScroll() {
    const { log } = this.#elements;
    this.#isAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < END_TOLERANCE_PX;
    if (this.#isAtEnd) this.#setUnread(0);
  }

  #scrollToEnd() {
    const { log, list } = this.#elements;
    while (list.children.length > MAX_MESSAGES) {
      this.#messages.delete(Number(list.firstElementChild.dataset.id));
      list.firstElementChild.remove();
    }
    log.scrollTop = log.scrollHeight;
    this.#isAtEnd = true;
    this.#setUnread(0);
  }

  #setUnread(number) {
    const { unread } = this.#elements;
    this.#unread = number;
    unread.hidden = number === 0;
    const words = this.#texts[number === 1 ? "chat.one_new" : "chat.new"];
    unread.lastElementChild.textContent = formatText(words, { n: number });
  }
}
