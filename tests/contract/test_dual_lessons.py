"""Main and sub classes: what binds them, and what one changes in the others (READINGS Q85)."""

from typing import Any, Final

import pytest
from sqlalchemy import select

from homeroom.base.clock import DAY, HOUR, MINUTE
from homeroom.base.ids import CourseId, LessonId, UserId
from homeroom.domain.courses import EXPIRY_EXTENSION_SECONDS
from homeroom.domain.lessons import Hours, Origin, RecordingOptions
from homeroom.store import tables
from tests.support.dual import RECORDING_OFF, Dual
from tests.support.given import Given
from tests.support.scheduled import TRIO
from tests.support.tracing import traced
from tests.support.wire import Value

V1_CALLS: Final[dict[str, tuple[dict[str, Any], int]]] = {
    "editCourseClass": ({"className": "Another"}, 369),
    "delCourseClass": ({}, 369),
    "updateClassLockStatus": ({"isLock": 1}, 369),
    "deleteClassVideo": ({}, 269),
    "getWebcastUrl": ({}, 1),
}
"""What calls of the v1 wire answer for a main or a sub class (READINGS Q5, Q59)."""


def course_teachers(given: Given, course: CourseId) -> set[UserId]:
    """Return the teachers of a course."""
    of_course = select(tables.course_teachers.c.user_id).where(
        tables.course_teachers.c.course_id == course
    )
    return {UserId(row[0]) for row in given.rows(of_course)}


def co_teachers(given: Given, lesson: LessonId) -> tuple[UserId, ...]:
    """Return the co-teachers of a class in order."""
    return given.store.read(lambda uow: uow.class_roles.list_co_teachers(lesson))


# --- adding -----------------------------------------------------------------------------------


def test_a_sub_class_follows_its_main_class(given: Given) -> None:
    dual, helper = Dual(given), given.teacher()
    course = given.course(folderId=given.folder(), expiryTime=given.now + 2 * DAY)
    sub = dual.sub(course, assistantUids=[helper], cameraHide=1, isAutoOnstage=2, seatNum=2)
    lesson, main = given.seen(sub), dual.main.seen
    assert (lesson.main, lesson.teacher, lesson.hours) == (main.id, main.teacher, main.hours)
    assert (lesson.course, lesson.folder, lesson.origin) == (course, None, Origin.LMS)
    assert (lesson.classroom.seats, lesson.classroom.is_smart) == (1, True)
    assert lesson.classroom.enters_off_stage
    assert course_teachers(given, course) == {main.teacher, helper}
    expiry = given.store.read(lambda uow: uow.courses.get(course))
    assert expiry is not None
    assert expiry.expires_at == main.hours.end + EXPIRY_EXTENSION_SECONDS
    assert main.is_dual
    assert main.has_subs


def test_entries_are_answered_in_their_order(given: Given) -> None:
    dual, course = Dual(given), given.course()
    given.plan(max_seats=3)
    reply = dual.add(
        "no object",
        dual.entry(course, uniqueIdentity="first"),
        {"courseId": "x", "className": 7},
        dual.entry(course),
        dual.entry(uniqueIdentity="first"),
        {**dual.entry(), "isHd": "0", "seatNum": "9"},
    )
    assert reply.errno == 1
    assert reply.data.keys() == {"mainClassId", "mainCourseId", "subClassData"}
    assert reply.errnos == [121601020, 1, 121601020, 122301036, 398, 1]
    first, last = reply.entries[1]["classId"], reply.entries[5]["classId"]
    assert [entry["classId"] for entry in reply.entries] == [0, first, 0, 0, first, last]
    assert reply.entries[1] == {
        "classId": first,
        "courseId": course,
        "className": "Sub class",
        "liveUrl": "",
        "liveInfo": {},
        "uniqueIdentity": "first",
        "code": 1,
        "msg": reply.body["msg"],
    }
    assert given.seen(first).classroom.seats == given.seen(last).classroom.seats == 3
    assert "entry 4: course" in reply.reason


def test_sub_classes_stand_in_courses_of_their_own(given: Given) -> None:
    dual, course = Dual(given), given.course()
    sub = dual.sub(course)
    assert dual.add_one(course).errnos == [122301036]
    assert dual.delete(sub).errno == 1
    assert dual.add_one(course).errnos == [1]


