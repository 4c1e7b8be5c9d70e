"""Lists of the read-back API: their definitions, and the repository that reads them."""

from collections.abc import Iterable

import msgspec
from sqlalchemy import ColumnElement, and_, bindparam, case, func, or_, select

from homeroom.base.clock import Moment
from homeroom.base.ids import CourseId, LabelId, LessonId
from homeroom.domain.chat import EntryKind
from homeroom.store.engine import Transaction
from homeroom.store.lifecycle import LIFECYCLE
from homeroom.store.paging import (
    Filters,
    ListDefinition,
    Page,
    PageRequest,
    deletion_filter,
    fetch_page,
    substring_filter,
)
from homeroom.store.readback_drive import FILES, FOLDERS
from homeroom.store.readback_records import (
    ClipRecord,
    CoTeacherRecord,
    CourseRecord,
    FileRecord,
    FolderRecord,
    LabelRecord,
    LessonRecord,
    MemberRecord,
    MessageRecord,
    SchoolRecord,
    StudentRecord,
    TeacherRecord,
    ViewerRecord,
)
from homeroom.store.readback_viewers import LESSON_VIEWERS, MESSAGES, VIEWERS
from homeroom.store.schools import CONF, read_conf, read_plan
from homeroom.store.statement import ListParameter, Statement
from homeroom.store.tables import (
    clips,
    co_teachers,
    course_labels,
    course_members,
    courses,
    labels,
    lessons,
    named_accounts,
    schools,
    students,
    teachers,
    users,
)

NOT_STARTED, RUNNING, OVER, DELETED = 1, 2, 3, 4
KEPT = 1
"""State numbers of the wire (courseStatus and classStatus of the messages)."""

PERSON_COLUMNS = (users.c.id, users.c.telephone, users.c.email, users.c.cancelled_at)
BY_ACCOUNT: dict[str, ColumnElement[bool]] = {
    "uid": users.c.id == bindparam("uid"),
    "telephone": users.c.telephone == bindparam("telephone"),
    "email": users.c.email == bindparam("email"),
    # Finding a person by an account that may not be seen would show it.
    "reader": select(named_accounts.c.user_id)
    .where(
        named_accounts.c.school_id == bindparam("reader"), named_accounts.c.user_id == users.c.id
    )
    .exists(),
}
ACCOUNT_FILTERS = frozenset({"uid", "telephone", "email"})


def _school(
    number: int, name: str, owner: int, plan: str, created_at: Moment, *conf: int
) -> SchoolRecord:
    return SchoolRecord(number, name, owner, read_plan(plan), created_at, read_conf(conf))


SCHOOLS = ListDefinition(
    "schools",
    _school,
    (schools.c.id, schools.c.name, schools.c.owner_id, schools.c.plan, schools.c.created_at, *CONF),
    schools,
    school=schools.c.id,
    order=(schools.c.id,),
)


TEACHERS = ListDefinition(
    "teachers",
    TeacherRecord,
    (
        teachers.c.school_id,
        *PERSON_COLUMNS,
        teachers.c.name,
        teachers.c.state,
        teachers.c.created_at,
    ),
    teachers.outerjoin(users, users.c.id == teachers.c.user_id),
    school=teachers.c.school_id,
    order=(teachers.c.user_id,),
    filters={**BY_ACCOUNT, "state": teachers.c.state == bindparam("state")},
    selective_filters=ACCOUNT_FILTERS,
)
STUDENTS = ListDefinition(
    "students",
    StudentRecord,
    (students.c.school_id, *PERSON_COLUMNS, students.c.name, students.c.created_at),
    students.outerjoin(users, users.c.id == students.c.user_id),
    school=students.c.school_id,
    order=(students.c.user_id,),
    filters=BY_ACCOUNT,
    selective_filters=ACCOUNT_FILTERS,
)

_course_is_over = or_(courses.c.ended_at.is_not(None), courses.c.expires_at <= bindparam("now"))
_course_state = case(
    (courses.c.deleted_at.is_not(None), DELETED), (_course_is_over, OVER), else_=RUNNING
)
_courses_with_label = select(course_labels.c.course_id).where(
    course_labels.c.label_id == bindparam("label")
)
COURSES = ListDefinition(
    "courses",
    CourseRecord,
    (
        courses.c.id,
        courses.c.school_id,
        courses.c.name,
        courses.c.kind,
        courses.c.unique_identity,
        _course_state,
        courses.c.head_teacher_id,
        courses.c.folder_id,
        courses.c.preset_id,
        courses.c.subject,
        courses.c.category,
        courses.c.introduction,
        courses.c.allow_add_friend,
        courses.c.allow_student_modify_nickname,
        courses.c.hides_replay_from_leavers,
        courses.c.expires_at,
        courses.c.created_at,
        courses.c.ended_at,
        courses.c.deleted_at,
    ),
    courses,
    school=courses.c.school_id,
    order=(courses.c.id,),
    filters={
        "course": courses.c.id == bindparam("course"),
        "name": substring_filter(courses.c.name, "name"),
        "identity": courses.c.unique_identity == bindparam("identity"),
        "teacher": courses.c.head_teacher_id == bindparam("teacher"),
        "label": courses.c.id.in_(_courses_with_label),
        "state": _course_state == bindparam("state"),
        "deleted": deletion_filter(courses.c.deleted_at),
    },
    selective_filters=frozenset({"course", "teacher", "label"}),
)


