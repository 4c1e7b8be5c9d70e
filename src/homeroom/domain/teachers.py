"""Teachers of a school, and who may teach what."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from homeroom.base.ids import UserId
from homeroom.contract.errno import Errno
from homeroom.domain.refusal import Refusal

NOBODY = UserId(0)
"""Whom an account leads to that nobody has."""


class TeacherState(StrEnum):
    """Where a teacher of a school stands; stopping becomes stopped after a delay (READINGS Q13)."""

    ACTIVE = "active"
    STOPPING = "stopping"
    STOPPED = "stopped"


class MemberRole(IntEnum):
    """What a member of a course is there as; the numbers are those of the wire's `identity`."""

    STUDENT = 1
    AUDITOR = 2


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who shall teach or help, as the school and the course know them."""

    user: UserId
    exists: bool
    is_cancelled: bool
    state: TeacherState | None
    """None: not a teacher of the school."""
    role: MemberRole | None
    """What the person is in the course besides."""
    is_guest: bool = False
    """Whether the person was added to this one class as a student."""

    @property
    def fits_any_post(self) -> bool:
        """Tell whether there is nothing against this person, as is mostly the case."""
        active = self.state is TeacherState.ACTIVE and not self.is_cancelled
        return active and self.role is None and not self.is_guest


@dataclass(frozen=True, slots=True)
class Post:
    """A post that a candidate may be given, by the numbers that refuse it; None: not asked."""

    unknown: Errno
    not_of_school: Errno
    cancelled: Errno
    stopped: Errno
    stopping: Errno
    student: Errno | None
    auditor: Errno | None
    guest: Errno | None = None


TEACHER = Post(
    unknown=Errno.BAD_DATA,
    not_of_school=Errno.NOT_A_TEACHER_OF_SCHOOL,
    cancelled=Errno.TEACHER_CANCELLED,
    stopped=Errno.TEACHER_STOPPED,
    stopping=Errno.TEACHER_STOPPING,
    student=Errno.TEACHER_IS_COURSE_STUDENT,
    auditor=Errno.TEACHER_IS_COURSE_AUDITOR,
    guest=Errno.TEACHER_IS_GUEST,
)
CO_TEACHER = Post(
    unknown=Errno.CO_TEACHER_NOT_OF_SCHOOL,
    not_of_school=Errno.CO_TEACHER_NOT_OF_SCHOOL,
    cancelled=Errno.CO_TEACHER_CANCELLED,
    stopped=Errno.CO_TEACHER_STOPPED,
    stopping=Errno.CO_TEACHER_STOPPING,
    student=Errno.CO_TEACHER_IS_STUDENT,
    auditor=Errno.CO_TEACHER_IS_AUDITOR,
    guest=Errno.CO_TEACHER_IS_GUEST,
)
FIRST_HEAD_TEACHER = Post(
    unknown=Errno.BAD_DATA,
    not_of_school=Errno.HEAD_TEACHER_NOT_OF_SCHOOL,
    cancelled=Errno.HEAD_TEACHER_CANCELLED,
    stopped=Errno.HEAD_TEACHER_STOPPED,
    stopping=Errno.HEAD_TEACHER_STOPPING,
    student=None,
    auditor=None,
)
NEW_HEAD_TEACHER = Post(
    unknown=Errno.NO_SUCH_HEAD_TEACHER,
    not_of_school=Errno.HEAD_TEACHER_NOT_OF_SCHOOL,
    cancelled=Errno.HEAD_TEACHER_CANCELLED,
    stopped=Errno.HEAD_TEACHER_STOPPED,
    stopping=Errno.HEAD_TEACHER_STOPPING,
    student=Errno.HEAD_TEACHER_IS_STUDENT,
    auditor=Errno.HEAD_TEACHER_IS_AUDITOR,
)


def check_fit(all_asked: Sequence[Candidate], post: Post) -> None:
    """Refuse candidates who may not have a post: the first number that holds for any of them."""
    if all(who.fits_any_post for who in all_asked):
        return
    checks: tuple[tuple[Errno | None, Callable[[Candidate], bool]], ...] = (
        (post.unknown, lambda who: not who.exists),
        (post.not_of_school, lambda who: who.state is None),
        (post.cancelled, lambda who: who.is_cancelled),
        (post.stopped, lambda who: who.state is TeacherState.STOPPED),
        (post.stopping, lambda who: who.state is TeacherState.STOPPING),
        (post.student, lambda who: who.role is MemberRole.STUDENT),
        (post.auditor, lambda who: who.role is MemberRole.AUDITOR),
        (post.guest, lambda who: who.is_guest),
    )
    for errno, holds in checks:
        for who in all_asked:
            if errno is not None and holds(who):
                raise Refusal(errno, f"UID {who.user}: {errno.en}")


def check_co_teachers(asked: tuple[UserId, ...], teacher: UserId, cap: int) -> None:
    """Refuse a list of co-teachers that is wrong in itself; a cap of 0 is none."""
    if len(set(asked)) < len(asked):
        raise Refusal(Errno.CO_TEACHER_TWICE)
    if cap and len(asked) > cap:
        raise Refusal(Errno.TOO_MANY_CO_TEACHERS, f"the school allows {cap} co-teachers a class")
    if teacher in asked:
        raise Refusal(Errno.CO_TEACHER_IS_TEACHER)
