"""Teaching with nothing but a browser, and with an encoder, while others watch in theirs."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import BrowserContext, Page, Request, Route, WebSocketRoute, expect

from tests.support import ffmpeg
from tests.support.browser import Browser, Seen, opened
from tests.support.engine import until
from tests.support.ffmpeg import needs_ffmpeg
from tests.support.school import School, serving_school
from tests.support.visiting import heard, hears, introduce, moving, say
from tests.support.wire import Value

pytestmark = [pytest.mark.e2e, pytest.mark.browser]

DEVICES: Final = ("camera", "microphone")
CLIP_SECONDS: Final = 60_000
"""Milliseconds until a recording must be there."""
RETRY_MS: Final = 1_000
"""Longer than the page waits before it publishes again after a connection ended."""


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[School]:
    """Run `homeroom serve --demo --sandbox`, and give its school."""
    with serving_school(tmp_path_factory.mktemp("teach")) as school:
        yield school


class Taught:
    """A class that is open, as its teacher and a viewer see it."""

    def __init__(
        self, school: School, teacher: BrowserContext, viewer: BrowserContext, **fields: Value
    ) -> None:
        added = school.add(hours=1, className="Fractions", **fields)
        self.server = school.server
        self.teacher: Seen = opened(teacher, school.stream(added.data)["teach_url"])
        self.viewer: Seen = opened(viewer, added.body["more_data"]["live_url"])

    def is_watched(self) -> tuple[int, int]:
        """Wait until both see a moving picture, and return the size of the viewer's."""
        expect(self.teacher.page.locator("#air-badge")).to_have_text("On the air")
        moving(self.teacher.page)
        return moving(self.viewer.page)

    def is_plain(self) -> None:
        """See that the pages complain of nothing and ask no other host."""
        for seen in (self.teacher, self.viewer):
            assert seen.console == []
            assert seen.requested == {"127.0.0.1"}
        assert "Traceback" not in self.server.log


@pytest.fixture
def taught(school: School, browser: Browser) -> Iterator[Taught]:
    """Give a class with its teacher and a viewer, each in a browser of their own."""
    with browser.context(permissions=DEVICES) as teacher, browser.context() as viewer:
        yield Taught(school, teacher, viewer, replay=1)


def go_live(page: Page) -> None:
    """Send camera and microphone."""
    page.get_by_role("button", name="Camera", exact=True).click()
    until(lambda: page.evaluate("document.querySelector('#preview').videoWidth") > 0)
    until(lambda: float(page.locator("#level").get_attribute("value") or 0) > 0)
    page.get_by_role("button", name="Go live", exact=True).click()
    page.get_by_text("You are live.").wait_for()


def end(page: Page) -> None:
    """End the class, and say so twice."""
    page.get_by_role("button", name="End the class").click()
    page.locator("#ending").get_by_role("button", name="End the class").click()


def test_a_class_is_taught_from_a_browser(taught: Taught) -> None:
    pytest.importorskip("aiortc")
    teacher, viewer = taught.teacher.page, taught.viewer.page
    go_live(teacher)
    assert taught.is_watched() == (1280, 720)
    assert taught.viewer.violations() == []
    assert taught.teacher.violations() == []
    expect(teacher.locator("#sent-figures")).to_contain_text("frames/s · keyframe every")
    expect(teacher.locator("#sent-problems")).to_be_empty()

    teacher.get_by_role("button", name="Go on teaching").wait_for(state="hidden")
    end(teacher)
    for page in (teacher, viewer):
        page.get_by_role("button", name="Watch the replay").click(timeout=CLIP_SECONDS)
        assert moving(page, "#replay") == (1280, 720)
    expect(teacher.locator("#clock")).to_have_text("The class is over")
    assert not teacher.locator("#end").is_visible()
    # The camera is released.
    assert teacher.evaluate("document.querySelector('#preview').srcObject?.active") is not True
    taught.is_plain()


