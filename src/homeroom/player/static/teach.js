// Teacher's page: status, presence, preview of what viewers see, and the end of the class.

import { Chat } from "./chat.js";
import { DeviceCheck } from "./device-check.js";
import { LivePlayer } from "./live-player.js";
import { PublishPanel } from "./publish-panel.js";
import { ReplayPlayer } from "./replay.js";
import { formatText, pageData, Room } from "./room.js";
import { SentStreams } from "./sent-streams.js";
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

const byId = (id) => document.getElementById(id);

const page = pageData();
const { texts } = page;
const room = new Room(page);
const livePlayer = new LivePlayer(byId("player"), texts);
const replay = new ReplayPlayer(byId("replay"), texts, `homeroom.teach.${page.key}`);
const sentStreams = new SentStreams(texts, page.language);
const deviceCheck = new DeviceCheck(page.base, texts);
const publishPanel = byId("devices") && new PublishPanel(page.base, texts);

// --- tabs ---------------------------------------------------------------------------------------

const tabs = [...document.querySelectorAll('[role="tab"]')];

function openTab(tab) {
  for (const item of tabs) {
    const isOpen = item === tab;
    item.setAttribute("aria-selected", String(isOpen));
    item.tabIndex = isOpen ? 0 : -1;
    byId(item.getAttribute("aria-controls")).hidden = !isOpen;
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
  const input = byId(button.dataset.copy);
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
  const input = byId(button.dataset.show);
  button.addEventListener("click", () => {
    const isVisible = input.type === "password";
    input.type = isVisible ? "text" : "password";
    button.setAttribute("aria-pressed", String(isVisible));
    button.textContent = texts[isVisible ? "teach.hide_key" : "teach.show_key"];
  });
}

async function copy(input) {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(input.value);
    return;
  }
  // Without HTTPS there is no clipboard API; execCommand copies nothing from a password field.
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
  const label = texts[onAir ? "teach.on_air" : "teach.off_air"];
  if (byId("air-badge").textContent !== label) byId("air-badge").textContent = label;
  byId("air-badge").classList.toggle("on", onAir);
  byId("end").hidden = !isOpen;
  byId("sent-figures").hidden = isOver;
  byId("studio").hidden = isOver;
  byId("viewer-preview").hidden = isOver;
  byId("clips").hidden = !isOver;
  if (isOver) {
    publishPanel?.close();
    byId("ending").close();
    showClips(state);
  } else {
    publishPanel?.show(isOpen, onAir);
  }
  if (onAir && state.sources.class) {
    livePlayer.setProblems(state.problems.class ?? []);
    livePlayer.play(state.sources.class);
  } else {
    livePlayer.stop();
  }
  byId("viewer-preview-note").hidden = onAir;
  tick();
}

function isOnAir(state) {
  return state.on_air.includes("class");
}

function showClips(state) {
  const hasClips = state.clips.length > 0;
  byId("replay").hidden = !hasClips;
  byId("no-clips").hidden = hasClips;
  const isMissing = state.view === TeacherView.NO_CLIPS;
  const words = texts[isMissing ? "teach.clips_none" : "teach.clips_soon"];
  if (byId("no-clips").textContent !== words) byId("no-clips").textContent = words;
  if (hasClips) replay.show(state.clips);
}

/** Update the clock, once a second. */
function tick() {
  const { state, now } = room;
  const [words, until] = CLOCKS[state.view] ?? ["over"];
  const left = until ? state[until] - now : 0;
  byId("extend").hidden = !canExtend();
  byId("clock").textContent = formatText(texts[`teach.${words}`], { time: formatDuration(left) });
}

function formatDuration(seconds) {
  const left = Math.max(0, Math.ceil(seconds));
  const [hours, minutes] = [Math.floor(left / 3600), Math.floor(left / 60) % 60];
  if (hours >= 24) {
    const values = { days: Math.floor(hours / 24), hours: hours % 24 };
    return formatText(texts["teach.time_days"], values);
  }
  const pad = (number) => String(number).padStart(2, "0");
  return hours ? `${hours}:${pad(minutes)}:${pad(left % 60)}` : `${minutes}:${pad(left % 60)}`;
}

