"""Classes and courses as an operator changes them: by the rules of the partner API.

An operator names a class or a course alone; its school is looked up.
"""

from homeroom.base.clock import Moment
from homeroom.base.ids import CourseId, LessonId, UserId
from homeroom.base.values import Value
from homeroom.domain.lessons import (
    HoursChange,
    Lesson,
    LessonChange,
    RecordingChange,
    RecordingOptions,
    SeatsChange,
)
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import classrooms, courses, lessons, new_lessons, operations
from homeroom.usecases.courses import CourseFields
from homeroom.usecases.dependencies import Dependencies
from homeroom.usecases.new_lessons import LessonRequest


class LessonEdit(Value, frozen=True):
    """The changes of a class; None leaves a value unchanged."""

    name: str | None = None
    begin: Moment | None = None
    end: Moment | None = None
    teacher: UserId | None = None
    co_teachers: tuple[UserId, ...] | None = None
    seats: int | None = None
    record: bool | None = None
    live: bool | None = None
    replay: bool | None = None

    def build_change(self, lesson: Lesson) -> LessonChange:
        """Return the change as the partner API makes it: hours and switches together."""
        hours = None
        if self.begin is not None or self.end is not None:
            end = self.end if self.end is not None else lesson.hours.end
            hours = HoursChange(self.begin, end)
        return LessonChange(
            name=self.name,
            hours=hours,
            teacher=self.teacher,
            co_teachers=self.co_teachers,
            recording=self._build_recording(lesson.recording),
        )

    def _build_recording(self, old: RecordingOptions) -> RecordingChange | None:
        if self.record is None and self.live is None and self.replay is None:
            return None
        return RecordingChange(
            record=self.record if self.record is not None else old.record,
            live=self.live if self.live is not None else old.live,
            replay=self.replay if self.replay is not None else old.replay,
        )


def add_lesson(
    uow: UnitOfWork, deps: Dependencies, course_id: CourseId, request: LessonRequest
) -> Lesson:
    """Add a class to a course."""
    course = operations.get_course(uow, course_id)
    return new_lessons.add(uow, deps, course.school, course_id, request)


def edit_lesson(
    uow: UnitOfWork, deps: Dependencies, lesson_id: LessonId, edit: LessonEdit
) -> Lesson:
    """Change a class; its seats too, which the partner API changes by a call of their own."""
    lesson = operations.get_lesson(uow, lesson_id)
    if edit.seats is not None:
        seats = SeatsChange(seats=edit.seats)
        classrooms.change(uow, lesson.school, lesson.course, lesson_id, seats)
    change = edit.build_change(lesson)
    return lessons.edit(uow, deps, lesson.school, lesson.course, lesson_id, change)


def cancel_lesson(uow: UnitOfWork, lesson_id: LessonId) -> None:
    """Delete a class that has not begun."""
    lesson = operations.get_lesson(uow, lesson_id)
    lessons.delete(uow, lesson.school, lesson.course, lesson_id)


def edit_course(uow: UnitOfWork, course_id: CourseId, fields: CourseFields) -> None:
    """Change a course; a former head teacher stays one of its teachers."""
    course = operations.get_course(uow, course_id)
    courses.edit(uow, course.school, course_id, fields, drops_former_head=False)


def cancel_course(uow: UnitOfWork, course_id: CourseId) -> None:
    """End a course: its classes that have not begun are deleted."""
    courses.end(uow, operations.get_course(uow, course_id).school, course_id)
