"""Viewers of the public pages: by which ticket they come, and what they may do there."""

import binascii
import unicodedata
from base64 import urlsafe_b64decode, urlsafe_b64encode
from enum import StrEnum

import msgspec

from homeroom.base.clock import HOUR, Moment
from homeroom.base.ids import CourseId, LessonId, SchoolId, SessionId
from homeroom.base.keys import hmac_hex, md5_hex, secrets_equal
from homeroom.base.text import strip_invisible
from homeroom.domain.lessons import Lesson, WatchPolicy
from homeroom.domain.refusal import OperatorError
from homeroom.domain.schools import School

TICKET_SECONDS = 12 * HOUR
"""Seconds for which a viewer need not say again who they are."""
MAX_TICKET_LENGTH = 1000
"""Characters of a ticket as it travels."""
MAX_ACCOUNT_LENGTH = 31
MAX_NICKNAME_LENGTH = 23
"""Characters that a login-free link may have (READINGS Q40)."""
MIN_SWITCHES_FOR_LOGIN = 2
"""How many of record, live and replay must be on for watchByLogin to count."""


class ViewerKind(StrEnum):
    """How a viewer is known."""

    VISITOR = "visitor"
    """By a number that the server gave; a guest once they have said their telephone number."""
    LINK = "link"
    """By a login-free link of the school."""
    USER = "user"
    """By account and password."""


class Ticket(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who a viewer is; the server signs it, the page keeps it and shows it again."""

    kind: ViewerKind
    subject: str
    """The number of a visitor, the account of a link, the UID of a user."""
    name: str
    school: SchoolId
    expires_at: Moment
    course: CourseId | None = None
    """The one course it is good for; none is all of the school's."""
    lesson: LessonId | None = None
    """The one class it is good for; none is all of the course's."""
    session: SessionId | None = None
    """The login of a user."""

    @property
    def identity(self) -> str:
        """What the viewer is known by in the class."""
        return f"{self.kind}:{self.subject}"

    def is_valid_for(self, lesson: Lesson) -> bool:
        """Tell whether it is good for a class."""
        return (
            self.school == lesson.school
            and self.course in (None, lesson.course)
            and self.lesson in (None, lesson.id)
        )


_tickets = msgspec.json.Decoder(Ticket)


def sign_ticket(ticket: Ticket, key: str) -> str:
    """Return a ticket as it travels, signed."""
    body = urlsafe_b64encode(msgspec.json.encode(ticket)).decode().rstrip("=")
    return f"{body}.{hmac_hex(key, body)}"


def verify_ticket(text: str, key: str, now: Moment) -> Ticket:
    """Return the ticket in a text; raises `OperatorError` unless it is signed and valid."""
    body, _, signature = text.partition(".")
    if len(text) > MAX_TICKET_LENGTH or not secrets_equal(signature, hmac_hex(key, body)):
        raise OperatorError("the ticket is not one of ours")
    try:
        ticket = _tickets.decode(urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except (binascii.Error, ValueError):
        raise OperatorError("the ticket is one of another version") from None
    if ticket.expires_at <= now:
        raise OperatorError("the ticket has expired")
    return ticket


def sign_link(secret: str, key: str, account: str, nickname: str) -> str:
    """Return what signs a login-free link to the class or the course of a key (READINGS Q40)."""
    return md5_hex(f"{secret}{key}{account}{nickname}")


def is_link_valid(school: School, key: str, account: str, nickname: str, code: str) -> bool:
    """Tell whether a login-free link was made by the school, with either of its secrets."""
    if not (0 < len(account) <= MAX_ACCOUNT_LENGTH and 0 < len(nickname) <= MAX_NICKNAME_LENGTH):
        return False
    if "\0" in account:  # which PostgreSQL does not keep
        return False
    secrets = (school.secret, school.former_secret or school.secret)
    expected = [sign_link(secret, key, account, nickname) for secret in secrets]
    # Both are compared, whichever is right: how long it takes tells nothing.
    return sum(secrets_equal(code.lower(), signature) for signature in expected) > 0


def resolve_watch_policy(lesson: Lesson) -> WatchPolicy:
    """Return who may watch and chat: each switch counts under its condition only (READINGS Q19)."""
    policy, recording = lesson.watch_policy, lesson.recording
    switches_on = recording.record + recording.live + recording.replay
    return WatchPolicy(
        watch_by_login=policy.watch_by_login and switches_on >= MIN_SWITCHES_FOR_LOGIN,
        allow_unlogged_chat=policy.allow_unlogged_chat or not (recording.record and recording.live),
    )


def normalize_nickname(text: str) -> str:
    """Return a name as it is shown, without what nobody sees; raises `OperatorError`."""
    name = " ".join(strip_invisible(unicodedata.normalize("NFC", text)).split())
    if not name:
        raise OperatorError("a nickname has at least one character")
    if len(name) > MAX_NICKNAME_LENGTH:
        raise OperatorError(f"a nickname has up to {MAX_NICKNAME_LENGTH} characters")
    return name


def normalize_guest_name(text: str, telephone: str) -> str:
    """Return the nickname of a guest as it is shown: not their number; raises `OperatorError`."""
    name = normalize_nickname(text)
    # Without the code of the country, before which many write a 0 or a plus sign.
    if _digits(telephone.rpartition("-")[2]) in _digits(name):
        raise OperatorError("everybody sees a nickname: it may not hold the telephone number")
    return name


def _digits(text: str) -> str:
    """Return the digits of a text, in any script."""
    return "".join(str(unicodedata.digit(letter, "")) for letter in text)
