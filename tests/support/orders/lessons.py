"""Order of the checks of classes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from homeroom.base.clock import DAY, HOUR, MINUTE, YEAR
from homeroom.base.ids import CourseId, UserId
from homeroom.contract.lessons import ADD_COURSE_CLASS, DEL_COURSE_CLASS, EDIT_COURSE_CLASS
from homeroom.contract.new_lessons import ADD_COURSE_CLASS_MULTIPLE
from tests.support.given import Given
from tests.support.orders import (
    AUDITOR,
    MALFORMED,
    STRANGER,
    Chain,
    Fields,
    Mend,
    Order,
    Pending,
    caller,
    declare,
    entry_caller,
)
from tests.support.orders.members import course_mends
from tests.support.scheduled import Scheduled

NO_PLAN: dict[str, Any] = {
    **dict.fromkeys(("live", "scene", "co_teachers", "replay", "recording"), False),
    **dict.fromkeys(("dual_camera", "broadcast", "smart_classroom"), False),
    "max_resolution": 0,
}
"""A plan that has nothing."""
SWITCHES = ("record", "recordScene", "live", "replay", "omoStationBroadcast")
ODD_TEXT = "bell \a"
"""An introduction that no database keeps."""


@dataclass(frozen=True)
class People:
    """Persons who may teach and who may not; each has the later reasons too, where possible."""

    fit: UserId
    helper: UserId
    not_ours: UserId
    cancelled: UserId
    stopped: UserId
    stopping: UserId
    student: UserId
    auditor: UserId


def people_of(given: Given, course: CourseId) -> People:
    """Return the persons for a course."""
    cancelled, stopped, stopping, student = (given.teaching_member(course) for _ in range(4))
    people = People(
        fit=given.teacher(),
        helper=given.teacher(),
        not_ours=given.cancelled(given.member(course)),
        cancelled=given.cancelled(given.stopped(cancelled)),
        stopped=given.stopped(stopped),
        stopping=stopping,
        student=student,
        auditor=given.teaching_member(course, AUDITOR),
    )
    given.stopping(stopping)
    return people


def _times(given: Given) -> dict[int, Mend]:
    """Return the mends from an end before the start to times that a class may have."""
    begin, far = given.now + DAY, given.now + 4 * YEAR
    given.maintenance(begin, begin + MINUTE)
    return {
        119: {"endTime": given.now - DAY + 1},
        120: {"beginTime": far, "endTime": far + 1},
        268: {"beginTime": begin, "endTime": begin + MINUTE},
        165: {"endTime": begin + 2 * HOUR},
        454: {"beginTime": begin + HOUR, "endTime": begin + 3 * HOUR},
    }


def _teachers(who: People, after: Fields) -> dict[int, Mend]:
    return {
        400: {"teacherUid": who.not_ours},
        136: {"teacherUid": who.cancelled},
        884: {"teacherUid": who.stopped},
        387: {"teacherUid": who.stopping},
        800: {"teacherUid": who.student},
        172: {"teacherUid": who.auditor},
        173: after,
    }


def _co_teachers(who: People, after: Fields) -> dict[int, Mend]:
    return {
        21316: {"assistantUids": [who.fit, who.not_ours, who.cancelled]},
        21317: {"assistantUids": [who.fit, who.not_ours]},
        322: {"assistantUids": [who.cancelled, who.not_ours]},
        318: {"assistantUids": [who.stopped, who.cancelled]},
        885: {"assistantUids": [who.stopping, who.stopped]},
        388: {"assistantUids": [who.student, who.stopping]},
        804: {"assistantUids": [who.auditor, who.student]},
        319: {"assistantUids": [who.auditor]},
        320: after,
    }


def planned(given: Given, **changes: Any) -> Callable[[], Fields]:  # noqa: ANN401  a plan's values
    """Return a mend that changes the school's plan."""

    def change() -> Fields:
        given.plan(**changes)
        return {}

    return change


def _plans(given: Given) -> dict[int, Mend]:
    return {
        121601005: planned(given, live=True),
        121601006: planned(given, scene=True),
        121601008: planned(given, co_teachers=True),
        121601009: planned(given, replay=True),
        121601010: planned(given, recording=True),
        121601011: planned(given, dual_camera=True),
        121601012: planned(given, max_resolution=2),
        121604007: planned(given, broadcast=True),
        121601001: planned(given, smart_classroom=True),
    }


def _wrong_lesson(given: Given, who: People) -> Fields:
    """Return a class to add in which everything is wrong but its course."""
    return {
        "className": "",
        "beginTime": given.now - DAY,
        "endTime": given.now - DAY,
        "teacherUid": STRANGER,
        "assistantUids": [who.fit, who.fit, who.not_ours],
        "seatNum": "many",
        "isHd": 1,
        "isDc": 3,
        "folderId": STRANGER,
        **dict.fromkeys(SWITCHES, 1),
        "teachMode": 2,
        "classIntroduce": ODD_TEXT,
        "courseUniqueIdentity": "known",
    }


