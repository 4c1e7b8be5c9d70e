"""Teachers of a school, and who may teach what."""

from collections.abc import Callable, Sequence
from enum import IntEnum, StrEnum

from homeroom.base.ids import UserId
from homeroom.base.text import format_count
from homeroom.base.values import Value, replace
from homeroom.contract.errno import Errno
from homeroom.domain.refusal import Refusal


class TeacherState(StrEnum):
    """The state of a teacher in a school; stopping becomes stopped after a delay (READINGS Q13)."""

    ACTIVE = "active"
    STOPPING = "stopping"
    STOPPED = "stopped"


class MemberRole(IntEnum):
    """The role of a member of a course; the numbers are those of `identity` on the wire."""

    STUDENT = 1
    AUDITOR = 2


class TeacherCandidate(Value, frozen=True):
    """A person who is to teach, with their roles in the school and the course."""

    user: UserId
    exists: bool
    is_cancelled: bool
    state: TeacherState | None
    """None: not a teacher of the school."""
    role: MemberRole | None
    """The role as a member of the course, if the person has one."""
    is_guest: bool = False
    """True if the person is a student of this one class."""

    @property
    def passes_every_rule(self) -> bool:
        """Tell whether no rule can refuse this person, as in most cases."""
        active = self.state is TeacherState.ACTIVE and not self.is_cancelled
        return active and self.role is None and not self.is_guest


class TeacherRule(Value, frozen=True):
    """Errnos that refuse a candidate for a position; None: not checked."""

    unknown: Errno
    not_of_school: Errno
    cancelled: Errno
    stopped: Errno
    stopping: Errno
    student: Errno | None
    auditor: Errno | None
    guest: Errno | None = None


TEACHER_RULE = TeacherRule(
    unknown=Errno.BAD_DATA,
    not_of_school=Errno.NOT_A_TEACHER_OF_SCHOOL,
    cancelled=Errno.TEACHER_CANCELLED,
    stopped=Errno.TEACHER_STOPPED,
    stopping=Errno.TEACHER_STOPPING,
    student=Errno.TEACHER_IS_COURSE_STUDENT,
    auditor=Errno.TEACHER_IS_COURSE_AUDITOR,
    guest=Errno.TEACHER_IS_GUEST,
)
CO_TEACHER_RULE = TeacherRule(
    unknown=Errno.CO_TEACHER_NOT_OF_SCHOOL,
    not_of_school=Errno.CO_TEACHER_NOT_OF_SCHOOL,
    cancelled=Errno.CO_TEACHER_CANCELLED,
    stopped=Errno.CO_TEACHER_STOPPED,
    stopping=Errno.CO_TEACHER_STOPPING,
    student=Errno.CO_TEACHER_IS_STUDENT,
    auditor=Errno.CO_TEACHER_IS_AUDITOR,
    guest=Errno.CO_TEACHER_IS_GUEST,
)
NEXT_TEACHER_RULE = TeacherRule(
    unknown=Errno.BAD_DATA,
    not_of_school=Errno.NOT_A_TEACHER_OF_SCHOOL,
    cancelled=Errno.TEACHER_CANCELLED,
    stopped=Errno.TEACHER_STOPPED,
    stopping=Errno.HEAD_TEACHER_STOPPING,
    student=None,
    auditor=None,
)
"""Of the teacher of all classes to come; roles in the course are checked for each class."""
NEXT_LESSON_TEACHER_RULE = replace(
    NEXT_TEACHER_RULE,
    student=Errno.TEACHER_IS_COURSE_STUDENT,
    auditor=Errno.TEACHER_IS_COURSE_AUDITOR,
    guest=Errno.TEACHER_IS_LESSON_STUDENT,
)
FIRST_HEAD_TEACHER_RULE = TeacherRule(
    unknown=Errno.BAD_DATA,
    not_of_school=Errno.HEAD_TEACHER_NOT_OF_SCHOOL,
    cancelled=Errno.HEAD_TEACHER_CANCELLED,
    stopped=Errno.HEAD_TEACHER_STOPPED,
    stopping=Errno.HEAD_TEACHER_STOPPING,
    student=None,
    auditor=None,
)
NEW_HEAD_TEACHER_RULE = TeacherRule(
    unknown=Errno.NO_SUCH_HEAD_TEACHER,
    not_of_school=Errno.HEAD_TEACHER_NOT_OF_SCHOOL,
    cancelled=Errno.HEAD_TEACHER_CANCELLED,
    stopped=Errno.HEAD_TEACHER_STOPPED,
    stopping=Errno.HEAD_TEACHER_STOPPING,
    student=Errno.HEAD_TEACHER_IS_STUDENT,
    auditor=Errno.HEAD_TEACHER_IS_AUDITOR,
)
COURSE_TEACHER_RULE = TeacherRule(
    unknown=Errno.NOT_A_TEACHER_OF_SCHOOL,
    not_of_school=Errno.NOT_A_TEACHER_OF_SCHOOL,
    cancelled=Errno.TEACHER_CANCELLED,
    stopped=Errno.TEACHER_STOPPED,
    stopping=Errno.TEACHER_STOPPED,
    student=Errno.TEACHER_IS_COURSE_STUDENT,
    auditor=Errno.TEACHER_IS_COURSE_AUDITOR,
)
"""For the list of teachers of a course (READINGS Q87)."""


def check_candidates(candidates: Sequence[TeacherCandidate], rule: TeacherRule) -> None:
    """Refuse candidates by the first errno that applies to any of them."""
    if all(candidate.passes_every_rule for candidate in candidates):
        return
    checks: tuple[tuple[Errno | None, Callable[[TeacherCandidate], bool]], ...] = (
        (rule.unknown, lambda candidate: not candidate.exists),
        (rule.not_of_school, lambda candidate: candidate.state is None),
        (rule.cancelled, lambda candidate: candidate.is_cancelled),
        (rule.stopped, lambda candidate: candidate.state is TeacherState.STOPPED),
        (rule.stopping, lambda candidate: candidate.state is TeacherState.STOPPING),
        (rule.student, lambda candidate: candidate.role is MemberRole.STUDENT),
        (rule.auditor, lambda candidate: candidate.role is MemberRole.AUDITOR),
        (rule.guest, lambda candidate: candidate.is_guest),
    )
    for errno, applies in checks:
        for candidate in candidates:
            if errno is not None and applies(candidate):
                raise Refusal(errno, f"UID {candidate.user}: {errno.en}")


def check_co_teachers(co_teachers: tuple[UserId, ...], teacher: UserId, limit: int) -> None:
    """Refuse duplicates, too many co-teachers, and the teacher among them; 0 means no limit."""
    if len(set(co_teachers)) < len(co_teachers):
        raise Refusal(Errno.CO_TEACHER_TWICE)
    check_co_teacher_count(len(co_teachers), limit)
    if teacher in co_teachers:
        raise Refusal(Errno.CO_TEACHER_IS_TEACHER)


def check_co_teacher_count(count: int, limit: int) -> None:
    """Refuse too many co-teachers; 0 means no limit."""
    if limit and count > limit:
        raise Refusal(
            Errno.TOO_MANY_CO_TEACHERS,
            f"the school allows {format_count(limit, 'co-teacher')} a class",
        )
