"""Scripts of the pages when a connection is dead, a login ends or a page is gone."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, WebSocketRoute, expect

from homeroom.base.clock import MINUTE
from homeroom.base.ids import LessonId
from homeroom.usecases import streams
from tests.support.browser import Browser, opened
from tests.support.chat import Classroom
from tests.support.given import Given
from tests.support.serving import House, running_house
from tests.support.visiting import hears, introduce, log_in, say

pytestmark = pytest.mark.browser

PASSWORD = "correct horse"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Run a server of its own: the scripts know no database, so one engine will do."""
    with running_house(tmp_path_factory.mktemp("scripts"), None, "sqlite") as house:
        yield house


@pytest.fixture
def given(house: House) -> Iterator[Given]:
    given = Given(house)
    yield given
    given.close()


@pytest.fixture
def classroom(given: Given) -> Iterator[Classroom]:
    room = Classroom(given)
    yield room
    room.close()


def live(room: Classroom) -> str:
    return f"{room.url}/live.php?lessonKey={room.seen.key}"


def cut_silently(context: BrowserContext) -> Callable[[], None]:
    """Return what makes the WebSocket of a browser dead without anybody saying so."""
    lines: list[WebSocketRoute] = []
    dead: list[WebSocketRoute] = []

    def carry(page: WebSocketRoute) -> None:
        lines.append(page)
        server = page.connect_to_server()

        def forward(to: WebSocketRoute) -> Callable[[str | bytes], None]:
            return lambda frame: None if page in dead else to.send(frame)

        page.on_message(forward(server))
        server.on_message(forward(page))

    context.route_web_socket(re.compile("/room$"), carry)
    return lambda: dead.append(lines[-1])


def test_what_is_said_on_a_dead_line_arrives_by_another(
    browser: Browser, classroom: Classroom
) -> None:
    ben = classroom.guest("Ben")
    with browser.context() as context:
        cut = cut_silently(context)
        page = opened(context, live(classroom)).page
        say(page, "one")
        introduce(page, "Amy", classroom.given.telephone())
        hears(page, "one")
        cut()
        ben.said("meanwhile")
        say(page, "two")
        for text in ("one", "meanwhile", "two"):
            hears(page, text)
        expect(page.locator("#chat li")).to_have_count(3)
        ben.hears("two")


def test_who_has_logged_out_is_not_named_any_more(browser: Browser, given: Given) -> None:
    room = Classroom(given, watchByLogin=1)
    account = given.telephone()
    given.done("register", telephone=account, password=PASSWORD, nickname="Li Lei")
    with browser.opened(live(room)) as seen:
        page = seen.page
        for _ in range(3):
            log_in(page, account, PASSWORD)
            expect(page.locator("#viewer-name")).to_have_text("Li Lei")
            expect(page.locator("#viewer-name")).to_be_visible()
            page.locator("#logout").click()
            expect(page.locator("#login-gate")).to_be_visible()
            expect(page.locator("#viewer-name")).to_be_hidden()
            expect(page.locator("#logout")).to_be_hidden()


def test_a_teachers_page_whose_address_was_replaced_says_so(
    browser: Browser, classroom: Classroom
) -> None:
    with browser.opened(f"{classroom.url}{classroom.teach_base}") as seen:
        expect(seen.page.locator("#studio")).to_be_visible()
        lesson = LessonId(classroom.lesson)
        classroom.given.store.write(lambda uow: streams.renew_key(uow, lesson))
        expect(seen.page.get_by_role("heading", level=1)).to_have_text(
            "This teaching link does not work"
        )


def test_nobody_waits_for_a_recording_that_there_is_none_of(
    browser: Browser, classroom: Classroom
) -> None:
    classroom.given.closed_early(LessonId(classroom.lesson))
    with browser.context() as context:
        viewer = opened(context, live(classroom)).page
        teacher = opened(context, f"{classroom.url}{classroom.teach_base}").page
        expect(viewer.locator("[data-view=replay_soon]")).to_be_visible()
        expect(teacher.locator("#no-clips")).to_contain_text("within a minute")
        classroom.given.clock.advance(2 * MINUTE)
        expect(viewer.locator("[data-view=over]")).to_be_visible()
        expect(teacher.locator("#no-clips")).to_have_text("Nothing was recorded.")


def test_nothing_is_wider_than_its_place_on_a_phone(browser: Browser, classroom: Classroom) -> None:
    def is_within(page: Page, selector: str) -> bool:
        one = page.locator(selector)
        return bool(one.evaluate("(it) => it.scrollWidth <= it.clientWidth"))

    with browser.opened(live(classroom), width=320, height=568) as seen:
        say(seen.page, "W" * 500)
        seen.page.locator(".guest-dialog").wait_for()
        assert is_within(seen.page, ".guest-dialog")
        introduce(seen.page, "W" * 23, classroom.given.telephone())
        hears(seen.page, "W" * 500)
        assert is_within(seen.page, "#chat .log")
