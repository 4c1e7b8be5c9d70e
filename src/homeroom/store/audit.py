"""The audit trail of operators.

Entries are only added. Triggers of the migration refuse every other change but two: an entry may go
when it is a year old, and its personal data may become NULL.
"""

from sqlalchemy import bindparam, delete, insert, null, or_, select, update

from homeroom.base.clock import Moment
from homeroom.base.ids import SchoolId, TokenId, UserId
from homeroom.domain.audit import (
    AuditActor,
    AuditEntry,
    AuditKind,
    AuditOutcome,
    NewAuditEntry,
)
from homeroom.store.engine import Row, Transaction
from homeroom.store.statement import Statement
from homeroom.store.tables import audit_entries as entries

_ADD = Statement(
    insert(entries).values(
        {column: bindparam(column.name) for column in entries.c if column.name != "id"}
    )
)
_LIST = Statement(
    select(*entries.c)
    .where(
        entries.c.id > bindparam("after"),
        entries.c.at >= bindparam("since"),
        or_(bindparam("any_school") == 1, entries.c.school_id == bindparam("school")),
    )
    .order_by(entries.c.id.desc())
    .limit(bindparam("most"))
)
_ERASE_USER = Statement(
    update(entries)
    .where(entries.c.user_id == bindparam("erased_user"))
    .values(user_id=null(), arguments=null(), reason=null())
)
_ERASE_OPERATOR = Statement(
    update(entries)
    .where(entries.c.actor_name == bindparam("erased_name"))
    .values(actor_name=null(), actor_uid=null(), origin=null())
)
_PURGE = Statement(delete(entries).where(entries.c.at < bindparam("before")))


class AuditTrail:
    """Repository of the acts of operators."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def add(self, new: NewAuditEntry) -> None:
        """Add an entry."""
        actor = new.actor
        self._tx.execute(
            _ADD,
            {
                "at": new.at,
                "kind": new.kind.value,
                "act": new.act,
                "actor_name": actor.name,
                "actor_uid": actor.uid,
                "origin": actor.origin,
                "token_id": actor.token,
                "arguments": new.arguments,
                "school_id": new.school,
                "user_id": new.user,
                "outcome": new.outcome.value,
                "reason": new.reason,
            },
        )

    def list_newest(
        self, limit: int, *, since: Moment = 0, after: int = 0, school: SchoolId | None = None
    ) -> list[AuditEntry]:
        """Return entries, newest first: since a moment, after a number, of a school."""
        values = {
            "after": after,
            "since": since,
            "any_school": int(school is None),
            "school": school or 0,
            "most": limit,
        }
        return [_to_entry(row) for row in self._tx.fetch_all(_LIST, values)]

    def erase_user(self, user: UserId) -> int:
        """Erase the personal data of an account, and return the number of entries."""
        return self._tx.execute(_ERASE_USER, {"erased_user": user})

    def erase_operator(self, name: str) -> int:
        """Erase the personal data of an operator, and return the number of entries."""
        return self._tx.execute(_ERASE_OPERATOR, {"erased_name": name})

    def purge(self, before: Moment) -> int:
        """Delete the entries before a moment, and return their number."""
        return self._tx.execute(_PURGE, {"before": before})


def _to_entry(row: Row) -> AuditEntry:
    number, at, kind, act, name, uid, origin, token, arguments, school, user, outcome, reason = row
    return AuditEntry(
        number,
        NewAuditEntry(
            at,
            AuditKind(kind),
            act,
            AuditActor(name, uid, origin, TokenId(token) if token is not None else None),
            arguments,
            SchoolId(school) if school is not None else None,
            UserId(user) if user is not None else None,
            AuditOutcome(outcome),
            reason,
        ),
    )
