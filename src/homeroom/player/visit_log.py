"""Visits of pages by the connections of this server: kept while they last, and then ended (Q96)."""

from functools import partial
from time import monotonic
from typing import Final

from homeroom.async_store import AsyncStore
from homeroom.base.clock import Moment
from homeroom.base.ids import SchoolId
from homeroom.base.keys import KeyGenerator
from homeroom.domain.page_visits import PageVisit, VisitKey
from homeroom.player.participants import RoomConnection
from homeroom.store.engine import SHARED_SCHOOL
from homeroom.usecases import visits
from homeroom.usecases.viewer_messages import PageVisitor

BEAT_SECONDS: Final = 15.0
"""Time between two signs of life of a page."""


class _OpenVisit:
    """A visit with connections here, or one that is still to be saved or ended."""

    def __init__(self, key: VisitKey, visitor: PageVisitor, started_at: Moment) -> None:
        self.key = key
        self.visitor = visitor
        self.started_at = started_at
        self.is_replay = visitor.lesson.is_over(started_at)
        self.connections: set[RoomConnection] = set()
        self.is_ended = False
        """Whether the page was closed; a connection that broke off may come back elsewhere."""
        self.renewed_at = float("-inf")

    @property
    def school(self) -> SchoolId:
        return self.visitor.lesson.school

    def is_due(self, now: float) -> bool:
        return not self.connections or now - self.renewed_at >= BEAT_SECONDS

    def describe(self) -> PageVisit:
        return PageVisit(
            self.key,
            self.is_replay,
            self.visitor.client_type,
            self.started_at,
            self.visitor.address,
            self.visitor.account,
            self.visitor.nickname,
        )


class VisitLog:
    """The visits of pages by the connections of this server."""

    def __init__(self, store: AsyncStore, keys: KeyGenerator) -> None:
        self._store = store
        self._keys = keys
        self._visits: dict[VisitKey, _OpenVisit] = {}

    def add(self, connection: RoomConnection, now: Moment, text: str | None) -> None:
        """Begin the visit of a page, or continue the one that the page names."""
        visitor = connection.visitor
        if visitor is None:
            return
        key = connection.visit = VisitKey(visitor.lesson.id, text or self._keys.public_key())
        visit = self._visits.setdefault(key, _OpenVisit(key, visitor, now))
        visit.visitor, visit.is_ended = visitor, False
        visit.connections.add(connection)

    def remove(self, connection: RoomConnection, *, by_hand: bool) -> None:
        """Note that a connection ended; `by_hand`: its page was closed."""
        if connection.visit is None or connection.visit not in self._visits:
            return
        visit = self._visits[connection.visit]
        # The name of the viewer may have changed since.
        visit.visitor = connection.visitor or visit.visitor
        visit.connections.discard(connection)
        visit.is_ended = by_hand and not visit.connections

    async def write(self) -> None:
        """Save what has changed, and signs of life of the visits that last."""
        now = monotonic()
        due: dict[SchoolId, list[_OpenVisit]] = {}
        for visit in self._visits.values():
            if visit.is_due(now):
                due.setdefault(visit.school, []).append(visit)
        if not due:
            return
        receiving = await self._store.read(partial(visits.find_receiving, schools=list(due)))
        for school, of_school in due.items():
            gone = {visit.key: visit.is_ended for visit in of_school if not visit.connections}
            if school in receiving:
                change = partial(
                    visits.renew,
                    visits=[visit.describe() for visit in of_school],
                    ended=[key for key, is_ended in gone.items() if is_ended],
                )
                await self._store.write(change, school, scope=SHARED_SCHOOL)
            for visit in of_school:
                visit.renewed_at = now
                # It may have come back, or ended, during the write.
                if not visit.connections and gone.get(visit.key) is visit.is_ended:
                    del self._visits[visit.key]
