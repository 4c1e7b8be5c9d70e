"""Handlers of the teachers of a course."""

from functools import partial

from homeroom.contract.course_teachers import (
    AddCourseTeacher,
    AddedCourseTeachers,
    CourseTeacherEntry,
    CourseTeacherParams,
    LessonTeacherResult,
    LessonTeacherResults,
)
from homeroom.contract.errno import Errno
from homeroom.contract.results import EmptyResult
from homeroom.partner.handlers.accounts import parse_person
from homeroom.partner.handlers.entries import get_errno, note_reasons, refuse_faulty
from homeroom.partner.routes import CallContext
from homeroom.store.storage import Storage
from homeroom.usecases import course_teachers
from homeroom.usecases.course_teachers import Person


def prepare_next_teacher(_storage: Storage, params: CourseTeacherParams) -> Person:
    """Parse the account of the new teacher where it counts."""
    return parse_person(params.teacher_uid, params.teacher_account, Errno.PHONE_MALFORMED)


def modify_course_teacher(
    call: CallContext[Person], params: CourseTeacherParams
) -> LessonTeacherResults:
    """Give a teacher to the classes that have not begun, and return a result for each."""
    verdicts = course_teachers.replace_in_lessons(
        call.uow, call.school, params.course_id, call.prepared, partial(refuse_faulty, call)
    )
    note_reasons(call.reasons, verdicts.values())
    return LessonTeacherResults(
        data=[
            LessonTeacherResult(class_id=lesson, errno=errno.number, error=errno.zh)
            for lesson, errno in zip(verdicts, map(get_errno, verdicts.values()), strict=True)
        ]
    )


def prepare_former_teacher(_storage: Storage, params: CourseTeacherParams) -> Person:
    """Parse the account of the teacher to remove where it counts."""
    return parse_person(params.teacher_uid, params.teacher_account, Errno.TEACHER_ACCOUNT_MALFORMED)


def remove_course_teacher(call: CallContext[Person], params: CourseTeacherParams) -> EmptyResult:
    """Remove a teacher from the list of a course."""
    course_teachers.remove(call.uow, call.school, params.course_id, call.prepared)
    return EmptyResult()


def add_course_teacher(call: CallContext[None], params: AddCourseTeacher) -> AddedCourseTeachers:
    """Add teachers to a course."""
    requests = refuse_faulty(call, params.teacher_uids)
    verdicts = course_teachers.add(call.uow, call.school, params.course_id, requests)
    note_reasons(call.reasons, verdicts)
    errnos = map(get_errno, verdicts)
    return AddedCourseTeachers(
        data=[
            CourseTeacherEntry(teacher_uid=uid, code=errno.number, msg=errno.zh)
            for uid, errno in zip(params.teacher_uids, errnos, strict=True)
        ]
    )