def test_identities_are_shared_by_both_wires(given: Given) -> None:
    dual, course = Dual(given), given.course()
    sub = dual.sub(course, uniqueIdentity="one")
    again = dual.add_one(course, uniqueIdentity="one")
    assert (again.errnos, again.entries[0]["classId"]) == ([398], sub)
    v1 = given.api.call("addCourseClass", **given.lesson_form(courseUniqueIdentity="one"))
    assert (v1.errno, v1.data) == (398, sub)
    assert dual.delete().errno == 1
    assert given.lesson(courseUniqueIdentity="one") != sub


def test_an_identity_that_is_being_created_is_refused_after_a_second(given: Given) -> None:
    dual = Dual(given)
    form = given.lesson_form(courseUniqueIdentity="busy")
    with given.unfinished("addCourseClass", **form):
        reply = dual.add(dual.entry(uniqueIdentity="busy"), dual.entry())
    assert reply.errnos == [104, 1]


def test_own_streams_and_those_of_the_main_class(given: Given) -> None:
    dual = Dual(given, record=1, live=1, replay=0)
    main = dual.main.seen
    own = {"useCoMainRecord": 0, **RECORDING_OFF, "recordState": 1, "recordType": 2, "liveState": 1}
    reply = dual.add(
        dual.entry(**own), dual.entry(useCoMainRecord=1, **RECORDING_OFF), dual.entry()
    )
    lessons = [given.seen(entry["classId"]) for entry in reply.entries]
    assert lessons[0].recording == RecordingOptions(record=True, scene=True, live=True)
    assert not lessons[0].uses_main_recording
    assert lessons[1].recording == lessons[2].recording == RecordingOptions()
    assert lessons[1].uses_main_recording
    for entry, lesson, source in zip(reply.entries, lessons, (lessons[0], main), strict=False):
        assert entry["liveUrl"].endswith(f"lessonKey={lesson.key}")
        assert f"/{source.key}?" in entry["liveInfo"]["RTMP"]
    assert (reply.entries[2]["liveUrl"], reply.entries[2]["liveInfo"]) == ("", {})


def test_a_sub_class_that_cannot_be_recorded_is_added_without(given: Given) -> None:
    dual = Dual(given.full_storage())
    reply = dual.add_one(useCoMainRecord=0, **{**RECORDING_OFF, "recordState": 1})
    assert reply.errnos == [1]
    assert reply.reason.startswith("recordState had no effect")
    assert not given.seen(reply.entries[0]["classId"]).recording.record


def test_twenty_sub_classes_cost_as_many_statements_as_one(given: Given) -> None:
    given.plan(max_course_classes=9)
    dual, helper = Dual(given), given.teacher()
    entry = dual.entry(assistantUids=[helper])
    with traced(given) as alone:
        assert dual.add(entry).errnos == [1]
    entries = [dual.entry(assistantUids=[helper]) for _ in range(20)]
    with traced(given) as together:
        assert dual.add(*entries).errnos == [1] * 20
    assert len(together) == len(alone) > 0


# --- the fence --------------------------------------------------------------------------------


@pytest.mark.parametrize("action", V1_CALLS)
def test_v1_calls_do_not_change_main_and_sub_classes(given: Given, action: str) -> None:
    fields, errno = V1_CALLS[action]
    dual = Dual(given, **TRIO)
    sub = dual.sub()
    before = [given.seen(lesson) for lesson in (dual.main.lesson, sub)]
    for lesson in before:
        ids = {"courseId": lesson.course, "classId": lesson.id}
        reply = given.api.call(action, **{**ids, **fields})
        assert reply.errno == errno, (reply.body, reply.reason)
    assert [given.seen(lesson.id) for lesson in before] == before


def test_a_list_with_a_sub_class_is_refused_as_a_whole(given: Given) -> None:
    dual, course = Dual(given), given.course()
    sub, plain = dual.sub(course), given.lesson(course)
    entries: Value = [{"classId": lesson, **TRIO} for lesson in (plain, sub)]
    reply = given.api.call("setClassVideoMultiple", courseId=course, classJson=entries)
    assert (reply.errno, given.seen(plain).recording.record) == (369, False)


def test_a_main_class_without_sub_classes_is_ordinary(given: Given) -> None:
    dual = Dual(given)
    sub = dual.sub()
    assert dual.main.edit(className="Another").errno == 369
    assert dual.delete(sub).errno == 1
    assert dual.main.edit(className="Another").errno == 1
    assert dual.edit(className="Another").errno == 121601034
    given.set_course(given.seen(dual.sub()).course, deleted_at=given.now)
    assert dual.main.delete().errno == 1


