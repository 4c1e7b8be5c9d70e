"""Classes: their hours, phases and settings, and the rules of adding and changing them."""

from enum import StrEnum

from homeroom.base.clock import DAY, MINUTE, YEAR, Moment, format_moment
from homeroom.base.ids import CourseId, FolderId, LessonId, SchoolId, UserId
from homeroom.base.text import format_count
from homeroom.base.values import Value, replace
from homeroom.contract.errno import Errno
from homeroom.domain.lifecycle import Lifecycle, Phase
from homeroom.domain.refusal import Refusal
from homeroom.domain.schools import Plan
from homeroom.domain.stream_signatures import StreamSignature

MIN_LESSON_SECONDS = 15 * MINUTE
MAX_LESSON_SECONDS = DAY
MAX_LEAD_SECONDS = 3 * YEAR
PULL_URL_SECONDS = 10 * YEAR
HD_SEATS = (1, 6)
DEFAULT_SEATS = 6


class Origin(StrEnum):
    """The API that created a class; the v1 calls change only their own (READINGS Q36)."""

    V1 = "v1"
    CLIENT = "client"
    LMS = "lms"


class Hours(Value, frozen=True):
    """The planned hours of a class."""

    begin: Moment
    end: Moment


class HoursChange(Value, frozen=True):
    """New hours of a class; a begin of None stays as it is."""

    begin: Moment | None
    end: Moment

    def apply_to(self, hours: Hours) -> Hours:
        """Return the hours of a class after this change."""
        return Hours(self.begin if self.begin is not None else hours.begin, self.end)


class RecordingOptions(Value, frozen=True):
    """Recording, live and replay of a class; scene, live and replay need recording."""

    record: bool = False
    scene: bool = False
    live: bool = False
    replay: bool = False

    @property
    def lacks_recording(self) -> bool:
        """Tell whether live or replay is on without recording, which both need."""
        return not self.record and (self.live or self.replay)

    def effective(self) -> "RecordingOptions":
        """Return the options without those that need recording, if recording is off."""
        return self if self.record else RecordingOptions()


class RecordingChange(Value, frozen=True):
    """A change of the recording options; a scene of None stays unchanged (READINGS Q29)."""

    record: bool
    live: bool
    replay: bool
    scene: bool | None = None

    def apply_to(self, old: RecordingOptions) -> RecordingOptions:
        """Return the options after this change."""
        scene = self.scene if self.scene is not None else old.scene
        return RecordingOptions(self.record, scene, self.live, self.replay)


class ClassroomSettings(Value, frozen=True):
    """Settings of the classroom: seats, cameras, resolution and mode."""

    seats: int = DEFAULT_SEATS
    resolution: int = 0
    has_two_cameras: bool = False
    is_smart: bool = False
    is_broadcast: bool = False
    enters_off_stage: bool = False


class SeatsChange(Value, frozen=True):
    """New seats, resolution and cameras of a class; None leaves a value unchanged."""

    seats: int | None = None
    resolution: int | None = None
    has_two_cameras: bool | None = None

    def apply_to(self, old: ClassroomSettings) -> ClassroomSettings:
        """Return the settings with the new values."""
        cameras = self.has_two_cameras
        return replace(
            old,
            seats=self.seats if self.seats is not None else old.seats,
            resolution=self.resolution if self.resolution is not None else old.resolution,
            has_two_cameras=cameras if cameras is not None else old.has_two_cameras,
        )


class WatchPolicy(Value, frozen=True):
    """The rules for watching and chatting on the live page."""

    watch_by_login: bool = False
    allow_unlogged_chat: bool = True

    def with_changes(self, by_login: bool | None, unlogged_chat: bool | None) -> "WatchPolicy":  # noqa: FBT001  values, not modes
        """Return the policy after a change in which None leaves a value unchanged."""
        return WatchPolicy(
            by_login if by_login is not None else self.watch_by_login,
            unlogged_chat if unlogged_chat is not None else self.allow_unlogged_chat,
        )


