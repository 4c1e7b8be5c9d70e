"""Sums of the tools of a classroom: boards, files, groups, seats and screens (Q95)."""

from collections import Counter
from collections.abc import Sequence

from homeroom.base.clock import Moment
from homeroom.base.ids import UserId
from homeroom.contract.messages.summary import (
    BoardFile,
    BoardFiles,
    BoardSum,
    CameraDetails,
    CameraSum,
    ClassSetSum,
    Count,
    CountAndTotal,
    GroupingItem,
    GroupingSum,
    GroupMember,
    GroupSum,
    PeriodSum,
    ScreenSum,
    SeatSum,
    SeatValues,
    SharedFile,
    ShareSum,
    SwitchDetail,
    TimerSum,
    TimesSum,
)
from homeroom.domain.classroom_events import ClassroomEventKind
from homeroom.domain.classroom_periods import (
    Events,
    count_periods,
    count_seconds,
    get_person,
    group_by_key,
    is_on,
    list_periods,
    list_presence,
    pick,
)


class ToolSums:
    """The uses of the tools of a class, by the names of the tools in a script."""

    def __init__(self, events: Events, until: Moment) -> None:
        self._events = pick(events, ClassroomEventKind.TOOL)
        periods = list_periods(
            self._events, ClassroomEventKind.TOOL, until, lambda event: str(event.details["name"])
        )
        self._periods = dict(group_by_key(periods))

    def count(self, name: str) -> CountAndTotal:
        """Return how often a tool was used, and the seconds."""
        return count_periods(self._periods.get(name, []))

    def sum_board(self, name: str) -> BoardSum:
        """Return the uses of small boards or text boards."""
        number = self.count(name)
        sent = [
            int(event.details["sent"]) for event in self._events if event.details["name"] == name
        ]
        return BoardSum(
            count=number.count, total=number.total, period=self._list(name), d_count=sum(sent)
        )

    def sum_periods(self, name: str) -> PeriodSum:
        """Return the uses of a tool, and how long each was."""
        number = self.count(name)
        return PeriodSum(count=number.count, total=number.total, period=self._list(name))

    def sum_timers(self) -> TimerSum:
        """Return the uses of the timer and of the stopwatch."""
        return TimerSum(count=self.count("timer").count, timing_count=self.count("stopwatch").count)

    def sum_uses(self, name: str) -> Count:
        """Return how often a tool was used."""
        return Count(count=self.count(name).count)

    def sum_cameras(self) -> CameraSum:
        """Return the uses of the teaching camera: a local one."""
        number = self.count("teachingcamera")
        return CameraSum(
            total=number.total, times=number.count, details=CameraDetails(local=number.total)
        )

    def sum_walls(self) -> TimesSum:
        """Return the uses of the video wall."""
        number = self.count("videowall")
        return TimesSum(total=number.total, times=number.count)

    def _list(self, name: str) -> list[int]:
        return [period.seconds for period in self._periods.get(name, [])]


def sum_shares(events: Events, until: Moment) -> ShareSum:
    """Return the files that were shared."""
    shares = [event for event in events if event.details.get("kind") == "share"]
    periods = list_periods(
        shares, ClassroomEventKind.FILE, until, lambda event: str(event.details["name"])
    )
    files = [
        SharedFile(start_time=period.begin, end_time=period.end, file_name=period.key)
        for period in periods
    ]
    return ShareSum(count=len(files), total=count_seconds(periods), files=files)


def list_board_files(events: Events) -> BoardFiles:
    """Return the files that were opened on the blackboard: local ones."""
    files = [
        BoardFile(
            file_key="0", action_time=event.at, file_source=0, file_name=event.details["name"]
        )
        for event in pick(events, ClassroomEventKind.FILE)
        if event.details["kind"] == "edb" and is_on(event)
    ]
    return BoardFiles(files=files)


# --- groups, seats and screens -------------------------------------------------------------------


def sum_groups(events: Events, until: Moment) -> GroupSum:
    """Return the groupings: each lasts until the next one."""
    switches = pick(events, ClassroomEventKind.GROUPS)
    items = []
    for event, end in zip(switches, [*(event.at for event in switches[1:]), until], strict=False):
        groups = [
            {
                str(number): [
                    GroupMember(role=int(member["leader"]), uid=member["uid"]) for member in group
                ]
            }
            for number, group in enumerate(event.details["groups"], 1)
        ]
        if groups:
            duration = max(0, end - event.at)
            items.append(GroupingItem(start_time=event.at, duration=duration, groups=groups))
    total = sum(item.duration for item in items)
    return GroupSum(grouping=GroupingSum(count=len(items), duration=total, items=items))


def sum_seats(events: Events, until: Moment) -> ClassSetSum:
    """Return how the seats of each group were hidden and displayed."""
    switches: dict[str, list[tuple[Moment, bool]]] = {}
    for event in pick(events, ClassroomEventKind.SEATS):
        name = f"Group{event.details['group']}"
        switches.setdefault(name, []).append((event.at, bool(event.details["shown"])))
    seats = {}
    for name, own in switches.items():
        counts, totals = _sum_switches(own, until)
        seats[name] = SeatSum(
            count=SeatValues(hidden=counts[False], display=counts[True]),
            total=SeatValues(hidden=totals[False], display=totals[True]),
            details=[SwitchDetail(type=int(state), time=at) for at, state in own],
        )
    return ClassSetSum(seat=seats)


def sum_screens(events: Events, until: Moment) -> dict[int, ScreenSum]:
    """Return how the screen of each person was full or a window."""
    switches: dict[UserId, list[tuple[Moment, bool]]] = {}
    for event in pick(events, ClassroomEventKind.SCREEN):
        own = switches.setdefault(get_person(event), [])
        own.append((event.at, bool(event.details["full"])))
    sums: dict[int, ScreenSum] = {}
    left_at = {period.key: period.end for period in list_presence(events, until)}
    for user, own in switches.items():
        counts, totals = _sum_switches(own, max(left_at.get(user, until), own[-1][0]))
        sums[user] = ScreenSum(
            window_total=totals[False],
            full_total=totals[True],
            window_count=counts[False],
            full_count=counts[True],
            details=[SwitchDetail(type=int(state), time=at) for at, state in own],
        )
    return sums


def _sum_switches(
    switches: Sequence[tuple[Moment, bool]], until: Moment
) -> tuple[Counter[bool], Counter[bool]]:
    """Return how often each state was switched to, and the seconds in it."""
    counts: Counter[bool] = Counter(state for _, state in switches)
    totals: Counter[bool] = Counter()
    ends = [*(at for at, _ in switches[1:]), until]
    for (at, state), end in zip(switches, ends, strict=True):
        totals[state] += max(0, end - at)
    return counts, totals