def test_the_end_of_a_class_is_no_reason_to_publish_again(taught: Taught) -> None:
    """The server ends the stream at once; the page learns later that this was the end."""
    pytest.importorskip("aiortc")
    teacher = taught.teacher.page
    late = threading.Event()

    def relay(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()
        server.on_message(lambda message: None if late.is_set() else socket.send(message))

    teacher.route_web_socket("**", relay)
    teacher.reload()
    go_live(teacher)
    taught.is_watched()
    again: list[str] = []
    teacher.on("request", lambda sent: again.append(sent.url) if is_offer(sent) else None)

    def answer_late(route: Route) -> None:
        late.set()
        answer = route.fetch()
        until(lambda: teacher.locator("#studio[data-sending=again]").count() > 0)
        teacher.wait_for_timeout(RETRY_MS)
        late.clear()
        route.fulfill(response=answer)

    teacher.route("**/end", answer_late)
    end(teacher)
    expect(teacher.locator("#ending")).not_to_be_visible()
    expect(teacher.locator("#studio")).to_be_hidden()
    assert again == []
    taught.is_plain()


def is_offer(request: Request) -> bool:
    """Return whether a request publishes."""
    return request.method == "POST" and request.url.endswith("/whip")


def test_a_teacher_stops_sending_and_goes_on(taught: Taught) -> None:
    pytest.importorskip("aiortc")
    teacher = taught.teacher.page
    go_live(teacher)
    taught.is_watched()
    teacher.get_by_role("button", name="Stop sending").click()
    # The class has not begun.
    expect(taught.viewer.page.get_by_role("timer")).to_be_visible()
    expect(teacher.locator("#air-badge")).to_have_text("Off the air")
    teacher.get_by_role("button", name="Go live", exact=True).click()
    taught.is_watched()
    taught.is_plain()


def test_the_chat_is_kept_in_order(taught: Taught) -> None:
    teacher, viewer = taught.teacher.page, taught.viewer.page
    say(viewer, "Rude words")
    introduce(viewer, "Ben", "13900000002")
    hears(teacher, "Rude words")
    expect(teacher.locator("#people li")).to_contain_text(["Ben"])
    assert "13900000002" not in teacher.content()

    teacher.get_by_role("button", name="Delete this message by Ben").click()
    for page in (teacher, viewer):
        hears(page, "This message was removed.")
        assert "Rude words" not in heard(page)

    teacher.get_by_role("button", name="Mute: Ben").click()
    viewer.get_by_text("You were muted.").wait_for()
    expect(viewer.locator("#message-input")).to_be_disabled()
    teacher.get_by_role("button", name="Unmute: Ben").click()
    expect(viewer.locator("#message-input")).to_be_enabled()

    say(teacher, "Page 12, please.")
    hears(viewer, "Page 12, please.")
    expect(viewer.locator("#chat li.is-staff .badge")).to_have_text("Teacher")
    teacher.locator("#chat li.is-staff").hover()
    teacher.get_by_role("button", name="Pin this message").click()
    expect(viewer.locator("#chat .pinned")).to_contain_text("Page 12, please.")

    teacher.get_by_role("button", name="Pause the chat").click()
    viewer.get_by_text("The teacher has paused the chat.").wait_for()
    expect(viewer.locator("#message-input")).to_be_disabled()
    teacher.get_by_role("button", name="Resume the chat").click()
    say(viewer, "Thank you")
    hears(teacher, "Thank you")
    taught.is_plain()


@needs_ffmpeg
def test_an_encoder_takes_what_the_page_shows(
    school: School, browser: Browser, tmp_path: Path
) -> None:
    """The page also says what arrives, and what to change in the encoder: case M3."""
    source = ffmpeg.source(tmp_path / "source.flv", seconds=30)
    with browser.context() as one, browser.context() as other:
        taught = Taught(school, one, other)
        page = taught.teacher.page
        page.get_by_role("tab", name="With OBS").click()
        expect(page.get_by_label("Stream key", exact=True)).to_have_attribute("type", "password")
        page.get_by_role("button", name="Show: Stream key").click()
        server, key = (
            page.get_by_label(label, exact=True).input_value() for label in ("Server", "Stream key")
        )
        ffmpeg.push(source, f"{server}/{key}")
        try:
            assert taught.is_watched() == (320, 180)
            figures = page.get_by_role("list", name="What arrives from your program")
            expect(figures).to_contain_text("25 frames/s · keyframe every 1 s")
            expect(page.locator("#sent-problems")).to_be_empty()
        finally:
            ffmpeg.end_all()
        problem = page.get_by_text("turn “open GOP” and “intra refresh” off")
        ffmpeg.push(ffmpeg.open_gop(tmp_path / "open.flv", seconds=12), f"{server}/{key}")
        try:
            problem.wait_for()
        finally:
            ffmpeg.end_all()
        # It went with the stream.
        problem.wait_for(state="detached")
        expect(figures).to_be_empty()
        taught.is_plain()


def test_a_page_without_devices_says_what_to_do(school: School, browser: Browser) -> None:
    added = school.add()
    # Reached by another name and without TLS, a page has neither camera nor microphone.
    with browser.context() as context:
        context.add_init_script("Object.defineProperty(window, 'isSecureContext', {value: false})")
        seen = opened(context, school.stream(added.data)["teach_url"])
        seen.page.get_by_text("only to pages reached over https").wait_for()
        assert seen.page.get_by_role("button", name="Go live", exact=True).is_disabled()
