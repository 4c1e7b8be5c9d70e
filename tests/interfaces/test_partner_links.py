"""Login-free links: who is let in by one, and as whom (READINGS Q40)."""

from urllib.parse import quote, urlencode

import pytest

from homeroom.base.clock import HOUR
from homeroom.base.ids import LessonId
from homeroom.base.keys import md5_hex
from homeroom.domain.refusal import OperatorError
from homeroom.domain.viewers import Ticket, ViewerKind, verify_ticket
from tests.support.chat import Classroom
from tests.support.given import Given
from tests.support.pages import HOSTILE, Page, get, page
from tests.support.streams import Streamed
from tests.support.wire import Value

OPEN: dict[str, Value] = {"record": 1, "live": 1, "replay": 1}
PATHS = ("/live_partner.html", "/live_partner.php")
LONGEST_ACCOUNT = "a" * 31
LONGEST_NICKNAME = "😀" * 23


class Linked:
    """A class whose page is opened by links of its school."""

    def __init__(self, given: Given, **fields: Value) -> None:
        self.given = given
        self.lesson: LessonId = given.lesson(None, **{**OPEN, **fields})
        self.key = given.seen(self.lesson).key

    def code(self, account: str, nickname: str, secret: str | None = None) -> str:
        """Return the code of a link, by the school's secret unless said otherwise."""
        return md5_hex(f"{secret or self.given.school.secret}{self.key}{account}{nickname}")

    def open(self, path: str = PATHS[0], **fields: str) -> Page:
        """Open the page by a link, right unless said otherwise."""
        who = {"account": "student1", "nickname": "Li Lei", **fields}
        code = {"checkCode": self.code(who["account"], who["nickname"])}
        return page(self.given.house, f"{path}?{urlencode({'lessonKey': self.key, **code, **who})}")

    def ticket(self, shown: Page) -> Ticket:
        """Return the ticket in a page as the server reads it."""
        key = self.given.house.deps.ticket_key
        return verify_ticket(shown.data["ticket"], key, self.given.now)


@pytest.mark.parametrize("path", PATHS)
def test_a_right_code_lets_in_without_a_login(given: Given, path: str) -> None:
    linked = Linked(given, watchByLogin=1)
    shown = linked.open(path)
    assert shown.data["needs_login"] is False
    assert shown.data["state"] is not None
    ticket = linked.ticket(shown)
    assert (ticket.kind, ticket.subject, ticket.name) == (ViewerKind.LINK, "student1", "Li Lei")
    assert ticket.lesson == linked.lesson
    assert ticket.school == given.school.id
    assert ticket.expires_at == given.now + 12 * HOUR
    assert shown.answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "wrong",
    [
        {"checkCode": ""},
        {"checkCode": "0" * 32},
        {"checkCode": "é" * 32},
        {"checkCode": "x" * 10_000},
        {"account": "student2", "checkCode": md5_hex("student1")},
    ],
)
def test_a_wrong_code_leads_to_the_normal_page(given: Given, wrong: dict[str, str]) -> None:
    free, closed = Linked(given), Linked(given, watchByLogin=1)
    shown = free.open(**wrong)
    assert shown.data["ticket"] is None
    assert shown.data["state"] is not None
    assert closed.open(**wrong).data["needs_login"] is True


def test_a_link_with_a_new_nickname_is_somebody_with_a_new_name(given: Given) -> None:
    room = Classroom(given)
    linked = Linked(given)
    linked.lesson, linked.key = room.lesson, room.seen.key
    for name in ("Li Lei", "Lei"):
        come = room.visitor(ticket=linked.open(nickname=name).data["ticket"])
        assert (come.you["name"], come.said("hello")["name"]) == (name, name)
        come.close()
    room.close()


def test_a_code_is_for_one_class_one_account_and_one_nickname(given: Given) -> None:
    linked, other = Linked(given), Linked(given)
    code = linked.code("student1", "Li Lei")
    assert other.open(checkCode=code).data["ticket"] is None
    assert linked.open(account="student2", checkCode=code).data["ticket"] is None
    assert linked.open(nickname="Han Meimei", checkCode=code).data["ticket"] is None
    # Written one after the other the two are the same text; that is the seed's own weakness.
    assert linked.open(account="student1L", nickname="i Lei", checkCode=code).data["ticket"]
    assert linked.open(checkCode=code).data["ticket"]


