"""The live page of a running server in a real browser, before, during and after a class."""

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import httpx
import pytest
from playwright.sync_api import Page, expect

from homeroom.base.clock import DAY, HOUR
from homeroom.media.demo import SAMPLE
from tests.support import ffmpeg
from tests.support.browser import Browser, Seen, opened
from tests.support.engine import until
from tests.support.ffmpeg import needs_ffmpeg
from tests.support.live_page import UNABLE
from tests.support.playlist_poller import PlaylistPoller
from tests.support.process import Process
from tests.support.school import School
from tests.support.visiting import hears, introduce, moving, say
from tests.support.wire import Value

pytestmark = [pytest.mark.e2e, pytest.mark.browser, needs_ffmpeg]

LIVE: Final = re.compile(r"^  live class  (http\S+)$", re.MULTILINE)
ENGINE: Final = re.compile(r'"engine_process_started","pid":(\d+)')
PHONE: Final = 360
MOST_BYTES: Final = 300_000
MOST_SHIFT: Final = 0.01


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """Run `homeroom serve --demo --sandbox`, its demo class on the air."""
    running = Process("--demo", "--sandbox", data=tmp_path_factory.mktemp("live"))
    running.wait_until_ready()
    yield running
    running.stop()


@pytest.fixture
def school(server: Process) -> Iterator[School]:
    school = School(server)
    yield school
    school.close()
    ffmpeg.end_all()


def demo(server: Process) -> str:
    """Return the address of the class that is on the air."""
    (url,) = LIVE.findall(server.output)
    return str(url)


class Class:
    """A class of the demo school, and its page."""

    def __init__(self, school: School, **fields: Value) -> None:
        added = school.add(hours=1, **fields)
        self.school = school
        self.lesson: int = added.data
        self.page: str = added.body["more_data"]["live_url"]
        self.streams = school.stream(self.lesson)

    def end(self) -> None:
        """End it, as its teacher does."""
        url = f"{self.streams['teach_url']}/end"
        httpx.post(url, json={}, trust_env=False, timeout=10).raise_for_status()

    def record(self) -> None:
        """Send the sample clip at once, and wait for the recording of it."""
        self.school.recorded(self.lesson, SAMPLE, self.streams["push_url"])


def is_plain(seen: Seen, server: Process) -> None:
    """See that a page complains of nothing and asks no other host."""
    assert seen.console == []
    assert seen.requested <= {"127.0.0.1"}
    assert "Traceback" not in server.log


def test_two_people_watch_chat_and_like(server: Process, browser: Browser) -> None:
    url = demo(server)
    with browser.context() as one, browser.context(width=PHONE, height=740) as other:
        amy, ben = opened(one, url), opened(other, url)
        assert moving(amy.page) == (1280, 720)
        assert moving(ben.page) == (1280, 720)
        for seen in (amy, ben):
            expect(seen.page.locator("#viewers")).to_have_text("2")

        say(amy.page, "Is a half more than a third?")
        introduce(amy.page, "Amy", "13900000001")
        for seen in (amy, ben):
            hears(seen.page, "Is a half more than a third?")
        expect(ben.page.locator("#chat li b")).to_have_text(["Amy"])
        assert "13900000001" not in ben.page.content()

        before = int(ben.page.locator("#likes").inner_text())
        ben.page.locator("#like").click()
        for seen in (amy, ben):
            expect(seen.page.locator("#likes")).to_have_text(str(before + 1))
            is_plain(seen, server)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("dark", [False, True])
def test_the_page_on_the_air_is_light_still_and_for_everybody(
    server: Process, browser: Browser, language: str, *, dark: bool
) -> None:
    width = PHONE if dark else 1440
    with browser.opened(demo(server), language=language, dark=dark, width=width) as seen:
        moving(seen.page)
        weight = sum(
            size for url, size in seen.weight.items() if ".flv" not in url and "/live/" not in url
        )
        assert 50_000 < weight < MOST_BYTES
        assert any(url.endswith("/mpegts.js") for url in seen.weight)
        assert seen.violations() == []
        moved = seen.shifts()
        assert sum(value for value, _ in moved) < MOST_SHIFT, moved
        assert seen.width() <= width
        is_plain(seen, server)


def test_it_is_silent_until_somebody_wants_to_hear_it(server: Process, browser: Browser) -> None:
    with browser.opened(demo(server)) as seen:
        moving(seen.page)
        assert seen.page.evaluate("document.querySelector('video').muted") is True
        seen.page.get_by_role("button", name="Tap for sound").click()
        assert seen.page.evaluate("document.querySelector('video').muted") is False
        moving(seen.page)
        seen.page.get_by_role("button", name="Full screen").click()
        until(lambda: seen.page.evaluate("document.fullscreenElement?.id") == "player")


@pytest.mark.parametrize("status", [0, 204, 502])
def test_where_flv_does_not_get_through_hls_does(
    server: Process, browser: Browser, status: int
) -> None:
    with browser.context() as context:
        context.route(
            "**/*.flv?*",
            lambda route: route.fulfill(status=status) if status else route.abort(),
        )
        seen = opened(context, demo(server))
        assert moving(seen.page) == (1280, 720)
        assert any(".m3u8" in url for url in seen.weight)


