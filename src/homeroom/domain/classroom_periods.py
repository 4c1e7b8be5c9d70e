"""Periods of a classroom: from when to when something was on, or a person was somewhere."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from homeroom.base.clock import Moment
from homeroom.base.ids import UserId
from homeroom.contract.messages.summary import CountAndTotal
from homeroom.domain.classroom_events import ClassroomEvent, ClassroomEventKind, list_stays

Events = Sequence[ClassroomEvent]
K = TypeVar("K", bound=Hashable)


class Period(NamedTuple, Generic[K]):
    """A time in which something was on."""

    key: K
    begin: Moment
    end: Moment

    @property
    def seconds(self) -> int:
        """Its length."""
        return max(0, self.end - self.begin)


def pick(events: Events, kind: ClassroomEventKind) -> list[ClassroomEvent]:
    """Return the events of a kind."""
    return [event for event in events if event.kind is kind]


def is_on(event: ClassroomEvent) -> bool:
    """Return whether an event switches something on."""
    return bool(event.details.get("on", True))


def list_periods(
    events: Iterable[ClassroomEvent],
    kind: ClassroomEventKind,
    until: Moment,
    find_key: Callable[[ClassroomEvent], K],
    switches_on: Callable[[ClassroomEvent], bool] = is_on,
    *,
    ends_by_leaving: bool = False,
) -> list[Period[K]]:
    """Return the times between switching on and off, until `until` at the latest.

    The keys tell apart what is switched. With `ends_by_leaving` the keys are persons, whose leaving
    switches off.
    """
    periods: list[Period[K]] = []
    since: dict[Any, Moment] = {}
    for event in events:
        if event.kind is kind:
            key = find_key(event)
            if switches_on(event):
                since.setdefault(key, event.at)
            elif key in since:
                periods.append(Period(key, since.pop(key), event.at))
        elif (
            ends_by_leaving
            and event.kind is ClassroomEventKind.LEAVE
            and not event.details.get("client", 0)
            and event.user in since
        ):
            periods.append(Period(find_key(event), since.pop(event.user), event.at))
    periods += [Period(key, begin, until) for key, begin in since.items()]
    return sorted(periods, key=lambda period: period.begin)


def list_own_periods(
    events: Iterable[ClassroomEvent],
    kind: ClassroomEventKind,
    until: Moment,
    switches_on: Callable[[ClassroomEvent], bool] = is_on,
) -> list[Period[UserId]]:
    """Return the times between switching on and off, by person; leaving switches off."""
    of_persons = (event for event in events if event.user is not None)
    return list_periods(of_persons, kind, until, get_person, switches_on, ends_by_leaving=True)


def get_person(event: ClassroomEvent) -> UserId:
    """Return the person of an event."""
    return event.user if event.user is not None else UserId(0)


def list_presence(events: Iterable[ClassroomEvent], until: Moment) -> list[Period[UserId]]:
    """Return when persons were inside, by their first devices."""
    return [
        Period(stay.user, stay.entered_at, stay.left_at if stay.left_at is not None else until)
        for stay in list_stays(events)
        if stay.client == 0
    ]


def count_common_seconds(some: Iterable[Period[Any]], others: Sequence[Period[Any]]) -> int:
    """Return how long periods of both lists were at the same time.

    The periods of one list do not overlap.
    """
    return sum(
        max(0, min(period.end, other.end) - max(period.begin, other.begin))
        for period in some
        for other in others
    )


def count_seconds(periods: Iterable[Period[Any]]) -> int:
    """Return the sum of the lengths."""
    return sum(period.seconds for period in periods)


def count_periods(periods: Sequence[Period[Any]]) -> CountAndTotal:
    """Return the number of periods, and the sum of their lengths."""
    return CountAndTotal(count=len(periods), total=count_seconds(periods))


def group_by_key(periods: Iterable[Period[K]]) -> Iterator[tuple[K, list[Period[K]]]]:
    """Return the periods of each key."""
    groups: dict[K, list[Period[K]]] = {}
    for period in periods:
        groups.setdefault(period.key, []).append(period)
    return iter(groups.items())
