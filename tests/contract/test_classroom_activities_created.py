"""Creating classes on the v2 wire: a case table, and the rules (READINGS Q81)."""

from typing import Any, Final

import pytest

from homeroom.base.clock import DAY, HOUR, MINUTE, YEAR
from homeroom.base.ids import ActivityId, LessonId
from homeroom.contract.classroom_activities import CREATE_CLASS
from homeroom.contract.errno import Errno
from homeroom.domain.classroom_activities import MAX_CREATIONS_PER_MINUTE
from homeroom.domain.lessons import Origin, RecordingOptions
from tests.support.activities import Syllabus
from tests.support.cases import Case, check_table, common
from tests.support.classroom_activities import CREATE, RECORDED, class_form, create_class
from tests.support.given import Given
from tests.support.wire import Reply, Value

NONE: Final = 10**9
"""An id that nothing has."""
STUDENT, AUDITOR = 1, 2


def beginning(given: Given, seconds: int, length: int = HOUR) -> Reply:
    """Create a class that begins some seconds from now."""
    begin = given.now + seconds
    return create_class(given, startTime=begin, endTime=begin + length)


def in_maintenance(given: Given) -> Reply:
    form = class_form(given)
    given.maintenance(form["startTime"], form["endTime"])
    return given.api.call(CREATE, **form)


def taught_by_a_member(given: Given, identity: int) -> Reply:
    course = given.course()
    return create_class(given, course, teacherUid=given.teaching_member(course, identity))


def helped_by_a_member(given: Given, identity: int) -> Reply:
    course = given.course()
    return create_class(given, course, assistantUids=[given.teaching_member(course, identity)])


def helped_by_the_teacher(given: Given) -> Reply:
    teacher = given.teacher()
    return create_class(given, teacherUid=teacher, assistantUids=[teacher])


def helped(given: Given, *co_teachers: int, **plan: Any) -> Reply:  # noqa: ANN401  as `school set` takes them
    given.plan(**plan)
    return create_class(given, assistantUids=list(co_teachers))


def planned(given: Given, plan: str, value: int | bool = False, **fields: Value) -> Reply:  # noqa: FBT001, FBT002  a plan's value, not a mode
    """Create a class while the school's plan lacks something."""
    given.plan(**{plan: value})
    return create_class(given, **fields)


def second(given: Given, **plan: Any) -> Reply:  # noqa: ANN401  as `school set` takes them
    """Create a second class in a course while the plan allows one."""
    given.plan(**plan)
    course = given.course()
    given.lesson(course)
    return create_class(given, course)


def in_a_full_unit(given: Given) -> Reply:
    syllabus = Syllabus(given)
    unit = syllabus.fill(syllabus.unit(), 99)
    given.done(CREATE, **class_form(given, syllabus.course, unitId=unit))
    return create_class(given, syllabus.course, unitId=unit)


def with_known_identity(given: Given) -> Reply:
    given.lesson(courseUniqueIdentity="one")
    return create_class(given, uniqueIdentity="one")


def while_another_is_at_it(given: Given) -> Reply:
    form = given.lesson_form(courseUniqueIdentity="one")
    with given.unfinished("addCourseClass", **form):
        return create_class(given, uniqueIdentity="one")


def once_too_often(given: Given) -> Reply:
    """Send malformed calls up to the limit, and one more."""
    for _ in range(MAX_CREATIONS_PER_MINUTE):
        assert given.api.call(CREATE).errno == Errno.BAD_VALUE.number
    return create_class(given)


