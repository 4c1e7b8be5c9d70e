"""All pairs of causes of createClass and updateClass, generated from their checks."""

from typing import Any, Final

from sqlalchemy import func, select

from homeroom.base.clock import DAY, HOUR, MINUTE, YEAR
from homeroom.contract.classroom_activities import CREATE_CLASS, UPDATE_CLASS
from homeroom.contract.errno import Errno
from homeroom.store import tables
from tests.support.activities import UNKNOWN_ID
from tests.support.causes import Cause, match_causes, run_pairs
from tests.support.classroom_activities import CREATE, RECORDED, UPDATE, Classroom, class_form
from tests.support.given import Given
from tests.support.orders import Fields
from tests.support.orders.lessons import people_of

DOOR: Final = 4
"""Checks of the caller come first in every action."""
WRITTEN: Final = (
    tables.lessons,
    tables.activities,
    tables.co_teachers,
    tables.course_teachers,
)
LOOSE_PLAN: Final[dict[str, Any]] = {
    "max_co_teachers": 0,
    "max_course_classes": 0,
    "monthly_classes": 0,
    "upgradable": True,
    "broadcast": True,
    "service_until": None,
    "max_resolution": 2,
    **dict.fromkeys(("live", "scene", "co_teachers", "replay", "recording"), True),
}


def count_rows(given: Given) -> list[int]:
    """Return the number of rows of each table that the calls write to."""
    return [given.rows(select(func.count()).select_from(table))[0][0] for table in WRITTEN]


def test_of_two_causes_of_create_class_the_earlier_is_answered(given: Given) -> None:
    room = Classroom(given, uniqueIdentity="known")
    course, syllabus = room.course, room.syllabus
    who = people_of(given, course)
    full = syllabus.fill(syllabus.unit(), 100)
    begin = given.now + DAY
    given.maintenance(begin + 5 * DAY, begin + 5 * DAY + MINUTE)
    base = class_form(given, course, teacherUid=who.fit)
    causes = (
        Cause(121601020, {"isAllowCheck": 2}),
        Cause(100, {"recordState": 0}),
        Cause(398, {"uniqueIdentity": "known"}),
        Cause(147, {"courseId": UNKNOWN_ID}),
        Cause(121601021, {"courseId": given.other().course()}),
        Cause(121601023, {"courseId": given.ended_course()}),
        Cause(121601022, {"courseId": given.public_course()}),
        Cause(121601020, {"unitId": UNKNOWN_ID}),
        Cause(40031, {"courseId": course, "unitId": full}),
        Cause(119, {"startTime": begin, "endTime": begin}),
        Cause(120, {"startTime": given.now, "endTime": given.now + HOUR}),
        Cause(268, {"startTime": begin + 2 * YEAR, "endTime": begin + 2 * YEAR + HOUR}),
        Cause(165, {"startTime": begin, "endTime": begin + MINUTE}),
        Cause(454, {"startTime": begin + 5 * DAY, "endTime": begin + 5 * DAY + HOUR}),
        Cause(219, {"teacherUid": UNKNOWN_ID}),
        Cause(136, {"teacherUid": given.student()}),
        Cause(884, {"teacherUid": given.cancelled(given.teacher())}),
        Cause(387, {"teacherUid": who.stopped}),
        Cause(800, {"teacherUid": who.stopping}),
        Cause(172, {"courseId": course, "teacherUid": who.student}),
        Cause(173, {"courseId": course, "teacherUid": who.auditor}),
        Cause(322, {"teacherUid": who.fit, "assistantUids": [who.fit]}),
        Cause(318, {"assistantUids": [given.student()]}),
        Cause(885, {"assistantUids": [given.cancelled(given.teacher())]}),
        Cause(388, {"assistantUids": [who.stopped]}),
        Cause(804, {"assistantUids": [who.stopping]}),
        Cause(319, {"courseId": course, "assistantUids": [who.student]}),
        Cause(320, {"courseId": course, "assistantUids": [who.auditor]}),
        Cause(21317, {"assistantUids": [who.helper, given.teacher()]}, {"max_co_teachers": 1}),
        Cause(110100066, {"isDc": 3, "seatNum": 5}),
        Cause(121601020, {"isHd": 1, "seatNum": 5}),
        Cause(121604007, {"omoStationBroadcast": 1}, {"broadcast": False}),
        Cause(121601070, {"courseId": course}, {"max_course_classes": 1}),
        Cause(121601003, {}, {"monthly_classes": 1, "upgradable": True}),
        Cause(121601004, {}, {"monthly_classes": 1, "upgradable": False}),
    )
    # It waits for a second, and has a chain of its own.
    left_out = {Errno.FAILED.number, Errno.TOO_MANY_REQUESTS.number}
    match_causes(CREATE_CLASS.ordered_checks[DOOR:], causes, left_out)
    before = count_rows(given)
    calls = run_pairs(
        causes,
        lambda fields: given.api.call(CREATE, **{**base, **fields}),
        lambda plan: given.plan(**{**LOOSE_PLAN, **plan}),
    )
    assert calls > 450
    assert count_rows(given) == before


