"""Names of classes in the calendar file and in the read-back: text, and nothing else."""

import httpx
import pytest

from tests.support.given import Given
from tests.support.pages import HOSTILE
from tests.support.readback import ReadBack

INJECTED = (
    "Maths\r\nATTENDEE:mailto:a@example.org",
    "Maths\nEND:VEVENT\nBEGIN:VEVENT",
    "Maths\u2028X-EVIL:1\u2029X-EVIL:2",
    'a;b,c:d\\n"e"',
)  # fmt: skip
PROPERTIES = {
    "BEGIN", "VERSION", "PRODID", "METHOD", "CALSCALE", "UID", "DTSTAMP", "DTSTART", "DTEND",
    "SUMMARY", "DESCRIPTION", "URL", "END",
}  # fmt: skip


@pytest.mark.parametrize("name", [*HOSTILE, *INJECTED])
def test_a_name_adds_no_line_to_the_calendar(given: Given, name: str) -> None:
    """Case "What held": scripts in names are escaped in the calendar."""
    lesson = given.lesson(None, className=name, classIntroduce=name, record=1, live=1)
    key = given.seen(lesson).key
    answer = httpx.get(f"{given.house.url}/class/{key}/class.ics", trust_env=False)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/calendar")
    assert answer.headers["x-content-type-options"] == "nosniff"
    unfolded = answer.content.decode().replace("\r\n ", "")
    lines = unfolded.split("\r\n")[:-1]
    # No line break of any reader's alphabet inside a line.
    assert unfolded.splitlines() == lines
    assert {line.partition(":")[0].partition(";")[0] for line in lines} <= PROPERTIES
    assert len([line for line in lines if line == "BEGIN:VEVENT"]) == 1


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_is_a_value_of_json(given: Given, name: str) -> None:
    """Case "What held": scripts in names are escaped in JSON, which no browser takes for a page."""
    given.lesson(None, className=name)
    read = ReadBack(given)
    answer = read.get("/classes")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["data"][0]["className"] == name
    read.close()
