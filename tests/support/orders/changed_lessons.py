"""Order of the checks of changes that end or reshape a class."""

from homeroom.base.clock import HOUR, MINUTE
from homeroom.contract.classrooms import MODIFY_CLASS_SEAT_NUM
from homeroom.contract.clips import DEL_END_COURSE_CLASS
from tests.support.given import Given
from tests.support.orders import STRANGER, Chain, Fields, Mend, Order, caller, declare
from tests.support.orders.lessons import lesson_lookups
from tests.support.orders.members import course_mends
from tests.support.scheduled import Scheduled


def _seats(given: Given) -> list[Chain]:
    far = Scheduled(given)
    _, lookups = lesson_lookups(given, far)
    begin = given.now + HOUR

    def begins_at(moment: int) -> Fields:
        times: Fields = {"beginTime": moment, "endTime": moment + HOUR}
        return {"classId": given.lesson(far.course, **times)}

    over, running, soon = (begins_at(begin + minutes * MINUTE) for minutes in (30, 0, 15))
    given.closed_early(over["classId"])
    given.until(begin)
    given.plan(dual_camera=False, max_resolution=0)
    mends: dict[int, Mend] = {
        **lookups,
        100: {"courseId": STRANGER, "classId": STRANGER},
        **course_mends(given, far.course),
        466: over,
        145: running,
        140: soon,
        348: {"classId": far.lesson},
        121601007: {"seatNum": 13},
        259: {"seatNum": 5},
        808: {"isDc": 0},
        368: {"seatNum": 1, "isDc": 3},
        121601011: {"isDc": 0},
        121601012: {},
    }
    wrong: Fields = {"seatNum": "many", "isHd": 1, "isDc": 3}
    return [Chain(caller(given, "modifyClassSeatNum"), wrong, mends)]


def _delete_ended(given: Given) -> list[Chain]:
    ahead = Scheduled(given)
    wrong, lookups = lesson_lookups(given, ahead)
    del lookups[466]
    begin = given.now + HOUR
    running = given.lesson(ahead.course, beginTime=begin, endTime=begin + HOUR)
    locked = given.closed_early(given.lesson(ahead.course))
    given.done("updateClassLockStatus", classId=locked, isLock=1)
    given.until(begin)
    mends: dict[int, Mend] = {
        **lookups,
        212: {"classId": running},
        140: {"classId": ahead.lesson},
        104: {"classId": locked},
        145: {},
    }
    return [Chain(caller(given, "delEndCourseClass"), wrong, mends)]


declare(MODIFY_CLASS_SEAT_NUM, Order(_seats))
declare(DEL_END_COURSE_CLASS, Order(_delete_ended))
