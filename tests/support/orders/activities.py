"""Order of the checks of units and activities."""

from typing import Any

from homeroom.base.clock import DAY
from homeroom.base.ids import CourseId
from homeroom.contract.activities import (
    ADD_ACTIVITY_STUDENTS,
    CREATE_ACTIVITY,
    DELETE_ACTIVITY,
    DELETE_ACTIVITY_STUDENTS,
    RELEASE_ACTIVITIES,
)
from homeroom.contract.units import CREATE_UNIT, DELETE_UNIT, MOVE_UNIT, UPDATE_UNIT
from tests.support.activities import HOMEWORK, UNKNOWN_ID, Syllabus
from tests.support.given import Given
from tests.support.orders import Chain, Fields, InTurn, Mend, Order, caller, declare
from tests.support.wire import Reply


def activity_course_mends(given: Given, course: CourseId) -> dict[int, Mend]:
    """Return the mends of a course: unknown, of another school, ended, public."""
    past: dict[str, Any] = {"ended_at": 1, "kind": "public"}
    foreign = given.other().set_course(given.other().course(), **past)
    return {
        147: {"courseId": foreign},
        121601021: {"courseId": given.set_course(given.course(), **past)},
        121601023: {"courseId": given.public_course()},
        121601022: {"courseId": course},
    }


def _create_unit(given: Given) -> list[Chain]:
    syllabus = Syllabus(given)
    syllabus.unit("taken")
    given.plan(max_course_units=1)
    mends: dict[int, Mend] = {
        121601020: {"name": "taken"},
        **activity_course_mends(given, syllabus.course),
        29208: {"name": "other"},
        40031: {},
    }
    wrong: Fields = {"courseId": UNKNOWN_ID, "name": "", "publishFlag": 2}
    return [Chain(caller(given, "lms.unit.create"), wrong, mends)]


def _update_unit(given: Given) -> list[Chain]:
    syllabus = Syllabus(given)
    syllabus.unit("taken")
    mends: dict[int, Mend] = {
        121601020: {"name": "taken"},
        **activity_course_mends(given, syllabus.course),
        40020: {"unitId": syllabus.unit()},
        40004: {"publishFlag": 2},
        50003: {},
    }
    wrong: Fields = {"courseId": UNKNOWN_ID, "unitId": UNKNOWN_ID, "name": "", "publishFlag": 0}
    return [Chain(caller(given, "lms.unit.update"), wrong, mends)]


def _delete_unit(given: Given) -> list[Chain]:
    syllabus = Syllabus(given)
    unit = syllabus.unit()
    syllabus.lesson(unit)
    given.until(given.now + DAY)
    courses = activity_course_mends(given, syllabus.course)
    given.plan(arrears=True)

    def pay() -> Fields:
        given.plan(arrears=False)
        return {}

    mends: dict[int, Mend] = {
        121601020: {"unitId": UNKNOWN_ID},
        29057: pay,
        **courses,
        40020: {"unitId": unit},
        40001: {},
    }
    return [Chain(caller(given, "lms.unit.delete"), {"courseId": UNKNOWN_ID}, mends)]


def _move_unit(given: Given) -> list[Chain]:
    syllabus = Syllabus(given)
    source, full = syllabus.unit(), syllabus.unit()
    syllabus.activity(source)
    syllabus.fill(full, 100)
    mends: dict[int, Mend] = {
        121601020: {"toUnitId": UNKNOWN_ID},
        **activity_course_mends(given, syllabus.course),
        29046: {"toUnitId": UNKNOWN_ID + 1},
        29048: {"unitId": source},
        50004: {"toUnitId": full},
        29138: {},
    }
    wrong: Fields = {"courseId": UNKNOWN_ID, "unitId": UNKNOWN_ID}
    return [Chain(caller(given, "lms.unit.move"), wrong, mends)]


def _create_activity(given: Given) -> list[Chain]:
    syllabus = Syllabus(given)
    mends: dict[int, Mend] = {
        121601020: {"name": "Activity"},
        **activity_course_mends(given, syllabus.course),
        40020: {"unitId": syllabus.fill(syllabus.unit(), 100)},
        40031: {"unitId": syllabus.unit()},
    }
    form = syllabus.activity_form(syllabus.unit(), teacherUid=UNKNOWN_ID)
    wrong: Fields = {**form, "courseId": UNKNOWN_ID, "unitId": UNKNOWN_ID, "name": ""}
    return [Chain(caller(given, "lms.activity.createActivityNoClass"), wrong, mends)]


