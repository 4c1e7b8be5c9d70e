"""Closing of classrooms: all leave, the chat is archived, and the summary is sent (Q47, Q95)."""

from collections.abc import Sequence

from homeroom.base.clock import Moment
from homeroom.base.ids import EntryId, LessonId, SchoolId, UserId
from homeroom.base.values import Value
from homeroom.contract.messages.body import FILE_ADDRESS
from homeroom.contract.messages.recordings import ClassChatArchive
from homeroom.contract.messages.summary import ClassSummary
from homeroom.domain.chat import ChatEntry, EntryKind
from homeroom.domain.classroom_events import (
    ClassroomEvent,
    ClassroomEventKind,
    LeaveReason,
    find_inside,
)
from homeroom.domain.classroom_summary import summarize
from homeroom.domain.events import Event
from homeroom.domain.jobs import EraseFile
from homeroom.domain.lessons import Lesson
from homeroom.domain.lifecycle import OVERTIME_SECONDS
from homeroom.domain.retention import MESSAGE_FILE_SECONDS
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases.attendance import RoomExit, leave

ARCHIVE_PAGE = 1000
"""Entries of a chat that are read at once."""


class DueClassroom(Value, frozen=True):
    """A class that is to be closed, or whose summary is due."""

    school: SchoolId
    lesson: LessonId


class ChatArchive(Value, frozen=True):
    """The stored archive of the chat of a class."""

    path: str
    packed_at: Moment


def list_due(uow: UnitOfWork) -> list[DueClassroom]:
    """Return the classes that are to be closed or summarized, in the order of their ends."""
    return [
        DueClassroom(school, lesson) for school, lesson in uow.open_classrooms.list_due(uow.now)
    ]


def list_chat(uow: UnitOfWork, due: DueClassroom) -> Sequence[ChatEntry]:
    """Return the messages of the chat of a class that is to be closed, in order.

    Empty if nothing is to be archived: the school has no receivers, or that was done.
    """
    if not (uow.wants_messages(due.school) and uow.open_classrooms.is_open(due.lesson)):
        return []
    messages: list[ChatEntry] = []
    after = EntryId(0)
    while page := uow.chats.list_since({due.lesson: after}, ARCHIVE_PAGE):
        messages += [
            entry for entry in page if entry.new.kind is EntryKind.MESSAGE and not entry.is_deleted
        ]
        after = page[-1].id
    return messages


def close(uow: UnitOfWork, due: DueClassroom, archive: ChatArchive | None = None) -> None:
    """Close a class if it is over or deleted, and send the summary if it is due; idempotent."""
    lesson = uow.lessons.get(due.lesson)
    if lesson is None:
        return
    end, reason = _find_end(lesson)
    if end <= uow.now and uow.open_classrooms.close(lesson.id):
        let_all_leave(uow, lesson, end, reason)
        if archive is not None:
            _send_archive(uow, lesson, archive)
    planned = lesson.hours.end + OVERTIME_SECONDS
    if planned <= uow.now and uow.open_classrooms.delete(lesson.id):
        _send_summary(uow, lesson, planned)


def _find_end(lesson: Lesson) -> tuple[Moment, LeaveReason]:
    """Return when all have to leave a class, and why."""
    closes_at = lesson.lifecycle.closes_at
    if lesson.deleted_at is not None and lesson.deleted_at < closes_at:
        return lesson.deleted_at, LeaveReason.CLASS_CANCELLED
    return closes_at, LeaveReason.ROOM_CLOSED


def let_all_leave(uow: UnitOfWork, lesson: Lesson, at: Moment, reason: LeaveReason) -> None:
    """Let all who are inside a class leave it."""
    events = uow.classroom_events.list_passages(lesson.id)
    is_simulated = {event.user: event.is_simulated for event in events}
    for stay in find_inside(events):
        leave(
            uow,
            lesson,
            RoomExit(stay.user, stay.identity, reason, stay.client),
            max(at, stay.entered_at),
            is_simulated=is_simulated[stay.user],
        )


def _send_archive(uow: UnitOfWork, lesson: Lesson, archive: ChatArchive) -> None:
    body = ClassChatArchive(url=FILE_ADDRESS, pack_time=archive.packed_at)
    uow.emit(
        Event(
            school=lesson.school,
            course=lesson.course,
            lesson=lesson.id,
            at=archive.packed_at,
            body=body,
            file_path=archive.path,
        )
    )
    erasure = EraseFile(archive.path, storage=uow.storage)
    uow.enqueue(erasure, lesson.school, after=MESSAGE_FILE_SECONDS)


def _send_summary(uow: UnitOfWork, lesson: Lesson, planned: Moment) -> None:
    if not uow.wants_messages(lesson.school):
        return
    events = uow.classroom_events.list_of_lesson(lesson.id)
    entries = [event for event in events if event.kind is ClassroomEventKind.ENTER]
    if not entries:
        return
    end, _ = _find_end(lesson)
    body = ClassSummary(
        start_time=lesson.hours.begin,
        close_time=planned,
        real_close_time=end if end < planned else 0,
        data=summarize(events, lesson, end, _list_names(uow, events)),
    )
    uow.emit(
        Event(
            school=lesson.school,
            course=lesson.course,
            lesson=lesson.id,
            at=planned,
            body=body,
            is_simulated=all(event.is_simulated for event in entries),
        )
    )


def _list_names(uow: UnitOfWork, events: Sequence[ClassroomEvent]) -> dict[UserId, str]:
    """Return the names of those who answered a question."""
    answers = [event for event in events if event.kind is ClassroomEventKind.ANSWER]
    people = [uow.accounts.get(user) for user in {event.user for event in answers} if user]
    return {person.id: person.nickname for person in people if person is not None}
