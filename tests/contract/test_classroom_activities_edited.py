"""Editing classes on the v2 wire: a case table, and the rules (READINGS Q44, Q79, Q82)."""

from typing import Any, Final

import pytest

from homeroom.base.clock import DAY, HOUR, MINUTE, YEAR
from homeroom.base.ids import UserId
from homeroom.contract.classroom_activities import UPDATE_CLASS
from homeroom.domain.lessons import Origin, RecordingOptions
from tests.support.cases import Case, check_table, common
from tests.support.classroom_activities import RECORDED, UPDATE, Classroom
from tests.support.given import Given
from tests.support.scheduled import Scheduled
from tests.support.wire import Reply, Value

NONE: Final = 10**9
"""An id that nothing has."""
STUDENT, AUDITOR = 1, 2
BEFORE_WINDOWS: Final = 20 * MINUTE


def edit(given: Given, **fields: Value) -> Reply:
    """Rename a new class, or change what is said."""
    return Classroom(given).edit(**(fields or {"name": "Other"}))


def in_course(given: Given, course: Value, **fields: Value) -> Reply:
    """Edit a new class under another course."""
    return Classroom(given).edit(**{"courseId": course, "name": "Other", **fields})


def in_own_course(given: Given, **columns: Any) -> Reply:  # noqa: ANN401  columns of a course
    """Edit a class whose course has some values by then."""
    room = Classroom(given)
    given.set_course(room.course, **columns)
    return room.edit(name="Other")


def moved(given: Given, begin: int, length: int = HOUR) -> Reply:
    """Move a class to begin some seconds from now."""
    start = given.now + begin
    return edit(given, startTime=start, endTime=start + length)


def at(given: Given, seconds: int, **fields: Value) -> Reply:
    """Edit a class some seconds before it begins."""
    return Classroom(given).before(seconds).edit(**(fields or {"name": "Other"}))


def deleted(given: Given) -> Reply:
    room = Classroom(given)
    room.syllabus.done("lms.activity.delete", activityId=room.activity)
    return room.edit(name="Other")


def other_kind(given: Given) -> Reply:
    room = Classroom(given)
    return room.edit(activityId=room.syllabus.activity(), name="Other")


def of_dual(given: Given) -> Reply:
    room = Classroom(given)
    room.syllabus.bind(Classroom(given).lesson, room.lesson)
    return room.edit(name="Other")


def into_a_full_unit(given: Given) -> Reply:
    room = Classroom(given)
    unit = room.syllabus.unit()
    return room.edit(unitId=room.syllabus.fill(unit, 100))


def in_maintenance(given: Given) -> Reply:
    room = Classroom(given)
    given.maintenance(room.begin + 2 * HOUR, room.begin + 3 * HOUR)
    return room.edit(startTime=room.begin + 2 * HOUR, endTime=room.begin + 3 * HOUR)


def past_the_service(given: Given) -> Reply:
    room = Classroom(given)
    given.plan(service_until=room.begin + HOUR)
    assert room.edit(endTime=room.begin + HOUR).errno == 1
    return room.edit(endTime=room.begin + HOUR + 1)


def taught_by(given: Given, teacher: UserId) -> Reply:
    return edit(given, teacherUid=teacher)


def taught_by_a_member(given: Given, identity: int) -> Reply:
    room = Classroom(given)
    return room.edit(teacherUid=given.teaching_member(room.course, identity))


def taught_by_a_guest(given: Given) -> Reply:
    room = Classroom(given)
    return room.edit(teacherUid=given.guest(room.lesson, given.teacher()))


def taught_by_the_helper(given: Given) -> Reply:
    helper = given.teacher()
    return Classroom(given, assistantUids=[helper]).edit(teacherUid=helper)


def helped(given: Given, *co_teachers: int, **plan: Any) -> Reply:  # noqa: ANN401  as `school set` takes them
    given.plan(**plan)
    return edit(given, assistantUids=list(co_teachers))


def helped_by_the_teacher(given: Given) -> Reply:
    room = Classroom(given)
    return room.edit(assistantUids=[room.teacher])


def helped_by_a_member(given: Given, identity: int) -> Reply:
    room = Classroom(given)
    return room.edit(assistantUids=[given.teaching_member(room.course, identity)])


def helped_by_a_guest(given: Given) -> Reply:
    room = Classroom(given)
    return room.edit(assistantUids=[given.guest(room.lesson, given.teacher())])


def planned(given: Given, plan: str, value: int | bool = False, **fields: Value) -> Reply:  # noqa: FBT001, FBT002  a plan's value, not a mode
    """Edit a class while the school's plan lacks something."""
    room = Classroom(given)
    given.plan(**{plan: value})
    return room.edit(**fields)


