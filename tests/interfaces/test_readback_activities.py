"""The read-back of units and activities."""

from collections.abc import Iterator
from typing import Any

import pytest

from homeroom.base.clock import DAY, HOUR
from tests.support.activities import DISCUSSION, Syllabus
from tests.support.given import Given
from tests.support.readback import ReadBack


@pytest.fixture
def read(given: Given) -> Iterator[ReadBack]:
    """Read as the fresh school."""
    readback = ReadBack(given)
    yield readback
    readback.close()


def test_units_are_read_as_they_were_written(given: Given, read: ReadBack) -> None:
    syllabus = Syllabus(given)
    unit = syllabus.unit("Waves", content="Sound and light", publishFlag=0)
    gone = syllabus.unit("Gone")
    syllabus.done("lms.unit.delete", unitId=gone)
    row = read.row("/units", unitId=unit)
    assert row == {
        "SID": given.school.id,
        "unitId": unit,
        "courseId": syllabus.course,
        "name": "Waves",
        "content": "Sound and light",
        "publishFlag": 0,
        "isDefault": 0,
        "createdTime": given.now,
        "deletedTime": None,
    }
    default = read.row("/units", courseId=syllabus.course, name="默认")
    assert (default["unitId"], default["isDefault"], default["publishFlag"]) == (
        syllabus.default_unit,
        1,
        2,
    )
    assert read.row("/units", name="WAVE")["unitId"] == unit
    assert read.row("/units", deleted=1)["unitId"] == gone
    assert [row["name"] for row in read.rows("/units", courseId=syllabus.course, deleted=0)] == [
        "默认单元",
        "Waves",
    ]


def test_activities_are_read_as_they_were_written(given: Given, read: ReadBack) -> None:
    syllabus = Syllabus(given)
    unit, teacher = syllabus.unit(), given.teacher()
    form: dict[str, Any] = syllabus.activity_form(unit, teacherUid=teacher, name="Talk")
    times = {"startTime": given.now + HOUR, "endTime": given.now + DAY}
    made = syllabus.done("lms.activity.createActivityNoClass", **form, **times)
    activity, member = made.data["activityId"], given.member(syllabus.course)
    syllabus.done("lms.activity.deleteStudent", activityId=activity, studentUids=[member])
    assert read.row("/activities", activityId=activity) == {
        "SID": given.school.id,
        "activityId": activity,
        "courseId": syllabus.course,
        "unitId": unit,
        "activityType": DISCUSSION,
        "classId": None,
        "name": "Talk",
        "teacherUid": teacher,
        **times,
        "publishFlag": 0,
        "absentUids": [member],
        "createdTime": given.now,
        "deletedTime": None,
    }
    syllabus.done("lms.activity.release", activityId=activity)
    assert read.row("/activities", activityType=DISCUSSION)["publishFlag"] == 2


def test_a_class_is_an_activity_of_the_default_unit(given: Given, read: ReadBack) -> None:
    syllabus = Syllabus(given)
    lesson = syllabus.lesson(className="Waves")
    member = given.member(syllabus.course)
    row = read.row("/activities", classId=lesson)
    assert (row["activityType"], row["name"], row["publishFlag"]) == (1, "Waves", 2)
    assert (row["unitId"], row["startTime"]) == (syllabus.default_unit, given.now + DAY)
    assert read.rows("/activities", unitId=syllabus.default_unit) == [row]
    ids = {"activityId": row["activityId"], "studentUids": [member]}
    syllabus.done("lms.activity.deleteStudent", **ids)
    assert read.row("/activities", name="wave")["absentUids"] == [member]
    syllabus.done("lms.activity.delete", activityId=row["activityId"])
    assert read.row("/activities", deleted=1)["deletedTime"] == given.now


def test_what_is_in_a_deleted_course_is_deleted(given: Given, read: ReadBack) -> None:
    syllabus = Syllabus(given)
    syllabus.lesson()
    syllabus.activity()
    given.set_course(syllabus.course, deleted_at=given.now)
    for path, count in (("/units", 1), ("/activities", 2)):
        rows = read.rows(path, courseId=syllabus.course)
        assert [row["deletedTime"] for row in rows] == [given.now] * count
