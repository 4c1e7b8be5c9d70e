"""Rules of the LMS and the dual-teacher calls about classes (READINGS Q81, Q82, Q85).

The v1 calls have rules of their own: `domain/lessons.py`.
"""

from collections.abc import Sequence

from homeroom.base.clock import MINUTE, YEAR, Moment, format_moment
from homeroom.base.ids import UserId
from homeroom.base.text import format_count
from homeroom.base.values import replace
from homeroom.contract.errno import Errno
from homeroom.domain.lessons import (
    MAX_LESSON_SECONDS,
    MIN_LESSON_SECONDS,
    Hours,
    Lesson,
    describe_end,
    describe_open,
)
from homeroom.domain.lifecycle import Phase
from homeroom.domain.refusal import Refusal
from homeroom.domain.schools import Plan
from homeroom.domain.teachers import (
    CO_TEACHER_RULE,
    TEACHER_RULE,
    TeacherCandidate,
    check_candidates,
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


def check_not_frozen(lesson: Lesson, now: Moment, *, changes_hours: bool) -> None:
    """Refuse a change of what freezes before the start of a class (READINGS Q82)."""
    phase = lesson.phase(now)
    if phase.is_over:
        raise Refusal(Errno.LESSON_IS_OVER, describe_end(lesson))
    if phase is Phase.RUNNING:
        raise Refusal(Errno.LESSON_IS_RUNNING, describe_open(lesson))
    left = lesson.hours.begin - now
    reason = f"class {lesson.id} begins at {format_moment(lesson.hours.begin)}"
    if changes_hours and left < TIMES_FREEZE_SECONDS:
        raise Refusal(Errno.TIMES_FROZEN, reason)
    if left < DATA_FREEZE_SECONDS:
        raise Refusal(Errno.LESSON_FROZEN_SOON, reason)
    if lesson.lifecycle.is_frozen(now):
        raise Refusal(Errno.LESSON_FROZEN, reason)


def check_teachers_changeable(lesson: Lesson, now: Moment) -> None:
    """Refuse a change of the teachers from the scheduled end of a class on."""
    if now >= lesson.hours.end or lesson.is_over(now):
        end = format_moment(min(lesson.hours.end, lesson.lifecycle.closes_at))
        raise Refusal(Errno.TEACHERS_FROZEN, f"class {lesson.id} ended at {end}")


def check_new_hours(hours: Hours, now: Moment, too_far: Errno) -> None:
    """Refuse hours that an edit cannot give a class."""
    if hours.end <= hours.begin:
        raise Refusal(Errno.LESSON_LENGTH, "endTime must be later than startTime")
    if not MIN_LESSON_SECONDS <= hours.end - hours.begin <= MAX_LESSON_SECONDS:
        raise Refusal(Errno.LESSON_LENGTH, "a class lasts 15 minutes to 24 hours")
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
    if limit and len(co_teachers) > limit:
        raise Refusal(
            Errno.TOO_MANY_CO_TEACHERS,
            f"the school allows {format_count(limit, 'co-teacher')} a class",
        )
