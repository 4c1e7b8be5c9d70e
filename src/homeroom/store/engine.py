"""What the two engines share: units of work, how they fail, how they are told and counted.

All that differs between the engines is in `sqlite.py`, `postgres.py` and the inserts and lists of
`statement.py`; nobody else asks which one it is.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from homeroom.base.errors import HomeroomError
from homeroom.store.statement import Statement

Value = int | str | None
Row = tuple[Any, ...]
Trace = Callable[[str, dict[str, Any]], None]
"""Told each statement and its values; for benchmarks and for tests that count."""

BUSY_TIMEOUT_SECONDS = 10


class StoreError(HomeroomError):
    """The database could not do or keep the work.

    Nothing of it was kept, but for one case: a connection to PostgreSQL that was lost during the
    commit leaves it open whether it was.
    """


class ContendedError(HomeroomError):
    """Another unit holds for over a second what this one needs."""


class NeedsExclusiveError(HomeroomError):
    """The unit found that it may not run beside others of its school; it is run again alone."""


class Transaction(Protocol):
    """A transaction: what a noun of the store speaks to."""

    def fetch_all(self, statement: Statement, values: dict[str, Any]) -> list[Row]:
        """Run a statement and return its rows."""
        ...

    def execute(self, statement: Statement, values: dict[str, Any]) -> int:
        """Run a statement and return how many rows it wrote."""
        ...


@dataclass(slots=True)
class QueuedUnit:
    """One piece of work waiting for a transaction."""

    run: Callable[[Transaction], Any]
    on_done: Callable[[Any, BaseException | None], None]
    """Told the result or the failure, from a thread of the store, after the commit."""
    school: int | None = None
    is_exclusive: bool = True
    """Whether other units of the school must wait; reads and plain additions need not."""


@dataclass(slots=True)
class CommitStats:
    """What an engine has committed since it was opened: how often, and how many units of work."""

    commits: int = 0
    units: int = 0


class Engine(Protocol):
    """A database engine."""

    stats: CommitStats

    def write(self, unit: QueuedUnit) -> None:
        """Queue a unit that writes."""
        ...

    def read(self, unit: QueuedUnit) -> None:
        """Queue a unit that only reads, on a snapshot."""
        ...

    def close(self) -> None:
        """Finish what waits and let go of the database."""
        ...


class Traceable:
    """Something whose statements can be watched."""

    trace: Trace | None = None
