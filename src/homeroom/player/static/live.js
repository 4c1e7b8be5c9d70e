/** The page of a class: countdown, picture or replay, and who is there. */

import { Chat } from "./chat.js";
import { loginForm } from "./forms.js";
import { pageData, Room } from "./room.js";

/** Seconds after which a replay that is being made is looked for again. */
const REPLAY_AGAIN = 20;
/** Seconds after a class from which on no replay is promised any more: it would be there. */
const LATEST_REPLAY = 90;
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
let hadPicture = false;
let angle = "class";
let shownAngle = null;
let likes = 0;
let nextLook = 0;
const players = {};

/** What is seen of a class; the same choice as in live.html. */
function view(state) {
  if (isLocked || !state) return "locked";
  if (state.phase === "gone") return "over";
  if (state.phase === "over") {
    if (state.clips.length) return "replay";
    return state.replay && room.now < state.closes + LATEST_REPLAY ? "replay_soon" : "over";
  }
  if (!state.live) return "unbroadcast";
  if (state.on_air.some((name) => state.sources[name])) return "picture";
  if (room.now < state.begins) return "countdown";
  return hadPicture ? "away" : "soon";
}

function show() {
  const { state } = room;
  const seen = view(state);
  for (const one of views) one.hidden = one.dataset.view !== seen;
  find("stage").hidden = seen === "replay";
  find("gate").hidden = seen !== "locked";
  find("talk").hidden = seen === "locked";
  showPicture(seen === "picture");
  if (seen === "replay") showReplay();
  if (seen === "countdown") countDown();
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
  hadPicture = true;
  if (!(await player("picture"))) return;
  const wanted = onAir.includes(angle) ? angle : onAir[0];
  // Another picture is another start; the same one goes on by itself.
  if (shownAngle !== wanted) players.picture.stop();
  shownAngle = wanted;
  players.picture.play(state.sources[wanted]);
}

async function showReplay() {
  if (await player("replay")) players.replay.show(room.state.clips);
}

/** Load a player when it is needed; tells whether it still is. */
async function player(name) {
  if (!players[name]) {
    const { Picture, Replay } = await import(`./${name}.js`);
    players[name] ??= Picture
      ? new Picture(find("picture"), texts)
      : new Replay(find("replay"), texts, `homeroom.replay.${page.key}`);
    players[name].addEventListener("watching", watched);
    players[name].addEventListener("expired", expired);
  }
  return view(room.state) === name;
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
  const { state } = room;
  const seen = view(state);
  // What is seen may change by the clock alone.
  if (document.querySelector(`[data-view="${seen}"]`).hidden) show();
  else if (seen === "countdown") countDown();
  if (seen === "replay_soon" && room.now > nextLook) {
    nextLook = room.now + REPLAY_AGAIN;
    room.ask();
  }
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
  if (room.you.chat === "login") {
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
  if (detail.code === 4404) location.reload();
});
room.addEventListener("you", ({ detail: you }) => {
  find("who").textContent = you.name;
  find("who").hidden = !you.name;
  find("logout").hidden = you.kind !== "user";
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
