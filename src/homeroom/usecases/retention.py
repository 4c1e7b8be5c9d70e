"""Retention: viewers' details, chats and expired sessions are deleted after some days."""

from homeroom.base.clock import DAY
from homeroom.base.ids import EntryId, SchoolId, ViewerId
from homeroom.domain.schools import School
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import schools

SWEEP_BATCH = 500
"""Viewers, and chat entries, that one unit of work deletes."""


def find_overdue_schools(uow: UnitOfWork) -> set[SchoolId]:
    """Return the schools with rows that are past their retention."""
    with_overdue_rows = (
        school.id for school in schools.list_schools(uow) if any(_find_overdue(uow, school, 1))
    )
    return {*uow.sessions.list_schools_to_purge(uow.now), *with_overdue_rows}


def sweep(uow: UnitOfWork, school: SchoolId) -> int:
    """Delete some rows that are past the retention of a school; return their number."""
    viewers, entries = _find_overdue(uow, schools.get(uow, school), SWEEP_BATCH)
    uow.viewers.purge(viewers)
    uow.chats.purge(entries)
    return len(viewers) + len(entries) + uow.sessions.purge(school, uow.now)


def _find_overdue(
    uow: UnitOfWork, school: School, limit: int
) -> tuple[list[ViewerId], list[EntryId]]:
    """Return viewers and entries past their retention, counted from the end of the class."""
    plan, now = school.plan, uow.now
    viewers: list[ViewerId] = []
    entries: list[EntryId] = []
    if plan.viewer_days:
        viewers = uow.viewers.list_overdue(school.id, now - plan.viewer_days * DAY, limit)
    if plan.chat_days:
        entries = uow.chats.list_overdue(school.id, now - plan.chat_days * DAY, limit)
    return viewers, entries
