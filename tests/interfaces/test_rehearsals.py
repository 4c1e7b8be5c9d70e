"""A rehearsed lesson: a script is played on a class by the clock (READINGS Q100)."""

from typing import Any, Final

import httpx
import pytest

from homeroom.base.clock import HOUR, MINUTE
from homeroom.contract.messages.kinds import KINDS, MessageKind, MessageSource
from homeroom.domain.classroom_events import ClassroomEventKind
from tests.support.attended import Attended
from tests.support.given import Given
from tests.support.readback import ReadBack
from tests.support.sandbox import Sandbox

Moved = tuple[Given, Sandbox]
Step = dict[str, Any]
CLASSROOM: Final = MessageSource.CLASSROOM
IN_CLASS: Final = {kind for kind, facts in KINDS.items() if facts.source is CLASSROOM}
EARLY: Final = -5 * MINUTE


class Rehearsed(Attended):
    """A class with a teacher and two students, ten minutes before its start."""

    def __init__(self, moved: Moved) -> None:
        given, sandbox = moved
        super().__init__(given, sandbox)
        course = self.course
        self.ann, self.bob = given.member(course), given.member(course)

    def play(self, *script: Step) -> dict[str, Any]:
        """Play a script."""
        return self.sandbox.play(self.given.school.id, self.lesson, script)

    def refuse(self, *script: Step | int) -> str:
        """Return why a script is refused; nothing of it is there."""
        before = self.sandbox.classroom(self.given.school.id, self.lesson)
        with pytest.raises(httpx.HTTPStatusError) as refused:
            self.play(*script)  # type: ignore[arg-type]  # a wrong one
        assert refused.value.response.status_code == 400
        assert self.sandbox.classroom(self.given.school.id, self.lesson) == before
        reason: str = refused.value.response.json()["detail"]
        return reason

    def all_enter(self) -> list[Step]:
        """Return a script by which all enter."""
        people = enumerate((self.teacher, self.ann, self.bob))
        return [enter(uid, EARLY + number) for number, uid in people]


def enter(uid: int, at: int = EARLY, **more: object) -> Step:
    """Return an event: a person enters."""
    return {"do": "enter", "uid": uid, "at": at, **more}


def test_a_script_is_played_in_order_as_the_clock_reaches_it(moved: Moved) -> None:
    room = Rehearsed(moved)
    begin, ann = room.begin, room.ann
    state = room.play(
        *room.all_enter(),
        {"do": "leave", "uid": ann, "at": 900},
        {"do": "mute", "uid": ann, "at": 60, "on": True},
        {"do": "hand", "uid": ann, "at": 30, "up": True},
        {"do": "stage", "uid": ann, "at": 60, "on": True},
        {"do": "award", "uid": ann, "at": 90, "times": 2},
        {"do": "award", "uid": ann, "at": 91, "by": 0},
    )
    assert state["inside"] == []
    assert [step["due"] - begin for step in state["coming"]] == [
        *(EARLY, EARLY + 1, EARLY + 2, 30, 60, 60, 90, 91, 900)
    ]
    sid = room.given.school.id
    room.at(begin + 30)
    state = room.sandbox.classroom(sid, room.lesson)
    assert [person["uid"] for person in state["inside"]] == [room.teacher, ann, room.bob]
    assert len(state["coming"]) == 5
    room.at(begin + 1000)
    assert [(kind, at - begin) for kind, at, *_ in room.log][3:] == [
        ("hand", 30),
        ("mute", 60),
        ("stage", 60),
        ("award", 90),
        ("award", 91),
        ("leave", 900),
    ]
    in_class = [kind for kind in room.sent if not kind.startswith(("class_", "course_"))]
    assert in_class == [
        *["enter_class"] * 3,
        *("hand_raise", "mute_one", "stage", "award", "award", "leave_class"),
    ]
    assert [body["Times"] for body in room.bodies("award")] == [2, 3]
    assert [body["SourceUID"] for body in room.bodies("award")] == [room.teacher, 0]
    (stage,) = room.bodies("stage")
    assert (stage["TargetUID"], stage["Operation"]) == (ann, 1)
    (hand,) = room.bodies("hand_raise")
    assert (hand["Color"], hand["ActionTime"]) == (f"handsup{ann}", begin + 30)


