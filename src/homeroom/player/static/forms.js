/** The login form and the guest form: what they send, and what they say when it is refused. */

import { formatText, RequestError } from "./room.js";

const MAINLAND = "86";

/** Bring a login form to life; `done`, if given, is called after a login. */
export function bindLoginForm(form, room, texts, done) {
  bind(form, "login", texts, async (fields) => {
    const account = fields.get("account").trim();
    if (!account || !fields.get("password")) throw new RequestError("empty");
    await room.login(account, fields.get("password"));
    done?.();
  });
}

/** Bring a guest form to life; `done` is called once the guest is known. */
export function bindGuestForm(form, room, texts, done) {
  bind(form, "guest", texts, async (fields) => {
    const nickname = fields.get("nickname").trim();
    if (!nickname) throw new RequestError("nickname");
    await room.registerGuest(
      normalizeTelephone(fields.get("country"), fields.get("telephone")),
      nickname,
    );
    done();
  });
}

/** A number as the school's other doors know it: mainland numbers plain, others 00CC-number. */
export function normalizeTelephone(country, number) {
  const [code, rest] = [country, number].map((text) => text.replace(/\D/g, ""));
  const areaCode = code.replace(/^0+/, "");
  return areaCode === MAINLAND || areaCode === "" ? rest : `00${areaCode}-${rest}`;
}

function bind(form, kind, texts, send) {
  const errorText = form.querySelector(".error-text");
  const button = form.querySelector("button.primary");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    errorText.hidden = true;
    button.disabled = true;
    try {
      await send(new FormData(form));
      form.reset();
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      const text = texts[`${kind}.no.${error.code}`] ?? texts["page.failed"];
      errorText.textContent = formatText(text, { seconds: Math.ceil(error.wait) });
      errorText.hidden = false;
    } finally {
      button.disabled = false;
    }
  });
  form.querySelector("[data-close]")?.addEventListener("click", () => {
    form.closest("dialog").close();
  });
}
