"""Messages about courses: added, edited, labelled (READINGS Q94).

Use cases call these functions after they have written a change. Without receivers nothing is read.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeVar

from msgspec import UNSET, UnsetType

from homeroom.base.clock import Moment
from homeroom.base.ids import CourseId, LabelId, SchoolId, UserId
from homeroom.contract.messages.schedule import (
    ChangedLabel,
    ChangedTeacher,
    CourseChanged,
    CourseChanges,
    OpType,
    ScheduleStatus,
)
from homeroom.domain.courses import EXPIRY_EXTENSION_SECONDS, Course, CourseKind
from homeroom.domain.events import Event
from homeroom.store.unit_of_work import UnitOfWork

T = TypeVar("T")
COURSE_TYPES = {CourseKind.STANDARD: 1, CourseKind.PUBLIC: 2, CourseKind.DUAL: 3}
_COLUMNS = {
    "name": "name",
    "kind": "kind",
    "expires_at": "expires_at",
    "category": "category",
    "subject": "subject",
    "head_teacher_id": "head_teacher",
}
"""Columns that the messages have fields for, and the names of their values."""


def emit_new_course(
    uow: UnitOfWork, school: SchoolId, course: CourseId, columns: Mapping[str, Any]
) -> None:
    """Write the message of a course that was added; `columns` are those that were written."""
    if not uow.wants_messages(school):
        return
    changes = CourseChanges(
        course_id=course,
        course_name=columns["name"],
        expiry_time=columns["expires_at"] or 0,
        course_type=COURSE_TYPES[CourseKind(columns["kind"])],
        course_status=ScheduleStatus.RUNNING,
        category="",
        category_id=columns["category"] or 0,
        subject_id=columns["subject"],
        main_teacher_info=_find_head_teacher(uow, school, columns["head_teacher_id"]),
    )
    uow.emit(build_course_event(uow, school, OpType.ADD, changes))


def emit_edited_course(uow: UnitOfWork, old: Course, columns: Mapping[str, Any]) -> None:
    """Write the message of an edit of a course; none if nothing changed that it has a field for.

    `columns` are those that were saved.
    """
    if not uow.wants_messages(old.school):
        return
    new = {
        name: value
        for name, value in columns.items()
        if name in _COLUMNS and value != getattr(old, _COLUMNS[name])
    }
    changes: dict[str, Any] = {}
    if "name" in new:
        changes["course_name"] = new["name"]
    if "expires_at" in new:
        changes["expiry_time"] = new["expires_at"] or 0
    if "kind" in new:
        changes["course_type"] = COURSE_TYPES[CourseKind(new["kind"])]
    if "category" in new:
        changes |= {"category": "", "category_id": new["category"]}
    if "subject" in new:
        changes["subject_id"] = new["subject"]
    if "head_teacher_id" in new:
        changes["main_teacher_info"] = _find_head_teacher(uow, old.school, new["head_teacher_id"])
    if changes:
        edited = CourseChanges(course_id=old.id, **changes)
        uow.emit(build_course_event(uow, old.school, OpType.CHANGE, edited))


def emit_course_labels(
    uow: UnitOfWork, school: SchoolId, labels: Mapping[CourseId, Sequence[LabelId]]
) -> None:
    """Write the messages of courses that got new labels."""
    if not labels or not uow.wants_messages(school):
        return
    infos = find_labels(uow, labels)
    uow.emit_all(
        [
            build_course_event(
                uow, school, OpType.CHANGE, CourseChanges(course_id=course, label_infos=info)
            )
            for course, info in infos.items()
        ]
    )


def build_course_event(
    uow: UnitOfWork, school: SchoolId, op: OpType, changes: CourseChanges
) -> Event:
    """Return the event of a change of a course."""
    course = changes.course_id
    body = CourseChanged(
        course=course,
        op_type=op,
        op_time=uow.now,
        user=uow.find_actor(school),
        op_source=uow.actor.source,
        op_data=changes,
    )
    return Event(school=school, body=body, at=uow.now, course=course)


def build_extensions(
    uow: UnitOfWork, school: SchoolId, extended: Collection[CourseId], ends: Collection[Moment]
) -> list[Event]:
    """Return the events of courses whose expiry was moved past the last of some classes."""
    if not extended:
        return []
    expiry = max(ends) + EXPIRY_EXTENSION_SECONDS
    return [
        build_course_event(
            uow, school, OpType.CHANGE, CourseChanges(course_id=course, expiry_time=expiry)
        )
        for course in extended
    ]


def find_labels(
    uow: UnitOfWork, labels: Mapping[T, Sequence[LabelId]]
) -> dict[T, list[ChangedLabel]]:
    """Return the new labels of courses or classes with their names."""
    names = uow.labels.list_names(label for each in labels.values() for label in each)
    return {
        target: [ChangedLabel(names[label], label) for label in each]
        for target, each in labels.items()
    }


def _find_head_teacher(
    uow: UnitOfWork, school: SchoolId, head: UserId | None
) -> ChangedTeacher | UnsetType:
    if head is None:
        return UNSET
    return ChangedTeacher(uow.teachers.list_names(school, [head])[head], head)
