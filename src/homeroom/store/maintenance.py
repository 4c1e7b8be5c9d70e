"""Maintenance windows: planned times in which no class may be held.

A window that blocks also closes the partner API while it lasts.
"""

from sqlalchemy import bindparam, delete, func, insert, select

from homeroom.base.clock import Moment
from homeroom.base.ids import WindowId
from homeroom.base.values import Value
from homeroom.store.engine import Transaction
from homeroom.store.statement import Statement
from homeroom.store.tables import maintenance

_ADD = Statement(
    insert(maintenance)
    .values(
        begins_at=bindparam("begins"), ends_at=bindparam("ends"), blocks=bindparam("blocks_calls")
    )
    .returning(maintenance.c.id)
)
_LIST_ALL = Statement(
    select(maintenance.c.id, maintenance.c.begins_at, maintenance.c.ends_at, maintenance.c.blocks)
    .order_by(maintenance.c.begins_at, maintenance.c.id)
    .limit(1000)
)
_DELETE = Statement(delete(maintenance).where(maintenance.c.id == bindparam("window")))
_GET_BLOCK_END = Statement(
    select(func.max(maintenance.c.ends_at)).where(
        maintenance.c.blocks == 1,
        maintenance.c.begins_at <= bindparam("now"),
        maintenance.c.ends_at > bindparam("now"),
    )
)


class MaintenanceWindow(Value, frozen=True):
    """A maintenance window."""

    id: WindowId
    begin: Moment
    end: Moment
    blocks: bool
    """Whether the partner API is closed during the window (Errno.IN_MAINTENANCE)."""


class MaintenanceWindows:
    """Repository of maintenance windows."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def add(self, begin: Moment, end: Moment, *, blocks: bool) -> WindowId:
        """Add a maintenance window and return its id."""
        values = {"begins": begin, "ends": end, "blocks_calls": int(blocks)}
        return WindowId(self._tx.fetch_all(_ADD, values)[0][0])

    def list_all(self) -> list[MaintenanceWindow]:
        """Return the maintenance windows in order of their begin, at most 1,000."""
        return [
            MaintenanceWindow(WindowId(number), begin, end, bool(blocks))
            for number, begin, end, blocks in self._tx.fetch_all(_LIST_ALL, {})
        ]

    def delete(self, window: WindowId) -> bool:
        """Delete a maintenance window; return False if there was none."""
        return self._tx.execute(_DELETE, {"window": window}) > 0

    def get_block_end(self, now: Moment) -> Moment | None:
        """Return when the maintenance that closes the partner API ends; None if it is open."""
        end: Moment | None = self._tx.fetch_all(_GET_BLOCK_END, {"now": now})[0][0]
        return end
