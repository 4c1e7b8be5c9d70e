"""What is kept of viewers and their chats for some days only, and sessions that expired."""

from homeroom.base.clock import DAY
from homeroom.base.ids import EntryId, SchoolId, ViewerId
from homeroom.domain.schools import School
from homeroom.store.work import Work
from homeroom.usecases import schools

SWEPT_AT_ONCE = 500
"""Viewers, and entries of chats, that one unit of work sweeps away."""


def overdue(work: Work) -> set[SchoolId]:
    """Return the schools that have something to be swept away."""
    kept_too_long = (one.id for one in schools.every(work) if any(_overdue(work, one, 1)))
    return {*work.sessions.expired(work.now), *kept_too_long}


def sweep(work: Work, school: SchoolId) -> int:
    """Remove what a school has kept for longer than it wants to, some at once; tells how much."""
    viewers, entries = _overdue(work, schools.get(work, school), SWEPT_AT_ONCE)
    work.viewers.forget(viewers)
    work.chats.forget(entries)
    return len(viewers) + len(entries) + work.sessions.sweep(school, work.now)


def _overdue(work: Work, school: School, limit: int) -> tuple[list[ViewerId], list[EntryId]]:
    """Return viewers and entries whose days, counted from the end of the class, are over."""
    plan, now = school.plan, work.now
    viewers: list[ViewerId] = []
    entries: list[EntryId] = []
    if plan.viewer_days:
        viewers = work.viewers.overdue(school.id, now - plan.viewer_days * DAY, limit)
    if plan.chat_days:
        entries = work.chats.overdue(school.id, now - plan.chat_days * DAY, limit)
    return viewers, entries
