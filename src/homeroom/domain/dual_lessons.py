"""Dual-teacher classes: a main class and the sub classes that follow it (READINGS Q85)."""

from homeroom.base.clock import Moment
from homeroom.base.ids import CourseId, SchoolId, UserId
from homeroom.base.values import Value, replace
from homeroom.contract.errno import Errno
from homeroom.domain.class_edits import MAX_LMS_NAME_LENGTH, check_edit_windows
from homeroom.domain.classroom_activities import EDITED_STAGE_RULE, StageRule
from homeroom.domain.courses import CourseRule
from homeroom.domain.lessons import (
    ClassroomSettings,
    Lesson,
    RecordingOptions,
)
from homeroom.domain.refusal import Refusal

MAX_SUB_LESSONS_OF_CALL = 20
MAX_SUB_LESSONS = 100
"""Sub classes of one main class."""
SCENE_TYPES = frozenset((1, 2))
"""Values of recordType with the teacher's camera: alone, and together with the classroom."""

ADD_RULE = CourseRule(kind=Errno.COURSE_NOT_STANDARD)
EDIT_RULE = CourseRule(
    foreign=Errno.COURSE_OF_ANOTHER_SCHOOL,
    deleted=Errno.COURSE_NOT_IN_SCHOOL,
    kind=Errno.COURSE_NOT_STANDARD,
)
DELETE_RULE = CourseRule(expired=None, kind=Errno.COURSE_NOT_STANDARD)
"""Classes of courses that were ended or have expired can be deleted (READINGS Q60)."""

ADD_STAGE_RULE = StageRule(
    dual_camera=Errno.NO_DUAL_CAMERA_HERE,
    dual_camera_plan=Errno.DUAL_CAMERA_NOT_IN_PLAN,
    hd=Errno.SEATS_FORBID_HD,
    hd_plan=Errno.RESOLUTION_NOT_IN_PLAN,
)
EDIT_STAGE_RULE = replace(EDITED_STAGE_RULE, hd_plan=Errno.RESOLUTION_NOT_IN_PLAN)


class RecordingGroup(Value, frozen=True):
    """The recording fields of a call as they were sent; None where one was not."""

    uses_main: bool | None = None
    record_type: int | None = None
    record: bool | None = None
    live: bool | None = None
    replay: bool | None = None

    @property
    def is_sent(self) -> bool:
        """Tell whether any of the fields was sent."""
        return any(value is not None for value in self._values)

    @property
    def is_complete(self) -> bool:
        """Tell whether all five were sent."""
        return all(value is not None for value in self._values)

    @property
    def contradicts_main(self) -> bool:
        """Tell whether the recording of the main class is to be used beside an own one."""
        return bool(
            self.uses_main and (self.record_type or self.record or self.live or self.replay)
        )

    @property
    def options(self) -> RecordingOptions:
        """The recording options that the fields ask for."""
        return RecordingOptions(
            record=bool(self.record),
            scene=self.record_type in SCENE_TYPES,
            live=bool(self.live),
            replay=bool(self.replay),
        )

    @property
    def _values(self) -> tuple[object, ...]:
        return (self.uses_main, self.record_type, self.record, self.live, self.replay)


class NewSubLesson(Value, frozen=True):
    """A sub class to add; its teacher and hours are those of its main class."""

    course: CourseId
    name: str
    co_teachers: tuple[UserId, ...] = ()
    classroom: ClassroomSettings = ClassroomSettings()
    recording: RecordingGroup = RecordingGroup()
    identity: str | None = None
    sends_schedule: bool = False
    """A teacher or a time was sent, which sub classes take from their main class."""


def check_not_dual(lesson: Lesson, errno: Errno) -> None:
    """Refuse a class that only the dual-teacher calls may change (READINGS Q59, Q78)."""
    if lesson.is_dual:
        part = "main" if lesson.main is None else "sub"
        raise Refusal(errno, f"class {lesson.id} is a {part} class of the dual-teacher calls")


def check_main_lesson(
    lesson: Lesson | None, school: SchoolId, course: CourseId, now: Moment
) -> Lesson:
    """Return a class that can be given sub classes; raise `Refusal` otherwise."""
    if lesson is None or lesson.main is not None:
        raise Refusal(Errno.NO_SUCH_MAIN_LESSON)
    if lesson.school != school:
        raise Refusal(Errno.LESSON_OF_ANOTHER_SCHOOL)
    if lesson.course != course:
        raise Refusal(Errno.LESSON_NOT_IN_COURSE)
    if lesson.deleted_at is not None:
        raise Refusal(Errno.LESSON_DELETED)
    check_edit_windows(lesson, now, changes_hours=True)
    return lesson


def check_dual_lesson(
    lesson: Lesson | None, school: SchoolId, course: CourseId, now: Moment
) -> Lesson:
    """Return a main or sub class that is not over; raise `Refusal` otherwise."""
    if lesson is None:
        raise Refusal(Errno.NO_SUCH_LESSON)
    if lesson.school != school:
        raise Refusal(Errno.LESSON_OF_ANOTHER_SCHOOL)
    if lesson.course != course:
        raise Refusal(Errno.LESSON_NOT_IN_COURSE)
    if not lesson.is_dual:
        raise Refusal(Errno.NOT_A_DUAL_LESSON)
    if lesson.deleted_at is not None or lesson.is_over(now):
        raise Refusal(Errno.LESSON_OVER_OR_DELETED)
    return lesson


def check_sub_lesson(new: NewSubLesson) -> tuple[RecordingOptions, bool]:
    """Return the recording of a sub class to add, and whether it uses that of its main class.

    Refuses what the entry itself shows to be wrong.
    """
    check_name(new.name)
    if new.sends_schedule:
        raise Refusal(Errno.SUB_LESSON_FOLLOWS_MAIN)
    group = new.recording
    if group.is_sent and not group.is_complete:
        raise Refusal(
            Errno.RECORDING_MISMATCH,
            "useCoMainRecord and the four recording fields must be sent together",
        )
    if group.options.lacks_recording:
        raise Refusal(Errno.RECORDING_MISMATCH, "liveState and openState need recordState")
    if group.contradicts_main:
        raise Refusal(Errno.MAIN_RECORDING_MISMATCH)
    return group.options.effective(), bool(group.uses_main)


def check_changed_recording(lesson: Lesson, group: RecordingGroup) -> None:
    """Refuse recording fields that are incomplete, or do not fit the class."""
    is_main = lesson.main is None
    sent = replace(group, uses_main=False) if is_main else group
    has_foreign_field = is_main and group.uses_main is not None
    if has_foreign_field or not sent.is_complete or group.contradicts_main:
        raise Refusal(Errno.MAIN_RECORDING_MISMATCH)


def check_name(name: str) -> None:
    """Refuse a name that is too long for these calls, which do not cut it."""
    if len(name) > MAX_LMS_NAME_LENGTH:
        raise Refusal(
            Errno.LESSON_NAME_TOO_LONG, f"className has more than {MAX_LMS_NAME_LENGTH} characters"
        )
