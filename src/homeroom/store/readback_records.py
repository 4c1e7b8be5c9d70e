"""Records of the read-back API's lists. They hold no secret: no password, key or path."""

from typing import Protocol

from homeroom.base.clock import Moment
from homeroom.base.ids import ActivityId, CourseId, GroupingId, LessonId, UserId
from homeroom.base.values import Value
from homeroom.domain.school_conf import SchoolConf
from homeroom.domain.schools import Plan


class PersonRecord(Protocol):
    """The account columns that every list of people has."""

    @property
    def uid(self) -> UserId:
        """The UID of the account."""
        ...

    @property
    def telephone(self) -> str | None:
        """The telephone number; None for an account with an e-mail address."""
        ...

    @property
    def email(self) -> str | None:
        """The e-mail address; None for an account with a telephone number."""
        ...

    @property
    def cancelled_at(self) -> Moment | None:
        """The time of cancellation; None for an active account."""
        ...


class SchoolRecord(Value, frozen=True):
    """A school without its secrets."""

    id: int
    name: str
    owner: int
    plan: Plan
    created_at: Moment
    conf: SchoolConf


class TeacherRecord(Value, frozen=True):
    """A teacher of a school."""

    school: int
    uid: UserId
    telephone: str | None
    email: str | None
    cancelled_at: Moment | None
    name: str
    state: str
    created_at: Moment


class StudentRecord(Value, frozen=True):
    """A student of a school."""

    school: int
    uid: UserId
    telephone: str | None
    email: str | None
    cancelled_at: Moment | None
    name: str
    created_at: Moment


class CourseRecord(Value, frozen=True):
    """A course."""

    id: CourseId
    school: int
    name: str
    kind: str
    identity: str | None
    state: int
    head_teacher: int | None
    folder: int | None
    preset: int | None
    subject: int
    category: int | None
    introduction: str
    allow_add_friend: int | None
    allow_student_modify_nickname: int
    hides_replay_from_leavers: int
    expires_at: Moment | None
    created_at: Moment
    ended_at: Moment | None
    deleted_at: Moment | None


class MemberRecord(Value, frozen=True):
    """A student or an auditor of a course."""

    course: int
    uid: UserId
    telephone: str | None
    email: str | None
    cancelled_at: Moment | None
    role: int
    name: str | None
    nickname: str | None
    joined_at: Moment


class ClassMemberRecord(Value, frozen=True):
    """A student, a guest or an auditor of a class, or a student transferred out of it."""

    uid: UserId
    telephone: str | None
    email: str | None
    cancelled_at: Moment | None
    role: int
    state: str
    name: str | None
    nickname: str | None
    joined_at: Moment | None
    """When the person joined the course; None for a guest."""


class AttendanceRecord(Value, frozen=True):
    """An entry of a person into a class."""

    uid: UserId
    telephone: str | None
    email: str | None
    cancelled_at: Moment | None
    nickname: str | None
    entered_at: Moment
    details: str
    """JSON: identity, device and client."""
    is_simulated: int


class GroupingRecord(Value, frozen=True):
    """The grouping of a course, without its teams."""

    school: int
    id: GroupingId
    course: int
    name: str
    created_at: Moment


class LessonRecord(Value, frozen=True):
    """The columns that a list adds to a class; the account is that of its teacher."""

    id: LessonId
    state: int
    course_name: str
    uid: UserId
    telephone: str | None
    email: str | None
    cancelled_at: Moment | None
    teacher_name: str


class CoTeacherRecord(Value, frozen=True):
    """A co-teacher of one class."""

    lesson: LessonId
    uid: UserId
    telephone: str | None
    email: str | None
    cancelled_at: Moment | None
    name: str


class ClipRecord(Value, frozen=True):
    """A clip without the path of its file."""

    lesson: int
    file_id: str
    name: str
    kind: str
    started_at: Moment
    duration: int | None
    size: int
    sha256: str | None
    is_finished: int
    state: int
    created_at: Moment
    deleted_at: Moment | None


class ViewerRecord(Value, frozen=True):
    """A viewer, and the class that the viewer watched."""

    school: int
    lesson: int
    lesson_name: str
    course: int
    course_name: str
    begins_at: Moment
    id: int
    kind: str
    identity: str
    uid: UserId | None
    account: str | None
    """The account name of a viewer who logged in."""
    name: str
    telephone: str | None
    """The telephone number that a visitor entered."""
    watched: int
    """Seconds watched."""
    first_seen_at: Moment
    last_seen_at: Moment
    muted_at: Moment | None


class MessageRecord(Value, frozen=True):
    """A message of a chat; `viewer` is None for the school's staff and for purged viewers."""

    lesson: int
    id: int
    viewer: int | None
    name: str
    role: str
    text: str
    sent_at: Moment
    deleted_at: Moment | None


class CommentRecord(Value, frozen=True):
    """The last comment on a student of a class; the account is that of the student."""

    school: int
    lesson: int
    uid: UserId
    telephone: str | None
    email: str | None
    cancelled_at: Moment | None
    stars: int
    text: str
    created_at: Moment
    changed_at: Moment


class LabelRecord(Value, frozen=True):
    """A label."""

    school: int
    id: int
    name: str
    colour: str
    created_at: Moment


class FolderRecord(Value, frozen=True):
    """A folder."""

    school: int
    id: int
    parent: int | None
    name: str
    depth: int
    is_writable: int
    created_at: Moment


class FileRecord(Value, frozen=True):
    """A file of the cloud drive."""

    school: int
    id: int
    folder: int
    name: str
    size: int
    sha256: str
    created_at: Moment


class UnitRecord(Value, frozen=True):
    """A unit."""

    school: int
    id: int
    course: int
    name: str
    content: str
    is_published: int
    is_default: int
    created_at: Moment
    deleted_at: Moment | None


class ActivityRecord(Value, frozen=True):
    """An activity."""

    school: int
    id: ActivityId
    course: int
    unit: int
    kind: int
    lesson: int | None
    name: str
    teacher: int
    begins_at: Moment | None
    ends_at: Moment | None
    is_published: int
    created_at: Moment
    deleted_at: Moment | None
