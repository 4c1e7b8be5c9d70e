"""What an operator does to what partners made, and for the server itself."""

from homeroom.base.clock import Moment
from homeroom.base.ids import CourseId, FolderId, LessonId, SchoolId, TokenId, UserId, WindowId
from homeroom.base.keys import fingerprint
from homeroom.domain.accounts import User
from homeroom.domain.courses import Course, CourseKind
from homeroom.domain.drive import Folder
from homeroom.domain.lessons import Lesson, Origin
from homeroom.domain.refusal import Declined
from homeroom.store.work import Work
from homeroom.usecases import schools
from homeroom.usecases.means import Means

# --- accounts ---------------------------------------------------------------------------------


def user(work: Work, asked: str) -> User:
    """Return a user by UID, or by telephone number or e-mail address, or decline."""
    name = asked.strip().lower()
    person = work.accounts.named([name]).get(name)
    if person is None and asked.isascii() and asked.isdigit() and len(asked) <= len(str(2**62)):
        person = work.accounts.get(UserId(int(asked)))
    if person is None:
        raise Declined(f"no user is known as {asked}")
    return person


def cancel_user(work: Work, asked: UserId) -> User:
    """Cancel an account; its telephone number or address becomes free for another."""
    person = schools.living_user(work, asked)
    owned = work.schools.owned_by(asked)
    if owned is not None:
        raise Declined(f"UID {asked} is the school account of school {owned}")
    work.accounts.cancel(asked, work.now)
    return person


# --- courses ----------------------------------------------------------------------------------


def set_course_kind(work: Work, course: CourseId, kind: CourseKind) -> None:
    """Make a course standard, public or dual; the partner API handles standard ones only."""
    _course(work, course)
    work.courses.set(course, {"kind": kind.value})


def delete_course(work: Work, course: CourseId) -> None:
    """Delete a course with its classes; their identities become free, as the school likes it."""
    held = _course(work, course)
    if not schools.get(work, held.school).plan.keep_identities:
        work.courses.free_identities(course)
        work.courses.set(course, {"unique_identity": None})
    work.courses.set(course, {"deleted_at": work.now})


def _course(work: Work, course: CourseId) -> Course:
    held = work.courses.get(course)
    if held is None:
        raise Declined(f"no course has the id {course}")
    if held.deleted_at is not None:
        raise Declined(f"course {course} is deleted")
    return held


# --- classes ----------------------------------------------------------------------------------


def lesson(work: Work, asked: LessonId) -> Lesson:
    """Return a class that is not deleted, or decline."""
    held = work.lessons.get(asked)
    if held is None:
        raise Declined(f"no class has the id {asked}")
    if held.deleted_at is not None:
        raise Declined(f"class {asked} is deleted")
    return held


def set_origin(work: Work, asked: LessonId, origin: Origin) -> None:
    """Say how a class was made; the v1 calls change only their own (errno 466)."""
    work.lessons.set_origin(lesson(work, asked).id, origin)


def close_lesson(work: Work, asked: LessonId) -> None:
    """Close a class early, as its teacher would; from now on it is over."""
    if lesson(work, asked).is_over(work.now):
        raise Declined(f"class {asked} is over already")
    work.lessons.close(asked, work.now)


def add_guest(work: Work, asked: LessonId, guest: UserId) -> None:
    """Add a student to one class only."""
    held = lesson(work, asked)
    schools.living_user(work, guest)
    if guest == held.teacher or guest in work.staff.co_teachers(asked):
        raise Declined(f"UID {guest} teaches class {asked}")
    work.staff.add_guest(asked, guest)


def remove_guest(work: Work, asked: LessonId, guest: UserId) -> None:
    """Take a student out of one class."""
    if not work.staff.remove_guest(lesson(work, asked).id, guest):
        raise Declined(f"UID {guest} is no guest of class {asked}")


# --- folders ----------------------------------------------------------------------------------


def set_writable(work: Work, folder: FolderId, *, writable: bool) -> Folder:
    """Let the partner API put folders into a folder, or no longer (errno 196)."""
    held = work.drive.get(folder)
    if held is None:
        raise Declined(f"no folder has the id {folder}")
    work.drive.set_writable(folder, writable=writable)
    return held


# --- maintenance windows and tokens -----------------------------------------------------------


def add_window(work: Work, begin: Moment, end: Moment, *, blocks: bool) -> WindowId:
    """Add a maintenance window: no class may touch it, and one that blocks closes the API."""
    if end <= begin:
        raise Declined("a maintenance window must end after it begins")
    return work.operations.add_window(begin, end, blocks=blocks)


def remove_window(work: Work, window: WindowId) -> None:
    """Remove a maintenance window."""
    if not work.operations.remove_window(window):
        raise Declined(f"no maintenance window has the id {window}")


def issue_token(
    work: Work, means: Means, school: SchoolId | None, name: str
) -> tuple[TokenId, str]:
    """Make a bearer token of a school, or of the operator; only its fingerprint is kept."""
    if school is not None:
        schools.get(work, school)
    secret = means.keys.token()
    kept_name = schools.named(name)
    return work.operations.add_token(school, kept_name, fingerprint(secret), work.now), secret


def revoke_token(work: Work, token: TokenId) -> None:
    """Revoke a bearer token."""
    if not work.operations.revoke(token, work.now):
        raise Declined(f"no token in force has the id {token}")
