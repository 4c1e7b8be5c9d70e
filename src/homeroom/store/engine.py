"""The interface of a database engine, and what both engines share.

Three words of this package:

- A *unit of work* is everything that one request or job does to the database. It is committed as a
  whole or not at all.
- A *snapshot read* only reads. It sees the database as it was when the read began, and it waits for
  no writer.
- A *group commit* is one commit for several units of work that waited at the same time.

The engines differ in `sqlite.py`, `postgres.py` and the dialects of `statement.py`. No other module
depends on which engine is in use.
"""

import time
from collections.abc import Callable
from typing import Any, Final, Protocol

import msgspec

from homeroom.base.errors import HomeroomError
from homeroom.base.values import Value
from homeroom.domain.refusal import OverloadedError
from homeroom.store.outages import OutageCause, find_os_cause
from homeroom.store.statement import CompiledStatement, Statement

SQLValue = int | str | None
Row = tuple[Any, ...]
Trace = Callable[[CompiledStatement, dict[str, Any]], None]
"""Is called with each statement and its named values; for benchmarks and tests."""


class StoreError(HomeroomError):
    """The database could not run or commit the unit of work.

    Nothing was committed, unless the error is an `OutcomeUnknownError`.
    """


class UnavailableError(StoreError, OverloadedError):
    """The database could not run the unit of work for a cause that retrying can mend.

    `reason` is the sentence of the cause, for clients. The text of the error also has the detail
    of the driver, for the operator.
    """

    def __init__(self, cause: OutageCause, detail: str = "") -> None:
        OverloadedError.__init__(self, cause.retry_after_seconds, cause.sentence)
        self.cause = cause
        self.detail = " ".join(detail.split())

    def __str__(self) -> str:
        return f"{self.reason} ({self.detail})" if self.detail else self.reason


class ContendedError(UnavailableError):
    """Another transaction holds, for more than a second, a lock that this unit of work needs."""

    def __init__(self, detail: str = "") -> None:
        super().__init__(OutageCause.CONTENDED, detail)


def find_outage(failure: Exception) -> UnavailableError | None:
    """Return the outage that an error of the operating system tells of, as of a full disk."""
    cause = find_os_cause(failure) if isinstance(failure, OSError) else None
    return UnavailableError(cause) if cause is not None else None


class OutcomeUnknownError(UnavailableError):
    """The commit got no answer, and its outcome could not be looked up in time.

    The unit of work may or may not be committed; it is not run again.
    """

    def __init__(self) -> None:
        super().__init__(OutageCause.OUTCOME_UNKNOWN)


class NeedsExclusiveError(HomeroomError):
    """The unit of work needs the exclusive lock of its school; the engine runs it again with it."""


class LockBusyError(HomeroomError):
    """Another transaction has a lock of the unit; the engine waits for it and runs the unit."""


class UnitScope(Value, frozen=True):
    """The part of its school that a unit of work needs alone, or shares with others.

    Units of a school may run at the same time, unless their scopes have the same name and one of
    them needs it alone. A unit without a scope needs its whole school alone.
    """

    name: str = ""
    """Names the part; empty for a unit that needs no part of the school alone."""
    is_shared: bool = False


SHARED_SCHOOL: Final = UnitScope(is_shared=True)
"""The scope of units that only add rows which no other unit reads before it writes."""


class Transaction(Protocol):
    """A transaction, as a repository uses it."""

    units_at_once: int
    """Units of work that use it at the same time, and so wait for each other."""

    def fetch_all(self, statement: Statement, values: dict[str, Any]) -> list[Row]:
        """Run a statement and return its rows."""
        ...

    def execute(self, statement: Statement, values: dict[str, Any]) -> int:
        """Run a statement and return the number of rows that it wrote."""
        ...


class QueuedUnit(msgspec.Struct):
    """A unit of work, or a snapshot read, in the queue of an engine."""

    run: Callable[[Transaction], Any]
    on_done: Callable[[Any, BaseException | None], None]
    """Is called with the result or the exception after the commit, on a thread of the store."""
    school: int | None = None
    scope: UnitScope | None = None
    """The part of the school that it locks; None: the whole school."""
    waits: bool = False
    """Whether it waits for its locks, as it did not get them at once."""
    is_urgent: bool = False
    """Whether it need not wait for units that were queued before, where the engine can do so."""
    queued_at: float = msgspec.field(default_factory=time.monotonic)


class PoolUse(Value, frozen=True):
    """Connections of an engine: those that work at this moment, and the most there may be."""

    in_use: int
    size: int


class CommitStats(msgspec.Struct):
    """Number of commits, and of units of work in them, since the engine was opened."""

    commits: int = 0
    units: int = 0


class Engine(Protocol):
    """A database engine."""

    stats: CommitStats
    parallel_units: int
    """Units of work that it runs at the same time."""

    @property
    def blocked_by(self) -> OutageCause | None:
        """What the queued units wait for, if it is not their turn alone."""
        ...

    @property
    def pool(self) -> PoolUse:
        """The use of the connections."""
        ...

    def write(self, unit: QueuedUnit) -> None:
        """Queue a unit of work."""
        ...

    def read(self, unit: QueuedUnit) -> None:
        """Queue a snapshot read."""
        ...

    def begin_stopping(self, seconds: float) -> None:
        """Give each unit, of now or later, some seconds; once one takes longer, fail all."""
        ...

    def close(self) -> None:
        """Finish the queued units, then close the database."""
        ...


class Traceable:
    """A transaction whose statements a test or a benchmark can trace."""

    units_at_once = 1
    trace: Trace | None = None
