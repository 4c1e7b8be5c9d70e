"""Add, edit and end courses."""

from typing import TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from homeroom.base.clock import Moment
from homeroom.base.ids import CourseId, FolderId, LessonId, PresetId, SchoolId, UserId
from homeroom.contract.errno import Errno
from homeroom.contract.messages.schedule import ScheduleStatus
from homeroom.domain.accounts import AccountName
from homeroom.domain.courses import CHANGE_RULE, REFERENCE_RULE, Course, CourseKind, check_expiry
from homeroom.domain.refusal import Refusal
from homeroom.domain.schools import School
from homeroom.domain.teachers import (
    FIRST_HEAD_TEACHER_RULE,
    NEW_HEAD_TEACHER_RULE,
    TeacherRule,
    check_candidates,
)
from homeroom.store.engine import SQLValue
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import course_messages, lesson_messages, people
from homeroom.usecases.accounts import get_current_school, get_school_and_course
from homeroom.usecases.dependencies import Dependencies
from homeroom.usecases.lessons import check_lesson

T = TypeVar("T")


class CourseFields(msgspec.Struct, frozen=True):
    """The fields of a course to add or edit; None stays unchanged, or takes the default.

    A field that the handler could not read is a `Refusal`, raised in the order of the checks.
    """

    name: str | None = None
    folder: FolderId | None = None
    expires_at: Moment | UnsetType | None = UNSET
    """None: never."""
    head_teacher: UserId | None = None
    head_teacher_name: AccountName | Refusal | None = None
    subject: int | None = None
    category: int | None = None
    introduction: str | None = None
    preset: PresetId | None = None
    allow_add_friend: bool | None = None
    allow_student_modify_nickname: bool | None = None
    hides_replay_from_leavers: bool | None = None
    cover: str | Refusal | None = None


def add(
    uow: UnitOfWork,
    deps: Dependencies,
    school: SchoolId,
    fields: CourseFields,
    identity: str | None,
) -> CourseId:
    """Add a course to the school and return its id."""
    current = get_current_school(uow, school)
    if identity is not None:
        earlier = uow.courses.find_by_identity(school, identity)
        if earlier is not None:
            raise Refusal(
                Errno.IDENTITY_TAKEN, f"course {earlier} has this identity", about=earlier
            )
    cover = _unwrap(fields.cover)
    expires_at = None if fields.expires_at is UNSET else fields.expires_at
    check_expiry(expires_at, uow.now)
    head = _resolve_head_teacher(uow, current, fields, FIRST_HEAD_TEACHER_RULE, None)
    _check_references(uow, school, fields)
    columns: dict[str, SQLValue] = {
        "school_id": school,
        "name": fields.name,
        "key": deps.keys.public_key(),
        "kind": CourseKind.STANDARD.value,
        "unique_identity": identity,
        "head_teacher_id": head,
        "folder_id": fields.folder,
        "preset_id": fields.preset,
        "subject": fields.subject or 0,
        "category": fields.category,
        "introduction": fields.introduction or "",
        "cover": cover,
        "allow_add_friend": _switch_value(fields.allow_add_friend),
        "allow_student_modify_nickname": int(fields.allow_student_modify_nickname or False),
        "hides_replay_from_leavers": int(fields.hides_replay_from_leavers or False),
        "expires_at": expires_at,
        "ended_at": None,
        "deleted_at": None,
        "created_at": uow.now,
    }
    course = uow.courses.add(columns)
    if head is not None:
        uow.courses.add_teachers(course, [head])
    course_messages.emit_new_course(uow, school, course, columns)
    return course


