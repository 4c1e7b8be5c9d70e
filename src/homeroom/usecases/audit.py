"""The audit trail of operators: written with each act, kept for a year, its people erasable."""

import msgspec

from homeroom.base.clock import Moment
from homeroom.base.ids import SchoolId, UserId
from homeroom.domain.audit import AUDIT_SECONDS, AuditEntry, NewAuditEntry
from homeroom.domain.refusal import OperatorError
from homeroom.store.unit_of_work import UnitOfWork

MAX_LISTED = 10_000


def record(uow: UnitOfWork, entry: NewAuditEntry) -> None:
    """Add an entry, in the unit of work of the act."""
    uow.audit.add(entry)


def list_entries(
    uow: UnitOfWork, *, since: Moment = 0, school: SchoolId | None = None, limit: int = MAX_LISTED
) -> list[AuditEntry]:
    """Return the newest entries, oldest first."""
    return uow.audit.list_newest(limit, since=since, school=school)[::-1]


def list_after(uow: UnitOfWork, number: int) -> list[AuditEntry]:
    """Return the entries after a number, oldest first."""
    return uow.audit.list_newest(MAX_LISTED, after=number)[::-1]


def get_newest_id(uow: UnitOfWork) -> int:
    """Return the number of the newest entry; 0 without entries."""
    newest = uow.audit.list_newest(1)
    return newest[0].id if newest else 0


def erase_user(uow: UnitOfWork, user: UserId) -> int:
    """Erase the personal data of an account from the trail, and return the number of entries."""
    return uow.audit.erase_user(user)


def erase_operator(uow: UnitOfWork, name: str) -> int:
    """Erase the personal data of an operator, by the name in the trail."""
    if not name:
        raise OperatorError("name the operator as `homeroom audit list` does")
    return uow.audit.erase_operator(name)


def purge(uow: UnitOfWork, now: Moment) -> int:
    """Delete the entries that are over a year old by the machine's clock."""
    return uow.audit.purge(now - AUDIT_SECONDS)


def format_arguments(entry: NewAuditEntry) -> dict[str, object] | None:
    """Return the arguments of an entry, or None if they are erased."""
    if entry.arguments is None:
        return None
    arguments: dict[str, object] = msgspec.json.decode(entry.arguments)
    return arguments
