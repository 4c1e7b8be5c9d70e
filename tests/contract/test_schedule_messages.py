"""Messages about changes of the schedule: each cause once, with its fields (READINGS Q94)."""

from collections.abc import Iterator
from typing import Any

import pytest

from homeroom.base.clock import DAY, HOUR
from homeroom.base.ids import CourseId, LessonId
from homeroom.domain.courses import EXPIRY_EXTENSION_SECONDS
from homeroom.domain.lifecycle import OVERTIME_SECONDS
from homeroom.usecases import operations
from tests.support.activities import Syllabus
from tests.support.classroom_activities import Classroom, class_form
from tests.support.dual import Dual
from tests.support.given import Given
from tests.support.messages import (
    CLASS,
    CONSOLE,
    COURSE,
    V1,
    Watch,
    receiving,
    teachers,
)
from tests.support.tracing import traced
from tests.support.wire import Value


@pytest.fixture(autouse=True)
def _receiving(given: Given) -> Iterator[None]:
    with receiving(given):
        yield


def deletion(course: CourseId, lesson: LessonId) -> tuple[str, int, dict[str, Any]]:
    """Return the message of a class that was deleted."""
    return CLASS, 2, {"courseId": course, "classId": lesson, "classStatus": 4}


# --- courses ----------------------------------------------------------------------------------


def test_a_new_course_is_told_with_all_fields(given: Given) -> None:
    head, watch = given.teacher(), Watch(given)
    expiry = given.now + 9 * DAY
    course = given.course(expiryTime=expiry, mainTeacherUid=head, subjectId=2)
    (info,) = teachers(given, head)
    (message,) = watch.all()
    assert message.kind == COURSE
    assert message.body == {
        "SID": given.school.id,
        "Cmd": "eeoCourseInfoChange",
        "CourseID": course,
        "CourseId": course,
        "ActionTime": given.now,
        "opType": 1,
        "opTime": given.now,
        "UID": given.school.owner,
        "opSource": V1,
        "uuid": "$uuid",
        "opData": {
            "courseId": course,
            "courseName": "Course",
            "expiryTime": expiry,
            "courseType": 1,
            "courseStatus": 2,
            "category": "",
            "categoryId": 0,
            "subjectId": 2,
            "mainTeacherInfo": info,
        },
    }


def test_an_edited_course_is_told_with_what_changed(given: Given) -> None:
    course, head = given.course(), given.teacher()
    watch = Watch(given)
    given.done("editCourse", courseId=course, courseName="Other", mainTeacherUid=head)
    (info,) = teachers(given, head)
    data = {"courseId": course, "courseName": "Other", "mainTeacherInfo": info}
    assert watch.changes() == [(COURSE, 3, data)]
    given.done("editCourse", courseId=course, courseName="Other")
    given.done("editCourse", courseId=course, folderId=given.folder())
    assert watch.changes() == []


def test_labels_of_courses_are_told_one_message_each(given: Given) -> None:
    first, second, label = given.course(), given.course(), given.label("Piano")
    watch = Watch(given)
    entries = [{"CourseId": first, "labelIds": [label]}, {"CourseId": second, "labelIds": [label]}]
    given.done("addCourseLabels", CourseList=entries)
    infos = [{"labelName": "Piano", "labelId": int(label)}]
    assert watch.changes() == [
        (COURSE, 3, {"courseId": course, "labelInfos": infos}) for course in (first, second)
    ]


def test_an_ended_course_comes_after_its_classes(given: Given) -> None:
    dual = Dual(given)
    course, main = dual.main.course, dual.main.lesson
    sub, other = dual.sub(), given.lesson(course)
    sub_course = given.seen(sub).course
    watch = Watch(given)
    given.done("endCourse", courseId=course)
    assert watch.changes() == [
        deletion(course, main),
        deletion(course, other),
        deletion(sub_course, sub),
        (COURSE, 3, {"courseId": course, "courseStatus": 3}),
    ]


def test_the_messages_of_a_call_are_written_together(given: Given) -> None:
    counts = []
    for lessons in (1, 4):
        course = given.course()
        for _ in range(lessons):
            given.lesson(course)
        with traced(given) as statements:
            given.done("endCourse", courseId=course)
        counts.append(len(statements))
    assert counts[0] == counts[1]


def test_a_course_that_an_operator_deletes_comes_after_its_classes(given: Given) -> None:
    course = given.course()
    over, coming = given.held_lesson(course), given.lesson(course)
    watch = Watch(given)
    given.store.write(lambda uow: operations.delete_course(uow, course))
    assert watch.changes() == [
        deletion(course, over),
        deletion(course, coming),
        (COURSE, 3, {"courseId": course, "courseStatus": 4}),
    ]