def _new_lesson_mends(given: Given, who: People) -> dict[int, Mend]:
    """Return the mends of a class to add, from its identity on; the plan has nothing."""
    limits: dict[str, int] = {"max_course_classes": 1, "monthly_classes": 1, "max_co_teachers": 2}
    times = _times(given)
    given.plan(**NO_PLAN, **limits, classroom_hours=1, storage_mb=1)
    return {
        398: {"courseUniqueIdentity": "new"},
        **times,
        **_teachers(who, {"teacherUid": who.fit}),
        **_co_teachers(who, {"assistantUids": [who.helper]}),
        121601007: {"seatNum": 13},
        259: {"seatNum": 5},
        808: {"isDc": 0},
        368: {"seatNum": 1, "isDc": 3},
        160: {"folderId": ""},
        **_plans(given),
        121601070: planned(given, max_course_classes=0),
        121601003: planned(given, upgradable=False),
        121601004: planned(given, monthly_classes=0),
        281: {"record": 0, "replay": 0, "courseUniqueIdentity": ""},
        280: {"live": 0},
        824: {"classIntroduce": ""},
        121601002: {},
    }


def _full_course(given: Given) -> CourseId:
    """Return a course with a class whose recording uses up a megabyte."""
    course = given.course()
    given.clip(given.lesson(course), bytes(1_000_000))
    return course


def _add(given: Given) -> list[Chain]:
    course = _full_course(given)
    who = people_of(given, course)
    given.lesson(courseUniqueIdentity="known")
    form = given.lesson_form(courseUniqueIdentity="known")
    other = Pending(given, "addCourseClass", **form)
    courses = course_mends(given, course)

    def start() -> Fields:
        other.start()
        return {"className": "Class"}

    def release() -> Fields:
        other.finish()
        return {}

    mends = {100: start, 460: release, **courses, **_new_lesson_mends(given, who)}
    wrong: Fields = {**_wrong_lesson(given, who), "courseId": STRANGER}
    return [Chain(caller(given, "addCourseClass"), wrong, mends)]


def _add_several(given: Given) -> list[Chain]:
    mends: dict[int, Mend] = {
        100: {"classJson": []},
        155: {"classJson": [{"className": ""}]},
        **course_mends(given, given.course()),
    }
    return [Chain(caller(given, "addCourseClassMultiple"), {"courseId": STRANGER}, mends)]


def _add_entry(given: Given) -> list[Chain]:
    course = _full_course(given)
    who = people_of(given, course)
    given.lesson(courseUniqueIdentity="known")
    form = given.lesson_form(courseUniqueIdentity="known")
    other = Pending(given, "addCourseClass", **form)

    def start() -> Fields:
        other.start()
        return {"twice": False}

    def release() -> Fields:
        other.finish()
        return {}

    mends: dict[int, Mend] = {
        100: {"className": "Class"},
        133: start,
        460: release,
        **_new_lesson_mends(given, who),
        122: {"teacherUid": STRANGER},
    }
    wrong: Fields = {
        **_wrong_lesson(given, who),
        "teacherUid": None,
        "teacherAccount": MALFORMED,
        "twice": True,
    }
    call = entry_caller(given, "addCourseClassMultiple", "classJson", courseId=course)
    return [Chain(call, wrong, mends)]


def lesson_lookups(given: Given, held: Scheduled) -> tuple[Fields, dict[int, Mend]]:
    """Return an unknown class of a foreign course, and the mends up to a class of `held`."""
    elsewhere, deleted = Scheduled(given), given.lesson(held.course)
    made_elsewhere = given.made_elsewhere(given.lesson(held.course))
    elsewhere.delete()
    given.done("delCourseClass", courseId=held.course, classId=deleted)
    given.made_elsewhere(deleted)
    return {"courseId": given.other().public_course()}, {
        100: {"classId": STRANGER},
        144: {"courseId": given.public_course()},
        369: {"courseId": held.course},
        143: {"classId": elsewhere.lesson},
        142: {"classId": deleted},
        212: {"classId": made_elsewhere},
        466: {"classId": held.lesson},
    }


LATER: Fields = {"className": "Other", "teacherUid": STRANGER}


def _edit_over(given: Given) -> list[Chain]:
    held = Scheduled(given)
    wrong, lookups = lesson_lookups(given, held)
    held.over()
    mends: dict[int, Mend] = {**lookups, 145: {"className": None}, 385: {}}
    return [Chain(caller(given, "editCourseClass"), wrong | LATER, mends)]


def _edit_in_overtime(given: Given) -> list[Chain]:
    held = Scheduled(given).past_end()
    wrong: Fields = {"courseId": held.course, "classId": held.lesson, **LATER}
    return [Chain(caller(given, "editCourseClass"), wrong, {140: {"className": None}, 385: {}})]


