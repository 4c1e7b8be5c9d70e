"""A school's labels, and those of its courses and classes."""

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import msgspec

from homeroom.base.ids import CourseId, LabelId, LessonId, SchoolId
from homeroom.base.text import format_count
from homeroom.contract.errno import Errno
from homeroom.domain.courses import LABEL_RULE, LESSON_LABEL_RULE, check_course
from homeroom.domain.dual_lessons import check_not_dual
from homeroom.domain.labels import Label, check_labels
from homeroom.domain.refusal import Refusal
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import course_messages, lesson_messages
from homeroom.usecases.accounts import get_current_school
from homeroom.usecases.lessons import check_v1_lesson

T = TypeVar("T")
"""The id of a course or of a class."""
COLOURS = ("#e5484d", "#f76808", "#ffb224", "#30a46c", "#12a594", "#0091ff", "#6e56cf", "#e93d82")


class LabelRequest(msgspec.Struct, Generic[T], frozen=True):
    """New labels of a course or a class; None leaves them as they are."""

    target: T
    labels: tuple[LabelId, ...] | None


def add(uow: UnitOfWork, school: SchoolId, name: str) -> LabelId:
    """Add a label; a name in use is refused, about the label that has it (READINGS Q35)."""
    existing = uow.labels.find_by_name(school, name)
    if existing is not None:
        raise Refusal(Errno.LABEL_NAME_TAKEN, about=existing.id)
    limit = get_current_school(uow, school).plan.max_labels
    count = uow.labels.count(school)
    if limit and count >= limit:
        raise Refusal(Errno.TOO_MANY_LABELS, f"the school may have {format_count(limit, 'label')}")
    return uow.labels.add(school, name, COLOURS[count % len(COLOURS)], uow.now)


def rename(uow: UnitOfWork, school: SchoolId, label_id: LabelId, name: str) -> None:
    """Give a label another name."""
    label = _get_own_label(uow, school, label_id)
    other = uow.labels.find_by_name(school, name)
    if other is not None and other.id != label.id:
        raise Refusal(Errno.LABEL_NAME_TAKEN)
    uow.labels.rename(label_id, name)


def delete(uow: UnitOfWork, school: SchoolId, label: LabelId) -> None:
    """Delete a label, and remove it from all courses and classes."""
    uow.labels.delete(_get_own_label(uow, school, label).id)


def set_of_courses(
    uow: UnitOfWork, school: SchoolId, entries: Sequence[LabelRequest[CourseId] | Refusal]
) -> list[Refusal | None]:
    """Set the labels of courses; each course gets all of its labels or none (READINGS Q8)."""
    courses = uow.courses.get_many(
        entry.target for entry in entries if isinstance(entry, LabelRequest)
    )

    def check(course: CourseId) -> None:
        check_course(courses.get(course), school, uow.now, LABEL_RULE)

    new_labels, verdicts = _judge(uow, school, entries, check, Errno.TOO_MANY_COURSE_LABELS)
    uow.labels.save_of_courses(new_labels)
    course_messages.emit_course_labels(uow, school, new_labels)
    return verdicts


def set_of_lessons(
    uow: UnitOfWork,
    school: SchoolId,
    course: CourseId,
    entries: Sequence[LabelRequest[LessonId] | Refusal],
) -> list[Refusal | None]:
    """Set the labels of classes of a course; each gets all of its labels or none."""
    uow.courses.get_usable(school, course, uow.now, LESSON_LABEL_RULE)
    lessons = uow.lessons.get_many(
        entry.target for entry in entries if isinstance(entry, LabelRequest)
    )

    def check(lesson: LessonId) -> None:
        check_not_dual(check_v1_lesson(lessons.get(lesson), course), Errno.KIND_NOT_SUPPORTED)

    new_labels, verdicts = _judge(uow, school, entries, check, Errno.TOO_MANY_LESSON_LABELS)
    uow.labels.save_of_lessons(new_labels)
    lesson_messages.emit_lesson_labels(uow, school, course, new_labels)
    return verdicts


def _judge(
    uow: UnitOfWork,
    school: SchoolId,
    entries: Sequence[LabelRequest[T] | Refusal],
    check: Callable[[T], None],
    too_many: Errno,
) -> tuple[dict[T, tuple[LabelId, ...]], list[Refusal | None]]:
    """Return the labels to save, and what becomes of each entry."""
    owners = uow.labels.find_schools(
        label
        for entry in entries
        if isinstance(entry, LabelRequest)
        for label in entry.labels or ()
    )
    new_labels: dict[T, tuple[LabelId, ...]] = {}
    verdicts: list[Refusal | None] = []
    for entry in entries:
        try:
            if isinstance(entry, Refusal):
                raise entry
            check(entry.target)
            if entry.labels is not None:
                # A course or a class that is named twice gets what its last entry says.
                new_labels[entry.target] = check_labels(entry.labels, owners, school, too_many)
            verdicts.append(None)
        except Refusal as refusal:
            verdicts.append(refusal)
    return new_labels, verdicts


def _get_own_label(uow: UnitOfWork, school: SchoolId, label_id: LabelId) -> Label:
    label = uow.labels.get(label_id)
    if label is None:
        raise Refusal(Errno.NO_SUCH_LABEL)
    if label.school != school:
        raise Refusal(Errno.LABEL_OF_ANOTHER_SCHOOL)
    return label
