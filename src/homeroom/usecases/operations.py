"""What an operator does to what partners made, and for the server itself."""

from homeroom.base.clock import Moment
from homeroom.base.ids import CourseId, FolderId, LessonId, SchoolId, TokenId, UserId, WindowId
from homeroom.base.keys import fingerprint
from homeroom.domain.accounts import User
from homeroom.domain.courses import Course, CourseKind
from homeroom.domain.drive import Folder
from homeroom.domain.lessons import Lesson, Origin
from homeroom.domain.refusal import OperatorError
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import schools
from homeroom.usecases.dependencies import Dependencies

# --- accounts ---------------------------------------------------------------------------------


def user(uow: UnitOfWork, asked: str) -> User:
    """Return a user by UID, or by telephone number or e-mail address, or decline."""
    name = asked.strip().lower()
    person = uow.accounts.find_by_names([name]).get(name)
    if person is None and asked.isascii() and asked.isdigit() and len(asked) <= len(str(2**62)):
        person = uow.accounts.get(UserId(int(asked)))
    if person is None:
        raise OperatorError(f"no user is known as {asked}")
    return person


def cancel_user(uow: UnitOfWork, asked: UserId) -> User:
    """Cancel an account; its telephone number or address becomes free for another."""
    person = schools.living_user(uow, asked)
    owned = uow.schools.find_by_owner(asked)
    if owned is not None:
        raise OperatorError(f"UID {asked} is the school account of school {owned}")
    uow.accounts.cancel(asked, uow.now)
    return person


# --- courses ----------------------------------------------------------------------------------


def set_course_kind(uow: UnitOfWork, course: CourseId, kind: CourseKind) -> None:
    """Make a course standard, public or dual; the partner API handles standard ones only."""
    _course(uow, course)
    uow.courses.save(course, {"kind": kind.value})


def delete_course(uow: UnitOfWork, course: CourseId) -> None:
    """Delete a course with its classes; their identities become free, as the school likes it."""
    held = _course(uow, course)
    if not schools.get(uow, held.school).plan.keep_identities:
        uow.courses.free_identities(course)
        uow.courses.save(course, {"unique_identity": None})
    uow.courses.save(course, {"deleted_at": uow.now})


def _course(uow: UnitOfWork, course: CourseId) -> Course:
    held = uow.courses.get(course)
    if held is None:
        raise OperatorError(f"no course has the id {course}")
    if held.deleted_at is not None:
        raise OperatorError(f"course {course} is deleted")
    return held


# --- classes ----------------------------------------------------------------------------------


def lesson(uow: UnitOfWork, asked: LessonId) -> Lesson:
    """Return a class that is not deleted, or decline."""
    held = uow.lessons.get(asked)
    if held is None:
        raise OperatorError(f"no class has the id {asked}")
    if held.deleted_at is not None:
        raise OperatorError(f"class {asked} is deleted")
    return held


def set_origin(uow: UnitOfWork, asked: LessonId, origin: Origin) -> None:
    """Say how a class was made; the v1 calls change only their own (errno 466)."""
    uow.lessons.save_origin(lesson(uow, asked).id, origin)


def close_lesson(uow: UnitOfWork, asked: LessonId) -> None:
    """Close a class early, as its teacher would; from now on it is over."""
    if lesson(uow, asked).is_over(uow.now):
        raise OperatorError(f"class {asked} is over already")
    uow.lessons.close(asked, uow.now)


def add_guest(uow: UnitOfWork, asked: LessonId, guest: UserId) -> None:
    """Add a student to one class only."""
    held = lesson(uow, asked)
    schools.living_user(uow, guest)
    if guest == held.teacher or guest in uow.class_roles.list_co_teachers(asked):
        raise OperatorError(f"UID {guest} teaches class {asked}")
    uow.class_roles.add_guest(asked, guest)


def remove_guest(uow: UnitOfWork, asked: LessonId, guest: UserId) -> None:
    """Take a student out of one class."""
    if not uow.class_roles.delete_guest(lesson(uow, asked).id, guest):
        raise OperatorError(f"UID {guest} is no guest of class {asked}")


# --- folders ----------------------------------------------------------------------------------


def set_writable(uow: UnitOfWork, folder: FolderId, *, writable: bool) -> Folder:
    """Let the partner API put folders into a folder, or no longer (errno 196)."""
    held = uow.drive.get(folder)
    if held is None:
        raise OperatorError(f"no folder has the id {folder}")
    uow.drive.save_writable(folder, writable=writable)
    return held


# --- maintenance windows and tokens -----------------------------------------------------------


def add_window(uow: UnitOfWork, begin: Moment, end: Moment, *, blocks: bool) -> WindowId:
    """Add a maintenance window: no class may touch it, and one that blocks closes the API."""
    if end <= begin:
        raise OperatorError("a maintenance window must end after it begins")
    return uow.maintenance.add(begin, end, blocks=blocks)


def remove_window(uow: UnitOfWork, window: WindowId) -> None:
    """Remove a maintenance window."""
    if not uow.maintenance.delete(window):
        raise OperatorError(f"no maintenance window has the id {window}")


def issue_token(
    uow: UnitOfWork, deps: Dependencies, school: SchoolId | None, name: str
) -> tuple[TokenId, str]:
    """Make a bearer token of a school, or of the operator; only its fingerprint is kept."""
    if school is not None:
        schools.get(uow, school)
    secret = deps.keys.token()
    kept_name = schools.named(name)
    return uow.tokens.add(school, kept_name, fingerprint(secret), uow.now), secret


def revoke_token(uow: UnitOfWork, token: TokenId) -> None:
    """Revoke a bearer token."""
    if not uow.tokens.revoke(token, uow.now):
        raise OperatorError(f"no token in force has the id {token}")
