"""Sums of what is done in a classroom: the parts of its summary beside presence and stage (Q95)."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import UNSET, UnsetType

from homeroom.base.clock import Moment
from homeroom.base.ids import UserId
from homeroom.contract.messages.summary import (
    AnswerSum,
    CountAndTotal,
    DeviceSum,
    EquipmentSum,
    GrabSum,
    HandSum,
    Kickout,
    MuteSum,
    ResponderSum,
    SilenceSum,
    Total,
)
from homeroom.domain.classroom_events import (
    ClassIdentity,
    ClassroomEvent,
    ClassroomEventKind,
    Stay,
)
from homeroom.domain.classroom_periods import (
    Events,
    Period,
    count_common_seconds,
    count_periods,
    count_seconds,
    get_person,
    group_by_key,
    is_on,
    list_own_periods,
    list_periods,
    list_presence,
    pick,
)

_TEACHERS = (ClassIdentity.TEACHER, ClassIdentity.CO_TEACHER)


def sum_hands(events: Events, until: Moment) -> dict[int, HandSum]:
    """Return how often and how long each person raised a hand."""
    periods = list_own_periods(
        events, ClassroomEventKind.HAND, until, lambda event: bool(event.details["up"])
    )
    return {
        user: HandSum(c_time=count_seconds(own), total=len(own))
        for user, own in group_by_key(periods)
    }


def sum_awards(events: Events) -> dict[int, Total]:
    """Return the trophies of each person."""
    trophies: Counter[int] = Counter()
    for event in pick(events, ClassroomEventKind.AWARD):
        trophies[get_person(event)] += int(event.details["times"])
    return {user: Total(total=number) for user, number in trophies.items()}


def sum_rights(events: Events, until: Moment) -> dict[int, CountAndTotal]:
    """Return how often and how long each person could write on the blackboard."""
    periods = list_own_periods(events, ClassroomEventKind.AUTHORIZE, until)
    return {user: count_periods(own) for user, own in group_by_key(periods)}


def sum_kicks(events: Events) -> dict[int, list[Kickout]]:
    """Return the removals of each person."""
    kicks: dict[int, list[Kickout]] = {}
    for event in pick(events, ClassroomEventKind.KICK):
        kick = Kickout(duration=int(event.details["seconds"]), time=event.at)
        kicks.setdefault(get_person(event), []).append(kick)
    return kicks


# --- sound and chat ------------------------------------------------------------------------------


def sum_mutes(events: Events, stays: Sequence[Stay], until: Moment) -> MuteSum | UnsetType:
    """Return how long each person could speak; `UNSET` if no one was muted."""
    mutes = pick(events, ClassroomEventKind.MUTE)
    of_all = pick(events, ClassroomEventKind.MUTE_ALL)
    if not mutes and not of_all:
        return UNSET
    presence = dict(group_by_key(list_presence(events, until)))
    teachers = {stay.user for stay in stays if stay.identity in _TEACHERS}
    persons: dict[int, Total] = {}
    for user, own in presence.items():
        switches = [
            event
            for event in events
            if (event.kind is ClassroomEventKind.MUTE and event.user == user)
            or (event.kind is ClassroomEventKind.MUTE_ALL and user not in teachers)
        ]
        muted = count_common_seconds(own, _list_muted(switches, until))
        persons[user] = Total(total=count_seconds(own) - muted)
    all_muted = list_periods(of_all, ClassroomEventKind.MUTE_ALL, until, lambda _: 0)
    return MuteSum(persons=persons, mute_all=count_periods(all_muted))


def _list_muted(switches: Events, until: Moment) -> list[Period[int]]:
    """Return when a person was muted: the latest switch counts, of one or of all."""
    periods = []
    since: Moment | None = None
    for event in switches:
        if is_on(event) and since is None:
            since = event.at
        elif not is_on(event) and since is not None:
            periods.append(Period(0, since, event.at))
            since = None
    return [*periods, Period(0, since, until)] if since is not None else periods


def sum_silences(events: Events, until: Moment) -> SilenceSum | UnsetType:
    """Return how long persons were muted in the chat; `UNSET` if no one was."""
    silences = pick(events, ClassroomEventKind.SILENCE)
    if not silences:
        return UNSET
    periods = list_own_periods(events, ClassroomEventKind.SILENCE, until)
    of_all = [event for event in silences if event.user is None]
    return SilenceSum(
        persons={user: Total(total=count_seconds(own)) for user, own in group_by_key(periods)},
        silence_all=count_periods(
            list_periods(of_all, ClassroomEventKind.SILENCE, until, get_person)
        ),
    )


def sum_devices(
    events: Events, on_stage: Sequence[Period[UserId]], until: Moment
) -> dict[int, EquipmentSum]:
    """Return how long microphones and cameras were on, on the stage and altogether."""
    up = dict(group_by_key(on_stage))
    sums: dict[str, dict[UserId, DeviceSum]] = {"microphone": {}, "camera": {}}
    for what, of_device in sums.items():
        own_events = [
            event
            for event in events
            if event.kind is not ClassroomEventKind.DEVICE or event.details["what"] == what
        ]
        periods = list_own_periods(own_events, ClassroomEventKind.DEVICE, until)
        for user, own in group_by_key(periods):
            of_device[user] = DeviceSum(
                total=count_common_seconds(own, up.get(user, [])),
                total_not_disabled=count_seconds(own),
            )
    return {
        user: EquipmentSum(
            microphone=sums["microphone"].get(user, DeviceSum()),
            camera=sums["camera"].get(user, DeviceSum()),
        )
        for user in sorted({*sums["microphone"], *sums["camera"]})
    }


# --- questions and races -------------------------------------------------------------------------


def sum_answers(events: Events, stays: Sequence[Stay], names: Mapping[UserId, str]) -> AnswerSum:
    """Return the questions with the last answers of all who gave one."""
    identities = {stay.user: stay.identity for stay in stays}
    questions: list[tuple[ClassroomEvent, dict[UserId, ClassroomEvent]]] = []
    for event in events:
        if event.kind is ClassroomEventKind.QUESTION:
            questions.append((event, {}))
        elif event.kind is ClassroomEventKind.ANSWER and questions:
            questions[-1][1][get_person(event)] = event
    rows: list[dict[str, Any]] = []
    for question, answers in questions:
        right = [_is_right(question, answer) for answer in answers.values()]
        row: dict[str, Any] = {
            str(user): {
                "SelectedItem": answer.details["item"],
                "LastCommitTime": answer.at,
                "RecvQuestionTime": question.at,
            }
            for user, answer in answers.items()
        }
        row["Participants"] = [
            {"Identity": identities.get(user, 1), "Uid": user, "ShowName": names.get(user, "")}
            for user in answers
        ]
        row["CorrectItems"] = question.details["correct"]
        row["Accuracy"] = sum(right) / len(right) if right else 0.0
        rows.append(row)
    average = sum(float(row["Accuracy"]) for row in rows) / len(rows) if rows else 0.0
    return AnswerSum(count=len(rows), average_accuracy=average, answers=rows)


def _is_right(question: ClassroomEvent, answer: ClassroomEvent) -> bool:
    return set(question.details["correct"]) == set(answer.details["item"])


def sum_races(events: Events) -> ResponderSum:
    """Return the races, with how often each person grabbed and won."""
    grabs: Counter[int] = Counter()
    wins: Counter[int] = Counter()
    rounds, has_winner = 0, False
    for event in events:
        if event.kind is ClassroomEventKind.RACE:
            rounds, has_winner = rounds + 1, False
        elif event.kind is ClassroomEventKind.GRAB:
            grabs[get_person(event)] += 1
            wins[get_person(event)] += not has_winner
            has_winner = True
    persons = {user: GrabSum(count=number, s_count=wins[user]) for user, number in grabs.items()}
    return ResponderSum(count=rounds, persons=persons)
