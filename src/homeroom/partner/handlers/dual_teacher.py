"""Handlers of dual-teacher classes."""

from collections.abc import Iterable

from homeroom.base.ids import SchoolId
from homeroom.contract.dual_teacher import (
    OFF_STAGE,
    SECOND_CAMERA,
    DeleteClass,
    DeletedDualClass,
    DeletedDualLessonList,
    DualLiveInfo,
    EditClass,
    EditedDualClass,
    EditedDualLessonList,
)
from homeroom.contract.errno import Errno
from homeroom.contract.lists import InvalidEntry
from homeroom.contract.sub_lessons import (
    AddClass,
    AddedDualLessons,
    AddedSubClass,
    AddedSubClasses,
    SubClassParams,
)
from homeroom.domain.classroom_activities import ClassroomChange
from homeroom.domain.dual_lessons import NewSubLesson, RecordingGroup
from homeroom.domain.lessons import ClassroomSettings, Lesson
from homeroom.domain.refusal import Refusal
from homeroom.domain.webcasts import Hosts, StreamAddresses, build_lesson_addresses
from homeroom.partner.handlers.entries import get_errno, note_reasons, refuse_faulty
from homeroom.partner.handlers.lessons import get_identity_keys
from homeroom.partner.routes import CallContext
from homeroom.usecases import dual_teacher, sub_lessons

UNRECORDED = (
    "recordState had no effect: the school's storage is used up or the video service does not work"
)


def get_lock_keys(school: SchoolId, params: AddClass) -> Iterable[str]:
    """Return the lock keys of the identities of new sub classes."""
    return [
        key
        for entry in params.sub_classes
        if isinstance(entry, SubClassParams)
        for key in get_identity_keys(school, entry.unique_identity)
    ]


def add_class(call: CallContext[None], params: AddClass) -> AddedDualLessons:
    """Add sub classes to a main class, and return a result for each."""
    added = sub_lessons.add(
        call.uow,
        call.deps,
        call.school,
        params.main_course_id,
        params.main_class_id,
        refuse_faulty(call, [_make_request(call, entry) for entry in params.sub_classes]),
    )
    note_reasons(
        call.reasons,
        [outcome if isinstance(outcome, Refusal) else None for outcome in added.outcomes],
    )
    if added.is_unrecorded:
        call.reasons.append(UNRECORDED)
    return AddedDualLessons(
        data=AddedSubClasses(
            main_class_id=added.main.id,
            main_course_id=added.main.course,
            sub_class_data=[
                _make_added_entry(entry, outcome, added.main, call.hosts)
                for entry, outcome in zip(params.sub_classes, added.outcomes, strict=True)
            ],
        )
    )


def edit_class(call: CallContext[None], params: EditClass) -> EditedDualLessonList:
    """Edit a main or a sub class."""
    group = _make_recording_group(params)
    change = ClassroomChange(
        name=params.class_name,
        begins_at=params.start_time,
        ends_at=params.end_time,
        teacher=params.teacher_uid,
        co_teachers=params.assistant_uids,
        seats=params.seat_num - 1 if params.seat_num is not None else None,
        resolution=params.is_hd,
        has_two_cameras=params.is_dc == SECOND_CAMERA if params.is_dc is not None else None,
        is_smart=params.camera_hide,
        enters_off_stage=params.is_auto_onstage == OFF_STAGE
        if params.is_auto_onstage is not None
        else None,
        recording=group.options if group.is_sent else None,
    )
    edited = dual_teacher.edit(
        call.uow, call.deps, call.school, params.course_id, params.class_id, change, group
    )
    return EditedDualLessonList(
        data=[
            _make_edited_entry(lesson, edited.sources[lesson.id], call.hosts)
            for lesson in edited.lessons
        ]
    )


