// The teacher's page: on the air or not, who is there, what viewers see, and the end of the class.

import { Chat } from "./chat.js";
import { Picture } from "./picture.js";
import { Replay } from "./replay.js";
import { filled, pageData, Room } from "./room.js";
import { Studio } from "./studio.js";
import { CloseCode, TeacherView } from "./wire.js";

const OVER_VIEWS = [
  TeacherView.CLIPS,
  TeacherView.CLIPS_SOON,
  TeacherView.NO_CLIPS,
  TeacherView.DELETED,
];
/** For each view the text about the time, and the moment of the state that it counts down to. */
const CLOCKS = {
  [TeacherView.BEFORE]: ["opens_in", "opens"],
  [TeacherView.OPEN_EARLY]: ["begins_in", "begins"],
  [TeacherView.RUNNING]: ["ends_in", "ends"],
  [TeacherView.OVERTIME]: ["closes_in", "closes"],
  [TeacherView.DELETED]: ["deleted"],
};

const find = (id) => document.getElementById(id);

const page = pageData();
const { texts } = page;
const room = new Room(page);
const picture = new Picture(find("picture"), texts);
const replay = new Replay(find("replay"), texts, `homeroom.teach.${page.key}`);
const studio = find("devices") && new Studio(page.base, texts);

// --- tabs ---------------------------------------------------------------------------------------

const tabs = [...document.querySelectorAll('[role="tab"]')];

function openTab(tab) {
  for (const one of tabs) {
    const isOpen = one === tab;
    one.setAttribute("aria-selected", String(isOpen));
    one.tabIndex = isOpen ? 0 : -1;
    find(one.getAttribute("aria-controls")).hidden = !isOpen;
  }
}

for (const [index, tab] of tabs.entries()) {
  tab.addEventListener("click", () => openTab(tab));
  tab.addEventListener("keydown", ({ key }) => {
    if (key === "ArrowRight" || key === "ArrowLeft") {
      const other = tabs[(index + 1) % tabs.length];
      openTab(other);
      other.focus();
    }
  });
}

// --- server and stream key --------------------------------------------------------------------

for (const button of document.querySelectorAll("[data-copy]")) {
  const input = find(button.dataset.copy);
  const label = button.textContent;
  button.addEventListener("click", async () => {
    await copy(input);
    button.textContent = texts["teach.copied"];
    setTimeout(() => {
      button.textContent = label;
    }, 2000);
  });
}

for (const button of document.querySelectorAll("[data-show]")) {
  const input = find(button.dataset.show);
  button.addEventListener("click", () => {
    const isShown = input.type === "password";
    input.type = isShown ? "text" : "password";
    button.setAttribute("aria-pressed", String(isShown));
    button.textContent = texts[isShown ? "teach.hide_key" : "teach.show_key"];
  });
}

async function copy(input) {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(input.value);
    return;
  }
  // Pages reached without https have no clipboard but this; nothing is copied from a hidden field.
  const { type } = input;
  input.type = "text";
  input.select();
  document.execCommand("copy");
  input.type = type;
}

// --- the class now ----------------------------------------------------------------------------

function show(state) {
  const isOver = OVER_VIEWS.includes(state.view);
  const isOpen = !isOver && state.view !== TeacherView.BEFORE;
  const onAir = isOnAir(state);
  const air = texts[onAir ? "teach.on_air" : "teach.off_air"];
  if (find("air").textContent !== air) find("air").textContent = air;
  find("air").classList.toggle("on", onAir);
  find("end").hidden = !isOpen;
  find("studio").hidden = isOver;
  find("seen").hidden = isOver;
  find("clips").hidden = !isOver;
  if (isOver) {
    studio?.close();
    find("ending").close();
    showClips(state);
  } else {
    studio?.show(isOpen, onAir);
  }
  if (onAir && state.sources.class) picture.play(state.sources.class);
  else picture.stop();
  find("seen-note").hidden = onAir;
  tick();
}

