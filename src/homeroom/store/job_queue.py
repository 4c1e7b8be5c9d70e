"""The job queue: rows written in the transaction that causes the job, claimed with a lease."""

from collections.abc import Collection
from dataclasses import dataclass

import msgspec
from sqlalchemy import bindparam, delete, func, insert, null, select, update

from homeroom.base.clock import Moment
from homeroom.base.ids import JobId, SchoolId
from homeroom.domain.jobs import JobPayload
from homeroom.store.engine import Row, Transaction
from homeroom.store.records import JobCounts
from homeroom.store.statement import Statement
from homeroom.store.tables import jobs

MAX_ERROR_LENGTH = 500
MAX_LISTED = 100

_COLUMNS = (jobs.c.id, jobs.c.kind, jobs.c.payload, jobs.c.due_at, jobs.c.attempts)
_IS_WAITING = jobs.c.set_aside_at.is_(None)
_ADD = Statement(
    insert(jobs)
    .values({column: bindparam(column.name) for column in jobs.c if column.name != "id"})
    .returning(jobs.c.id)
)
# Two servers on one PostgreSQL must not take the same job; SQLite has one writer and ignores this.
_DUE = Statement(
    select(*_COLUMNS)
    .where(
        jobs.c.due_at <= bindparam("now"),
        jobs.c.leased_until <= bindparam("real_now"),
        _IS_WAITING,
    )
    .order_by(jobs.c.due_at, jobs.c.id)
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True)
)
_DUE_ONE = Statement(
    select(*_COLUMNS)
    .where(
        jobs.c.id == bindparam("job"),
        jobs.c.due_at <= bindparam("now"),
        jobs.c.leased_until <= bindparam("real_now"),
        _IS_WAITING,
    )
    .with_for_update(skip_locked=True)
)
_LEASE = Statement(
    update(jobs)
    .where(jobs.c.id == bindparam("job"))
    .values(leased_until=bindparam("new_lease"), attempts=jobs.c.attempts + 1)
)
# A job that failed in the meantime has no lease any more, and gets none.
_RENEW = Statement(
    update(jobs)
    .where(jobs.c.id == bindparam("job"), jobs.c.leased_until > 0)
    .values(leased_until=bindparam("new_lease"))
)
_IS_LEASED = Statement(
    select(jobs.c.id).where(
        jobs.c.id == bindparam("job"), jobs.c.leased_until > bindparam("real_now")
    )
)
_RETRY = Statement(
    update(jobs)
    .where(jobs.c.id == bindparam("job"))
    .values(
        due_at=bindparam("new_due"),
        leased_until=bindparam("new_lease"),
        last_error=bindparam("new_error"),
    )
)
_SET_ASIDE = Statement(
    update(jobs)
    .where(jobs.c.id == bindparam("job"))
    .values(set_aside_at=bindparam("now"), leased_until=0, last_error=bindparam("new_error"))
)
_RELEASE = Statement(update(jobs).where(jobs.c.leased_until > 0).values(leased_until=0))
_PUT_BACK = Statement(
    update(jobs).where(jobs.c.set_aside_at.is_not(None)).values(set_aside_at=null())
)
_DELETE = Statement(delete(jobs).where(jobs.c.id == bindparam("job")))
_NEXT = Statement(
    select(func.min(jobs.c.due_at)).where(jobs.c.leased_until <= bindparam("real_now"), _IS_WAITING)
)
_COUNT = Statement(select(func.count()).select_from(jobs).where(_IS_WAITING))
_COUNT_FAILING = Statement(
    select(func.count()).select_from(jobs).where(_IS_WAITING, jobs.c.last_error.is_not(None))
)
_COUNT_SET_ASIDE = Statement(
    select(func.count()).select_from(jobs).where(jobs.c.set_aside_at.is_not(None))
)
_OLDEST = Statement(select(func.min(jobs.c.due_at)).where(_IS_WAITING))
_FAILING = Statement(
    select(*_COLUMNS, jobs.c.last_error)
    .where(_IS_WAITING, jobs.c.last_error.is_not(None))
    .order_by(jobs.c.id)
    .limit(MAX_LISTED)
)
_LIST_SET_ASIDE = Statement(
    select(*_COLUMNS, jobs.c.last_error)
    .where(jobs.c.set_aside_at.is_not(None))
    .order_by(jobs.c.id)
    .limit(MAX_LISTED)
)


@dataclass(frozen=True, slots=True)
class Job:
    """A job as the queue stores it; kind and payload are not checked yet."""

    id: JobId
    kind: str
    payload: str
    """JSON."""
    due_at: Moment
    attempts: int


