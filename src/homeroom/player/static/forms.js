/** The login form and the guest form: what they send, and what they say when it is refused. */

import { filled, Problem } from "./room.js";

const MAINLAND = "86";

/** Bring a login form to life; `done`, if given, is called after a login. */
export function loginForm(form, room, texts, done) {
  bind(form, "login", texts, async (told) => {
    const account = told.get("account").trim();
    if (!account || !told.get("password")) throw new Problem("empty");
    await room.login(account, told.get("password"));
    done?.();
  });
}

/** Bring a guest form to life; `done` is called once the guest is known. */
export function guestForm(form, room, texts, done) {
  bind(form, "guest", texts, async (told) => {
    const nickname = told.get("nickname").trim();
    if (!nickname) throw new Problem("nickname");
    await room.enlist(telephone(told.get("country"), told.get("telephone")), nickname);
    done();
  });
}

/** A number as the school's other doors know it: mainland numbers plain, others 00CC-number. */
export function telephone(country, number) {
  const [code, rest] = [country, number].map((text) => text.replace(/\D/g, ""));
  const area = code.replace(/^0+/, "");
  return area === MAINLAND || area === "" ? rest : `00${area}-${rest}`;
}

function bind(form, kind, texts, send) {
  const wrong = form.querySelector(".wrong");
  const button = form.querySelector("button.first");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    wrong.hidden = true;
    button.disabled = true;
    try {
      await send(new FormData(form));
      form.reset();
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      const text = texts[`${kind}.no.${problem.code}`] ?? texts["page.failed"];
      wrong.textContent = filled(text, { seconds: Math.ceil(problem.wait) });
      wrong.hidden = false;
    } finally {
      button.disabled = false;
    }
  });
  form.querySelector("[data-close]")?.addEventListener("click", () => {
    form.closest("dialog").close();
  });
}
