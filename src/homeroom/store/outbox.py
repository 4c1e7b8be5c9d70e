"""The outbox: messages to the receivers of schools, written in the unit that causes them."""

import time
from collections.abc import Callable, Sequence
from functools import cache
from typing import Final

import msgspec
from sqlalchemy import Text, bindparam, cast, insert, select

from homeroom.base.clock import Moment
from homeroom.base.ids import SchoolId, UserId
from homeroom.contract.messages.body import MessageBody
from homeroom.domain.endpoints import OPENING_SECONDS
from homeroom.domain.events import Event
from homeroom.store.announcements import MESSAGE_CHANNEL, Announcement
from homeroom.store.engine import SQLValue, Transaction
from homeroom.store.statement import ListParameter, Statement
from homeroom.store.tables import endpoints, messages, schools

# PostgreSQL announces the school with the insert: a statement of its own would cost each call more.
_announcement = Announcement(MESSAGE_CHANNEL, cast(messages.c.school_id, Text()))
_ADD = Statement(
    insert(messages)
    .values({column: bindparam(column.name) for column in messages.c if column.name != "id"})
    .returning(_announcement, messages.c.id)
)
_ANNOUNCE = Statement(select(Announcement(MESSAGE_CHANNEL, cast(bindparam("school"), Text()))))
_new_messages = ListParameter("new_messages")
_INTEGERS = frozenset(
    {"school_id", "position", "course_id", "lesson_id", "is_simulated", "created_at"}
)
_NEW_COLUMNS = tuple(column.name for column in messages.c if column.name != "id")
_ADD_ALL = Statement(
    insert(messages)
    .from_select(
        _NEW_COLUMNS,
        select(
            *(
                (_new_messages.integer if name in _INTEGERS else _new_messages.text)(place)
                for place, name in enumerate(_NEW_COLUMNS, 1)
            )
        )
        .select_from(_new_messages.source)
        .order_by(_new_messages.integer(0)),
    )
    .returning(_announcement, messages.c.id)
)
_GET_OWNER = Statement(select(schools.c.owner_id).where(schools.c.id == bindparam("school")))
_LIST_SCHOOLS = Statement(
    select(endpoints.c.school_id).where(endpoints.c.start_after_id.is_not(None)).distinct()
)
_NEVER: Final = float("-inf")
_encode = msgspec.json.Encoder().encode


class SubscribedSchools:
    """The schools whose messages are written: those with an endpoint that was ever opened.

    A process reads the list once a second at most, so that a call of another school costs nothing.
    """

    def __init__(self, read_time: Callable[[], float] = time.monotonic) -> None:
        self._read_time = read_time
        self._schools: frozenset[int] = frozenset()
        self._read_at = _NEVER
        self._owners: dict[SchoolId, UserId] = {}
        self.is_everybody = False
        """Whether the messages of all schools are written: the sandbox has an inbox for each."""

    def includes(self, school: SchoolId, tx: Transaction) -> bool:
        """Return whether the messages of a school are written."""
        if self.is_everybody:
            return True
        now = self._read_time()
        if now - self._read_at > OPENING_SECONDS:
            self._schools = frozenset(row[0] for row in tx.fetch_all(_LIST_SCHOOLS, {}))
            self._read_at = now
        return school in self._schools

    def get_owner(self, school: SchoolId, tx: Transaction) -> UserId:
        """Return the school account of a school; it is read once, since it stays the same."""
        owner = self._owners.get(school)
        if owner is None:
            owner = self._owners[school] = UserId(
                tx.fetch_all(_GET_OWNER, {"school": school})[0][0]
            )
        return owner

    def forget(self) -> None:
        """Read the list again for the next unit: this process has changed it."""
        self._read_at = _NEVER


class Outbox:
    """Repository of new messages."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def announce(self, school: SchoolId) -> None:
        """Tell other servers that there is something to deliver for a school."""
        self._tx.fetch_all(_ANNOUNCE, {"school": school})

    def add(self, events: Sequence[Event], now: Moment) -> None:
        """Add the messages of some events in their order, in one statement, and announce them."""
        if len(events) == 1:
            self._tx.fetch_all(_ADD, _build_values(events[0], now))
            return
        rows = []
        for place, event in enumerate(events):
            values = _build_values(event, now)
            rows.append([place, *(values[name] for name in _NEW_COLUMNS)])
        self._tx.fetch_all(_ADD_ALL, {"new_messages": _encode(rows).decode()})


def _build_values(event: Event, now: Moment) -> dict[str, SQLValue]:
    return {
        "school_id": event.school,
        "position": None,
        "kind": event.body.kind.value,
        "stream": str(event.stream),
        "course_id": event.course,
        "lesson_id": event.lesson,
        "body": _encode_body(event),
        "file_path": event.file_path,
        "is_simulated": int(event.is_simulated),
        "created_at": now,
    }


def _encode_body(event: Event) -> str:
    """Return all fields of a message but those that each attempt makes (Q45), as JSON.

    The texts are joined: a dictionary of all fields would take longer than the rest of a message.
    """
    envelope: dict[str, object] = {"SID": event.school, "Cmd": event.body.command}
    if event.course is not None:
        envelope["CourseID"] = event.course
    if event.lesson is not None:
        envelope["ClassID"] = event.lesson
    envelope["ActionTime"] = event.at
    if event.source is not None:
        envelope["SourceUID"] = event.source
    if event.target is not None:
        envelope["TargetUID"] = event.target
    for name in envelope.keys() & _list_fields(type(event.body)):
        del envelope[name]  # the body has a field of this name
    head, fields = _encode(envelope), _encode(event.body)
    return (head if fields == b"{}" else head[:-1] + b"," + fields[1:]).decode()


@cache
def _list_fields(body: type[MessageBody]) -> frozenset[str]:
    return frozenset(body.__struct_encode_fields__)
