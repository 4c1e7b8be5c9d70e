"""Activities: what the units of a course hold. A class is one of them (READINGS Q79)."""

from collections.abc import Set as AbstractSet
from enum import IntEnum

from homeroom.base.clock import YEAR, Moment, format_moment
from homeroom.base.ids import ActivityId, CourseId, LessonId, SchoolId, UnitId, UserId
from homeroom.base.values import Value
from homeroom.contract.errno import Errno
from homeroom.domain.lifecycle import Lifecycle
from homeroom.domain.refusal import Refusal
from homeroom.domain.teachers import TeacherRule

MAX_ACTIVITY_LEAD_SECONDS = 3 * YEAR
"""An activity that is no class begins within this time (READINGS Q44)."""


class ActivityKind(IntEnum):
    """The kind of an activity; the numbers are those of `activityType` on the wire."""

    CLASSROOM = 1
    HOMEWORK = 2
    TEST = 3
    RECORDED_LESSON = 4
    MATERIAL = 5
    DISCUSSION = 6
    ANSWER_SHEET = 7
    CHECK_IN = 8


KINDS_FOR_ALL = frozenset((ActivityKind.HOMEWORK, ActivityKind.TEST))
"""Kinds that all members of the course always belong to."""


class Activity(Value, frozen=True):
    """An activity of a course."""

    id: ActivityId
    school: SchoolId
    course: CourseId
    unit: UnitId | None
    """None: the default unit of the course."""
    kind: ActivityKind
    lesson: LessonId | None
    """The class, if the activity is one."""
    name: str
    teacher: UserId
    begins_at: Moment | None
    ends_at: Moment | None
    """The planned end."""
    closed_at: Moment | None
    """When the class was closed early."""
    is_published: bool
    created_at: Moment
    deleted_at: Moment | None
    """When the activity, its unit, its class or its course was deleted."""

    @property
    def lifecycle(self) -> Lifecycle | None:
        """The times of the class; None for other activities, and those have no phases."""
        if self.lesson is None or self.begins_at is None or self.ends_at is None:
            return None
        return Lifecycle(self.begins_at, self.ends_at, self.closed_at)

    def is_over(self, now: Moment) -> bool:
        """Tell whether the activity has ended; one without an end never does."""
        lifecycle = self.lifecycle
        if lifecycle is not None:
            return lifecycle.is_over(now)
        return self.ends_at is not None and self.ends_at <= now


class NewActivity(Value, frozen=True):
    """An activity to add that is no class."""

    kind: ActivityKind
    name: str
    teacher: UserId
    begins_at: Moment | None = None
    ends_at: Moment | None = None


class ActivityRule(Value, frozen=True):
    """Errnos for activities that an action refuses."""

    missing: Errno
    foreign: Errno
    deleted: Errno


STANDARD_RULE = ActivityRule(
    missing=Errno.NO_SUCH_ACTIVITY,
    foreign=Errno.NO_SUCH_ACTIVITY,
    deleted=Errno.ACTIVITY_DELETED,
)
EDIT_CLASSROOM_RULE = ActivityRule(
    missing=Errno.NO_SUCH_LESSON,
    foreign=Errno.LESSON_NOT_IN_COURSE,
    deleted=Errno.LESSON_DELETED,
)
"""For the action that edits classes and has the errnos of the v1 wire (READINGS Q78)."""


NOT_A_TEACHER_RULE = TeacherRule(
    unknown=Errno.BAD_VALUE,
    not_of_school=Errno.BAD_VALUE,
    cancelled=Errno.BAD_VALUE,
    stopped=Errno.BAD_VALUE,
    stopping=Errno.BAD_VALUE,
    student=Errno.BAD_VALUE,
    auditor=Errno.BAD_VALUE,
)
"""For the teacher of an activity that is no class: all that does not fit is one errno."""


def check_activity(activity: Activity | None, course: CourseId, rule: ActivityRule) -> Activity:
    """Return an activity of the course that is not deleted; raise `Refusal` otherwise."""
    if activity is None:
        raise Refusal(rule.missing)
    if activity.course != course:
        raise Refusal(rule.foreign, f"activity {activity.id} belongs to another course")
    if activity.deleted_at is not None:
        raise Refusal(rule.deleted, f"activity {activity.id} was deleted")
    return activity


def check_draft(activity: ActivityId, published: AbstractSet[ActivityId]) -> None:
    """Refuse to publish an activity that is published already."""
    if activity in published:
        raise Refusal(Errno.ACTIVITY_PUBLISHED, f"activity {activity} is published already")


def check_period(begins_at: Moment | None, ends_at: Moment | None, now: Moment) -> None:
    """Refuse an activity that begins too far ahead, or ends before it begins."""
    if begins_at is not None and begins_at > now + MAX_ACTIVITY_LEAD_SECONDS:
        raise Refusal(Errno.BAD_VALUE, "startTime must be within three years")
    if ends_at is not None and ends_at <= (begins_at if begins_at is not None else now):
        raise Refusal(Errno.BAD_VALUE, "endTime must be later than startTime")


def check_members_changeable(activity: Activity, wrong_kind: Errno, now: Moment) -> None:
    """Refuse to change the members of an activity that is for all of them, or is over."""
    if activity.kind in KINDS_FOR_ALL:
        raise Refusal(wrong_kind, "all members of the course belong to homework and tests")
    if activity.is_over(now):
        end = activity.lifecycle.closes_at if activity.lifecycle is not None else activity.ends_at
        since = f" since {format_moment(end)}" if end is not None else ""
        raise Refusal(Errno.ACTIVITY_OVER, f"activity {activity.id} is over{since}")
