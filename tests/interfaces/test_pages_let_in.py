"""Entry by a link, by a login or as a guest, in a browser and in a frame."""

from collections.abc import Iterator
from typing import Final
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Frame, Page, expect

from homeroom.base.ids import LessonId
from homeroom.base.keys import md5_hex
from tests.support.browser import Browser, Seen, opened
from tests.support.chat import Classroom
from tests.support.elsewhere import Elsewhere, running_elsewhere
from tests.support.engine import until
from tests.support.given import Given
from tests.support.serving import House, running_house
from tests.support.visiting import heard, hears, introduce, log_in, say
from tests.support.wire import Value

pytestmark = pytest.mark.browser

PASSWORD: Final = "correct horse"
BLOCKED: Final = """
Object.defineProperty(window, "localStorage", {
  get() { throw new DOMException("The storage is blocked.", "SecurityError"); },
});
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Run a server of its own: the pages know no database, so one engine will do."""
    with running_house(tmp_path_factory.mktemp("let_in"), None, "sqlite") as house:
        yield house


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[Elsewhere]:
    """Run a site that is not ours."""
    with running_elsewhere() as site:
        yield site


class Door:
    """A class, ten minutes before its start, and the ways into it."""

    def __init__(self, given: Given, **fields: Value) -> None:
        self.given = given
        self.room = Classroom(given, **fields)
        self.lesson: LessonId = self.room.lesson
        self.key = self.room.seen.key
        self.page = f"{given.house.url}/live.php?lessonKey={self.key}"

    def link(self, account: str, nickname: str, secret: str = "", code: str = "") -> str:
        """Return a login-free link, right unless said otherwise."""
        secret = secret or self.given.school.secret
        fields = {
            "lessonKey": self.key,
            "account": account,
            "nickname": nickname,
            "checkCode": code or md5_hex(f"{secret}{self.key}{account}{nickname}"),
        }
        return f"{self.given.house.url}/live_partner.html?{urlencode(fields)}"

    def account(self) -> str:
        """Register a user, and return their account."""
        number = self.given.telephone()
        self.given.done("register", telephone=number, password=PASSWORD, nickname="Han Meimei")
        return number


def is_plain(seen: Seen) -> None:
    """See that a page complains of nothing and asks no other host."""
    assert seen.console == []
    assert seen.requested == {"127.0.0.1"}


def is_asked_for_a_login(page: Page | Frame) -> None:
    """Wait until a page asks for a login and shows nothing of the class."""
    page.locator("#login-gate").wait_for()
    expect(page.locator("#chat-area")).to_be_hidden()


# --- login-free links ----------------------------------------------------------------------------


NAMES: Final = (
    ("student1", "Li Lei"),
    ("a+b c&d=e%f", "+ &=%"),
    ("学生一", "李雷 👩‍👩‍👧‍👦"),
    ("a" * 31, "😀" * 23),
    ("<b>", "<img src=x onerror=a()>"),
)


def test_links_let_in_by_name(given: Given, browser: Browser) -> None:
    door = Door(given, watchByLogin=1, allowUnloggedChat=0)
    with browser.context() as context:
        for account, nickname in NAMES:
            seen = opened(context, door.link(account, nickname))
            expect(seen.page.locator("#viewer-name")).to_have_text(nickname)
            say(seen.page, "Here")
            expect(seen.page.locator("#chat li.is-mine b")).to_have_text(nickname)
            hears(seen.page, "Here")
            assert seen.page.locator("img[src=x]").count() == 0
            is_plain(seen)
            seen.page.close()


def test_a_link_goes_on_after_a_reload_as_the_same_viewer(given: Given, browser: Browser) -> None:
    door = Door(given, watchByLogin=1)
    with browser.opened(door.link("student1", "Li Lei")) as seen:
        say(seen.page, "Here")
        hears(seen.page, "Here")
        seen.page.reload()
        hears(seen.page, "Here")
        expect(seen.page.locator("#chat li.is-mine")).to_have_count(1)


