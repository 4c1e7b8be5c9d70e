"""Attacks on the pages: script in every field, and another site or another user's ticket."""

from collections.abc import Iterator
from typing import Any, Final

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import func, select

from homeroom.base.clock import HOUR
from homeroom.domain.viewers import Ticket, ViewerKind, sign_ticket
from homeroom.store.tables import viewers
from tests.support.browser import Browser, Seen, opened
from tests.support.chat import Classroom
from tests.support.elsewhere import Elsewhere, running_elsewhere
from tests.support.engine import until
from tests.support.given import Given
from tests.support.serving import House, running_house
from tests.support.visiting import heard, hears, introduce, log_in, say

pytestmark = pytest.mark.browser

PASSWORD: Final = "correct horse"
SHORT: Final = "<img src=x onerror=a()>"
"""As long as a nickname may be."""
LONG: Final = "</script><script>a()</script><svg onload=a()><a href=javascript:a()>x</a>{{a}}"
"""Shorter than the name of a class may be."""
TRAP: Final = "window.hacked = 0; window.a = () => { window.hacked += 1; };"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Run a server of its own: the pages know no database, so one engine will do."""
    with running_house(tmp_path_factory.mktemp("hostile"), None, "sqlite") as house:
        yield house


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[Elsewhere]:
    """Run a site that is not ours."""
    with running_elsewhere() as site:
        yield site


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """Give a browser in which script that gets into a page is noticed."""
    with browser.context() as context:
        context.add_init_script(TRAP)
        yield context


def page_of(room: Classroom) -> str:
    """Return the address of a class's page."""
    return f"{room.url}/live.php?lessonKey={room.seen.key}"


def is_harmless(seen: Seen) -> None:
    """See that nothing of what was written became part of the page, nor was stopped only late."""
    page = seen.page
    assert page.evaluate("window.hacked") == 0
    assert page.locator("[onerror], [onload], [href^='javascript:'], img[src=x]").count() == 0
    # The policy of the page would have complained.
    assert seen.console == []
    assert seen.requested == {"127.0.0.1"}


def number_of_viewers(given: Given, room: Classroom) -> int:
    """Return how many have left a number or logged in at a class."""
    query = select(func.count()).where(viewers.c.lesson_id == room.lesson)
    return int(given.rows(query)[0][0])


# --- names and words that run the other way ------------------------------------------------------


def test_names_and_words_turn_nothing_round_beside_them(
    given: Given, context: BrowserContext
) -> None:
    name, words = "\u05d3\u05e0\u05d4", "\u05e9\u05dc\u05d5\u05dd!"
    room = Classroom(given, className=words, classIntroduce=words)
    assert room.edit(teacherUid=given.user(addToSchoolMember=2, nickname=name)).errno == 1
    given.done("editCourse", courseId=room.course, courseName=words)
    page = opened(context, page_of(room)).page
    taught = opened(context, f"{room.url}{room.teach_base}").page
    say(page, f"\u202e{words}\u2066")
    introduce(page, f"\u202e{name}", given.telephone())
    hears(taught, words)
    taught.locator("#chat li").hover()
    taught.get_by_role("button", name="Pin this message").click()
    expect(page.locator(".pinned-text")).to_have_text(words)
    taught.locator("#people li").first.wait_for()
    listed = opened(context, given.done("getWebcastUrl", courseId=room.course).data).page
    said = ("#chat li b", "#chat li .message-text", ".pinned-text", "h1")
    for one, selectors in (
        (page, (*said, "#viewer-name", ".breadcrumb span", ".byline span", ".about p")),
        (taught, (*said, "#people li span", ".what span")),
        (listed, ("h1", "h3", ".lesson .hint")),
    ):
        for selector in selectors:
            style = one.locator(selector).first.evaluate(
                "(it) => { const style = getComputedStyle(it);"
                " return [style.direction, style.unicodeBidi, it.textContent]; }"
            )
            assert style[:2] == ["rtl", "isolate"], selector
            assert style[2] in (name, words)


# --- script in every field -----------------------------------------------------------------------


