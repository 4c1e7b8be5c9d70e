"""The lists of the read-back: from rows to the wire."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from homeroom.admin import lists_classes as classes
from homeroom.admin.asked import Asked, account, each, is_cancelled, missing, switch
from homeroom.base.ids import CourseId
from homeroom.contract import readback as wire
from homeroom.contract.viewers import LESSON_VIEWERS, MESSAGES, VIEWERS
from homeroom.domain.courses import CourseKind
from homeroom.store.paging import Page
from homeroom.store.readback_records import (
    FolderRecord,
    LabelRecord,
    MemberRecord,
    SchoolRecord,
    StudentRecord,
    TeacherRecord,
)
from homeroom.usecases import readback
from homeroom.usecases.readback import ListedCourse

COURSE_TYPES: dict[str, int] = {CourseKind.STANDARD: 1, CourseKind.PUBLIC: 2, CourseKind.DUAL: 3}


# --- schools and their people --------------------------------------------------------------------


def _schools(asked: Asked) -> Page[wire.SchoolRow]:
    return each(readback.list_schools(asked.uow, asked.filters(), asked.span), _school)


def _school(shown: SchoolRecord) -> wire.SchoolRow:
    return wire.SchoolRow(
        sid=shown.id,
        school_name=shown.name,
        owner_uid=shown.owner,
        is_suspended=switch(shown.plan.suspended),
        plan=msgspec.structs.asdict(shown.plan),
        created_time=shown.created_at,
    )


def _teachers(asked: Asked) -> Page[wire.TeacherRow]:
    return each(readback.list_teachers(asked.uow, asked.filters(), asked.span), _teacher)


def _teacher(shown: TeacherRecord) -> wire.TeacherRow:
    return wire.TeacherRow(
        sid=shown.school,
        uid=shown.uid,
        account=account(shown),
        name=shown.name,
        state=shown.state,
        is_cancelled=is_cancelled(shown),
        created_time=shown.created_at,
    )


def _students(asked: Asked) -> Page[wire.StudentRow]:
    return each(readback.list_students(asked.uow, asked.filters(), asked.span), _student)


def _student(shown: StudentRecord) -> wire.StudentRow:
    return wire.StudentRow(
        sid=shown.school,
        uid=shown.uid,
        account=account(shown),
        name=shown.name,
        is_cancelled=is_cancelled(shown),
        created_time=shown.created_at,
    )


# --- courses -------------------------------------------------------------------------------------


def _courses(asked: Asked) -> Page[wire.CourseRow]:
    return each(readback.list_courses(asked.uow, asked.filters(), asked.span), _course)


def _course(seen: ListedCourse) -> wire.CourseRow:
    course = seen.course
    friends = course.allow_add_friend
    return wire.CourseRow(
        sid=course.school,
        course_id=course.id,
        course_name=course.name,
        course_type=COURSE_TYPES[course.kind],
        course_unique_identity=course.identity,
        state=course.state,
        main_teacher_uid=course.head_teacher,
        folder_id=course.folder,
        classroom_setting_id=course.preset,
        subject_id=course.subject,
        cat_id=course.category,
        course_introduce=course.introduction,
        allow_add_friend=None if friends is None else switch(friends),
        allow_student_modify_nickname=switch(course.allow_student_modify_nickname),
        not_allow_delete_course_student_replay=switch(course.hides_replay_from_leavers),
        label_ids=list(seen.labels),
        expiry_time=course.expires_at or 0,
        created_time=course.created_at,
        ended_time=course.ended_at,
        deleted_time=course.deleted_at,
    )


def _members(asked: Asked) -> Page[wire.MemberRow]:
    course = CourseId(asked.path)
    if not readback.can_see_course(asked.uow, asked.scope, course):
        raise missing("course", "courseId", course)
    return each(
        readback.list_members(asked.uow, course, asked.filters(), asked.span), _roster_member
    )


def _roster_member(shown: MemberRecord) -> wire.MemberRow:
    return wire.MemberRow(
        course_id=shown.course,
        uid=shown.uid,
        account=account(shown),
        identity=shown.role,
        name=shown.name,
        nickname=shown.nickname,
        is_cancelled=is_cancelled(shown),
        joined_time=shown.joined_at,
    )


# --- labels and folders --------------------------------------------------------------------------


def _labels(asked: Asked) -> Page[wire.LabelRow]:
    return each(readback.list_labels(asked.uow, asked.filters(), asked.span), _label)


def _label(shown: LabelRecord) -> wire.LabelRow:
    return wire.LabelRow(
        sid=shown.school,
        label_id=shown.id,
        label_name=shown.name,
        colour=shown.colour,
        created_time=shown.created_at,
    )


def _folders(asked: Asked) -> Page[wire.FolderRow]:
    return each(readback.list_folders(asked.uow, asked.filters(), asked.span), _folder)


def _folder(shown: FolderRecord) -> wire.FolderRow:
    return wire.FolderRow(
        sid=shown.school,
        folder_id=shown.id,
        parent_id=shown.parent,
        folder_name=shown.name,
        depth=shown.depth,
        is_writable=switch(shown.is_writable),
        created_time=shown.created_at,
    )


ANSWERS: Mapping[str, Callable[[Asked], Any]] = {
    wire.SCHOOLS.name: _schools,
    wire.TEACHERS.name: _teachers,
    wire.STUDENTS.name: _students,
    wire.COURSES.name: _courses,
    wire.MEMBERS.name: _members,
    wire.LESSONS.name: classes.lessons,
    wire.LESSON.name: classes.one_lesson,
    wire.STREAM.name: classes.stream,
    wire.CLIPS.name: classes.clips,
    VIEWERS.name: classes.viewers,
    LESSON_VIEWERS.name: classes.viewers_of_one,
    MESSAGES.name: classes.messages,
    wire.LABELS.name: _labels,
    wire.FOLDERS.name: _folders,
}
"""What answers each address of the read-back, in one look."""
