"""Change the seats, the resolution and the cameras of a class."""

from homeroom.base.ids import CourseId, LessonId, SchoolId
from homeroom.base.values import replace
from homeroom.contract.errno import Errno
from homeroom.domain.courses import CHANGE_RULE
from homeroom.domain.lessons import SeatsChange, change_seats, check_not_frozen
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases.accounts import get_current_school
from homeroom.usecases.lesson_messages import EditedPair, emit_edited_lessons
from homeroom.usecases.lessons import get_v1_lesson


def change(
    uow: UnitOfWork, school: SchoolId, course: CourseId, lesson_id: LessonId, seats: SeatsChange
) -> None:
    """Change a class that begins in more than 20 minutes; None stays unchanged."""
    plan = get_current_school(uow, school).plan
    uow.courses.get_usable(school, course, uow.now, CHANGE_RULE)
    lesson = get_v1_lesson(uow, course, lesson_id)
    check_not_frozen(lesson, uow.now, Errno.SEATS_FROZEN)
    new = replace(lesson, classroom=change_seats(lesson.classroom, seats, plan))
    uow.lessons.save(new)
    emit_edited_lessons(uow, school, [EditedPair(lesson, new)])