def edit(
    uow: UnitOfWork,
    school: SchoolId,
    course_id: CourseId,
    fields: CourseFields,
    *,
    drops_former_head: bool,
) -> None:
    """Change a course of the school; fields of None stay unchanged."""
    current, course = get_school_and_course(uow, school, course_id, CHANGE_RULE)
    if fields.category is not None and fields.name is None:
        raise Refusal(Errno.BAD_DATA, "catId needs courseName in the same call")
    cover = _unwrap(fields.cover)
    if fields.expires_at is not UNSET:
        check_expiry(fields.expires_at, uow.now, uow.courses.get_last_end(course_id))
    head = _resolve_head_teacher(uow, current, fields, NEW_HEAD_TEACHER_RULE, course)
    _check_references(uow, school, fields)
    values: dict[str, SQLValue] = {
        "name": fields.name,
        "head_teacher_id": head,
        "folder_id": fields.folder,
        "preset_id": fields.preset,
        "subject": fields.subject,
        "category": fields.category,
        "introduction": fields.introduction,
        "cover": cover,
        "allow_add_friend": _switch_value(fields.allow_add_friend),
        "allow_student_modify_nickname": _switch_value(fields.allow_student_modify_nickname),
        "hides_replay_from_leavers": _switch_value(fields.hides_replay_from_leavers),
    }
    changed: dict[str, SQLValue] = {
        name: value for name, value in values.items() if value is not None
    }
    if fields.expires_at is not UNSET:
        changed["expires_at"] = fields.expires_at
    if fields.folder is not None and course.folder not in (None, fields.folder):
        uow.courses.pin_folder(course_id, course.folder, uow.now)
    uow.courses.save(course_id, changed)
    if head is not None:
        if drops_former_head and course.head_teacher not in (None, head):
            uow.courses.delete_teacher(course_id, course.head_teacher)
        uow.courses.add_teachers(course_id, [head])
    course_messages.emit_edited_course(uow, course, changed)


def end(uow: UnitOfWork, school: SchoolId, course: CourseId) -> None:
    """End a course: its classes that have not started are deleted (READINGS Q49)."""
    current, ending = get_school_and_course(uow, school, course, CHANGE_RULE)
    if lesson := uow.courses.find_running_lesson(course, uow.now):
        raise Refusal(Errno.COURSE_HAS_RUNNING_LESSON, f"class {lesson} is running")
    keeps = current.plan.keep_identities
    deleted = uow.courses.delete_unstarted_lessons(course, uow.now, keeps_identities=keeps)
    subs = uow.sub_lessons.delete_with_mains(course, uow.now, keeps_identities=keeps)
    uow.courses.save(course, {"ended_at": uow.now})
    lesson_messages.emit_ended_course(
        uow, ending, dict.fromkeys(deleted, course) | subs, ScheduleStatus.ENDED
    )


def get_page_key(
    uow: UnitOfWork, school: SchoolId, course_id: CourseId, lesson: LessonId | None
) -> str:
    """Return the key of a course's page; raise `Refusal` if the class is not in the course."""
    course = uow.courses.get_usable(school, course_id, uow.now, REFERENCE_RULE)
    if lesson is not None:
        check_lesson(uow.lessons.get(lesson), course_id)
    return course.key


def _unwrap(value: T | Refusal) -> T:
    """Return a value; raise it if it is a `Refusal`."""
    if isinstance(value, Refusal):
        raise value
    return value


def _switch_value(value: bool | None) -> int | None:  # noqa: FBT001  a value, not a mode
    return int(value) if value is not None else None


def _resolve_head_teacher(
    uow: UnitOfWork, school: School, fields: CourseFields, rule: TeacherRule, course: Course | None
) -> UserId | None:
    """Return the head teacher of the request; raise `Refusal` if the person does not fit."""
    user = fields.head_teacher
    name = _unwrap(fields.head_teacher_name)
    if user is None and name is not None:
        person = people.find_user(uow, school.id, None, name)
        if person is None:
            raise Refusal(rule.unknown)
        user = person.id
    if user is None:
        return None
    course_id = course.id if course is not None else None
    candidate = people.find_teachers(uow, school.id, (user,), course_id)[0].candidate
    check_candidates([candidate], rule)
    if not school.plan.head_teachers:
        raise Refusal(Errno.HEAD_TEACHER_NOT_ADDED, "the school's plan has no head teachers")
    former = course.head_teacher if course is not None else None
    if course is not None and former not in (None, user):
        lesson = uow.courses.find_unfinished_lesson(course.id, former, uow.now)
        if lesson is not None:
            raise Refusal(Errno.HEAD_TEACHER_HAS_LESSONS, f"class {lesson} is not over")
    return user


def _check_references(uow: UnitOfWork, school: SchoolId, fields: CourseFields) -> None:
    """Refuse a folder or a preset that the school does not have."""
    if fields.folder is not None:
        folder = uow.drive.get(fields.folder)
        if folder is None or folder.school != school:
            raise Refusal(Errno.FOLDER_NOT_IN_DRIVE)
    if fields.preset is not None:
        owner = uow.schools.find_preset_school(fields.preset)
        if owner is None:
            raise Refusal(Errno.NO_SUCH_PRESET)
        if owner != school:
            raise Refusal(Errno.PRESET_OF_ANOTHER_SCHOOL)