setInterval(tick, 1000);

room.addEventListener("state", ({ detail }) => show(detail));
room.addEventListener("counts", ({ detail }) => {
  byId("viewers").textContent = detail.viewers.toLocaleString(page.language);
  byId("likes").textContent = detail.likes.toLocaleString(page.language);
});
room.addEventListener("streams", ({ detail }) => sentStreams.show(detail.streams));
room.addEventListener("online", () => {
  byId("offline").hidden = true;
});
room.addEventListener("offline", ({ detail }) => {
  byId("offline").hidden = false;
  livePlayer.setProblems([]);
  if (detail.code !== CloseCode.NOT_FOUND) return;
  // The page is gone: a reload shows the notice.
  publishPanel?.close();
  location.reload();
});
replay.addEventListener("expired", () => room.requestState());

// --- who is here ------------------------------------------------------------------------------

room.addEventListener("people", ({ detail: { people, more } }) => {
  byId("no-viewers").hidden = people.length > 0 || more > 0;
  byId("more").hidden = more === 0;
  byId("more").textContent = formatText(texts["teach.more"], { n: more });
  const focusedViewer = document.activeElement?.dataset.viewer;
  byId("people").replaceChildren(...people.map(createViewerItem));
  if (focusedViewer) byId("people").querySelector(`[data-viewer="${focusedViewer}"]`)?.focus();
});

function createViewerItem({ viewer, name, muted }) {
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
  button.className = "text-button";
  button.dataset.viewer = viewer;
  button.textContent = texts[muted ? "teach.allow_viewer" : "teach.mute_viewer"];
  button.setAttribute("aria-label", `${button.textContent}: ${name}`);
  button.addEventListener("click", () => room.mute(viewer, !muted));
  item.append(button);
  return item;
}

// --- the length of the class --------------------------------------------------------------------

const EXTEND_FROM = 8 * 60; // seconds before the end, as the server checks them
const EXTEND_UNTIL = 3 * 60;

/** Tell whether the class may be extended now: once, shortly before its end. */
function canExtend() {
  const { state, now } = room;
  const left = state.ends - now;
  const isRunning = state.view === TeacherView.RUNNING;
  return isRunning && !page.is_extended && left <= EXTEND_FROM && left >= EXTEND_UNTIL;
}

byId("extend").addEventListener("click", () => {
  byId("extend-failed").hidden = true;
  byId("extending").showModal();
});

for (const button of byId("extending").querySelectorAll("[data-minutes]")) {
  button.addEventListener("click", () => extend(button));
}

async function extend(button) {
  button.disabled = true;
  const response = await post("extend", { minutes: Number(button.dataset.minutes) });
  button.disabled = false;
  if (response?.ok) {
    page.is_extended = true;
    byId("extending").close();
    room.requestState();
    tick();
    return;
  }
  const { code } = (await response?.json().catch(() => null)) ?? {};
  byId("extend-failed").textContent = texts[`teach.${code}`] ?? texts["teach.extend_failed"];
  byId("extend-failed").hidden = false;
}

/** Send something to the page's own server; returns null if there is no answer. */
function post(path, body) {
  const headers = { "content-type": "application/json" };
  const request = { method: "POST", headers, body: JSON.stringify(body) };
  return fetch(`${page.base}/${path}`, request).catch(() => null);
}

byId("check")?.addEventListener("click", () => deviceCheck.open());

// --- the end ----------------------------------------------------------------------------------

byId("end").addEventListener("click", () => {
  byId("end-failed").hidden = true;
  byId("ending").showModal();
});

byId("end-now").addEventListener("click", async ({ currentTarget: button }) => {
  button.disabled = true;
  const answer = post("end", {});
  // The server ends the stream before it answers: that is no reason to publish again.
  publishPanel?.waitFor(answer);
  const response = await answer;
  button.disabled = false;
  byId("end-failed").hidden = Boolean(response?.ok);
  if (response?.ok) {
    publishPanel?.close();
    byId("ending").close();
    room.requestState();
  }
});

show(room.state);
new Chat(byId("chat"), room, page);
room.start();