CREATE_CASES: Final = (
    Case(1, create_class),
    *common(CREATE_CLASS, courseId=1, name="Class", teacherUid=1, startTime=1, endTime=2),
    Case(121601020, lambda g: create_class(g, name="n" * 51)),
    Case(121601020, lambda g: create_class(g, unitId="")),
    Case(121601020, lambda g: create_class(g, seatNum=0)),
    Case(121601020, lambda g: create_class(g, cameraHide=2)),
    Case(121601020, lambda g: create_class(g, isHd=3)),
    Case(121601020, lambda g: create_class(g, isDc=1)),
    Case(121601020, lambda g: create_class(g, omoStationBroadcast="yes")),
    Case(121601020, lambda g: create_class(g, uniqueIdentity="")),
    Case(121601020, lambda g: create_class(g, uniqueIdentity="n" * 33)),
    Case(121601020, lambda g: helped(g, *[g.teacher()] * 2)),
    Case(100, lambda g: create_class(g, recordState=0)),
    Case(100, lambda g: create_class(g, **RECORDED | {"openState": None})),
    Case(104, while_another_is_at_it),
    Case(398, with_known_identity),
    Case(147, lambda g: create_class(g, NONE)),
    Case(147, lambda g: create_class(g, g.deleted_course())),
    Case(121601021, lambda g: create_class(g, g.other().course())),
    Case(121601023, lambda g: create_class(g, g.ended_course())),
    Case(121601022, lambda g: create_class(g, g.public_course())),
    Case(121601020, lambda g: create_class(g, unitId=NONE)),
    Case(121601020, lambda g: create_class(g, unitId=Syllabus(g).unit())),
    Case(40031, in_a_full_unit),
    Case(119, lambda g: beginning(g, DAY, 0)),
    Case(120, lambda g: beginning(g, 59)),
    Case(268, lambda g: beginning(g, 2 * YEAR + 1)),
    Case(1, lambda g: beginning(g, 2 * YEAR)),
    Case(165, lambda g: beginning(g, DAY, 15 * MINUTE - 1)),
    Case(454, in_maintenance),
    Case(219, lambda g: create_class(g, teacherUid=NONE)),
    Case(136, lambda g: create_class(g, teacherUid=g.student())),
    Case(884, lambda g: create_class(g, teacherUid=g.cancelled(g.teacher()))),
    Case(387, lambda g: create_class(g, teacherUid=g.stopped(g.teacher()))),
    Case(800, lambda g: create_class(g, teacherUid=g.stopping(g.teacher()))),
    Case(172, lambda g: taught_by_a_member(g, STUDENT)),
    Case(173, lambda g: taught_by_a_member(g, AUDITOR)),
    Case(322, helped_by_the_teacher),
    Case(318, lambda g: helped(g, g.student())),
    Case(885, lambda g: helped(g, g.cancelled(g.teacher()))),
    Case(388, lambda g: helped(g, g.stopped(g.teacher()))),
    Case(804, lambda g: helped(g, g.stopping(g.teacher()))),
    Case(319, lambda g: helped_by_a_member(g, STUDENT)),
    Case(320, lambda g: helped_by_a_member(g, AUDITOR)),
    Case(21317, lambda g: helped(g, g.teacher(), g.teacher(), max_co_teachers=1)),
    Case(21317, lambda g: helped(g, g.teacher(), co_teachers=False)),
    Case(110100066, lambda g: create_class(g, isDc=3)),
    Case(110100066, lambda g: create_class(g, isDc=3, seatNum=2, cameraHide=1)),
    Case(110100066, lambda g: planned(g, "dual_camera", isDc=3, seatNum=2)),
    Case(121601020, lambda g: create_class(g, isHd=1, seatNum=5)),
    Case(121601020, lambda g: planned(g, "max_resolution", 1, isHd=2)),
    Case(121601020, lambda g: planned(g, "smart_classroom", cameraHide=1)),
    Case(121604007, lambda g: planned(g, "broadcast", omoStationBroadcast=1)),
    Case(121601070, lambda g: second(g, max_course_classes=1)),
    Case(121601003, lambda g: second(g, monthly_classes=1)),
    Case(121601004, lambda g: second(g, monthly_classes=1, upgradable=False)),
    Case(267, lambda g: create_class(g, **RECORDED | {"recordState": 0, "liveState": 1})),
    Case(267, lambda g: planned(g, "recording", **RECORDED)),
    Case(267, lambda g: create_class(g.full_storage(), **RECORDED)),
    Case(101003001, once_too_often),
)


def test_the_table_has_every_number_of_the_action() -> None:
    check_table(CREATE_CLASS, CREATE_CASES)


@pytest.mark.parametrize("case", CREATE_CASES, ids=str)
def test_create_class(given: Given, case: Case) -> None:
    case.run(given)


def test_a_class_is_created_as_it_was_sent(given: Given) -> None:
    syllabus = Syllabus(given)
    unit, helper = syllabus.unit(), given.teacher()
    form = class_form(
        given,
        syllabus.course,
        name="Waves",
        unitId=unit,
        assistantUids=[helper],
        isAutoOnstage=0,
        seatNum=2,
        isDc=3,
        isAllowCheck=0,
        uniqueIdentity="one",
        omoStationBroadcast=1,
        **RECORDED | {"recordType": 2, "liveState": 1, "openState": True},
    )
    data = given.done(CREATE, **form).data
    lesson = given.seen(LessonId(data["classId"]))
    assert (lesson.name, lesson.hours.begin, lesson.hours.end) == (
        "Waves",
        form["startTime"],
        form["endTime"],
    )
    assert (lesson.teacher, lesson.identity, lesson.origin) == (
        form["teacherUid"],
        "one",
        Origin.LMS,
    )
    assert lesson.recording == RecordingOptions(record=True, scene=True, live=True, replay=True)
    room = lesson.classroom
    assert (room.seats, room.resolution, room.has_two_cameras) == (1, 2, True)
    assert (room.is_smart, room.is_broadcast, room.enters_off_stage) == (False, True, True)
    assert not lesson.allows_check
    activity = given.store.read(lambda uow: uow.activities.get(ActivityId(data["activityId"])))
    assert activity is not None
    assert (activity.lesson, activity.unit, activity.is_published) == (lesson.id, unit, True)
    assert data["name"] == "Waves"
    assert data["live_url"].startswith("http")
    assert all(data["live_info"][protocol] for protocol in ("RTMP", "HLS", "FLV"))