# --- classes ----------------------------------------------------------------------------------


def test_a_new_class_is_told_with_all_fields(given: Given) -> None:
    course = given.course(expiryTime=given.now + 2 * DAY)
    teacher, helper = given.teacher(), given.teacher()
    watch = Watch(given)
    begin = given.now + DAY
    fields: dict[str, Value] = {"teacherUid": teacher, "assistantUids": [helper], "seatNum": 3}
    lesson = given.lesson(course, **fields)
    (teacher_row, helper_row) = teachers(given, teacher, helper)
    added, moved = watch.all()
    assert added.body == {
        "SID": given.school.id,
        "Cmd": "eeoClassInfoChange",
        "CourseID": course,
        "CourseId": course,
        "ClassID": lesson,
        "ActionTime": given.now,
        "opType": 1,
        "opTime": given.now,
        "UID": given.school.owner,
        "opSource": V1,
        "uuid": "$uuid",
        "opData": {
            "courseId": course,
            "classId": lesson,
            "seatNum": 4,
            "isAutoOnstage": 0,
            "classType": 1,
            "className": "Class",
            "courseName": "Course",
            "beginTime": begin,
            "endTime": begin + HOUR,
            "classStatus": 1,
            "MainClassId": 0,
            "teacherInfo": teacher_row,
            "assistantTeacherInfos": [helper_row],
        },
    }
    expiry = begin + HOUR + EXPIRY_EXTENSION_SECONDS
    assert (moved.kind, moved.body["opData"]) == (
        COURSE,
        {"courseId": course, "expiryTime": expiry},
    )


def test_a_batch_of_classes_is_told_in_one_statement(given: Given) -> None:
    course = given.course()
    forms = [given.lesson_form(course, className=f"Class {number}") for number in range(3)]
    for form in forms:
        del form["courseId"]
    bad = forms[1] | {"beginTime": given.now}
    watch = Watch(given)
    with traced(given) as statements:
        given.api.call("addCourseClassMultiple", courseId=course, classJson=[*forms, bad])
    assert [data["className"] for _, _, data in watch.changes()] == [
        "Class 0",
        "Class 1",
        "Class 2",
    ]
    assert sum("INSERT INTO messages" in statement for statement in statements) == 1


def test_an_edited_class_is_told_with_what_changed(given: Given) -> None:
    teacher, helper = given.teacher(), given.teacher()
    lesson = given.lesson(assistantUids=[helper])
    course, hours = given.seen(lesson).course, given.seen(lesson).hours
    ids = {"courseId": course, "classId": lesson}
    watch = Watch(given)
    given.done("editCourseClass", **ids, className="Other", endTime=hours.end + HOUR)
    assert watch.changes() == [
        (CLASS, 3, {**ids, "className": "Other", "endTime": hours.end + HOUR})
    ]
    given.done("editCourseClass", **ids, teacherUid=teacher, assistantUids=[], isAutoOnstage=1)
    (info,) = teachers(given, teacher)
    data = {**ids, "isAutoOnstage": 1, "teacherInfo": info, "assistantTeacherInfos": []}
    assert watch.changes() == [(CLASS, 3, data)]
    given.done("editCourseClass", **ids, record=1, live=1, replay=1, assistantUids=[])
    given.done("editCourseClass", **ids, className="Other")
    assert watch.changes() == []


def test_an_edit_that_moves_the_expiry_is_two_messages(given: Given) -> None:
    lesson = given.lesson(given.course(expiryTime=given.now + 2 * DAY))
    course, hours = given.seen(lesson).course, given.seen(lesson).hours
    watch = Watch(given)
    end = hours.end + HOUR
    given.done("editCourseClass", courseId=course, classId=lesson, endTime=end)
    assert watch.changes() == [
        (CLASS, 3, {"courseId": course, "classId": lesson, "endTime": end}),
        (COURSE, 3, {"courseId": course, "expiryTime": end + EXPIRY_EXTENSION_SECONDS}),
    ]


def test_seats_and_labels_of_classes_are_told(given: Given) -> None:
    lesson, label = given.lesson(), given.label("Piano")
    course = given.seen(lesson).course
    ids = {"courseId": course, "classId": lesson}
    watch = Watch(given)
    given.done("modifyClassSeatNum", **ids, seatNum=1)
    assert watch.changes() == [(CLASS, 3, {**ids, "seatNum": 2})]
    entries = [{"classId": lesson, "classLabelId": [int(label)]}]
    given.done("addClassLabels", courseId=course, classList=entries)
    infos = [{"labelName": "Piano", "labelId": int(label)}]
    assert watch.changes() == [(CLASS, 3, {**ids, "labelInfos": infos})]