function isOnAir(state) {
  return state.on_air.includes("class");
}

function showClips(state) {
  const hasClips = state.clips.length > 0;
  find("replay").hidden = !hasClips;
  find("no-clips").hidden = hasClips;
  const isMissing = state.view === TeacherView.NO_CLIPS;
  const words = texts[isMissing ? "teach.clips_none" : "teach.clips_soon"];
  if (find("no-clips").textContent !== words) find("no-clips").textContent = words;
  if (hasClips) replay.show(state.clips);
}

/** Say how much time there is, once a second. */
function tick() {
  const { state, now } = room;
  const [words, until] = CLOCKS[state.view] ?? ["over"];
  const left = until ? state[until] - now : 0;
  find("clock").textContent = filled(texts[`teach.${words}`], { time: span(left) });
}

function span(seconds) {
  const left = Math.max(0, Math.ceil(seconds));
  const [hours, minutes] = [Math.floor(left / 3600), Math.floor(left / 60) % 60];
  if (hours >= 24) {
    const values = { days: Math.floor(hours / 24), hours: hours % 24 };
    return filled(texts["teach.time_days"], values);
  }
  const two = (number) => String(number).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(left % 60)}` : `${minutes}:${two(left % 60)}`;
}

setInterval(tick, 1000);

room.addEventListener("state", ({ detail }) => show(detail));
room.addEventListener("counts", ({ detail }) => {
  find("viewers").textContent = detail.viewers.toLocaleString(page.language);
  find("likes").textContent = detail.likes.toLocaleString(page.language);
});
room.addEventListener("online", () => {
  find("lost").hidden = true;
});
room.addEventListener("offline", ({ detail }) => {
  find("lost").hidden = false;
  if (detail.code !== CloseCode.NOT_FOUND) return;
  // The page is no more: its notice says so.
  studio?.close();
  location.reload();
});
replay.addEventListener("expired", () => room.ask());

// --- who is here ------------------------------------------------------------------------------

room.addEventListener("people", ({ detail: { people, more } }) => {
  find("nobody").hidden = people.length > 0 || more > 0;
  find("more").hidden = more === 0;
  find("more").textContent = filled(texts["teach.more"], { n: more });
  const focused = document.activeElement?.dataset.viewer;
  find("people").replaceChildren(...people.map(person));
  if (focused) find("people").querySelector(`[data-viewer="${focused}"]`)?.focus();
});

function person({ viewer, name, muted }) {
  const item = document.createElement("li");
  const label = document.createElement("span");
  label.dir = "auto";
  label.textContent = name;
  item.append(label);
  if (muted) {
    const badge = document.createElement("span");
    badge.className = "badge";
    badge.textContent = texts["teach.is_muted"];
    item.append(badge);
  }
  const button = document.createElement("button");
  button.type = "button";
  button.className = "quiet";
  button.dataset.viewer = viewer;
  button.textContent = texts[muted ? "teach.allow_viewer" : "teach.mute_viewer"];
  button.setAttribute("aria-label", `${button.textContent}: ${name}`);
  button.addEventListener("click", () => room.mute(viewer, !muted));
  item.append(button);
  return item;
}

// --- the end ----------------------------------------------------------------------------------

find("end").addEventListener("click", () => {
  find("end-failed").hidden = true;
  find("ending").showModal();
});

find("end-now").addEventListener("click", async ({ currentTarget: button }) => {
  button.disabled = true;
  const headers = { "content-type": "application/json" };
  const request = { method: "POST", headers, body: "{}" };
  const answer = await fetch(`${page.base}/end`, request).catch(() => null);
  button.disabled = false;
  find("end-failed").hidden = Boolean(answer?.ok);
  if (answer?.ok) {
    find("ending").close();
    room.ask();
  }
});

show(room.state);
new Chat(find("chat"), room, page);
room.start();