UPDATE_CASES: Final = (
    Case(1, edit),
    *common(UPDATE_CLASS, courseId=1, activityId=1, name="Other"),
    Case(121601020, lambda g: edit(g, publishFlag=2)),
    Case(121601020, lambda g: edit(g, name="")),
    Case(121601020, lambda g: edit(g, isAllowCheck=2)),
    Case(121601020, lambda g: helped(g, *[g.teacher()] * 2)),
    Case(100, lambda g: edit(g, openState=1)),
    Case(147, lambda g: in_course(g, NONE)),
    Case(121601021, lambda g: in_course(g, g.other().course())),
    Case(144, lambda g: in_own_course(g, deleted_at=1)),
    Case(153, lambda g: in_own_course(g, ended_at=1)),
    Case(121601023, lambda g: in_own_course(g, expires_at=1)),
    Case(121601022, lambda g: in_own_course(g, kind="public")),
    Case(121601020, lambda g: edit(g, unitId=NONE)),
    Case(450, into_a_full_unit),
    Case(143, lambda g: edit(g, activityId=NONE, name="Other")),
    Case(143, other_kind),
    Case(142, lambda g: in_course(g, g.course())),
    Case(212, deleted),
    Case(121601020, of_dual),
    Case(145, lambda g: Classroom(g).over().edit(name="Other")),
    Case(140, lambda g: at(g, 0)),
    Case(140, lambda g: at(g, -HOUR)),
    Case(124, lambda g: at(g, MINUTE - 1, endTime=g.now + 3 * DAY)),
    Case(875, lambda g: at(g, MINUTE - 1)),
    Case(875, lambda g: at(g, MINUTE, endTime=g.now + 3 * DAY)),
    Case(875, lambda g: at(g, 5 * MINUTE - 1)),
    Case(350, lambda g: at(g, 5 * MINUTE)),
    Case(350, lambda g: at(g, BEFORE_WINDOWS - 1)),
    Case(1, lambda g: at(g, BEFORE_WINDOWS)),
    Case(385, lambda g: at(g, -HOUR, teacherUid=g.teacher())),
    Case(385, lambda g: at(g, -HOUR, assistantUids=[])),
    Case(165, lambda g: moved(g, 2 * DAY, 0)),
    Case(165, lambda g: moved(g, 2 * DAY, 15 * MINUTE - 1)),
    Case(121601020, lambda g: moved(g, -1)),
    Case(121601020, lambda g: moved(g, 2 * YEAR + 1)),
    Case(1, lambda g: moved(g, 0)),
    Case(767, past_the_service),
    Case(454, in_maintenance),
    Case(808, lambda g: edit(g, isDc=3)),
    Case(808, lambda g: edit(g, isDc=3, seatNum=2, cameraHide=1)),
    Case(808, lambda g: planned(g, "dual_camera", isDc=3, seatNum=2)),
    Case(368, lambda g: edit(g, isHd=1, seatNum=5)),
    Case(121601020, lambda g: planned(g, "max_resolution", 1, isHd=2)),
    Case(121601020, lambda g: planned(g, "smart_classroom", cameraHide=1)),
    Case(121604007, lambda g: planned(g, "broadcast", omoStationBroadcast=1)),
    Case(226, lambda g: edit(g, **RECORDED | {"recordState": 0, "openState": 1})),
    Case(121601005, lambda g: planned(g, "live", **RECORDED | {"liveState": 1})),
    Case(121601006, lambda g: planned(g, "scene", **RECORDED | {"recordType": 1})),
    Case(121601008, lambda g: helped(g, g.teacher(), co_teachers=False)),
    Case(121601009, lambda g: planned(g, "replay", **RECORDED | {"openState": 1})),
    Case(121601010, lambda g: planned(g, "recording", **RECORDED)),
    Case(121601010, lambda g: edit(g.full_storage(), **RECORDED)),
    Case(219, lambda g: taught_by(g, UserId(NONE))),
    Case(136, lambda g: taught_by(g, g.student())),
    Case(884, lambda g: taught_by(g, g.cancelled(g.teacher()))),
    Case(387, lambda g: taught_by(g, g.stopped(g.teacher()))),
    Case(800, lambda g: taught_by(g, g.stopping(g.teacher()))),
    Case(172, lambda g: taught_by_a_member(g, STUDENT)),
    Case(173, lambda g: taught_by_a_member(g, AUDITOR)),
    Case(325, taught_by_a_guest),
    Case(328, taught_by_the_helper),
    Case(322, helped_by_the_teacher),
    Case(318, lambda g: helped(g, g.student())),
    Case(885, lambda g: helped(g, g.cancelled(g.teacher()))),
    Case(388, lambda g: helped(g, g.stopped(g.teacher()))),
    Case(804, lambda g: helped(g, g.stopping(g.teacher()))),
    Case(319, lambda g: helped_by_a_member(g, STUDENT)),
    Case(320, lambda g: helped_by_a_member(g, AUDITOR)),
    Case(121601020, helped_by_a_guest),
    Case(21317, lambda g: helped(g, g.teacher(), g.teacher(), max_co_teachers=1)),
)


def test_the_table_has_every_number_of_the_action() -> None:
    check_table(UPDATE_CLASS, UPDATE_CASES)