def delete_class(call: CallContext[None], params: DeleteClass) -> DeletedDualLessonList:
    """Delete a main class with its sub classes, or a sub class."""
    deleted = dual_teacher.delete(call.uow, call.school, params.course_id, params.class_id)
    return DeletedDualLessonList(
        data=[
            DeletedDualClass(class_id=lesson, code=Errno.DONE.number, msg=Errno.DONE.zh)
            for lesson in deleted
        ]
    )


def _make_request(
    call: CallContext[None], entry: SubClassParams | InvalidEntry
) -> NewSubLesson | Refusal:
    if isinstance(entry, InvalidEntry):
        return Refusal(Errno.BAD_VALUE, entry.reason)
    identity = entry.unique_identity
    if call.busy_keys.intersection(get_identity_keys(call.school, identity)):
        return Refusal(Errno.FAILED, "another request with this identity is unfinished after 1 s")
    return NewSubLesson(
        entry.course_id,
        entry.class_name,
        co_teachers=entry.assistant_uids,
        classroom=ClassroomSettings(
            seats=entry.seat_num - 1,
            resolution=entry.is_hd,
            has_two_cameras=entry.is_dc == SECOND_CAMERA,
            is_smart=entry.camera_hide,
            enters_off_stage=entry.is_auto_onstage == OFF_STAGE,
        ),
        recording=_make_recording_group(entry),
        identity=identity,
        sends_schedule=entry.teacher_uid or entry.start_time or entry.end_time,
    )


def _make_recording_group(params: SubClassParams | EditClass) -> RecordingGroup:
    return RecordingGroup(
        uses_main=params.use_co_main_record,
        record_type=params.record_type,
        record=params.record_state,
        live=params.live_state,
        replay=params.open_state,
    )


def _make_added_entry(
    entry: SubClassParams | InvalidEntry, outcome: Lesson | Refusal, main: Lesson, hosts: Hosts
) -> AddedSubClass:
    refusal = outcome if isinstance(outcome, Refusal) else None
    errno = get_errno(refusal)
    existing = outcome.about if isinstance(outcome, Refusal) else outcome
    lesson = existing if isinstance(existing, Lesson) else None
    addresses = _get_addresses(lesson, main, hosts) if lesson is not None else StreamAddresses()
    return AddedSubClass(
        class_id=lesson.id if lesson is not None else 0,
        course_id=_read_course(entry),
        class_name=entry.class_name
        if isinstance(entry, SubClassParams)
        else _read_sent_text(entry, "className"),
        live_url=addresses.live_url,
        live_info=_make_live_info(addresses),
        unique_identity=entry.unique_identity or ""
        if isinstance(entry, SubClassParams)
        else _read_sent_text(entry, "uniqueIdentity"),
        code=errno.number,
        msg=errno.zh,
    )


def _make_edited_entry(lesson: Lesson, source: Lesson, hosts: Hosts) -> EditedDualClass:
    addresses = build_lesson_addresses(lesson, hosts, source)
    return EditedDualClass(
        is_main_class=int(lesson.main is None),
        class_id=lesson.id,
        live_url=addresses.live_url,
        live_info=_make_live_info(addresses),
        code=Errno.DONE.number,
        msg=Errno.DONE.zh,
    )


def _get_addresses(lesson: Lesson, main: Lesson, hosts: Hosts) -> StreamAddresses:
    uses_main = lesson.uses_main_recording and lesson.main == main.id
    return build_lesson_addresses(lesson, hosts, main if uses_main else lesson)


def _make_live_info(addresses: StreamAddresses) -> DualLiveInfo:
    return DualLiveInfo(rtmp=addresses.rtmp, hls=addresses.hls, flv=addresses.flv)


def _read_course(entry: SubClassParams | InvalidEntry) -> int:
    """Return the id of the course as it was sent; 0 for a malformed one."""
    if isinstance(entry, SubClassParams):
        return entry.course_id
    raw = entry.get_value("courseId")
    return raw if type(raw) is int else 0


def _read_sent_text(entry: InvalidEntry, name: str) -> str:
    raw = entry.get_value(name)
    return raw if isinstance(raw, str) else ""
