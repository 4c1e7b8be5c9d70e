"""Read-back: what a school has, under the names that the partner wire gives it.

The partner API only writes. These lists show what became of it, what was deleted included; values
are those of the wire, so that what was sent is what is read.
"""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from homeroom.base.clock import Moment
from homeroom.base.ids import CourseId, FolderId, LabelId, SchoolId, UserId
from homeroom.contract.paged import DELETED, SID, SINCE, UNTIL, Paged, ReadBack
from homeroom.contract.shown import (
    Account,
    Cancelled,
    LiveInfo,
    Number,
    Shown,
    Switch,
    Time,
    among,
)
from homeroom.contract.streams import StreamRow
from homeroom.contract.viewers import LESSON_VIEWERS, MESSAGES, VIEWERS
from homeroom.contract.wire import (
    IDENT,
    ROLE,
    TEXT,
    Param,
    Wire,
    one_of,
    word_of,
)

# --- what may be asked -----------------------------------------------------------------------

ACCOUNT = Param(TEXT.read, "telephone number or e-mail address")
PART = Param(TEXT.read, "part of the name; capitals do not matter")
TEACHER_STATE = Param(word_of("active", "stopping", "stopped"), "active, stopping or stopped")
COURSE_STATE = Param(one_of(2, 3, 4), "2 running, 3 ended or expired, 4 deleted")
LESSON_STATE = Param(one_of(1, 2, 3, 4), "1 not started, 2 running, 3 over, 4 deleted")
CLIP_STATE = Param(one_of(1, 4), "1 kept, 4 deleted")


class Schools(Paged, frozen=True, kw_only=True):
    """Which schools."""

    sid: Annotated[SchoolId | None, SID] = None


class Teachers(Schools, frozen=True, kw_only=True):
    """Which teachers."""

    uid: Annotated[UserId | None, IDENT] = None
    account: Annotated[str | None, ACCOUNT] = None
    state: Annotated[str | None, TEACHER_STATE] = None


class Students(Schools, frozen=True, kw_only=True):
    """Which students."""

    uid: Annotated[UserId | None, IDENT] = None
    account: Annotated[str | None, ACCOUNT] = None


class Courses(Schools, frozen=True, kw_only=True):
    """Which courses."""

    course_id: Annotated[CourseId | None, IDENT] = None
    course_name: Annotated[str | None, PART] = None
    course_unique_identity: Annotated[str | None, TEXT] = None
    main_teacher_uid: Annotated[UserId | None, IDENT] = None
    label_id: Annotated[LabelId | None, IDENT] = None
    state: Annotated[int | None, COURSE_STATE] = None
    deleted: Annotated[bool | None, DELETED] = None


class Members(Paged, frozen=True, kw_only=True):
    """Which members of a course."""

    identity: Annotated[int | None, ROLE] = None
    uid: Annotated[UserId | None, IDENT] = None
    account: Annotated[str | None, ACCOUNT] = None


class Lessons(Schools, frozen=True, kw_only=True):
    """Which classes."""

    course_id: Annotated[CourseId | None, IDENT] = None
    class_name: Annotated[str | None, PART] = None
    course_unique_identity: Annotated[str | None, TEXT] = None
    teacher_uid: Annotated[UserId | None, IDENT] = None
    assistant_uid: Annotated[UserId | None, IDENT] = None
    state: Annotated[int | None, LESSON_STATE] = None
    deleted: Annotated[bool | None, DELETED] = None
    since: Annotated[Moment | None, SINCE] = None
    until: Annotated[Moment | None, UNTIL] = None


class OneLesson(Wire, frozen=True, kw_only=True):
    """Nothing more than the id in the path."""


class Clips(Paged, frozen=True, kw_only=True):
    """Which clips of a class."""

    file_id: Annotated[str | None, TEXT] = None
    state: Annotated[int | None, CLIP_STATE] = None
    deleted: Annotated[bool | None, DELETED] = None


class Labels(Schools, frozen=True, kw_only=True):
    """Which labels."""

    label_name: Annotated[str | None, PART] = None