def test_defaults_are_those_of_the_page(given: Given) -> None:
    syllabus = Syllabus(given)
    data = given.done(CREATE, **class_form(given, syllabus.course)).data
    lesson = given.seen(LessonId(data["classId"]))
    assert lesson.classroom.seats == 6
    assert not lesson.classroom.enters_off_stage
    assert lesson.allows_check
    assert lesson.recording == RecordingOptions()
    assert (data["live_url"], data["live_info"]) == ("", {"RTMP": "", "HLS": "", "FLV": ""})
    assert activity_of(given, lesson.id).unit == syllabus.default_unit


@pytest.mark.parametrize(("seats", "cap", "expected"), [(20, 12, 12), (None, 3, 3), (1, 12, 0)])
def test_seats_above_the_plan_are_lowered(
    given: Given, seats: int | None, cap: int, expected: int
) -> None:
    given.plan(max_seats=cap)
    data = create_class(given, seatNum=seats).data
    assert given.seen(LessonId(data["classId"])).classroom.seats == expected


def test_a_smart_classroom_keeps_students_off_stage(given: Given) -> None:
    data = create_class(given, cameraHide=1, isAutoOnstage=1).data
    room = given.seen(LessonId(data["classId"])).classroom
    assert (room.is_smart, room.enters_off_stage) == (True, True)


@pytest.mark.parametrize(
    ("plan", "expected"),
    [
        ("live", RecordingOptions(record=True, scene=True, replay=True)),
        ("replay", RecordingOptions(record=True, scene=True, live=True)),
        ("scene", RecordingOptions(record=True, live=True, replay=True)),
        ("recording", RecordingOptions()),
    ],
)
def test_a_class_has_what_the_plan_has_of_its_recording(
    given: Given, plan: str, expected: RecordingOptions
) -> None:
    given.plan(**{plan: False})
    group: dict[str, Value] = {"recordType": 2, "recordState": 1, "liveState": 1, "openState": 1}
    reply = create_class(given, **group)
    assert reply.errno == 267
    assert given.seen(LessonId(reply.data["classId"])).recording == expected


@pytest.mark.parametrize("first", ["v1", "v2"])
def test_identities_of_both_wires_are_one_namespace(given: Given, first: str) -> None:
    course = given.course()
    by_v1 = given.lesson_form(course, courseUniqueIdentity="one", record=1)
    by_v2 = class_form(given, course, uniqueIdentity="one", **RECORDED)
    calls: dict[str, Any] = {
        "v1": lambda: given.api.call("addCourseClass", **by_v1),
        "v2": lambda: given.api.call(CREATE, **by_v2),
    }
    made = calls.pop(first)()
    (repeat,) = calls.values()
    assert made.errno == 1
    known = repeat()
    again = given.api.call(CREATE, **by_v2 | {"courseId": NONE, "startTime": 1})
    assert (known.errno, again.errno) == (398, 398)
    lesson = made.data if first == "v1" else made.data["classId"]
    assert (known.data if first == "v2" else known.data["classId"]) == lesson
    assert again.data["classId"] == lesson
    assert again.data["activityId"] == activity_of(given, LessonId(lesson)).id
    assert again.data["live_url"].startswith("http")


def test_classes_of_the_v2_wire_are_off_limits_for_v1_calls(given: Given) -> None:
    course = given.course()
    lesson = create_class(given, course).data["classId"]
    ids: dict[str, Value] = {"courseId": course, "classId": lesson}
    assert given.api.call("editCourseClass", **ids, className="Other").errno == 466
    assert given.api.call("delCourseClass", **ids).errno == 466


def test_a_thousand_calls_a_minute_count_for_each_school(given: Given) -> None:
    assert once_too_often(given).errno == Errno.TOO_MANY_REQUESTS.number
    assert create_class(given.other()).errno == 1
    given.clock.advance(59)
    assert create_class(given).errno == Errno.TOO_MANY_REQUESTS.number
    given.clock.advance(1)
    assert create_class(given).errno == 1


def activity_of(given: Given, lesson: LessonId) -> Any:  # noqa: ANN401  an activity
    """Return the activity that a class is."""
    return given.store.read(lambda uow: uow.activities.get_of_lesson(lesson))
