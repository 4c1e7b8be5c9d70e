"""The summary of a class: the sums of what happened in its classroom, as a function of the log.

Each part is a function of the events and the moment until which they count. What a part counts is
said in `contract/messages/summary.py`.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from msgspec import UNSET

from homeroom.base.clock import Moment
from homeroom.base.ids import UserId
from homeroom.base.values import replace
from homeroom.contract.messages.summary import (
    DeputySum,
    Passage,
    PresenceSum,
    StageSum,
    SummaryData,
)
from homeroom.domain import classroom_sums as sums
from homeroom.domain.classroom_events import (
    ClassIdentity,
    ClassroomEvent,
    ClassroomEventKind,
    Stay,
    list_stays,
)
from homeroom.domain.classroom_periods import Period
from homeroom.domain.classroom_tools import (
    ToolSums,
    list_board_files,
    sum_groups,
    sum_screens,
    sum_seats,
    sum_shares,
)
from homeroom.domain.lessons import Lesson


def summarize(
    events: Sequence[ClassroomEvent],
    lesson: Lesson,
    until: Moment,
    names: Mapping[UserId, str] = MappingProxyType({}),
) -> SummaryData:
    """Return the sums of a class; those who have not left until then leave at `until`.

    The events must be in the order of their moments. `names` are those of persons who answered.
    Pure: the same log gives the same sums.
    """
    stays = list_stays(events)
    stage = list_stage_periods(events, lesson, until)
    tools = ToolSums(events, until)
    return SummaryData(
        inout_end=sum_presence(stays, until),
        stage_end=sum_stage(stage, stays),
        handsup_end=sums.sum_hands(events, until),
        award_end=sums.sum_awards(events),
        timer_end=tools.sum_timers(),
        mute_end=sums.sum_mutes(events, stays, until),
        smallboard_end=tools.sum_board("smallboard"),
        textboard_end=tools.sum_board("textboard"),
        authorize_end=sums.sum_rights(events, until),
        dice_end=tools.sum_uses("dice"),
        answer_end=sums.sum_answers(events, stays, names),
        screenshare_end=tools.sum_periods("screenshare"),
        responder_end=sums.sum_races(events),
        kickout_end=sums.sum_kicks(events),
        sharewidget_end=sum_shares(events, until),
        edb_end=list_board_files(events),
        equipments_end=sums.sum_devices(
            events, [period.on_stage for period in stage if period.is_up], until
        ),
        mdscreen_end=tools.count("mdscreen"),
        randomsel_end=tools.sum_uses("randomsel"),
        group_end=sum_groups(events, until),
        classset_end=sum_seats(events, until),
        silence_end=sums.sum_silences(events, until),
        screenchange_end=sum_screens(events, until),
        teachingcamera_end=tools.sum_cameras(),
        videowall_end=tools.sum_walls(),
    )


def sum_presence(stays: Sequence[Stay], until: Moment) -> dict[int, PresenceSum]:
    """Return who was inside: the first device in Details, further ones in Deputies."""
    presences: dict[int, PresenceSum] = {}
    for user, of_user in _group_by_user(stays).items():
        by_client: dict[int, list[Stay]] = {}
        for stay in of_user:
            by_client.setdefault(stay.client, []).append(stay)
        first = by_client.pop(0, [])
        deputies = [
            DeputySum(
                client_id=client,
                client_id_of_table=client,
                total=_count_seconds(others, until),
                details=_list_passages(others, until),
            )
            for client, others in sorted(by_client.items())
        ]
        presences[user] = PresenceSum(
            total=_count_seconds(first, until),
            identity=of_user[0].identity,
            details=_list_passages(first, until),
            deputies=deputies or UNSET,
        )
    return presences


class StagePeriod(NamedTuple):
    """A time in which a person was on the stage, or inside but not on it."""

    user: UserId
    is_up: bool
    begin: Moment
    end: Moment

    @property
    def on_stage(self) -> Period[UserId]:
        """The period as such."""
        return Period(self.user, self.begin, self.end)


def sum_stage(periods: Sequence[StagePeriod], stays: Sequence[Stay]) -> dict[int, StageSum]:
    """Return who was on stage, and who was inside but not on it; both together are the presence."""
    stages: dict[int, StageSum] = {stay.user: StageSum() for stay in stays if stay.client == 0}
    for user, is_up, begin, end in periods:
        seconds, old = max(0, end - begin), stages[user]
        stages[user] = (
            replace(old, up_count=old.up_count + 1, up_total=old.up_total + seconds)
            if is_up
            else replace(old, down_count=old.down_count + 1, down_total=old.down_total + seconds)
        )
    return stages


def list_stage_periods(
    events: Sequence[ClassroomEvent], lesson: Lesson, until: Moment
) -> list[StagePeriod]:
    """Return when persons were on the stage, and inside but not on it.

    The teacher is on stage throughout (Q95). Students come on stage as they enter while it has
    seats, unless the class lets them enter off stage. All others wait for an event.
    """
    periods: list[StagePeriod] = []
    inside: dict[UserId, int] = {}
    on_stage: dict[UserId, bool] = {}
    since: dict[UserId, Moment] = {}

    def end_period(user: UserId, at: Moment) -> None:
        periods.append(StagePeriod(user, on_stage[user], since[user], at))

    for event in events:
        user = event.user
        if user is None or event.details.get("client", 0) != 0:
            continue
        if event.kind is ClassroomEventKind.ENTER and user not in inside:
            inside[user] = int(event.details.get("identity", ClassIdentity.STUDENT))
            on_stage[user] = _enters_on_stage(inside[user], lesson, inside, on_stage)
            since[user] = event.at
        elif event.kind is ClassroomEventKind.LEAVE and user in inside:
            end_period(user, event.at)
            del inside[user], on_stage[user], since[user]
        elif event.kind is ClassroomEventKind.STAGE and user in inside:
            is_up = bool(event.details.get("on", True))
            if is_up is not on_stage[user] and inside[user] != ClassIdentity.TEACHER:
                end_period(user, event.at)
                on_stage[user], since[user] = is_up, event.at
    for user in inside:
        end_period(user, until)
    return periods


def _enters_on_stage(
    identity: int, lesson: Lesson, inside: dict[UserId, int], on_stage: dict[UserId, bool]
) -> bool:
    if identity == ClassIdentity.TEACHER:
        return True
    if identity != ClassIdentity.STUDENT or lesson.classroom.enters_off_stage:
        return False
    seats = sum(is_up and inside[user] == ClassIdentity.STUDENT for user, is_up in on_stage.items())
    return seats < lesson.classroom.seats


def _group_by_user(stays: Sequence[Stay]) -> dict[UserId, list[Stay]]:
    by_user: dict[UserId, list[Stay]] = {}
    for stay in stays:
        by_user.setdefault(stay.user, []).append(stay)
    return by_user


def _count_seconds(stays: Sequence[Stay], until: Moment) -> int:
    return sum(stay.seconds(until) for stay in stays)


def _list_passages(stays: Sequence[Stay], until: Moment) -> list[Passage]:
    passages = []
    for stay in stays:
        left_at = stay.left_at if stay.left_at is not None else max(until, stay.entered_at)
        passages.append(Passage(type="In", time=stay.entered_at, device=stay.device))
        passages.append(Passage(type="Out", time=left_at))
    return passages
