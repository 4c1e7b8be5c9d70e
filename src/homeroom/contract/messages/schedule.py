"""The bodies of the messages about changes of the schedule: courses, classes and their students.

On creation a body has all fields of the thing, later only those that changed (READINGS Q94).
"""

from enum import IntEnum
from typing import ClassVar, Final

import msgspec
from msgspec import UNSET, UnsetType, field

from homeroom.base.clock import Moment
from homeroom.base.ids import CourseId, LabelId, LessonId, UserId
from homeroom.contract.messages.body import MessageBody
from homeroom.contract.messages.kinds import MessageKind

NEW_UUID: Final = "$uuid"
"""The value of a field that is sent as a UUID; it is the same at each attempt (Q90)."""


class OpType(IntEnum):
    """The kind of a change: `opType` on the wire."""

    ADD = 1
    DELETE = 2
    CHANGE = 3


class OpSource(IntEnum):
    """The interface by which it was done: `opSource` on the wire."""

    CONSOLE = 3
    """Calls of the v2 wire, commands and pages."""
    V1 = 6
    """Calls of the v1 wire."""


class ScheduleStatus(IntEnum):
    """The status of a course or a class."""

    NOT_STARTED = 1
    RUNNING = 2
    ENDED = 3
    DELETED = 4


class ChangedTeacher(msgspec.Struct, frozen=True, rename="camel"):
    """A teacher of a class, or the head teacher of a course."""

    teacher_name: str
    teacher_uid: UserId
    teacher_no: str = ""


class ChangedLabel(msgspec.Struct, frozen=True, rename="camel"):
    """A label of a course or of a class."""

    label_name: str
    label_id: LabelId


class ChangedStudent(msgspec.Struct, frozen=True, rename="camel"):
    """A student who was added or removed."""

    student_name: str
    student_uid: UserId
    student_no: str = ""
    label_infos: list[ChangedLabel] = []


class CourseChanges(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The fields of a course that changed."""

    course_id: CourseId
    course_name: str | UnsetType = UNSET
    expiry_time: Moment | UnsetType = UNSET
    """0: never."""
    course_type: int | UnsetType = UNSET
    """1 standard, 2 open, 3 old dual-teacher."""
    course_status: ScheduleStatus | UnsetType = UNSET
    category: str | UnsetType = UNSET
    category_id: int | UnsetType = UNSET
    subject_id: int | UnsetType = UNSET
    main_teacher_info: ChangedTeacher | UnsetType = UNSET
    label_infos: list[ChangedLabel] | UnsetType = UNSET


class ClassChanges(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The fields of a class that changed."""

    course_id: CourseId
    class_id: LessonId
    seat_num: int | UnsetType = UNSET
    """Students and the teacher."""
    is_auto_onstage: int | UnsetType = UNSET
    """0: students enter on stage, 1: they do not."""
    class_type: int | UnsetType = UNSET
    """1 standard, 9 a dual-teacher sub class."""
    class_name: str | UnsetType = UNSET
    course_name: str | UnsetType = UNSET
    begin_time: Moment | UnsetType = UNSET
    end_time: Moment | UnsetType = UNSET
    class_status: ScheduleStatus | UnsetType = UNSET
    main_class_id: int | UnsetType = field(default=UNSET, name="MainClassId")
    """Only on creation: the main class of a sub class, else 0."""
    teacher_info: ChangedTeacher | UnsetType = UNSET
    assistant_teacher_infos: list[ChangedTeacher] | UnsetType = UNSET
    label_infos: list[ChangedLabel] | UnsetType = UNSET


class CourseStudentsChanges(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Students who were added to a course, or removed from it."""

    course_id: CourseId
    course_name: str
    student_infos: list[ChangedStudent]


class ClassStudentsChanges(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Students who were added to a single class, or removed from it."""

    course_id: CourseId
    class_id: LessonId
    class_name: str
    student_infos: list[ChangedStudent]


class _Change(MessageBody, frozen=True, kw_only=True, rename="camel"):
    """The fields that all messages about the schedule have."""

    course: CourseId = field(name="CourseId")
    op_type: OpType
    op_time: Moment
    user: UserId = field(name="UID")
    """Who did it: the school account for calls and commands."""
    op_source: OpSource
    uuid: str = NEW_UUID


class CourseChanged(_Change, frozen=True, kw_only=True, rename="camel"):
    """A course was added or changed, ended or deleted."""

    kind: ClassVar[MessageKind] = MessageKind.COURSE_CHANGED

    op_data: CourseChanges


class ClassChanged(_Change, frozen=True, kw_only=True, rename="camel"):
    """A class was added, changed, closed early or deleted."""

    kind: ClassVar[MessageKind] = MessageKind.CLASS_CHANGED

    op_data: ClassChanges


class CourseStudentsChanged(_Change, frozen=True, kw_only=True, rename="camel"):
    """Students were added to a course, or removed from it."""

    kind: ClassVar[MessageKind] = MessageKind.COURSE_STUDENTS_CHANGED

    op_data: CourseStudentsChanges


class ClassStudentsChanged(_Change, frozen=True, kw_only=True, rename="camel"):
    """Students were added to a single class, or removed from it."""

    kind: ClassVar[MessageKind] = MessageKind.CLASS_STUDENTS_CHANGED

    op_data: ClassStudentsChanges