def test_whatever_is_written_is_text_on_every_page(given: Given, context: BrowserContext) -> None:
    room = Classroom(given, className=LONG, classIntroduce=LONG)
    teacher = given.user(addToSchoolMember=2, nickname=SHORT)
    assert room.edit(teacherUid=teacher).errno == 1
    given.done("editCourse", courseId=room.course, courseName=LONG)
    viewer = opened(context, page_of(room))
    page = viewer.page
    expect(page.locator("h1")).to_have_text(LONG)
    expect(page.locator(".about p")).to_have_text(LONG)
    expect(page.locator(".breadcrumb")).to_contain_text(LONG)
    expect(page.locator(".byline")).to_contain_text(SHORT)
    assert page.title() == LONG

    taught = opened(context, f"{room.url}{room.teach_base}")
    say(page, LONG)
    introduce(page, SHORT, given.telephone())
    for seen in (viewer, taught):
        hears(seen.page, LONG)
        expect(seen.page.locator("#chat li b")).to_have_text(SHORT)
    expect(taught.page.locator("#people li span").first).to_have_text(SHORT)
    taught.page.locator("#chat li").hover()
    taught.page.get_by_role("button", name="Pin this message").click()
    expect(page.locator(".pinned-text")).to_have_text(LONG)

    listed = opened(context, given.done("getWebcastUrl", courseId=room.course).data)
    expect(listed.page.locator("h1")).to_have_text(LONG)
    expect(listed.page.locator("h3")).to_have_text(LONG)
    expect(listed.page.locator(".lesson .hint")).to_have_text(SHORT)
    # What is kept is shown the same to who comes later.
    page.reload()
    hears(page, LONG)
    expect(page.locator(".pinned-text")).to_have_text(LONG)
    for seen in (viewer, taught, listed):
        is_harmless(seen)


def test_script_in_forms_and_addresses_does_nothing(given: Given, context: BrowserContext) -> None:
    room = Classroom(given, watchByLogin=1)
    odd = "%22%3E%3Cimg src=x onerror=a()%3E"
    seen = opened(context, f"{page_of(room)}&lang={odd}&courseKey={odd}&nickname={odd}#{odd}")
    log_in(seen.page, SHORT, LONG)
    seen.page.get_by_text("Account and password do not match.").wait_for()
    seen.console.clear()  # that it was answered 401
    is_harmless(seen)
    for path in ("/live.php?lessonKey=", "/webcast.php?courseKey=", "/teach/"):
        lost = opened(context, f"{room.url}{path}{odd}")
        expect(lost.page.locator("h1")).to_be_visible()
        lost.console.clear()  # that it is answered 404
        is_harmless(lost)


# --- tickets that are not one's own --------------------------------------------------------------


def planted(context: BrowserContext, room: Classroom, ticket: str) -> Page:
    """Open the page of a class with a ticket kept in the browser."""
    seen = opened(context, f"{room.url}/live.php?lessonKey=none")
    seen.page.evaluate(
        "([key, school, ticket]) => {"
        "  localStorage.setItem(`homeroom.class.${key}`, ticket);"
        "  localStorage.setItem(`homeroom.school.${school}`, ticket);"
        "}",
        [room.seen.key, room.given.school.id, ticket],
    )
    seen.page.goto(page_of(room))
    return seen.page


def ticket_of(room: Classroom, key: str, **facts: Any) -> str:  # noqa: ANN401  any of Ticket
    """Return a ticket to a class, signed with a key."""
    given = room.given
    fields = {
        "kind": ViewerKind.LINK,
        "subject": "student1",
        "name": "Li Lei",
        "school": given.school.id,
        "lesson": room.lesson,
        "expires_at": given.now + HOUR,
        **facts,
    }
    return sign_ticket(Ticket(**fields), key)


def test_forged_tickets_open_nothing_and_are_forgotten(given: Given, browser: Browser) -> None:
    room = Classroom(given, watchByLogin=1)
    key = given.house.deps.ticket_key
    good = ticket_of(room, key)
    with browser.context() as context:
        expect(planted(context, room, good).locator("#viewer-name")).to_have_text("Li Lei")
    body, _, signature = good.partition(".")
    forged = [
        ticket_of(room, "another key"),
        ticket_of(room, key, school=given.other().school.id),
        ticket_of(room, key, expires_at=given.now),
        ticket_of(room, "another key", kind=ViewerKind.USER, subject="1", lesson=None),
        ticket_of(room, key, kind=ViewerKind.VISITOR),
        f"{body}.{signature[:-1]}",
        f"{body}.",
        "x" * 5000,
        '{"kind":"user"}',
    ]
    with browser.context() as context:
        for ticket in forged:
            page = planted(context, room, ticket)
            page.locator("#login-gate").wait_for()
            expect(page.locator("#chat-area")).to_be_hidden()
            assert "txSecret" not in page.content()
            kept = page.evaluate("Object.values({...localStorage})")
            assert ticket not in kept, ticket
            page.close()


