/** Shows moments in the viewer's time zone; the server wrote them in the school's. */

const weekday = new Intl.DateTimeFormat(document.documentElement.lang, { weekday: "short" });
const two = (number) => String(number).padStart(2, "0");

for (const time of document.querySelectorAll("time.when")) {
  const at = new Date(time.dateTime);
  const day = [at.getFullYear(), two(at.getMonth() + 1), two(at.getDate())].join("-");
  const words = `${day} ${weekday.format(at)} ${two(at.getHours())}:${two(at.getMinutes())}`;
  if (time.textContent !== words) time.textContent = words;
}
