"""Order of the checks of recordings."""

from homeroom.base.clock import HOUR
from homeroom.base.ids import LessonId
from homeroom.contract.clips import (
    DELETE_CLASS_VIDEO,
    SET_CLASS_VIDEO_MULTIPLE,
    UPDATE_CLASS_LOCK_STATUS,
)
from homeroom.domain.lifecycle import OVERTIME_SECONDS
from tests.support.given import Given
from tests.support.orders import STRANGER, Chain, Fields, Mend, Order, caller, declare, entry_caller
from tests.support.orders.courses import named_course_mends
from tests.support.scheduled import Scheduled


def foreign_lesson(given: Given) -> LessonId:
    """Return a class of another school in a public course that is not over."""
    other = given.other()
    course = other.course()
    lesson = other.lesson(course)
    other.set_course(course, kind="public")
    return lesson


def _delete(given: Given) -> list[Chain]:
    course = given.course()
    begin = given.now + HOUR
    times: Fields = {"beginTime": begin, "endTime": begin + HOUR}
    silent = given.lesson(course, **times)
    recorded = given.lesson(course, record=1, **times)
    given.set_course(course, kind="public")

    def make_standard() -> Fields:
        given.set_course(course, kind="standard")
        return {}

    def end() -> Fields:
        given.until(begin + HOUR + OVERTIME_SECONDS)
        for lesson in (silent, recorded):
            given.done("updateClassLockStatus", classId=lesson, isLock=1)
        return {}

    def unlock() -> Fields:
        given.done("updateClassLockStatus", classId=recorded, isLock=0)
        return {}

    def record_and_delete() -> Fields:
        clip = given.clip(recorded)
        given.done("deleteClassVideo", classId=recorded)
        return {"fileId": clip.file.file_id}

    def record() -> Fields:
        given.clip(recorded)
        return {}

    mends: dict[int, Mend] = {
        100: {"classId": foreign_lesson(given)},
        233: {"classId": silent},
        269: make_standard,
        384: end,
        254: {"classId": recorded},
        633: unlock,
        631: record_and_delete,
        634: {"fileId": "none"},
        632: record,
        630: {},
    }
    return [Chain(caller(given, "deleteClassVideo"), {"fileId": "none"}, mends)]


def _lock(given: Given) -> list[Chain]:
    course = given.course()
    lesson = given.lesson(course)
    given.set_course(course, kind="public")

    def make_standard() -> Fields:
        given.set_course(course, kind="standard")
        return {}

    mends: dict[int, Mend] = {
        100: {"classId": foreign_lesson(given)},
        233: {"classId": lesson},
        369: make_standard,
        391: {},
    }
    return [Chain(caller(given, "updateClassLockStatus"), {"isLock": 1}, mends)]


def _switch(given: Given) -> list[Chain]:
    other = given.other()
    mends: dict[int, Mend] = {
        100: {"classJson": []},
        155: {"classJson": [{"classId": STRANGER}]},
        **named_course_mends(given, given.course()),
    }
    foreign = other.set_course(other.course(), deleted_at=1, kind="public")
    return [Chain(caller(given, "setClassVideoMultiple"), {"courseId": foreign}, mends)]


def _switch_entry(given: Given) -> list[Chain]:
    given.full_storage()
    soon = Scheduled(given)
    elsewhere, deleted = Scheduled(given), given.lesson(soon.course)
    elsewhere.delete()
    given.done("delCourseClass", courseId=soon.course, classId=deleted)
    soon.soon()
    later = given.lesson(soon.course)
    mends: dict[int, Mend] = {
        100: {"replay": 0},
        143: {"classId": elsewhere.lesson},
        142: {"classId": deleted},
        212: {"classId": soon.lesson},
        251: {"record": 1},
        252: {"classId": later},
        253: {},
    }
    wrong: Fields = {"classId": STRANGER, "record": 0, "live": 1}
    call = entry_caller(given, "setClassVideoMultiple", "classJson", courseId=soon.course)
    return [Chain(call, wrong, mends)]


declare(DELETE_CLASS_VIDEO, Order(_delete))
declare(UPDATE_CLASS_LOCK_STATUS, Order(_lock))
declare(SET_CLASS_VIDEO_MULTIPLE, Order(_switch, _switch_entry))
