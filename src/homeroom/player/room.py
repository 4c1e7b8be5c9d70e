"""The live room of a class in memory: participants, recent messages, state of the class."""

from collections import deque
from collections.abc import Iterable, Sequence

import msgspec

from homeroom.base.clock import Moment
from homeroom.base.ids import EntryId, LessonId
from homeroom.base.values import replace
from homeroom.domain.chat import MAX_RECENT_MESSAGES, ChatEntry, ChatState, EntryKind
from homeroom.domain.lessons import Lesson
from homeroom.domain.presence import ViewerPresence
from homeroom.domain.viewers import resolve_watch_policy
from homeroom.player.elsewhere import Elsewhere
from homeroom.player.participants import (
    Participant,
    RoomConnection,
    TeacherParticipant,
    ViewerParticipant,
    encode_frame,
    participant_kind,
)
from homeroom.player.protocol import (
    ChatEvent,
    ChatMessage,
    ChatPaused,
    ChatResumed,
    MessageDeleted,
    MessagePinned,
    MessageUnpinned,
    ParticipantInfo,
    PresenceList,
    PresentViewer,
    RoomCounts,
)
from homeroom.player.room_queries import LessonSnapshot, RoomSeed
from homeroom.player.state import Facts, State, message, state
from homeroom.player.stream_reports import StreamReports, build_stream_reports
from homeroom.player.token_bucket import ROOM_MESSAGES, TokenBucket
from homeroom.usecases.chat import MAX_MISSED_ENTRIES, ChatHistory
from homeroom.usecases.page_content import Audience
from homeroom.usecases.presence import MAX_LISTED_VIEWERS
from homeroom.usecases.viewer_messages import Like, PageVisitor


class Welcome(msgspec.Struct, frozen=True, tag_field="t", tag="welcome"):
    """First event for a participant: identity, state, and recent or missed chat entries."""

    you: ParticipantInfo
    state: State
    entries: Sequence[ChatEvent]
    fresh: bool


