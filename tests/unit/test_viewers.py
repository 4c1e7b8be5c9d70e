"""Tickets, login-free links, nicknames, and who may watch and chat."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any, Final, NamedTuple

import msgspec
import pytest

from homeroom.base.ids import CourseId, LessonId, SchoolId, SessionId, UserId
from homeroom.base.keys import hmac_hex, md5_hex
from homeroom.base.values import replace
from homeroom.domain.lessons import RecordingOptions, WatchPolicy
from homeroom.domain.refusal import OperatorError
from homeroom.domain.schools import Plan, School
from homeroom.domain.viewers import (
    MAX_ACCOUNT_LENGTH,
    MAX_NICKNAME_LENGTH,
    MAX_TICKET_LENGTH,
    Ticket,
    ViewerKind,
    is_link_valid,
    normalize_guest_name,
    normalize_nickname,
    resolve_watch_policy,
    sign_ticket,
    verify_ticket,
)
from tests.unit.test_webcasts import LESSON

KEY: Final = "ticket key"
NOW: Final = 1_900_000_000
TICKET: Final = Ticket(
    kind=ViewerKind.USER,
    subject="17",
    name="小明",
    school=SchoolId(1),
    expires_at=NOW + 1,
    session=SessionId(5),
)
# --- tickets -------------------------------------------------------------------------------------


def test_a_ticket_comes_back_as_it_went() -> None:
    assert verify_ticket(sign_ticket(TICKET, KEY), KEY, NOW) == TICKET
    assert TICKET.identity == "user:17"


def test_the_longest_ticket_fits() -> None:
    longest = msgspec.structs.replace(
        TICKET,
        kind=ViewerKind.LINK,
        subject="\x01" * MAX_ACCOUNT_LENGTH,
        name="🎉" * MAX_NICKNAME_LENGTH,
        school=SchoolId(2**62),
        course=CourseId(2**62),
        lesson=LessonId(2**62),
    )
    assert verify_ticket(sign_ticket(longest, KEY), KEY, NOW) == longest


def test_a_ticket_is_good_until_it_expires() -> None:
    with pytest.raises(OperatorError, match="expired"):
        verify_ticket(sign_ticket(TICKET, KEY), KEY, NOW + 1)


def signed(body: bytes) -> str:
    """Sign anything as a ticket is signed."""
    text = urlsafe_b64encode(body).decode().rstrip("=")
    return f"{text}.{hmac_hex(KEY, text)}"


def forged() -> list[str]:
    """Return texts that are no ticket of ours."""
    text = sign_ticket(TICKET, KEY)
    body, _, signature = text.partition(".")
    other = msgspec.json.decode(urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    changed = urlsafe_b64encode(msgspec.json.encode({**other, "subject": "18"})).decode()
    return [
        "",
        ".",
        body,
        f"{body}.",
        f".{signature}",
        f"{changed.rstrip('=')}.{signature}",
        f"{body}.{signature}.",
        f"{body}={signature}",
        f"{body}=.{signature}",
        f"{body}.{signature.upper()}",
        f"{body}.é",
        f"\0{text}",
        sign_ticket(TICKET, "another key"),
        signed(b"x" * MAX_TICKET_LENGTH),
    ]


@pytest.mark.parametrize("text", forged())
def test_a_forged_ticket_is_none(text: str) -> None:
    with pytest.raises(OperatorError, match="not one of ours"):
        verify_ticket(text, KEY, NOW)


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b"[]", b"\xff", b'{"kind":"operator"}', msgspec.json.encode({"kind": "user"})],
)
def test_a_ticket_of_another_version_is_none(body: bytes) -> None:
    with pytest.raises(OperatorError, match="another version"):
        verify_ticket(signed(body), KEY, NOW)


@pytest.mark.parametrize(
    ("scope", "admits"),
    [
        ({}, True),
        ({"course": LESSON.course}, True),
        ({"course": LESSON.course, "lesson": LESSON.id}, True),
        ({"lesson": LESSON.id}, True),
        ({"lesson": LessonId(4)}, False),
        ({"course": CourseId(7)}, False),
        ({"course": CourseId(7), "lesson": LESSON.id}, False),
        ({"school": SchoolId(8)}, False),
        ({"school": SchoolId(8), "lesson": LESSON.id}, False),
    ],
)
def test_a_ticket_is_good_for_its_classes(scope: dict[str, Any], admits: bool) -> None:  # noqa: FBT001  a value of the table
    assert msgspec.structs.replace(TICKET, **scope).is_valid_for(LESSON) is admits


# --- login-free links ----------------------------------------------------------------------------


class Asked(NamedTuple):
    """Identity of a viewer in a login-free link."""

    account: str = "student-1"
    nickname: str = "小明"


SCHOOL: Final = School(SchoolId(1), "School", "new secret", "old secret", Plan(), UserId(1))


def vouched(asked: Asked, code: str, school: School = SCHOOL) -> bool:
    return is_link_valid(school, "key", asked.account, asked.nickname, code)


def code(asked: Asked, secret: str = SCHOOL.secret) -> str:
    return md5_hex(f"{secret}key{asked.account}{asked.nickname}")


@pytest.mark.parametrize(
    "asked",
    [
        Asked(),
        Asked("a" * MAX_ACCOUNT_LENGTH, "b" * MAX_NICKNAME_LENGTH),
        Asked("13812345678", "🎉" * MAX_NICKNAME_LENGTH),
        Asked("<b>&amp;", "</script>"),
        Asked("家 长", "a b"),
    ],
)
def test_either_secret_vouches_for_somebody(asked: Asked) -> None:
    assert vouched(asked, code(asked))
    assert vouched(asked, code(asked).upper())
    assert vouched(asked, code(asked, "old secret"))
    assert not vouched(asked, code(asked, "another secret"))


def test_a_code_is_for_one_account_and_nickname() -> None:
    # What runs together to the same text is the same code: the seeds have no separator.
    assert not vouched(Asked("student-2"), code(Asked()))
    assert not vouched(Asked(nickname="小红"), code(Asked()))
    for wrong in ("", "0" * 32, code(Asked())[:-1], "é", "码" * 32):
        assert not vouched(Asked(), wrong)


@pytest.mark.parametrize(
    "asked",
    [
        Asked("", "小明"),
        Asked("student-1", ""),
        Asked("a" * (MAX_ACCOUNT_LENGTH + 1)),
        Asked(nickname="b" * (MAX_NICKNAME_LENGTH + 1)),
        Asked("nul\0"),
    ],
)
def test_nobody_vouches_for_what_no_account_is(asked: Asked) -> None:
    assert not vouched(asked, code(asked))


def test_a_school_with_one_secret() -> None:
    school = School(SchoolId(1), "School", "new secret", None, Plan(), UserId(1))
    assert vouched(Asked(), code(Asked()), school)
    for nothing in ("", "None"):
        assert not vouched(Asked(), code(Asked(), nothing), school)


# --- who may watch and chat (READINGS Q19) ----------------------------------------------------


@pytest.mark.parametrize("record", [False, True])
@pytest.mark.parametrize("live", [False, True])
@pytest.mark.parametrize("replay", [False, True])
def test_each_switch_counts_under_its_condition_only(
    record: bool,  # noqa: FBT001  a value of the table
    live: bool,  # noqa: FBT001  as above
    replay: bool,  # noqa: FBT001  as above
) -> None:
    def seen(asked: WatchPolicy) -> WatchPolicy:
        switches = RecordingOptions(record=record, live=live, replay=replay)
        return resolve_watch_policy(replace(LESSON, recording=switches, watch_policy=asked))

    strict = WatchPolicy(watch_by_login=True, allow_unlogged_chat=False)
    two_are_on = [record, live, replay].count(True) >= 2
    assert seen(strict) == WatchPolicy(
        watch_by_login=two_are_on, allow_unlogged_chat=not (record and live)
    )
    assert seen(WatchPolicy()) == WatchPolicy(watch_by_login=False, allow_unlogged_chat=True)


# --- nicknames -----------------------------------------------------------------------------------

BLANK: Final = (
    *("\u115f", "\u1160", "\u2800", "\u3164", "\uffa0", "\u034f", "\ufe0f", "\U000e0100"),
    "\u3164 \u2800\u200d\u202e",
)
"""Letters, signs and marks of which nothing is seen."""


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("小明", "小明"),
        ("  two   words\n", "two words"),
        ("a\u202eb\u2066c\u200bd\ufeffe", "abcde"),
        ("\0x\x1b\x7f", "x"),
        ("<b>", "<b>"),
        ("e\u0301", "é"),
        ("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧"),
        ("🎉" * MAX_NICKNAME_LENGTH, "🎉" * MAX_NICKNAME_LENGTH),
        ("x" * MAX_NICKNAME_LENGTH + " " * 9, "x" * MAX_NICKNAME_LENGTH),
        ("❤\ufe0f", "❤\ufe0f"),
    ],
)
def test_a_nickname_is_what_is_seen(text: str, name: str) -> None:
    assert normalize_nickname(text) == name


@pytest.mark.parametrize(
    "text", ["", " ", "\u3000", "\u200d", "\u200b\u202e", "\ud800", "\0", *BLANK]
)
def test_a_nickname_is_seen(text: str) -> None:
    with pytest.raises(OperatorError, match="at least one"):
        normalize_nickname(text)


def test_a_nickname_is_not_too_long() -> None:
    with pytest.raises(OperatorError, match="up to 23"):
        normalize_nickname("x" * (MAX_NICKNAME_LENGTH + 1))


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("13900000001", "13900000001"),
        ("Li Lei 139 0000-0001!", "13900000001"),
        ("\uff11\uff13\uff19\uff10\uff10\uff100000\uff11", "13900000001"),
        ("١٣٩٠٠٠٠٠٠٠١", "13900000001"),
        ("①③⑨0000000①", "13900000001"),
        ("1\u200b3900000001", "13900000001"),
        ("+1 800 643-7676", "001-8006437676"),
        ("07700900123", "0044-7700900123"),
    ],
)
def test_nobody_is_called_by_their_number(text: str, number: str) -> None:
    with pytest.raises(OperatorError, match="telephone number"):
        normalize_guest_name(text, number)
    assert normalize_guest_name("Ann 139", number) == "Ann 139"
