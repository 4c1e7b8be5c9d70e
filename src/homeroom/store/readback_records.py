"""Rows of the read-back's lists: what of a thing is shown, and nothing that is secret."""

from dataclasses import dataclass
from typing import Protocol

from homeroom.base.clock import Moment
from homeroom.base.ids import CourseId, LessonId, UserId
from homeroom.domain.schools import Plan


class PersonRecord(Protocol):
    """Somebody, as every list shows people."""

    @property
    def uid(self) -> UserId:
        """Whose account it is."""
        ...

    @property
    def telephone(self) -> str | None:
        """The account's name, or none where that is an address."""
        ...

    @property
    def email(self) -> str | None:
        """The account's name, or none where that is a number."""
        ...

    @property
    def cancelled_at(self) -> Moment | None:
        """When the account was cancelled."""
        ...


@dataclass(frozen=True, slots=True)
class SchoolRecord:
    """A school without its secrets."""

    id: int
    name: str
    owner: int
    plan: Plan
    created_at: Moment


@dataclass(frozen=True, slots=True)
class TeacherRecord:
    """A teacher of a school."""

    school: int
    uid: UserId
    telephone: str | None
    email: str | None
    cancelled_at: Moment | None
    name: str
    state: str
    created_at: Moment


@dataclass(frozen=True, slots=True)
class StudentRecord:
    """A student of a school."""

    school: int
    uid: UserId
    telephone: str | None
    email: str | None
    cancelled_at: Moment | None
    name: str
    created_at: Moment


@dataclass(frozen=True, slots=True)
class CourseRecord:
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


@dataclass(frozen=True, slots=True)
class MemberRecord:
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


@dataclass(frozen=True, slots=True)
class LessonRecord:
    """What a list knows of a class besides the class itself; the person is its teacher."""

    id: LessonId
    state: int
    course_name: str
    uid: UserId
    telephone: str | None
    email: str | None
    cancelled_at: Moment | None
    teacher_name: str


@dataclass(frozen=True, slots=True)
class CoTeacherRecord:
    """A co-teacher of one class."""

    lesson: LessonId
    uid: UserId
    telephone: str | None
    email: str | None
    cancelled_at: Moment | None
    name: str


@dataclass(frozen=True, slots=True)
class ClipRecord:
    """A clip without its place on the disk."""

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


@dataclass(frozen=True, slots=True)
class ViewerRecord:
    """Somebody who watched a class, and which class that was."""

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
    """That of a user who logged in."""
    name: str
    telephone: str | None
    """As a visitor gave it."""
    watched: int
    """Seconds."""
    first_seen_at: Moment
    last_seen_at: Moment
    muted_at: Moment | None


@dataclass(frozen=True, slots=True)
class MessageRecord:
    """A message of a chat; no viewer where that was the school's people, or is forgotten."""

    lesson: int
    id: int
    viewer: int | None
    name: str
    role: str
    text: str
    sent_at: Moment
    deleted_at: Moment | None


@dataclass(frozen=True, slots=True)
class LabelRecord:
    """A label."""

    school: int
    id: int
    name: str
    colour: str
    created_at: Moment


@dataclass(frozen=True, slots=True)
class FolderRecord:
    """A folder."""

    school: int
    id: int
    parent: int | None
    name: str
    depth: int
    is_writable: int
    created_at: Moment
