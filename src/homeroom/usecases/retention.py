"""Retention: viewers' details, chats, publish sessions and login sessions go after some days.

An operator can restore what a sweep has deleted for a week, except login sessions: they have
expired, and are of no use to anyone.
"""

from homeroom.base.clock import DAY
from homeroom.base.ids import SchoolId
from homeroom.domain.refusal import OperatorError
from homeroom.domain.retention import (
    GRACE_SECONDS,
    SweptBatch,
    SweptScope,
    SweptSort,
    SweptSummary,
)
from homeroom.domain.schools import School
from homeroom.store.swept_rows import RESTORE_ORDER
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import schools

SWEEP_BATCH = 500
"""Rows of each sort that one unit of work deletes or restores."""
MAX_SUMMARIES = 1000
PUSH_RETENTION_SECONDS = 30 * DAY
"""Seconds after which a publish session is deleted; no class is open for that long."""


def find_overdue_schools(uow: UnitOfWork) -> set[SchoolId]:
    """Return the schools with rows that are past their retention."""
    with_overdue_rows = (
        school.id
        for school in schools.list_schools(uow)
        if any(_find_overdue(uow, school, 1).values())
    )
    return {
        *uow.sessions.list_schools_to_purge(uow.now),
        *uow.publish_sessions.list_schools_with_old(uow.now - PUSH_RETENTION_SECONDS),
        *with_overdue_rows,
    }


def sweep(uow: UnitOfWork, school: SchoolId) -> list[SweptBatch]:
    """Delete some rows that are past the retention of a school, and return which."""
    overdue = _find_overdue(uow, schools.get(uow, school), SWEEP_BATCH)
    overdue[SweptSort.PUSHES] = uow.publish_sessions.list_old(
        school, uow.now - PUSH_RETENTION_SECONDS, SWEEP_BATCH
    )
    for sort, ids in overdue.items():
        uow.swept_rows.sweep(sort, ids, uow.now, uow.now + GRACE_SECONDS)
    batches = [SweptBatch(sort.value, ids) for sort, ids in overdue.items()]
    return [*batches, SweptBatch("sessions", uow.sessions.purge(school, uow.now))]


def find_schools_to_erase(uow: UnitOfWork) -> list[SchoolId]:
    """Return the schools with swept rows whose time for a restore is over."""
    return uow.swept_rows.list_schools_to_erase(uow.now)


def erase_swept(uow: UnitOfWork, school: SchoolId) -> list[SweptBatch]:
    """Erase some swept rows whose time for a restore is over, for good, and return which."""
    return [SweptBatch("swept_rows", uow.swept_rows.erase_some(school, uow.now, SWEEP_BATCH))]


def summarize_swept(uow: UnitOfWork, scope: SweptScope) -> list[SweptSummary]:
    """Count the rows that can be restored by school, class and sort."""
    return uow.swept_rows.summarize(scope, MAX_SUMMARIES)


def restore_swept(uow: UnitOfWork, scope: SweptScope) -> dict[SweptSort, int]:
    """Restore some rows that were swept, and return their numbers; all 0 when all are restored."""
    _check_scope(scope)
    counts = dict.fromkeys(SweptSort, 0)
    for sort in RESTORE_ORDER:
        counts[sort] = uow.swept_rows.restore(sort, scope, SWEEP_BATCH)
        if counts[sort]:
            # The rest in another unit: messages before their authors.
            break
    return counts


def purge_swept(uow: UnitOfWork, scope: SweptScope) -> int:
    """Erase rows that were swept at once, for good; return their number."""
    _check_scope(scope)
    return uow.swept_rows.erase(scope)


def _check_scope(scope: SweptScope) -> None:
    if scope == SweptScope():
        raise OperatorError("name a school, a class or a time")


def _find_overdue(uow: UnitOfWork, school: School, limit: int) -> dict[SweptSort, list[int]]:
    """Return rows past the days of the school's plan, counted from the end of the class."""
    plan, now = school.plan, uow.now
    overdue: dict[SweptSort, list[int]] = {}
    if plan.viewer_days:
        over_by = now - plan.viewer_days * DAY
        overdue[SweptSort.VIEWERS] = [*uow.viewers.list_overdue(school.id, over_by, limit)]
    if plan.chat_days:
        over_by = now - plan.chat_days * DAY
        overdue[SweptSort.CHATS] = [*uow.chats.list_overdue(school.id, over_by, limit)]
    return overdue
