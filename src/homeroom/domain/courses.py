"""Courses: their states and the rules of changing them."""

from enum import StrEnum

from homeroom.base.clock import DAY, YEAR, Moment, format_moment
from homeroom.base.ids import CourseId, FolderId, SchoolId, UserId
from homeroom.base.values import Value
from homeroom.contract.errno import Errno
from homeroom.domain.refusal import Refusal

EXPIRY_EXTENSION_SECONDS = 90 * DAY
"""Seconds between the end of a new class and the extended expiry of its course (READINGS Q27)."""


class CourseKind(StrEnum):
    """The kind of a course; the partner API changes standard courses only."""

    STANDARD = "standard"
    PUBLIC = "public"
    DUAL = "dual"


class Course(Value, frozen=True):
    """A series of classes with one roster."""

    id: CourseId
    school: SchoolId
    kind: CourseKind
    head_teacher: UserId | None
    folder: FolderId | None
    key: str
    expires_at: Moment | None
    ended_at: Moment | None
    deleted_at: Moment | None
    name: str
    subject: int
    category: int | None

    def is_expired(self, now: Moment) -> bool:
        """Tell whether the course cannot be changed any more: it is past its expiry, or ended."""
        return self.ended_at is not None or (self.expires_at is not None and self.expires_at <= now)


class CourseRule(Value, frozen=True):
    """Errnos for the states of a course that an action refuses; None: the state is not checked."""

    missing: Errno = Errno.NO_SUCH_COURSE
    foreign: Errno = Errno.COURSE_NOT_IN_SCHOOL
    deleted: Errno | None = Errno.COURSE_DELETED
    expired: Errno | None = Errno.COURSE_EXPIRED
    ended: Errno | None = None
    """Of a course that was ended; None: it counts as expired (READINGS Q60)."""
    kind: Errno | None = Errno.KIND_NOT_SUPPORTED


CHANGE_RULE = CourseRule()
NEW_TEACHER_RULE = CourseRule(ended=Errno.COURSE_ENDED)
REMOVE_MEMBERS_RULE = CourseRule(deleted=Errno.NO_SUCH_COURSE)
"""Members may be removed: a deleted course is no course (READINGS Q14)."""
V2_RULE = CourseRule(
    foreign=Errno.COURSE_OF_ANOTHER_SCHOOL,
    expired=Errno.COURSE_ENDED_OR_EXPIRED,
    kind=Errno.COURSE_NOT_STANDARD,
)
"""For the v2 wire: its own errnos, one for ended and expired (READINGS Q60, Q78)."""
LABEL_RULE = CourseRule(expired=None, kind=None)
CLASS_STUDENT_RULE = CourseRule(missing=Errno.COURSE_NOT_IN_SCHOOL)
"""For actions that change a course and have no errno for a missing one (READINGS Q59)."""
NEW_GROUPING_RULE = CourseRule(
    missing=Errno.BAD_PARAMS,
    foreign=Errno.BAD_PARAMS,
    deleted=Errno.GROUPING_NOT_STORED,
    expired=Errno.GROUPING_NOT_STORED,
    kind=Errno.GROUPING_NOT_STORED,
)
GROUPING_RULE = CourseRule(
    missing=Errno.NO_SUCH_GROUPING,
    foreign=Errno.NO_SUCH_GROUPING,
    deleted=Errno.NO_SUCH_GROUPING,
    expired=None,
    kind=Errno.NO_SUCH_GROUPING,
)
"""For actions on the grouping of a course, which list no errno of a course (READINGS Q66)."""
NICKNAME_RULE = CourseRule(kind=None)
LESSON_LABEL_RULE = CourseRule(expired=None)
REFERENCE_RULE = CourseRule(missing=Errno.COURSE_NOT_IN_SCHOOL, expired=None)
"""For actions without the errnos for a missing and an expired course."""
LESSON_RULE = CourseRule(missing=Errno.COURSE_NOT_IN_SCHOOL, deleted=None, expired=None)
"""For actions on one class: a deleted course is refused through its class."""
ACTIVITY_RULE = CourseRule(
    foreign=Errno.COURSE_OF_ANOTHER_SCHOOL,
    deleted=Errno.NO_SUCH_COURSE,
    expired=Errno.COURSE_PAST_EXPIRY,
    kind=Errno.COURSE_NOT_STANDARD,
)
"""For units and activities (READINGS Q78)."""
EDIT_CLASSROOM_RULE = CourseRule(
    foreign=Errno.COURSE_OF_ANOTHER_SCHOOL,
    deleted=Errno.COURSE_NOT_IN_SCHOOL,
    ended=Errno.COURSE_EXPIRED,
    expired=Errno.COURSE_PAST_EXPIRY,
    kind=Errno.COURSE_NOT_STANDARD,
)
"""For the edit of a classroom activity (READINGS Q60, Q78)."""

ENTRY_RULE = CourseRule(missing=Errno.COURSE_NOT_IN_SCHOOL, deleted=None, expired=None, kind=None)
"""For the entry into a class: the kind of the course is checked after the class."""


def check_course(course: Course | None, school: SchoolId, now: Moment, rule: CourseRule) -> Course:
    """Return the course if the rule of the action allows it; raise `Refusal` otherwise."""
    if course is None:
        raise Refusal(rule.missing)
    if course.school != school:
        raise Refusal(rule.foreign, f"the school has no course {course.id}")
    if course.deleted_at is not None and rule.deleted is not None:
        raise Refusal(rule.deleted, f"course {course.id} was deleted")
    if course.ended_at is not None and rule.ended is not None:
        raise Refusal(rule.ended, _describe_end(course))
    if course.is_expired(now) and rule.expired is not None:
        raise Refusal(rule.expired, _describe_end(course))
    if course.kind is not CourseKind.STANDARD and rule.kind is not None:
        raise Refusal(rule.kind, f"course {course.id} is not a standard one")
    return course


def _describe_end(course: Course) -> str | None:
    """Return the reason why a course cannot be changed any more, if it was ended or expired."""
    if course.ended_at is not None:
        return f"course {course.id} was ended at {format_moment(course.ended_at)}"
    if course.expires_at is not None:
        return f"course {course.id} expired at {format_moment(course.expires_at)}"
    return None


def check_expiry(expires_at: Moment | None, now: Moment, last_end: Moment | None = None) -> None:
    """Refuse an expiry under a day or over five years away, or before the last class ends."""
    if expires_at is None:
        return
    if expires_at < now + DAY:
        raise Refusal(Errno.EXPIRY_TOO_SOON)
    if expires_at > now + 5 * YEAR + DAY:
        raise Refusal(Errno.EXPIRY_TOO_FAR)
    if last_end is not None and expires_at < last_end:
        raise Refusal(Errno.EXPIRY_BEFORE_LAST_LESSON)
