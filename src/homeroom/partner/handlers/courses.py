"""Handlers of courses."""

from collections.abc import Iterable
from typing import NamedTuple

from msgspec import UNSET, UnsetType

from homeroom.base.clock import Moment
from homeroom.base.ids import CourseId, SchoolId
from homeroom.contract.courses import (
    AddCourse,
    AddedCourse,
    CourseIdParams,
    EditCourse,
    GetWebcastURL,
    WebcastURL,
)
from homeroom.contract.errno import Errno
from homeroom.contract.results import EmptyResult
from homeroom.domain.accounts import AccountName, parse_account_name
from homeroom.domain.refusal import Refusal
from homeroom.domain.webcasts import Hosts
from homeroom.partner.handlers.teachers import try_to_save_picture
from homeroom.partner.routes import CallContext
from homeroom.store.storage import Storage
from homeroom.usecases import courses

DROP = 2


def get_lock_keys(school: SchoolId, params: AddCourse) -> Iterable[str]:
    """Return the lock key of the identity of a new course."""
    identity = params.course_unique_identity
    return (f"course identity {school} {identity}",) if identity is not None else ()


class PreparedCourse(NamedTuple):
    """The head teacher's account and the name of the stored cover, or the refusals of them.

    A refusal is due after other checks.
    """

    head_teacher: AccountName | Refusal | None
    cover: str | Refusal | None


def prepare_course(storage: Storage, params: AddCourse | EditCourse) -> PreparedCourse:
    """Parse the head teacher's account, and save the cover."""
    return PreparedCourse(_parse_head_teacher(params), try_to_save_picture(storage, params.picture))


def describe_existing_course(_hosts: Hosts, course: object) -> AddedCourse:
    """Return the course that has the identity already."""
    if not isinstance(course, int):
        raise TypeError(course)
    return AddedCourse(data=CourseId(course))


def add_course(call: CallContext[PreparedCourse], params: AddCourse) -> AddedCourse:
    """Create a course and return its id."""
    course = courses.add(
        call.uow, call.deps, call.school, _settings(call, params), params.course_unique_identity
    )
    return AddedCourse(data=course)


def edit_course(call: CallContext[PreparedCourse], params: EditCourse) -> EmptyResult:
    """Edit a course."""
    courses.edit(
        call.uow,
        call.school,
        params.course_id,
        _settings(call, params),
        drops_former_head=params.stamp == DROP,
    )
    return EmptyResult()


def end_course(call: CallContext[None], params: CourseIdParams) -> EmptyResult:
    """End a course."""
    courses.end(call.uow, call.school, params.course_id)
    return EmptyResult()


def get_webcast_url(call: CallContext[None], params: GetWebcastURL) -> WebcastURL:
    """Return the address of a course's page, for one of its classes where one is named."""
    key = courses.get_page_key(call.uow, call.school, params.course_id, params.class_id)
    lesson = f"&lessonid={params.class_id}" if params.class_id is not None else ""
    return WebcastURL(data=f"{call.hosts.pages}/webcast.php?courseKey={key}{lesson}")


def _parse_head_teacher(params: AddCourse | EditCourse) -> AccountName | Refusal | None:
    """Parse the account where it counts; whatever is wrong with it has one errno."""
    if params.main_teacher_uid is not None or params.main_teacher_account is None:
        return None
    malformed = Errno.HEAD_TEACHER_ACCOUNT_MALFORMED
    try:
        return parse_account_name(params.main_teacher_account, malformed)
    except Refusal as refusal:
        return Refusal(malformed, refusal.reason)


def _settings(
    call: CallContext[PreparedCourse], params: AddCourse | EditCourse
) -> courses.CourseFields:
    return courses.CourseFields(
        name=params.course_name,
        folder=params.folder_id,
        expires_at=_expiry(params.expiry_time),
        head_teacher=params.main_teacher_uid,
        head_teacher_name=call.prepared.head_teacher,
        subject=params.subject_id,
        category=params.cat_id,
        introduction=params.introduction,
        preset=params.classroom_setting_id,
        allow_add_friend=params.allow_add_friend,
        allow_student_modify_nickname=params.allow_student_modify_nickname,
        hides_replay_from_leavers=params.not_allow_delete_course_student_replay,
        cover=call.prepared.cover,
    )


def _expiry(params: Moment | UnsetType) -> Moment | UnsetType | None:
    """Return the expiry params for; the wire's 0 is never."""
    return UNSET if params is UNSET else params or None
