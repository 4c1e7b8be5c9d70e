"""A school's teachers, students, courses and classes, as an operator lists them.

The rules are those of the partner API. In addition, an operator names people by account, and
registers those who have none.
"""

from homeroom.base.ids import CourseId, SchoolId, UserId
from homeroom.base.values import Value
from homeroom.contract.errno import Errno
from homeroom.domain.accounts import parse_account_name
from homeroom.domain.refusal import OperatorError, Refusal
from homeroom.store.paging import SCHOOL, Filters
from homeroom.store.readback_records import CourseRecord, StudentRecord, TeacherRecord
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import accounts, operations, people, readback, schools
from homeroom.usecases.accounts import NewAccountRequest
from homeroom.usecases.readback import ListedLesson


class NamedPerson(Value, frozen=True):
    """A user that an operator names for a school, and whether the account is new."""

    user: UserId
    is_new: bool


def find_or_register(
    uow: UnitOfWork, school: SchoolId, account: str, name: str, password_hash: str
) -> NamedPerson:
    """Return the user of a UID, telephone number or e-mail address; register an unknown account.

    An account named by number or address counts as named by the school, which then sees it whole.
    """
    schools.get(uow, school)
    try:
        user = operations.get_user(uow, account)
    except OperatorError as unknown:
        try:
            account_name = parse_account_name(account.strip())
        except Refusal as refusal:
            raise OperatorError(f"{unknown}; {refusal.reason}") from None
        request = NewAccountRequest(account_name, name, password_hash)
        return NamedPerson(accounts.register(uow, school, request).user, is_new=True)
    if account != str(user.id):
        people.record_naming(uow, school, [user.id])
    return NamedPerson(user.id, is_new=False)


def remove_student(uow: UnitOfWork, school: SchoolId, user: UserId) -> None:
    """Take a student off the list of the school; courses keep their members."""
    schools.get(uow, school)
    if not uow.accounts.delete_student(school, user):
        raise Refusal(Errno.NOT_A_STUDENT_OF_SCHOOL, f"UID {user} is no student of school {school}")


def list_all_teachers(uow: UnitOfWork, school: SchoolId) -> list[TeacherRecord]:
    """Return the teachers of a school by UID, with their accounts."""
    filters = {SCHOOL: schools.get(uow, school).id}
    return readback.list_all(lambda span: readback.list_teachers(uow, None, filters, span), uow.now)


def list_all_students(uow: UnitOfWork, school: SchoolId) -> list[StudentRecord]:
    """Return the students of a school by UID, with their accounts."""
    filters = {SCHOOL: schools.get(uow, school).id}
    return readback.list_all(lambda span: readback.list_students(uow, None, filters, span), uow.now)


def list_all_courses(uow: UnitOfWork, school: SchoolId) -> list[CourseRecord]:
    """Return the courses of a school by id, without deleted ones."""
    filters = {SCHOOL: schools.get(uow, school).id, "deleted": 0}
    listed = readback.list_all(lambda span: readback.list_courses(uow, filters, span), uow.now)
    return [row.course for row in listed]


def list_all_lessons(
    uow: UnitOfWork, school: SchoolId, course: CourseId | None
) -> list[ListedLesson]:
    """Return the classes of a school, or of a course, as they were added; no deleted ones."""
    filters: Filters = {SCHOOL: schools.get(uow, school).id, "deleted": 0}
    if course is not None:
        filters = {**filters, "course": course}
    return readback.list_all(lambda span: readback.list_lessons(uow, None, filters, span), uow.now)
