"""Taking teachers into service and out of it."""

from homeroom.base.ids import SchoolId, UserId
from homeroom.contract.errno import Errno
from homeroom.domain.accounts import AccountName, User
from homeroom.domain.kinds import Kind
from homeroom.domain.refusal import Refused
from homeroom.domain.schools import School
from homeroom.domain.teachers import TeacherState
from homeroom.store.work import Work
from homeroom.usecases.accounts import check_teacher_quota, current_school, found
from homeroom.usecases.means import Means


def add(
    work: Work,
    school: SchoolId,
    user: UserId | None,
    name: AccountName | None,
    shown_as: str,
    photo: str | None,
) -> int:
    """Put a registered user on the school's list of teachers; returns the id of that relation."""
    held = current_school(work, school)
    person = found(work, user, name)
    if person is None:
        raise Refused(Errno.BAD_DATA if user is not None else Errno.ACCOUNT_NOT_REGISTERED)
    if person.is_cancelled:
        raise Refused(Errno.TEACHER_CANCELLED)
    if work.teachers.state(school, person.id) is not None:
        raise Refused(Errno.ALREADY_EXISTS, "the user is a teacher of the school already")
    check_teacher_quota(work, held)
    return work.teachers.add(school, person.id, shown_as, work.now, photo)


def stop(
    work: Work, means: Means, school: SchoolId, user: UserId | None, name: AccountName | None
) -> None:
    """Take a teacher out of service; done at once or after a delay (READINGS Q13)."""
    held = current_school(work, school)
    person, state = _teacher(work, held, user, name)
    if person.id == held.owner:
        raise Refused(Errno.SCHOOL_ACCOUNT_NOT_STOPPABLE)
    if work.schools.is_sub_account(school, person.id):
        raise Refused(Errno.SUB_ACCOUNT_NOT_STOPPABLE)
    if work.teachers.has_unfinished_lesson(school, person.id, work.now):
        raise Refused(Errno.TEACHER_HAS_LESSONS)
    if work.teachers.has_unfinished_course(school, person.id, work.now):
        raise Refused(Errno.TEACHER_HAS_COURSES)
    if state is not TeacherState.ACTIVE:
        return
    delay = means.stop_delay if held.plan.stop_delay is None else held.plan.stop_delay
    if delay == 0:
        work.teachers.set_state(school, person.id, TeacherState.STOPPED)
        return
    work.teachers.set_state(school, person.id, TeacherState.STOPPING)
    work.defer(Kind.FINISH_STOP, {"school": school, "user": person.id}, school, after=delay)


def finish_stop(work: Work, school: SchoolId, user: UserId) -> None:
    """Let a stopping teacher be stopped; anybody else stays as they are."""
    if work.teachers.state(school, user) is TeacherState.STOPPING:
        work.teachers.set_state(school, user, TeacherState.STOPPED)


def restart(work: Work, school: SchoolId, user: UserId | None, name: AccountName | None) -> None:
    """Put a stopped teacher back into service."""
    person, state = _teacher(work, current_school(work, school), user, name)
    if state is TeacherState.STOPPING:
        raise Refused(Errno.TEACHER_STOPPING, "the stop is not finished yet; try again later")
    work.teachers.set_state(school, person.id, TeacherState.ACTIVE)


def _teacher(
    work: Work, school: School, user: UserId | None, name: AccountName | None
) -> tuple[User, TeacherState]:
    person = found(work, user, name)
    if person is None:
        raise Refused(Errno.BAD_DATA, "no such user")
    state = work.teachers.state(school.id, person.id)
    if state is None:
        raise Refused(Errno.NOT_A_TEACHER_OF_SCHOOL)
    return person, state
