"""Mask the accounts in read-back lists that the school did not register or name itself."""

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from homeroom.base.ids import SchoolId, UserId
from homeroom.base.masking import mask_account, mask_name
from homeroom.base.values import replace
from homeroom.store.paging import Page
from homeroom.store.readback_records import (
    AttendanceRecord,
    ClassMemberRecord,
    CommentRecord,
    CoTeacherRecord,
    LessonRecord,
    MemberRecord,
    StudentRecord,
    TeacherRecord,
    ViewerRecord,
)
from homeroom.store.unit_of_work import UnitOfWork

Reader = SchoolId | None
"""The school that reads; None: the operator, who sees all accounts."""
Person = TypeVar(
    "Person",
    TeacherRecord,
    StudentRecord,
    MemberRecord,
    ClassMemberRecord,
    LessonRecord,
    CoTeacherRecord,
    CommentRecord,
    AttendanceRecord,
)
NAME_FIELDS = ("name", "nickname", "teacher_name")
"""Fields of records that may hold the account, for a registration without a name."""


def mask_page(uow: UnitOfWork, reader: Reader, page: Page[Person]) -> Page[Person]:
    """Return a page of people with their accounts as a school may see them."""
    return Page(mask_people(uow, reader, page.rows), page.next, page.order)


def mask_people(uow: UnitOfWork, reader: Reader, people: Sequence[Person]) -> list[Person]:
    """Return people with their accounts as a school may see them."""
    hidden = _find_hidden(uow, reader, (person.uid for person in people))
    return [_mask_person(person) if person.uid in hidden else person for person in people]


def mask_viewers(uow: UnitOfWork, reader: Reader, page: Page[ViewerRecord]) -> Page[ViewerRecord]:
    """Return a page of viewers with their accounts as a school may see them.

    The telephone number that visitors gave to the school itself stays as it is.
    """
    hidden = _find_hidden(
        uow, reader, (viewer.uid for viewer in page.rows if viewer.uid is not None)
    )
    rows = [_mask_viewer(viewer) if viewer.uid in hidden else viewer for viewer in page.rows]
    return Page(rows, page.next, page.order)


def _find_hidden(uow: UnitOfWork, reader: Reader, uids: Iterable[UserId]) -> set[UserId]:
    """Return those of some users whose account a school may not see."""
    if reader is None:
        return set()
    people = set(uids)
    return people - uow.school_accounts.list_named(reader, people)


def _mask_person(person: Person) -> Person:
    accounts = person.telephone, person.email
    telephone, email = (mask_account(text) if text is not None else None for text in accounts)
    changes: dict[str, Any] = {"telephone": telephone, "email": email}
    for field in NAME_FIELDS:
        name = getattr(person, field, None)
        if name is not None:
            changes[field] = mask_name(name, *accounts)
    return replace(person, **changes)


def _mask_viewer(viewer: ViewerRecord) -> ViewerRecord:
    account = viewer.account
    if account is None:
        return viewer
    return replace(viewer, account=mask_account(account), name=mask_name(viewer.name, account))
