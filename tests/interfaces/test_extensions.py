"""A class is extended, and devices are checked, on the teacher's page."""

from typing import Any, Final

import httpx
import pytest
from playwright.sync_api import expect

from homeroom.base.clock import DAY, HOUR, MINUTE
from homeroom.base.ids import SchoolId
from tests.support.attended import Attended
from tests.support.browser import Browser, opened
from tests.support.engine import until
from tests.support.given import Given
from tests.support.sandbox import Sandbox
from tests.support.wire import Value

Moved = tuple[Given, Sandbox]
JSON: Final = {"content-type": "application/json"}
IPHONE: Final = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X)"


class Extended(Attended):
    """A class that may be extended."""

    def __init__(self, moved: Moved, **fields: Value) -> None:
        given, sandbox = moved
        super().__init__(given, sandbox, **fields)
        self.end = self.seen.hours.end

    def post(self, path: str, body: object, **headers: str) -> httpx.Response:
        """Post something to the page."""
        address = f"{self.url}{self.teach_base}/{path}"
        return httpx.post(address, json=body, headers={**JSON, **headers}, timeout=30)

    def extend(self, minutes: int = 10) -> tuple[int, Any]:
        """Extend the class, and return the status and what scripts tell it by."""
        answer = self.post("extend", {"minutes": minutes})
        return answer.status_code, answer.json().get("code")


@pytest.mark.parametrize("minutes", [5, 20])
@pytest.mark.parametrize("before", [8 * MINUTE, 3 * MINUTE])
def test_a_class_is_extended_shortly_before_its_end(
    moved: Moved, minutes: int, before: int
) -> None:
    extended = Extended(moved)
    extended.at(extended.end - before)
    assert extended.extend(minutes) == (200, None)
    assert extended.seen.hours.end == extended.end + minutes * MINUTE
    (body,) = extended.bodies("class_extended")
    assert body["Cmd"] == "ClassLen"
    assert body["StartTime"] == extended.begin
    assert body["PrelectTimeLength"] == HOUR + minutes * MINUTE
    assert body["CloseClassDelay"] == 1200
    assert body["ClassID"] == extended.lesson
    change = extended.bodies("class_changed")[-1]
    assert change["UID"] == extended.seen.teacher
    assert change["opData"].keys() == {"courseId", "classId", "endTime"}


def test_once_and_only_then(moved: Moved) -> None:
    extended = Extended(moved)
    extended.at(extended.end - 8 * MINUTE - 1)
    assert extended.extend() == (409, "extend_early")
    extended.at(extended.end - 3 * MINUTE + 1)
    assert extended.extend() == (409, "extend_late")
    extended.at(extended.end - 5 * MINUTE)
    assert extended.extend(5) == (200, None)
    extended.at(extended.end)
    assert extended.extend(5) == (409, "extend_again")
    assert extended.seen.hours.end == extended.end + 5 * MINUTE
    assert len(extended.bodies("class_extended")) == 1


def test_the_end_is_sent_at_the_new_closing(moved: Moved) -> None:
    extended = Extended(moved)
    with extended.teacher_page():
        extended.wait_for("enter")
        extended.at(extended.end - 5 * MINUTE)
        extended.extend(20)
        extended.at(extended.closing)
        assert "class_summary" not in extended.sent
        extended.at(extended.closing + 20 * MINUTE)
    (summary,) = extended.bodies("class_summary")
    assert summary["CloseTime"] == extended.closing + 20 * MINUTE


def test_it_may_not_reach_into_maintenance(moved: Moved) -> None:
    extended = Extended(moved)
    extended.given.maintenance(extended.end + MINUTE, extended.end + HOUR)
    extended.at(extended.end - 5 * MINUTE)
    assert extended.extend() == (409, "extend_maintenance")


def test_it_may_not_last_longer_than_a_day(moved: Moved) -> None:
    given, sandbox = moved
    begin = given.now + DAY
    extended = Extended((given, sandbox), beginTime=begin, endTime=begin + DAY)
    extended.at(extended.end - 5 * MINUTE)
    assert extended.extend() == (409, "extend_length")


@pytest.mark.parametrize("body", [{}, {"minutes": 7}, {"minutes": "5"}, []])
def test_other_lengths_are_refused(moved: Moved, body: object) -> None:
    assert Extended(moved).post("extend", body).status_code == 400


# --- device checks -------------------------------------------------------------------------------

REPORT: Final = {
    "camera": {"name": "HD Webcam", "names": ["HD Webcam"], "program": 1, "user": 1},
    "microphone": {"name": "Mic", "names": ["Mic"], "program": 2, "user": 0},
    "speaker": {"name": "", "names": [], "program": 1, "user": 2},
    "delay": 12,
}


