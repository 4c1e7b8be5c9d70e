"""Handlers of classes."""

from collections.abc import Iterable

from msgspec import UNSET, UnsetType

from homeroom.base.ids import SchoolId, UserId
from homeroom.contract.errno import Errno
from homeroom.contract.lessons import (
    SECOND_CAMERA,
    SMART,
    AddCourseClass,
    AddedLesson,
    DelCourseClass,
    EditCourseClass,
    EditedLesson,
    NewLessonParams,
)
from homeroom.contract.results import EmptyResult, LiveAddresses, LiveInfo
from homeroom.contract.switches import (
    RecordingSwitches,
    any_switch,
    list_missing_switches,
)
from homeroom.domain.lessons import (
    DEFAULT_SEATS,
    ClassroomSettings,
    Hours,
    HoursChange,
    Lesson,
    LessonChange,
    NewLesson,
    RecordingChange,
    RecordingOptions,
    WatchPolicy,
)
from homeroom.domain.webcasts import Hosts, StreamAddresses, build_lesson_addresses
from homeroom.partner.handlers.accounts import parse_person
from homeroom.partner.routes import CallContext
from homeroom.store.storage import Storage
from homeroom.usecases import lessons, new_lessons
from homeroom.usecases.new_lessons import LessonRequest


def get_lock_keys(school: SchoolId, params: NewLessonParams) -> Iterable[str]:
    """Return the lock key of the identity of a new class."""
    return get_identity_keys(school, params.course_unique_identity)


def get_identity_keys(school: SchoolId, identity: str | None) -> Iterable[str]:
    """Return the lock key of an identity, which is the same on both wires."""
    return (f"class identity {school} {identity}",) if identity is not None else ()


def describe_existing_lesson(hosts: Hosts, lesson: object) -> AddedLesson:
    """Return the class that has the identity already (READINGS Q1)."""
    if not isinstance(lesson, Lesson):
        raise TypeError(lesson)
    return _make_added_lesson(lesson, hosts)


def prepare_request(_storage: Storage, params: AddCourseClass) -> LessonRequest:
    """Return the class to add; a malformed account has no user (READINGS Q15)."""
    return make_request(params, Errno.NOT_A_TEACHER_OF_SCHOOL)


def add_course_class(call: CallContext[LessonRequest], params: AddCourseClass) -> AddedLesson:
    """Create a class and return its id and its addresses."""
    lesson = new_lessons.add(call.uow, call.deps, call.school, params.course_id, call.prepared)
    return _make_added_lesson(lesson, call.hosts)


def make_request(params: NewLessonParams, malformed: Errno) -> LessonRequest:
    """Return the class that a call or an entry asks for; `malformed` is of the account."""
    new = NewLesson(
        name=params.class_name,
        hours=Hours(params.begin_time, params.end_time),
        co_teachers=params.assistant_uid or params.assistant_uids,
        folder=params.folder_id,
        classroom=ClassroomSettings(
            seats=params.seat_num if params.seat_num is not None else DEFAULT_SEATS,
            resolution=params.is_hd,
            has_two_cameras=params.is_dc == SECOND_CAMERA,
            is_smart=params.teach_mode == SMART,
            is_broadcast=params.omo_station_broadcast,
            enters_off_stage=params.is_auto_onstage,
        ),
        has_default_seats=params.seat_num is None,
        recording=RecordingOptions(params.record, params.record_scene, params.live, params.replay),
        watch_policy=WatchPolicy().with_changes(params.watch_by_login, params.allow_unlogged_chat),
        introduction=params.class_introduce,
        identity=params.course_unique_identity,
    )
    return LessonRequest(new, parse_person(params.teacher_uid, params.teacher_account, malformed))


def edit_course_class(call: CallContext[None], params: EditCourseClass) -> EditedLesson:
    """Edit a class and return its addresses."""
    hours = None
    if params.end_time is not None:
        hours = HoursChange(params.begin_time, params.end_time)
    change = LessonChange(
        name=params.class_name,
        hours=hours,
        teacher=params.teacher_uid,
        co_teachers=_co_teachers(params.assistant_uid, params.assistant_uids),
        folder=params.folder_id,
        recording=make_recording_change(params),
        is_smart=params.teach_mode == SMART if params.teach_mode is not None else None,
        enters_off_stage=params.is_auto_onstage,
        is_broadcast=params.omo_station_broadcast,
        introduction=params.class_introduce,
        watch_by_login=params.watch_by_login,
        allow_unlogged_chat=params.allow_unlogged_chat,
    )
    if missing := list_missing_switches(params):
        call.reasons.append(f"the recording stays as it is: {describe_missing_switches(missing)}")
    edited = lessons.edit(
        call.uow, call.deps, call.school, params.course_id, params.class_id, change
    )
    return EditedLesson(more_data=make_live_addresses(build_lesson_addresses(edited, call.hosts)))


def del_course_class(call: CallContext[None], params: DelCourseClass) -> EmptyResult:
    """Delete a class."""
    lessons.delete(call.uow, call.school, params.course_id, params.class_id)
    return EmptyResult()


def make_live_addresses(addresses: StreamAddresses) -> LiveAddresses:
    """Return the addresses of a class as answers carry them (READINGS Q9)."""
    return LiveAddresses(
        live_url=addresses.live_url,
        live_info=LiveInfo(rtmp=addresses.rtmp, hls=addresses.hls, flv=addresses.flv),
    )


def describe_missing_switches(missing: list[str]) -> str:
    """Return the reason why an incomplete set of switches has no effect."""
    return f"send record, live and replay together; {', '.join(missing)} did not come"


def make_recording_change(sent: RecordingSwitches) -> RecordingChange | None:
    """Return a change of the switches; None if nothing is sent, or not all of them (Q52)."""
    if list_missing_switches(sent) or not any_switch(sent):
        return None
    return RecordingChange(bool(sent.record), bool(sent.live), bool(sent.replay), sent.record_scene)


def _make_added_lesson(lesson: Lesson, hosts: Hosts) -> AddedLesson:
    addresses = build_lesson_addresses(lesson, hosts)
    return AddedLesson(data=lesson.id, more_data=make_live_addresses(addresses))


def _co_teachers(
    *forms: tuple[UserId, ...] | UnsetType,
) -> tuple[UserId, ...] | None:
    """Return the co-teachers sent in either form; nothing but empty ones clears the list (Q17)."""
    sent = [form for form in forms if form is not UNSET]
    return max(sent, key=len) if sent else None
