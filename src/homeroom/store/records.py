"""Records that use cases return, and that the layers above them may import.

Repositories and their statements stay below the use cases; `readback_records` has the rows of the
read-back lists.
"""

from dataclasses import dataclass

from homeroom.base.clock import Moment
from homeroom.base.ids import CourseId, LessonId, SchoolId, TokenId, UserId, ViewerId
from homeroom.domain.lessons import Lesson
from homeroom.domain.schools import Plan
from homeroom.domain.viewers import ViewerKind


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token of one school, or of the operator when it has no school."""

    id: TokenId
    school: SchoolId | None
    name: str
    created_at: Moment
    revoked_at: Moment | None


@dataclass(frozen=True, slots=True)
class PublicLesson:
    """A class, with the other columns that its public page shows."""

    lesson: Lesson
    school_name: str
    plan: Plan
    course_name: str
    course_key: str
    teacher_name: str


@dataclass(frozen=True, slots=True)
class PublicCourse:
    """The columns of a course that its public page shows."""

    id: CourseId
    school: SchoolId
    name: str
    key: str


@dataclass(frozen=True, slots=True)
class Viewer:
    """A viewer of a class."""

    id: ViewerId
    lesson: LessonId
    identity: str
    kind: ViewerKind
    name: str
    telephone: str | None
    is_muted: bool


@dataclass(frozen=True, slots=True)
class NewViewer:
    """A viewer to save."""

    lesson: LessonId
    identity: str
    kind: ViewerKind
    name: str
    telephone: str | None = None
    user: UserId | None = None


@dataclass(frozen=True, slots=True)
class WatchTime:
    """The whole seconds that a viewer watched since the last save."""

    viewer: NewViewer
    seconds: int


@dataclass(frozen=True, slots=True)
class JobCounts:
    """The state of the queue at one moment."""

    pending: int
    """Jobs that wait, those that failed included."""
    failing: int
    """Jobs that wait for a retry."""
    set_aside: int
    """Jobs that no handler can take."""
    oldest_due_seconds: int
    """Age of the job that has been due for the longest time; 0 when none is due."""
