"""Entry into a class: the link of a member, and the page that it leads to."""

from homeroom.base.ids import CourseId, LessonId, SchoolId, UserId
from homeroom.base.masking import mask_account
from homeroom.base.values import Value
from homeroom.contract.errno import Errno
from homeroom.domain.accounts import AccountName, User
from homeroom.domain.class_students import ClassTie, is_class_student
from homeroom.domain.courses import ENTRY_RULE, LESSON_RULE, check_course
from homeroom.domain.dual_lessons import check_not_dual
from homeroom.domain.lessons import Lesson, describe_end
from homeroom.domain.refusal import Refusal
from homeroom.domain.schools import School
from homeroom.domain.teachers import MemberRole
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases.accounts import get_current_school
from homeroom.usecases.lessons import check_lesson


class ClassEntry(Value, frozen=True):
    """A class, and the telephone number by which a user enters it."""

    lesson: Lesson
    telephone: str
    is_masked: bool


def get_entry(
    uow: UnitOfWork,
    school: SchoolId,
    user: UserId | None,
    name: AccountName | None,
    course_id: CourseId,
    lesson_id: LessonId,
) -> ClassEntry:
    """Return the entry of a member of a class, named by UID or by telephone number.

    A number that the school neither registered nor named is masked: by UID alone, schools could
    read the numbers of each other's people. READINGS Q73.
    """
    current = get_current_school(uow, school)
    course = uow.courses.get_usable(school, course_id, uow.now, ENTRY_RULE)
    lesson = check_lesson(uow.lessons.get(lesson_id), course.id)
    check_course(course, school, uow.now, LESSON_RULE)
    check_not_dual(lesson, Errno.KIND_NOT_SUPPORTED)
    if lesson.is_over(uow.now):
        raise Refusal(Errno.LESSON_IS_OVER, describe_end(lesson))
    person = _find_user(uow, user, name)
    if person is None or not _may_enter(uow, current, lesson, person):
        subject = f"UID {user}" if user is not None else "the user"
        raise Refusal(Errno.NOT_OF_LESSON, f"{subject} is no member of class {lesson.id}")
    if person.is_cancelled:
        raise Refusal(Errno.USER_CANCELLED)
    if person.telephone is None:
        raise Refusal(Errno.NEEDS_TELEPHONE)
    is_known = name is not None or bool(uow.school_accounts.list_named(school, [person.id]))
    telephone = person.telephone if is_known else mask_account(person.telephone)
    return ClassEntry(lesson, telephone, is_masked=not is_known)


def find_page_key(
    uow: UnitOfWork, school: SchoolId, course: CourseId, lesson_id: LessonId, account: str
) -> str | None:
    """Return the key of a class's page for an account that may enter the class, else None.

    The key of a page cannot be guessed, but ids can: ids alone give no key.
    """
    current, lesson = uow.schools.get(school), uow.lessons.get(lesson_id)
    if current is None or lesson is None or (lesson.school, lesson.course) != (school, course):
        return None
    person = uow.accounts.find_by_names([account]).get(account)
    if person is None or person.is_cancelled or not _may_enter(uow, current, lesson, person):
        return None
    return lesson.key


def _find_user(uow: UnitOfWork, user: UserId | None, name: AccountName | None) -> User | None:
    """Return a user without counting unknown ones: the answer does not show who exists."""
    if user is not None:
        return uow.accounts.get(user)
    return uow.accounts.find_by_names([name.value]).get(name.value) if name is not None else None


def _may_enter(uow: UnitOfWork, school: School, lesson: Lesson, person: User) -> bool:
    """Tell whether a user is a member of the class, or an account of the school itself."""
    if person.id in (lesson.teacher, school.owner):
        return True
    if uow.schools.is_sub_account(school.id, person.id):
        return True
    role = uow.rosters.find_candidates(school.id, lesson.course, [person.id])[person.id].role
    ties = uow.class_students.find_ties([lesson.id], [person.id])
    own_ties = ties.get((lesson.id, person.id), frozenset())
    return (
        role is MemberRole.AUDITOR
        or is_class_student(role, own_ties)
        or ClassTie.CO_TEACHER in own_ties
    )
