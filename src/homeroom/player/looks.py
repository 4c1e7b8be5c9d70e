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
from homeroom.usecases.chat import CAUGHT_UP, History
from homeroom.usecases.dependencies import Dependencies
from homeroom.usecases.viewing import Shown


@dataclass(frozen=True, slots=True)
class Sight:
    """How a class stands: as its viewers see it, and as its teacher does."""

    lesson: Lesson
    shown: Shown
    to_teacher: Shown
    standing: ChatState


@dataclass(frozen=True, slots=True)
class Opening:
    """What a room begins with."""

    sight: Sight
    history: History


@dataclass(frozen=True, slots=True)
class News:
    """What happened in some chats, in order, and how those stand in which more than talk did."""

    entries: Mapping[LessonId, list[ChatEntry]]
    standings: Mapping[LessonId, ChatState]
    is_all: bool

    def last(self, lesson: LessonId, after: EntryId) -> EntryId:
        """Return up to which entry of a chat they go."""
        entries = self.entries.get(lesson)
        return entries[-1].id if entries else after


@dataclass(frozen=True, slots=True)
class Asked:
    """A room of which it is asked how the class stands, and who may stay."""

    after: EntryId
    tickets: set[Ticket]
    tokens: set[str]


@dataclass(frozen=True, slots=True)
class Standings:
    """How some classes stand, those left out that there are no more."""

    sights: Mapping[LessonId, Sight]
    gone: set[LessonId]
    """Those that are not to be seen any more."""
    outcasts: set[Ticket | str]
    """Tickets and teachers' tokens that are no longer good."""
    news: News


def sights(
    uow: UnitOfWork, deps: Dependencies, hosts: Hosts, lessons: Collection[Lesson]
) -> dict[LessonId, Sight]:
    """Return how some classes stand."""
    shown = viewing.shown_of(uow, deps, hosts, lessons)
    stood = uow.chats.find_states([lesson.id for lesson in lessons])
    return {
        lesson.id: Sight(lesson, *shown[lesson.id], stood.get(lesson.id, ChatState()))
        for lesson in lessons
    }


def opening(uow: UnitOfWork, deps: Dependencies, hosts: Hosts, lesson: Lesson) -> Opening:
    """Return what the room of a class begins with."""
    return Opening(
        sights(uow, deps, hosts, [lesson])[lesson.id],
        chat.joined(uow, lesson.id, EntryId(0)),
    )


def news(uow: UnitOfWork, after: Mapping[LessonId, EntryId]) -> News:
    """Return what happened in some chats after an entry of each."""
    entries: dict[LessonId, list[ChatEntry]] = {}
    found = chat.since(uow, after, CAUGHT_UP)
    for entry in found:
        entries.setdefault(entry.new.lesson, []).append(entry)
    moved = {entry.new.lesson for entry in found if entry.new.kind is not EntryKind.MESSAGE}
    return News(entries, uow.chats.find_states(moved), is_all=len(found) < CAUGHT_UP)


def standings(
    uow: UnitOfWork, deps: Dependencies, hosts: Hosts, asked: Mapping[LessonId, Asked]
) -> Standings:
    """Return how some classes stand, what happened in them, and who may no longer stay."""
    several = viewing.several(uow, asked)
    found = sights(uow, deps, hosts, [seen.lesson for seen in several.values()])
    gone = {
        lesson
        for lesson, seen in several.items()
        if seen.plan.suspended or seen.lesson.deleted_at is not None
    }
    watching = [(seen.lesson, asked[lesson].tickets) for lesson, seen in several.items()]
    outcasts = viewing.outcasts(uow, watching) | _shut(uow, deps, asked)
    after = {lesson: question.after for lesson, question in asked.items()}
    return Standings(found, gone, outcasts, news(uow, after))


def _shut(uow: UnitOfWork, deps: Dependencies, asked: Mapping[LessonId, Asked]) -> set[str]:
    """Return the tokens that no longer open the page of their class."""
    taught = [lesson for lesson, question in asked.items() if question.tokens]
    tokens = {token for lesson in taught for token in asked[lesson].tokens}
    return tokens - {
        token
        for held in uow.publish_sessions.get_streams(taught)
        for token in asked[held.lesson.id].tokens
        if teaching.opens(token, held, deps, uow.now)
    }
