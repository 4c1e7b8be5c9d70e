"""Read-back: what a school has, under the names that the partner wire gives it.

The partner API only writes. These lists show the result, deleted things included; values
are those of the wire, so that a client reads what it has sent.
"""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from homeroom.base.clock import Moment
from homeroom.base.ids import CourseId, LabelId, UserId
from homeroom.contract.activity_rows import ACTIVITIES, UNITS
from homeroom.contract.comments import COMMENTS
from homeroom.contract.operator_messages import (
    ENDPOINT,
    ENDPOINTS,
    OUTBOX_MESSAGE,
    OUTBOX_MESSAGES,
)
from homeroom.contract.paged import (
    ACCOUNT,
    DELETED,
    PART,
    SINCE,
    UNTIL,
    PageQuery,
    ReadBack,
    SchoolsQuery,
)
from homeroom.contract.params import (
    ID,
    ROLE,
    TEXT,
    Params,
    ParamType,
    read_choice,
    read_word,
)
from homeroom.contract.readback_conf import CONF
from homeroom.contract.readback_drive import FILES, FOLDERS
from homeroom.contract.readback_members import ATTENDANCE, CLASS_MEMBERS, GROUPINGS
from homeroom.contract.results import LiveInfo
from homeroom.contract.rows import (
    Account,
    Cancelled,
    IdNumber,
    ReadBackRow,
    Switch,
    Timestamp,
    describe_choice,
)
from homeroom.contract.streams import StreamRow
from homeroom.contract.viewers import LESSON_VIEWERS, MESSAGES, VIEWERS

# --- what may be asked -----------------------------------------------------------------------

TEACHER_STATE = ParamType(read_word("active", "stopping", "stopped"), "active, stopping or stopped")
COURSE_STATE = ParamType(read_choice(2, 3, 4), "2 running, 3 ended or expired, 4 deleted")
LESSON_STATE = ParamType(read_choice(1, 2, 3, 4), "1 not started, 2 running, 3 over, 4 deleted")
CLIP_STATE = ParamType(read_choice(1, 4), "1 kept, 4 deleted")


class TeachersQuery(SchoolsQuery, frozen=True, kw_only=True):
    """Which teachers."""

    uid: Annotated[UserId | None, ID] = None
    account: Annotated[str | None, ACCOUNT] = None
    state: Annotated[str | None, TEACHER_STATE] = None


class StudentsQuery(SchoolsQuery, frozen=True, kw_only=True):
    """Which students."""

    uid: Annotated[UserId | None, ID] = None
    account: Annotated[str | None, ACCOUNT] = None


class CoursesQuery(SchoolsQuery, frozen=True, kw_only=True):
    """Which courses."""

    course_id: Annotated[CourseId | None, ID] = None
    course_name: Annotated[str | None, PART] = None
    course_unique_identity: Annotated[str | None, TEXT] = None
    main_teacher_uid: Annotated[UserId | None, ID] = None
    label_id: Annotated[LabelId | None, ID] = None
    state: Annotated[int | None, COURSE_STATE] = None
    deleted: Annotated[bool | None, DELETED] = None


class MembersQuery(PageQuery, frozen=True, kw_only=True):
    """Which members of a course."""

    identity: Annotated[int | None, ROLE] = None
    uid: Annotated[UserId | None, ID] = None
    account: Annotated[str | None, ACCOUNT] = None


class LessonsQuery(SchoolsQuery, frozen=True, kw_only=True):
    """Which classes."""

    course_id: Annotated[CourseId | None, ID] = None
    class_name: Annotated[str | None, PART] = None
    course_unique_identity: Annotated[str | None, TEXT] = None
    teacher_uid: Annotated[UserId | None, ID] = None
    assistant_uid: Annotated[UserId | None, ID] = None
    state: Annotated[int | None, LESSON_STATE] = None
    deleted: Annotated[bool | None, DELETED] = None
    since: Annotated[Moment | None, SINCE] = None
    until: Annotated[Moment | None, UNTIL] = None


class LessonQuery(Params, frozen=True, kw_only=True):
    """Nothing more than the id in the path."""


class ClipsQuery(PageQuery, frozen=True, kw_only=True):
    """Which clips of a class."""

    file_id: Annotated[str | None, TEXT] = None
    state: Annotated[int | None, CLIP_STATE] = None
    deleted: Annotated[bool | None, DELETED] = None


