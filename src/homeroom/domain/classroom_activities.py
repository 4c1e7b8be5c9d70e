"""Classroom activities: the rules of classes that differ on the v2 wire (READINGS Q81, Q82)."""

from typing import TypeVar

from homeroom.base.clock import Moment
from homeroom.base.ids import ActivityId, UnitId, UserId
from homeroom.base.values import Value, replace
from homeroom.contract.errno import Errno
from homeroom.domain.class_edits import check_edit_windows
from homeroom.domain.lessons import (
    HD_SEATS,
    ClassroomSettings,
    Lesson,
    RecordingOptions,
    check_teachers_changeable,
)
from homeroom.domain.refusal import Refusal
from homeroom.domain.schools import Plan

MAX_CREATIONS_PER_MINUTE = 1000
"""Classroom activities that a school may create within any 60 seconds."""
FULL_HD = 2
"""The resolution of a class with two cameras."""
T = TypeVar("T")


class ClassroomActivity(Value, frozen=True):
    """A class, with the activity that it is."""

    activity: ActivityId
    lesson: Lesson


class ClassroomChange(Value, frozen=True):
    """The changes of a classroom activity; None leaves a value unchanged."""

    unit: UnitId | None = None
    name: str | None = None
    begins_at: Moment | None = None
    ends_at: Moment | None = None
    teacher: UserId | None = None
    co_teachers: tuple[UserId, ...] | None = None
    seats: int | None = None
    resolution: int | None = None
    has_two_cameras: bool | None = None
    is_smart: bool | None = None
    is_broadcast: bool | None = None
    enters_off_stage: bool | None = None
    recording: RecordingOptions | None = None
    allows_check: bool | None = None

    @property
    def changes_times(self) -> bool:
        """Tell whether the edit touches the start or the end."""
        return self.begins_at is not None or self.ends_at is not None

    @property
    def changes_classroom(self) -> bool:
        """Tell whether the edit touches seats, cameras or the mode of the classroom."""
        settings = (
            self.seats,
            self.resolution,
            self.has_two_cameras,
            self.is_smart,
            self.is_broadcast,
            self.enters_off_stage,
        )
        return any(value is not None for value in settings)

    @property
    def changes_teachers(self) -> bool:
        """Tell whether the edit touches the teacher or the co-teachers."""
        return self.teacher is not None or self.co_teachers is not None

    def changes_frozen(self, old: RecordingOptions) -> bool:
        """Tell whether the edit touches what is frozen before the start.

        A recording group always has four values; those that stay as they are change nothing.
        """
        return (
            self.name is not None
            or self.changes_times
            or self.changes_classroom
            or (self.recording is not None and _strip_replay(self.recording) != _strip_replay(old))
        )


def _strip_replay(recording: RecordingOptions) -> RecordingOptions:
    return replace(recording.effective(), replay=False)


class StageRule(Value, frozen=True):
    """Errnos for settings of a classroom that do not fit together."""

    dual_camera: Errno
    dual_camera_plan: Errno
    """The plan has no second camera."""
    hd: Errno
    hd_plan: Errno = Errno.BAD_VALUE
    """The resolution is above what the plan allows."""


NEW_STAGE_RULE = StageRule(
    dual_camera=Errno.DUAL_CAMERA_REFUSED,
    dual_camera_plan=Errno.DUAL_CAMERA_REFUSED,
    hd=Errno.BAD_VALUE,
)
EDITED_STAGE_RULE = StageRule(
    dual_camera=Errno.NO_DUAL_CAMERA_HERE,
    dual_camera_plan=Errno.NO_DUAL_CAMERA_HERE,
    hd=Errno.SEATS_FORBID_HD,
)