def test_a_course_that_ends_takes_the_sub_classes_of_its_classes_along(given: Given) -> None:
    dual = Dual(given)
    sub, other = dual.sub(uniqueIdentity="free"), Dual(given).sub()
    given.done("endCourse", courseId=dual.main.course)
    assert given.seen(sub).deleted_at == dual.main.seen.deleted_at == given.now
    assert given.seen(other).deleted_at is None
    assert dual.edit(sub, className="Another").errno == 121601042
    assert dual.edit(className="Another").errno == 153
    given.lesson(courseUniqueIdentity="free")


# --- editing ----------------------------------------------------------------------------------


def test_teacher_and_times_go_to_the_sub_classes(given: Given) -> None:
    dual, teacher = Dual(given), given.teacher()
    courses = [given.course(expiryTime=given.now + 2 * DAY) for _ in range(3)]
    subs = [dual.sub(course) for course in courses]
    begin = dual.main.begin + DAY
    reply = dual.edit(startTime=begin, endTime=begin + HOUR, teacherUid=teacher, className="Main")
    assert [entry["classId"] for entry in reply.data] == [dual.main.lesson, *subs]
    assert [entry["isMainClass"] for entry in reply.data] == [1, 0, 0, 0]
    assert reply.errnos == [1, 1, 1, 1]
    for lesson in (dual.main.seen, *map(given.seen, subs)):
        assert (lesson.hours, lesson.teacher) == (Hours(begin, begin + HOUR), teacher)
        assert teacher in course_teachers(given, lesson.course)
    assert [given.seen(sub).name for sub in subs] == ["Sub class"] * 3
    expiries = given.store.read(lambda uow: uow.courses.get_many(courses))
    expected = begin + HOUR + EXPIRY_EXTENSION_SECONDS
    assert {course.expires_at for course in expiries.values()} == {expected}


def test_one_time_alone_can_change(given: Given) -> None:
    dual = Dual(given)
    sub = dual.sub()
    assert dual.edit(endTime=dual.main.begin + 2 * HOUR).errno == 1
    assert dual.edit(startTime=dual.main.begin + HOUR).errno == 1
    expected = Hours(dual.main.begin + HOUR, dual.main.begin + 2 * HOUR)
    assert given.seen(sub).hours == dual.main.seen.hours == expected
    given.clock.advance(MINUTE)
    assert dual.edit(startTime=given.now - 1).errno == 165
    assert dual.edit(startTime=given.now - 1, endTime=given.now + HOUR).errno == 121601020


@pytest.mark.parametrize(
    ("how", "errno"),
    [("ended", 153), ("closed", 121601042), ("student", 172), ("auditor", 173), ("guest", 325)],
)
def test_if_one_sub_class_cannot_follow_nothing_changes(given: Given, how: str, errno: int) -> None:
    dual, course = Dual(given), given.course()
    subs = [dual.sub(), dual.sub(course), dual.sub()]
    teacher = given.teacher()
    match how:
        case "ended":
            given.set_course(course, ended_at=given.now)
        case "closed":
            given.closed_early(subs[1])
        case "guest":
            given.guest(subs[1], teacher)
        case role:
            teacher = given.teaching_member(course, 1 if role == "student" else 2)
    before = [dual.main.seen, *map(given.seen, subs)]
    begin = dual.main.begin + DAY
    reply = dual.edit(startTime=begin, endTime=begin + HOUR, teacherUid=teacher)
    assert (reply.errno, reply.data) == (errno, None), reply.reason
    assert [dual.main.seen, *map(given.seen, subs)] == before
    assert dual.edit(className="Alone").errno == 1


def test_a_hundred_sub_classes_cost_as_many_statements_as_one(given: Given) -> None:
    alone, many = Dual(given), Dual(given)
    alone.sub()
    assert many.add(*(many.entry() for _ in range(20))).errnos == [1] * 20
    teacher = given.teacher()
    counts = []
    for dual in (alone, many):
        begin = dual.main.begin + DAY
        with traced(given) as issued:
            fields: dict[str, Any] = {"startTime": begin, "endTime": begin + HOUR}
            assert dual.edit(teacherUid=teacher, **fields).errno == 1
        counts.append(len(issued))
    assert counts[0] == counts[1]


@pytest.mark.parametrize(
    ("fields", "errno"),
    [
        ({"recordState": 1}, 122301037),
        ({**RECORDING_OFF, "useCoMainRecord": 0}, 122301037),
        ({**RECORDING_OFF, "openState": 1}, 226),
        ({**RECORDING_OFF, "recordState": 1}, 1),
    ],
    ids=str,
)
def test_recording_fields_of_a_main_class_are_four(
    given: Given, fields: dict[str, Any], errno: int
) -> None:
    dual = Dual(given)
    dual.sub()
    assert dual.edit(**fields).errno == errno
    assert dual.main.seen.recording.record == (errno == 1)


