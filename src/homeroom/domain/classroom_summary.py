"""The summary of a class: the sums of what happened in its classroom, as a function of the log.

Each part is a function of the events and the moment until which they count. What a part counts is
said in `contract/messages/summary.py`.
"""

from collections.abc import Sequence

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
from homeroom.domain.classroom_events import (
    ClassIdentity,
    ClassroomEvent,
    ClassroomEventKind,
    Stay,
    list_stays,
)
from homeroom.domain.lessons import Lesson


def summarize(events: Sequence[ClassroomEvent], lesson: Lesson, until: Moment) -> SummaryData:
    """Return the sums of a class; those who have not left until then leave at `until`.

    The events must be in the order of their moments. Pure: the same log gives the same sums.
    """
    stays = list_stays(events)
    return SummaryData(
        inout_end=sum_presence(stays, until),
        stage_end=sum_stage(events, stays, lesson, until),
    )


def sum_presence(stays: Sequence[Stay], until: Moment) -> dict[int, PresenceSum]:
    """Return who was inside: the first device in Details, further ones in Deputies."""
    sums: dict[int, PresenceSum] = {}
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
        sums[user] = PresenceSum(
            total=_count_seconds(first, until),
            identity=of_user[0].identity,
            details=_list_passages(first, until),
            deputies=deputies or UNSET,
        )
    return sums


def sum_stage(
    events: Sequence[ClassroomEvent], stays: Sequence[Stay], lesson: Lesson, until: Moment
) -> dict[int, StageSum]:
    """Return who was on stage, and who was inside but not on it; both together are the presence.

    The teacher is on stage throughout (Q95). Students come on stage as they enter while it has
    seats, unless the class lets them enter off stage. All others wait for an event.
    """
    first = [stay for stay in stays if stay.client == 0]
    sums: dict[int, StageSum] = {stay.user: StageSum() for stay in first}
    inside: dict[UserId, int] = {}
    on_stage: dict[UserId, bool] = {}
    since: dict[UserId, Moment] = {}

    def end_period(user: UserId, at: Moment) -> None:
        seconds, old = max(0, at - since[user]), sums[user]
        sums[user] = (
            replace(old, up_count=old.up_count + 1, up_total=old.up_total + seconds)
            if on_stage[user]
            else replace(old, down_count=old.down_count + 1, down_total=old.down_total + seconds)
        )

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
    return sums


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