def test_the_former_secret_is_good_while_it_lives(given: Given, browser: Browser) -> None:
    door = Door(given, watchByLogin=1)
    former = given.school.secret
    given.store.write(lambda uow: uow.schools.save_secrets(given.school.id, "n" * 40, former))
    for secret in (former, "n" * 40):
        with browser.opened(door.link("student1", "Li Lei", secret)) as seen:
            expect(seen.page.locator("#viewer-name")).to_have_text("Li Lei")
    given.store.write(lambda uow: uow.schools.save_secrets(given.school.id, "n" * 40, None))
    with browser.opened(door.link("student1", "Li Lei", former)) as seen:
        is_asked_for_a_login(seen.page)


def test_a_wrong_link_is_the_normal_page(given: Given, browser: Browser) -> None:
    door = Door(given, watchByLogin=1)
    with browser.context() as context:
        for account, nickname, code in (
            ("student1", "Li Lei", "0" * 32),
            ("student1", "x" * 24, ""),
            ("a" * 32, "Li Lei", ""),
        ):
            is_asked_for_a_login(opened(context, door.link(account, nickname, code=code)).page)
        page = opened(context, Door(given).link("student1", "Li Lei", code="0" * 32)).page
        expect(page.locator("#viewers")).to_have_text("1")
        expect(page.locator("#viewer-name")).to_be_hidden()


# --- watchByLogin and allowUnloggedChat ----------------------------------------------------------


def test_a_login_opens_the_page_and_the_session_lasts_until_logging_out(
    given: Given, browser: Browser
) -> None:
    door = Door(given, watchByLogin=1)
    account = door.account()
    with browser.context() as context:
        page = opened(context, door.page).page
        is_asked_for_a_login(page)
        log_in(page, account, "wrong")
        page.get_by_text("Account and password do not match.").wait_for()
        is_asked_for_a_login(page)
        log_in(page, account, PASSWORD)
        expect(page.locator("#viewer-name")).to_have_text("Han Meimei")
        say(page, "Here")
        hears(page, "Here")

        page.reload()
        expect(page.locator("#viewer-name")).to_have_text("Han Meimei")
        hears(page, "Here")
        # It is good for the other classes of the school too.
        lesson = given.lesson(None, record=1, live=1, watchByLogin=1)
        other = opened(context, door.page.replace(door.key, given.seen(lesson).key))
        expect(other.page.locator("#viewer-name")).to_have_text("Han Meimei")

        page.get_by_role("button", name="Log out").click()
        is_asked_for_a_login(page)
        page.reload()
        is_asked_for_a_login(page)
        assert PASSWORD not in str(context.storage_state())
        assert context.cookies() == []


def test_a_session_that_was_ended_elsewhere_is_over_here(given: Given, browser: Browser) -> None:
    door = Door(given, watchByLogin=1)
    account = door.account()
    with browser.opened(door.page) as seen:
        log_in(seen.page, account, PASSWORD)
        expect(seen.page.locator("#viewer-name")).to_have_text("Han Meimei")
        user = given.store.read(lambda uow: uow.accounts.find_by_names([account]))[account]
        given.cancelled(user.id)
        is_asked_for_a_login(seen.page)


@pytest.mark.parametrize(
    "switches", [{"record": 1, "live": 0, "replay": 0}, {"record": 0, "live": 0, "replay": 0}]
)
def test_outside_its_condition_no_login_is_asked_for(
    given: Given, browser: Browser, switches: dict[str, Value]
) -> None:
    door = Door(given, watchByLogin=1, **switches)
    with browser.opened(door.page) as seen:
        expect(seen.page.locator("#viewers")).to_have_text("1")
        expect(seen.page.locator("#login-gate")).to_be_hidden()


def test_who_says_number_and_name_may_chat(given: Given, browser: Browser) -> None:
    door = Door(given)
    with browser.opened(door.page) as seen:
        page = seen.page
        say(page, "Hello")
        introduce(page, "小明 🙂", "13800138000")
        hears(page, "Hello")
        expect(page.locator("#viewer-name")).to_have_text("小明 🙂")
        page.reload()
        say(page, "Once more")
        hears(page, "Once more")
        assert heard(page) == ["Hello", "Once more"]
        is_plain(seen)


