"""Rules of the LMS and the dual-teacher calls about classes (READINGS Q81, Q82, Q85).

The v1 calls have rules of their own: `domain/lessons.py`.
"""

from collections.abc import Sequence

from homeroom.base.clock import MINUTE, YEAR, Moment, format_moment
from homeroom.base.ids import UserId
from homeroom.base.values import replace
from homeroom.contract.errno import Errno
from homeroom.domain.lessons import (
    Hours,
    Lesson,
    check_length,
    check_not_begun,
)
from homeroom.domain.refusal import Refusal
from homeroom.domain.schools import Plan
from homeroom.domain.teachers import (
    CO_TEACHER_RULE,
    TEACHER_RULE,
    TeacherCandidate,
    check_candidates,
    check_co_teacher_count,
)

MAX_LMS_LEAD_SECONDS = 2 * YEAR
"""A class of these calls begins within this time (READINGS Q44)."""
DATA_FREEZE_SECONDS = 5 * MINUTE
TIMES_FREEZE_SECONDS = MINUTE
"""Before its start the data and the times of a class freeze; the innermost window answers."""
MAX_LMS_NAME_LENGTH = 50

LMS_TEACHER_RULE = replace(TEACHER_RULE, unknown=Errno.NO_SUCH_TEACHER)
# These calls do not list the errno that the v1 wire has for a guest.
LMS_CO_TEACHER_RULE = replace(CO_TEACHER_RULE, guest=Errno.BAD_VALUE)


def check_edit_windows(lesson: Lesson, now: Moment, *, changes_hours: bool) -> None:
    """Refuse a change of what freezes before the start of a class (READINGS Q82)."""
    check_not_begun(lesson, now)
    left = lesson.hours.begin - now
    reason = f"class {lesson.id} begins at {format_moment(lesson.hours.begin)}"
    if changes_hours and left < TIMES_FREEZE_SECONDS:
        raise Refusal(Errno.TIMES_FROZEN, reason)
    if left < DATA_FREEZE_SECONDS:
        raise Refusal(Errno.LESSON_FROZEN_SOON, reason)
    if lesson.lifecycle.is_frozen(now):
        raise Refusal(Errno.LESSON_FROZEN, reason)


def check_new_hours(hours: Hours, now: Moment, too_far: Errno) -> None:
    """Refuse hours that an edit cannot give a class."""
    if hours.end <= hours.begin:
        raise Refusal(Errno.LESSON_LENGTH, "endTime must be later than startTime")
    check_length(hours)
    if hours.begin < now:
        raise Refusal(Errno.BAD_VALUE, "startTime lies in the past")
    if hours.begin > now + MAX_LMS_LEAD_SECONDS:
        raise Refusal(too_far, "startTime must be within two years")


def check_service_term(hours: Hours, plan: Plan) -> None:
    """Refuse a class that ends after the service of the school's plan."""
    if plan.service_until is not None and hours.end > plan.service_until:
        until = format_moment(plan.service_until)
        raise Refusal(Errno.ENDS_AFTER_SERVICE, f"the service of the plan ends at {until}")


def check_lms_co_teachers(
    co_teachers: Sequence[UserId], joining: Sequence[TeacherCandidate], limit: int
) -> None:
    """Refuse co-teachers in the order of READINGS Q81; a limit of 0 is none.

    `joining` are those of them who do not have the class yet.
    """
    if len(set(co_teachers)) < len(co_teachers):
        raise Refusal(Errno.BAD_VALUE, "assistantUids: a co-teacher is listed twice")
    check_candidates(joining, LMS_CO_TEACHER_RULE)
    check_co_teacher_count(len(co_teachers), limit)
