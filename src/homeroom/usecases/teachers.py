"""Add teachers to a school, stop and restart them."""

from homeroom.base.ids import SchoolId, UserId
from homeroom.contract.errno import Errno
from homeroom.domain.accounts import AccountName, User
from homeroom.domain.jobs import FinishStop
from homeroom.domain.refusal import Refusal
from homeroom.domain.schools import School
from homeroom.domain.teachers import TeacherState
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import people
from homeroom.usecases.accounts import check_teacher_quota, get_current_school
from homeroom.usecases.dependencies import Dependencies


def add(
    uow: UnitOfWork,
    school: SchoolId,
    user: UserId | None,
    name: AccountName | None,
    shown_as: str,
    photo: str | None,
) -> int:
    """Add a registered user to the teachers of the school; return the id of that relation."""
    current = get_current_school(uow, school)
    person = people.find_user(uow, school, user, name)
    if person is None:
        raise Refusal(Errno.BAD_DATA if user is not None else Errno.ACCOUNT_NOT_REGISTERED)
    if person.is_cancelled:
        raise Refusal(Errno.TEACHER_CANCELLED)
    if uow.teachers.get_state(school, person.id) is not None:
        raise Refusal(Errno.ALREADY_EXISTS, "the user is a teacher of the school already")
    check_teacher_quota(uow, current)
    return uow.teachers.add(school, person.id, shown_as, uow.now, photo)


def edit(
    uow: UnitOfWork, school: SchoolId, user: UserId, name: str, photo: str | Refusal | None
) -> None:
    """Change the name of a teacher on the school's list, and the photo if there is a new one."""
    if uow.teachers.get_state(school, user) is None:
        raise Refusal(Errno.NO_SUCH_TEACHER, f"UID {user} is no teacher of the school")
    if isinstance(photo, Refusal):
        raise photo
    uow.teachers.save_name(school, user, name, photo)


def stop(
    uow: UnitOfWork,
    deps: Dependencies,
    school: SchoolId,
    user: UserId | None,
    name: AccountName | None,
) -> TeacherState:
    """Stop a teacher, at once or after a delay (READINGS Q13); return the state from now on."""
    current = get_current_school(uow, school)
    person, state = _get_teacher(uow, current, user, name)
    if person.id == current.owner:
        raise Refusal(Errno.SCHOOL_ACCOUNT_NOT_STOPPABLE)
    if uow.schools.is_sub_account(school, person.id):
        raise Refusal(Errno.SUB_ACCOUNT_NOT_STOPPABLE)
    if lesson := uow.teachers.find_unfinished_lesson(school, person.id, uow.now):
        raise Refusal(Errno.TEACHER_HAS_LESSONS, f"class {lesson} is not over")
    if course := uow.teachers.find_unfinished_course(school, person.id, uow.now):
        raise Refusal(Errno.TEACHER_HAS_COURSES, f"course {course} has this head teacher")
    if state is not TeacherState.ACTIVE:
        return state
    delay = (
        current.plan.stop_delay if current.plan.stop_delay is not None else deps.stop_delay_seconds
    )
    if delay == 0:
        uow.teachers.save_state(school, person.id, TeacherState.STOPPED)
        return TeacherState.STOPPED
    uow.teachers.save_state(school, person.id, TeacherState.STOPPING)
    uow.enqueue(FinishStop(school, person.id), school, after=delay)
    return TeacherState.STOPPING


def finish_stop(uow: UnitOfWork, school: SchoolId, user: UserId) -> None:
    """Set a stopping teacher to stopped; other states stay unchanged."""
    if uow.teachers.get_state(school, user) is TeacherState.STOPPING:
        uow.teachers.save_state(school, user, TeacherState.STOPPED)


def restart(
    uow: UnitOfWork, school: SchoolId, user: UserId | None, name: AccountName | None
) -> None:
    """Make a stopped teacher active again."""
    person, state = _get_teacher(uow, get_current_school(uow, school), user, name)
    if state is TeacherState.STOPPING:
        raise Refusal(Errno.TEACHER_STOPPING, "the stop is not finished yet; try again later")
    uow.teachers.save_state(school, person.id, TeacherState.ACTIVE)


def _get_teacher(
    uow: UnitOfWork, school: School, user: UserId | None, name: AccountName | None
) -> tuple[User, TeacherState]:
    person = people.find_user(uow, school.id, user, name)
    if person is None:
        raise Refusal(Errno.BAD_DATA, "no such user")
    state = uow.teachers.get_state(school.id, person.id)
    if state is None:
        raise Refusal(Errno.NOT_A_TEACHER_OF_SCHOOL)
    return person, state
