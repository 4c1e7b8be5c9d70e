"""Participants of rooms: viewers and teachers, each with one or more connections."""

from time import monotonic

import msgspec

from homeroom.base.ids import UserId
from homeroom.base.values import Value, replace
from homeroom.domain.chat import Author, ChatAccess, ChatRole
from homeroom.domain.lessons import Lesson
from homeroom.domain.page_visits import VisitKey
from homeroom.domain.presence import ViewerPresence, presence_key
from homeroom.domain.viewers import Ticket, ViewerKind, resolve_watch_policy
from homeroom.player.protocol import ParticipantInfo, ParticipantKind
from homeroom.player.token_bucket import LIKES, VIEWER_MESSAGES, TokenBucket
from homeroom.store.records import Viewer, WatchTime
from homeroom.usecases import viewing
from homeroom.usecases.page_content import Audience
from homeroom.usecases.viewer_messages import ClientType, PageVisitor
from homeroom.usecases.viewing import ViewerAccess
from homeroom.web.sockets import FrameWriter, text_frame

MIN_WATCHED_SECONDS = 10
"""A visitor without a name who watches for a shorter time is not stored."""


def encode_frame(*events: object) -> bytes:
    """Return events as one WebSocket frame."""
    return text_frame(msgspec.json.encode(events))


class PageClient(Value, frozen=True):
    """The browser of a viewer."""

    address: str
    type: ClientType


class RoomConnection:
    """One WebSocket of a participant."""

    __slots__ = (
        "client",
        "is_playing",
        "participant",
        "pipe",
        "sealed_ticket",
        "ticket",
        "visit",
    )

    def __init__(
        self,
        pipe: FrameWriter,
        participant: "Participant",
        ticket: Ticket | None = None,
        sealed_ticket: str | None = None,
        client: PageClient | None = None,
    ) -> None:
        """Initialize with the viewer's ticket, decoded and signed, and their browser.

        Teachers have neither.
        """
        self.client = client
        self.visit: VisitKey | None = None
        """The visit of its page, which may have had earlier connections."""
        self.pipe = pipe
        self.participant = participant
        self.ticket = ticket
        self.sealed_ticket = sealed_ticket
        self.is_playing = False

    @property
    def info(self) -> ParticipantInfo:
        """The participant's identity, with the ticket of this connection."""
        return msgspec.structs.replace(self.participant.info, ticket=self.sealed_ticket)

    @property
    def visitor(self) -> PageVisitor | None:
        """The viewer, as messages describe them; None for a teacher."""
        if self.client is None or not isinstance(self.participant, ViewerParticipant):
            return None
        admitted = self.participant.admitted
        return PageVisitor(
            admitted.seen.lesson,
            admitted.account,
            self.participant.name,
            self.client.address if admitted.seen.plan.push_viewer_ip else "",
            self.client.type,
        )

    def send(self, *events: object) -> None:
        """Send events in one frame."""
        self.pipe.write_frame(encode_frame(*events))

    def set_playing(self, *, is_playing: bool) -> None:
        """Start or stop counting the time that the video plays."""
        self.participant.update_watch_time()
        self.is_playing = is_playing


class Participant:
    """A person in a room, with any number of connections."""

    def __init__(self, identity: str) -> None:
        """Initialize with an identity that is unique in the room."""
        self.identity = identity
        self.connections: set[RoomConnection] = set()
        self.message_bucket = TokenBucket(VIEWER_MESSAGES)
        self.like_bucket = TokenBucket(LIKES)

    @property
    def audience(self) -> Audience:
        """Those with whom they see the same of the class."""
        raise NotImplementedError

    @property
    def author(self) -> Author:
        """The author of their messages."""
        raise NotImplementedError

    @property
    def info(self) -> ParticipantInfo:
        """Their identity and their permission to chat."""
        raise NotImplementedError

    def send(self, *events: object) -> None:
        """Send events to all their connections."""
        frame = encode_frame(*events)
        for connection in self.connections:
            connection.pipe.write_frame(frame)

    def send_info(self) -> None:
        """Send their identity to all their connections."""
        for connection in self.connections:
            connection.send(connection.info)

    def update_watch_time(self) -> None:
        """Count the time since the last call, if the video played; only for viewers."""


def participant_kind(kind: ViewerKind, viewer: Viewer | None) -> ParticipantKind:
    """Return the kind of a viewer: a visitor with a telephone number is a guest."""
    is_guest = viewer is not None and viewer.telephone is not None
    if kind is ViewerKind.VISITOR and is_guest:
        return ParticipantKind.GUEST
    return ParticipantKind(kind)


