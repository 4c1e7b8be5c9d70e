"""Order of the checks of dual-teacher classes."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import update

from homeroom.base.clock import DAY, HOUR, MINUTE, YEAR
from homeroom.base.ids import LessonId
from homeroom.contract.dual_teacher import DELETE_CLASS, EDIT_CLASS
from homeroom.contract.sub_lessons import ADD_CLASS
from homeroom.store.tables import lessons
from tests.support.dual import RECORDING_OFF, Dual
from tests.support.given import Given
from tests.support.orders import STRANGER, Chain, Fields, Mend, Order, Pending, caller, declare
from tests.support.orders.lessons import NO_PLAN, People, people_of, planned
from tests.support.scheduled import Scheduled
from tests.support.wire import Reply


def _courses(given: Given, key: str) -> list[Fields]:
    """Return a course of another school, a deleted, an ended and a public one; all are public."""
    ended: Fields = {"kind": "public", "ended_at": given.now}
    return [
        {key: given.other().public_course()},
        {key: given.set_course(given.course(), **ended, deleted_at=given.now)},
        {key: given.set_course(given.course(), **ended)},
        {key: given.public_course()},
    ]


def _lesson_at(given: Given, course: int, seconds: int) -> LessonId:
    """Return a class of a course that begins in some seconds, and lasts 15 minutes."""
    begin = given.now + seconds
    return given.lesson(course, beginTime=begin, endTime=begin + 15 * MINUTE)  # type: ignore[arg-type]  # ids are numbers


def _add(given: Given) -> list[Chain]:
    course, later = given.course(), 2 * HOUR
    over = _lesson_at(given, course, 10 * MINUTE)
    running = _lesson_at(given, course, later - MINUTE)
    soon = [_lesson_at(given, course, later + before) for before in (30, 3 * MINUTE, 10 * MINUTE)]
    deleted = _lesson_at(given, course, HOUR)
    given.done("delCourseClass", courseId=course, classId=deleted)
    elsewhere = Scheduled(given)
    elsewhere.delete()
    foreign, deleted_course, ended, public = _courses(given, "mainCourseId")
    dual = Dual(given)
    given.plan(dual_teacher=False)
    given.clock.advance(later)
    mends: dict[int, Mend] = {
        121601020: {"mainClassId": STRANGER},
        121601032: planned(given, dual_teacher=True),
        121601030: {"subClassJson": [dual.entry()]},
        147: foreign,
        144: deleted_course,
        149: ended,
        153: public,
        121601022: {"mainCourseId": course},
        121601037: {"mainClassId": given.other().lesson()},
        121601031: {"mainClassId": elsewhere.lesson},
        142: {"mainClassId": deleted},
        212: {"mainClassId": over},
        145: {"mainClassId": running},
        140: {"mainClassId": soon[0]},
        124: {"mainClassId": soon[1]},
        875: {"mainClassId": soon[2]},
        350: {},
    }
    wrong: Fields = {"mainCourseId": STRANGER, "subClassJson": [dual.entry()] * 21}
    return [Chain(caller(given, ADD_CLASS.name), wrong, mends)]


def _add_entry(given: Given) -> list[Chain]:
    course = given.course()
    given.lesson(course)
    given.lesson(courseUniqueIdentity="known")
    form = given.lesson_form(courseUniqueIdentity="known")
    other = Pending(given, "addCourseClass", **form)
    who, dual, chief = people_of(given, course), Dual(given), given.teacher()
    dual.fill()
    given.maintenance(dual.main.begin, dual.main.begin + MINUTE)
    foreign, deleted, ended, public = _courses(given, "courseId")
    limits = {"max_course_classes": 1, "max_co_teachers": 1, "service_until": given.now}
    given.plan(**NO_PLAN, **limits)

    def call(**entry: Any) -> Reply:  # noqa: ANN401  any JSON value
        reply = dual.add({name: value for name, value in entry.items() if value is not None})
        assert reply.errno == 1, (reply.body, reply.reason)
        return Reply(reply.status, {"code": reply.errnos[-1]}, reply.headers)

    def change_main(**columns: int) -> Callable[[], Fields]:
        def change() -> Fields:
            of_main = lessons.c.id == dual.main.lesson
            given.write(update(lessons).where(of_main).values(columns))
            return {}

        return change

    def start() -> Fields:
        other.start()
        return {"className": "x" * 51}

    def release() -> Fields:
        other.finish()
        return {}

    change_main(teacher_id=who.cancelled)()
    begin = dual.main.begin + DAY
    mends: dict[int, Mend] = {
        121601020: start,
        104: release,
        398: {"uniqueIdentity": "new"},
        147: foreign,
        144: deleted,
        149: ended,
        153: public,
        121601022: {"courseId": dual.main.course},
        122301036: {"courseId": course},
        121601035: {"className": "Sub class"},
        121601036: {"startTime": None},
        121601014: {"recordType": 2},
        122301037: {"useCoMainRecord": 0},
        454: change_main(begins_at=begin, ends_at=begin + HOUR),
        767: planned(given, service_until=None),
        110100073: {"assistantUids": [who.not_ours, who.fit]},
        884: change_main(teacher_id=who.stopped),
        387: change_main(teacher_id=who.stopping),
        800: change_main(teacher_id=who.student),
        172: change_main(teacher_id=who.auditor),
        173: change_main(teacher_id=chief),
        **_co_teachers(who),
        808: {"seatNum": 2},
        121601011: {"seatNum": 4, "isDc": 0},
        368: {"seatNum": 7},
        121601012: planned(given, max_resolution=2),
        **_plans(given),
        121601070: planned(given, max_course_classes=0),
        121601038: {},
    }
    wrong: Fields = {
        "courseId": STRANGER,
        "uniqueIdentity": "known",
        "startTime": 1,
        "useCoMainRecord": 1,
        **dict.fromkeys(("recordState", "liveState", "openState"), 1),
        "assistantUids": [who.cancelled, who.not_ours],
        "seatNum": 4,
        "isHd": 1,
        "isDc": 3,
    }
    return [Chain(call, wrong, mends)]


def _co_teachers(who: People) -> dict[int, Mend]:
    return {
        318: {"assistantUids": [who.stopped, who.cancelled]},
        885: {"assistantUids": [who.stopping, who.stopped]},
        388: {"assistantUids": [who.student, who.stopping]},
        804: {"assistantUids": [who.auditor, who.student]},
        319: {"assistantUids": [who.auditor, who.helper]},
        320: {"assistantUids": [who.fit, who.helper]},
        21317: {"assistantUids": [who.helper]},
    }


def _plans(given: Given) -> dict[int, Mend]:
    return {
        121601005: planned(given, live=True),
        121601006: planned(given, scene=True),
        121601008: planned(given, co_teachers=True),
        121601009: planned(given, replay=True),
        121601010: planned(given, recording=True),
    }


def _bound(given: Given, **fields: Any) -> Dual:  # noqa: ANN401  fields of a class
    """Return a main class with a sub class."""
    dual = Dual(given, **fields)
    dual.sub()
    return dual


def _ids(dual: Dual) -> Fields:
    return {"courseId": dual.main.course, "classId": dual.main.lesson}


def _bound_at(given: Given, seconds: int) -> Dual:
    """Return a main class with a sub class that begins in some seconds, and lasts 15 minutes."""
    begin = given.now + seconds
    return _bound(given, beginTime=begin, endTime=begin + 15 * MINUTE)


def _edit_lookups(given: Given) -> list[Chain]:
    later = 2 * HOUR
    over, running = _bound_at(given, 25 * MINUTE), _bound_at(given, later - MINUTE)
    soon = [_bound_at(given, later + before) for before in (30, 3 * MINUTE, 10 * MINUTE)]
    ordinary = Scheduled(given)
    foreign, deleted, ended, public = _courses(given, "courseId")
    given.clock.advance(later)
    times: Fields = {"startTime": given.now - DAY, "endTime": given.now - DAY}
    mends: dict[int, Mend] = {
        121601020: {"classId": STRANGER},
        147: foreign,
        121601021: deleted,
        144: ended,
        153: public,
        121601022: {"courseId": ordinary.course},
        143: {"classId": given.other().lesson()},
        121601031: {"classId": over.main.lesson},
        142: {"classId": ordinary.lesson},
        121601034: _ids(over),
        121601042: _ids(running),
        140: _ids(soon[0]),
        124: _ids(soon[1]),
        875: _ids(soon[2]),
        350: {},
    }
    wrong: Fields = {"courseId": STRANGER, "className": "x" * 51, "teacherUid": STRANGER, **times}
    return [Chain(caller(given, EDIT_CLASS.name), wrong, mends)]


def _edit_in_overtime(given: Given) -> list[Chain]:
    dual = _bound(given).past_end()
    wrong: Fields = {**_ids(dual), "seatNum": 3, "isHd": 1, "assistantUids": [STRANGER]}
    mends: dict[int, Mend] = {140: {"seatNum": None, "isHd": None}, 385: {}}
    return [Chain(caller(given, EDIT_CLASS.name), wrong, mends)]


def _edit_sub(given: Given) -> list[Chain]:
    dual = Dual(given)
    sub = dual.sub()
    wrong: Fields = {
        "courseId": given.seen(sub).course,
        "classId": sub,
        "className": "x" * 51,
        "teacherUid": STRANGER,
        **RECORDING_OFF,
        "liveState": 1,
        "assistantUids": [STRANGER],
    }
    mends: dict[int, Mend] = {
        121601035: {"className": "Sub"},
        121601036: {"teacherUid": None},
        122301037: {"useCoMainRecord": 0},
        226: {"recordState": 1},
        318: {},
    }
    return [Chain(caller(given, EDIT_CLASS.name), wrong, mends)]


def _edit_main(given: Given) -> list[Chain]:
    """Return a main class in which everything is to change."""
    dual, guest, helper = Dual(given), given.teacher(), given.teacher()
    sub = dual.sub(assistantUids=[helper])
    given.guest(sub, guest)
    who = people_of(given, dual.main.course)
    far, free = given.now + 3 * YEAR, dual.main.begin + DAY
    given.maintenance(dual.main.begin, dual.main.begin + MINUTE)
    given.plan(**NO_PLAN, max_co_teachers=1, service_until=given.now)
    mends: dict[int, Mend] = {
        121601035: {"className": "Main"},
        122301037: {**RECORDING_OFF, "recordType": 2, "liveState": 1, "openState": 1},
        165: {"startTime": far, "endTime": far + HOUR},
        268: {"startTime": dual.main.begin, "endTime": dual.main.begin + HOUR},
        767: planned(given, service_until=None),
        454: {"startTime": free, "endTime": free + HOUR},
        808: {"isDc": 0},
        368: {"seatNum": 7},
        121601012: planned(given, max_resolution=2),
        226: {"recordState": 1},
        **_plans(given),
        219: {"teacherUid": who.not_ours},
        136: {"teacherUid": who.cancelled},
        884: {"teacherUid": who.stopped},
        387: {"teacherUid": who.stopping},
        800: {"teacherUid": who.student},
        172: {"teacherUid": who.auditor},
        173: {"teacherUid": guest},
        325: {"teacherUid": helper},
        328: {"teacherUid": given.teacher()},
        **_co_teachers(who),
    }
    wrong: Fields = {
        **_ids(dual),
        "className": "x" * 51,
        "liveState": 1,
        "startTime": given.now - DAY,
        "endTime": given.now - DAY,
        "seatNum": 4,
        "isHd": 1,
        "isDc": 3,
        "teacherUid": STRANGER,
        "assistantUids": [who.not_ours, who.cancelled],
    }
    return [Chain(caller(given, EDIT_CLASS.name), wrong, mends)]


def _edit_own_teacher(given: Given) -> list[Chain]:
    dual = _bound(given)
    wrong: Fields = {**_ids(dual), "assistantUids": [dual.main.teacher, STRANGER]}
    mends: dict[int, Mend] = {322: {"assistantUids": [STRANGER]}, 318: {}}
    return [Chain(caller(given, EDIT_CLASS.name), wrong, mends)]


def _delete(given: Given) -> list[Chain]:
    over = _bound(given)
    running = _bound_at(given, 3 * DAY)
    ordinary = Scheduled(given)
    foreign, deleted, _, public = _courses(given, "courseId")
    given.until(given.seen(running.main.lesson).hours.begin)
    mends: dict[int, Mend] = {
        121601020: {"classId": STRANGER},
        147: foreign,
        144: deleted,
        149: public,
        121601022: {"courseId": ordinary.course},
        143: {"classId": given.other().lesson()},
        121601031: {"classId": over.main.lesson},
        142: {"classId": ordinary.lesson},
        121601034: _ids(over),
        121601042: _ids(running),
        121601032: {},
    }
    return [Chain(caller(given, DELETE_CLASS.name), {"courseId": STRANGER}, mends)]


declare(ADD_CLASS, Order(_add, _add_entry))
declare(
    EDIT_CLASS,
    Order((_edit_lookups, _edit_in_overtime, _edit_sub, _edit_main, _edit_own_teacher)),
)
declare(DELETE_CLASS, Order(_delete))