@pytest.mark.parametrize("case", UPDATE_CASES, ids=str)
def test_update_class(given: Given, case: Case) -> None:
    case.run(given)


def test_everything_is_changed_as_it_was_sent(given: Given) -> None:
    room = Classroom(given)
    teacher, helper, unit = given.teacher(), given.teacher(), room.syllabus.unit()
    reply = room.edit(
        unitId=unit,
        name="Other",
        teacherUid=teacher,
        startTime=room.begin + HOUR,
        endTime=room.begin + 3 * HOUR,
        assistantUids=[helper],
        isAutoOnstage=0,
        seatNum=2,
        isDc=3,
        isAllowCheck=0,
        omoStationBroadcast=1,
        **RECORDED | {"liveState": 1, "openState": 1},
    )
    assert reply.errno == 1
    assert reply.data.keys() == {"activityId", "name", "live_url", "live_info"}
    assert (reply.data["activityId"], reply.data["name"]) == (room.activity, "Other")
    assert reply.data["live_info"]["RTMP"]
    seen = room.seen
    assert (seen.name, seen.teacher) == ("Other", teacher)
    assert (seen.hours.begin, seen.hours.end) == (room.begin + HOUR, room.begin + 3 * HOUR)
    assert room.co_teachers == [helper]
    assert seen.recording == RecordingOptions(record=True, live=True, replay=True)
    stage = seen.classroom
    assert (stage.seats, stage.resolution, stage.has_two_cameras) == (1, 2, True)
    assert (stage.is_broadcast, stage.enters_off_stage) == (True, True)
    assert not seen.allows_check
    activity = given.store.read(lambda uow: uow.activities.get(room.activity))
    assert activity is not None
    assert activity.unit == unit


def test_what_is_not_sent_stays(given: Given) -> None:
    helper = given.teacher()
    room = Classroom(given, assistantUids=[helper], seatNum=2, isDc=3, isAllowCheck=0, **RECORDED)
    before = room.seen
    room.edit(name="Other")
    assert room.co_teachers == [helper]
    assert room.seen.name == "Other"
    after = room.seen
    assert (after.hours, after.classroom, after.recording) == (
        before.hours,
        before.classroom,
        before.recording,
    )
    assert (after.teacher, after.allows_check) == (before.teacher, before.allows_check)
    assert room.edit(assistantUids=[]).errno == 1
    assert room.co_teachers == []


def test_unit_check_and_open_replay_change_at_any_time(given: Given) -> None:
    room = Classroom(given, **RECORDED).over()
    group = RECORDED | {"openState": 1}
    unit = room.syllabus.unit()
    assert room.edit(unitId=unit, isAllowCheck=0, **group).errno == 1
    assert (room.seen.recording.replay, room.seen.allows_check) == (True, False)
    assert room.edit(**group | {"recordType": 1}).errno == 145
    assert Classroom(given).over().edit(**RECORDED).errno == 145


def test_teachers_change_until_the_planned_end(given: Given) -> None:
    room = Classroom(given).before(-HOUR + 1)
    teacher = given.teacher()
    assert room.edit(teacherUid=teacher, assistantUids=[room.teacher]).errno == 1
    assert (room.seen.teacher, room.co_teachers) == (teacher, [room.teacher])


def test_a_moved_class_moves_the_expiry_of_its_course(given: Given) -> None:
    room = Classroom(given)
    given.set_course(room.course, expires_at=given.now + 100 * DAY)
    begin = given.now + 50 * DAY
    assert room.edit(startTime=begin, endTime=begin + HOUR).errno == 1
    course = given.store.read(lambda uow: uow.courses.get(room.course))
    assert course is not None
    assert course.expires_at == begin + HOUR + 90 * DAY


def test_a_class_of_the_v1_wire_is_edited_and_stays_one(given: Given) -> None:
    held = Scheduled(given)
    activity = given.store.read(lambda uow: uow.activities.get_of_lesson(held.lesson)).id
    fields: dict[str, Value] = {"courseId": held.course, "activityId": activity}
    given.done(UPDATE, **fields, name="Other")
    assert (held.seen.name, held.seen.origin) == ("Other", Origin.V1)
    assert held.edit(className="Again").errno == 1


def test_a_full_unit_keeps_the_classes_that_it_has(given: Given) -> None:
    room = Classroom(given)
    unit = room.syllabus.unit()
    assert room.edit(unitId=unit).errno == 1
    room.syllabus.fill(unit, 99)
    assert room.edit(unitId=unit, name="Other").errno == 1
    assert room.edit(unitId=room.syllabus.default_unit).errno == 1
    assert room.syllabus.count(unit) == 99


def test_plans_are_asked_only_for_what_is_sent(given: Given) -> None:
    room = Classroom(given, seatNum=2, isDc=3, cameraHide=0, omoStationBroadcast=1, **RECORDED)
    given.plan(
        dual_camera=False, broadcast=False, recording=False, smart_classroom=False, max_resolution=0
    )
    assert room.edit(name="Other", isAutoOnstage=0).errno == 1
