"""The job queue: rows written in the transaction that causes the job, claimed with a lease."""

from collections.abc import Collection

import msgspec
from sqlalchemy import bindparam, delete, func, insert, null, or_, select, update

from homeroom.base.clock import Moment
from homeroom.base.ids import JobId, SchoolId
from homeroom.domain.jobs import JobPayload
from homeroom.store.engine import Row, Transaction
from homeroom.store.records import Job, JobCounts, Lease
from homeroom.store.statement import Statement
from homeroom.store.tables import jobs

MAX_ERROR_LENGTH = 500
MAX_LISTED = 100

_COLUMNS = (jobs.c.id, jobs.c.kind, jobs.c.payload, jobs.c.due_at, jobs.c.attempts)
_IS_WAITING = jobs.c.set_aside_at.is_(None)
# A server without the files of another cannot erase them: it leaves such a job alone.
_CAN_RUN_HERE = or_(jobs.c.storage_id.is_(None), jobs.c.storage_id == bindparam("storage"))
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
        _CAN_RUN_HERE,
    )
    .order_by(jobs.c.due_at, jobs.c.id)
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True)
)
_LEASE = Statement(
    update(jobs)
    .where(jobs.c.id == bindparam("job"))
    .values(
        leased_until=bindparam("new_lease"),
        leased_by=bindparam("owner"),
        attempts=jobs.c.attempts + 1,
    )
)
# A job that failed in the meantime has no lease any more, and gets none.
_RENEW = Statement(
    update(jobs)
    .where(jobs.c.id == bindparam("job"), jobs.c.leased_until > 0)
    .values(leased_until=bindparam("new_lease"))
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
_RELEASE_OF_OWNER = Statement(
    update(jobs)
    .where(jobs.c.leased_until > 0, jobs.c.leased_by == bindparam("owner"))
    .values(leased_until=0)
)
_PUT_BACK = Statement(
    update(jobs).where(jobs.c.set_aside_at.is_not(None)).values(set_aside_at=null())
)
_DELETE = Statement(delete(jobs).where(jobs.c.id == bindparam("job")))
_NEXT = Statement(
    select(func.min(jobs.c.due_at)).where(
        jobs.c.leased_until <= bindparam("real_now"), _IS_WAITING, _CAN_RUN_HERE
    )
)
_COUNT = Statement(select(func.count()).select_from(jobs).where(_IS_WAITING))
_COUNT_HERE = Statement(select(func.count()).select_from(jobs).where(_IS_WAITING, _CAN_RUN_HERE))
_COUNT_FAILING = Statement(
    select(func.count())
    .select_from(jobs)
    .where(_IS_WAITING, _CAN_RUN_HERE, jobs.c.last_error.is_not(None))
)
_COUNT_SET_ASIDE = Statement(
    select(func.count()).select_from(jobs).where(jobs.c.set_aside_at.is_not(None), _CAN_RUN_HERE)
)
_OLDEST = Statement(select(func.min(jobs.c.due_at)).where(_IS_WAITING, _CAN_RUN_HERE))
_COUNT_BY_STORAGE = Statement(
    select(jobs.c.storage_id, func.count())
    .where(jobs.c.storage_id.is_not(None))
    .group_by(jobs.c.storage_id)
)
_DELETE_OF_STORAGE = Statement(delete(jobs).where(jobs.c.storage_id == bindparam("storage")))
_FAILING = Statement(
    select(*_COLUMNS, jobs.c.last_error)
    .where(_IS_WAITING, _CAN_RUN_HERE, jobs.c.last_error.is_not(None))
    .order_by(jobs.c.id)
    .limit(MAX_LISTED)
)
_LIST_SET_ASIDE = Statement(
    select(*_COLUMNS, jobs.c.last_error)
    .where(jobs.c.set_aside_at.is_not(None), _CAN_RUN_HERE)
    .order_by(jobs.c.id)
    .limit(MAX_LISTED)
)


def _job(row: Row) -> Job:
    id_, kind, payload, due_at, attempts = row
    return Job(JobId(id_), kind, payload, due_at, attempts)


class JobQueue:
    """The job queue in one transaction.

    A `storage` is that of the server that asks: it sees the jobs that any server can run, and
    those of its own storage.
    """

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def add(
        self,
        payload: JobPayload,
        due_at: Moment,
        school: SchoolId | None,
        lease: Lease | None = None,
    ) -> Job:
        """Add a job and return it; with a lease, it is claimed already."""
        kind, text = payload.kind.value, msgspec.json.encode(payload).decode()
        values = {
            "kind": kind,
            "payload": text,
            "school_id": school,
            "due_at": due_at,
            "leased_until": lease.until if lease is not None else 0,
            "attempts": int(lease is not None),
            "last_error": None,
            "set_aside_at": None,
            "leased_by": lease.owner if lease is not None else None,
            "storage_id": payload.storage,
        }
        number = JobId(self._tx.fetch_all(_ADD, values)[0][0])
        return Job(number, kind, text, due_at, attempts=0)

    def claim_due(
        self, now: Moment, real_now: Moment, lease: Lease, limit: int, storage: str | None
    ) -> list[Job]:
        """Lease the first jobs that are due, and return them in order."""
        values = {"now": now, "real_now": real_now, "limit": limit, "storage": storage}
        rows = self._tx.fetch_all(_DUE, values)
        return self._lease([_job(row) for row in rows], lease)

    def _lease(self, due: list[Job], lease: Lease) -> list[Job]:
        for job in due:
            values = {"job": job.id, "new_lease": lease.until, "owner": lease.owner}
            self._tx.execute(_LEASE, values)
        return due

    def renew(self, ids: Collection[JobId], until: Moment) -> None:
        """Extend the leases of some jobs to a later moment."""
        for id_ in ids:
            self._tx.execute(_RENEW, {"job": id_, "new_lease": until})

    def release_all(self) -> None:
        """End all leases: for a server that knows that no other one runs."""
        self._tx.execute(_RELEASE, {})

    def release(self, owner: str) -> None:
        """End the leases of an owner."""
        self._tx.execute(_RELEASE_OF_OWNER, {"owner": owner})

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

    def next_due(self, real_now: Moment, storage: str | None) -> Moment | None:
        """Return the moment when the next job without a lease is due, or None."""
        values = {"real_now": real_now, "storage": storage}
        due: Moment | None = self._tx.fetch_all(_NEXT, values)[0][0]
        return due

    def list_failing(self, storage: str | None) -> list[tuple[Job, str]]:
        """Return the jobs that wait for a retry and their last errors, at most a hundred."""
        return self._list_with_errors(_FAILING, storage)

    def list_set_aside(self, storage: str | None) -> list[tuple[Job, str]]:
        """Return the jobs that are set aside and the reasons, at most a hundred."""
        return self._list_with_errors(_LIST_SET_ASIDE, storage)

    def _list_with_errors(self, statement: Statement, storage: str | None) -> list[tuple[Job, str]]:
        rows = self._tx.fetch_all(statement, {"storage": storage})
        return [(_job(tuple(row)), error) for *row, error in rows]

    def count(self) -> int:
        """Return the number of jobs that wait, those of all storages."""
        return int(self._tx.fetch_all(_COUNT, {})[0][0])

    def count_by_storage(self) -> dict[str, int]:
        """Return the number of jobs that only the servers of a storage can run, by storage."""
        return dict(self._tx.fetch_all(_COUNT_BY_STORAGE, {}))

    def delete_of_storage(self, storage: str) -> int:
        """Delete the jobs that only the servers of a storage can run; return their number."""
        return self._tx.execute(_DELETE_OF_STORAGE, {"storage": storage})

    def counts(self, now: Moment, storage: str | None) -> JobCounts:
        """Return the state of the queue."""
        values = {"storage": storage}
        oldest: Moment | None = self._tx.fetch_all(_OLDEST, values)[0][0]
        pending, failing, set_aside = (
            int(self._tx.fetch_all(statement, values)[0][0])
            for statement in (_COUNT_HERE, _COUNT_FAILING, _COUNT_SET_ASIDE)
        )
        oldest_seconds = max(now - oldest, 0) if oldest is not None else 0
        return JobCounts(pending, failing, set_aside, oldest_seconds)