def test_a_number_that_is_none_is_told(given: Given, browser: Browser) -> None:
    with browser.opened(Door(given).page) as seen:
        say(seen.page, "Hello")
        form = seen.page.locator(".guest-dialog")
        form.locator("[name=nickname]").fill("Li Lei")
        form.locator("[name=telephone]").fill("12")
        form.locator("[name=telephone]").press("Enter")
        form.get_by_text("This is not a phone number we know").wait_for()
        form.locator("[name=telephone]").fill("13800138000")
        form.locator("[name=telephone]").press("Enter")
        hears(seen.page, "Hello")


def test_where_unlogged_chat_is_off_a_login_is_asked_for_before_chatting(
    given: Given, browser: Browser
) -> None:
    door = Door(given, allowUnloggedChat=0)
    account = door.account()
    with browser.opened(door.page) as seen:
        page = seen.page
        expect(page.locator("#viewers")).to_have_text("1")
        expect(page.locator("#message-input")).to_be_hidden()
        page.locator("#like").click()
        page.locator(".login-dialog").wait_for()
        log_in(page, account, PASSWORD, ".login-dialog")
        page.locator(".login-dialog").wait_for(state="hidden")
        say(page, "Here")
        hears(page, "Here")
        page.locator("#like").click()
        expect(page.locator("#likes")).to_have_text("1")
        is_plain(seen)


def test_outside_its_condition_unlogged_chat_is_on(given: Given, browser: Browser) -> None:
    door = Door(given, allowUnloggedChat=0, record=1, live=0, replay=0)
    with browser.opened(door.page) as seen:
        say(seen.page, "Hello")
        introduce(seen.page, "Li Lei", "13800138000")
        hears(seen.page, "Hello")


# --- in a frame ----------------------------------------------------------------------------------


@pytest.mark.parametrize("is_blocked", [False, True])
def test_in_a_frame_one_logs_in_and_chats_without_cookies(
    given: Given, browser: Browser, elsewhere: Elsewhere, *, is_blocked: bool
) -> None:
    given.plan(frame_origins=f"https://portal.example {elsewhere.origin}")
    door = Door(given, watchByLogin=1)
    account = door.account()
    with browser.context() as context:
        if is_blocked:
            context.add_init_script(BLOCKED)
        frame = _framed(opened(context, elsewhere.frame(door.page)), "/live.php")
        is_asked_for_a_login(frame)
        frame.locator("#login-gate [name=account]").fill(account)
        frame.locator("#login-gate [name=password]").fill(PASSWORD)
        frame.locator("#login-gate [name=password]").press("Enter")
        expect(frame.locator("#viewer-name")).to_have_text("Han Meimei")
        frame.locator("#message-input").fill("From a frame")
        frame.locator("#message-input").press("Enter")
        sent = frame.locator("#chat li:not(.is-pending) .message-text")
        expect(sent).to_have_text("From a frame")

        linked = opened(context, elsewhere.frame(door.link("student1", "Li Lei")))
        frame = _framed(linked, "/live_partner.html")
        expect(frame.locator("#viewer-name")).to_have_text("Li Lei")
        expect(frame.locator("#chat .message-text")).to_have_text("From a frame")
        assert linked.console == []
        assert context.cookies() == []


def _framed(seen: Seen, path: str) -> Frame:
    def frames() -> list[Frame]:
        return [frame for frame in seen.page.frames if path in frame.url]

    until(frames)
    return frames()[0]


@pytest.mark.parametrize("origins", ["", "https://portal.example"])
def test_a_site_that_was_not_allowed_shows_nothing_of_it(
    given: Given, browser: Browser, elsewhere: Elsewhere, origins: str
) -> None:
    given.plan(frame_origins=origins)
    door = Door(given)
    with browser.opened(elsewhere.frame(door.page)) as seen:
        # What it said is heard while something is asked of it.
        until(lambda: seen.page.evaluate("1") and seen.console)
        assert "frame-ancestors" in seen.console[0] or "X-Frame-Options" in seen.console[0]
        assert door.page not in [frame.url for frame in seen.page.frames]


def test_nobody_frames_the_page_of_the_teacher(
    given: Given, browser: Browser, elsewhere: Elsewhere
) -> None:
    given.plan(frame_origins=elsewhere.origin)
    url = given.house.url + Door(given).room.teach_base
    with browser.opened(elsewhere.frame(url)) as seen:
        until(lambda: seen.page.evaluate("1") and seen.console)
        assert url not in [frame.url for frame in seen.page.frames]
