"""Handlers of classroom activities."""

from collections.abc import Iterable

from homeroom.base.ids import SchoolId
from homeroom.contract.classroom_activities import (
    CreateClass,
    CreatedClass,
    CreatedClassData,
    UpdateClass,
    UpdatedClass,
    UpdatedClassData,
)
from homeroom.contract.lessons import SECOND_CAMERA
from homeroom.domain.classroom_activities import ClassroomActivity, ClassroomChange
from homeroom.domain.lessons import (
    ClassroomSettings,
    Hours,
    NewLesson,
    Origin,
    RecordingOptions,
)
from homeroom.domain.webcasts import Hosts, build_lesson_addresses
from homeroom.partner.handlers.lessons import get_identity_keys, make_live_addresses
from homeroom.partner.routes import CallContext
from homeroom.partner.scopes import lock_course, share_course
from homeroom.store.engine import UnitScope
from homeroom.usecases import classroom_activities


def get_lock_keys(school: SchoolId, params: CreateClass) -> Iterable[str]:
    """Return the lock key of the identity of a new class; both wires have the same."""
    return get_identity_keys(school, params.unique_identity)


def choose_scope(params: CreateClass) -> UnitScope:
    """Return the part of the school to lock: a unit has a limit, the default unit has none."""
    return share_course(params) if params.unit_id is None else lock_course(params)


def describe_existing_class(hosts: Hosts, classroom: object) -> CreatedClass:
    """Return the class that has the identity already (READINGS Q23)."""
    if not isinstance(classroom, ClassroomActivity):
        raise TypeError(classroom)
    return _make_created_class(classroom, hosts)


def create_class(call: CallContext[None], params: CreateClass) -> CreatedClass:
    """Create a class and return its ids, its name and its addresses."""
    new = NewLesson(
        name=params.name,
        hours=Hours(params.start_time, params.end_time),
        co_teachers=params.assistant_uids or (),
        classroom=ClassroomSettings(
            seats=_count_students(params.seat_num),
            resolution=params.is_hd,
            has_two_cameras=params.is_dc == SECOND_CAMERA,
            is_smart=params.camera_hide,
            is_broadcast=params.omo_station_broadcast,
            enters_off_stage=not params.is_auto_onstage,
        ),
        recording=_make_recording(params) or RecordingOptions(),
        identity=params.unique_identity,
        origin=Origin.LMS,
        allows_check=params.is_allow_check,
    )
    created = classroom_activities.create(
        call.uow,
        call.deps,
        call.school,
        params.course_id,
        params.unit_id,
        params.teacher_uid,
        new,
    )
    return _make_created_class(created, call.hosts)


def update_class(call: CallContext[None], params: UpdateClass) -> UpdatedClass:
    """Edit a class and return its name and its addresses."""
    seats, dual_camera, auto_stage = params.seat_num, params.is_dc, params.is_auto_onstage
    change = ClassroomChange(
        unit=params.unit_id,
        name=params.name,
        begins_at=params.start_time,
        ends_at=params.end_time,
        teacher=params.teacher_uid,
        co_teachers=params.assistant_uids,
        seats=_count_students(seats) if seats is not None else None,
        resolution=params.is_hd,
        has_two_cameras=dual_camera == SECOND_CAMERA if dual_camera is not None else None,
        is_smart=params.camera_hide,
        is_broadcast=params.omo_station_broadcast,
        enters_off_stage=not auto_stage if auto_stage is not None else None,
        recording=_make_recording(params),
        allows_check=params.is_allow_check,
    )
    edited = classroom_activities.edit(
        call.uow, call.deps, call.school, params.course_id, params.activity_id, change
    )
    addresses = make_live_addresses(build_lesson_addresses(edited, call.hosts))
    return UpdatedClass(
        data=UpdatedClassData(
            activity_id=params.activity_id,
            name=edited.name,
            live_url=addresses.live_url,
            live_info=addresses.live_info,
        )
    )


def _count_students(seats: int) -> int:
    """Return the seats of students; the v2 wire counts that of the teacher too."""
    return seats - 1


def _make_recording(params: CreateClass | UpdateClass) -> RecordingOptions | None:
    """Return the recording options, or None if the group was not sent.

    A scene is recorded beside the classroom; there is no recording of the scene alone.
    """
    if params.record_state is None:
        return None
    return RecordingOptions(
        record=params.record_state,
        scene=bool(params.record_type),
        live=bool(params.live_state),
        replay=bool(params.open_state),
    )


def _make_created_class(created: ClassroomActivity, hosts: Hosts) -> CreatedClass:
    addresses = make_live_addresses(build_lesson_addresses(created.lesson, hosts))
    return CreatedClass(
        data=CreatedClassData(
            activity_id=created.activity,
            class_id=created.lesson.id,
            name=created.lesson.name,
            live_url=addresses.live_url,
            live_info=addresses.live_info,
        )
    )
