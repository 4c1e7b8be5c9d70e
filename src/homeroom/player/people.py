"""Who is in the rooms: connections, and the viewers and teachers they belong to."""

from dataclasses import replace
from time import monotonic

import msgspec

from homeroom.domain.chat import Author, ChatRole
from homeroom.domain.lessons import Lesson
from homeroom.domain.viewers import Ticket, ViewerKind, resolve_watch_policy
from homeroom.player.frames import You
from homeroom.player.limits import LIKES, VIEWER_SAYS, Bucket
from homeroom.store.viewers import WatchTime
from homeroom.usecases import viewing
from homeroom.usecases.viewing import Admitted
from homeroom.web.sockets import FrameWriter, text_frame

SHORTEST_WATCHED = 10
"""Seconds; a visitor who leaves sooner is not written down."""


def encoded(*events: object) -> bytes:
    """Return events that travel together as one frame."""
    return text_frame(msgspec.json.encode(events))


class Connection:
    """One WebSocket of somebody in a room."""

    __slots__ = ("is_playing", "person", "pipe", "sealed", "ticket")

    def __init__(
        self,
        pipe: FrameWriter,
        person: "Person",
        ticket: Ticket | None = None,
        sealed: str | None = None,
    ) -> None:
        """Take what they were let in by, and as it travels; none where it is a teacher's token."""
        self.pipe = pipe
        self.person = person
        self.ticket = ticket
        self.sealed = sealed
        self.is_playing = False

    @property
    def you(self) -> You:
        """Who they are here: each connection has a ticket of its own, and keeps it."""
        return msgspec.structs.replace(self.person.you, ticket=self.sealed)

    def tell(self, *events: object) -> None:
        """Send events that travel together."""
        self.pipe.write_frame(encoded(*events))

    def play(self, *, is_playing: bool) -> None:
        """Begin or end to count the time that the picture runs."""
        self.person.watch()
        self.is_playing = is_playing


class Person:
    """Somebody in a room, by as many connections as they like."""

    def __init__(self, identity: str) -> None:
        """Take what tells them from others."""
        self.identity = identity
        self.connections: set[Connection] = set()
        self.says = Bucket(VIEWER_SAYS)
        self.likes = Bucket(LIKES)

    @property
    def author(self) -> Author:
        """As whom they speak."""
        raise NotImplementedError

    @property
    def you(self) -> You:
        """Who they are, and what stands between them and the chat."""
        raise NotImplementedError

    def tell(self, *events: object) -> None:
        """Send events to each of their connections."""
        frame = encoded(*events)
        for connection in self.connections:
            connection.pipe.write_frame(frame)

    def tell_you(self) -> None:
        """Say to each of their connections who they are."""
        for connection in self.connections:
            connection.tell(connection.you)

    def watch(self) -> None:
        """Count the time until now, if the picture ran; only of viewers."""


class Teacher(Person):
    """The school's own people, by the secret address of the teacher's page."""

    def __init__(self, token: str, name: str) -> None:
        super().__init__(token)
        self._name = name

    @property
    def author(self) -> Author:
        """As whom they speak."""
        return Author(self._name, ChatRole.TEACHER)

    @property
    def you(self) -> You:
        """Who they are."""
        return You(None, self._name, ChatRole.TEACHER, "staff", None, "open")


class Viewer(Person):
    """Somebody who watches."""

    def __init__(self, admitted: Admitted) -> None:
        super().__init__(admitted.ticket.identity)
        self.admitted = admitted
        self._watched = 0.0
        self._unwritten = 0.0
        self._since = monotonic()

    def become(self, admitted: Admitted) -> None:
        """Take over who they have turned out to be, and say so."""
        old, self.admitted = self.you, admitted
        if self.you != old:
            self.tell_you()

    @property
    def author(self) -> Author:
        """As whom they speak; only those who are written down do."""
        viewer = self.admitted.viewer
        return Author(self.name, ChatRole.VIEWER, None if viewer is None else viewer.id)

    @property
    def name(self) -> str:
        """By which name they are known, if any."""
        viewer = self.admitted.viewer
        return self.admitted.ticket.name if viewer is None else viewer.name

    @property
    def kind(self) -> str:
        """How they are known: visitor, guest, link or user."""
        viewer = self.admitted.viewer
        is_guest = viewer is not None and viewer.telephone is not None
        kind = self.admitted.ticket.kind
        return "guest" if kind is ViewerKind.VISITOR and is_guest else kind

    @property
    def you(self) -> You:
        """Who they are, and what stands between them and the chat."""
        author, may_chat = self.author, self.admitted.may_chat
        return You(author.viewer, author.name, author.role, self.kind, None, may_chat)

    def judge(self, lesson: Lesson, *, is_muted: bool | None = None) -> None:
        """Find out again what they may, and say so if it is something else."""
        viewer = self.admitted.viewer
        if viewer is not None and is_muted is not None:
            viewer = replace(viewer, is_muted=is_muted)
        allows_unlogged = resolve_watch_policy(lesson).allow_unlogged_chat
        may = viewing.may_chat(self.admitted.ticket, viewer, allows_unlogged)
        has_changed = may != self.admitted.may_chat
        self.admitted = replace(self.admitted, viewer=viewer, may_chat=may)
        if has_changed:
            self.tell_you()

    def watch(self) -> None:
        """Count the time until now, if the picture ran."""
        now = monotonic()
        if any(connection.is_playing for connection in self.connections):
            self._watched += now - self._since
            self._unwritten += now - self._since
        self._since = now

    def take_watched(self) -> WatchTime | None:
        """Return what is still to be written, once; none where it is not worth it."""
        self.watch()
        is_known = self.admitted.viewer is not None
        seconds = int(self._unwritten)
        if seconds == 0 or not (is_known or self._watched >= SHORTEST_WATCHED):
            return None
        self._unwritten -= seconds
        return WatchTime(viewing.known_as(self.admitted), seconds)

    def give_back(self, seconds: int) -> None:
        """Take back what could not be written."""
        self._unwritten += seconds
