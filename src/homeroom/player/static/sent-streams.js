// What arrives from the teacher's program: a line for each stream, and what to change.

import { formatText } from "./room.js";

const KBPS_PER_MBPS = 1000;

export class SentStreams {
  #figures = document.getElementById("sent-figures");
  #problems = document.getElementById("sent-problems");
  #texts;
  #language;

  constructor(texts, language) {
    this.#texts = texts;
    this.#language = language;
  }

  /** Show the reports of the server on the streams that are on the air. */
  show(streams) {
    const isAlone = streams.length < 2;
    const label = (kind, text) =>
      isAlone ? text : formatText(this.#texts[`teach.sent_${kind}`], { text });
    const figures = streams
      .map((stream) => [stream.kind, this.#formatFigures(stream)])
      .filter(([, text]) => text)
      .map(([kind, text]) => createItem(label(kind, text)));
    this.#figures.replaceChildren(...figures);
    this.#showProblems(
      streams.flatMap(({ kind, problems }) =>
        problems.map((problem) => label(kind, this.#texts[`teach.problem.${problem}`])),
      ),
    );
  }

  #formatFigures({ kbps, frame_rate, key_frame_seconds }) {
    const isFast = kbps >= KBPS_PER_MBPS;
    const figures = [
      [isFast ? "mbps" : "kbps", isFast ? kbps / KBPS_PER_MBPS : kbps],
      ["frames", frame_rate],
      ["keyframes", key_frame_seconds],
    ];
    return figures
      .filter(([, value]) => value !== null)
      .map(([name, value]) => {
        const n = value.toLocaleString(this.#language);
        return formatText(this.#texts[`teach.sent_${name}`], { n });
      })
      .join(" · ");
  }

  /** Change only what is new or over: screen readers announce each item that is added. */
  #showProblems(texts) {
    const items = [...this.#problems.children];
    const shown = items.map((item) => item.textContent);
    for (const item of items) if (!texts.includes(item.textContent)) item.remove();
    this.#problems.append(...texts.filter((text) => !shown.includes(text)).map(createItem));
  }
}

function createItem(text) {
  const item = document.createElement("li");
  item.textContent = text;
  return item;
}