def test_another_teacher_of_a_course_is_told_for_each_class(given: Given) -> None:
    course, teacher = given.course(), given.teacher()
    lessons = [given.lesson(course), given.lesson(course)]
    given.lesson(course, teacherUid=teacher)
    watch = Watch(given)
    given.done("modifyCourseTeacher", courseId=course, teacherUid=teacher)
    (info,) = teachers(given, teacher)
    assert watch.changes() == [
        (CLASS, 3, {"courseId": course, "classId": lesson, "teacherInfo": info})
        for lesson in lessons
    ]


def test_a_deleted_class_is_told_with_its_ids(given: Given) -> None:
    lesson = given.lesson()
    course = given.seen(lesson).course
    watch = Watch(given)
    given.done("delCourseClass", courseId=course, classId=lesson)
    assert watch.changes() == [deletion(course, lesson)]


def test_a_deleted_class_that_was_over_is_told_too(given: Given) -> None:
    lesson = given.held_lesson()
    course = given.seen(lesson).course
    watch = Watch(given)
    given.done("delEndCourseClass", courseId=course, classId=lesson)
    assert watch.changes() == [deletion(course, lesson)]


def test_a_class_that_is_closed_early_is_told(given: Given) -> None:
    lesson = given.lesson()
    hours, course = given.seen(lesson).hours, given.seen(lesson).course
    given.until(hours.begin)
    watch = Watch(given)
    given.store.write(lambda uow: operations.close_lesson(uow, lesson))
    (message,) = watch.all()
    assert message.body["opData"] == {"courseId": course, "classId": lesson, "classStatus": 3}
    assert message.body["opSource"] == CONSOLE
    given.until(hours.end + OVERTIME_SECONDS)
    assert watch.all() == []


# --- the v2 wire ------------------------------------------------------------------------------


def test_classes_of_the_v2_wire_have_their_source(given: Given) -> None:
    watch = Watch(given)
    room = Classroom(given)
    created = [message for message in watch.all() if message.kind == CLASS]
    room.edit(name="Other")
    edited = watch.all()
    room.given.done("lms.activity.delete", courseId=room.course, activityId=room.activity)
    deleted = watch.all()
    messages = [*created, *edited, *deleted]
    assert [message.body["opType"] for message in messages] == [1, 3, 2]
    assert {message.body["opSource"] for message in messages} == {CONSOLE}
    ids = {"courseId": room.course, "classId": room.lesson}
    assert edited[0].body["opData"] == {**ids, "className": "Other"}


def test_a_deleted_unit_deletes_its_classes(given: Given) -> None:
    syllabus = Syllabus(given)
    unit = syllabus.unit()
    lesson = syllabus.lesson(unit)
    watch = Watch(given)
    syllabus.done("lms.unit.delete", unitId=unit)
    assert watch.changes() == [deletion(syllabus.course, lesson)]


def test_sub_classes_follow_their_main_class(given: Given) -> None:
    dual = Dual(given)
    course = given.course(expiryTime=given.now + 2 * DAY)
    watch = Watch(given)
    sub = dual.sub(course)
    (_, _, data), (_, _, expiry) = watch.changes()
    assert (data["classId"], data["courseId"], data["classType"]) == (sub, course, 9)
    assert data["MainClassId"] == dual.main.lesson
    assert expiry["courseId"] == course
    dual.move()
    changed = {data["classId"] for kind, op, data in watch.changes() if (kind, op) == (CLASS, 3)}
    assert changed == {dual.main.lesson, sub}
    dual.delete()
    assert watch.changes() == [deletion(course, sub), deletion(dual.main.course, dual.main.lesson)]


# --- no message -------------------------------------------------------------------------------


def test_refused_and_repeated_calls_cause_none(given: Given) -> None:
    form = given.lesson_form(courseUniqueIdentity="once")
    given.done("addCourseClass", **form)
    watch = Watch(given)
    assert given.api.call("addCourseClass", **form).errno != 1
    assert given.api.call("addCourse", courseName="Late", expiryTime=given.now).errno != 1
    assert given.api.call("endCourse", courseId=10**9).errno != 1
    assert given.api.call("lms.activity.createClass", **class_form(given, 10**9)).errno != 1
    assert [message for message in watch.all() if message.kind == CLASS] == []


def test_a_school_without_receivers_reads_nothing_more(given: Given) -> None:
    given.store.subscribed.is_everybody = False
    course = given.course()
    form = given.lesson_form(course)
    given.lesson(course)
    with traced(given) as statements:
        given.done("addCourseClass", **form)
    assert not any("messages" in statement for statement in statements)
    given.store.subscribed.is_everybody = True
    given.lesson(course)  # the school account is read once
    form = given.lesson_form(course)
    with traced(given) as more:
        given.done("addCourseClass", **form)
    assert len(more) == len(statements) + 1
