"""The summary of a class as a function of its log (Q95)."""

from typing import Any

import msgspec
import pytest

from homeroom.base.ids import CourseId, LessonId, SchoolId, UserId
from homeroom.base.values import replace
from homeroom.domain.classroom_events import (
    ClassIdentity,
    ClassroomEvent,
    ClassroomEventKind,
    LeaveReason,
    find_inside,
)
from homeroom.domain.classroom_summary import summarize
from homeroom.domain.lessons import (
    ClassroomSettings,
    Hours,
    Lesson,
    Origin,
    RecordingOptions,
    WatchPolicy,
)

TEACHER, STUDENT, OTHER = UserId(7), UserId(8), UserId(9)
END = 10_000
LESSON = Lesson(
    id=LessonId(3),
    school=SchoolId(1),
    course=CourseId(2),
    name="Physics",
    hours=Hours(1000, 8800),
    teacher=TEACHER,
    folder=None,
    classroom=ClassroomSettings(seats=1),
    recording=RecordingOptions(),
    watch_policy=WatchPolicy(),
    is_locked=False,
    introduction="",
    identity=None,
    key="k",
    stream=None,
    origin=Origin.V1,
    closed_at=None,
    deleted_at=None,
    created_at=0,
    allows_check=True,
    main=None,
    uses_main_recording=False,
    has_subs=False,
)


def enter(
    at: int, user: UserId, identity: int = ClassIdentity.STUDENT, **more: int
) -> ClassroomEvent:
    details = {"identity": int(identity), "device": 14, "client": 0, **more}
    return ClassroomEvent(LESSON.id, at, ClassroomEventKind.ENTER, user, None, details)


def leave(at: int, user: UserId, client: int = 0) -> ClassroomEvent:
    details = {"client": client, "reason": int(LeaveReason.NORMAL)}
    return ClassroomEvent(LESSON.id, at, ClassroomEventKind.LEAVE, user, None, details)


def stage(at: int, user: UserId, *, on: bool) -> ClassroomEvent:
    return ClassroomEvent(LESSON.id, at, ClassroomEventKind.STAGE, user, TEACHER, {"on": on})


def sums(*events: ClassroomEvent, lesson: Lesson = LESSON) -> Any:  # noqa: ANN401  JSON
    return msgspec.to_builtins(summarize(events, lesson, END), str_keys=True)


def test_a_class_in_which_nothing_happened_has_every_part_but_two() -> None:
    data = sums()
    assert "muteEnd" not in data
    assert "silenceEnd" not in data
    assert len(data) == 23, sorted(data)
    assert data["smallboardEnd"] == {"Count": 0, "Total": 0, "Period": [], "DCount": 0}
    assert data["groupEnd"] == {"Grouping": {"Count": 0, "Duration": 0, "Items": []}}
    assert data["timerEnd"] == {"Count": 0, "Timing_Count": 0}


def test_two_stays_are_added_and_the_last_one_ends_with_the_class() -> None:
    data = sums(
        enter(1000, TEACHER, ClassIdentity.TEACHER),
        leave(1300, TEACHER),
        enter(2000, TEACHER, ClassIdentity.TEACHER),
    )
    assert data["inoutEnd"] == {
        "7": {
            "Total": 300 + 8000,
            "Identity": 3,
            "Details": [
                {"Type": "In", "Time": 1000, "Device": 14},
                {"Type": "Out", "Time": 1300},
                {"Type": "In", "Time": 2000, "Device": 14},
                {"Type": "Out", "Time": END},
            ],
        }
    }
    assert data["stageEnd"] == {
        "7": {"DownCount": 0, "DownTotal": 0, "UpCount": 2, "UpTotal": 8300}
    }


def test_a_second_device_stands_beside_the_first() -> None:
    data = sums(
        enter(1000, STUDENT),
        enter(1100, STUDENT, client=1, device=2),
        leave(1400, STUDENT, client=1),
        leave(2000, STUDENT),
    )
    mine = data["inoutEnd"]["8"]
    assert mine["Total"] == 1000
    assert mine["Deputies"] == [
        {
            "clientID": 1,
            "ClientID": 1,
            "Total": 300,
            "Details": [
                {"Type": "In", "Time": 1100, "Device": 2},
                {"Type": "Out", "Time": 1400},
            ],
        }
    ]
    assert data["stageEnd"]["8"]["UpTotal"] == 1000


def test_a_second_entry_without_a_leave_is_none() -> None:
    events = [enter(1000, STUDENT), enter(1100, STUDENT), leave(1200, STUDENT)]
    assert sums(*events)["inoutEnd"]["8"]["Total"] == 200
    assert find_inside(events) == []
    assert [stay.user for stay in find_inside(events[:2])] == [STUDENT]


def test_students_enter_on_stage_while_it_has_seats() -> None:
    data = sums(
        enter(1000, STUDENT), enter(1000, OTHER), enter(1000, TEACHER, ClassIdentity.TEACHER)
    )
    assert data["stageEnd"]["8"] == {
        "DownCount": 0, "DownTotal": 0, "UpCount": 1, "UpTotal": 9000,
    }  # fmt: skip
    assert data["stageEnd"]["9"]["DownTotal"] == 9000
    off_stage = replace(LESSON, classroom=ClassroomSettings(enters_off_stage=True))
    assert sums(enter(1000, STUDENT), lesson=off_stage)["stageEnd"]["8"]["UpCount"] == 0


@pytest.mark.parametrize("identity", [ClassIdentity.AUDITOR, ClassIdentity.CO_TEACHER])
def test_others_wait_for_an_event(identity: ClassIdentity) -> None:
    data = sums(
        enter(1000, OTHER, identity), stage(1500, OTHER, on=True), stage(1800, OTHER, on=False)
    )
    assert data["stageEnd"]["9"] == {
        "DownCount": 2, "DownTotal": 500 + 8200, "UpCount": 1, "UpTotal": 300,
    }  # fmt: skip
