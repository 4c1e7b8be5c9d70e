"""Queries of the live rooms; each function runs in one unit of work or one read."""

from collections.abc import Collection, Mapping

from homeroom.base.ids import EntryId, LessonId
from homeroom.base.values import Value
from homeroom.domain.chat import ChatEntry, ChatState, EntryKind
from homeroom.domain.lessons import Lesson
from homeroom.domain.viewers import Ticket
from homeroom.domain.webcasts import Hosts
from homeroom.store.records import PublicLesson
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import chat, class_students, streams, teaching, viewing
from homeroom.usecases.chat import MAX_MISSED_ENTRIES, ChatHistory
from homeroom.usecases.dependencies import Dependencies
from homeroom.usecases.page_content import Contents, get_contents


class LessonSnapshot(Value, frozen=True):
    """Snapshot of a class: what each audience sees, and the chat state."""

    lesson: Lesson
    contents: Contents
    chat: ChatState


class RoomSeed(Value, frozen=True):
    """Initial data of a room."""

    snapshot: LessonSnapshot
    history: ChatHistory


class ChatUpdates(Value, frozen=True):
    """New entries of some chats in order, and new states of the chats that have changed."""

    entries: Mapping[LessonId, list[ChatEntry]]
    chat_states: Mapping[LessonId, ChatState]
    is_complete: bool

    def last_entry(self, lesson: LessonId, after: EntryId) -> EntryId:
        """Return the id of the last entry of a chat, or `after` for an empty chat."""
        entries = self.entries.get(lesson)
        return entries[-1].id if entries else after


class RoomQuery(Value, frozen=True):
    """Query for updates of one room: last entry, and the credentials in use."""

    after: EntryId
    tickets: set[Ticket]
    tokens: set[str]


class RoomUpdates(Value, frozen=True):
    """Updates for some rooms; snapshots of erased classes are missing."""

    snapshots: Mapping[LessonId, LessonSnapshot]
    removed: set[LessonId]
    """Classes without a public page (any more)."""
    revoked: set[Ticket | str]
    """Tickets and teachers' tokens that are no longer valid."""
    transferred_out: set[tuple[LessonId, Ticket]]
    """Tickets that are no longer valid for one class: its student was taken out of it."""
    chat_updates: ChatUpdates


def load_snapshots(
    uow: UnitOfWork, deps: Dependencies, hosts: Hosts, pages: Collection[PublicLesson]
) -> dict[LessonId, LessonSnapshot]:
    """Return snapshots of some classes."""
    contents = get_contents(uow, deps, hosts, pages)
    lessons = [page.lesson for page in pages]
    chat_states = chat.get_states(uow, [lesson.id for lesson in lessons])
    return {
        lesson.id: LessonSnapshot(
            lesson, contents[lesson.id], chat_states.get(lesson.id, ChatState())
        )
        for lesson in lessons
    }


def load_seed(uow: UnitOfWork, deps: Dependencies, hosts: Hosts, page: PublicLesson) -> RoomSeed:
    """Return the initial data of the room of a class."""
    lesson = page.lesson.id
    return RoomSeed(
        load_snapshots(uow, deps, hosts, [page])[lesson],
        chat.load_history(uow, lesson, EntryId(0)),
    )


def load_chat_updates(uow: UnitOfWork, after: Mapping[LessonId, EntryId]) -> ChatUpdates:
    """Return the entries of some chats after the given entry of each."""
    entries: dict[LessonId, list[ChatEntry]] = {}
    new_entries = chat.list_entries_after(uow, after, MAX_MISSED_ENTRIES)
    for entry in new_entries:
        entries.setdefault(entry.new.lesson, []).append(entry)
    changed = {entry.new.lesson for entry in new_entries if entry.new.kind is not EntryKind.MESSAGE}
    return ChatUpdates(
        entries, chat.get_states(uow, changed), is_complete=len(new_entries) < MAX_MISSED_ENTRIES
    )


def load_room_updates(
    uow: UnitOfWork, deps: Dependencies, hosts: Hosts, queries: Mapping[LessonId, RoomQuery]
) -> RoomUpdates:
    """Return snapshots, new chat entries and revoked credentials for some rooms."""
    lessons = viewing.get_page_lessons(uow, queries)
    snapshots = load_snapshots(uow, deps, hosts, lessons.values())
    removed = {
        lesson
        for lesson, seen in lessons.items()
        if seen.plan.suspended or seen.lesson.deleted_at is not None
    }
    watching = [(seen.lesson, queries[lesson].tickets) for lesson, seen in lessons.items()]
    revoked = viewing.find_revoked_tickets(uow, watching) | _revoked_tokens(uow, deps, queries)
    after = {lesson: query.after for lesson, query in queries.items()}
    transferred_out = class_students.find_transferred_out(
        uow, {lesson: query.tickets for lesson, query in queries.items()}
    )
    return RoomUpdates(snapshots, removed, revoked, transferred_out, load_chat_updates(uow, after))


def _revoked_tokens(
    uow: UnitOfWork, deps: Dependencies, queries: Mapping[LessonId, RoomQuery]
) -> set[str]:
    """Return the teachers' tokens that are no longer valid."""
    guarded = [lesson for lesson, query in queries.items() if query.tokens]
    tokens = {token for lesson in guarded for token in queries[lesson].tokens}
    return tokens - {
        token
        for stream in streams.get_publish_targets(uow, guarded)
        for token in queries[stream.lesson.id].tokens
        if teaching.is_token_valid(token, stream, deps, uow.now)
    }
