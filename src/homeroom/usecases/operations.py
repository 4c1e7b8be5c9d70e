"""Use cases of operators: accounts, courses, classes, folders, maintenance windows and tokens."""

from collections.abc import Collection

from homeroom.base.clock import Moment
from homeroom.base.ids import CourseId, FolderId, LessonId, SchoolId, TokenId, UserId, WindowId
from homeroom.base.keys import fingerprint
from homeroom.base.values import replace
from homeroom.contract.messages.schedule import ChangedStudent, OpType, ScheduleStatus
from homeroom.domain.accounts import User, parse_telephone
from homeroom.domain.courses import Course, CourseKind
from homeroom.domain.drive import Folder
from homeroom.domain.lessons import Lesson, Origin
from homeroom.domain.refusal import OperatorError
from homeroom.domain.tokens import ExpiredTokenError, TokenScope
from homeroom.store.maintenance import MaintenanceWindow
from homeroom.store.records import Token
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import course_messages, lesson_messages, people_messages, schools
from homeroom.usecases.dependencies import Dependencies
from homeroom.usecases.student_messages import emit_class_students

# --- accounts ---------------------------------------------------------------------------------


def get_user(uow: UnitOfWork, text: str) -> User:
    """Return a user by UID, telephone number or e-mail address; raises `OperatorError`."""
    name = text.strip().lower()
    user = uow.accounts.find_by_names([name]).get(name)
    if user is None and text.isascii() and text.isdigit() and len(text) <= len(str(2**62)):
        user = uow.accounts.get(UserId(int(text)))
    if user is None:
        raise OperatorError(f"no user is known as {text}")
    return user


def list_roles(uow: UnitOfWork, user_id: UserId) -> list[tuple[SchoolId, str]]:
    """Return the schools of a user, and the user's role in each."""
    return uow.accounts.list_roles(user_id)


def cancel_user(uow: UnitOfWork, user_id: UserId) -> User:
    """Cancel an account; its telephone number or address becomes free for another."""
    user = schools.get_active_user(uow, user_id)
    school = uow.schools.find_by_owner(user_id)
    if school is not None:
        raise OperatorError(f"UID {user_id} is the school account of school {school}")
    uow.accounts.cancel(user_id, uow.now)
    people_messages.emit_cancelled_account(uow, user_id)
    uow.audit.erase_user(user_id)
    return user


def change_telephone(uow: UnitOfWork, user_id: UserId, telephone: str) -> User:
    """Change the telephone number of an account; the UID and the logins stay."""
    user = schools.get_active_user(uow, user_id)
    number = parse_telephone(telephone).value
    if number == user.telephone:
        raise OperatorError(f"UID {user_id} has this telephone number already")
    other = uow.accounts.find_by_names([number]).get(number)
    if other is not None and not other.is_cancelled:
        raise OperatorError(f"UID {other.id} has this telephone number")
    uow.accounts.save_telephone(user_id, number)
    changed = replace(user, telephone=number)
    people_messages.emit_changed_phone(uow, changed)
    return changed


def set_password(
    uow: UnitOfWork, user_id: UserId, school: SchoolId | None, password_hash: str
) -> None:
    """Set the password of a user for the pages of a school, or for those of all schools.

    Logins that hold where it counts end. What a school set itself still counts on its pages, unless
    the password is set for that school.
    """
    schools.get_active_user(uow, user_id)
    if school is None:
        uow.accounts.save_password(user_id, password_hash)
    else:
        schools.get(uow, school)
        uow.school_accounts.save_password(school, user_id, password_hash)
    uow.sessions.end_of_user(user_id, school, uow.now)


# --- courses ----------------------------------------------------------------------------------


def set_course_kind(uow: UnitOfWork, course: CourseId, kind: CourseKind) -> None:
    """Make a course standard, public or dual; the partner API handles standard ones only."""
    old, new = get_course(uow, course), {"kind": kind.value}
    uow.courses.save(course, dict(new))
    course_messages.emit_edited_course(uow, old, new)


def delete_course(uow: UnitOfWork, course_id: CourseId) -> None:
    """Delete a course with its classes; their identities become free if the plan says so."""
    course = get_course(uow, course_id)
    needs_lessons = uow.wants_messages(course.school)
    lessons = uow.courses.list_lessons(course_id) if needs_lessons else []
    if not schools.get(uow, course.school).plan.keep_identities:
        uow.courses.free_identities(course_id)
        uow.courses.save(course_id, {"unique_identity": None})
    uow.courses.save(course_id, {"deleted_at": uow.now})
    lesson_messages.emit_ended_course(
        uow, course, dict.fromkeys(lessons, course_id), ScheduleStatus.DELETED
    )


def get_course(uow: UnitOfWork, course_id: CourseId) -> Course:
    """Return a course that is not deleted; raises `OperatorError`."""
    course = uow.courses.get(course_id)
    if course is None:
        raise OperatorError(f"no course has the id {course_id}")
    if course.deleted_at is not None:
        raise OperatorError(f"course {course_id} is deleted")
    return course


# --- classes ----------------------------------------------------------------------------------


