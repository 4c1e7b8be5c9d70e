"""Tenancy: no call reads or changes a thing of another school by its id.

The cases are made from the contract: each parameter of each action that holds an id gets the id of
another school's thing, in a call that is right otherwise.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest

from homeroom.base.clock import DAY, HOUR
from homeroom.contract.catalogue import ACTIONS
from homeroom.contract.errno import Errno, Outcome
from homeroom.contract.params import ParamsReader
from tests.support.activities import Syllabus
from tests.support.classroom_activities import class_form
from tests.support.dual import Dual
from tests.support.given import Given
from tests.support.orders.groupings import add_grouping
from tests.support.readback import ReadBack
from tests.support.serving import House

KINDS: Final = {
    "courseId": "course",
    "classId": "lesson",
    "folderId": "folder",
    "labelId": "label",
    "classroomSettingId": "preset",
    "teacherUid": "teacher",
    "mainTeacherUid": "teacher",
    "assistantUid": "assistant",
    "assistantUids": "assistants",
    "studentUid": "student",
    "studentUidJson": "members",
    "CourseList": "labelled",
    "classJson": "switched",
    "classList": "labelled_lessons",
    "fileId": "clip",
    "groupId": "grouping",
    "mainCourseId": "course",
    "mainClassId": "lesson",
    "unitId": "unit",
    "toUnitId": "unit",
    "activityId": "draft",
    "activityIds": "draft",
    "studentUids": "members",
    "uid": "student",
    "UID": "sub_account",
    "teacherUids": "assistants",
}
"""The thing that each parameter with an id names; some name several, in JSON."""
KINDS_OF: Final = {
    ("addCourseClassMultiple", "classJson"): "new_lessons",
    ("addCourseClassStudent", "classJson"): "lessons",
    ("renameFile", "fileId"): "file",
    ("delFile", "fileId"): "file",
}
"""The same where an action means another thing by a name."""
NO_THINGS: Final = {"subjectId", "catId", "courseUniqueIdentity", "identity"}
"""Parameters that look like ids, and belong to no school."""
GLOBAL: Final = {("addSchoolStudent", "studentUid"), ("addTeacher", "teacherUid")}
"""Accounts are global on this API: these calls are how a school takes one in."""
PASSED_OVER: Final = {("lms.activity.deleteStudent", "studentUids")}
"""Who is no member of an activity is passed over (READINGS Q84)."""
REFUSED: Final = {errno.number for errno in Errno if errno.outcome is Outcome.REFUSED}


class World:
    """A school with one of each thing."""

    def __init__(self, given: Given) -> None:
        self.given = given
        self.held = given.held_lesson()
        self.clip = given.clip(self.held).file.file_id
        self.course = given.course()
        self.teacher = given.teacher()
        self.lesson = given.lesson(self.course, teacherUid=self.teacher, record=1, live=1)
        self.folder = given.folder()
        self.file = given.file(self.folder)
        self.label = given.label()
        self.preset = given.preset()
        self.assistant = given.teacher()
        self.assistants = [self.assistant]
        self.student = given.student()
        self.member = given.member(self.course)
        self.members = [self.member]
        self.grouping = add_grouping(given, self.course, self.member)
        self.syllabus = Syllabus(given, self.course)
        self.unit = self.syllabus.unit()
        self.draft = self.syllabus.activity(self.unit)
        self.activity = self.syllabus.activity_of(self.lesson)
        self.lessons = [self.lesson]
        self.sub_account = given.sub_account(given.user())
        self.labelled = [{"courseId": self.course, "classLabelId": str(self.label)}]
        self.labelled_lessons = [{"classId": self.lesson, "classLabelId": [self.label]}]
        self.new_lessons = [
            {
                "className": "x",
                "beginTime": given.now + 2 * DAY,
                "endTime": given.now + 2 * DAY + HOUR,
                "teacherUid": self.teacher,
                "folderId": self.folder,
                "assistantUids": self.assistants,
            }
        ]
        self.switched = [{"classId": self.lesson, "record": 1, "live": 1, "replay": 1}]

    def main_class(self) -> dict[str, Any]:
        """Return the course and the id of a new main class with a sub class."""
        dual = Dual(self.given)
        dual.sub()
        return {"courseId": dual.main.course, "classId": dual.main.lesson}


Fields = dict[str, Any]


def with_former_teacher(given: Given) -> Fields:
    """Return a course and a teacher of it whose classes another teacher has taken over."""
    fields: Fields = {"courseId": given.course(), "teacherUid": given.teacher()}
    given.lesson(fields["courseId"], teacherUid=fields["teacherUid"])
    given.done("modifyCourseTeacher", **fields | {"teacherUid": given.teacher()})
    return fields


CALLS: Final[dict[str, Callable[[World], Fields]]] = {
    "addSchoolStudent": lambda w: {"studentUid": w.given.user(), "studentName": "x"},
    "addTeacher": lambda w: {"teacherUid": w.given.user(), "teacherName": "x"},
    "stopUsingTeacher": lambda w: {"teacherUid": w.given.teacher()},
    "restartUsingTeacher": lambda w: {"teacherUid": w.given.stopped(w.given.teacher())},
    "updateSchoolLabel": lambda w: {"labelId": w.label, "labelName": "changed"},
    "deleteSchoolLabel": lambda w: {"labelId": w.given.label()},
    "addCourseLabels": lambda w: {"CourseList": w.labelled},
    "addCourse": lambda w: {
        "courseName": "x",
        "folderId": w.folder,
        "mainTeacherUid": w.teacher,
        "classroomSettingId": w.preset,
    },
    "editCourse": lambda w: {
        "courseId": w.course,
        "courseName": "changed",
        "folderId": w.folder,
        "mainTeacherUid": w.teacher,
        "classroomSettingId": w.preset,
    },
    "endCourse": lambda w: {"courseId": w.given.course()},
    "getWebcastUrl": lambda w: {"courseId": w.course, "classId": w.lesson},
    "addCourseClass": lambda w: {
        **w.given.lesson_form(w.course),
        "teacherUid": w.teacher,
        "folderId": w.folder,
        "assistantUids": w.assistants,
    },
    "editCourseClass": lambda w: {
        "courseId": w.course,
        "classId": w.lesson,
        "className": "changed",
        "teacherUid": w.teacher,
        "folderId": w.folder,
        "assistantUids": w.assistants,
    },
    "addCourseClassMultiple": lambda w: {"courseId": w.course, "classJson": w.new_lessons},
    "modifyClassSeatNum": lambda w: {"courseId": w.course, "classId": w.lesson, "seatNum": 1},
    "addClassLabels": lambda w: {"courseId": w.course, "classList": w.labelled_lessons},
    "modifyCourseTeacher": lambda w: {"courseId": w.course, "teacherUid": w.teacher},
    "removeCourseTeacher": lambda w: with_former_teacher(w.given),
    "delEndCourseClass": lambda w: {
        "courseId": w.course,
        "classId": w.given.closed_early(w.given.lesson(w.course)),
    },
    "delCourseClass": lambda w: {"courseId": w.course, "classId": w.given.lesson(w.course)},
    "addCourseStudent": lambda w: {
        "courseId": w.course,
        "identity": 1,
        "studentUid": w.given.student(),
        "studentName": "x",
    },
    "addCourseStudentMultiple": lambda w: {
        "courseId": w.course,
        "identity": 1,
        "studentJson": [{"account": w.given.telephone(), "name": "x"}],
    },
    "delCourseStudentMultiple": lambda w: {
        "courseId": w.course,
        "identity": 1,
        "studentUidJson": [w.given.member(w.course)],
    },
    "delCourseStudent": lambda w: {
        "courseId": w.course,
        "identity": 1,
        "studentUid": w.given.member(w.course),
    },
    "addClassStudentMultiple": lambda w: {
        "courseId": w.course,
        "classId": w.lesson,
        "studentJson": [{"uid": w.given.student()}],
    },
    "delClassStudentMultiple": lambda w: {
        "courseId": w.course,
        "classId": w.lesson,
        "identity": 1,
        "studentUidJson": [w.given.member(w.course)],
    },
    "addCourseClassStudent": lambda w: {
        "courseId": w.course,
        "studentUid": w.student,
        "classJson": [w.lesson],
    },
    "modifyGroupMemberNickname": lambda w: {"courseId": w.course},
    "addCourseGroup": lambda w: {
        "courseId": (course := w.given.course()),
        "groupName": "x",
        "groupList": [[{"studentUid": w.given.member(course), "isLeader": 1}]],
    },
    "editCourseGroup": lambda w: {
        "courseId": w.course,
        "groupId": w.grouping,
        "groupName": "changed",
        "groupList": [[{"studentUid": w.member, "isLeader": 1}]],
    },
    "delCourseGroup": lambda w: {
        "courseId": (course := w.given.course()),
        "groupId": add_grouping(w.given, course, w.given.member(course)),
    },
    "deleteClassVideo": lambda w: {"classId": w.held, "fileId": w.clip},
    "updateClassLockStatus": lambda w: {"classId": w.held, "isLock": 1},
    "setClassVideoMultiple": lambda w: {"courseId": w.course, "classJson": w.switched},
    "getCloudList": lambda w: {"folderId": w.folder},
    "renameFolder": lambda w: {"folderId": w.folder, "folderName": f"x{w.given.telephone()}"},
    "delFolder": lambda w: {"folderId": w.given.folder(w.given.telephone())},
    "renameFile": lambda w: {"fileId": w.file, "fileName": f"x{w.given.telephone()}"},
    "delFile": lambda w: {"fileId": w.given.file(name=w.given.telephone())},
    "lms.unit.create": lambda w: {
        "courseId": w.course,
        "name": f"x{w.given.telephone()}",
        "publishFlag": 2,
    },
    "lms.unit.update": lambda w: {
        "courseId": w.course,
        "unitId": w.unit,
        "content": "changed",
    },
    "lms.unit.delete": lambda w: {"courseId": w.course, "unitId": w.syllabus.unit()},
    "lms.unit.move": lambda w: {
        "courseId": w.course,
        "unitId": w.syllabus.unit(),
        "toUnitId": w.unit,
    },
    "lms.activity.createActivityNoClass": lambda w: {
        "courseId": w.course,
        **w.syllabus.activity_form(w.unit, teacherUid=w.teacher),
    },
    "lms.activity.createClass": lambda w: {
        **class_form(w.given, w.course, teacherUid=w.teacher, unitId=w.unit),
        "assistantUids": w.assistants,
    },
    "lms.activity.updateClass": lambda w: {
        "courseId": w.course,
        "activityId": w.activity,
        "unitId": w.unit,
        "teacherUid": w.teacher,
        "assistantUids": w.assistants,
    },
    "lms.activity.release": lambda w: {
        "courseId": w.course,
        "activityIds": w.syllabus.activity(w.unit),
    },
    "lms.activity.delete": lambda w: {
        "courseId": w.course,
        "activityId": w.syllabus.activity(w.unit),
    },
    "lms.activity.addStudent": lambda w: {
        "courseId": w.course,
        "activityId": w.draft,
        "studentUids": w.members,
    },
    "lms.activity.deleteStudent": lambda w: {
        "courseId": w.course,
        "activityId": w.draft,
        "studentUids": w.members,
    },
    "createFolder": lambda w: {"folderId": w.folder, "folderName": f"x{w.given.telephone()}"},
    "editSchoolStudent": lambda w: {"studentUid": w.student, "studentName": "changed"},
    "editTeacher": lambda w: {"teacherUid": w.teacher, "teacherName": "changed"},
    "modifyPasswordByTelephone": lambda w: {"uid": w.student, "password": "secret12"},
    "modifyCourseStudentNickName": lambda w: {"studentUids": [w.student]},
    "deleteSubSchoolAccount": lambda w: {"UID": w.given.sub_account(w.given.user())},
    "addCourseTeacher": lambda w: {"courseId": w.course, "teacherUids": [w.given.teacher()]},
    "getLoginLinked": lambda w: {
        "uid": w.teacher,
        "courseId": w.course,
        "classId": w.lesson,
        "deviceType": 1,
    },
    "updateClassStudentComment": lambda w: {
        "classId": w.lesson,
        "commentJson": [{"studentUid": w.member, "starNum": 5, "comment": "x"}],
    },
    "lms.onlineDoubleTeacher.editClass": lambda w: {
        **w.main_class(),
        "className": "changed",
        "teacherUid": w.teacher,
        "assistantUids": w.assistants,
    },
    "lms.onlineDoubleTeacher.addClass": lambda w: {
        "mainCourseId": (dual := Dual(w.given)).main.course,
        "mainClassId": dual.main.lesson,
        "subClassJson": [dual.entry()],
    },
    "lms.onlineDoubleTeacher.deleteClass": lambda w: w.main_class(),
}
"""A right call of each action that takes an id."""


def list_id_params() -> list[tuple[str, str]]:
    return [
        (action.name, field.names[0])
        for action in ACTIONS
        for field in ParamsReader(action.params).fields
        if field.names[0] in KINDS
    ]


UPLOADED: Final = {("uploadFile", "folderId")}
"""Tested with the other rules of uploads: the call needs a file."""
CASES: Final = [case for case in list_id_params() if case not in GLOBAL | UPLOADED | PASSED_OVER]


def test_every_parameter_with_an_id_is_known() -> None:
    """A new one gets its kind of thing in this file."""
    names = {name for action in ACTIONS for field in ParamsReader(action.params).fields
             for name in field.names[:1]}  # fmt: skip
    ids = {name for name in names if name.lower().endswith(("id", "ids", "uid", "uids"))}
    assert ids - NO_THINGS <= KINDS.keys()
    assert {action for action, _ in CASES} <= CALLS.keys()
    assert len(CASES) >= 27


Snapshot = dict[str, list[dict[str, Any]]]


def snapshot(world: World) -> Snapshot:
    """Return everything that the read-back shows of a school."""
    read = ReadBack(world.given)
    of_people = ("/teachers", "/students", "/groups", "/comments")
    paths = (*of_people, "/courses", "/classes", "/units", "/activities", "/labels")
    drive = ("/folders", "/files")
    inner = (
        f"/courses/{world.course}/members",
        f"/classes/{world.held}/clips",
        f"/classes/{world.lesson}/members",
    )
    shown = {path: read.rows(path) for path in (*paths, *drive, *inner)}
    for stored in (*shown[inner[1]], *shown["/files"]):
        del stored["url"]  # signed anew at each reading
    read.close()
    return shown


@pytest.fixture(scope="module")
def worlds(house: House) -> Iterator[tuple[World, World, Snapshot]]:
    """Give two schools, and what the second has; refused calls change neither."""
    given = Given(house)
    own, other = World(given), World(given.other())
    yield own, other, snapshot(other)
    given.close()


def test_the_calls_are_right_with_own_ids(given: Given) -> None:
    world = World(given)
    for action, build in CALLS.items():
        reply = given.api.call(action, **build(world))
        assert reply.errno not in REFUSED, (action, reply.body, reply.reason)


@pytest.mark.parametrize(("action", "param"), CASES)
def test_another_schools_id_is_refused(
    worlds: tuple[World, World, Snapshot], action: str, param: str
) -> None:
    """Case "What held": tenancy by id."""
    own, other, before = worlds
    kind = KINDS_OF.get((action, param), KINDS[param])
    fields = {**CALLS[action](own), param: getattr(other, kind)}
    reply = own.given.api.call(action, **fields)
    data = reply.body.get("data")
    errnos = set(reply.errnos) if isinstance(data, list) else {reply.errno}
    assert errnos <= REFUSED, reply.body
    assert snapshot(other) == before


@pytest.mark.parametrize("action", ["getWebcastUrl", "editCourseClass", "delCourseClass"])
def test_both_ids_of_another_school_are_refused(
    worlds: tuple[World, World, Snapshot], action: str
) -> None:
    own, other, before = worlds
    fields = {**CALLS[action](own), "classId": other.lesson, "courseId": other.course}
    assert own.given.api.call(action, **fields).errno in REFUSED
    assert snapshot(other) == before