def test_nobody_is_given_a_ticket_by_an_address(given: Given, context: BrowserContext) -> None:
    room = Classroom(given)
    mine = room.guest_ticket("Mallory")
    seen = opened(context, f"{page_of(room)}&ticket={mine}#ticket={mine}")
    expect(seen.page.locator("#viewers")).to_have_text("1")
    expect(seen.page.locator("#viewer-name")).to_be_hidden()
    assert mine not in seen.page.evaluate("Object.values({...localStorage})")


def test_who_logs_in_gets_a_ticket_that_nobody_knew(given: Given, context: BrowserContext) -> None:
    room = Classroom(given, watchByLogin=1)
    account = given.telephone()
    given.done("register", telephone=account, password=PASSWORD, nickname="Han Meimei")
    # Another user had the browser before, with a ticket that they know.
    key = given.house.deps.ticket_key
    known = ticket_of(room, key, kind=ViewerKind.VISITOR, name="Mallory")
    page = planted(context, room, known)
    page.locator("#login-gate").wait_for()
    log_in(page, account, PASSWORD)
    expect(page.locator("#viewer-name")).to_have_text("Han Meimei")
    kept = page.evaluate("Object.values({...localStorage})")
    assert known not in kept
    say(page, "It is me")
    hears(page, "It is me")
    # What they know has not become the ticket of a logged-in user.
    other = planted(context, room, known)
    other.locator("#login-gate").wait_for()


# --- another site --------------------------------------------------------------------------------

ATTACK: Final = """
<script>
window.done = [];
const json = {"content-type": "application/json"};
async function attempt(name, path, body, headers, mode = "cors") {
  try {
    const answer = await fetch(%(url)r + path, {method: "POST", body, headers, mode});
    done.push([name, mode === "no-cors" ? "sent" : answer.status]);
  } catch {
    done.push([name, "stopped"]);
  }
}
const guest = JSON.stringify({telephone: "13800138000", nickname: "Mallory", ticket: null});
const login = JSON.stringify({account: %(account)r, password: %(password)r});
function listen() {
  return new Promise((resolve) => {
    const socket = new WebSocket(%(url)r.replace("http", "ws") + %(base)r + "/room");
    socket.onopen = () => resolve("open");
    socket.onerror = () => resolve("refused");
  });
}
(async () => {
  for (const [name, mode] of [["cors", "cors"], ["no-cors", "no-cors"]]) {
    const plain = {"content-type": "text/plain"};
    const headers = mode === "cors" ? json : plain;
    await attempt("guest " + name, %(base)r + "/guest", guest, headers, mode);
    await attempt("login " + name, %(base)r + "/login", login, headers, mode);
    await attempt("end " + name, %(teach)r + "/end", "{}", headers, mode);
    await attempt("whip " + name, %(teach)r + "/whip", "v=0", headers, mode);
  }
  done.push(["room", await listen()]);
  window.isDone = true;
})();
</script>
<form id="form" method="post" enctype="text/plain" action="%(url)s%(teach)s/end">
<input name='{"a":"' value='"}'></form>
"""


def test_another_site_does_nothing_in_the_name_of_who_visits_it(
    given: Given, context: BrowserContext, elsewhere: Elsewhere
) -> None:
    room = Classroom(given)
    account = given.telephone()
    given.done("register", telephone=account, password=PASSWORD, nickname="Han Meimei")
    opened(context, page_of(room))
    before = number_of_viewers(given, room)
    facts = {
        "url": room.url,
        "base": room.base,
        "teach": room.teach_base,
        "account": account,
        "password": PASSWORD,
    }
    elsewhere.show(ATTACK % facts)
    page = opened(context, elsewhere.origin).page
    until(lambda: page.evaluate("window.isDone"))
    done = dict(page.evaluate("window.done"))
    for name in ("guest", "login", "end", "whip"):
        assert done[f"{name} cors"] == "stopped"
        assert done[f"{name} no-cors"] == "sent"
    assert done["room"] == "refused"

    with page.expect_navigation():
        page.evaluate("document.getElementById('form').submit()")
    assert "another site" in page.inner_text("body")
    assert room.seen.closed_at is None
    assert number_of_viewers(given, room) == before


def test_our_own_page_may_do_what_another_site_may_not(
    given: Given, context: BrowserContext
) -> None:
    room = Classroom(given)
    page = opened(context, page_of(room)).page
    say(page, "Hello")
    introduce(page, "Li Lei", given.telephone())
    hears(page, "Hello")
    assert heard(page) == ["Hello"]
    assert number_of_viewers(given, room) == 1