def test_of_two_causes_of_update_class_the_earlier_is_answered(given: Given) -> None:
    now = given.now + DAY

    def room_at(begin: int) -> Classroom:
        return Classroom(given, far.course, startTime=begin, endTime=begin + HOUR)

    far = Classroom(given, startTime=now + 9 * DAY, endTime=now + 9 * DAY + HOUR)
    running, over = room_at(now - HOUR // 2), room_at(now - 3 * HOUR)
    past_end = room_at(now - HOUR)
    at_once, soon, later = (room_at(now + seconds) for seconds in (59, 299, 1199))
    gone, elsewhere = room_at(now + 9 * DAY), Classroom(given)
    gone.syllabus.done("lms.activity.delete", activityId=gone.activity)
    helper, guest = given.teacher(), given.teacher()
    given.guest(far.lesson, guest)
    far.edit(assistantUids=[helper])
    given.until(now)
    course, syllabus = far.course, far.syllabus
    who = people_of(given, course)
    full = syllabus.fill(syllabus.unit(), 100)
    begin = now + 5 * DAY
    given.maintenance(begin, begin + MINUTE)
    name: Fields = {"name": "Other"}
    base: Fields = {"courseId": course, "activityId": far.activity, "isAllowCheck": 0}
    here: Fields = {"courseId": course, "activityId": far.activity}
    times: Fields = {"startTime": now + 20 * DAY, "endTime": now + 20 * DAY + HOUR}
    causes = (
        Cause(121601020, {"isAllowCheck": 2}),
        Cause(100, {**dict.fromkeys(RECORDED), "recordType": 0}),
        Cause(147, {"courseId": UNKNOWN_ID}),
        Cause(121601021, {"courseId": given.other().course()}),
        Cause(144, {"courseId": given.deleted_course()}),
        Cause(153, {"courseId": given.ended_course()}),
        Cause(121601023, {"courseId": given.set_course(given.course(), expires_at=1)}),
        Cause(121601022, {"courseId": given.public_course()}),
        Cause(121601020, {"unitId": UNKNOWN_ID}),
        Cause(450, {"courseId": course, "unitId": full}),
        Cause(143, {"activityId": UNKNOWN_ID}),
        Cause(142, {"activityId": elsewhere.activity}),
        Cause(212, {"courseId": course, "activityId": gone.activity}),
        Cause(145, {"courseId": course, "activityId": over.activity, **name}),
        Cause(140, {"courseId": course, "activityId": running.activity, **name}),
        Cause(124, {"courseId": course, "activityId": at_once.activity, **times}),
        Cause(875, {"courseId": course, "activityId": soon.activity, **name}),
        Cause(350, {"courseId": course, "activityId": later.activity, **name}),
        Cause(385, {"courseId": course, "activityId": past_end.activity, "teacherUid": who.fit}),
        Cause(165, {**here, "startTime": begin, "endTime": begin}),
        Cause(121601020, {**here, "startTime": now - 1, "endTime": now + HOUR}),
        Cause(767, {**here, **times}, {"service_until": now + 20 * DAY}),
        Cause(454, {**here, "startTime": begin, "endTime": begin + HOUR}),
        Cause(808, {**here, "isDc": 3, "seatNum": 5}),
        Cause(368, {**here, "isHd": 2, "seatNum": 5}),
        Cause(121601020, {**here, "isHd": 2}, {"max_resolution": 1}),
        Cause(121604007, {**here, "omoStationBroadcast": 1}, {"broadcast": False}),
        Cause(226, {**here, **RECORDED, "recordState": 0, "liveState": 1}),
        Cause(121601005, {**here, **RECORDED, "liveState": 1}, {"live": False}),
        Cause(121601006, {**here, **RECORDED, "recordType": 1}, {"scene": False}),
        Cause(121601008, {**here, "assistantUids": [who.helper]}, {"co_teachers": False}),
        Cause(121601009, {**here, **RECORDED, "openState": 1}, {"replay": False}),
        Cause(121601010, {**here, **RECORDED}, {"recording": False}),
        Cause(219, {**here, "teacherUid": UNKNOWN_ID}),
        Cause(136, {**here, "teacherUid": given.student()}),
        Cause(884, {**here, "teacherUid": given.cancelled(given.teacher())}),
        Cause(387, {**here, "teacherUid": who.stopped}),
        Cause(800, {**here, "teacherUid": who.stopping}),
        Cause(172, {**here, "teacherUid": who.student}),
        Cause(173, {**here, "teacherUid": who.auditor}),
        Cause(325, {**here, "teacherUid": guest}),
        Cause(328, {**here, "teacherUid": helper, "assistantUids": None}),
        Cause(322, {**here, "teacherUid": who.fit, "assistantUids": [who.fit]}),
        Cause(318, {**here, "assistantUids": [given.student()]}),
        Cause(885, {**here, "assistantUids": [given.cancelled(given.teacher())]}),
        Cause(388, {**here, "assistantUids": [who.stopped]}),
        Cause(804, {**here, "assistantUids": [who.stopping]}),
        Cause(319, {**here, "assistantUids": [who.student]}),
        Cause(320, {**here, "assistantUids": [who.auditor]}),
        Cause(121601020, {**here, "assistantUids": [guest]}),
        Cause(
            21317, {**here, "assistantUids": [who.helper, given.teacher()]}, {"max_co_teachers": 1}
        ),
    )
    checks = [
        check for check in UPDATE_CLASS.ordered_checks[DOOR:] if "sub class" not in check.when
    ]
    match_causes(checks, causes, set())
    before, seen = count_rows(given), far.seen
    calls = run_pairs(
        causes,
        lambda fields: given.api.call(UPDATE, **{**base, **fields}),
        lambda plan: given.plan(**{**LOOSE_PLAN, **plan}),
    )
    assert calls > 300
    assert count_rows(given) == before
    assert far.seen == seen