def _edit_soon(given: Given) -> list[Chain]:
    held = Scheduled(given)
    far = given.lesson(held.course, beginTime=given.now + 9 * DAY, endTime=given.now + 10 * DAY)
    held.soon()
    times: Fields = {"beginTime": given.now + HOUR, "endTime": given.now}
    wrong: Fields = {"courseId": held.course, "classId": held.lesson, **LATER, **times}
    return [Chain(caller(given, "editCourseClass"), wrong, {350: {"classId": far}, 119: {}})]


def _edit_all(given: Given) -> list[Chain]:
    """Return a class with two cameras in which everything is to change."""
    guest, helper = given.teacher(), given.teacher()
    held = Scheduled(given, seatNum=1, isDc=3, assistantUids=[guest, helper])
    given.guest(held.lesson, guest)
    other_guest = given.guest(held.lesson, given.teacher())
    who = people_of(given, held.course)
    folder = given.folder()
    mends: dict[int, Mend] = {
        **_times(given),
        **_teachers(who, {"teacherUid": guest}),
        325: {"teacherUid": helper},
        328: {"teacherUid": who.fit, "assistantUids": [who.fit, who.fit, who.not_ours]},
        **_co_teachers(who, {"assistantUids": [other_guest]}),
        321: {"assistantUids": [who.helper]},
        160: {"folderId": folder},
        880: {"teachMode": None},
        121601007: planned(given, max_seats=12),
        **_plans(given),
        121604007: {},
    }
    del mends[121601001]
    given.plan(**NO_PLAN, max_seats=0, max_co_teachers=2)
    wrong: Fields = {
        "courseId": held.course,
        "classId": held.lesson,
        "beginTime": given.now - DAY,
        "endTime": given.now - DAY,
        "teacherUid": STRANGER,
        "folderId": STRANGER,
        **dict.fromkeys(SWITCHES, 1),
        "teachMode": 2,
    }
    return [Chain(caller(given, "editCourseClass"), wrong, mends)]


def _edit_smart(given: Given) -> list[Chain]:
    """Return a class in a smart classroom, moved when the plan has nothing any more."""
    given.full_storage()
    given.plan(storage_mb=1)
    held = Scheduled(given, teachMode=2, isHd=2)
    given.lesson(held.course)
    helper = given.teacher()
    mends: dict[int, Mend] = {
        372: {"isAutoOnstage": None},
        121601007: planned(given, max_seats=12),
        **_plans(given),
        121601003: planned(given, upgradable=False),
        121601004: planned(given, monthly_classes=0),
        284: {"record": 0, "recordScene": 0, "replay": 0},
        282: {"live": 0},
        825: {"classIntroduce": ""},
        121601002: {},
    }
    del mends[121601011]
    given.plan(**NO_PLAN, max_seats=0, monthly_classes=1, classroom_hours=1)
    wrong: Fields = {
        "courseId": held.course,
        "classId": held.lesson,
        "beginTime": held.begin + HOUR,
        "endTime": held.begin + 3 * HOUR,
        "assistantUid": helper,
        **dict.fromkeys(SWITCHES, 1),
        "isAutoOnstage": 0,
        "classIntroduce": ODD_TEXT,
    }
    return [Chain(caller(given, "editCourseClass"), wrong, mends)]


def _edit_running(given: Given) -> list[Chain]:
    """Return a class that runs with a co-teacher whose account was cancelled."""
    leaver, helper = given.teacher(), given.teacher()
    held = Scheduled(given, assistantUid=leaver)
    guest = given.guest(held.lesson, given.teacher())
    given.cancelled(leaver)
    held.running()
    given.plan(co_teachers=False)
    wrong: Fields = {
        "courseId": held.course,
        "classId": held.lesson,
        "assistantUids": [guest],
    }
    mends: dict[int, Mend] = {
        321: {"assistantUids": [helper]},
        327: {"assistantUids": [leaver, helper]},
        121601008: {},
    }
    return [Chain(caller(given, "editCourseClass"), wrong, mends)]


def _delete(given: Given) -> list[Chain]:
    call = caller(given, "delCourseClass")
    running = Scheduled(given)
    wrong, lookups = lesson_lookups(given, running)
    running.running()
    return [Chain(call, wrong, {**lookups, 140: {}})]


declare(ADD_COURSE_CLASS, Order(_add))
declare(ADD_COURSE_CLASS_MULTIPLE, Order(_add_several, _add_entry))
declare(
    EDIT_COURSE_CLASS,
    Order((_edit_running, _edit_over, _edit_in_overtime, _edit_soon, _edit_all, _edit_smart)),
)
declare(DEL_COURSE_CLASS, Order(_delete, apart={145: "a class that is over is not running"}))
