"""Order of the checks of classes on the v2 wire."""

from typing import Any

from homeroom.base.clock import DAY, HOUR, MINUTE, YEAR
from homeroom.contract.classroom_activities import CREATE_CLASS, UPDATE_CLASS
from tests.support.activities import UNKNOWN_ID
from tests.support.classroom_activities import CREATE, UPDATE, Classroom, class_form
from tests.support.given import Given
from tests.support.orders import (
    Chain,
    Fields,
    InTurn,
    Mend,
    OneMend,
    Order,
    Pending,
    caller,
    declare,
)
from tests.support.orders.activities import activity_course_mends
from tests.support.orders.lessons import People, people_of

GROUP: Fields = {"recordType": 2, "recordState": 1, "liveState": 1, "openState": 1}


def _planned(given: Given, **changes: Any) -> OneMend:  # noqa: ANN401  a plan's values
    """Return a mend that changes the school's plan."""

    def change() -> Fields:
        given.plan(**changes)
        return {}

    return change


def _teachers(who: People, after: Fields) -> dict[int, Mend]:
    return {
        219: {"teacherUid": who.not_ours},
        136: {"teacherUid": who.cancelled},
        884: {"teacherUid": who.stopped},
        387: {"teacherUid": who.stopping},
        800: {"teacherUid": who.student},
        172: {"teacherUid": who.auditor},
        173: after,
    }


def _co_teachers(who: People, after: Fields) -> dict[int, Mend]:
    return {
        322: {"assistantUids": [who.cancelled, who.not_ours]},
        318: {"assistantUids": [who.stopped, who.cancelled]},
        885: {"assistantUids": [who.stopping, who.stopped]},
        388: {"assistantUids": [who.student, who.stopping]},
        804: {"assistantUids": [who.auditor, who.student]},
        319: {"assistantUids": [who.auditor]},
        320: after,
    }


def _create(given: Given) -> list[Chain]:
    room = Classroom(given, uniqueIdentity="known")
    course = room.course
    who = people_of(given, course)
    full, free = (room.syllabus.unit() for _ in range(2))
    room.syllabus.fill(full, 100)
    other = Pending(given, CREATE, **class_form(given, course, uniqueIdentity="known"))
    begin, far = given.now + DAY, given.now + 3 * YEAR
    given.maintenance(begin, begin + MINUTE)
    given.plan(
        **dict.fromkeys(("dual_camera", "broadcast"), False),
        max_co_teachers=1,
        max_course_classes=1,
        monthly_classes=1,
    )

    def start() -> Fields:
        other.start()
        return {"recordType": 0, "liveState": 0, "openState": 1}

    def release() -> Fields:
        other.finish()
        return {}

    mends: dict[int, Mend] = {
        121601020: InTurn({"name": "Class"}, {"unitId": full}, {"isHd": 0}),
        100: start,
        104: release,
        398: {"uniqueIdentity": "new"},
        **activity_course_mends(given, course),
        40031: {"unitId": free},
        119: {"endTime": given.now - DAY + 1},
        120: {"startTime": far, "endTime": far + 1},
        268: {"startTime": begin, "endTime": begin + MINUTE},
        165: {"endTime": begin + 2 * HOUR},
        454: {"startTime": begin + HOUR, "endTime": begin + 3 * HOUR},
        **_teachers(who, {"teacherUid": who.fit}),
        **_co_teachers(who, {"assistantUids": [who.helper, given.teacher()]}),
        21317: {"assistantUids": [who.helper]},
        110100066: {"isDc": 0},
        121604007: {"omoStationBroadcast": 0},
        121601070: _planned(given, max_course_classes=0),
        121601003: _planned(given, upgradable=False),
        121601004: _planned(given, monthly_classes=0),
        267: {},
    }
    wrong: Fields = {
        "courseId": UNKNOWN_ID,
        "unitId": UNKNOWN_ID,
        "name": "",
        "teacherUid": UNKNOWN_ID,
        "startTime": given.now - DAY,
        "endTime": given.now - DAY,
        "assistantUids": [who.fit, who.not_ours, who.cancelled],
        "isHd": 1,
        "isDc": 3,
        "seatNum": 5,
        "omoStationBroadcast": 1,
        "recordState": 0,
        "uniqueIdentity": "known",
    }
    return [Chain(caller(given, CREATE), wrong, mends)]


