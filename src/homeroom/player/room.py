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
from homeroom.player.frames import (
    Counts,
    Deleted,
    EntryEvent,
    Message,
    Paused,
    People,
    Pinned,
    Present,
    Resumed,
    Unpinned,
    You,
)
from homeroom.player.limits import ROOM_SAYS, Bucket
from homeroom.player.looks import Opening, Sight
from homeroom.player.people import Connection, Person, Teacher, Viewer, encoded
from homeroom.player.state import Facts, State, message, state
from homeroom.usecases.chat import CAUGHT_UP, History

MOST_PEOPLE = 200
"""Viewers of whom the teacher is told by name."""


class Welcome(msgspec.Struct, frozen=True, tag_field="t", tag="welcome"):
    """What somebody is told who comes in: the last messages, or what they have missed."""

    you: You
    state: State
    entries: Sequence[EntryEvent]
    fresh: bool


class Room:
    """The room of one class."""

    def __init__(self, opening: Opening, now: Moment, facts: Facts) -> None:
        """Take what the database says of it, the moment, and what is on the air."""
        self.sight = opening.sight
        self.last = opening.history.last
        self.likes = opening.sight.standing.likes
        """Those that are written down, or about to be."""
        self.new_likes = 0
        self.says = Bucket(ROOM_SAYS)
        self.people: dict[str, Person] = {}
        self.connections: set[Connection] = set()
        self._recent = deque(map(message, opening.history.entries), MAX_RECENT_MESSAGES)
        self._log: deque[EntryEvent] = deque()
        self._forgotten = self.last
        """The last entry that is not in the log."""
        self._told: tuple[State, ...] = tuple(map(_lasting, self._states(now, facts)))
        self._counted = Counts(0, 0)
        self._named = People([], 0)

    @property
    def lesson(self) -> Lesson:
        """The class."""
        return self.sight.lesson

    @property
    def id(self) -> LessonId:
        """The class's id."""
        return self.sight.lesson.id

    @property
    def viewers(self) -> list[Viewer]:
        """Everybody who watches, and who left a moment ago."""
        return [one for one in self.people.values() if isinstance(one, Viewer)]

    @property
    def teachers(self) -> list[Teacher]:
        """The school's own people who are there."""
        return [one for one in self.people.values() if isinstance(one, Teacher)]

    # --- who is there ----------------------------------------------------------------------------

    def enter(self, connection: Connection) -> None:
        """Let somebody in."""
        person = connection.person
        person.watch()
        person.connections.add(connection)
        self.people[person.identity] = person
        self.connections.add(connection)

    def leave(self, connection: Connection) -> None:
        """Let go of a connection."""
        connection.person.watch()
        connection.person.connections.discard(connection)
        self.connections.discard(connection)

    def end(self, code: int) -> None:
        """Close all connections."""
        for connection in list(self.connections):
            connection.pipe.close_with(code)

    def tidy(self) -> None:
        """Forget those who have left, once they have nothing to wait for."""
        for person in list(self.people.values()):
            if not person.connections and person.says.is_full and person.likes.is_full:
                del self.people[person.identity]

    # --- what was said ---------------------------------------------------------------------------

    @property
    def recent(self) -> list[Message]:
        """The messages that are to be seen."""
        return list(self._recent)

    def remembers(self, after: EntryId) -> bool:
        """Tell whether it knows all that came after an entry."""
        return after >= self._forgotten

    def since(self, after: EntryId) -> list[EntryEvent]:
        """Return what came after an entry that it remembers."""
        return [event for event in self._log if event.id > after]

    def missed(self, history: History) -> list[EntryEvent]:
        """Return what the database had to tell, and what the room has told since it said so."""
        entries = [entry for entry in history.entries if entry.id <= self.last]
        return [*events_of(entries, history.standing), *self.since(history.last)]

    def take(self, entries: Iterable[ChatEntry], standing: ChatState | None) -> list[EntryEvent]:
        """Take over what happened, in order, and return what there is to tell of it."""
        new = [entry for entry in entries if entry.id > self.last]
        if new:
            self.last = new[-1].id
        # Without anything new it is how the chat stood before what is known already.
        if new and standing is not None:
            self.sight = replace(self.sight, standing=standing)
        for entry in new:
            if entry.new.kind in (EntryKind.MUTE, EntryKind.UNMUTE):
                self._mute(entry)
        events = events_of(new, self.sight.standing)
        self._log += events
        while len(self._log) > CAUGHT_UP:
            self._forgotten = EntryId(self._log.popleft().id)
        for event in events:
            self._remember(event)
        return events

    def see(self, sight: Sight, last: EntryId) -> None:
        """Take over how the class stood when an entry was the last one."""
        if last < self.last:
            sight = replace(sight, standing=self.sight.standing)
        old, self.sight = self.sight, sight
        if resolve_watch_policy(old.lesson) != resolve_watch_policy(sight.lesson):
            for viewer in self.viewers:
                viewer.judge(sight.lesson)

    def _remember(self, event: EntryEvent) -> None:
        if isinstance(event, Message):
            self._recent.append(event)
        elif isinstance(event, Deleted):
            kept = [one for one in self._recent if one.id != event.target]
            self._recent = deque(kept, MAX_RECENT_MESSAGES)

    def _mute(self, entry: ChatEntry) -> None:
        for viewer in self.viewers:
            if viewer.author.viewer == entry.new.target:
                viewer.judge(self.lesson, is_muted=entry.new.kind is EntryKind.MUTE)

    def take_likes(self) -> int:
        """Return the likes that are still to be written, once."""
        taken, self.new_likes = self.new_likes, 0
        self.likes += taken
        return taken

    def give_back_likes(self, number: int) -> None:
        """Take back what could not be written."""
        self.likes -= number
        self.new_likes += number

    # --- what is told ----------------------------------------------------------------------------

    def state(self, now: Moment, facts: Facts, person: Person) -> State:
        """Return how the class stands, as somebody may see it."""
        return self._states(now, facts)[isinstance(person, Teacher)]

    def tell(self, *events: object) -> None:
        """Send events to everybody: encoded once, the same bytes to all."""
        if not events:
            return
        frame = encoded(*events)
        for connection in self.connections:
            connection.pipe.write_frame(frame)

    def tell_anew(self) -> None:
        """Have it said how the class stands, whatever was said last: its clock was moved."""
        self._told = ()

    def tell_state(self, now: Moment, facts: Facts) -> None:
        """Say how the class stands, if that is not what was said last."""
        states = self._states(now, facts)
        told = tuple(map(_lasting, states))
        if told == self._told:
            return
        self._told = told
        frames = [encoded(one) for one in states]
        for connection in self.connections:
            connection.pipe.write_frame(frames[isinstance(connection.person, Teacher)])

    def _states(self, now: Moment, facts: Facts) -> tuple[State, State]:
        """Return how the class stands, as viewers see it and as its teacher does."""
        lesson, standing = self.sight.lesson, self.sight.standing
        return (
            state(lesson, self.sight.shown, standing, now, facts),
            state(lesson, self.sight.to_teacher, standing, now, facts),
        )

    def counts(self) -> Counts:
        """Return how many are there, and how much they like it."""
        viewers = sum(1 for one in self.viewers if one.connections)
        return Counts(viewers, self.likes + self.new_likes)

    def tell_counts(self) -> None:
        """Say how many are there, if that is not what was said last."""
        counts = self.counts()
        if counts != self._counted:
            self._counted = counts
            self.tell(counts)

    def named(self) -> People:
        """Return the viewers with names who are there."""
        there = [
            Present(viewer.id, viewer.name, one.kind, viewer.is_muted)
            for one in self.viewers
            if one.connections and (viewer := one.admitted.viewer) is not None
        ]
        there.sort(key=_by_name)
        return People(there[:MOST_PEOPLE], max(0, len(there) - MOST_PEOPLE))

    def tell_people(self) -> None:
        """Say to the teachers who is there, if that is not what was said last."""
        teachers = self.teachers
        named = self.named() if teachers else self._named
        if named != self._named:
            self._named = named
            for teacher in teachers:
                teacher.tell(named)


