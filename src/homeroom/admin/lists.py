"""Handlers of the read-back except those of classes: they convert records to rows of the wire."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from homeroom.admin import lists_activities as activities
from homeroom.admin import lists_classes as classes
from homeroom.admin import lists_drive, lists_messages
from homeroom.admin import lists_members as members
from homeroom.admin.request import (
    ReadBackRequest,
    get_account,
    is_cancelled,
    map_page,
    not_found_error,
    to_switch,
)
from homeroom.base.ids import CourseId
from homeroom.contract import readback as wire
from homeroom.contract.activity_rows import ACTIVITIES, UNITS
from homeroom.contract.comments import COMMENTS, CommentRow
from homeroom.contract.operator_messages import ENDPOINT, ENDPOINTS, OUTBOX_MESSAGE, OUTBOX_MESSAGES
from homeroom.contract.readback_conf import CONF, ConfRow
from homeroom.contract.readback_drive import FILES, FOLDERS
from homeroom.contract.readback_members import ATTENDANCE, CLASS_MEMBERS, GROUPINGS
from homeroom.contract.viewers import LESSON_VIEWERS, MESSAGES, VIEWERS
from homeroom.domain.courses import CourseKind
from homeroom.store.paging import Page
from homeroom.store.readback_records import (
    CommentRecord,
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


def _list_schools(request: ReadBackRequest) -> Page[wire.SchoolRow]:
    return map_page(
        readback.list_schools(request.uow, request.build_filters(), request.page), _to_school_row
    )


def _to_school_row(record: SchoolRecord) -> wire.SchoolRow:
    return wire.SchoolRow(
        sid=record.id,
        school_name=record.name,
        owner_uid=record.owner,
        is_suspended=to_switch(record.plan.suspended),
        plan=msgspec.structs.asdict(record.plan),
        created_time=record.created_at,
    )


def _list_conf(request: ReadBackRequest) -> Page[ConfRow]:
    return map_page(
        readback.list_schools(request.uow, request.build_filters(), request.page), _to_conf_row
    )


def _to_conf_row(record: SchoolRecord) -> ConfRow:
    return ConfRow(
        sid=record.id,
        allow_view_replay=to_switch(record.conf.allows_replay),
        allow_new_student_view_replay=to_switch(record.conf.allows_replay_to_new_students),
    )


def _list_teachers(request: ReadBackRequest) -> Page[wire.TeacherRow]:
    return map_page(
        readback.list_teachers(request.uow, request.reader, request.build_filters(), request.page),
        _to_teacher_row,
    )


def _to_teacher_row(record: TeacherRecord) -> wire.TeacherRow:
    return wire.TeacherRow(
        sid=record.school,
        uid=record.uid,
        account=get_account(record),
        name=record.name,
        state=record.state,
        is_cancelled=is_cancelled(record),
        created_time=record.created_at,
    )


def _list_students(request: ReadBackRequest) -> Page[wire.StudentRow]:
    return map_page(
        readback.list_students(request.uow, request.reader, request.build_filters(), request.page),
        _to_student_row,
    )


def _to_student_row(record: StudentRecord) -> wire.StudentRow:
    return wire.StudentRow(
        sid=record.school,
        uid=record.uid,
        account=get_account(record),
        name=record.name,
        is_cancelled=is_cancelled(record),
        created_time=record.created_at,
    )


# --- courses -------------------------------------------------------------------------------------


def _list_courses(request: ReadBackRequest) -> Page[wire.CourseRow]:
    return map_page(
        readback.list_courses(request.uow, request.build_filters(), request.page), _to_course_row
    )


def _to_course_row(listed: ListedCourse) -> wire.CourseRow:
    course = listed.course
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
        allow_add_friend=to_switch(friends) if friends is not None else None,
        allow_student_modify_nickname=to_switch(course.allow_student_modify_nickname),
        not_allow_delete_course_student_replay=to_switch(course.hides_replay_from_leavers),
        label_ids=list(listed.labels),
        expiry_time=course.expires_at or 0,
        created_time=course.created_at,
        ended_time=course.ended_at,
        deleted_time=course.deleted_at,
    )


def _list_members(request: ReadBackRequest) -> Page[wire.MemberRow]:
    course = CourseId(request.path_id)
    if not readback.can_see_course(request.uow, request.scope, course):
        raise not_found_error("course", "courseId", course)
    return map_page(
        readback.list_members(
            request.uow, request.reader, course, request.build_filters(), request.page
        ),
        _to_member_row,
    )


def _to_member_row(record: MemberRecord) -> wire.MemberRow:
    return wire.MemberRow(
        course_id=record.course,
        uid=record.uid,
        account=get_account(record),
        identity=record.role,
        name=record.name,
        nickname=record.nickname,
        is_cancelled=is_cancelled(record),
        joined_time=record.joined_at,
    )


# --- labels --------------------------------------------------------------------------------------
# --- comments ------------------------------------------------------------------------------------


def _list_comments(request: ReadBackRequest) -> Page[CommentRow]:
    return map_page(
        readback.list_comments(request.uow, request.reader, request.build_filters(), request.page),
        _to_comment_row,
    )


def _to_comment_row(record: CommentRecord) -> CommentRow:
    return CommentRow(
        sid=record.school,
        class_id=record.lesson,
        student_uid=record.uid,
        account=get_account(record),
        star_num=record.stars,
        comment=record.text,
        created_time=record.created_at,
        changed_time=record.changed_at,
    )


# --- labels and folders --------------------------------------------------------------------------


def _list_labels(request: ReadBackRequest) -> Page[wire.LabelRow]:
    return map_page(
        readback.list_labels(request.uow, request.build_filters(), request.page), _to_label_row
    )


def _to_label_row(record: LabelRecord) -> wire.LabelRow:
    return wire.LabelRow(
        sid=record.school,
        label_id=record.id,
        label_name=record.name,
        colour=record.colour,
        created_time=record.created_at,
    )


HANDLERS: Mapping[str, Callable[[ReadBackRequest], Any]] = {
    wire.SCHOOLS.name: _list_schools,
    CONF.name: _list_conf,
    wire.TEACHERS.name: _list_teachers,
    wire.STUDENTS.name: _list_students,
    wire.COURSES.name: _list_courses,
    wire.MEMBERS.name: _list_members,
    GROUPINGS.name: members.list_groupings,
    CLASS_MEMBERS.name: members.list_class_members,
    ATTENDANCE.name: members.list_attendance,
    UNITS.name: activities.list_units,
    ACTIVITIES.name: activities.list_activities,
    wire.LESSONS.name: classes.list_lessons,
    wire.LESSON.name: classes.get_lesson,
    wire.STREAM.name: classes.get_stream,
    wire.CLIPS.name: classes.list_clips,
    VIEWERS.name: classes.list_viewers,
    LESSON_VIEWERS.name: classes.list_lesson_viewers,
    COMMENTS.name: _list_comments,
    MESSAGES.name: classes.list_messages,
    wire.LABELS.name: _list_labels,
    FOLDERS.name: lists_drive.list_folders,
    FILES.name: lists_drive.list_files,
    ENDPOINTS.name: lists_messages.list_endpoints,
    ENDPOINT.name: lists_messages.get_endpoint,
    OUTBOX_MESSAGES.name: lists_messages.list_messages,
    OUTBOX_MESSAGE.name: lists_messages.get_message,
}
"""The handler of each read-back endpoint; it runs in a single read of the store."""