class TeacherParticipant(Participant):
    """A teacher or assistant, identified by the token of the teacher's page."""

    def __init__(self, token: str, name: str, user: UserId) -> None:
        super().__init__(token)
        self._name = name
        self.user = user
        """Whose page it is."""

    @property
    def audience(self) -> Audience:
        """Those with whom they see the same of the class."""
        return Audience.TEACHERS

    @property
    def author(self) -> Author:
        """The author of their messages."""
        return Author(self._name, ChatRole.TEACHER)

    @property
    def info(self) -> ParticipantInfo:
        """Their identity; they may always chat."""
        return ParticipantInfo(
            None, self._name, ChatRole.TEACHER, ParticipantKind.STAFF, None, ChatAccess.OPEN
        )


class ViewerParticipant(Participant):
    """A viewer, with the time they have watched."""

    def __init__(self, admitted: ViewerAccess) -> None:
        super().__init__(admitted.ticket.identity)
        self.admitted = admitted
        self.key = presence_key(admitted.seen.lesson, self.identity)
        self.is_counted_elsewhere = False
        self.has_reminder = False
        """Whether a reminder was booked here: another command then writes nothing."""
        self._watched_seconds = 0.0
        self._unsaved_seconds = 0.0
        self._counted_until = monotonic()

    def update_admission(self, admitted: ViewerAccess) -> None:
        """Take over a new admission; on a change send them their identity."""
        old, self.admitted = self.info, admitted
        if self.info != old:
            self.send_info()

    @property
    def audience(self) -> Audience:
        """Those with whom they see the same of the class."""
        return self.admitted.audience

    @property
    def author(self) -> Author:
        """The author of their messages; only stored viewers may send any."""
        viewer = self.admitted.viewer
        return Author(self.name, ChatRole.VIEWER, viewer.id if viewer is not None else None)

    @property
    def name(self) -> str:
        """Their name, empty for a visitor without one."""
        viewer = self.admitted.viewer
        return viewer.name if viewer is not None else self.admitted.ticket.name

    @property
    def kind(self) -> ParticipantKind:
        """Kind of the viewer's identity."""
        return participant_kind(self.admitted.ticket.kind, self.admitted.viewer)

    @property
    def info(self) -> ParticipantInfo:
        """Their identity and their permission to chat."""
        author, may_chat = self.author, self.admitted.chat_access
        return ParticipantInfo(author.viewer, author.name, author.role, self.kind, None, may_chat)

    def update_permission(self, lesson: Lesson, *, is_muted: bool | None = None) -> None:
        """Compute the permission to chat again; on a change send them their identity."""
        viewer = self.admitted.viewer
        if viewer is not None and is_muted is not None:
            viewer = replace(viewer, is_muted=is_muted)
        allows_unlogged = resolve_watch_policy(lesson).allow_unlogged_chat
        may = viewing.get_chat_access(self.admitted.ticket, viewer, allows_unlogged)
        has_changed = may != self.admitted.chat_access
        self.admitted = replace(self.admitted, viewer=viewer, chat_access=may)
        if has_changed:
            self.send_info()

    @property
    def presence(self) -> ViewerPresence:
        """Their presence, for other servers."""
        viewer = self.admitted.viewer
        return ViewerPresence(self.key, viewer.id if viewer is not None else None, self._is_playing)

    @property
    def _is_playing(self) -> bool:
        return any(connection.is_playing for connection in self.connections)

    def set_counted_elsewhere(self, *, is_counted: bool) -> None:
        """Let another server count the watch time from now on, or count it here."""
        self.update_watch_time()
        self.is_counted_elsewhere = is_counted

    def update_watch_time(self) -> None:
        """Count the time since the last call, if the video played."""
        now = monotonic()
        if self._is_playing and not self.is_counted_elsewhere:
            self._watched_seconds += now - self._counted_until
            self._unsaved_seconds += now - self._counted_until
        self._counted_until = now

    def take_watch_time(self) -> WatchTime | None:
        """Return the unsaved watch time and reset it; None if there is nothing to store."""
        self.update_watch_time()
        is_known = self.admitted.viewer is not None
        seconds = int(self._unsaved_seconds)
        if seconds == 0 or not (is_known or self._watched_seconds >= MIN_WATCHED_SECONDS):
            return None
        self._unsaved_seconds -= seconds
        return WatchTime(viewing.build_viewer(self.admitted), seconds)

    def restore_watch_time(self, seconds: int) -> None:
        """Add back watch time that could not be stored."""
        self._unsaved_seconds += seconds
