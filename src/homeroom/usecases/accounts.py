"""Register accounts and add people to the lists of a school."""

from homeroom.base.ids import CourseId, SchoolId, UserId
from homeroom.base.text import format_count
from homeroom.base.values import Value
from homeroom.contract.errno import Errno
from homeroom.domain.accounts import AccountName, User
from homeroom.domain.courses import Course, CourseRule, check_course
from homeroom.domain.refusal import Refusal
from homeroom.domain.schools import Plan, School
from homeroom.store.accounts import NewUser
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import people
from homeroom.usecases.dependencies import Dependencies

STUDENT = 1
TEACHER = 2
MEGABYTE = 1_000_000


class NewAccountRequest(Value, frozen=True):
    """An account as it is asked for; the password is hashed before the unit of work begins."""

    name: AccountName
    nickname: str | None
    password_hash: str
    joins_as: int = 0
    avatar: str | None = None
    changes_registered: bool = True
    """True if an existing account is added to the list too, and gets this password for the pages
    of the school (READINGS Q24)."""


class RegisteredAccount(Value, frozen=True):
    """A registered account, and the warnings."""

    user: UserId
    warnings: tuple[Errno, ...] = ()


def get_current_school(uow: UnitOfWork, school: SchoolId) -> School:
    """Return the caller's school; raise `Refusal` if it does not exist any more."""
    current = uow.schools.get(school)
    if current is None:
        raise Refusal(Errno.NOT_AUTHORISED, "the school is gone")
    return current


def get_school_and_course(
    uow: UnitOfWork, school: SchoolId, course: CourseId, rule: CourseRule
) -> tuple[School, Course]:
    """Return the caller's school, and its course if a rule lets the action use it.

    Raises `Refusal` otherwise.
    """
    current, row = uow.schools.get_with_course(school, course)
    if current is None:
        raise Refusal(Errno.NOT_AUTHORISED, "the school is gone")
    return current, check_course(row, school, uow.now, rule)


def count_bytes_left(uow: UnitOfWork, school: SchoolId, plan: Plan) -> int | None:
    """Return the bytes that the school may still store; None where the plan has no limit."""
    if not plan.storage_mb:
        return None
    return plan.storage_mb * MEGABYTE - uow.schools.sum_stored_bytes(school)


def has_storage_left(uow: UnitOfWork, school: SchoolId, plan: Plan) -> bool:
    """Tell whether the storage limit of the school is not reached."""
    bytes_left = count_bytes_left(uow, school, plan)
    return bytes_left is None or bytes_left > 0


def can_record(uow: UnitOfWork, deps: Dependencies, school: SchoolId, plan: Plan) -> bool:
    """Tell whether the video service works and the school has storage left."""
    return deps.video_works() and has_storage_left(uow, school, plan)


def register(uow: UnitOfWork, school: SchoolId, request: NewAccountRequest) -> RegisteredAccount:
    """Register an account, or find it, and add it to the list that the request names."""
    current = get_current_school(uow, school)
    return _register(uow, current, request, uow.accounts.find_by_names([request.name.value]))


def register_many(
    uow: UnitOfWork, school: SchoolId, requests: list[NewAccountRequest | Refusal]
) -> list[RegisteredAccount | Refusal]:
    """Register accounts one by one; entries that are refused already stay refused."""
    current = get_current_school(uow, school)
    names = [request.name.value for request in requests if isinstance(request, NewAccountRequest)]
    existing = uow.accounts.find_by_names(names)
    results: list[RegisteredAccount | Refusal] = []
    for request in requests:
        if isinstance(request, Refusal):
            results.append(request)
            continue
        try:
            results.append(_register(uow, current, request, existing))
        except Refusal as refusal:
            results.append(refusal)
    return results


