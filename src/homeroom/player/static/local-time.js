/** Shows times in the viewer's time zone; the server wrote them in the school's. */

const weekday = new Intl.DateTimeFormat(document.documentElement.lang, { weekday: "short" });
const pad = (number) => String(number).padStart(2, "0");

for (const time of document.querySelectorAll("time.local-time")) {
  const at = new Date(time.dateTime);
  const day = [at.getFullYear(), pad(at.getMonth() + 1), pad(at.getDate())].join("-");
  const text = `${day} ${weekday.format(at)} ${pad(at.getHours())}:${pad(at.getMinutes())}`;
  if (time.textContent !== text) time.textContent = text;
}