def test_where_flv_cannot_be_played_hls_is(server: Process, browser: Browser) -> None:
    with browser.context() as context:
        context.add_init_script(UNABLE)
        seen = opened(context, demo(server))
        assert moving(seen.page) == (1280, 720)
        playlist = next(url for url in seen.weight if ".m3u8" in url)
        with PlaylistPoller(playlist.partition("&_HLS")[0]):
            assert moving(seen.page) == (1280, 720)
        is_plain(seen, server)


def test_the_picture_comes_back_when_the_engine_has_crashed(
    server: Process, browser: Browser
) -> None:
    with browser.opened(demo(server)) as seen:
        moving(seen.page)
        known = len(ENGINE.findall(server.log))
        seen.page.evaluate(
            "document.querySelector('video').onemptied = () => (window.broke = true)"
        )
        os.kill(int(ENGINE.findall(server.log)[-1]), signal.SIGKILL)
        until(lambda: len(ENGINE.findall(server.log)) > known)
        until(lambda: seen.page.evaluate("window.broke"))
        assert moving(seen.page) == (1280, 720)
        expect(seen.page.locator("#player .player-notice")).to_have_text("")


def test_viewers_choose_between_class_and_teacher(
    school: School, browser: Browser, tmp_path: Path
) -> None:
    made = Class(school, recordScene=1)
    small = ffmpeg.source(tmp_path / "scene.flv", seconds=40)
    ffmpeg.push(SAMPLE, made.streams["push_url"], realtime=True)
    ffmpeg.push(small, made.streams["scene_push_url"])
    with browser.opened(made.page) as seen:
        assert moving(seen.page) == (1280, 720)
        seen.page.get_by_role("button", name="Teacher", exact=True).click()
        until(lambda: moving(seen.page) == (320, 180))
        seen.page.get_by_role("button", name="Class", exact=True).click()
        until(lambda: moving(seen.page) == (1280, 720))
        is_plain(seen, school.server)


def test_a_class_that_ends_becomes_its_replay(school: School, browser: Browser) -> None:
    made = Class(school)
    made.record()
    with browser.opened(made.page) as seen:
        page = seen.page
        expect(page.get_by_role("timer")).to_be_visible()
        made.end()
        page.get_by_role("button", name="Watch the replay").click()
        assert moving(page, "#replay") == (1280, 720)
        page.get_by_label("Speed").select_option("1.5")
        assert page.evaluate("document.querySelector('#replay video').playbackRate") == 1.5
        page.get_by_label("Position").fill("14")
        until(lambda: _at(page) >= 14)
        assert moving(page, "#replay")
        page.locator("#replay").get_by_role("button", name="Pause").click()
        left = _at(page)
        assert left > 14

        page.reload()
        page.get_by_role("button", name="Watch the replay").wait_for()
        until(lambda: abs(_at(page) - int(left)) <= 1)
        # The chat is read, but nothing more is said.
        expect(page.locator("#message-input")).to_be_disabled()
        assert seen.violations() == []
        is_plain(seen, school.server)


def _at(page: Page) -> float:
    """Return where the replay is, in seconds."""
    return float(page.evaluate("document.querySelector('#replay video').currentTime"))


def test_before_a_class_there_is_a_countdown_and_an_entry_for_the_calendar(
    school: School, browser: Browser
) -> None:
    begin = school.clock.now() + 2 * DAY + HOUR
    made = Class(
        school,
        className="Red giants",
        classIntroduce="Old stars.",
        beginTime=begin,
        endTime=begin + HOUR,
    )
    with browser.opened(made.page) as seen:
        timer = seen.page.get_by_role("timer")
        expect(timer.locator("#days")).to_have_text("2")
        first = timer.inner_text()
        expect(timer).not_to_have_text(first)
        expect(seen.page.get_by_role("heading", name="Red giants")).to_be_visible()
        expect(seen.page.get_by_text("Anna Berg")).to_be_visible()
        with seen.page.expect_download() as loading:
            seen.page.get_by_role("link", name="Add to calendar").click()
        entry = Path(loading.value.path()).read_text()
        assert loading.value.suggested_filename == "class.ics"
        assert "SUMMARY:Red giants" in entry
        remind = seen.page.get_by_role("button", name="Remind me")
        remind.click()
        form = seen.page.locator(".guest-dialog")
        expect(form.get_by_role("heading")).to_have_text("Where shall we remind you?")
        form.locator("input[name=nickname]").fill("Ann")
        form.locator("input[name=telephone]").fill("13812345678")
        form.get_by_role("button", name="Remind me").click()
        booked = seen.page.get_by_role("button", name="Reminder set")
        expect(booked).to_be_visible()
        seen.page.reload()
        expect(booked).to_be_visible()
        is_plain(seen, school.server)


def test_without_replay_a_class_ends_kindly(school: School, browser: Browser) -> None:
    made = Class(school, replay=0)
    with browser.opened(made.page) as seen:
        made.end()
        expect(seen.page.get_by_text("Thank you for being here.")).to_be_visible()
        assert seen.page.locator("#replay video").count() == 0
        is_plain(seen, school.server)