def test_what_is_past_happens_at_once_and_a_jump_plays_all_before_the_end(moved: Moved) -> None:
    room = Rehearsed(moved)
    begin = room.begin
    room.at(begin + 5 * MINUTE)
    state = room.play(*room.all_enter(), {"do": "leave", "uid": room.bob, "at": 10 * MINUTE})
    assert len(state["inside"]) == 3
    assert [at - begin for _, at, *_ in room.log] == [EARLY, EARLY + 1, EARLY + 2]
    room.at(room.closing + 60)
    assert [(event["reason"]) for event in room.events("leave")] == [1, 2, 2]
    (summary,) = room.bodies("class_summary")
    presence = summary["Data"]["inoutEnd"]
    assert presence[str(room.bob)]["Total"] == 10 * MINUTE - EARLY - 2
    assert presence[str(room.ann)]["Total"] == room.closing - begin - EARLY - 1
    with_attendance = ReadBack(room.given)
    rows = with_attendance.rows(f"/classes/{room.lesson}/attendance")
    with_attendance.close()
    assert {row["uid"]: row["seconds"] for row in rows} == {
        int(uid): person["Total"] for uid, person in presence.items()
    }


def test_a_second_script_is_added_and_what_has_not_happened_is_dropped(moved: Moved) -> None:
    room = Rehearsed(moved)
    sid = room.given.school.id
    room.play(enter(room.ann), {"do": "leave", "uid": room.ann, "at": 60})
    # Ann is inside then, by the first script.
    state = room.play({"do": "hand", "uid": room.ann, "at": 30, "up": True})
    assert [step["do"] for step in state["coming"]] == ["enter", "hand", "leave"]
    room.at(room.begin)
    assert room.sandbox.drop_script(sid, room.lesson) == 2
    room.at(room.begin + MINUTE)
    assert [kind for kind, *_ in room.log] == ["enter"]
    assert room.sandbox.classroom(sid, room.lesson)["coming"] == []


def test_a_wrong_script_names_the_event_and_changes_nothing(moved: Moved) -> None:
    room = Rehearsed(moved)
    ann, stranger = room.ann, room.given.user()
    inside = [*room.all_enter()]
    kick: Step = {"do": "kick", "uid": ann, "at": 0, "seconds": 60}
    cases: list[tuple[str, list[Any]]] = [
        ("event 1: Invalid value 'dance'", [{"do": "dance", "at": 0}]),
        ("event 1: Object missing required field `up`", [{"do": "hand", "uid": ann, "at": 0}]),
        ("event 2: Object contains unknown field `x`", [inside[0], enter(ann, x=1)]),
        ("event 1: Expected `object`", [7]),
        ("script: name one event or more", []),
        (f"event 2 (enter): uid: {stranger} may not enter", [inside[0], enter(stranger)]),
        (f"event 1 (enter): uid: {ann} may enter from 10 minutes", [enter(ann, -601)]),
        ("event 1 (enter): the class is not open", [enter(room.teacher, -1201)]),
        ("event 1 (enter): the class is closed", [enter(ann, room.closing - room.begin)]),
        (f"event 2 (enter): uid: {ann} is inside", [enter(ann), enter(ann, 0)]),
        (f"event 1 (hand): uid: {ann} is not", [{"do": "hand", "uid": ann, "at": 0, "up": True}]),
        (
            f"event 2 (mute): by: {room.teacher} is not inside",
            [enter(ann), {"do": "mute", "uid": ann, "at": 0, "on": True}],
        ),
        (f"event 5 (enter): uid: {ann} was kicked", [*inside, kick, enter(ann, 59)]),
        (f"event 1 (leave): uid: {ann} is not inside", [{"do": "leave", "uid": ann, "at": 0}]),
    ]
    for reason, script in cases:
        assert room.refuse(*script).startswith(reason)
    room.play(*inside, kick, enter(ann, 60))
    room.at(room.begin + MINUTE)
    assert room.events("leave") == [{"identity": 1, "client": 0, "reason": 4}]
    assert [body["AllowEnterTime"] for body in room.bodies("enter_class")] == [
        *(0, 0, 0, room.begin + MINUTE)
    ]


