"""Locks of schools on PostgreSQL: advisory locks that a transaction takes before its first read."""

from dataclasses import dataclass
from typing import Final

LOCK_MS: Final = 1000
"""Longest wait of a unit for a lock, after that of its school: Errno.BEING_CREATED promises it."""
_LOCK_CLASS: Final = 20_431
"""First half of the keys of our advisory locks; it keeps them apart from other programs' locks."""


@dataclass(frozen=True, slots=True)
class SchoolLocks:
    """The locks that a transaction needs. Shared and exclusive ones of a school exclude each other.

    `attempted` are the schools whose locks are shared, and not waited for: one school that is
    locked for long must not hold up the units of others. They are in ascending order.
    """

    school: int | None = None
    is_exclusive: bool = True
    attempted: tuple[int, ...] = ()

    @property
    def waiting_sql(self) -> str:
        """The statement that waits for the lock of the school, if there is one."""
        if self.school is None:
            return ""
        mode = "" if self.is_exclusive else "_shared"
        return f"SELECT pg_advisory_xact_lock{mode}({_LOCK_CLASS}, {self.school}); "

    @property
    def attempting_sql(self) -> str:
        """The columns that lock the attempted schools; each is true if it could be locked."""
        return "".join(
            f", pg_try_advisory_xact_lock_shared({_LOCK_CLASS}, {school})"
            for school in self.attempted
        )


NO_LOCKS: Final = SchoolLocks()
