"""Look up a class by its id alone, for actions without a courseId."""

from homeroom.base.ids import LessonId, SchoolId
from homeroom.contract.errno import Errno
from homeroom.domain.courses import CourseKind
from homeroom.domain.dual_lessons import check_not_dual
from homeroom.domain.lessons import Lesson
from homeroom.domain.refusal import Refusal
from homeroom.domain.schools import School
from homeroom.store.unit_of_work import UnitOfWork


def get_lesson_of_school(
    uow: UnitOfWork, school: SchoolId, lesson_id: LessonId, wrong_kind: Errno
) -> tuple[School, Lesson]:
    """Return the school and its class; raise `Refusal` unless that is an ordinary class."""
    lesson = uow.lessons.get(lesson_id)
    if lesson is None or lesson.school != school or lesson.deleted_at is not None:
        raise Refusal(Errno.LESSON_NOT_IN_SCHOOL)
    current, course = uow.schools.get_with_course(school, lesson.course)
    if current is None or course is None or course.kind is not CourseKind.STANDARD:
        raise Refusal(wrong_kind)
    check_not_dual(lesson, wrong_kind)
    return current, lesson
