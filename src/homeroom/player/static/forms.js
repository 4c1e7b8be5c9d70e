/** Login form and guest form: submit, and show errors. */

import { formatText, RequestError } from "./room.js";
import { LoginRefusal } from "./wire.js";

const MAINLAND = "86";

/** Bind a login form; `done`, if given, is called after a login. */
export function bindLoginForm(form, room, texts, done) {
  bind(form, "login", texts, async (fields) => {
    const account = fields.get("account").trim();
    if (!account || !fields.get("password")) throw new RequestError("empty");
    await room.login(account, fields.get("password"));
    done?.();
  });
}

/** Bind a guest form; `done` is called after the registration. */
export function bindGuestForm(form, room, texts, done) {
  bind(form, "guest", texts, async (fields) => {
    const nickname = fields.get("nickname").trim();
    if (!nickname) throw new RequestError(LoginRefusal.NICKNAME);
    await room.registerGuest(
      normalizeTelephone(fields.get("country"), fields.get("telephone")),
      nickname,
    );
    done();
  });
}

/** Return a number as the partner API writes it: mainland numbers plain, others 00CC-number. */
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