def events_of(entries: Iterable[ChatEntry], standing: ChatState) -> list[EntryEvent]:
    """Return what everybody is told of some entries."""
    events = (_event_of(entry, standing) for entry in entries)
    return [event for event in events if event is not None]


def _event_of(entry: ChatEntry, standing: ChatState) -> EntryEvent | None:
    """Return what everybody is told of an entry; none where it is nobody's business any more."""
    event: EntryEvent | None = None
    match entry.new.kind:
        case EntryKind.MESSAGE if not entry.is_deleted:
            event = message(entry)
        case EntryKind.DELETE:
            event = Deleted(entry.id, entry.new.target or 0)
        # One that was let go of since is not on top: what did so comes after it.
        case EntryKind.PIN if standing.pinned and standing.pinned.id == entry.new.target:
            event = Pinned(entry.id, standing.pinned.id, message(standing.pinned))
        case EntryKind.UNPIN:
            event = Unpinned(entry.id)
        case EntryKind.PAUSE:
            event = Paused(entry.id)
        case EntryKind.RESUME:
            event = Resumed(entry.id)
    return event


def _by_name(present: Present) -> tuple[str, int]:
    return present.name, present.viewer


def _lasting(told: State) -> State:
    """Return a state without what changes from second to second and is no news."""
    clips = [msgspec.structs.replace(clip, url="") for clip in told.clips]
    return msgspec.structs.replace(told, now=0, clips=clips)
