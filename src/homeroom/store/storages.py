"""Storages: the places that keep files, each with an id and the moment when it was last seen."""

from sqlalchemy import bindparam, delete, select, update

from homeroom.base.clock import Moment
from homeroom.base.values import Value
from homeroom.store.engine import Transaction
from homeroom.store.statement import Statement
from homeroom.store.tables import storages

_LIST = Statement(
    select(storages.c.id, storages.c.name, storages.c.created_at, storages.c.seen_at).order_by(
        storages.c.created_at, storages.c.id
    )
)
_ADD = Statement(
    lambda insert: (
        insert(storages)
        .values(
            id=bindparam("storage"),
            name=bindparam("new_name"),
            created_at=bindparam("moment"),
            seen_at=bindparam("moment"),
        )
        .on_conflict_do_nothing()
    )
)
_MARK_SEEN = Statement(
    update(storages)
    .where(storages.c.id == bindparam("storage"))
    .values(seen_at=bindparam("moment"))
)
_RENAME = Statement(
    update(storages)
    .where(storages.c.id == bindparam("storage"), storages.c.name != bindparam("new_name"))
    .values(name=bindparam("new_name"))
)
_DELETE = Statement(delete(storages).where(storages.c.id == bindparam("storage")))


class StorageRecord(Value, frozen=True):
    """A storage that the database knows."""

    id: str
    name: str
    """Host and path of the data folder, as the last server that started there saw them."""
    created_at: Moment
    seen_at: Moment
    """When a server last had its files."""


class Storages:
    """Repository of storages."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def list_all(self) -> list[StorageRecord]:
        """Return all storages, the oldest first."""
        return [StorageRecord(*row) for row in self._tx.fetch_all(_LIST, {})]

    def add(self, storage: str, name: str, now: Moment) -> bool:
        """Add a storage, or save the new name of a known one; return whether it is new."""
        values = {"storage": storage, "new_name": name}
        if self._tx.execute(_ADD, {**values, "moment": now}) > 0:
            return True
        self._tx.execute(_RENAME, values)
        return False

    def mark_seen(self, storage: str, now: Moment) -> None:
        """Save that a server has the files of a storage now."""
        self._tx.execute(_MARK_SEEN, {"storage": storage, "moment": now})

    def delete(self, storage: str) -> bool:
        """Delete a storage; return False if it is unknown."""
        return self._tx.execute(_DELETE, {"storage": storage}) > 0
