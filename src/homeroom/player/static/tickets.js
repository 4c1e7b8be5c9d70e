/** The tickets that say who a viewer is. There are no cookies: a page in a frame has none. */

import { ParticipantKind } from "./wire.js";

/** The browser's storage; where it is blocked, the page's own memory. */
class Storage {
  #memory = new Map();

  get(slot) {
    try {
      return localStorage.getItem(slot) ?? this.#memory.get(slot) ?? null;
    } catch {
      return this.#memory.get(slot) ?? null;
    }
  }

  set(slot, text) {
    this.#memory.set(slot, text);
    try {
      localStorage.setItem(slot, text);
    } catch {
      // Blocked, or full: what is in memory lasts as long as the page.
    }
  }

  remove(slot) {
    this.#memory.delete(slot);
    try {
      localStorage.removeItem(slot);
    } catch {
      // As above.
    }
  }
}

/** A login is good for every class of the school; any other ticket for this class. */
export class Tickets {
  #storage = new Storage();
  #given;
  #slots;
  #refused = new Set();

  constructor(page) {
    const isTeacher = page.kind === "teach";
    this.#slots = isTeacher ? [] : [`homeroom.school.${page.school}`, `homeroom.class.${page.key}`];
    this.#given = page.ticket;
  }

  /** The ticket to join with, or null. */
  get best() {
    const tickets = [this.#given, ...this.#slots.map((slot) => this.#storage.get(slot))];
    return tickets.find((ticket) => ticket && !this.#refused.has(ticket)) ?? null;
  }

  /** Keep a ticket of a kind: visitor, guest, link or user. */
  keep(kind, ticket) {
    const [school, lesson] = this.#slots;
    if (kind !== ParticipantKind.LINK) this.#given = null;
    if (school) this.#storage.set(kind === ParticipantKind.USER ? school : lesson, ticket);
  }

  /** Forget a ticket wherever it stands. */
  forget(ticket) {
    this.#refused.add(ticket);
    for (const slot of this.#slots) {
      if (this.#storage.get(slot) === ticket) this.#storage.remove(slot);
    }
  }
}
