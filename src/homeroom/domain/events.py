"""Events: what happened, as values that the receivers of a school get."""

from dataclasses import dataclass
from typing import NamedTuple

from homeroom.base.clock import Moment
from homeroom.base.ids import CourseId, LessonId, SchoolId, UserId
from homeroom.contract.messages.body import MessageBody
from homeroom.contract.messages.kinds import KINDS, MessageSubject
from homeroom.contract.messages.schedule import OpSource

SERVICE = UserId(0)
"""The service itself as the acting user."""
EVERYBODY = UserId(0)
"""All persons in the room as those who are meant."""


class Actor(NamedTuple):
    """The person who changes the schedule, and the interface: its messages have both (Q94)."""

    source: OpSource = OpSource.CONSOLE
    user: UserId | None = None
    """The person at a page; None: the school account, for calls and commands."""


class MessageStream(NamedTuple):
    """The thing that a message is about; messages of one stream keep their order (Q92)."""

    subject: MessageSubject
    id: int

    def __str__(self) -> str:
        return f"{self.subject}:{self.id}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """An event of a school, with the body of its message.

    A unit of work emits it: the message exists if and only if the unit was committed (Q93).
    """

    school: SchoolId
    body: MessageBody
    at: Moment
    """When it happened: ActionTime on the wire."""
    course: CourseId | None = None
    lesson: LessonId | None = None
    person: UserId | None = None
    """The person that a message of a stream of persons is about."""
    source: UserId | None = None
    """Who did it: SourceUID, left out if None."""
    target: UserId | None = None
    """The person it was done to: TargetUID, left out if None."""
    file_path: str | None = None
    """The stored file that an address in the body leads to: see `FILE_ADDRESS`."""
    is_simulated: bool = False

    @property
    def stream(self) -> MessageStream:
        """The stream of its message."""
        kind = KINDS[self.body.kind].stream
        about = {
            MessageSubject.CLASS: self.lesson,
            MessageSubject.COURSE: self.course,
            MessageSubject.PERSON: self.person,
            MessageSubject.SCHOOL: self.school,
        }[kind]
        if about is None:
            message = f"an event of the kind {self.body.kind} needs its {kind}"
            raise ValueError(message)
        return MessageStream(kind, about)