def resolve_new_classroom(
    requested: ClassroomSettings, plan: Plan, rule: StageRule = NEW_STAGE_RULE
) -> ClassroomSettings:
    """Return the settings of a new class; more seats than the plan has are lowered to those."""
    settings = ClassroomSettings(
        seats=min(requested.seats, plan.max_seats),
        resolution=FULL_HD if requested.has_two_cameras else requested.resolution,
        has_two_cameras=requested.has_two_cameras,
        is_smart=requested.is_smart,
        is_broadcast=requested.is_broadcast,
        enters_off_stage=requested.enters_off_stage or requested.is_smart,
    )
    _check_stage(settings, settings, plan, rule)
    return settings


def change_classroom(
    old: ClassroomSettings,
    change: ClassroomChange,
    plan: Plan,
    rule: StageRule = EDITED_STAGE_RULE,
) -> ClassroomSettings:
    """Return the settings after an edit; what the plan lacks is refused only where it is sent."""
    if not change.changes_classroom:
        return old
    has_two_cameras = _or_old(change.has_two_cameras, old.has_two_cameras)
    is_smart = _or_old(change.is_smart, old.is_smart)
    settings = ClassroomSettings(
        seats=min(change.seats, plan.max_seats) if change.seats is not None else old.seats,
        resolution=FULL_HD if has_two_cameras else _or_old(change.resolution, old.resolution),
        has_two_cameras=has_two_cameras,
        is_smart=is_smart,
        is_broadcast=_or_old(change.is_broadcast, old.is_broadcast),
        enters_off_stage=_or_old(change.enters_off_stage, old.enters_off_stage) or is_smart,
    )
    sent = ClassroomSettings(
        resolution=FULL_HD if change.has_two_cameras else change.resolution or 0,
        has_two_cameras=bool(change.has_two_cameras),
        is_smart=bool(change.is_smart),
        is_broadcast=bool(change.is_broadcast),
    )
    _check_stage(settings, sent, plan, rule)
    return settings


def _or_old(new: T | None, old: T) -> T:
    return new if new is not None else old


def _check_stage(
    settings: ClassroomSettings, sent: ClassroomSettings, plan: Plan, rule: StageRule
) -> None:
    """Refuse settings that do not fit together, and sent ones that the plan lacks."""
    if settings.has_two_cameras:
        if settings.seats != 1 or settings.is_smart:
            raise Refusal(rule.dual_camera, "isDc 3 needs seatNum 2 and cameraHide 0")
        if sent.has_two_cameras and not plan.dual_camera:
            raise Refusal(rule.dual_camera_plan, "the plan of the school has no second camera")
    if settings.resolution and settings.seats not in HD_SEATS:
        raise Refusal(rule.hd, "isHd needs seatNum 2 or 7")
    if sent.resolution > plan.max_resolution:
        raise Refusal(rule.hd_plan, "isHd is above what the plan of the school allows")
    if sent.is_smart and not plan.smart_classroom:
        raise Refusal(Errno.BAD_VALUE, "cameraHide: the plan of the school has no such classroom")
    if sent.is_broadcast and not plan.broadcast:
        raise Refusal(Errno.BROADCAST_NOT_IN_PLAN)


def limit_recording(requested: RecordingOptions, plan: Plan) -> RecordingOptions:
    """Return what the plan has of the requested options."""
    return RecordingOptions(
        record=requested.record and plan.recording,
        scene=requested.scene and plan.scene,
        live=requested.live and plan.live,
        replay=requested.replay and plan.replay,
    ).effective()


def check_edit_phase(lesson: Lesson, change: ClassroomChange, now: Moment) -> None:
    """Refuse an edit of what is frozen."""
    if change.changes_frozen(lesson.recording):
        check_edit_windows(lesson, now, changes_hours=change.changes_times)
    if change.changes_teachers:
        check_teachers_changeable(lesson, now)


def check_new_recording(requested: RecordingOptions) -> None:
    """Refuse live or public replay without recording."""
    if requested.lacks_recording:
        raise Refusal(Errno.REPLAY_OF_UNRECORDED, "liveState and openState need recordState")
