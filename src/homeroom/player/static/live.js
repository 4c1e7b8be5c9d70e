/** Page of a class: countdown, live player or replay, chat and counts. */

import { Chat } from "./chat.js";
import { bindLoginForm } from "./forms.js";
import { pageData, Room } from "./room.js";
import { ChatAccess, CloseCode, ParticipantKind, View } from "./wire.js";

/** Smallest number that is rounded. */
const MIN_ROUNDED = 10_000;
const UNITS = { days: 86_400, hours: 3600, minutes: 60, seconds: 1 };

const page = pageData();
const { texts, language } = page;
const byId = (id) => document.getElementById(id);
const room = new Room(page);
const chat = new Chat(byId("chat"), room, page);
const views = document.querySelectorAll("[data-view]");
const angles = byId("angles");
const like = byId("like");
const remind = byId("remind");
const REMINDED = `homeroom.remind.${page.key}`;
const rounded = new Intl.NumberFormat(language, { notation: "compact" });

let isLocked = page.state === null;
let angle = "class";
let shownAngle = null;
let likes = 0;
const players = {};

/** Return the view to show: the server chooses it, but for a viewer who must log in first. */
function currentView() {
  return isLocked || !room.state ? View.LOCKED : room.state.view;
}

function show() {
  const view = currentView();
  for (const part of views) part.hidden = part.dataset.view !== view;
  byId("video-area").hidden = view === View.REPLAY;
  byId("login-gate").hidden = view !== View.LOCKED;
  byId("chat-area").hidden = view === View.LOCKED;
  showLive(view === View.PICTURE);
  if (view === View.REPLAY) showReplay();
  if (view === View.COUNTDOWN) showCountdown();
}

async function showLive(isVisible) {
  const { state } = room;
  const onAir = state ? state.on_air.filter((name) => state.sources[name]) : [];
  angles.hidden = !isVisible || onAir.length < 2;
  if (!isVisible) {
    shownAngle = null;
    players.picture?.stop();
    return;
  }
  if (!(await loadPlayer(View.PICTURE))) return;
  const wantedAngle = onAir.includes(angle) ? angle : onAir[0];
  // Another stream needs a new start; the same one continues.
  if (shownAngle !== wantedAngle) players.picture.stop();
  shownAngle = wantedAngle;
  players.picture.setProblems(state.problems[wantedAngle] ?? []);
  players.picture.play(state.sources[wantedAngle]);
}

async function showReplay() {
  if (await loadPlayer(View.REPLAY)) players.replay.show(room.state.clips);
}

/** Load the player of a view; returns whether the page still shows that view. */
async function loadPlayer(name) {
  if (!players[name]) {
    const { LivePlayer, ReplayPlayer } = await import(
      name === View.PICTURE ? "./live-player.js" : "./replay.js"
    );
    players[name] ??= LivePlayer
      ? new LivePlayer(byId("player"), texts)
      : new ReplayPlayer(byId("replay"), texts, `homeroom.replay.${page.key}`);
    players[name].addEventListener("watching", onWatching);
    players[name].addEventListener("expired", onExpired);
  }
  return currentView() === name;
}

function onWatching({ detail }) {
  room.setPlaying(detail.on);
}

function onExpired() {
  room.requestState();
}

function showCountdown() {
  let left = Math.max(0, Math.ceil(room.state.begins - room.now));
  byId("days").parentElement.hidden = left < UNITS.days;
  for (const [name, length] of Object.entries(UNITS)) {
    byId(name).textContent = Math.floor(left / length);
    left %= length;
  }
}

function tick() {
  if (currentView() === View.COUNTDOWN) showCountdown();
}

function formatCount(count) {
  return count < MIN_ROUNDED ? String(count) : rounded.format(count);
}

function showLikes(count) {
  likes = count;
  byId("likes").textContent = formatCount(likes);
}

function animateLike() {
  const heart = document.createElement("i");
  heart.append(like.querySelector("svg").cloneNode(true));
  heart.style.setProperty("--drift", `${Math.round(Math.random() * 36 - 18)}px`);
  heart.addEventListener("animationend", () => heart.remove());
  like.append(heart);
  if (like.querySelectorAll("i").length > 12) like.querySelector("i").remove();
}

like.addEventListener("click", () => {
  if (room.you.chat === ChatAccess.LOGIN) {
    chat.openDialog("login");
    return;
  }
  room.like();
  like.classList.add("is-liked");
  animateLike();
  showLikes(likes + 1);
});

remind?.addEventListener("click", () => {
  const { kind, chat: access } = room.you;
  const isNameless = kind === ParticipantKind.VISITOR;
  if (isNameless && [ChatAccess.GUEST, ChatAccess.LOGIN].includes(access)) {
    chat.openDialog(access, () => room.bookReminder());
  } else if (remind.ariaDisabled !== "true") {
    room.bookReminder();
  }
});

function showReminder(isBooked) {
  if (!remind) return;
  remind.classList.toggle("is-booked", isBooked);
  remind.ariaDisabled = String(isBooked);
  remind.lastElementChild.textContent = texts[isBooked ? "live.reminded" : "live.remind"];
}

/** Return for whom this browser has booked a reminder, if it remembers. */
function loadReminder() {
  try {
    return localStorage.getItem(REMINDED);
  } catch {
    return null;
  }
}

function onReminded() {
  try {
    localStorage.setItem(REMINDED, room.you.viewer);
  } catch {
    // Blocked or full: after a reload the button is there again, and books nothing twice.
  }
  showReminder(true);
  if (remind) byId("remind-status").textContent = texts["live.reminded_words"];
}

angles.addEventListener("click", ({ target }) => {
  if (!target.dataset.angle) return;
  angle = target.dataset.angle;
  for (const button of angles.children) {
    button.ariaPressed = String(button.dataset.angle === angle);
  }
  show();
});

byId("logout").addEventListener("click", () => room.logout());
bindLoginForm(byId("login-gate").querySelector("form"), room, texts);

room.addEventListener("state", show);
room.addEventListener("welcome", () => {
  isLocked = false;
  show();
});
room.addEventListener("needs_login", () => {
  isLocked = true;
  byId("viewer-name").hidden = byId("logout").hidden = true;
  show();
});
room.addEventListener("offline", ({ detail }) => {
  // Nobody says any more when a problem is over.
  players.picture?.setProblems([]);
  // The page is gone: a reload shows the notice.
  if (detail.code === CloseCode.NOT_FOUND) location.reload();
});
room.addEventListener("you", ({ detail: you }) => {
  byId("viewer-name").textContent = you.name;
  byId("viewer-name").hidden = !you.name;
  byId("logout").hidden = you.kind !== ParticipantKind.USER;
  showReminder(you.viewer !== null && loadReminder() === String(you.viewer));
});
room.addEventListener("counts", ({ detail }) => {
  byId("viewers").textContent = formatCount(detail.viewers);
  // The server's number may lack recent likes: never show a lower one.
  showLikes(Math.max(likes, detail.likes + room.pendingLikes));
});
room.addEventListener("remind", onReminded);
room.addEventListener("no", ({ detail }) => {
  if (detail.about === "like") showLikes(room.counts.likes);
});

show();
setInterval(tick, 1000);
if (!isLocked || room.hasTicket) {
  // With a ticket the login form must not flash.
  byId("login-gate").hidden = true;
  byId("chat-area").hidden = false;
  room.start();
}