class LabelsQuery(SchoolsQuery, frozen=True, kw_only=True):
    """Which labels."""

    label_name: Annotated[str | None, PART] = None


# --- what is shown ---------------------------------------------------------------------------


class SchoolRow(ReadBackRow, frozen=True, kw_only=True):
    """A school; its secret is never shown."""

    sid: IdNumber = msgspec.field(name="SID")
    school_name: str
    owner_uid: Annotated[int, Meta(description="The school account.")]
    is_suspended: Annotated[Switch, Meta(description="1: the partner API refuses the school.")]
    plan: Annotated[dict[str, Any], Meta(description="The keys of `homeroom school set`.")]
    created_time: Timestamp


class TeacherRow(ReadBackRow, frozen=True, kw_only=True):
    """A teacher of a school."""

    sid: IdNumber = msgspec.field(name="SID")
    uid: IdNumber
    account: Account
    name: str
    state: Annotated[
        str,
        describe_choice("stopping becomes stopped after a while.", "active", "stopping", "stopped"),
    ]
    is_cancelled: Cancelled
    created_time: Timestamp


class StudentRow(ReadBackRow, frozen=True, kw_only=True):
    """A student of a school."""

    sid: IdNumber = msgspec.field(name="SID")
    uid: IdNumber
    account: Account
    name: str
    is_cancelled: Cancelled
    created_time: Timestamp


class CourseRow(ReadBackRow, frozen=True, kw_only=True):
    """A course."""

    sid: IdNumber = msgspec.field(name="SID")
    course_id: IdNumber
    course_name: str
    course_type: Annotated[int, describe_choice("1 standard, 2 public, 3 dual.", 1, 2, 3)]
    course_unique_identity: str | None
    state: Annotated[int, describe_choice("2 running, 3 ended or expired, 4 deleted.", 2, 3, 4)]
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
    created_time: Timestamp
    ended_time: Timestamp | None
    deleted_time: Timestamp | None


class MemberRow(ReadBackRow, frozen=True, kw_only=True):
    """A student or an auditor of a course."""

    course_id: IdNumber
    uid: IdNumber
    account: Account
    identity: Annotated[int, describe_choice("1 student, 2 auditor.", 1, 2)]
    name: Annotated[str | None, Meta(description="As it was given with the member.")]
    nickname: Annotated[str | None, Meta(description="As the course shows it.")]
    is_cancelled: Cancelled
    joined_time: Timestamp


class LessonTeacherRow(ReadBackRow, frozen=True, kw_only=True):
    """A teacher or a co-teacher of a class."""

    uid: IdNumber
    account: Account
    name: str


class LessonRow(ReadBackRow, frozen=True, kw_only=True):
    """A class."""

    sid: IdNumber = msgspec.field(name="SID")
    class_id: IdNumber
    course_id: IdNumber
    course_name: str
    class_name: str
    state: Annotated[
        int,
        describe_choice(
            "1 not started, 2 running (up to 20 minutes past the end), 3 over or closed, "
            "4 deleted, also with its course.",
            *(1, 2, 3, 4),
        ),
    ]
    begin_time: Timestamp
    end_time: Timestamp
    teacher_uid: IdNumber
    teacher: LessonTeacherRow
    assistant_uids: list[int]
    assistants: list[LessonTeacherRow]
    folder_id: int | None
    seat_num: int
    is_hd: Annotated[int, describe_choice("0 standard, 1 HD, 2 full HD.", 0, 1, 2)]
    is_dc: Annotated[int, describe_choice("3: a second camera.", 0, 3)]
    teach_mode: Annotated[int, describe_choice("1 online, 2 smart classroom.", 1, 2)]
    is_auto_onstage: Annotated[Switch, Meta(description="1: students enter off stage.")]
    omo_station_broadcast: Switch
    record: Switch
    record_scene: Switch
    live: Switch
    replay: Switch
    watch_by_login: Switch
    allow_unlogged_chat: Switch
    class_introduce: str
    class_label_id: Annotated[
        list[int], Meta(description="The labels, in the order in which they were set.")
    ]
    course_unique_identity: str | None
    is_lock: Annotated[Switch, Meta(description="1: the recordings are locked.")]
    main_class_id: Annotated[
        int | None, Meta(description="The main class of a dual-teacher sub class.")
    ]
    sub_class_ids: Annotated[
        list[int], Meta(description="The sub classes of a dual-teacher main class.")
    ]
    use_co_main_record: Annotated[
        Switch, Meta(description="1: the page shows the recording of the main class.")
    ]
    live_url: Annotated[str, Meta(description="The live page; empty without recording.")] = (
        msgspec.field(name="live_url")
    )
    live_info: LiveInfo = msgspec.field(name="live_info")
    page_url: Annotated[str, Meta(description="The web page of the class, also without recording.")]
    created_time: Timestamp
    closed_time: Annotated[Timestamp | None, Meta(description="When it was closed before its end.")]
    deleted_time: Timestamp | None