def _job(row: Row) -> Job:
    id_, kind, payload, due_at, attempts = row
    return Job(JobId(id_), kind, payload, due_at, attempts)


class JobQueue:
    """The job queue in one transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def add(self, payload: JobPayload, due_at: Moment, school: SchoolId | None) -> JobId:
        """Add a job and return its id."""
        values = {
            "kind": payload.kind.value,
            "payload": msgspec.json.encode(payload).decode(),
            "school_id": school,
            "due_at": due_at,
            "leased_until": 0,
            "attempts": 0,
            "last_error": None,
            "set_aside_at": None,
        }
        return JobId(self._tx.fetch_all(_ADD, values)[0][0])

    def claim_due(self, now: Moment, real_now: Moment, lease: int, limit: int) -> list[Job]:
        """Lease the first jobs that are due, for some real seconds, and return them in order."""
        rows = self._tx.fetch_all(_DUE, {"now": now, "real_now": real_now, "limit": limit})
        return self._lease([_job(row) for row in rows], real_now + lease)

    def claim(self, ids: Collection[JobId], now: Moment, real_now: Moment, lease: int) -> list[Job]:
        """Lease those of some jobs that are due and free, and return them."""
        rows = [
            row
            for id_ in ids
            for row in self._tx.fetch_all(_DUE_ONE, {"job": id_, "now": now, "real_now": real_now})
        ]
        return self._lease([_job(row) for row in rows], real_now + lease)

    def _lease(self, due: list[Job], until: Moment) -> list[Job]:
        for job in due:
            self._tx.execute(_LEASE, {"job": job.id, "new_lease": until})
        return due

    def renew(self, ids: Collection[JobId], until: Moment) -> None:
        """Extend the leases of some jobs to a later moment."""
        for id_ in ids:
            self._tx.execute(_RENEW, {"job": id_, "new_lease": until})

    def is_any_leased(self, ids: Collection[JobId], real_now: Moment) -> bool:
        """Tell whether a server has a lease of any of these jobs."""
        return any(
            self._tx.fetch_all(_IS_LEASED, {"job": id_, "real_now": real_now}) for id_ in ids
        )

    def release_all(self) -> None:
        """End all leases: for a server that knows that no other one runs."""
        self._tx.execute(_RELEASE, {})

    def put_back(self) -> None:
        """Put jobs that were set aside back into the queue: this server may have their handler."""
        self._tx.execute(_PUT_BACK, {})

    def delete(self, job: JobId) -> None:
        """Delete a job that is done."""
        self._tx.execute(_DELETE, {"job": job})

    def retry(self, job: JobId, due_at: Moment, error: str) -> None:
        """Put a job that failed back into the queue, for later."""
        values = {
            "job": job,
            "new_due": due_at,
            "new_lease": 0,
            "new_error": error[:MAX_ERROR_LENGTH],
        }
        self._tx.execute(_RETRY, values)

    def set_aside(self, job: JobId, now: Moment, reason: str) -> None:
        """Take a job that no handler can run out of the queue, and keep its row."""
        self._tx.execute(
            _SET_ASIDE, {"job": job, "now": now, "new_error": reason[:MAX_ERROR_LENGTH]}
        )

    def next_due(self, real_now: Moment) -> Moment | None:
        """Return the moment when the next job without a lease is due, or None."""
        due: Moment | None = self._tx.fetch_all(_NEXT, {"real_now": real_now})[0][0]
        return due

    def list_failing(self) -> list[tuple[Job, str]]:
        """Return the jobs that wait for a retry and their last errors, at most a hundred."""
        return [(_job(tuple(row)), error) for *row, error in self._tx.fetch_all(_FAILING, {})]

    def list_set_aside(self) -> list[tuple[Job, str]]:
        """Return the jobs that are set aside and the reasons, at most a hundred."""
        return [
            (_job(tuple(row)), error) for *row, error in self._tx.fetch_all(_LIST_SET_ASIDE, {})
        ]

    def count(self) -> int:
        """Return the number of jobs that wait."""
        return self._number(_COUNT)

    def counts(self, now: Moment) -> JobCounts:
        """Return the state of the queue."""
        oldest: Moment | None = self._tx.fetch_all(_OLDEST, {})[0][0]
        return JobCounts(
            self._number(_COUNT),
            self._number(_COUNT_FAILING),
            self._number(_COUNT_SET_ASIDE),
            max(now - oldest, 0) if oldest is not None else 0,
        )

    def _number(self, statement: Statement) -> int:
        return int(self._tx.fetch_all(statement, {})[0][0])
