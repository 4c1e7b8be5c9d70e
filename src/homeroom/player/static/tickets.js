/** Stores the tickets that identify a viewer. Cookies are not used: embedded pages have none. */

import { ParticipantKind } from "./wire.js";

/** The browser's local storage, or memory if that is blocked. */
class TicketStorage {
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
      // Blocked or full: the memory keeps the ticket as long as the page.
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

/** Tickets by scope: a login is valid for all classes of the school, others for this class. */
export class Tickets {
  #storage = new TicketStorage();
  #linkTicket;
  #slots;
  #rejected = new Set();

  constructor(page) {
    const isTeacher = page.kind === "teach";
    this.#slots = isTeacher ? [] : [`homeroom.school.${page.school}`, `homeroom.class.${page.key}`];
    this.#linkTicket = page.ticket;
  }

  /** The ticket to join with, or null. */
  get current() {
    const tickets = [this.#linkTicket, ...this.#slots.map((slot) => this.#storage.get(slot))];
    return tickets.find((ticket) => ticket && !this.#rejected.has(ticket)) ?? null;
  }

  /** Save a ticket of a kind: visitor, guest, link or user. */
  save(kind, ticket) {
    const [school, lesson] = this.#slots;
    if (kind !== ParticipantKind.LINK) this.#linkTicket = null;
    if (school) this.#storage.set(kind === ParticipantKind.USER ? school : lesson, ticket);
  }

  /** Remove a rejected ticket from all slots. */
  forget(ticket) {
    this.#rejected.add(ticket);
    for (const slot of this.#slots) {
      if (this.#storage.get(slot) === ticket) this.#storage.remove(slot);
    }
  }
}