def get_lesson(uow: UnitOfWork, lesson_id: LessonId) -> Lesson:
    """Return a class that is not deleted; raises `OperatorError`."""
    lesson = uow.lessons.get(lesson_id)
    if lesson is None:
        raise OperatorError(f"no class has the id {lesson_id}")
    if lesson.deleted_at is not None:
        raise OperatorError(f"class {lesson_id} is deleted")
    return lesson


def set_origin(uow: UnitOfWork, lesson_id: LessonId, origin: Origin) -> None:
    """Set the origin of a class; the v1 calls change only their own."""
    uow.lessons.save_origin(get_lesson(uow, lesson_id).id, origin)


def close_lesson(uow: UnitOfWork, lesson_id: LessonId) -> None:
    """Close a class early, as its teacher would; from now on it is over."""
    lesson = get_lesson(uow, lesson_id)
    if lesson.is_over(uow.now):
        raise OperatorError(f"class {lesson_id} is over already")
    uow.lessons.close(lesson_id, uow.now)
    lesson_messages.emit_closed_lesson(uow, lesson)


def add_guest(uow: UnitOfWork, lesson_id: LessonId, guest: UserId) -> None:
    """Add a student to one class only."""
    lesson = get_lesson(uow, lesson_id)
    person = schools.get_active_user(uow, guest)
    if guest == lesson.teacher or guest in uow.class_roles.list_co_teachers(lesson_id):
        raise OperatorError(f"UID {guest} teaches class {lesson_id}")
    if uow.class_students.add_guests([(lesson_id, guest)]):
        _emit_guest(uow, lesson, OpType.ADD, person)


def remove_guest(uow: UnitOfWork, lesson_id: LessonId, guest: UserId) -> None:
    """Remove a guest from one class."""
    lesson = get_lesson(uow, lesson_id)
    if not uow.class_students.delete_guests([lesson_id], [guest]):
        raise OperatorError(f"UID {guest} is no guest of class {lesson_id}")
    _emit_guest(uow, lesson, OpType.DELETE, uow.accounts.get(guest))


def _emit_guest(uow: UnitOfWork, lesson: Lesson, op: OpType, guest: User | None) -> None:
    if guest is None or not uow.wants_messages(lesson.school):
        return
    names = uow.accounts.find_students(lesson.school, [guest.id])
    student = ChangedStudent(names.get(guest.id, guest.nickname), guest.id)
    emit_class_students(
        uow, lesson.school, lesson.course, op, {lesson.id: [student]}, {lesson.id: lesson.name}
    )


# --- folders ----------------------------------------------------------------------------------


def set_writable(uow: UnitOfWork, folder_id: FolderId, *, writable: bool) -> Folder:
    """Allow or forbid the partner API to change a folder, and to put things into it."""
    folder = uow.drive.get(folder_id)
    if folder is None:
        raise OperatorError(f"no folder has the id {folder_id}")
    uow.drive.save_writable(folder_id, writable=writable)
    return folder


# --- maintenance windows and tokens -----------------------------------------------------------


def add_window(uow: UnitOfWork, begin: Moment, end: Moment, *, blocks: bool) -> WindowId:
    """Add a maintenance window: no class may overlap it; with `blocks` it closes the API."""
    if end <= begin:
        raise OperatorError("a maintenance window must end after it begins")
    return uow.maintenance.add(begin, end, blocks=blocks)


def remove_window(uow: UnitOfWork, window: WindowId) -> None:
    """Remove a maintenance window."""
    if not uow.maintenance.delete(window):
        raise OperatorError(f"no maintenance window has the id {window}")


def issue_token(
    uow: UnitOfWork,
    deps: Dependencies,
    school: SchoolId | None,
    name: str,
    scopes: Collection[TokenScope] = (TokenScope.READ,),
    expires_at: Moment | None = None,
) -> tuple[TokenId, str]:
    """Create a bearer token of a school, or of the operator; only its fingerprint is stored."""
    if school is not None:
        schools.get(uow, school)
    if expires_at is not None and expires_at <= uow.now:
        raise OperatorError("a token expires in the future")
    secret = deps.keys.token()
    normalized = schools.normalize_name(name)
    number = uow.tokens.add(
        school, normalized, fingerprint(secret), uow.now, sorted(set(scopes)), expires_at
    )
    return number, secret


def revoke_token(uow: UnitOfWork, token: TokenId) -> None:
    """Revoke a bearer token."""
    if not uow.tokens.revoke(token, uow.now):
        raise OperatorError(f"no token in force has the id {token}")


def list_windows(uow: UnitOfWork) -> list[MaintenanceWindow]:
    """Return the maintenance windows in order of their begin, at most 1,000."""
    return uow.maintenance.list_all()


def list_tokens(uow: UnitOfWork) -> list[Token]:
    """Return the bearer tokens in order of their ids, at most 1,000, revoked ones too."""
    return uow.tokens.list_all()


def find_token(uow: UnitOfWork, fingerprint_of_token: str) -> Token | None:
    """Return the token of a fingerprint, or None if it is unknown or revoked.

    Raises `ExpiredTokenError` if it has expired.
    """
    token = uow.tokens.find_by_fingerprint(fingerprint_of_token)
    if token is not None and token.expires_at is not None and token.expires_at <= uow.now:
        raise ExpiredTokenError(token.expires_at)
    return token
