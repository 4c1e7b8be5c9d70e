"""A school's lists of teachers and students, as an operator changes and reads them.

The rules are those of the partner API. In addition, an operator names people by account, and
registers those who have none.
"""

from collections.abc import Callable
from typing import TypeVar

from homeroom.base.ids import SchoolId, UserId
from homeroom.base.values import Value
from homeroom.contract.errno import Errno
from homeroom.domain.accounts import parse_account_name
from homeroom.domain.refusal import OperatorError, Refusal
from homeroom.store.paging import SCHOOL, Filters, Page, PageRequest
from homeroom.store.readback_records import StudentRecord, TeacherRecord
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import accounts, operations, people, readback, schools
from homeroom.usecases.accounts import NewAccountRequest

PAGE_ROWS = 1000
Record = TypeVar("Record", TeacherRecord, StudentRecord)


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
    return _list_all(uow, school, readback.list_teachers)


def list_all_students(uow: UnitOfWork, school: SchoolId) -> list[StudentRecord]:
    """Return the students of a school by UID, with their accounts."""
    return _list_all(uow, school, readback.list_students)


def _list_all(
    uow: UnitOfWork,
    school: SchoolId,
    fetch: Callable[[UnitOfWork, None, Filters, PageRequest], Page[Record]],
) -> list[Record]:
    filters = {SCHOOL: schools.get(uow, school).id}
    page = fetch(uow, None, filters, PageRequest(PAGE_ROWS))
    rows = list(page.rows)
    while page.next is not None:
        page = fetch(uow, None, filters, PageRequest(PAGE_ROWS, page.next, page.order))
        rows += page.rows
    return rows
