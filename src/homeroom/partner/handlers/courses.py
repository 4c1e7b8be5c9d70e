"""Courses: wire to use case and back."""

from collections.abc import Iterable

from msgspec import UNSET, UnsetType

from homeroom.base.clock import Moment
from homeroom.base.ids import CourseId, SchoolId
from homeroom.contract.courses import (
    AddCourse,
    CourseIdParams,
    CourseParams,
    EditCourse,
    GetWebcastURL,
)
from homeroom.contract.errno import Errno
from homeroom.domain.accounts import AccountName, parse_account_name
from homeroom.domain.refusal import Refusal
from homeroom.domain.webcasts import Hosts
from homeroom.partner.answers import Answer
from homeroom.partner.handlers.teachers import kept_picture
from homeroom.partner.routes import CallContext
from homeroom.store.files import LocalStorage
from homeroom.usecases import courses

DROP = 2


def identity_keys(school: SchoolId, asked: AddCourse) -> Iterable[str]:
    """Name the identity that a new course takes."""
    identity = asked.course_unique_identity
    return () if identity is None else (f"course identity {school} {identity}",)


def prepare(files: LocalStorage, asked: CourseParams) -> str | Refusal | None:
    """Keep the cover; what is no picture is refused when its turn comes."""
    try:
        return kept_picture(files, asked.picture)
    except Refusal as refusal:
        return refusal


def earlier(_hosts: Hosts, course: CourseId) -> Answer:
    """Answer with the course made earlier."""
    return Answer(data=course)


def add_course(call: CallContext, asked: AddCourse) -> Answer:
    """Serve addCourse."""
    course = courses.add(
        call.uow, call.deps, call.school, _settings(call, asked), asked.course_unique_identity
    )
    return Answer(data=course)


def edit_course(call: CallContext, asked: EditCourse) -> Answer:
    """Serve editCourse."""
    courses.edit(
        call.uow,
        call.school,
        asked.course_id,
        _settings(call, asked),
        drops_former_head=asked.stamp == DROP,
    )
    return Answer()


def end_course(call: CallContext, asked: CourseIdParams) -> Answer:
    """Serve endCourse."""
    courses.end(call.uow, call.school, asked.course_id)
    return Answer()


def get_webcast_url(call: CallContext, asked: GetWebcastURL) -> Answer:
    """Serve getWebcastUrl."""
    key = courses.page_key(call.uow, call.school, asked.course_id, asked.class_id)
    lesson = "" if asked.class_id is None else f"&lessonid={asked.class_id}"
    return Answer(data=f"{call.hosts.pages}/webcast.php?courseKey={key}{lesson}")


def _settings(call: CallContext, asked: AddCourse | EditCourse) -> courses.CourseSettings:
    name: AccountName | Refusal | None = None
    if asked.main_teacher_uid is None and asked.main_teacher_account is not None:
        try:
            name = parse_account_name(
                asked.main_teacher_account, Errno.HEAD_TEACHER_ACCOUNT_MALFORMED
            )
        except Refusal as refusal:
            name = Refusal(Errno.HEAD_TEACHER_ACCOUNT_MALFORMED, refusal.reason)
    return courses.CourseSettings(
        name=asked.course_name,
        folder=asked.folder_id,
        expires_at=_expiry(asked.expiry_time),
        head_teacher=asked.main_teacher_uid,
        head_teacher_name=name,
        subject=asked.subject_id,
        category=asked.cat_id,
        introduction=asked.introduction,
        preset=asked.classroom_setting_id,
        allow_add_friend=asked.allow_add_friend,
        allow_student_modify_nickname=asked.allow_student_modify_nickname,
        hides_replay_from_leavers=asked.not_allow_delete_course_student_replay,
        cover=call.prepared,
    )


def _expiry(asked: Moment | UnsetType) -> Moment | UnsetType | None:
    """Return the expiry asked for; the wire's 0 is never."""
    return UNSET if asked is UNSET else asked or None