def _update_over(given: Given) -> list[Chain]:
    """Return a class that is over, in an unknown course and an unknown unit."""
    room = Classroom(given)
    gone, elsewhere = Classroom(given, room.course), Classroom(given)
    full, free = (room.syllabus.unit() for _ in range(2))
    room.syllabus.fill(full, 100)
    past: dict[str, Any] = {"ended_at": 1, "expires_at": 1, "kind": "public"}
    foreign = given.other().set_course(given.other().course(), deleted_at=1, **past)
    expired = given.set_course(given.course(), **{**past, "ended_at": None})
    gone.syllabus.done("lms.activity.delete", activityId=gone.activity)
    elsewhere.syllabus.done("lms.activity.delete", activityId=elsewhere.activity)
    dual = Classroom(given, room.course)
    dual.syllabus.bind(dual.lesson, elsewhere.lesson)
    room.over()
    mends: dict[int, Mend] = {
        121601020: InTurn({"name": "Other"}, {"unitId": full}, {"activityId": room.activity}),
        100: {"recordState": None},
        147: {"courseId": foreign},
        121601021: {"courseId": given.set_course(given.course(), deleted_at=1, **past)},
        144: {"courseId": given.set_course(given.course(), **past)},
        153: {"courseId": expired},
        121601023: {"courseId": given.public_course()},
        121601022: {"courseId": room.course},
        450: {"unitId": free},
        143: {"activityId": elsewhere.activity},
        142: {"activityId": gone.activity},
        212: {"activityId": dual.activity},
        145: {"name": None},
        385: {},
    }
    wrong: Fields = {
        "courseId": UNKNOWN_ID,
        "activityId": UNKNOWN_ID,
        "unitId": UNKNOWN_ID,
        "name": "",
        "teacherUid": UNKNOWN_ID,
        "recordState": 1,
    }
    return [Chain(caller(given, UPDATE), wrong, mends)]


def _update_in_overtime(given: Given) -> list[Chain]:
    room = Classroom(given).past_end()
    wrong: Fields = {
        "courseId": room.course,
        "activityId": room.activity,
        "name": "Other",
        "teacherUid": UNKNOWN_ID,
    }
    return [Chain(caller(given, UPDATE), wrong, {140: {"name": None}, 385: {}})]


def _update_all(given: Given) -> list[Chain]:
    """Return a class that begins at once and in which everything is to change wrongly."""
    helper, guest = given.teacher(), given.teacher()
    now = given.now + DAY
    begins = {"at once": 59, "soon": 299, "later": 1199, "far": 9 * DAY}
    far = Classroom(given, startTime=now + 9 * DAY, endTime=now + 9 * DAY + HOUR)
    near = {
        name: Classroom(
            given, far.course, startTime=now + begin, endTime=now + begin + HOUR
        ).activity
        for name, begin in begins.items()
    }
    far.edit(assistantUids=[helper])
    given.guest(far.lesson, guest)
    given.until(now)
    who = people_of(given, far.course)
    begin = now + 2 * DAY
    given.maintenance(begin, begin + HOUR)
    given.plan(
        **dict.fromkeys(("live", "scene", "co_teachers", "replay", "recording"), False),
        **dict.fromkeys(("dual_camera", "broadcast"), False),
        max_resolution=1,
        max_co_teachers=2,
        service_until=begin,
    )
    mends: dict[int, Mend] = {
        124: {"activityId": near["soon"]},
        875: {"activityId": near["later"]},
        350: {"activityId": far.activity},
        165: {"endTime": now - DAY + HOUR},
        121601020: InTurn(
            None,
            None,
            None,
            {"startTime": begin, "endTime": begin + HOUR},
            {"isHd": 1},
            {"assistantUids": [who.helper, given.teacher(), given.teacher()]},
        ),
        767: _planned(given, service_until=None),
        454: {"startTime": begin + DAY, "endTime": begin + DAY + HOUR},
        808: {"isDc": 0, "isHd": 2},
        368: {"seatNum": 7},
        121604007: {"omoStationBroadcast": 0},
        226: {"recordState": 1},
        121601005: _planned(given, live=True),
        121601006: _planned(given, scene=True),
        121601008: _planned(given, co_teachers=True),
        121601009: _planned(given, replay=True),
        121601010: _planned(given, recording=True),
        **_teachers(who, {"teacherUid": guest}),
        325: {"teacherUid": helper, "assistantUids": None},
        328: {
            "teacherUid": who.fit,
            "assistantUids": [who.fit, who.not_ours, who.cancelled],
        },
        **_co_teachers(who, {"assistantUids": [guest, who.helper, given.teacher()]}),
        21317: {},
    }
    wrong: Fields = {
        "courseId": far.course,
        "activityId": near["at once"],
        "startTime": now - DAY,
        "endTime": now - DAY,
        "seatNum": 5,
        "isDc": 3,
        "omoStationBroadcast": 1,
        **GROUP,
        "recordState": 0,
        "teacherUid": UNKNOWN_ID,
        "assistantUids": [who.fit, who.not_ours, who.cancelled],
    }
    return [Chain(caller(given, UPDATE), wrong, mends)]


declare(
    CREATE_CLASS,
    Order(_create, apart={101003001: "it takes a thousand calls, and comes before all others"}),
)
declare(UPDATE_CLASS, Order((_update_over, _update_in_overtime, _update_all)))
