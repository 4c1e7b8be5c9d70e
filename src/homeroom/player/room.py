"""The room of a class in memory: who is there, what was said lately, how the class stands."""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import replace

import msgspec

from homeroom.base.clock import Moment
from homeroom.base.ids import EntryId, LessonId
from homeroom.domain.chat import MAX_RECENT_MESSAGES, ChatEntry, ChatState, EntryKind
from homeroom.domain.lessons import Lesson
from homeroom.domain.viewers import resolve_watch_policy
from homeroom.player.participants import (
    Participant,
    RoomConnection,
    TeacherParticipant,
    ViewerParticipant,
    encode_frame,
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
from homeroom.player.token_bucket import ROOM_MESSAGES, TokenBucket
from homeroom.usecases.chat import MAX_MISSED_ENTRIES, ChatHistory

MAX_LISTED_VIEWERS = 200
"""Viewers of whom the teacher is told by name."""


class Welcome(msgspec.Struct, frozen=True, tag_field="t", tag="welcome"):
    """What somebody is told who comes in: the last messages, or what they have missed."""

    you: ParticipantInfo
    state: State
    entries: Sequence[ChatEvent]
    fresh: bool


class Room:
    """The room of one class."""

    def __init__(self, opening: RoomSeed, now: Moment, facts: Facts) -> None:
        """Take what the database says of it, the moment, and what is on the air."""
        self.snapshot = opening.snapshot
        self.last_entry = opening.history.last_entry
        self.likes = opening.snapshot.chat.likes
        """Those that are written down, or about to be."""
        self.pending_likes = 0
        self.message_bucket = TokenBucket(ROOM_MESSAGES)
        self.participants: dict[str, Participant] = {}
        self.connections: set[RoomConnection] = set()
        self._recent_messages = deque(map(message, opening.history.entries), MAX_RECENT_MESSAGES)
        self._event_log: deque[ChatEvent] = deque()
        self._log_starts_after = self.last_entry
        """The last entry that is not in the log."""
        self._sent_states: tuple[State, ...] = tuple(
            map(_without_volatile, self._states(now, facts))
        )
        self._sent_counts = RoomCounts(0, 0)
        self._sent_presence = PresenceList([], 0)

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
        """Everybody who watches, and who left a moment ago."""
        return [one for one in self.participants.values() if isinstance(one, ViewerParticipant)]

    @property
    def teachers(self) -> list[TeacherParticipant]:
        """The school's own people who are there."""
        return [one for one in self.participants.values() if isinstance(one, TeacherParticipant)]

    # --- who is there ----------------------------------------------------------------------------

    def add(self, connection: RoomConnection) -> None:
        """Let somebody in."""
        participant = connection.participant
        participant.update_watch_time()
        participant.connections.add(connection)
        self.participants[participant.identity] = participant
        self.connections.add(connection)

    def remove(self, connection: RoomConnection) -> None:
        """Let go of a connection."""
        connection.participant.update_watch_time()
        connection.participant.connections.discard(connection)
        self.connections.discard(connection)

    def close(self, code: int) -> None:
        """Close all connections."""
        for connection in list(self.connections):
            connection.pipe.close_with(code)

    def remove_absent(self) -> None:
        """Forget those who have left, once they have nothing to wait for."""
        for participant in list(self.participants.values()):
            if (
                not participant.connections
                and participant.message_bucket.is_full
                and participant.like_bucket.is_full
            ):
                del self.participants[participant.identity]

    # --- what was said ---------------------------------------------------------------------------

    @property
    def recent_messages(self) -> list[ChatMessage]:
        """The messages that are to be seen."""
        return list(self._recent_messages)

    def has_events_since(self, after: EntryId) -> bool:
        """Tell whether it knows all that came after an entry."""
        return after >= self._log_starts_after

    def events_since(self, after: EntryId) -> list[ChatEvent]:
        """Return what came after an entry that it remembers."""
        return [event for event in self._event_log if event.id > after]

    def missed_events(self, history: ChatHistory) -> list[ChatEvent]:
        """Return what the database had to tell, and what the room has told since it said so."""
        entries = [entry for entry in history.entries if entry.id <= self.last_entry]
        return [*chat_events(entries, history.state), *self.events_since(history.last_entry)]

    def apply_entries(
        self, entries: Iterable[ChatEntry], standing: ChatState | None
    ) -> list[ChatEvent]:
        """Take over what happened, in order, and return what there is to tell of it."""
        new = [entry for entry in entries if entry.id > self.last_entry]
        if new:
            self.last_entry = new[-1].id
        # Without anything new it is how the chat stood before what is known already.
        if new and standing is not None:
            self.snapshot = replace(self.snapshot, chat=standing)
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

    def update_snapshot(self, sight: LessonSnapshot, last: EntryId) -> None:
        """Take over how the class stood when an entry was the last one."""
        if last < self.last_entry:
            sight = replace(sight, chat=self.snapshot.chat)
        old, self.snapshot = self.snapshot, sight
        if resolve_watch_policy(old.lesson) != resolve_watch_policy(sight.lesson):
            for viewer in self.viewers:
                viewer.update_permission(sight.lesson)

    def _update_recent(self, event: ChatEvent) -> None:
        if isinstance(event, ChatMessage):
            self._recent_messages.append(event)
        elif isinstance(event, MessageDeleted):
            kept = [one for one in self._recent_messages if one.id != event.target]
            self._recent_messages = deque(kept, MAX_RECENT_MESSAGES)

    def _apply_mute(self, entry: ChatEntry) -> None:
        for viewer in self.viewers:
            if viewer.author.viewer == entry.new.target:
                viewer.update_permission(self.lesson, is_muted=entry.new.kind is EntryKind.MUTE)

    def take_pending_likes(self) -> int:
        """Return the likes that are still to be written, once."""
        taken, self.pending_likes = self.pending_likes, 0
        self.likes += taken
        return taken

    def restore_pending_likes(self, number: int) -> None:
        """Take back what could not be written."""
        self.likes -= number
        self.pending_likes += number

    # --- what is told ----------------------------------------------------------------------------

    def state(self, now: Moment, facts: Facts, participant: Participant) -> State:
        """Return how the class stands, as somebody may see it."""
        return self._states(now, facts)[isinstance(participant, TeacherParticipant)]

    def broadcast(self, *events: object) -> None:
        """Send events to everybody: encoded once, the same bytes to all."""
        if not events:
            return
        frame = encode_frame(*events)
        for connection in self.connections:
            connection.pipe.write_frame(frame)

    def force_next_state(self) -> None:
        """Have it said how the class stands, whatever was said last: its clock was moved."""
        self._sent_states = ()

    def broadcast_state(self, now: Moment, facts: Facts) -> None:
        """Say how the class stands, if that is not what was said last."""
        states = self._states(now, facts)
        told = tuple(map(_without_volatile, states))
        if told == self._sent_states:
            return
        self._sent_states = told
        frames = [encode_frame(one) for one in states]
        for connection in self.connections:
            connection.pipe.write_frame(
                frames[isinstance(connection.participant, TeacherParticipant)]
            )

    def _states(self, now: Moment, facts: Facts) -> tuple[State, State]:
        """Return how the class stands, as viewers see it and as its teacher does."""
        lesson, standing = self.snapshot.lesson, self.snapshot.chat
        return (
            state(lesson, self.snapshot.for_viewers, standing, now, facts),
            state(lesson, self.snapshot.for_teacher, standing, now, facts, to_teacher=True),
        )

    def counts(self) -> RoomCounts:
        """Return how many are there, and how much they like it."""
        viewers = sum(1 for one in self.viewers if one.connections)
        return RoomCounts(viewers, self.likes + self.pending_likes)

    def broadcast_counts(self) -> None:
        """Say how many are there, if that is not what was said last."""
        counts = self.counts()
        if counts != self._sent_counts:
            self._sent_counts = counts
            self.broadcast(counts)

    def presence(self) -> PresenceList:
        """Return the viewers with names who are there."""
        there = [
            PresentViewer(viewer.id, viewer.name, one.kind, viewer.is_muted)
            for one in self.viewers
            if one.connections and (viewer := one.admitted.viewer) is not None
        ]
        there.sort(key=_by_name)
        return PresenceList(there[:MAX_LISTED_VIEWERS], max(0, len(there) - MAX_LISTED_VIEWERS))

    def send_presence(self) -> None:
        """Say to the teachers who is there, if that is not what was said last."""
        teachers = self.teachers
        named = self.presence() if teachers else self._sent_presence
        if named != self._sent_presence:
            self._sent_presence = named
            for teacher in teachers:
                teacher.send(named)


def chat_events(entries: Iterable[ChatEntry], standing: ChatState) -> list[ChatEvent]:
    """Return what everybody is told of some entries."""
    events = (_chat_event(entry, standing) for entry in entries)
    return [event for event in events if event is not None]


def _chat_event(entry: ChatEntry, standing: ChatState) -> ChatEvent | None:
    """Return what everybody is told of an entry; none where it is nobody's business any more."""
    event: ChatEvent | None = None
    match entry.new.kind:
        case EntryKind.MESSAGE if not entry.is_deleted:
            event = message(entry)
        case EntryKind.DELETE:
            event = MessageDeleted(entry.id, entry.new.target or 0)
        # One that was let go of since is not on top: what did so comes after it.
        case EntryKind.PIN if standing.pinned and standing.pinned.id == entry.new.target:
            event = MessagePinned(entry.id, standing.pinned.id, message(standing.pinned))
        case EntryKind.UNPIN:
            event = MessageUnpinned(entry.id)
        case EntryKind.PAUSE:
            event = ChatPaused(entry.id)
        case EntryKind.RESUME:
            event = ChatResumed(entry.id)
    return event


def _by_name(present: PresentViewer) -> tuple[str, int]:
    return present.name, present.viewer


def _without_volatile(told: State) -> State:
    """Return a state without what changes from second to second and is no news."""
    clips = [msgspec.structs.replace(clip, url="") for clip in told.clips]
    return msgspec.structs.replace(told, now=0, clips=clips)
