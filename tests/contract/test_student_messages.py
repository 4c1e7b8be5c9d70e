"""Messages about students of courses and classes, one a call (READINGS Q94)."""

from collections.abc import Iterator

import pytest

from homeroom.usecases import operations
from tests.support.classroom_activities import Classroom
from tests.support.given import Given
from tests.support.messages import (
    CLASS_STUDENTS,
    CONSOLE,
    COURSE_STUDENTS,
    Watch,
    name_of,
    receiving,
    student_info,
)
from tests.support.wire import Value


@pytest.fixture(autouse=True)
def _receiving(given: Given) -> Iterator[None]:
    with receiving(given):
        yield


def test_students_of_a_course_are_one_message_a_call(given: Given) -> None:
    course, students = given.course(), [given.student(), given.student()]
    infos = [student_info(uid, name_of(given, uid)) for uid in students]
    data = {"courseId": course, "courseName": "Course", "studentInfos": infos}
    fields: dict[str, Value] = {"courseId": course, "identity": 1}
    watch = Watch(given)
    entries = [{"uid": uid} for uid in (*students, students[0])]
    given.api.call("addCourseStudentMultiple", **fields, studentJson=entries)
    assert watch.changes() == [(COURSE_STUDENTS, 1, data)]
    given.api.call("delCourseStudentMultiple", **fields, studentUidJson=students)
    assert watch.changes() == [(COURSE_STUDENTS, 2, data)]


def test_auditors_cause_no_message(given: Given) -> None:
    course, auditor = given.course(), given.student()
    watch = Watch(given)
    fields: dict[str, Value] = {"courseId": course, "identity": 2, "studentUid": auditor}
    given.done("addCourseStudent", **fields)
    given.done("delCourseStudent", **fields)
    assert watch.all() == []


def test_students_of_classes_are_one_message_a_class(given: Given) -> None:
    lesson = given.lesson()
    course = given.seen(lesson).course
    guest, member = given.student(), given.member(course)
    infos = [student_info(uid, name_of(given, uid)) for uid in (guest, member)]
    data = {"courseId": course, "classId": lesson, "className": "Class"}
    fields: dict[str, Value] = {"courseId": course, "classId": lesson, "identity": 1}
    watch = Watch(given)
    entries = [{"uid": guest}]
    given.done("addClassStudentMultiple", **fields, studentJson=entries)
    assert watch.changes() == [(CLASS_STUDENTS, 1, {**data, "studentInfos": infos[:1]})]
    given.done("delClassStudentMultiple", **fields, studentUidJson=[guest, member])
    assert watch.changes() == [(CLASS_STUDENTS, 2, {**data, "studentInfos": infos})]


def test_a_student_of_several_classes_is_one_message_each(given: Given) -> None:
    course, guest = given.course(), given.student()
    lessons = [given.lesson(course), given.lesson(course)]
    watch = Watch(given)
    fields: dict[str, Value] = {"courseId": course, "studentUid": guest, "classJson": lessons}
    given.done("addCourseClassStudent", **fields)
    assert [data["classId"] for _, _, data in watch.changes()] == lessons


def test_an_operator_adds_a_guest_once(given: Given) -> None:
    lesson, guest = given.lesson(), given.student()
    watch = Watch(given)
    for _ in range(2):
        given.store.write(lambda uow: operations.add_guest(uow, lesson, guest))
    given.store.write(lambda uow: operations.remove_guest(uow, lesson, guest))
    info = student_info(guest, name_of(given, guest))
    assert [(op, data["studentInfos"]) for _, op, data in watch.changes()] == [
        (1, [info]),
        (2, [info]),
    ]


def test_students_of_a_v2_class_are_told_without_those_who_are_in_it(given: Given) -> None:
    room, guest = Classroom(given), given.student()
    member = given.member(room.course)
    ids: dict[str, Value] = {"courseId": room.course, "activityId": room.activity}
    watch = Watch(given)
    given.done("lms.activity.addStudent", **ids, studentUids=[guest, member])
    given.done("lms.activity.deleteStudent", **ids, studentUids=[guest, guest])
    given.done("lms.activity.deleteStudent", **ids, studentUids=[guest])
    messages = watch.all()
    info = student_info(guest, name_of(given, guest))
    assert [body["opData"]["studentInfos"] for _, body in messages] == [[info], [info]]
    assert {body["opSource"] for _, body in messages} == {CONSOLE}


def test_students_who_are_refused_are_not_told(given: Given) -> None:
    course, student = given.course(), given.student()
    fields: dict[str, Value] = {"courseId": course, "identity": 1}
    given.done("addCourseStudent", **fields, studentUid=student)
    watch = Watch(given)
    assert given.api.call("addCourseStudent", **fields, studentUid=student).errno != 1
    assert given.api.call("delCourseStudent", **fields, studentUid=given.student()).errno != 1
    entries = [{"uid": student}]
    given.api.call("addCourseStudentMultiple", **fields, studentJson=entries)
    assert watch.all() == []
