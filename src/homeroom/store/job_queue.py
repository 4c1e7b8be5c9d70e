"""Jobs in the database: written with the work that causes them, claimed with a lease."""

from dataclasses import dataclass

import msgspec
from sqlalchemy import bindparam, delete, func, insert, select, update

from homeroom.base.clock import Moment
from homeroom.base.ids import JobId, SchoolId
from homeroom.domain.job_kinds import JobKind
from homeroom.store.engine import Row, Transaction
from homeroom.store.statement import Statement
from homeroom.store.tables import jobs

_COLUMNS = (jobs.c.id, jobs.c.kind, jobs.c.payload, jobs.c.due_at, jobs.c.attempts)
_ADD = Statement(
    insert(jobs)
    .values({column: bindparam(column.name) for column in jobs.c if column.name != "id"})
    .returning(jobs.c.id)
)
_GET = Statement(select(*_COLUMNS).where(jobs.c.id == bindparam("job")))
# Two servers on one PostgreSQL must not take the same job; SQLite has one writer and ignores this.
_DUE = Statement(
    select(*_COLUMNS)
    .where(jobs.c.due_at <= bindparam("now"), jobs.c.leased_until <= bindparam("real_now"))
    .order_by(jobs.c.due_at, jobs.c.id)
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True)
)
_LEASE = Statement(
    update(jobs)
    .where(jobs.c.id == bindparam("job"))
    .values(leased_until=bindparam("new_lease"), attempts=jobs.c.attempts + 1)
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
_RELEASE = Statement(update(jobs).where(jobs.c.leased_until > 0).values(leased_until=0))
_DONE = Statement(delete(jobs).where(jobs.c.id == bindparam("job")))
_NEXT = Statement(
    select(func.min(jobs.c.due_at)).where(jobs.c.leased_until <= bindparam("real_now"))
)
_COUNT = Statement(select(func.count()).select_from(jobs))
_FAILING = Statement(
    select(*_COLUMNS, jobs.c.last_error)
    .where(jobs.c.last_error.is_not(None))
    .order_by(jobs.c.id)
    .limit(100)
)


@dataclass(frozen=True, slots=True)
class Job:
    """Something to be done later."""

    id: JobId
    kind: JobKind
    payload: dict[str, int | str]
    due_at: Moment
    attempts: int


def _job(row: Row) -> Job:
    number, kind, payload, due_at, attempts = row
    return Job(JobId(number), JobKind(kind), msgspec.json.decode(payload), due_at, attempts)


class JobQueue:
    """Jobs in one transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def add(
        self, kind: JobKind, payload: dict[str, int | str], due_at: Moment, school: SchoolId | None
    ) -> JobId:
        """Write a job and return its id."""
        values = {
            "kind": kind.value,
            "payload": msgspec.json.encode(payload).decode(),
            "school_id": school,
            "due_at": due_at,
            "leased_until": 0,
            "attempts": 0,
            "last_error": None,
        }
        return JobId(self._tx.fetch_all(_ADD, values)[0][0])

    def claim(self, now: Moment, real_now: Moment, lease: int, limit: int) -> list[Job]:
        """Take jobs that are due, in order, for a lease of some real seconds."""
        due = [
            _job(row)
            for row in self._tx.fetch_all(_DUE, {"now": now, "real_now": real_now, "limit": limit})
        ]
        for job in due:
            self._tx.execute(_LEASE, {"job": job.id, "new_lease": real_now + lease})
        return due

    def release_all(self) -> None:
        """Let every job be taken again: for a server that knows that no other one is at work."""
        self._tx.execute(_RELEASE, {})

    def delete(self, job: JobId) -> None:
        """Remove a job that is done."""
        self._tx.execute(_DONE, {"job": job})

    def retry(self, job: JobId, due_at: Moment, error: str) -> None:
        """Put a job that failed back, for later."""
        values = {"job": job, "new_due": due_at, "new_lease": 0, "new_error": error[:500]}
        self._tx.execute(_RETRY, values)

    def next_due(self, real_now: Moment) -> Moment | None:
        """Return when the next job is due that nobody has a lease of, or none."""
        due: Moment | None = self._tx.fetch_all(_NEXT, {"real_now": real_now})[0][0]
        return due

    def list_failing(self) -> list[tuple[Job, str]]:
        """Return the jobs that failed and wait to be tried again, the first hundred."""
        return [(_job(tuple(row)), error) for *row, error in self._tx.fetch_all(_FAILING, {})]

    def count(self) -> int:
        """Return how many jobs wait."""
        return int(self._tx.fetch_all(_COUNT, {})[0][0])
