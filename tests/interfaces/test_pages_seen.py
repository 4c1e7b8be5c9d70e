"""Every public page as people see it: by eye, by ear and by keyboard, small and large."""

import re
from collections.abc import Iterator
from typing import Final

import pytest
from playwright.sync_api import Page, expect

from homeroom.base.clock import DAY, HOUR, MINUTE
from homeroom.base.ids import CourseId, LessonId
from homeroom.usecases import streams
from tests.support.browser import Browser, Seen, opened
from tests.support.given import Given
from tests.support.serving import House, running_house
from tests.support.visiting import say
from tests.support.wire import Value

pytestmark = pytest.mark.browser

OPEN: Final[dict[str, Value]] = {"record": 1, "live": 1, "replay": 1}
VIEWED: Final = (
    "before",
    "soon",
    "locked",
    "members",
    "replay_later",
    "not_shown",
    "over",
    "replay_soon",
    "gone",
    "unknown",
    "course",
    "empty_course",
    "landing",
    "no_teach",
)
"""What a viewer may open, by the names that `Places` gives it."""
LARGE: Final = (1440, 900)
SMALL: Final = (360, 740)
MOST_SHIFT: Final = 0.01
LOOKS: Final = pytest.mark.parametrize(
    ("language", "dark", "size"),
    [
        ("en", False, LARGE),
        ("en", True, SMALL),
        ("zh", False, SMALL),
        ("zh", True, LARGE),
    ],
    ids=["en light large", "en dark small", "zh light small", "zh dark large"],
)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Run a server of its own: the pages know no database, so one engine will do."""
    with running_house(tmp_path_factory.mktemp("seen"), None, "sqlite") as house:
        yield house


class Places:
    """The pages of a school in every state that they may be in."""

    def __init__(self, given: Given) -> None:
        self._given = given
        self._teacher = given.user(addToSchoolMember=2, nickname="Ms Lin")
        self._course = given.course(courseName="Astronomy")
        self.before = self._page(self._lesson("Before"))
        self.locked = self._page(self._lesson("Locked", watchByLogin=1))
        self.members = self._page(self._lesson("Members", allowUnloggedChat=0))
        self.replay_later = self._page(self._lesson("Replay later", live=0))
        self.not_shown = self._page(self._lesson("Recorded only", live=0, replay=0))
        self.over = self._page(self._over(self._lesson("Over", replay=0)))
        deleted = self._lesson("Deleted")
        given.done("delCourseClass", courseId=self._course, classId=deleted)
        self.gone = self._page(deleted)
        self.unknown = f"{given.house.url}/live.php?lessonKey=unknown"
        self.course = given.done("getWebcastUrl", courseId=self._course).data
        self.empty_course = given.done("getWebcastUrl", courseId=given.course()).data
        self.landing = given.house.url
        self.no_teach = f"{given.house.url}/teach/{'0' * 48}"
        self.teach_over = self._teach(self._over(self._lesson("Taught", recordScene=1)))
        # The last ones: until they begin time goes by.
        begin = given.now + 10 * MINUTE
        soon = self._lesson("Soon", recordScene=1, beginTime=begin, endTime=begin + HOUR)
        self.teach = self._teach(soon)
        self.soon = self._page(soon)
        given.until(begin)
        self.replay_soon = self._page(self._over(self._lesson("Soon a replay")))

    def _lesson(self, name: str, **fields: Value) -> LessonId:
        begin = self._given.now + DAY
        return self._given.lesson(
            CourseId(self._course),
            className=name,
            classIntroduce="Old stars, and what becomes of them.",
            **{
                **OPEN,
                "teacherUid": self._teacher,
                "beginTime": begin,
                "endTime": begin + HOUR,
                **fields,
            },
        )

    def _over(self, lesson: LessonId) -> LessonId:
        return self._given.closed_early(lesson)

    def _page(self, lesson: LessonId) -> str:
        return f"{self._given.house.url}/live.php?lessonKey={self._given.seen(lesson).key}"

    def _teach(self, lesson: LessonId) -> str:
        server = self._given.house.services
        return self._given.store.read(
            lambda uow: streams.get_streams(uow, server.deps, server.hosts, lesson).teach_url
        )


@pytest.fixture(scope="module")
def places(house: House) -> Iterator[Places]:
    """Give the pages of one school, which no test changes."""
    given = Given(house)
    yield Places(given)
    given.close()


def is_good(seen: Seen, *allowed: str) -> None:
    """See that nothing is wrong with a page as it stands, by what can be measured."""
    page = seen.page
    size = page.viewport_size
    assert size is not None
    assert seen.violations() == []
    moved = seen.shifts()
    assert sum(value for value, _ in moved) < MOST_SHIFT, moved
    assert seen.width() <= size["width"]
    assert sum(seen.weight.values()) < 300_000
    assert seen.requested <= {"127.0.0.1"}
    said = [words for words in seen.console if not any(re.search(one, words) for one in allowed)]
    assert said == []


NOT_FOUND: Final = r"status of 4(04|10)"
"""What the browser itself says of a page that is an answer of this status."""


@LOOKS
def test_pages_for_viewers(
    places: Places, browser: Browser, language: str, size: tuple[int, int], *, dark: bool
) -> None:
    width, height = size
    with browser.context(width=width, height=height, dark=dark, language=language) as context:
        for name in VIEWED:
            seen = opened(context, getattr(places, name))
            _is_settled(seen.page, name)
            is_good(seen, NOT_FOUND)
            seen.page.close()


def _is_settled(page: Page, name: str) -> None:
    if name in ("before", "soon", "members", "over"):
        expect(page.locator("#viewers")).to_have_text("1")
    if name == "members":
        page.locator(".login-button").click()
        page.locator(".login-dialog").wait_for()
    if name == "before":
        say(page, "Hello")
        page.locator(".guest-dialog").wait_for()
    if name == "locked":
        page.locator("#login-gate button").click()
        page.locator("#login-gate .error-text").wait_for()


@LOOKS
def test_pages_for_teachers(
    places: Places, browser: Browser, language: str, size: tuple[int, int], *, dark: bool
) -> None:
    width, height = size
    with browser.context(width=width, height=height, dark=dark, language=language) as context:
        seen = opened(context, places.teach)
        page = seen.page
        expect(page.locator("#chat .pause")).to_be_visible()
        for tab in ("tab-browser", "tab-obs"):
            page.locator(f"#{tab}").click()
            is_good(seen)
        page.locator("#end").click()
        page.locator("#ending").wait_for()
        is_good(seen)
        page.close()
        seen = opened(context, places.teach_over)
        seen.page.locator("#no-clips").wait_for()
        is_good(seen)


def test_everything_is_reached_by_keyboard(places: Places, browser: Browser) -> None:
    with browser.opened(places.before) as seen:
        page = seen.page
        expect(page.locator("#viewers")).to_have_text("1")
        reached = []
        for _ in range(30):
            page.keyboard.press("Tab")
            reached.append(
                page.evaluate(
                    "(document.activeElement.ariaLabel || document.activeElement.title"
                    " || document.activeElement.innerText || document.activeElement.id).trim()"
                )
            )
            if reached[0] in reached[1:]:
                break
        controls = (
            "Skip to the content, 中文, Add to calendar, Remind me, Like, message-input, Send"
        )
        assert {*controls.split(", "), "Chat messages"} <= set(reached), reached
        page.locator("#message-input").focus()
        page.keyboard.type("Hello")
        page.keyboard.press("Enter")
        page.locator(".guest-dialog").wait_for()
        page.keyboard.press("Escape")
        page.locator(".guest-dialog").wait_for(state="hidden")
        assert page.evaluate("document.activeElement.id") == "message-input"
        assert page.locator("#message-input").input_value() == "Hello"


def test_the_other_language_is_one_click_away(places: Places, browser: Browser) -> None:
    with browser.opened(places.before) as seen:
        seen.page.get_by_role("link", name="中文").click()
        expect(seen.page.get_by_text("距离上课还有")).to_be_visible()
        assert seen.page.evaluate("document.documentElement.lang") == "zh-CN"
        seen.page.get_by_role("link", name="English").click()
        expect(seen.page.get_by_text("The class begins in", exact=True)).to_be_visible()


def test_a_course_leads_to_its_classes_and_they_lead_back(places: Places, browser: Browser) -> None:
    with browser.opened(places.course) as seen:
        seen.page.get_by_role("link", name="Replay later").click()
        expect(seen.page.get_by_role("heading", level=1)).to_have_text("Replay later")
        seen.page.get_by_role("link", name="Astronomy").click()
        expect(seen.page.get_by_role("heading", level=1)).to_have_text("Astronomy")
        assert seen.console == []