class ClipRow(ReadBackRow, frozen=True, kw_only=True):
    """A recorded file of a class."""

    class_id: IdNumber
    file_id: str
    file_name: str
    kind: Annotated[
        str, describe_choice("What it shows: the class, or its scene.", "class", "scene")
    ]
    started_at: Annotated[Timestamp, Meta(description="When the recording began.")]
    duration_ms: Annotated[int | None, Meta(description="null: the file does not say.")]
    size: Annotated[int, Meta(description="Bytes.")]
    sha256: Annotated[str | None, Meta(description="null: not finished yet.")]
    is_finished: Annotated[Switch, Meta(description="1: the file stays as it is.")]
    state: Annotated[int, describe_choice("1 kept, 4 deleted: the bytes are gone.", 1, 4)]
    url: Annotated[
        str | None, Meta(description="Serves the file for six hours from now; null: deleted.")
    ]
    created_time: Timestamp
    deleted_time: Timestamp | None


class LabelRow(ReadBackRow, frozen=True, kw_only=True):
    """A label of a school."""

    sid: IdNumber = msgspec.field(name="SID")
    label_id: IdNumber
    label_name: str
    colour: str
    created_time: Timestamp


# --- the addresses ---------------------------------------------------------------------------


SCHOOLS = ReadBack(
    "listSchools", "/schools", "The schools that the token sees", SchoolsQuery, SchoolRow, "by SID"
)
TEACHERS = ReadBack("listTeachers", "/teachers", "Teachers", TeachersQuery, TeacherRow, "by UID")
STUDENTS = ReadBack(
    "listStudents", "/students", "School students", StudentsQuery, StudentRow, "by UID"
)
COURSES = ReadBack("listCourses", "/courses", "Courses", CoursesQuery, CourseRow, "by courseId")
MEMBERS = ReadBack(
    "listMembers",
    "/courses/{courseId}/members",
    "Students and auditors of a course",
    MembersQuery,
    MemberRow,
    "by UID",
)
LESSONS = ReadBack(
    "listClasses",
    "/classes",
    "Classes",
    LessonsQuery,
    LessonRow,
    "in the order of their creation, or of their start where `from` or `to` is given",
)
LESSON = ReadBack("getClass", "/classes/{classId}", "One class", LessonQuery, LessonRow)
STREAM = ReadBack(
    "getClassStream", "/classes/{classId}/stream", "The streams of a class", LessonQuery, StreamRow
)
CLIPS = ReadBack(
    "listClips",
    "/classes/{classId}/clips",
    "The recordings of a class, deleted ones too",
    ClipsQuery,
    ClipRow,
    "in the order of their creation",
)
LABELS = ReadBack("listLabels", "/labels", "Labels", LabelsQuery, LabelRow, "by labelId")
READ_BACKS = (
    SCHOOLS,
    CONF,
    TEACHERS,
    STUDENTS,
    COURSES,
    MEMBERS,
    GROUPINGS,
    UNITS,
    ACTIVITIES,
    LESSONS,
    LESSON,
    STREAM,
    CLASS_MEMBERS,
    ATTENDANCE,
    CLIPS,
    VIEWERS,
    LESSON_VIEWERS,
    MESSAGES,
    COMMENTS,
    LABELS,
    FOLDERS,
    FILES,
    ENDPOINTS,
    ENDPOINT,
    OUTBOX_MESSAGES,
    OUTBOX_MESSAGE,
)
