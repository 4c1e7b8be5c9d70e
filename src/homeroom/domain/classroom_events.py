"""Events of a classroom: its log, from which attendance and the summary are made (Q95, Q100)."""

from collections.abc import Iterable, Mapping
from enum import IntEnum, StrEnum
from typing import Any, Final

from homeroom.base.clock import Moment
from homeroom.base.ids import LessonId, UserId
from homeroom.base.values import Value, replace


class ClassroomEventKind(StrEnum):
    """The kind of an event, by its name in a script (Q100)."""

    ENTER = "enter"
    """Details: identity, device, client (0 for the first device of a person)."""
    LEAVE = "leave"
    """Details: identity, client, reason."""
    HAND = "hand"
    AWARD = "award"
    CAMERA = "camera"
    AUTHORIZE = "authorize"
    STAGE = "stage"
    MUTE = "mute"
    MUTE_ALL = "mute_all"
    SILENCE = "silence"
    KICK = "kick"
    QUESTION = "question"
    ANSWER = "answer"
    COLLECT = "collect"
    RACE = "race"
    GRAB = "grab"
    RACE_END = "race_end"
    NETWORK = "network"
    CHECK = "check"
    DEVICE = "device"
    HELP = "help"
    EXTEND = "extend"
    BOARD = "board"
    TOOL = "tool"
    FILE = "file"
    GROUPS = "groups"
    SEATS = "seats"
    SCREEN = "screen"
    RATE = "rate"
    CLOSE = "close"


class ClassIdentity(IntEnum):
    """The role of a person in the classroom: Identity on the wire."""

    STUDENT = 1
    AUDITOR = 2
    TEACHER = 3
    CO_TEACHER = 4
    PRINCIPAL = 0xC1
    """The school account."""
    PRINCIPAL_ASSISTANT = 0xC2
    """A sub-account of the school."""


class LeaveReason(IntEnum):
    """Why a person left the classroom; the vendor's codes that occur here."""

    NORMAL = 1
    ROOM_CLOSED = 2
    KICKED = 4
    CONNECTION_LOST = 6
    CLASS_CANCELLED = 7


class ClassroomDevice(IntEnum):
    """The device of a person; the vendor's codes that occur here."""

    PC = 0
    """Also an encoder."""
    WEB_PAGE = 14


class ClassroomEvent(Value, frozen=True):
    """An event of the classroom of a class."""

    lesson: LessonId
    at: Moment
    kind: ClassroomEventKind
    user: UserId | None = None
    """Who acts or is meant; None: everybody."""
    actor: UserId | None = None
    """Who does it to them; None: they themselves, or the service."""
    details: Mapping[str, Any] = {}
    is_simulated: bool = False


class Stay(Value, frozen=True):
    """A stay of a person in the classroom, by one device."""

    user: UserId
    client: int
    """0 for the first device of the person."""
    identity: int
    device: int
    entered_at: Moment
    left_at: Moment | None
    """None: still inside."""
    reason: int | None
    """Why they left."""

    def seconds(self, until: Moment) -> int:
        """Return how long it lasted, if the class is left at `until` at the latest."""
        end = self.left_at if self.left_at is not None else until
        return max(0, end - self.entered_at)


def list_stays(events: Iterable[ClassroomEvent]) -> list[Stay]:
    """Return the stays of all persons in the order in which they entered.

    The events must be in order. A second entry of a device that is inside counts for nothing, as
    does a leave of one that is not.
    """
    stays: list[Stay] = []
    open_stays: dict[tuple[UserId, int], int] = {}
    for event in events:
        if event.user is None:
            continue
        details = event.details
        place = event.user, int(details.get("client", 0))
        if event.kind is ClassroomEventKind.ENTER and place not in open_stays:
            open_stays[place] = len(stays)
            stays.append(
                Stay(
                    event.user,
                    place[1],
                    int(details.get("identity", ClassIdentity.STUDENT)),
                    int(details.get("device", ClassroomDevice.PC)),
                    event.at,
                    None,
                    None,
                )
            )
        elif event.kind is ClassroomEventKind.LEAVE and place in open_stays:
            number = open_stays.pop(place)
            reason = int(details.get("reason", LeaveReason.NORMAL))
            stays[number] = replace(stays[number], left_at=event.at, reason=reason)
    return stays


def find_inside(events: Iterable[ClassroomEvent]) -> list[Stay]:
    """Return the stays that have not ended: who is inside, and by which devices."""
    return [stay for stay in list_stays(events) if stay.left_at is None]


ENCODER_SOURCE: Final = "encoder"
"""The source of signs of a teacher who pushes the stream of the class."""


class SignOfLife(Value, frozen=True):
    """A sign that a person is in the classroom: a beat that stands still has ended."""

    lesson: LessonId
    user: UserId
    source: str
    """`ENCODER_SOURCE`, or the server that has the page of the person."""
    beat: int = 0
    """It grows each time; 0 stands for any beat."""

    @property
    def device(self) -> ClassroomDevice:
        """The device that it comes from."""
        is_encoder = self.source == ENCODER_SOURCE
        return ClassroomDevice.PC if is_encoder else ClassroomDevice.WEB_PAGE