class NewLesson(Value, frozen=True):
    """A class to add."""

    name: str
    hours: Hours
    co_teachers: tuple[UserId, ...] = ()
    folder: FolderId | None = None
    classroom: ClassroomSettings = ClassroomSettings()
    has_default_seats: bool = False
    """The caller named no number of seats: fewer than the default do too (READINGS Q54)."""
    recording: RecordingOptions = RecordingOptions()
    watch_policy: WatchPolicy = WatchPolicy()
    introduction: str = ""
    identity: str | None = None
    origin: Origin = Origin.V1
    allows_check: bool = True
    """Members may see the reports of each other."""
    main: LessonId | None = None
    """The main class of a dual-teacher sub class."""
    uses_main_recording: bool = False


class Lesson(Value, frozen=True):
    """A class on the timetable."""

    id: LessonId
    school: SchoolId
    course: CourseId
    name: str
    hours: Hours
    teacher: UserId
    folder: FolderId | None
    classroom: ClassroomSettings
    recording: RecordingOptions
    watch_policy: WatchPolicy
    is_locked: bool
    introduction: str
    identity: str | None
    key: str
    stream: StreamSignature | None
    origin: Origin
    closed_at: Moment | None
    deleted_at: Moment | None
    """When the class, or its course, was deleted."""
    created_at: Moment
    allows_check: bool
    main: LessonId | None
    """The main class of a dual-teacher sub class."""
    uses_main_recording: bool
    """The pages of this sub class show the streams and clips of its main class."""
    has_subs: bool
    """It is a main class with sub classes, or was deleted together with them."""

    @property
    def is_dual(self) -> bool:
        """True for a main or a sub class; only the dual-teacher calls may change them."""
        return self.main is not None or self.has_subs

    @property
    def lifecycle(self) -> Lifecycle:
        """The times that decide when the class opens and closes."""
        return Lifecycle(self.hours.begin, self.hours.end, self.closed_at)

    def phase(self, now: Moment) -> Phase:
        """Return the phase of the class at a moment."""
        return self.lifecycle.phase(now)

    def is_over(self, now: Moment) -> bool:
        """Return whether the class has ended, by the clock or closed early."""
        return self.lifecycle.is_over(now)


class LessonChange(Value, frozen=True):
    """The changes of an edit; None leaves a value unchanged."""

    name: str | None = None
    hours: HoursChange | None = None
    teacher: UserId | None = None
    co_teachers: tuple[UserId, ...] | None = None
    folder: FolderId | None = None
    recording: RecordingChange | None = None
    is_smart: bool | None = None
    enters_off_stage: bool | None = None
    is_broadcast: bool | None = None
    introduction: str | None = None
    watch_by_login: bool | None = None
    allow_unlogged_chat: bool | None = None

    @property
    def changes_frozen(self) -> bool:
        """Tell whether the edit touches what is frozen from 20 minutes before the start."""
        frozen = (
            self.name,
            self.hours,
            self.folder,
            self.is_smart,
            self.enters_off_stage,
            self.is_broadcast,
        )
        return any(value is not None for value in frozen)

    @property
    def changes_teachers(self) -> bool:
        """Tell whether the edit touches the teacher or the co-teachers."""
        return self.teacher is not None or self.co_teachers is not None

    @property
    def changes_page(self) -> bool:
        """Tell whether the edit touches what only the live page shows."""
        page = (self.introduction, self.watch_by_login, self.allow_unlogged_chat)
        return any(value is not None for value in page)


def describe_open(lesson: Lesson) -> str:
    """Return the reason why a class is not over yet, with its id and the time."""
    until = format_moment(lesson.lifecycle.closes_at)
    return f"class {lesson.id} is not over until {until}"


def describe_end(lesson: Lesson) -> str:
    """Return the reason why a class is over, with its id and the time."""
    return f"class {lesson.id} is over since {format_moment(lesson.lifecycle.closes_at)}"


