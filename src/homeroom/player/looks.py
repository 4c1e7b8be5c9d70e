"""What the rooms ask the database: each function is one unit of work, or one look."""

from collections.abc import Mapping
from dataclasses import dataclass

from homeroom.base.ids import EntryId, LessonId
from homeroom.domain.chat import Entry, EntryKind, Standing
from homeroom.domain.lessons import Lesson
from homeroom.domain.refusal import Declined
from homeroom.domain.viewers import Ticket
from homeroom.domain.webcasts import Hosts
from homeroom.store.work import Work
from homeroom.usecases import chat, teaching, viewing
from homeroom.usecases.chat import CAUGHT_UP, History
from homeroom.usecases.means import Means
from homeroom.usecases.viewing import Shown


@dataclass(frozen=True, slots=True)
class Sight:
    """How a class stands: as its viewers see it, and as its teacher does."""

    lesson: Lesson
    shown: Shown
    to_teacher: Shown
    standing: Standing


@dataclass(frozen=True, slots=True)
class Opening:
    """What a room begins with."""

    sight: Sight
    history: History
    likes: int


@dataclass(frozen=True, slots=True)
class News:
    """What happened in some chats, in order, and how those stand in which more than talk did."""

    entries: Mapping[LessonId, list[Entry]]
    standings: Mapping[LessonId, Standing]
    is_all: bool

    def last(self, lesson: LessonId, after: EntryId) -> EntryId:
        """Return up to which entry of a chat they go."""
        entries = self.entries.get(lesson)
        return entries[-1].id if entries else after


@dataclass(frozen=True, slots=True)
class Asked:
    """A room of which it is asked how the class stands, and who may stay."""

    after: EntryId
    tickets: list[Ticket]
    tokens: list[str]


@dataclass(frozen=True, slots=True)
class Standings:
    """How some classes stand, those that are not to be seen any more left out."""

    sights: Mapping[LessonId, Sight]
    gone: Mapping[LessonId, Sight]
    outcasts: Mapping[LessonId, set[str]]
    """Identities and tokens of those who may not stay."""
    news: News
    likes: Mapping[LessonId, int]


def sight(work: Work, means: Means, hosts: Hosts, lesson: Lesson) -> Sight:
    """Return how a class stands."""
    shown = viewing.shown(work, means, hosts, lesson)
    to_teacher = viewing.shown(work, means, hosts, lesson, to_teacher=True)
    return Sight(lesson, shown, to_teacher, work.chats.standing(lesson.id))


def opening(work: Work, means: Means, hosts: Hosts, lesson: Lesson) -> Opening:
    """Return what the room of a class begins with."""
    return Opening(
        sight(work, means, hosts, lesson),
        chat.joined(work, lesson.id, EntryId(0)),
        work.chats.likes([lesson.id]).get(lesson.id, 0),
    )


def news(work: Work, after: Mapping[LessonId, EntryId]) -> News:
    """Return what happened in some chats after an entry of each."""
    entries: dict[LessonId, list[Entry]] = {}
    found = chat.since(work, after, CAUGHT_UP)
    for entry in found:
        entries.setdefault(entry.new.lesson, []).append(entry)
    standings = {
        lesson: work.chats.standing(lesson)
        for lesson, happened in entries.items()
        if any(entry.new.kind is not EntryKind.MESSAGE for entry in happened)
    }
    return News(entries, standings, is_all=len(found) < CAUGHT_UP)


def standings(work: Work, means: Means, hosts: Hosts, asked: Mapping[LessonId, Asked]) -> Standings:
    """Return how some classes stand, what happened in them, and who may no longer stay."""
    sights, gone, outcasts = {}, {}, {}
    for lesson_id, seen in viewing.several(work, asked).items():
        lesson, question = seen.lesson, asked[lesson_id]
        is_suspended = seen.plan.suspended
        found = sight(work, means, hosts, lesson)
        if is_suspended or lesson.deleted_at is not None:
            gone[lesson_id] = found
            continue
        sights[lesson_id] = found
        outcasts[lesson_id] = viewing.outcasts(
            work, lesson, question.tickets, is_suspended=is_suspended
        ) | {token for token in question.tokens if not _opens(work, means, token)}
    return Standings(
        sights,
        gone,
        outcasts,
        news(work, {lesson: question.after for lesson, question in asked.items()}),
        work.chats.likes(list(asked)),
    )


def _opens(work: Work, means: Means, token: str) -> bool:
    try:
        teaching.taught(work, means, token)
    except Declined:
        return False
    return True
