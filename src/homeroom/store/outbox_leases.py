"""The lease of the outbox of a school: one server delivers its messages at a time (ADR 0033)."""

from typing import Any

from sqlalchemy import ClauseElement, bindparam, exists, or_, select
from sqlalchemy import update as update_rows

from homeroom.base.clock import Moment
from homeroom.base.errors import HomeroomError
from homeroom.base.ids import SchoolId
from homeroom.domain.endpoints import EndpointState
from homeroom.store.engine import Transaction
from homeroom.store.statement import Statement
from homeroom.store.tables import endpoints, lanes, messages, outboxes


class LeaseLostError(HomeroomError):
    """Another server delivers the messages of a school now."""


def _claim(insert_into: Any) -> ClauseElement:  # noqa: ANN401  the insert of either dialect
    new = insert_into(outboxes).values(
        school_id=bindparam("school"),
        last_position=0,
        leased_until=bindparam("until"),
        leased_by=bindparam("owner"),
    )
    upsert: ClauseElement = new.on_conflict_do_update(
        index_elements=["school_id"],
        set_={"leased_until": new.excluded.leased_until, "leased_by": new.excluded.leased_by},
        where=or_(
            outboxes.c.leased_until <= bindparam("real_now"),
            outboxes.c.leased_by == bindparam("owner"),
        ),
    ).returning(outboxes.c.school_id)
    return upsert


def _create(insert_into: Any) -> ClauseElement:  # noqa: ANN401  the insert of either dialect
    new: ClauseElement = (
        insert_into(outboxes)
        .values(school_id=bindparam("school"), last_position=0, leased_until=0, leased_by=None)
        .on_conflict_do_nothing()
    )
    return new


_CLAIM = Statement(_claim)
_CREATE = Statement(_create)
_LOCK = Statement(
    select(outboxes.c.last_position, outboxes.c.leased_by, outboxes.c.leased_until)
    .where(outboxes.c.school_id == bindparam("school"))
    .with_for_update()
)
_RENEW = Statement(
    update_rows(outboxes)
    .where(outboxes.c.school_id == bindparam("school"), outboxes.c.leased_by == bindparam("owner"))
    .values(leased_until=bindparam("until"))
)
_RELEASE_ALL = Statement(
    update_rows(outboxes)
    .where(outboxes.c.leased_by.like(bindparam("pattern")))
    .values(leased_until=0, leased_by=None)
)
_FIND_WORK = Statement(
    select(outboxes.c.school_id)
    .where(
        outboxes.c.leased_until <= bindparam("real_now"),
        exists()
        .where(
            lanes.c.school_id == outboxes.c.school_id,
            lanes.c.endpoint_id == endpoints.c.id,
            endpoints.c.state == EndpointState.ACTIVE.value,
            or_(lanes.c.due_at <= bindparam("now"), lanes.c.due_real_at <= bindparam("real_now")),
        )
        .correlate(outboxes),
    )
    .union(select(messages.c.school_id).where(messages.c.position.is_(None)).distinct())
    .limit(bindparam("limit"))
)


class OutboxLeases:
    """Repository of the leases of outboxes."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def claim(self, school: SchoolId, owner: str, until: Moment, real_now: Moment) -> bool:
        """Lease the outbox of a school; return False while another server has it."""
        values = {"school": school, "owner": owner, "until": until, "real_now": real_now}
        return bool(self._tx.fetch_all(_CLAIM, values))

    def renew(self, school: SchoolId, owner: str, until: Moment) -> bool:
        """Extend a lease; return False if another server has taken it."""
        return self._tx.execute(_RENEW, {"school": school, "owner": owner, "until": until}) > 0

    def release_all(self, owner: str) -> None:
        """End all leases of servers whose names begin so."""
        self._tx.execute(_RELEASE_ALL, {"pattern": f"{owner}%"})

    def lock(self, school: SchoolId) -> None:
        """Lock the outbox of a school until the unit ends, with or without its lease."""
        self._tx.execute(_CREATE, {"school": school})
        self._tx.fetch_all(_LOCK, {"school": school})

    def check_lease(self, school: SchoolId, owner: str) -> int:
        """Lock the outbox of a school and return its last position.

        Raises `LeaseLostError` if another server has the lease. A lease that is over, but that no
        other server took, is still good: no server can take it before this unit ends.
        """
        rows = self._tx.fetch_all(_LOCK, {"school": school})
        if not rows or rows[0][1] != owner:
            raise LeaseLostError(f"another server delivers the messages of school {school}")
        return int(rows[0][0])

    def find_work(self, now: Moment, real_now: Moment, limit: int) -> list[SchoolId]:
        """Return schools with new messages, or with lanes that are due and without a lease."""
        values = {"now": now, "real_now": real_now, "limit": limit}
        return [SchoolId(row[0]) for row in self._tx.fetch_all(_FIND_WORK, values)]
