"""Classes: wire to use case and back."""

from collections.abc import Iterable

from msgspec import UNSET, UnsetType

from homeroom.base.ids import SchoolId, UserId
from homeroom.contract.lessons import (
    SECOND_CAMERA,
    SMART,
    AddCourseClass,
    DelCourseClass,
    EditCourseClass,
)
from homeroom.domain.accounts import parse_account_name
from homeroom.domain.lessons import (
    ClassroomSettings,
    Hours,
    Lesson,
    LessonChange,
    NewLesson,
    RecordingOptions,
    WatchPolicy,
)
from homeroom.domain.refusal import Refusal
from homeroom.domain.teachers import NOBODY
from homeroom.domain.webcasts import Hosts, build_lesson_addresses
from homeroom.partner.answers import Answer, more_data
from homeroom.partner.handlers.clips import switches_of
from homeroom.partner.routes import CallContext
from homeroom.usecases import lessons
from homeroom.usecases.accounts import found


def identity_keys(school: SchoolId, asked: AddCourseClass) -> Iterable[str]:
    """Name the identity that a new class takes."""
    identity = asked.course_unique_identity
    return () if identity is None else (f"class identity {school} {identity}",)


def earlier(hosts: Hosts, lesson: Lesson) -> Answer:
    """Answer with the class made earlier (READINGS Q1)."""
    return Answer(data=lesson.id, more_data=more_data(build_lesson_addresses(lesson, hosts)))


def add_course_class(call: CallContext, asked: AddCourseClass) -> Answer:
    """Serve addCourseClass."""
    wanted = NewLesson(
        name=asked.class_name,
        hours=Hours(asked.begin_time, asked.end_time),
        teacher=_teacher(call, asked),
        co_teachers=asked.assistant_uid or asked.assistant_uids,
        folder=asked.folder_id,
        classroom=ClassroomSettings(
            seats=asked.seat_num,
            resolution=asked.is_hd,
            has_two_cameras=asked.is_dc == SECOND_CAMERA,
            is_smart=asked.teach_mode == SMART,
            is_broadcast=asked.omo_station_broadcast,
            enters_off_stage=asked.is_auto_onstage,
        ),
        recording=RecordingOptions(asked.record, asked.record_scene, asked.live, asked.replay),
        watch_policy=WatchPolicy().with_changes(asked.watch_by_login, asked.allow_unlogged_chat),
        introduction=asked.class_introduce,
        identity=asked.course_unique_identity,
    )
    added = lessons.add(call.uow, call.deps, call.school, asked.course_id, wanted)
    return Answer(data=added.id, more_data=more_data(build_lesson_addresses(added, call.hosts)))


def edit_course_class(call: CallContext, asked: EditCourseClass) -> Answer:
    """Serve editCourseClass."""
    hours = None
    if asked.end_time is not None:
        begin = asked.begin_time
        if begin is None:
            held = call.uow.lessons.get(asked.class_id)
            begin = asked.end_time if held is None else held.hours.begin
        hours = Hours(begin, asked.end_time)
    change = LessonChange(
        name=asked.class_name,
        hours=hours,
        teacher=asked.teacher_uid,
        co_teachers=_co_teachers(asked.assistant_uid, asked.assistant_uids),
        folder=asked.folder_id,
        recording=switches_of(asked.record, asked.record_scene, asked.live, asked.replay),
        is_smart=None if asked.teach_mode is None else asked.teach_mode == SMART,
        enters_off_stage=asked.is_auto_onstage,
        is_broadcast=asked.omo_station_broadcast,
        introduction=asked.class_introduce,
        watch_by_login=asked.watch_by_login,
        allow_unlogged_chat=asked.allow_unlogged_chat,
    )
    edited = lessons.edit(call.uow, call.deps, call.school, asked.course_id, asked.class_id, change)
    return Answer(more_data=more_data(build_lesson_addresses(edited, call.hosts)))


def del_course_class(call: CallContext, asked: DelCourseClass) -> Answer:
    """Serve delCourseClass."""
    lessons.delete(call.uow, call.school, asked.course_id, asked.class_id)
    return Answer()


def _teacher(call: CallContext, asked: AddCourseClass) -> UserId:
    """Return the teacher's UID, found by account where none is sent (READINGS Q15)."""
    if asked.teacher_uid is not None:
        return asked.teacher_uid
    try:
        name = parse_account_name(asked.teacher_account or "")
    except Refusal:
        return NOBODY
    person = found(call.uow, None, name)
    return NOBODY if person is None else person.id


def _co_teachers(
    *forms: tuple[UserId, ...] | UnsetType,
) -> tuple[UserId, ...] | None:
    """Return the co-teachers sent in either form; nothing but empty ones clears the list (Q17)."""
    sent = [form for form in forms if form is not UNSET]
    return max(sent, key=len) if sent else None