class Room:
    """The live room of one class."""

    def __init__(self, seed: RoomSeed, now: Moment, facts: Facts) -> None:
        """Initialize from the database, the current time and the running streams."""
        self.snapshot = seed.snapshot
        self.last_entry = seed.history.last_entry
        self.likes = seed.snapshot.chat.likes
        """Likes in the database, and those that are being written."""
        self.pending_likes = 0
        self._likes_of_viewers: list[Like] = []
        """The pending likes of viewers, for their messages."""
        self.message_bucket = TokenBucket(ROOM_MESSAGES)
        self.participants: dict[str, Participant] = {}
        self.connections: set[RoomConnection] = set()
        self._elsewhere = Elsewhere()
        self._recent_messages = deque(map(message, seed.history.entries), MAX_RECENT_MESSAGES)
        self._event_log: deque[ChatEvent] = deque()
        self._log_starts_after = self.last_entry
        """Id of the last entry before the log."""
        self._sent_states: tuple[State, ...] = tuple(
            map(_without_volatile, self._states(now, facts))
        )
        self._sent_counts = RoomCounts(0, 0)
        self._sent_presence = PresenceList([], 0)
        self._sent_reports = StreamReports([])

    @property
    def lesson(self) -> Lesson:
        """The class."""
        return self.snapshot.lesson

    @property
    def id(self) -> LessonId:
        """The class's id."""
        return self.snapshot.lesson.id

    @property
    def viewers(self) -> list[ViewerParticipant]:
        """All viewers, also those who left a moment ago."""
        return [
            participant
            for participant in self.participants.values()
            if isinstance(participant, ViewerParticipant)
        ]

    @property
    def teachers(self) -> list[TeacherParticipant]:
        """Teachers and assistants."""
        return [
            participant
            for participant in self.participants.values()
            if isinstance(participant, TeacherParticipant)
        ]

    # --- participants ----------------------------------------------------------------------------

    def add(self, connection: RoomConnection) -> None:
        """Add a connection and its participant."""
        participant = connection.participant
        participant.update_watch_time()
        participant.connections.add(connection)
        self.participants[participant.identity] = participant
        self.connections.add(connection)

    def remove(self, connection: RoomConnection) -> None:
        """Remove a connection; the participant stays until `remove_absent`."""
        connection.participant.update_watch_time()
        connection.participant.connections.discard(connection)
        self.connections.discard(connection)

    def close(self, code: int) -> None:
        """Close all connections with a code."""
        for connection in list(self.connections):
            connection.pipe.close_with(code)

    def remove_absent(self) -> None:
        """Remove participants without connections, once their rate limits have recovered."""
        for participant in list(self.participants.values()):
            if (
                not participant.connections
                and participant.message_bucket.is_full
                and participant.like_bucket.is_full
            ):
                del self.participants[participant.identity]

    # --- chat history ----------------------------------------------------------------------------

    @property
    def recent_messages(self) -> list[ChatMessage]:
        """The most recent messages that are not deleted."""
        return list(self._recent_messages)

    def has_events_since(self, after: EntryId) -> bool:
        """Return True if the log holds every entry after this one."""
        return after >= self._log_starts_after

    def events_since(self, after: EntryId) -> list[ChatEvent]:
        """Return the events after an entry; requires `has_events_since`."""
        return [event for event in self._event_log if event.id > after]

    def missed_events(self, history: ChatHistory) -> list[ChatEvent]:
        """Return events of a history from the database, and those the room has added since."""
        entries = [entry for entry in history.entries if entry.id <= self.last_entry]
        return [*chat_events(entries, history.state), *self.events_since(history.last_entry)]

    def apply_entries(
        self, entries: Iterable[ChatEntry], chat: ChatState | None
    ) -> list[ChatEvent]:
        """Apply new entries in order, and return their events."""
        new = [entry for entry in entries if entry.id > self.last_entry]
        if new:
            self.last_entry = new[-1].id
        # Without new entries the state is older than the one of the room.
        if new and chat is not None:
            self.snapshot = replace(self.snapshot, chat=chat)
        for entry in new:
            if entry.new.kind in (EntryKind.MUTE, EntryKind.UNMUTE):
                self._apply_mute(entry)
        events = chat_events(new, self.snapshot.chat)
        self._event_log += events
        while len(self._event_log) > MAX_MISSED_ENTRIES:
            self._log_starts_after = EntryId(self._event_log.popleft().id)
        for event in events:
            self._update_recent(event)
        return events

    def update_snapshot(self, snapshot: LessonSnapshot, last: EntryId) -> None:
        """Take over a snapshot that was read when `last` was the last entry."""
        if last < self.last_entry:
            snapshot = replace(snapshot, chat=self.snapshot.chat)
        previous, self.snapshot = self.snapshot, snapshot
        if resolve_watch_policy(previous.lesson) != resolve_watch_policy(snapshot.lesson):
            for viewer in self.viewers:
                viewer.update_permission(snapshot.lesson)

    def _update_recent(self, event: ChatEvent) -> None:
        if isinstance(event, ChatMessage):
            self._recent_messages.append(event)
        elif isinstance(event, MessageDeleted):
            remaining = [message for message in self._recent_messages if message.id != event.target]
            self._recent_messages = deque(remaining, MAX_RECENT_MESSAGES)

    def _apply_mute(self, entry: ChatEntry) -> None:
        for viewer in self.viewers:
            if viewer.author.viewer == entry.new.target:
                viewer.update_permission(self.lesson, is_muted=entry.new.kind is EntryKind.MUTE)

    def add_likes(self, number: int, visitor: PageVisitor | None, now: Moment) -> None:
        """Count likes of a viewer, or of a teacher (None); they are stored soon."""
        self.pending_likes += number
        if visitor is not None:
            self._likes_of_viewers.append(Like(visitor, number, now))

    def take_pending_likes(self) -> tuple[int, list[Like]]:
        """Return the likes that are not stored yet, and those of viewers; reset both."""
        likes, self.pending_likes = self.pending_likes, 0
        of_viewers, self._likes_of_viewers = self._likes_of_viewers, []
        self.likes += likes
        return likes, of_viewers

    def restore_pending_likes(self, number: int, of_viewers: Sequence[Like]) -> None:
        """Add back likes that could not be stored."""
        self.likes -= number
        self.pending_likes += number
        self._likes_of_viewers[:0] = of_viewers

    # --- broadcasts ------------------------------------------------------------------------------

    def state(self, now: Moment, facts: Facts, participant: Participant) -> State:
        """Return the state of the class for a participant."""
        return self._states(now, facts)[participant.audience]

    def broadcast(self, *events: object) -> None:
        """Send events to all connections; they are encoded once."""
        if not events:
            return
        frame = encode_frame(*events)
        for connection in self.connections:
            connection.pipe.write_frame(frame)

    def force_next_state(self) -> None:
        """Make the next `broadcast_state` send, as after the clock was moved."""
        self._sent_states = ()

    def broadcast_state(self, now: Moment, facts: Facts) -> None:
        """Send the state of the class, if it has changed."""
        states = self._states(now, facts)
        lasting = tuple(map(_without_volatile, states))
        if lasting == self._sent_states:
            return
        self._sent_states = lasting
        frames = [encode_frame(state) for state in states]
        for connection in self.connections:
            connection.pipe.write_frame(frames[connection.participant.audience])

    def _states(self, now: Moment, facts: Facts) -> tuple[State, ...]:
        """Return the state of the class for each audience, by its number."""
        lesson, chat = self.snapshot.lesson, self.snapshot.chat
        return tuple(
            state(
                lesson,
                content,
                chat,
                now,
                facts,
                to_teacher=audience == Audience.TEACHERS,
            )
            for audience, content in enumerate(self.snapshot.contents)
        )

    def present_viewers(self) -> tuple[ViewerPresence, ...]:
        """Return the viewers who are connected here, for other servers."""
        return tuple(viewer.presence for viewer in self.viewers if viewer.connections)

    def set_elsewhere(self, elsewhere: Elsewhere) -> None:
        """Take over who is connected to other servers."""
        self._elsewhere = elsewhere
        for viewer in self.viewers:
            viewer.set_counted_elsewhere(is_counted=viewer.key in elsewhere.counted)

    def counts(self) -> RoomCounts:
        """Return the numbers of viewers, at all servers, and of likes."""
        keys = self._elsewhere.keys
        here = sum(1 for viewer in self.viewers if viewer.connections and viewer.key not in keys)
        return RoomCounts(here + len(keys), self.likes + self.pending_likes)

    def broadcast_counts(self) -> None:
        """Send the numbers, if they have changed."""
        counts = self.counts()
        if counts != self._sent_counts:
            self._sent_counts = counts
            self.broadcast(counts)

    def presence(self) -> PresenceList:
        """Return the viewers with names who are connected, to any server."""
        present = {
            viewer.id: PresentViewer(viewer.id, viewer.name, participant.kind, viewer.is_muted)
            for participant in self.viewers
            if participant.connections and (viewer := participant.admitted.viewer) is not None
        }
        number = len(present.keys() | self._elsewhere.named)
        for viewer in self._elsewhere.listed:
            kind = participant_kind(viewer.kind, viewer)
            present.setdefault(
                viewer.id, PresentViewer(viewer.id, viewer.name, kind, viewer.is_muted)
            )
        listed = sorted(present.values(), key=_by_name)[:MAX_LISTED_VIEWERS]
        return PresenceList(listed, number - len(listed))

    def send_presence(self) -> None:
        """Send the presence list to the teachers, if it has changed."""
        teachers = self.teachers
        presence = self.presence() if teachers else self._sent_presence
        if presence != self._sent_presence:
            self._sent_presence = presence
            for teacher in teachers:
                teacher.send(presence)

    def send_stream_reports(self, facts: Facts) -> None:
        """Send the reports on the streams to the teachers, if they have changed."""
        teachers = self.teachers
        reports = build_stream_reports(self.lesson, facts) if teachers else self._sent_reports
        if reports != self._sent_reports:
            self._sent_reports = reports
            for teacher in teachers:
                teacher.send(reports)