MEMBERS = ListDefinition(
    "members",
    MemberRecord,
    (
        course_members.c.course_id,
        *PERSON_COLUMNS,
        course_members.c.role,
        course_members.c.name,
        course_members.c.nickname,
        course_members.c.joined_at,
    ),
    course_members.outerjoin(users, users.c.id == course_members.c.user_id),
    # Members are listed by course: here the course takes the place of the school.
    school=course_members.c.course_id,
    order=(course_members.c.user_id,),
    filters={**BY_ACCOUNT, "role": course_members.c.role == bindparam("role")},
    selective_filters=ACCOUNT_FILTERS,
)

_lesson_deleted_at = func.coalesce(lessons.c.deleted_at, courses.c.deleted_at)
_lesson_state = case(
    (_lesson_deleted_at.is_not(None), DELETED),
    (LIFECYCLE.is_over(bindparam("now")), OVER),
    (LIFECYCLE.is_running(bindparam("now")), RUNNING),
    else_=NOT_STARTED,
)
_lessons_helped_by = select(co_teachers.c.lesson_id).where(
    co_teachers.c.user_id == bindparam("helper")
)


def _teacher_name(school: ColumnElement[int]) -> ColumnElement[str]:
    """Return the name of a user in the teachers of the school, or else the nickname."""
    school_name = select(teachers.c.name).where(
        teachers.c.school_id == school, teachers.c.user_id == users.c.id
    )
    return func.coalesce(school_name.scalar_subquery(), users.c.nickname)


LESSONS = ListDefinition(
    "classes",
    LessonRecord,
    (
        lessons.c.id,
        _lesson_state,
        courses.c.name,
        *PERSON_COLUMNS,
        _teacher_name(lessons.c.school_id),
    ),
    # With inner joins SQLite might begin with another table, and sort all rows for each page.
    lessons.outerjoin(courses, courses.c.id == lessons.c.course_id).outerjoin(
        users, users.c.id == lessons.c.teacher_id
    ),
    school=lessons.c.school_id,
    order=(lessons.c.created_at, lessons.c.id),
    filters={
        "lesson": lessons.c.id == bindparam("lesson"),
        "course": lessons.c.course_id == bindparam("course"),
        "teacher": lessons.c.teacher_id == bindparam("teacher"),
        "helper": lessons.c.id.in_(_lessons_helped_by),
        "name": substring_filter(lessons.c.name, "name"),
        "identity": lessons.c.unique_identity == bindparam("identity"),
        "state": _lesson_state == bindparam("state"),
        "deleted": deletion_filter(_lesson_deleted_at),
        "since": lessons.c.begins_at >= bindparam("since"),
        "until": lessons.c.begins_at < bindparam("until"),
    },
    selective_filters=frozenset({"lesson", "course", "teacher", "helper"}),
    time_order=(lessons.c.begins_at, lessons.c.id),
    time_filters=frozenset({"since", "until"}),
)
_clip_state = case((clips.c.deleted_at.is_not(None), DELETED), else_=KEPT)
CLIPS = ListDefinition(
    "clips",
    ClipRecord,
    (
        clips.c.lesson_id,
        clips.c.file_id,
        clips.c.name,
        clips.c.kind,
        clips.c.started_at,
        clips.c.duration,
        clips.c.size,
        clips.c.sha256,
        clips.c.is_finished,
        _clip_state,
        clips.c.created_at,
        clips.c.deleted_at,
    ),
    clips,
    # Clips are listed by class: here the class takes the place of the school.
    school=clips.c.lesson_id,
    order=(clips.c.id,),
    filters={
        "file_id": clips.c.file_id == bindparam("file_id"),
        "state": _clip_state == bindparam("state"),
        "deleted": deletion_filter(clips.c.deleted_at),
    },
)
LABELS = ListDefinition(
    "labels",
    LabelRecord,
    (labels.c.school_id, labels.c.id, labels.c.name, labels.c.colour, labels.c.created_at),
    labels,
    school=labels.c.school_id,
    order=(labels.c.id,),
    filters={"name": substring_filter(labels.c.name, "name")},
)

# --- rows that belong to the rows of a page: one statement for the whole page --------------------