@pytest.mark.parametrize(
    ("fields", "errno"),
    [
        ({**RECORDING_OFF}, 122301037),
        ({"useCoMainRecord": 1}, 122301037),
        ({**RECORDING_OFF, "useCoMainRecord": 1, "liveState": 1}, 122301037),
        ({**RECORDING_OFF, "useCoMainRecord": 0, "liveState": 1}, 226),
        ({**RECORDING_OFF, "useCoMainRecord": 1}, 1),
    ],
    ids=str,
)
def test_recording_fields_of_a_sub_class_are_five(
    given: Given, fields: dict[str, Any], errno: int
) -> None:
    dual = Dual(given)
    sub = dual.sub()
    reply = dual.edit(sub, **fields)
    assert reply.errno == errno
    assert given.seen(sub).uses_main_recording == (errno == 1)
    if errno == 1:
        assert [entry["isMainClass"] for entry in reply.data] == [0]


def test_only_the_public_replay_changes_later(given: Given) -> None:
    """READINGS Q82: with recordState on, openState may always change."""
    dual = Dual(given, record=1, live=0, replay=0)
    dual.sub()
    dual.running()
    recorded = {**RECORDING_OFF, "recordState": 1}
    assert dual.edit(**{**recorded, "openState": 1}).errno == 1
    assert dual.edit(**{**recorded, "liveState": 1}).errno == 140
    assert dual.edit(**RECORDING_OFF).errno == 140
    assert dual.main.seen.recording == RecordingOptions(record=True, replay=True)


def test_co_teachers_stay_where_they_are_not_sent(given: Given) -> None:
    dual, helpers = Dual(given), [given.teacher() for _ in range(2)]
    sub = dual.sub(assistantUids=helpers)
    assert dual.edit(sub, className="Another").errno == 1
    assert co_teachers(given, sub) == tuple(helpers)
    assert dual.edit(sub, assistantUids=helpers[:1]).errno == 1
    assert co_teachers(given, sub) == tuple(helpers[:1])
    assert dual.edit(sub, assistantUids=[*helpers, helpers[0]]).errno == 121601020
    assert dual.edit(sub, assistantUids=[]).errno == 1
    assert co_teachers(given, sub) == ()
    assert dual.edit(sub, assistantUids=None).errno == 121601020


def test_settings_of_the_classroom(given: Given) -> None:
    given.plan(max_seats=6)
    dual = Dual(given)
    sub = dual.sub()
    assert dual.edit(sub, seatNum=9, isHd=2).errno == 1
    classroom = given.seen(sub).classroom
    assert (classroom.seats, classroom.resolution) == (6, 2)
    assert dual.edit(sub, seatNum=2, isDc=3, isHd=0).errno == 1
    classroom = given.seen(sub).classroom
    assert (classroom.seats, classroom.resolution, classroom.has_two_cameras) == (1, 2, True)
    assert dual.edit(sub, seatNum=3).errno == 808
    given.plan(smart_classroom=False)
    assert dual.edit(sub, isDc=0, cameraHide=1).errno == 121601020


# --- deleting ---------------------------------------------------------------------------------


def test_the_main_class_is_deleted_last(given: Given) -> None:
    dual = Dual(given)
    subs = [dual.sub(), dual.sub()]
    reply = dual.delete()
    assert [entry["classId"] for entry in reply.data] == [*subs, dual.main.lesson]
    assert reply.errnos == [1, 1, 1]
    moments = {given.seen(lesson).deleted_at for lesson in (*subs, dual.main.lesson)}
    assert moments == {given.now}
    assert dual.delete().errno == dual.delete(subs[0]).errno == 121601042
    assert dual.edit(className="Another").errno == 121601042


def test_a_sub_class_is_deleted_alone_also_in_a_course_that_was_ended(given: Given) -> None:
    dual, course = Dual(given), given.course()
    sub, other = dual.sub(course, uniqueIdentity="kept"), dual.sub()
    given.set_course(course, ended_at=given.now)
    given.plan(keep_identities=True)
    assert [entry["classId"] for entry in dual.delete(sub).data] == [sub]
    assert given.seen(sub).identity == "kept"
    assert given.seen(other).deleted_at is dual.main.seen.deleted_at is None
