"""Viewers of the public pages: tickets, login-free links, nicknames and the watch policy."""

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
"""Seconds for which a ticket is valid."""
MAX_TICKET_LENGTH = 1000
"""Characters of a signed ticket."""
MAX_ACCOUNT_LENGTH = 31
MAX_NICKNAME_LENGTH = 23
"""Characters that a login-free link may have (READINGS Q40)."""
MIN_SWITCHES_FOR_LOGIN = 2
"""watchByLogin counts if at least so many of record, live and replay are on."""


class ViewerKind(StrEnum):
    """The way in which a viewer is identified."""

    VISITOR = "visitor"
    """By a random number of the server; a guest after they gave a telephone number."""
    LINK = "link"
    """By a login-free link of the school."""
    USER = "user"
    """By account and password."""


class Ticket(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The identity of a viewer: signed by the server, stored and sent back by the page."""

    kind: ViewerKind
    subject: str
    """The number of a visitor, the account of a link, the UID of a user."""
    name: str
    school: SchoolId
    expires_at: Moment
    course: CourseId | None = None
    """The only course it is valid for; None: all courses of the school."""
    lesson: LessonId | None = None
    """The only class it is valid for; None: all classes of the course."""
    session: SessionId | None = None
    """The login of a user."""

    @property
    def identity(self) -> str:
        """The key of the viewer within a class."""
        return f"{self.kind}:{self.subject}"

    def is_valid_for(self, lesson: Lesson) -> bool:
        """Tell whether the ticket is valid for a class."""
        return (
            self.school == lesson.school
            and self.course in (None, lesson.course)
            and self.lesson in (None, lesson.id)
        )


_tickets = msgspec.json.Decoder(Ticket)


def name_guest(key: str, lesson: LessonId, identity: str) -> str:
    """Return the account that messages give a visitor without one; each class has another (Q96)."""
    return f"yk_{hmac_hex(key, f'{lesson} {identity}')[:16]}"


def sign_ticket(ticket: Ticket, key: str) -> str:
    """Return a signed ticket as text."""
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
    """Return the check code of a login-free link to a class or a course (READINGS Q40)."""
    return md5_hex(f"{secret}{key}{account}{nickname}")


def is_link_valid(school: School, key: str, account: str, nickname: str, code: str) -> bool:
    """Tell whether a login-free link is signed with the current or the former secret."""
    if not (0 < len(account) <= MAX_ACCOUNT_LENGTH and 0 < len(nickname) <= MAX_NICKNAME_LENGTH):
        return False
    if "\0" in account:  # which PostgreSQL does not keep
        return False
    secrets = (school.secret, school.former_secret or school.secret)
    expected = [sign_link(secret, key, account, nickname) for secret in secrets]
    # Always compare both, so that the time does not reveal which one is right.
    return sum(secrets_equal(code.lower(), signature) for signature in expected) > 0


def resolve_watch_policy(lesson: Lesson) -> WatchPolicy:
    """Return the effective watch policy: each switch has its own condition (READINGS Q19)."""
    policy, recording = lesson.watch_policy, lesson.recording
    switches_on = recording.record + recording.live + recording.replay
    return WatchPolicy(
        watch_by_login=policy.watch_by_login and switches_on >= MIN_SWITCHES_FOR_LOGIN,
        allow_unlogged_chat=policy.allow_unlogged_chat or not (recording.record and recording.live),
    )


def normalize_nickname(text: str) -> str:
    """Return a nickname without invisible characters; raises `OperatorError` if none is left."""
    name = " ".join(strip_invisible(unicodedata.normalize("NFC", text)).split())
    if not name:
        raise OperatorError("a nickname has at least one character")
    if len(name) > MAX_NICKNAME_LENGTH:
        raise OperatorError(f"a nickname has up to {MAX_NICKNAME_LENGTH} characters")
    return name


def normalize_guest_name(text: str, telephone: str) -> str:
    """Return the nickname of a guest; raises `OperatorError` if it contains their number."""
    name = normalize_nickname(text)
    # Without the code of the country, before which many write a 0 or a plus sign.
    if _digits(telephone.rpartition("-")[2]) in _digits(name):
        raise OperatorError("everybody sees a nickname: it may not hold the telephone number")
    return name


def _digits(text: str) -> str:
    """Return the digits of a text, in any script."""
    return "".join(str(unicodedata.digit(letter, "")) for letter in text)
