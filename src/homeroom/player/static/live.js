/** The page of a class: countdown, picture or replay, and who is there. */

import { Chat } from "./chat.js";
import { loginForm } from "./forms.js";
import { pageData, Room } from "./room.js";
import { ChatAccess, CloseCode, ParticipantKind, View } from "./wire.js";

/** From which number on counts are rounded. */
const MANY = 10_000;
const UNITS = { days: 86_400, hours: 3600, minutes: 60, seconds: 1 };

const page = pageData();
const { texts, language } = page;
const find = (id) => document.getElementById(id);
const room = new Room(page);
const chat = new Chat(find("chat"), room, page);
const views = document.querySelectorAll("[data-view]");
const angles = find("angles");
const like = find("like");
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
  find("stage").hidden = view === View.REPLAY;
  find("gate").hidden = view !== View.LOCKED;
  find("talk").hidden = view === View.LOCKED;
  showPicture(view === View.PICTURE);
  if (view === View.REPLAY) showReplay();
  if (view === View.COUNTDOWN) countDown();
}

async function showPicture(isShown) {
  const { state } = room;
  const onAir = state ? state.on_air.filter((name) => state.sources[name]) : [];
  angles.hidden = !isShown || onAir.length < 2;
  if (!isShown) {
    shownAngle = null;
    players.picture?.stop();
    return;
  }
  if (!(await player(View.PICTURE))) return;
  const wanted = onAir.includes(angle) ? angle : onAir[0];
  // Another picture is another start; the same one goes on by itself.
  if (shownAngle !== wanted) players.picture.stop();
  shownAngle = wanted;
  players.picture.play(state.sources[wanted]);
}

async function showReplay() {
  if (await player(View.REPLAY)) players.replay.show(room.state.clips);
}

/** Load the player of a view; returns whether the page still shows that view. */
async function player(name) {
  if (!players[name]) {
    const { Picture, Replay } = await import(`./${name}.js`);
    players[name] ??= Picture
      ? new Picture(find("picture"), texts)
      : new Replay(find("replay"), texts, `homeroom.replay.${page.key}`);
    players[name].addEventListener("watching", watched);
    players[name].addEventListener("expired", expired);
  }
  return currentView() === name;
}

function watched({ detail }) {
  room.play(detail.on);
}

function expired() {
  room.ask();
}

function countDown() {
  let left = Math.max(0, Math.ceil(room.state.begins - room.now));
  find("days").parentElement.hidden = left < UNITS.days;
  for (const [name, length] of Object.entries(UNITS)) {
    find(name).textContent = Math.floor(left / length);
    left %= length;
  }
}

function tick() {
  if (currentView() === View.COUNTDOWN) countDown();
}

function number(count) {
  return count < MANY ? String(count) : rounded.format(count);
}

function showLikes(count) {
  likes = count;
  find("likes").textContent = number(likes);
}

function rise() {
  const heart = document.createElement("i");
  heart.append(like.querySelector("svg").cloneNode(true));
  heart.style.setProperty("--drift", `${Math.round(Math.random() * 36 - 18)}px`);
  heart.addEventListener("animationend", () => heart.remove());
  like.append(heart);
  if (like.querySelectorAll("i").length > 12) like.querySelector("i").remove();
}

like.addEventListener("click", () => {
  if (room.you.chat === ChatAccess.LOGIN) {
    chat.askWho("login");
    return;
  }
  room.like();
  like.classList.add("is-liked");
  rise();
  showLikes(likes + 1);
});

angles.addEventListener("click", ({ target }) => {
  if (!target.dataset.angle) return;
  angle = target.dataset.angle;
  for (const button of angles.children) {
    button.ariaPressed = String(button.dataset.angle === angle);
  }
  show();
});

find("logout").addEventListener("click", () => room.logout());
loginForm(find("gate").querySelector("form"), room, texts);

room.addEventListener("state", show);
room.addEventListener("welcome", () => {
  isLocked = false;
  show();
});
room.addEventListener("needs_login", () => {
  isLocked = true;
  find("who").hidden = find("logout").hidden = true;
  show();
});
room.addEventListener("offline", ({ detail }) => {
  // There is nothing to see here any more: the notice in its place says why.
  if (detail.code === CloseCode.NOT_FOUND) location.reload();
});
room.addEventListener("you", ({ detail: you }) => {
  find("who").textContent = you.name;
  find("who").hidden = !you.name;
  find("logout").hidden = you.kind !== ParticipantKind.USER;
});
room.addEventListener("counts", ({ detail }) => {
  find("viewers").textContent = number(detail.viewers);
  // What was just liked may not be in it yet: the number never goes back.
  showLikes(Math.max(likes, detail.likes + room.pendingLikes));
});
room.addEventListener("no", ({ detail }) => {
  if (detail.about === "like") showLikes(room.counts.likes);
});

show();
setInterval(tick, 1000);
if (!isLocked || room.hasTicket) {
  // Who has a ticket does not see a form for a moment.
  find("gate").hidden = true;
  find("talk").hidden = false;
  room.start();
}
