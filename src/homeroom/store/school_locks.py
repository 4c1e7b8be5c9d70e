"""Locks of schools and of parts of them, on PostgreSQL: advisory locks of a transaction.

A transaction takes them before its first read. Units that need their whole school alone lock it;
all others share its lock, and lock the part that they need.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple
from zlib import crc32

from homeroom.store.engine import QueuedUnit

LOCK_MS: Final = 1000
"""Longest wait of a unit for a lock, after those of here: Errno.BEING_CREATED promises it."""
_SCHOOLS: Final = 20_431
"""First half of the keys of schools; it keeps them apart from other programs' locks."""
_SCOPES: Final = 20_432
_SIGN: Final = 2**31


class AdvisoryLock(NamedTuple):
    """The key of a lock. Two scopes may have the same one: then they wait for each other too."""

    kind: int
    key: int


Modes = dict[AdvisoryLock, bool]
"""Locks, and whether each is shared: shared and exclusive ones of a key exclude each other."""


@dataclass(frozen=True, slots=True)
class TransactionLocks:
    """The locks that a transaction waits for, and those that it only attempts to get.

    Locks are waited for in this order: first that of the school.
    """

    waited: Modes = field(default_factory=dict)
    attempted: Modes = field(default_factory=dict)

    @property
    def waiting_sql(self) -> str:
        """The statement that waits for locks, if there are any."""
        columns = [
            f"pg_advisory_xact_lock{_suffix(is_shared)}({lock.kind}, {lock.key})"
            for lock, is_shared in self.waited.items()
        ]
        return f"SELECT {', '.join(columns)}; " if columns else ""

    @property
    def attempting_sql(self) -> str:
        """The columns that attempt locks; each is true if it could be locked."""
        return "".join(
            f", pg_try_advisory_xact_lock{_suffix(is_shared)}({lock.kind}, {lock.key})"
            for lock, is_shared in self.attempted.items()
        )


NO_LOCKS: Final = TransactionLocks()


def list_locks(unit: QueuedUnit) -> Modes:
    """Return the locks of a unit of work."""
    if unit.school is None:
        return {}
    school, scope = AdvisoryLock(_SCHOOLS, unit.school), unit.scope
    if scope is None:
        return {school: False}
    if not scope.name:
        return {school: True}
    key = crc32(f"{unit.school} {scope.name}".encode()) - _SIGN
    return {school: True, AdvisoryLock(_SCOPES, key): scope.is_shared}


def join_locks(all_modes: Iterable[Modes]) -> Modes:
    """Return the locks of several units in one transaction: exclusive if one needs it so."""
    joined: Modes = {}
    for modes in all_modes:
        for lock, is_shared in modes.items():
            joined[lock] = joined.get(lock, True) and is_shared
    return joined


def _suffix(is_shared: bool) -> str:  # noqa: FBT001  a value, not a mode
    return "_shared" if is_shared else ""