_course_ids = ListParameter("course_ids")
_FIND_LABELS = Statement(
    select(course_labels.c.course_id, course_labels.c.label_id)
    .select_from(_course_ids.source)
    .join(course_labels, course_labels.c.course_id == _course_ids.integer())
    .order_by(course_labels.c.course_id, course_labels.c.position)
)
_lesson_ids = ListParameter("lesson_ids")
_FIND_CO_TEACHERS = Statement(
    select(co_teachers.c.lesson_id, *PERSON_COLUMNS, _teacher_name(lessons.c.school_id))
    .select_from(_lesson_ids.source)
    .join(co_teachers, co_teachers.c.lesson_id == _lesson_ids.integer())
    .join(lessons, and_(lessons.c.id == co_teachers.c.lesson_id))
    .join(users, users.c.id == co_teachers.c.user_id)
    .order_by(co_teachers.c.lesson_id, co_teachers.c.position)
)


class ReadbackLists:
    """Repository of the read-back API's lists."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def list_schools(self, filters: Filters, request: PageRequest) -> Page[SchoolRecord]:
        """Return a page of schools."""
        return fetch_page(self._tx, SCHOOLS, filters, request)

    def list_teachers(self, filters: Filters, request: PageRequest) -> Page[TeacherRecord]:
        """Return a page of teachers."""
        return fetch_page(self._tx, TEACHERS, filters, request)

    def list_students(self, filters: Filters, request: PageRequest) -> Page[StudentRecord]:
        """Return a page of students."""
        return fetch_page(self._tx, STUDENTS, filters, request)

    def list_courses(self, filters: Filters, request: PageRequest) -> Page[CourseRecord]:
        """Return a page of courses."""
        return fetch_page(self._tx, COURSES, filters, request)

    def list_members(
        self, course: CourseId, filters: Filters, request: PageRequest
    ) -> Page[MemberRecord]:
        """Return a page of the members of a course."""
        return fetch_page(self._tx, MEMBERS, {**filters, "school": course}, request)

    def list_lessons(self, filters: Filters, request: PageRequest) -> Page[LessonRecord]:
        """Return a page of classes."""
        return fetch_page(self._tx, LESSONS, filters, request)

    def list_clips(
        self, lesson: LessonId, filters: Filters, request: PageRequest
    ) -> Page[ClipRecord]:
        """Return a page of the clips of a class."""
        return fetch_page(self._tx, CLIPS, {**filters, "school": lesson}, request)

    def list_viewers(self, filters: Filters, request: PageRequest) -> Page[ViewerRecord]:
        """Return a page of the viewers of a school."""
        return fetch_page(self._tx, VIEWERS, filters, request)

    def list_viewers_of_lesson(
        self, lesson: LessonId, filters: Filters, request: PageRequest
    ) -> Page[ViewerRecord]:
        """Return a page of the viewers of a class."""
        return fetch_page(self._tx, LESSON_VIEWERS, {**filters, "school": lesson}, request)

    def list_messages(
        self, lesson: LessonId, filters: Filters, request: PageRequest
    ) -> Page[MessageRecord]:
        """Return a page of the messages of a class."""
        message_filters = {**filters, "school": lesson, "kind": EntryKind.MESSAGE.value}
        return fetch_page(self._tx, MESSAGES, message_filters, request)

    def list_labels(self, filters: Filters, request: PageRequest) -> Page[LabelRecord]:
        """Return a page of labels."""
        return fetch_page(self._tx, LABELS, filters, request)

    def list_folders(self, filters: Filters, request: PageRequest) -> Page[FolderRecord]:
        """Return a page of folders."""
        return fetch_page(self._tx, FOLDERS, filters, request)

    def list_files(self, filters: Filters, request: PageRequest) -> Page[FileRecord]:
        """Return a page of files of the cloud drive."""
        return fetch_page(self._tx, FILES, filters, request)

    def find_labels(self, courses: Iterable[CourseId]) -> dict[CourseId, list[LabelId]]:
        """Return the labels of several courses, in their order."""
        result: dict[CourseId, list[LabelId]] = {course: [] for course in courses}
        text = msgspec.json.encode(list(result)).decode()
        for course, label in self._tx.fetch_all(_FIND_LABELS, {"course_ids": text}):
            result[course].append(label)
        return result

    def find_co_teachers(
        self, lessons: Iterable[LessonId]
    ) -> dict[LessonId, list[CoTeacherRecord]]:
        """Return the co-teachers of several classes, in their order."""
        result: dict[LessonId, list[CoTeacherRecord]] = {lesson: [] for lesson in lessons}
        text = msgspec.json.encode(list(result)).decode()
        for row in self._tx.fetch_all(_FIND_CO_TEACHERS, {"lesson_ids": text}):
            co_teacher = CoTeacherRecord(*row)
            result[co_teacher.lesson].append(co_teacher)
        return result