def chat_events(entries: Iterable[ChatEntry], chat: ChatState) -> list[ChatEvent]:
    """Return the public events of some entries."""
    events = (_chat_event(entry, chat) for entry in entries)
    return [event for event in events if event is not None]


def _chat_event(entry: ChatEntry, chat: ChatState) -> ChatEvent | None:
    """Return the public event of an entry, None if it has none (any more)."""
    event: ChatEvent | None = None
    match entry.new.kind:
        case EntryKind.MESSAGE if not entry.is_deleted:
            event = message(entry)
        case EntryKind.DELETE:
            event = MessageDeleted(entry.id, entry.new.target or 0)
        # A message that was unpinned since is left out: its later entry says so.
        case EntryKind.PIN if chat.pinned and chat.pinned.id == entry.new.target:
            event = MessagePinned(entry.id, chat.pinned.id, message(chat.pinned))
        case EntryKind.UNPIN:
            event = MessageUnpinned(entry.id)
        case EntryKind.PAUSE:
            event = ChatPaused(entry.id)
        case EntryKind.RESUME:
            event = ChatResumed(entry.id)
    return event


def _by_name(present: PresentViewer) -> tuple[str, int]:
    return present.name, present.viewer


def _without_volatile(state: State) -> State:
    """Return a state without time and signed URLs, which change without being news."""
    clips = [msgspec.structs.replace(clip, url="") for clip in state.clips]
    return msgspec.structs.replace(state, now=0, clips=clips)