class Folders(Schools, frozen=True, kw_only=True):
    """Which folders."""

    parent_id: Annotated[FolderId | None, IDENT] = None
    folder_name: Annotated[str | None, PART] = None


# --- what is shown ---------------------------------------------------------------------------


class SchoolRow(Shown, frozen=True, kw_only=True):
    """A school; its secret is never shown."""

    sid: Number = msgspec.field(name="SID")
    school_name: str
    owner_uid: Annotated[int, Meta(description="The school account.")]
    is_suspended: Annotated[Switch, Meta(description="1: the partner API refuses the school.")]
    plan: Annotated[dict[str, Any], Meta(description="The keys of `homeroom school set`.")]
    created_time: Time


class TeacherRow(Shown, frozen=True, kw_only=True):
    """A teacher of a school."""

    sid: Number = msgspec.field(name="SID")
    uid: Number
    account: Account
    name: str
    state: Annotated[
        str, among("stopping becomes stopped after a while.", "active", "stopping", "stopped")
    ]
    is_cancelled: Cancelled
    created_time: Time


class StudentRow(Shown, frozen=True, kw_only=True):
    """A student of a school."""

    sid: Number = msgspec.field(name="SID")
    uid: Number
    account: Account
    name: str
    is_cancelled: Cancelled
    created_time: Time


class CourseRow(Shown, frozen=True, kw_only=True):
    """A course."""

    sid: Number = msgspec.field(name="SID")
    course_id: Number
    course_name: str
    course_type: Annotated[int, among("1 standard, 2 public, 3 dual.", 1, 2, 3)]
    course_unique_identity: str | None
    state: Annotated[int, among("2 running, 3 ended or expired, 4 deleted.", 2, 3, 4)]
    main_teacher_uid: int | None
    folder_id: int | None
    classroom_setting_id: int | None
    subject_id: int
    cat_id: int | None
    course_introduce: str
    allow_add_friend: Annotated[Switch | None, Meta(description="null: as the school has it.")]
    allow_student_modify_nickname: Switch
    not_allow_delete_course_student_replay: Switch
    label_ids: Annotated[list[int], Meta(description="In the order in which they were set.")]
    expiry_time: Annotated[int, Meta(description="Seconds since 1970 UTC; 0 is never.")]
    created_time: Time
    ended_time: Time | None
    deleted_time: Time | None


class MemberRow(Shown, frozen=True, kw_only=True):
    """A student or an auditor of a course."""

    course_id: Number
    uid: Number
    account: Account
    identity: Annotated[int, among("1 student, 2 auditor.", 1, 2)]
    name: Annotated[str | None, Meta(description="As it was given with the member.")]
    nickname: Annotated[str | None, Meta(description="As the course shows it.")]
    is_cancelled: Cancelled
    joined_time: Time


class Person(Shown, frozen=True, kw_only=True):
    """A teacher or a co-teacher of a class."""

    uid: Number
    account: Account
    name: str


class LessonRow(Shown, frozen=True, kw_only=True):
    """A class."""

    sid: Number = msgspec.field(name="SID")
    class_id: Number
    course_id: Number
    course_name: str
    class_name: str
    state: Annotated[
        int,
        among(
            "1 not started, 2 running (up to 20 minutes past the end), 3 over or closed, "
            "4 deleted, also with its course.",
            *(1, 2, 3, 4),
        ),
    ]
    begin_time: Time
    end_time: Time
    teacher_uid: Number
    teacher: Person
    assistant_uids: list[int]
    assistants: list[Person]
    folder_id: int | None
    seat_num: int
    is_hd: Annotated[int, among("0 standard, 1 HD, 2 full HD.", 0, 1, 2)]
    is_dc: Annotated[int, among("3: a second camera.", 0, 3)]
    teach_mode: Annotated[int, among("1 online, 2 smart classroom.", 1, 2)]
    is_auto_onstage: Annotated[Switch, Meta(description="1: students enter off stage.")]
    omo_station_broadcast: Switch
    record: Switch
    record_scene: Switch
    live: Switch
    replay: Switch
    watch_by_login: Switch
    allow_unlogged_chat: Switch
    class_introduce: str
    course_unique_identity: str | None
    is_lock: Annotated[Switch, Meta(description="1: the recordings are locked.")]
    live_url: Annotated[str, Meta(description="The live page; empty without recording.")] = (
        msgspec.field(name="live_url")
    )
    live_info: LiveInfo = msgspec.field(name="live_info")
    created_time: Time
    closed_time: Annotated[Time | None, Meta(description="When it was closed before its end.")]
    deleted_time: Time | None