def test_the_ready_lesson_is_a_whole_class(moved: Moved) -> None:
    room = Rehearsed(moved)
    carl = room.given.member(room.course)
    before = len(room.sent)
    room.sandbox.play(room.given.school.id, room.lesson, "lesson")
    room.at(room.closing + HOUR)
    assert {kind for kind, *_ in room.log} == {kind.value for kind in ClassroomEventKind}
    in_class = {kind for kind in map(MessageKind, room.sent) if KINDS[kind].source is CLASSROOM}
    assert in_class == IN_CLASS
    assert 55 <= len(room.sent) - before <= 65
    assert room.sent.count("class_summary") == 1
    (summary,) = room.bodies("class_summary")
    data = summary["Data"]
    assert len(data) == 25
    people = {str(uid) for uid in (room.teacher, room.ann, room.bob, carl)}
    for part in ("inoutEnd", "stageEnd", "equipmentsEnd"):
        assert data[part].keys() == people
    for uid in people:
        presence, stage = data["inoutEnd"][uid], data["stageEnd"][uid]
        assert presence["Total"] == stage["UpTotal"] + stage["DownTotal"]
        assert data["muteEnd"]["Persons"][uid]["Total"] <= presence["Total"]
        devices = data["equipmentsEnd"][uid]["Camera"]
        assert devices["Total"] <= devices["TotalNotDisabled"] <= presence["Total"]
    assert data["awardEnd"] == {str(room.ann): {"Total": 2}, str(carl): {"Total": 2}}
    assert data["answerEnd"]["Count"] == 2
    assert data["answerEnd"]["AverageAccuracy"] == pytest.approx(1 / 3)
    assert data["responderEnd"]["Persons"][str(room.ann)] == {"Count": 1, "SCount": 1}
    assert [kick["Duration"] for kick in data["kickoutEnd"][str(carl)]] == [60]
    assert summary["RealCloseTime"] < room.seen.hours.end + 20 * MINUTE
    for body in room.bodies("blackboard_image"):
        assert body["Url"] == "$file"


def test_a_class_without_students_has_no_ready_lesson(moved: Moved) -> None:
    given, sandbox = moved
    room = Attended(given, sandbox)
    with pytest.raises(httpx.HTTPStatusError) as refused:
        sandbox.play(given.school.id, room.lesson, "lesson")
    assert "has no students" in refused.value.response.text


def test_after_the_end_was_sent_a_script_only_rates(moved: Moved) -> None:
    room = Rehearsed(moved)
    room.at(room.closing + HOUR)
    # No one was in: the script of a class that is over happens at once, and has its End.
    assert room.play(*room.all_enter())["inside"] == []
    assert [event["reason"] for event in room.events("leave")] == [2, 2, 2]
    assert room.sent.count("class_summary") == 1
    hand = {"do": "hand", "uid": room.ann, "at": 0, "up": True}
    assert room.refuse(hand) == "event 1 (hand): the class is over, and its End was sent"
    room.play({"do": "rate", "uid": room.ann, "at": 4000, "score": 5})
    room.play({"do": "rate", "uid": room.ann, "at": 4001, "score": 4})
    scores = [body["Comments"][str(room.ann)]["S2T"]["Score"] for body in room.bodies("ratings")]
    assert scores == [5, 4]
    assert room.sent.count("class_summary") == 1
