"""Messages about accounts, to every school that has the person (READINGS Q88)."""

from typing import Final

from msgspec import UNSET

from homeroom.base.ids import SchoolId, UserId
from homeroom.contract.messages.body import MessageBody
from homeroom.contract.messages.people import AccountCancelled, PhoneChanged, SubAccountSet
from homeroom.domain.accounts import User
from homeroom.domain.events import Event
from homeroom.store.unit_of_work import UnitOfWork

ALL_PAGES: Final = "1,3,3_1,3_2,4,5,7,9,10,11,12,13,16,17,20,22"
"""The permissions of a sub-account: this server does not restrict them."""


def emit_cancelled_account(uow: UnitOfWork, user: UserId) -> None:
    """Write the messages of an account that was cancelled."""
    _emit_to_schools(uow, user, AccountCancelled(user=user, cancellation_time=uow.now))


def emit_changed_phone(uow: UnitOfWork, user: User) -> None:
    """Write the messages of an account that has another telephone number."""
    body = PhoneChanged(
        user=user.id,
        replace_time=uow.now,
        telephone=user.telephone or "",
        email=user.email or UNSET,
    )
    _emit_to_schools(uow, user.id, body)


def emit_sub_account(uow: UnitOfWork, school: SchoolId, user: User) -> None:
    """Write the message of a sub-account that was added to a school."""
    if not uow.wants_messages(school):
        return
    body = SubAccountSet(
        user=user.id,
        telephone=user.telephone or "",
        email=user.email or UNSET,
        remark_name=uow.teachers.list_names(school, [user.id])[user.id],
        permission_list=ALL_PAGES,
        set_time=uow.now,
    )
    uow.emit(Event(school=school, body=body, at=uow.now))


def _emit_to_schools(uow: UnitOfWork, user: UserId, body: MessageBody) -> None:
    uow.emit_all(
        [
            Event(school=school, body=body, at=uow.now, person=user)
            for school in uow.accounts.list_schools(user)
        ]
    )
