"""Records that use cases return, and that the layers above them may import.

Repositories and their statements stay below the use cases; `readback_records` has the rows of the
read-back lists.
"""

from homeroom.base.clock import Moment
from homeroom.base.ids import CourseId, JobId, LessonId, SchoolId, TokenId, UserId, ViewerId
from homeroom.base.values import Value
from homeroom.domain.lessons import Lesson
from homeroom.domain.school_conf import SchoolConf
from homeroom.domain.schools import Plan
from homeroom.domain.tokens import TokenScope
from homeroom.domain.viewers import ViewerKind


class Token(Value, frozen=True):
    """A bearer token of one school, or of the operator when it has no school."""

    id: TokenId
    school: SchoolId | None
    name: str
    created_at: Moment
    revoked_at: Moment | None
    scopes: tuple[TokenScope, ...]
    expires_at: Moment | None
    """None: it never expires."""


class PublicLesson(Value, frozen=True):
    """A class, with the other columns that its public page shows."""

    lesson: Lesson
    school_name: str
    plan: Plan
    course_name: str
    course_key: str
    teacher_name: str
    conf: SchoolConf
    """The settings of the school."""


class PublicCourse(Value, frozen=True):
    """The columns of a course that its public page shows."""

    id: CourseId
    school: SchoolId
    name: str
    key: str


class Viewer(Value, frozen=True):
    """A viewer of a class."""

    id: ViewerId
    lesson: LessonId
    identity: str
    kind: ViewerKind
    name: str
    telephone: str | None
    is_muted: bool


class NewViewer(Value, frozen=True):
    """A viewer to save."""

    lesson: LessonId
    identity: str
    kind: ViewerKind
    name: str
    telephone: str | None = None
    user: UserId | None = None


class WatchTime(Value, frozen=True):
    """The whole seconds that a viewer watched since the last save."""

    viewer: NewViewer
    seconds: int


class MessageCounts(Value, frozen=True):
    """The backlog of messages."""

    waiting: int
    """Messages that wait at endpoints, counted up to a limit."""
    failing: int
    """Queues whose first message was not acknowledged yet."""
    oldest_seconds: int
    """Age of the oldest message that waits at an active endpoint."""


class JobCounts(Value, frozen=True):
    """The state of the queue at one moment."""

    pending: int
    """Jobs that wait, those that failed included."""
    failing: int
    """Jobs that wait for a retry."""
    set_aside: int
    """Jobs that no handler can take."""
    oldest_due_seconds: int
    """Age of the job that has been due for the longest time; 0 when none is due."""


class Job(Value, frozen=True):
    """A job as the queue stores it; kind and payload are not checked yet."""

    id: JobId
    kind: str
    payload: str
    """JSON."""
    due_at: Moment
    attempts: int


class Lease(Value, frozen=True):
    """A claim of a server on a job, until a moment of the real clock."""

    until: Moment
    owner: str | None
    """Name of the servers of which one claims it."""
