"""The demo's past class has a replay that plays, from the page of its course on."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.support.browser import Browser
from tests.support.process import Process
from tests.support.school import School
from tests.support.visiting import moving

pytestmark = [pytest.mark.e2e, pytest.mark.browser]


def test_the_past_class_of_the_demo_is_replayed(browser: Browser, tmp_path: Path) -> None:
    server = Process("--demo", "--sandbox", data=tmp_path / "data")
    server.wait_until_ready()
    school = School(server)
    try:
        (past,) = (one for one in school.listed("classes") if one["className"] == "Whole numbers")
        course = school.api.call("getWebcastUrl", courseId=past["courseId"]).data
        with browser.opened(course) as seen:
            page = seen.page
            badge = page.get_by_role("link", name="Whole numbers").locator(".badge")
            expect(badge).to_have_text("Replay")
            page.get_by_role("link", name="Whole numbers").click()
            page.get_by_role("button", name="Watch the replay").click()
            assert moving(page, "#replay") == (1280, 720)
            assert seen.violations() == []
        assert len(school.clips(past["classId"])) == 1
    finally:
        school.close()
        assert server.stop() == 0

    again = Process("--demo", "--sandbox", data=tmp_path / "data")
    again.wait_until_ready()
    school = School(again)
    try:
        assert len(school.clips(past["classId"])) == 1
    finally:
        school.close()
        assert again.stop() == 0