def check_hours(hours: Hours, now: Moment, max_lead_seconds: int = MAX_LEAD_SECONDS) -> None:
    """Refuse hours in the past, too far ahead, too short or too long (READINGS Q39)."""
    if hours.end <= hours.begin:
        raise Refusal(Errno.ENDS_BEFORE_IT_BEGINS, "the end must be later than the start")
    if hours.begin < now + MINUTE:
        raise Refusal(Errno.BEGINS_TOO_SOON, "the start must be at least 60 seconds ahead")
    if hours.begin > now + max_lead_seconds:
        years = format_count(max_lead_seconds // YEAR, "year")
        raise Refusal(Errno.BEGINS_TOO_LATE, f"the start must be within {years}")
    check_length(hours)


def check_length(hours: Hours) -> None:
    """Refuse hours that are too short or too long."""
    if not MIN_LESSON_SECONDS <= hours.end - hours.begin <= MAX_LESSON_SECONDS:
        raise Refusal(Errno.LESSON_LENGTH, "a class lasts 15 minutes to 24 hours")


def check_seats(seats: int, plan: Plan) -> None:
    """Refuse a number of seats that no class, or none of this school, can have."""
    if seats < 0:
        raise Refusal(Errno.SEATS_INVALID, "seatNum must be a number, 0 or above")
    if seats > plan.max_seats:
        raise Refusal(Errno.TOO_MANY_SEATS, f"seatNum: the school allows {plan.max_seats}")


def resolve_classroom(
    requested: ClassroomSettings, plan: Plan, *, has_default_seats: bool = False
) -> ClassroomSettings:
    """Return the settings with their dependent values; refuse impossible combinations."""
    seats = min(requested.seats, plan.max_seats) if has_default_seats else requested.seats
    check_seats(seats, plan)
    if requested.has_two_cameras and seats != 1:
        raise Refusal(Errno.NO_DUAL_CAMERA_HERE, f"isDc 3 needs seatNum 1; the class has {seats}")
    resolution = 2 if requested.has_two_cameras else requested.resolution
    if resolution and seats not in HD_SEATS:
        raise Refusal(Errno.SEATS_FORBID_HD, f"isHd needs seatNum 1 or 6; the class has {seats}")
    return ClassroomSettings(
        seats=seats,
        resolution=resolution,
        has_two_cameras=requested.has_two_cameras,
        is_smart=requested.is_smart,
        is_broadcast=requested.is_broadcast,
        enters_off_stage=requested.enters_off_stage or requested.is_smart,
    )


def change_seats(old: ClassroomSettings, change: SeatsChange, plan: Plan) -> ClassroomSettings:
    """Return the settings after a change; they are judged as they will be (READINGS Q67)."""
    requested = change.apply_to(old)
    check_seats(requested.seats, plan)
    if requested.has_two_cameras and requested.is_smart:
        raise Refusal(Errno.NO_DUAL_CAMERA_HERE, "a smart classroom has no second camera")
    classroom = resolve_classroom(requested, plan)
    camera = ClassroomSettings(
        resolution=classroom.resolution, has_two_cameras=classroom.has_two_cameras
    )
    check_plan(plan, camera, RecordingOptions(), has_co_teachers=False)
    return classroom


def check_plan(
    plan: Plan, classroom: ClassroomSettings, recording: RecordingOptions, *, has_co_teachers: bool
) -> None:
    """Refuse settings that the plan of the school does not include."""
    missing = (
        (recording.live and not plan.live, Errno.LIVE_NOT_IN_PLAN),
        (recording.record and recording.scene and not plan.scene, Errno.SCENE_NOT_IN_PLAN),
        (has_co_teachers and not plan.co_teachers, Errno.CO_TEACHERS_NOT_IN_PLAN),
        (recording.replay and not plan.replay, Errno.REPLAY_NOT_IN_PLAN),
        (recording.record and not plan.recording, Errno.RECORDING_NOT_IN_PLAN),
        (classroom.has_two_cameras and not plan.dual_camera, Errno.DUAL_CAMERA_NOT_IN_PLAN),
        (classroom.resolution > plan.max_resolution, Errno.RESOLUTION_NOT_IN_PLAN),
        (classroom.is_broadcast and not plan.broadcast, Errno.BROADCAST_NOT_IN_PLAN),
        (classroom.is_smart and not plan.smart_classroom, Errno.NOT_IN_PLAN),
    )
    for is_missing, errno in missing:
        if is_missing:
            raise Refusal(errno)


def check_limits(plan: Plan, of_course: int, of_month: int) -> None:
    """Refuse another class if the course or the month has as many as the plan allows."""
    if plan.max_course_classes and of_course >= plan.max_course_classes:
        raise Refusal(Errno.TOO_MANY_LESSONS)
    check_monthly_limit(plan, of_month)


def check_monthly_limit(plan: Plan, created: int) -> None:
    """Refuse another class if the monthly limit of the plan is reached."""
    if plan.monthly_classes and created >= plan.monthly_classes:
        upgrade = Errno.MONTHLY_LIMIT_UPGRADE if plan.upgradable else Errno.MONTHLY_LIMIT
        count = format_count(plan.monthly_classes, "class", "classes")
        raise Refusal(upgrade, f"the school may create {count} a month")


def check_not_begun(lesson: Lesson, now: Moment) -> None:
    """Refuse a class that is running or over."""
    phase = lesson.phase(now)
    if phase.is_over:
        raise Refusal(Errno.LESSON_IS_OVER, describe_end(lesson))
    if phase is Phase.RUNNING:
        raise Refusal(Errno.LESSON_IS_RUNNING, describe_open(lesson))


def check_not_frozen(lesson: Lesson, now: Moment, frozen: Errno) -> None:
    """Refuse a change later than 20 minutes before the start; `frozen` is the errno until then."""
    check_not_begun(lesson, now)
    if lesson.lifecycle.is_frozen(now):
        opened_at = format_moment(lesson.lifecycle.opens_at)
        raise Refusal(frozen, f"class {lesson.id} is frozen since {opened_at}")


def check_editable(lesson: Lesson, change: LessonChange, now: Moment) -> None:
    """Refuse an edit of what the phase of the class has frozen (rules.yaml, class_edit_phases)."""
    if lesson.is_over(now) and (change.changes_frozen or change.changes_page):
        raise Refusal(Errno.LESSON_IS_OVER, describe_end(lesson))
    if change.changes_frozen:
        check_not_frozen(lesson, now, Errno.LESSON_FROZEN)
    if change.changes_teachers:
        check_teachers_changeable(lesson, now)


def check_teachers_changeable(lesson: Lesson, now: Moment) -> None:
    """Refuse a change of the teachers from the planned end of a class on."""
    if now >= lesson.hours.end or lesson.is_over(now):
        end = format_moment(min(lesson.hours.end, lesson.lifecycle.closes_at))
        raise Refusal(Errno.TEACHERS_FROZEN, f"class {lesson.id} ended at {end}")


def change_classroom(old: ClassroomSettings, change: LessonChange) -> ClassroomSettings:
    """Return the settings after an edit; refuse a mode or an auto-stage that does not fit."""
    smart = change.is_smart if change.is_smart is not None else old.is_smart
    if change.is_smart and old.has_two_cameras:
        raise Refusal(Errno.TEACH_MODE_NOT_CHANGED, "a smart classroom has no second camera")
    if change.enters_off_stage is False and old.is_smart and change.is_smart is None:
        raise Refusal(Errno.AUTO_STAGE_NOT_CHANGED, "a smart classroom keeps students off stage")
    off_stage = (
        change.enters_off_stage if change.enters_off_stage is not None else old.enters_off_stage
    )
    return ClassroomSettings(
        seats=old.seats,
        resolution=old.resolution,
        has_two_cameras=old.has_two_cameras,
        is_smart=smart,
        is_broadcast=change.is_broadcast if change.is_broadcast is not None else old.is_broadcast,
        enters_off_stage=off_stage or smart,
    )