def _release(given: Given) -> list[Chain]:
    syllabus = Syllabus(given)
    deleted, released = syllabus.activity(), syllabus.activity()
    for activity in (deleted, released):
        syllabus.done("lms.activity.release", activityId=activity)
    syllabus.done("lms.activity.delete", activityId=deleted)
    mends: dict[int, Mend] = {
        121601020: {"activityId": UNKNOWN_ID},
        **activity_course_mends(given, syllabus.course),
        30002: {"activityId": deleted},
        29149: {"activityId": released},
        29184: {},
    }
    return [Chain(caller(given, "lms.activity.release"), {"courseId": UNKNOWN_ID}, mends)]


def _release_several(given: Given) -> list[Chain]:
    syllabus = Syllabus(given)
    deleted, released = syllabus.activity(), syllabus.activity()
    for activity in (deleted, released):
        syllabus.done("lms.activity.release", activityId=activity)
    syllabus.done("lms.activity.delete", activityId=deleted)

    def call(*, activity: int) -> Reply:
        ids = [syllabus.activity(), activity]
        reply = syllabus.done("lms.activity.release", activityIds=ids)
        return Reply(reply.status, reply.data[-1], reply.headers)

    mends: dict[int, Mend] = {
        30002: {"activity": deleted},
        29149: {"activity": released},
        29184: {},
    }
    return [Chain(call, {"activity": UNKNOWN_ID}, mends)]


def _delete(given: Given) -> list[Chain]:
    syllabus = Syllabus(given)
    gone, running = syllabus.lesson(), syllabus.lesson()
    dual = syllabus.bind(syllabus.lesson(), Syllabus(given).lesson())
    activity = syllabus.activity_of(gone)
    syllabus.done("lms.activity.delete", activityId=activity)
    given.until(given.now + DAY)
    mends: dict[int, Mend] = {
        121601020: InTurn(
            {"activityId": UNKNOWN_ID}, {"activityId": syllabus.activity_of(running)}
        ),
        **activity_course_mends(given, syllabus.course),
        30002: {"activityId": activity},
        29149: {"activityId": syllabus.activity_of(dual)},
        40005: {},
    }
    return [Chain(caller(given, "lms.activity.delete"), {"courseId": UNKNOWN_ID}, mends)]


def _students(given: Given, action: str, of_kind: int) -> list[Chain]:
    """Return a chain to a discussion that is over; those of homework are for all."""
    syllabus = Syllabus(given)
    gone = syllabus.activity(kind=HOMEWORK)
    syllabus.done("lms.activity.delete", activityId=gone)
    form = syllabus.activity_form(syllabus.default_unit, endTime=given.now + DAY)
    over = syllabus.done("lms.activity.createActivityNoClass", **form).data["activityId"]
    ended: Fields = {"endTime": given.now + DAY, "activityType": HOMEWORK}
    form = syllabus.activity_form(syllabus.default_unit, **ended)
    homework = syllabus.done("lms.activity.createActivityNoClass", **form).data["activityId"]
    given.until(given.now + DAY)
    mends: dict[int, Mend] = {
        121601020: {"studentUids": [UNKNOWN_ID]},
        **activity_course_mends(given, syllabus.course),
        30002: {"activityId": gone},
        29149: {"activityId": homework},
        of_kind: {"activityId": over},
        110100069: {},
    }
    wrong: Fields = {"courseId": UNKNOWN_ID, "activityId": UNKNOWN_ID, "studentUids": []}
    return [Chain(caller(given, action), wrong, mends)]


def _add_students(given: Given) -> list[Chain]:
    return _students(given, "lms.activity.addStudent", 110100070)


def _delete_students(given: Given) -> list[Chain]:
    return _students(given, "lms.activity.deleteStudent", 30008)


def _add_one(given: Given) -> list[Chain]:
    syllabus = Syllabus(given)
    activity = syllabus.activity()

    def call(*, student: object) -> Reply:
        fields: Fields = {"activityId": activity, "studentUids": [student]}
        reply = syllabus.done("lms.activity.addStudent", **fields)
        return Reply(reply.status, reply.data[-1], reply.headers)

    return [Chain(call, {"student": "one"}, {121601020: {"student": UNKNOWN_ID}, 40030: {}})]


declare(CREATE_UNIT, Order(_create_unit))
declare(UPDATE_UNIT, Order(_update_unit))
declare(DELETE_UNIT, Order(_delete_unit))
declare(MOVE_UNIT, Order(_move_unit))
declare(CREATE_ACTIVITY, Order(_create_activity))
declare(RELEASE_ACTIVITIES, Order(_release, of_entry=_release_several))
declare(DELETE_ACTIVITY, Order(_delete, apart={40006: "a class that is over is not running"}))
declare(ADD_ACTIVITY_STUDENTS, Order(_add_students, of_entry=_add_one))
declare(DELETE_ACTIVITY_STUDENTS, Order(_delete_students))
