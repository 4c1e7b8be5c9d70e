"""Visits of pages: renewed while they last, and one message for each when it ends (Q96)."""

from collections.abc import Collection, Iterable, Mapping

from homeroom.base.clock import Moment
from homeroom.base.ids import SchoolId, VisitId
from homeroom.domain.page_visits import PageVisit, VisitKey
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import viewer_messages


def find_receiving(uow: UnitOfWork, schools: Iterable[SchoolId]) -> set[SchoolId]:
    """Return those of some schools whose messages are written: of others no visit is kept."""
    return {school for school in schools if uow.wants_messages(school)}


def renew(uow: UnitOfWork, visits: Collection[PageVisit], ended: Collection[VisitKey] = ()) -> None:
    """Save that viewers are on pages now, and end the visits of those who leave them now."""
    if visits:
        uow.page_visits.save(visits, uow.now)
    if ended:
        _emit(uow, uow.page_visits.end(ended))


def list_beats(uow: UnitOfWork) -> dict[VisitId, int]:
    """Return the beats of all visits: one whose beat stands still has ended."""
    return uow.page_visits.list_beats()


def end_silent(uow: UnitOfWork, beats: Mapping[VisitId, int]) -> None:
    """End the visits that were not renewed since they had these beats."""
    _emit(uow, uow.page_visits.end_if_silent(beats))


def _emit(uow: UnitOfWork, ended: Iterable[tuple[PageVisit, Moment]]) -> None:
    visits = list(ended)
    lessons = uow.lessons.get_many({visit.key.lesson for visit, _ in visits})
    viewer_messages.emit_visits(
        uow, [(lessons[visit.key.lesson], visit, seen_at) for visit, seen_at in visits]
    )
