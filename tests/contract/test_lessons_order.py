"""The order in which addCourseClass checks: all is wrong at once, and mended step by step."""

from dataclasses import dataclass
from typing import Any

from homeroom.base.clock import DAY, HOUR, MINUTE, YEAR
from homeroom.base.ids import CourseId, UserId
from homeroom.store.engine import Value as Column
from tests.support.given import Given
from tests.support.wire import Value

UNKNOWN_ID = 10**9
"""An id that nothing has."""
STUDENT, AUDITOR = 1, 2
Step = tuple[int, dict[str, Any]]
"""What is mended, and the number that comes to light by it."""


@dataclass(frozen=True)
class People:
    """Users who may not teach: each also has the later reasons, where one can have both."""

    fit: UserId
    helper: UserId
    not_ours: UserId
    cancelled: UserId
    stopped: UserId
    stopping: UserId
    student: UserId
    auditor: UserId


def people_of(given: Given, course: CourseId) -> People:
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


def all_wrong(given: Given, people: People) -> dict[str, Value]:
    """Return a request in which nothing is right, and let the school's plan have nothing."""
    given.lesson(courseUniqueIdentity="known")
    given.plan(
        **dict.fromkeys(("live", "scene", "co_teachers", "replay", "recording"), False),
        **dict.fromkeys(("dual_camera", "broadcast", "smart_classroom"), False),
        max_resolution=0,
        max_course_classes=1,
        monthly_classes=1,
        max_co_teachers=2,
        classroom_hours=1,
        storage_mb=1,
    )
    return {
        "courseId": UNKNOWN_ID,
        "className": "",
        "beginTime": given.now - DAY,
        "endTime": given.now - DAY,
        "teacherUid": UNKNOWN_ID,
        "assistantUids": [people.fit, people.fit, people.not_ours],
        "seatNum": "many",
        "isHd": 1,
        "isDc": 3,
        "folderId": UNKNOWN_ID,
        **dict.fromkeys(("record", "recordScene", "live", "replay", "omoStationBroadcast"), 1),
        "teachMode": 2,
        "classIntroduce": "bell \a",
        "courseUniqueIdentity": "known",
    }


def lookups(given: Given, course: CourseId) -> list[Step]:
    """Return the steps from a malformed request to a course that takes it."""
    past: dict[str, Column] = {"ended_at": given.now, "kind": "public"}
    other = given.other()
    foreign = other.set_course(other.course(), deleted_at=given.now, **past)
    return [
        (100, {}),
        (398, {"className": "Class"}),
        (147, {"courseUniqueIdentity": "new"}),
        (144, {"courseId": foreign}),
        (149, {"courseId": given.set_course(given.course(), deleted_at=given.now, **past)}),
        (153, {"courseId": given.set_course(given.course(), **past)}),
        (369, {"courseId": given.public_course()}),
        (119, {"courseId": course}),
    ]


def times(given: Given) -> list[Step]:
    """Return the steps from an end before the start to times that a class may have."""
    begin, far = given.now + DAY, given.now + 4 * YEAR
    given.maintenance(begin, begin + MINUTE)
    return [
        (120, {"endTime": given.now - DAY + 1}),
        (268, {"beginTime": far, "endTime": far + 1}),
        (165, {"beginTime": begin, "endTime": begin + MINUTE}),
        (454, {"endTime": begin + 2 * HOUR}),
        (400, {"beginTime": begin + HOUR, "endTime": begin + 3 * HOUR}),
    ]


def persons(who: People) -> list[Step]:
    """Return the steps from an unknown teacher to people who may all teach."""
    return [
        (136, {"teacherUid": who.not_ours}),
        (884, {"teacherUid": who.cancelled}),
        (387, {"teacherUid": who.stopped}),
        (800, {"teacherUid": who.stopping}),
        (172, {"teacherUid": who.student}),
        (173, {"teacherUid": who.auditor}),
        (21316, {"teacherUid": who.fit}),
        (21317, {"assistantUids": [who.fit, who.not_ours, who.cancelled]}),
        (322, {"assistantUids": [who.fit, who.not_ours]}),
        (318, {"assistantUids": [who.cancelled, who.not_ours]}),
        (885, {"assistantUids": [who.stopped, who.cancelled]}),
        (388, {"assistantUids": [who.stopping, who.stopped]}),
        (804, {"assistantUids": [who.student, who.stopping]}),
        (319, {"assistantUids": [who.auditor, who.student]}),
        (320, {"assistantUids": [who.auditor]}),
        (121601007, {"assistantUids": [who.helper]}),
    ]


ROOM: list[Step] = [
    (259, {"seatNum": 13}),
    (808, {"seatNum": 5}),
    (368, {"isDc": 0}),
    (160, {"seatNum": 1, "isDc": 3}),
    (121601005, {"folderId": ""}),
]
PLAN: list[Step] = [
    (121601006, {"live": True}),
    (121601008, {"scene": True}),
    (121601009, {"co_teachers": True}),
    (121601010, {"replay": True}),
    (121601011, {"recording": True}),
    (121601012, {"dual_camera": True}),
    (121604007, {"max_resolution": 2}),
    (121601001, {"broadcast": True}),
    (121601070, {"smart_classroom": True}),
    (121601003, {"max_course_classes": 0}),
    (121601004, {"upgradable": False}),
    (281, {"monthly_classes": 0}),
    (824, {"storage_mb": 0}),
]


def test_the_first_thing_wrong_is_what_is_answered(given: Given) -> None:
    """A request with everything wrong meets each check in the order of the issue, then is kept."""
    course = given.course()
    given.clip(given.lesson(course), bytes(1_000_000))
    people = people_of(given, course)
    form = all_wrong(given, people)
    for errno, mended in (*lookups(given, course), *times(given), *persons(people), *ROOM):
        form |= mended
        reply = given.api.call("addCourseClass", **form)
        assert reply.errno == errno, reply.reason
    for errno, changed in PLAN:
        given.plan(**changed)
        if errno == 281:
            del form["courseUniqueIdentity"]
        reply = given.api.call("addCourseClass", **form)
        assert reply.errno == errno, reply.reason
    assert given.api.call("addCourseClass", **form | {"classIntroduce": ""}).errno == 121601002
    given.plan(classroom_hours=0)
    assert given.api.call("addCourseClass", **form | {"classIntroduce": ""}).errno == 1


def test_the_warning_about_recording_comes_before_those_about_text_and_hours(given: Given) -> None:
    """280, 824 and 121601002 hold at once: the first is answered, and the class is there."""
    given.plan(classroom_hours=1)
    end = given.now + DAY + 2 * HOUR
    form = given.lesson_form(endTime=end, live=1, classIntroduce="bell \a")
    first = given.api.call("addCourseClass", **form)
    assert first.errno == 280
    assert given.seen(first.data).introduction == ""
    assert given.api.call("addCourseClass", **form | {"live": 0}).errno == 824
    mended = given.api.call("addCourseClass", **form | {"live": 0, "classIntroduce": "all well"})
    assert mended.errno == 121601002
    assert given.seen(mended.data).introduction == "all well"
