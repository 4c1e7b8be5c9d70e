"""The units that an engine has not finished, and the thread that fails them at their deadline."""

import threading
from collections.abc import Callable
from time import monotonic
from typing import Any, Protocol

from homeroom.store.engine import OutcomeUnknownError, QueuedUnit, Transaction, UnavailableError
from homeroom.store.outages import OutageCause
from homeroom.store.school_locks import LOCK_MS, TransactionLocks, list_locks

WATCH_SECONDS = 0.5
"""Seconds between two looks at the deadlines: a unit may take this much longer."""


class Cuttable(Protocol):
    """A connection that another thread can cut."""

    def cut(self) -> None:
        """End the wait of the thread that uses the connection; returns at once."""
        ...


class PendingUnit:
    """A unit of work, or a snapshot read, from the request for it to its result or its failure."""

    lock_ms = LOCK_MS

    def __init__(
        self, unit: QueuedUnit, owner: "PendingUnits", *, reads: bool, deadline: float
    ) -> None:
        self.unit = unit
        self.reads = reads
        self.deadline = deadline
        self.is_repeated = False
        """Whether it runs again because its connection was lost."""
        self.transaction = ""
        """Id of the transaction of the current attempt."""
        self.server_run = ""
        """Run of the server that gave this id."""
        self.result: Any = None
        self.is_committing = False
        """Whether COMMIT was sent: from then on the unit may be committed."""
        self.is_done = False
        self._owner = owner
        self._lock = threading.Lock()
        self._connection: Cuttable | None = None

    @property
    def locks(self) -> TransactionLocks:
        """Its locks, which it waits for."""
        return TransactionLocks(list_locks(self.unit))

    def run(self, tx: Transaction) -> Any:  # noqa: ANN401  the unit's own result
        """Run the unit in a transaction that has begun."""
        return self.unit.run(tx)

    def attach(self, connection: Cuttable) -> None:
        """Name the connection that is cut at the deadline; raises `UnavailableError` after it."""
        with self._lock:
            self._raise_if_done()
            self._connection = connection

    def detach(self) -> bool:
        """Give the connection back; returns whether it can still be used."""
        with self._lock:
            self._connection = None
            return not self.is_done

    def begin_commit(self, result: Any) -> None:  # noqa: ANN401  the unit's own result
        """Note that COMMIT is sent now; raises `UnavailableError` after the deadline."""
        with self._lock:
            self._raise_if_done()
            self.result = result
            self.is_committing = True

    def restart(self) -> None:
        """Note that nothing of the unit is committed, and that it runs again."""
        with self._lock:
            self._raise_if_done()
            self.is_committing = False

    def finish(self, result: Any, failure: BaseException | None) -> None:  # noqa: ANN401  the unit's own result
        """Report the result or the failure, unless the deadline came first."""
        with self._lock:
            if self.is_done:
                return
            self.is_done = True
        self._owner.discard(self)
        self.unit.on_done(result, failure)

    def expire(self, cause: OutageCause) -> None:
        """Fail the unit at its deadline, and cut its connection."""
        with self._lock:
            if self.is_done:
                return
            self.is_done = True
            connection = self._connection
        self._owner.discard(self)
        if connection is not None:
            connection.cut()
            self._owner.on_cut()
        is_unknown = self.is_committing and not self.reads
        self.unit.on_done(None, OutcomeUnknownError() if is_unknown else UnavailableError(cause))

    def _raise_if_done(self) -> None:
        if self.is_done:
            raise UnavailableError(OutageCause.TIMEOUT)


class PendingUnits:
    """The unfinished units of an engine, and the thread that watches their deadlines."""

    def __init__(self, seconds: float, on_cut: Callable[[], None]) -> None:
        self.on_cut = on_cut
        """Is called when a connection was cut: the server may be gone for the others too."""
        self._seconds = seconds
        self._is_stopping = False
        self._units: dict[PendingUnit, None] = {}
        self._lock = threading.Lock()
        self._closed = threading.Event()
        threading.Thread(target=self._watch, name="store-watch", daemon=True).start()

    def add(self, unit: QueuedUnit, *, reads: bool) -> PendingUnit:
        """Begin the time of a unit; raises `UnavailableError` once the engine is closed."""
        if self._closed.is_set():
            raise UnavailableError(OutageCause.SHUTTING_DOWN)
        deadline = unit.queued_at + self._seconds
        pending = PendingUnit(unit, self, reads=reads, deadline=deadline)
        with self._lock:
            self._units[pending] = None
        return pending

    def discard(self, pending: PendingUnit) -> None:
        """Forget a unit that is done."""
        with self._lock:
            self._units.pop(pending, None)

    def begin_stopping(self, seconds: float) -> None:
        """Give each unit, of now or later, some seconds; once one takes longer, fail all."""
        self._is_stopping = True
        self._seconds = min(self._seconds, seconds)
        deadline = monotonic() + seconds
        with self._lock:
            for pending in self._units:
                pending.deadline = min(pending.deadline, deadline)

    def is_closed_after(self, seconds: float) -> bool:
        """Pause; returns whether no unit may continue."""
        return self._closed.wait(seconds)

    def close(self) -> None:
        """Fail the units that are not done, and take no more."""
        self._closed.set()
        with self._lock:
            units = list(self._units)
        for pending in units:
            pending.expire(OutageCause.SHUTTING_DOWN)

    def _watch(self) -> None:
        while not self._closed.wait(WATCH_SECONDS):
            now = monotonic()
            with self._lock:
                overdue = [pending for pending in self._units if pending.deadline <= now]
            if overdue and self._is_stopping:
                # The database does not answer, and what follows must not wait for it again.
                self.close()
            for pending in overdue:
                pending.expire(OutageCause.TIMEOUT)
