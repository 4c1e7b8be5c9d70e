"""Faults of entries: every batch refuses those that it is asked to refuse (READINGS Q99)."""

from collections.abc import Callable
from typing import Any, Final

from homeroom.base.ids import CourseId
from homeroom.contract.catalogue import ACTIONS
from homeroom.contract.errno import Outcome
from tests.support.given import Given
from tests.support.sandbox import Sandbox
from tests.support.wire import Reply


def class_of(given: Given, course: CourseId | None = None) -> dict[str, Any]:
    """Return the fields that name a class and its course."""
    course = course or given.course()
    return {"courseId": course, "classId": given.lesson(course)}


def draft(given: Given, course: CourseId) -> int:
    """Make an activity other than a class, not yet published."""
    unit = given.done(
        "lms.unit.create", courseId=course, name=f"{given.telephone()}", publishFlag=0
    )
    return int(
        given.done(
            "lms.activity.createActivityNoClass",
            courseId=course,
            unitId=unit.data["unitId"],
            activityType=5,
            name="Paper",
            teacherUid=given.teacher(),
        ).data["activityId"]
    )


CALLS_OF_BATCHES: Final[dict[str, Callable[[Given], dict[str, Any]]]] = {
    "registerMultiple": lambda given: {
        "userJson": [{"telephone": given.telephone(), "md5pass": "0" * 32}]
    },
    "addCourseLabels": lambda given: {
        "courseList": [{"courseId": given.course(), "labelIds": [given.label()]}]
    },
    "addCourseStudentMultiple": lambda given: {
        "courseId": given.course(),
        "studentJson": [{"uid": given.student()}],
    },
    "delCourseStudentMultiple": lambda given: {
        "courseId": (course := given.course()),
        "identity": 1,
        "studentUidJson": [given.member(course)],
    },
    "addClassStudentMultiple": lambda given: {
        **class_of(given),
        "studentJson": [{"uid": given.student()}],
    },
    "delClassStudentMultiple": lambda given: {
        **class_of(given, course := given.course()),
        "identity": 1,
        "studentUidJson": [given.member(course)],
    },
    "addCourseClassStudent": lambda given: {
        "courseId": (course := given.course()),
        "studentUid": given.student(),
        "classJson": [given.lesson(course)],
    },
    "addClassLabels": lambda given: {
        "courseId": (course := given.course()),
        "classList": [{"classId": given.lesson(course), "classLabelId": [given.label()]}],
    },
    "addCourseClassMultiple": lambda given: {
        "courseId": (course := given.course()),
        "classJson": [{k: v for k, v in given.lesson_form(course).items() if k != "courseId"}],
    },
    "modifyCourseTeacher": lambda given: {
        "courseId": (course := given.course()),
        "teacherUid": (given.lesson(course), given.teacher())[1],
    },
    "updateClassStudentComment": lambda given: {
        "classId": given.lesson(course := given.course()),
        "commentJson": [{"studentUid": given.member(course), "starNum": 5, "comment": "Good"}],
    },
    "addCourseTeacher": lambda given: {
        "courseId": given.course(),
        "teacherUids": [given.teacher()],
    },
    "modifyCourseStudentNickName": lambda given: {"studentUids": [given.student()]},
    "lms.activity.release": lambda given: {
        "courseId": (course := given.course()),
        "activityIds": [draft(given, course) for _ in range(2)],
    },
    "lms.activity.addStudent": lambda given: {
        "courseId": (course := given.course()),
        "activityId": draft(given, course),
        "studentUids": [given.member(course)],
    },
    "lms.onlineDoubleTeacher.addClass": lambda given: {
        "mainCourseId": (course := given.course()),
        "mainClassId": given.lesson(course),
        "subClassJson": [{"courseId": given.course(), "className": "Sub"}],
    },
    "setClassVideoMultiple": lambda given: {
        "courseId": (course := given.course()),
        "classJson": [{"classId": given.lesson(course), "record": 1, "live": 1, "replay": 1}],
    },
}
"""A call of each batch, with one entry that can be done."""


def first_of(reply: Reply) -> int:
    """Return the errno of the first entry, wherever the action has its entries."""
    if isinstance(reply.data, dict):
        return int(reply.data["subClassData"][0]["code"])
    return reply.errnos[0]


def test_every_batch_puts_a_fault_into_its_entries(given: Given, sandbox: Sandbox) -> None:
    """A batch whose handler forgets the faults of entries would do the work of all."""
    for action in ACTIONS:
        if action.entry is None or not action.entry_errnos:
            continue
        refused = next(errno for errno in action.entry_errnos if errno.outcome is Outcome.REFUSED)
        assert CALLS_OF_BATCHES.keys() >= {action.name}
        fields = CALLS_OF_BATCHES[action.name](given)
        sandbox.fault(sid=given.school.id, action=action.name, errno=refused.number, entries=[1])
        reply = given.api.call(action.name, **fields)
        assert (reply.errno, first_of(reply)) == (1, refused.number), action.name
        again = given.api.call(action.name, **fields)
        assert first_of(again) != refused.number, action.name