def _register(
    uow: UnitOfWork, school: School, request: NewAccountRequest, existing: dict[str, User]
) -> RegisteredAccount:
    user = existing.get(request.name.value)
    if user is not None and not user.is_cancelled:
        # READINGS Q24: membership is honoured, the answer stays "registered already".
        people.record_naming(uow, school.id, [user.id])
        if request.changes_registered:
            uow.school_accounts.add_password(school.id, user.id, request.password_hash)
            _join(
                uow, school, user.id, request.joins_as, _get_list_name(uow, school, user, request)
            )
        already = (
            Errno.EMAIL_ALREADY_REGISTERED
            if request.name.is_email
            else Errno.PHONE_ALREADY_REGISTERED
        )
        return RegisteredAccount(user.id, (already,))
    if request.joins_as == TEACHER:
        check_teacher_quota(uow, school)
    warnings = []
    avatar = request.avatar
    if avatar is not None and not has_storage_left(uow, school.id, school.plan):
        warnings.append(Errno.AVATAR_NOT_STORED)
        avatar = None
    nickname = request.nickname or request.name.value
    user = uow.accounts.add(NewUser(request.name, nickname, avatar=avatar), uow.now)
    uow.accounts.add_registration(user.id, school.id)
    uow.school_accounts.add_named(school.id, [user.id])
    uow.school_accounts.add_password(school.id, user.id, request.password_hash)
    existing[request.name.value] = user
    if request.joins_as and not school.plan.join_at_registration:
        missing_list = {STUDENT: Errno.NOT_ADDED_AS_STUDENT, TEACHER: Errno.NOT_ADDED_AS_TEACHER}
        warnings.append(missing_list[request.joins_as])
    _join(uow, school, user.id, request.joins_as, nickname)
    return RegisteredAccount(user.id, tuple(warnings))


def _get_list_name(uow: UnitOfWork, school: School, user: User, request: NewAccountRequest) -> str:
    """Return the name of an existing account on the lists of the school.

    The nickname of an account is the word of the school that registered it; no other school sees
    it or has to call its people so.
    """
    if uow.accounts.is_registered_by(user.id, school.id):
        return user.nickname
    return request.nickname or request.name.value


def _join(uow: UnitOfWork, school: School, user: UserId, joins_as: int, name: str) -> None:
    """Add an account to a list if it is not on it and the limit allows."""
    if not school.plan.join_at_registration:
        return
    if joins_as == STUDENT:
        if user != school.owner and not uow.accounts.find_students(school.id, [user]):
            uow.accounts.add_students(school.id, [(user, name)], uow.now)
    elif joins_as == TEACHER:
        is_new = uow.teachers.get_state(school.id, user) is None
        if is_new and _has_teacher_quota(uow, school):
            uow.teachers.add(school.id, user, name, uow.now)


def _has_teacher_quota(uow: UnitOfWork, school: School) -> bool:
    limit = school.plan.max_teachers
    return not limit or uow.teachers.count_active(school.id) < limit


def check_teacher_quota(uow: UnitOfWork, school: School) -> None:
    """Refuse another active teacher if the limit of the plan is reached."""
    if not _has_teacher_quota(uow, school):
        count = format_count(school.plan.max_teachers, "teacher")
        raise Refusal(Errno.TOO_MANY_TEACHERS, f"the school may have {count}")


def add_school_student(
    uow: UnitOfWork, school: SchoolId, user: UserId | None, name: AccountName | None, nickname: str
) -> None:
    """Add a registered user to the list of students of the school."""
    current = get_current_school(uow, school)
    student = people.find_user(uow, school, user, name)
    if student is None:
        raise Refusal(Errno.ACCOUNT_NOT_REGISTERED)
    if student.is_cancelled:
        raise Refusal(Errno.STUDENT_CANCELLED)
    if student.id == current.owner:
        raise Refusal(Errno.SCHOOL_ACCOUNT_AS_STUDENT)
    if uow.accounts.find_students(school, [student.id]):
        raise Refusal(Errno.ALREADY_EXISTS, "the user is a student of the school already")
    uow.accounts.add_students(school, [(student.id, nickname)], uow.now)


def rename_school_student(uow: UnitOfWork, school: SchoolId, user: UserId, name: str) -> None:
    """Change the name of a student on the school's list; a teacher's name stays as it is."""
    if not uow.accounts.save_student_name(school, user, name):
        raise Refusal(Errno.NOT_A_STUDENT_OF_SCHOOL, f"UID {user} is no student of the school")


def change_password(
    uow: UnitOfWork,
    school: SchoolId,
    user: UserId | None,
    name: AccountName | None,
    password_hash: str,
) -> None:
    """Set the password of a user of the school for its pages, and end the logins there.

    What counts on the pages of other schools stays as it is (READINGS Q72).
    """
    person = people.find_user(uow, school, user, name)
    if person is None or person.is_cancelled:
        raise Refusal(Errno.ACCOUNT_NOT_REGISTERED if user is None else Errno.BAD_DATA)
    if uow.school_accounts.get_list_name(school, person.id) is None:
        raise Refusal(Errno.PASSWORD_NOT_YOURS)
    uow.school_accounts.save_password(school, person.id, password_hash)
    uow.sessions.end_of_user(person.id, school, uow.now)