def test_either_secret_of_the_school_is_good_and_no_other(given: Given) -> None:
    linked = Linked(given)
    former = given.school.secret
    given.store.write(lambda uow: uow.schools.save_secrets(given.school.id, "n" * 40, former))
    for secret, is_good in ((former, True), ("n" * 40, True), (given.other().school.secret, False)):
        code = linked.code("student1", "Li Lei", secret)
        assert (linked.open(checkCode=code).data["ticket"] is not None) is is_good
    given.store.write(lambda uow: uow.schools.save_secrets(given.school.id, "n" * 40, None))
    assert linked.open(checkCode=linked.code("student1", "Li Lei", former)).data["ticket"] is None


@pytest.mark.parametrize(
    ("account", "nickname", "is_good"),
    [
        (LONGEST_ACCOUNT, LONGEST_NICKNAME, True),
        (LONGEST_ACCOUNT + "a", "Li Lei", False),
        ("student1", LONGEST_NICKNAME + "x", False),
        ("", "Li Lei", False),
        ("student1", "", False),
        ("学生" * 15, "李雷", True),
        ("a+b c&d=e%f", "+ &=%", True),
        ("a\0b", "Li Lei", False),
        ("student1", "Li\0Lei", False),
        ("student1", "\u202e\u200b", False),
    ],
)
def test_accounts_have_up_to_31_and_nicknames_up_to_23_characters(
    given: Given,
    account: str,
    nickname: str,
    is_good: bool,  # noqa: FBT001  a value, not a mode
) -> None:
    linked = Linked(given)
    shown = linked.open(account=account, nickname=nickname)
    assert (shown.data["ticket"] is not None) is is_good
    if is_good:
        assert linked.ticket(shown).subject == account


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_names_are_names(given: Given, hostile: str) -> None:
    linked = Linked(given)
    nickname = hostile[:23]
    ticket = linked.ticket(linked.open(account=hostile[:31], nickname=nickname))
    assert ticket.subject == hostile[:31]
    seen = nickname.replace("\u202e", "").replace("\u202c", "")
    assert ticket.name == " ".join(seen.split())


def test_names_of_the_query_are_trimmed_and_codes_may_be_in_capitals(given: Given) -> None:
    linked = Linked(given)
    code = linked.code("student1", "李 雷")
    for name in ("checkCode ", "checkCode%20", " checkCode", "checkCode+"):
        query = f"lessonKey={linked.key}&account=student1&nickname={quote('李 雷')}&{name}={code}"
        shown = page(given.house, f"/live_partner.php?{query.replace(' ', '%20')}")
        assert shown.data["ticket"] is not None
    assert linked.open(nickname="李 雷", checkCode=f" {code.upper()} ").data["ticket"] is not None


def test_the_normal_page_takes_no_link(given: Given) -> None:
    assert Linked(given).open("/live.php").data["ticket"] is None


def test_a_link_shows_the_streams_of_a_class_that_asks_for_a_login(given: Given) -> None:
    linked = Linked(given, watchByLogin=1)
    given.until(given.seen(linked.lesson).hours.begin)
    assert set(linked.open().data["state"]["sources"]) == {"class"}
    assert "txSecret" not in linked.open(checkCode="0" * 32).answer.text


def test_a_forged_ticket_is_not_one_of_ours(given: Given) -> None:
    linked = Linked(given)
    text = linked.open().data["ticket"]
    body, _, signature = text.partition(".")
    key = given.house.deps.ticket_key
    forged = (body, f"{body}.", f"{body}x.{signature}", f"{body}.{signature[:-1]}0x", "." * 500)
    for one in forged:
        with pytest.raises(OperatorError):
            verify_ticket(one, key, given.now)
    with pytest.raises(OperatorError, match="expired"):
        verify_ticket(text, key, given.now + 12 * HOUR)


def test_a_deleted_class_has_gone_for_links_too(given: Given) -> None:
    streamed = Streamed(given)
    key = streamed.seen.key
    assert streamed.delete().errno == 1
    code = md5_hex(f"{given.school.secret}{key}ab")
    path = f"/live_partner.html?lessonKey={key}&account=a&nickname=b&checkCode={code}"
    assert get(given.house, path).status_code == 410
