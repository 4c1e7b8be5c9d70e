"""What the rooms ask the database: each function is one unit of work, or one look."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from homeroom.base.ids import EntryId, LessonId
from homeroom.domain.chat import ChatEntry, ChatState, EntryKind
from homeroom.domain.lessons import Lesson
from homeroom.domain.viewers import Ticket
from homeroom.domain.webcasts import Hosts
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import chat, teaching, viewing
from homeroom.usecases.chat import MAX_MISSED_ENTRIES, ChatHistory
from homeroom.usecases.dependencies import Dependencies
from homeroom.usecases.viewing import PageContent


@dataclass(frozen=True, slots=True)
class LessonSnapshot:
    """How a class stands: as its viewers see it, and as its teacher does."""

    lesson: Lesson
    for_viewers: PageContent
    for_teacher: PageContent
    chat: ChatState


@dataclass(frozen=True, slots=True)
class RoomSeed:
    """What a room begins with."""

    snapshot: LessonSnapshot
    history: ChatHistory


@dataclass(frozen=True, slots=True)
class ChatUpdates:
    """What happened in some chats, in order, and how those stand in which more than talk did."""

    entries: Mapping[LessonId, list[ChatEntry]]
    chat_states: Mapping[LessonId, ChatState]
    is_complete: bool

    def last_entry(self, lesson: LessonId, after: EntryId) -> EntryId:
        """Return up to which entry of a chat they go."""
        entries = self.entries.get(lesson)
        return entries[-1].id if entries else after


@dataclass(frozen=True, slots=True)
class RoomQuery:
    """A room of which it is asked how the class stands, and who may stay."""

    after: EntryId
    tickets: set[Ticket]
    tokens: set[str]


@dataclass(frozen=True, slots=True)
class RoomUpdates:
    """How some classes stand, those left out that there are no more."""

    snapshots: Mapping[LessonId, LessonSnapshot]
    removed: set[LessonId]
    """Those that are not to be seen any more."""
    revoked: set[Ticket | str]
    """Tickets and teachers' tokens that are no longer good."""
    chat_updates: ChatUpdates


def load_snapshots(
    uow: UnitOfWork, deps: Dependencies, hosts: Hosts, lessons: Collection[Lesson]
) -> dict[LessonId, LessonSnapshot]:
    """Return how some classes stand."""
    shown = viewing.get_contents(uow, deps, hosts, lessons)
    stood = uow.chats.find_states([lesson.id for lesson in lessons])
    return {
        lesson.id: LessonSnapshot(lesson, *shown[lesson.id], stood.get(lesson.id, ChatState()))
        for lesson in lessons
    }


def load_seed(uow: UnitOfWork, deps: Dependencies, hosts: Hosts, lesson: Lesson) -> RoomSeed:
    """Return what the room of a class begins with."""
    return RoomSeed(
        load_snapshots(uow, deps, hosts, [lesson])[lesson.id],
        chat.load_history(uow, lesson.id, EntryId(0)),
    )


def load_chat_updates(uow: UnitOfWork, after: Mapping[LessonId, EntryId]) -> ChatUpdates:
    """Return what happened in some chats after an entry of each."""
    entries: dict[LessonId, list[ChatEntry]] = {}
    found = chat.list_entries_after(uow, after, MAX_MISSED_ENTRIES)
    for entry in found:
        entries.setdefault(entry.new.lesson, []).append(entry)
    moved = {entry.new.lesson for entry in found if entry.new.kind is not EntryKind.MESSAGE}
    return ChatUpdates(
        entries, uow.chats.find_states(moved), is_complete=len(found) < MAX_MISSED_ENTRIES
    )


def load_room_updates(
    uow: UnitOfWork, deps: Dependencies, hosts: Hosts, asked: Mapping[LessonId, RoomQuery]
) -> RoomUpdates:
    """Return how some classes stand, what happened in them, and who may no longer stay."""
    several = viewing.get_page_lessons(uow, asked)
    snapshots = load_snapshots(uow, deps, hosts, [seen.lesson for seen in several.values()])
    removed = {
        lesson
        for lesson, seen in several.items()
        if seen.plan.suspended or seen.lesson.deleted_at is not None
    }
    watching = [(seen.lesson, asked[lesson].tickets) for lesson, seen in several.items()]
    revoked = viewing.find_revoked_tickets(uow, watching) | _revoked_tokens(uow, deps, asked)
    after = {lesson: question.after for lesson, question in asked.items()}
    return RoomUpdates(snapshots, removed, revoked, load_chat_updates(uow, after))


def _revoked_tokens(
    uow: UnitOfWork, deps: Dependencies, asked: Mapping[LessonId, RoomQuery]
) -> set[str]:
    """Return the tokens that no longer open the page of their class."""
    taught = [lesson for lesson, question in asked.items() if question.tokens]
    tokens = {token for lesson in taught for token in asked[lesson].tokens}
    return tokens - {
        token
        for held in uow.publish_sessions.get_streams(taught)
        for token in asked[held.lesson.id].tokens
        if teaching.is_token_valid(token, held, deps, uow.now)
    }