def test_a_check_in_the_open_class_is_of_the_class(moved: Moved) -> None:
    checked = Extended(moved)
    assert checked.post("check", REPORT, user_agent=IPHONE).status_code == 200
    (body,) = checked.bodies("device_check_in_class")
    assert (body["Cmd"], body["UID"]) == ("Check", checked.teacher)
    data = body["Data"]
    assert (data["CameraImpersonal"], data["CameraArbitrary"]) == (1, 1)
    assert (data["MicrophoneImpersonal"], data["HeadphoneArbitrary"]) == (2, 2)
    assert data["EEO_VIDEO_DEVICE_NAME"] == "HD Webcam"
    assert data["EEO_DEVICE_LIST"] == '{"camera":["HD Webcam"],"micphone":["Mic"],"speaker":[]}'
    assert data["NetworkDelay"] == "12"
    assert data["ClientIP"] == "127.0.0.*"
    assert data["addTime"] == checked.begin - 10 * MINUTE
    assert checked.events("check") == [{"camera": 1, "microphone": 2, "speaker": 1}]


def test_before_the_class_is_open_it_is_of_the_person(moved: Moved) -> None:
    checked = Extended(moved)
    checked.at(checked.begin - HOUR)
    assert checked.post("check", REPORT, **{"user-agent": IPHONE}).status_code == 200
    assert checked.bodies("device_check_in_class") == []
    (body,) = checked.of_person("device_check_outside")
    assert (body["Cmd"], body["UID"], body["SID"]) == (
        "UserCheck", checked.teacher, SchoolId(checked.given.school.id),
    )  # fmt: skip
    assert "ClassID" not in body
    assert (body["Data"]["OperatingSystem"], body["Data"]["DeviceType"]) == ("iOS", 2)


@pytest.mark.parametrize("body", [{"camera": {"program": 3}}, {"delay": -1}, [], "x" * 40_000])
def test_malformed_checks_are_refused(moved: Moved, body: object) -> None:
    assert Extended(moved).post("check", body).status_code in (400, 413)


# --- in a browser --------------------------------------------------------------------------------


@pytest.mark.parametrize(("width", "dark"), [(1440, False), (360, True)])
def test_the_button_extends_the_class(
    moved: Moved, browser: Browser, width: int, *, dark: bool
) -> None:
    extended = Extended(moved)
    extended.at(extended.end - 5 * MINUTE)
    with browser.context(width=width, dark=dark) as context:
        seen = opened(context, f"{extended.url}{extended.teach_base}")
        page = seen.page
        page.get_by_role("button", name="Extend the class").click()
        assert seen.violations() == []
        assert seen.width() <= width
        page.get_by_role("button", name="20 min").click()
        expect(page.locator("#extending")).not_to_be_visible()
        expect(page.get_by_role("button", name="Extend the class")).to_be_hidden()
        expect(page.locator("#clock")).to_contain_text("24:")
        assert seen.console == []
    assert extended.seen.hours.end == extended.end + 20 * MINUTE


@pytest.mark.parametrize(("width", "dark"), [(1440, True), (360, False)])
def test_devices_are_checked_in_the_browser(
    moved: Moved, browser: Browser, width: int, *, dark: bool
) -> None:
    pytest.importorskip("aiortc")
    checked = Extended(moved)
    devices = ("camera", "microphone")
    with browser.context(permissions=devices, width=width, dark=dark) as context:
        seen = opened(context, f"{checked.url}{checked.teach_base}")
        page = seen.page
        page.get_by_role("button", name="Check devices").click()
        until(lambda: page.evaluate("document.querySelector('#check-level').value") > 0.1)
        until(lambda: page.evaluate("document.querySelector('#check-picture').videoWidth") > 0)
        assert seen.violations() == []
        assert seen.width() <= width
        page.locator("[data-device=speaker]").get_by_text("Play a sound").click()
        page.locator("[data-device=speaker]").get_by_text("Does not work").click()
        page.get_by_role("button", name="Finish the check").click()
        expect(page.locator("#checking")).not_to_be_visible()
        assert seen.console == []
    (body,) = checked.bodies("device_check_in_class")
    data = body["Data"]
    verdicts = (data["CameraImpersonal"], data["MicrophoneImpersonal"], data["HeadphoneImpersonal"])
    assert verdicts == (1, 1, 1)
    assert data["HeadphoneArbitrary"] == 2
    assert "ake" in data["EEO_VIDEO_DEVICE_NAME"], "Chromium's fake camera"