class ClipRow(Shown, frozen=True, kw_only=True):
    """A recorded file of a class."""

    class_id: Number
    file_id: str
    file_name: str
    kind: Annotated[str, among("What it shows: the class, or its scene.", "class", "scene")]
    started_at: Annotated[Time, Meta(description="When the recording began.")]
    duration_ms: Annotated[int | None, Meta(description="null: the file does not say.")]
    size: Annotated[int, Meta(description="Bytes.")]
    sha256: Annotated[str | None, Meta(description="null: not finished yet.")]
    is_finished: Annotated[Switch, Meta(description="1: the file stays as it is.")]
    state: Annotated[int, among("1 kept, 4 deleted: the bytes are gone.", 1, 4)]
    url: Annotated[
        str | None, Meta(description="Serves the file for six hours from now; null: deleted.")
    ]
    created_time: Time
    deleted_time: Time | None


class LabelRow(Shown, frozen=True, kw_only=True):
    """A label of a school."""

    sid: Number = msgspec.field(name="SID")
    label_id: Number
    label_name: str
    colour: str
    created_time: Time


class FolderRow(Shown, frozen=True, kw_only=True):
    """A folder of a school's cloud drive."""

    sid: Number = msgspec.field(name="SID")
    folder_id: Number
    parent_id: Annotated[int | None, Meta(description="null: the top folder.")]
    folder_name: str
    depth: Annotated[int, Meta(description="Levels below the top folder.")]
    is_writable: Annotated[Switch, Meta(description="1: createFolder may put folders in.")]
    created_time: Time


# --- the addresses ---------------------------------------------------------------------------


SCHOOLS = ReadBack(
    "listSchools", "/schools", "The schools that the token sees", Schools, SchoolRow, "by SID"
)
TEACHERS = ReadBack("listTeachers", "/teachers", "Teachers", Teachers, TeacherRow, "by UID")
STUDENTS = ReadBack("listStudents", "/students", "School students", Students, StudentRow, "by UID")
COURSES = ReadBack("listCourses", "/courses", "Courses", Courses, CourseRow, "by courseId")
MEMBERS = ReadBack(
    "listMembers",
    "/courses/{courseId}/members",
    "Students and auditors of a course",
    Members,
    MemberRow,
    "by UID",
)
LESSONS = ReadBack(
    "listClasses",
    "/classes",
    "Classes",
    Lessons,
    LessonRow,
    "in the order of their creation, or of their start where `from` or `to` is given",
)
LESSON = ReadBack("getClass", "/classes/{classId}", "One class", OneLesson, LessonRow)
STREAM = ReadBack(
    "getClassStream", "/classes/{classId}/stream", "The streams of a class", OneLesson, StreamRow
)
CLIPS = ReadBack(
    "listClips",
    "/classes/{classId}/clips",
    "The recordings of a class, deleted ones too",
    Clips,
    ClipRow,
    "in the order of their creation",
)
LABELS = ReadBack("listLabels", "/labels", "Labels", Labels, LabelRow, "by labelId")
FOLDERS = ReadBack("listFolders", "/folders", "Folders", Folders, FolderRow, "by folderId")
READ_BACKS = (
    SCHOOLS,
    TEACHERS,
    STUDENTS,
    COURSES,
    MEMBERS,
    LESSONS,
    LESSON,
    STREAM,
    CLIPS,
    VIEWERS,
    LESSON_VIEWERS,
    MESSAGES,
    LABELS,
    FOLDERS,
)
