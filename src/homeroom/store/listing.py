"""What the read-back shows, list by list."""

from collections.abc import Iterable

import msgspec
from sqlalchemy import ColumnElement, and_, bindparam, case, func, or_, select

from homeroom.base.clock import Moment
from homeroom.base.ids import CourseId, LabelId, LessonId
from homeroom.domain.chat import EntryKind
from homeroom.domain.lessons import MARGIN
from homeroom.store.engine import Tx
from homeroom.store.listing_viewers import LESSON_VIEWERS, MESSAGES, VIEWERS
from homeroom.store.paging import Filters, Listed, Page, Span, has_part, is_deleted, page
from homeroom.store.schools import read_plan
from homeroom.store.shown import (
    ShownClip,
    ShownCoTeacher,
    ShownCourse,
    ShownFolder,
    ShownLabel,
    ShownLesson,
    ShownMessage,
    ShownRosterMember,
    ShownSchool,
    ShownStudent,
    ShownTeacher,
    ShownViewer,
)
from homeroom.store.statement import Rows, Statement
from homeroom.store.tables import (
    clips,
    co_teachers,
    course_labels,
    course_members,
    courses,
    folders,
    labels,
    lessons,
    schools,
    students,
    teachers,
    users,
)

NOT_STARTED, RUNNING, OVER, DELETED = 1, 2, 3, 4
KEPT = 1
"""States as the wire numbers them (the messages' courseStatus and classStatus)."""

_PERSON = (users.c.id, users.c.telephone, users.c.email, users.c.cancelled_at)
_BY_ACCOUNT: dict[str, ColumnElement[bool]] = {
    "uid": users.c.id == bindparam("uid"),
    "telephone": users.c.telephone == bindparam("telephone"),
    "email": users.c.email == bindparam("email"),
}


def _school(number: int, name: str, owner: int, plan: str, created_at: Moment) -> ShownSchool:
    return ShownSchool(number, name, owner, read_plan(plan), created_at)


SCHOOLS = Listed(
    "schools",
    _school,
    (schools.c.id, schools.c.name, schools.c.owner_id, schools.c.plan, schools.c.created_at),
    schools,
    school=schools.c.id,
    order=(schools.c.id,),
)


TEACHERS = Listed(
    "teachers",
    ShownTeacher,
    (
        teachers.c.school_id,
        *_PERSON,
        teachers.c.name,
        teachers.c.state,
        teachers.c.created_at,
    ),
    teachers.outerjoin(users, users.c.id == teachers.c.user_id),
    school=teachers.c.school_id,
    order=(teachers.c.user_id,),
    filters={**_BY_ACCOUNT, "state": teachers.c.state == bindparam("state")},
)
STUDENTS = Listed(
    "students",
    ShownStudent,
    (students.c.school_id, *_PERSON, students.c.name, students.c.created_at),
    students.outerjoin(users, users.c.id == students.c.user_id),
    school=students.c.school_id,
    order=(students.c.user_id,),
    filters=_BY_ACCOUNT,
)

_course_is_over = or_(courses.c.ended_at.is_not(None), courses.c.expires_at <= bindparam("now"))
_course_state = case(
    (courses.c.deleted_at.is_not(None), DELETED), (_course_is_over, OVER), else_=RUNNING
)
_has_label = (
    select(course_labels.c.course_id)
    .where(
        course_labels.c.course_id == courses.c.id,
        course_labels.c.label_id == bindparam("label"),
    )
    .exists()
)
COURSES = Listed(
    "courses",
    ShownCourse,
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
        "name": has_part(courses.c.name, "name"),
        "identity": courses.c.unique_identity == bindparam("identity"),
        "teacher": courses.c.head_teacher_id == bindparam("teacher"),
        "label": _has_label,
        "state": _course_state == bindparam("state"),
        "deleted": is_deleted(courses.c.deleted_at),
    },
)


MEMBERS = Listed(
    "members",
    ShownRosterMember,
    (
        course_members.c.course_id,
        *_PERSON,
        course_members.c.role,
        course_members.c.name,
        course_members.c.nickname,
        course_members.c.joined_at,
    ),
    course_members.outerjoin(users, users.c.id == course_members.c.user_id),
    # A roster is asked for by its course, which stands where others have the school.
    school=course_members.c.course_id,
    order=(course_members.c.user_id,),
    filters={**_BY_ACCOUNT, "role": course_members.c.role == bindparam("role")},
)

_lesson_deleted_at = func.coalesce(lessons.c.deleted_at, courses.c.deleted_at)
_lesson_state = case(
    (_lesson_deleted_at.is_not(None), DELETED),
    (lessons.c.closed_at <= bindparam("now"), OVER),
    (lessons.c.ends_at + MARGIN <= bindparam("now"), OVER),
    (lessons.c.begins_at <= bindparam("now"), RUNNING),
    else_=NOT_STARTED,
)
_helped_by = select(co_teachers.c.lesson_id).where(co_teachers.c.user_id == bindparam("helper"))


def _name_of(school: ColumnElement[int]) -> ColumnElement[str]:
    """Name a user as the school's list of teachers does, or as the user does."""
    listed = select(teachers.c.name).where(
        teachers.c.school_id == school, teachers.c.user_id == users.c.id
    )
    return func.coalesce(listed.scalar_subquery(), users.c.nickname)


LESSONS = Listed(
    "classes",
    ShownLesson,
    (
        lessons.c.id,
        _lesson_state,
        courses.c.name,
        *_PERSON,
        _name_of(lessons.c.school_id),
    ),
    # Outer joins keep SQLite from beginning with another table than the one that is paged.
    lessons.outerjoin(courses, courses.c.id == lessons.c.course_id).outerjoin(
        users, users.c.id == lessons.c.teacher_id
    ),
    school=lessons.c.school_id,
    order=(lessons.c.created_at, lessons.c.id),
    filters={
        "lesson": lessons.c.id == bindparam("lesson"),
        "course": lessons.c.course_id == bindparam("course"),
        "teacher": lessons.c.teacher_id == bindparam("teacher"),
        "helper": lessons.c.id.in_(_helped_by),
        "name": has_part(lessons.c.name, "name"),
        "identity": lessons.c.unique_identity == bindparam("identity"),
        "state": _lesson_state == bindparam("state"),
        "deleted": is_deleted(_lesson_deleted_at),
        "since": lessons.c.begins_at >= bindparam("since"),
        "until": lessons.c.begins_at < bindparam("until"),
    },
    narrow=frozenset({"lesson", "course", "teacher", "helper"}),
    narrow_school=courses.c.school_id,
    by_time=(lessons.c.begins_at, lessons.c.id),
    timed=frozenset({"since", "until"}),
)
_clip_state = case((clips.c.deleted_at.is_not(None), DELETED), else_=KEPT)
CLIPS = Listed(
    "clips",
    ShownClip,
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
    # Clips are asked for by their class, which stands where others have the school.
    school=clips.c.lesson_id,
    order=(clips.c.id,),
    filters={
        "file_id": clips.c.file_id == bindparam("file_id"),
        "state": _clip_state == bindparam("state"),
        "deleted": is_deleted(clips.c.deleted_at),
    },
)
LABELS = Listed(
    "labels",
    ShownLabel,
    (labels.c.school_id, labels.c.id, labels.c.name, labels.c.colour, labels.c.created_at),
    labels,
    school=labels.c.school_id,
    order=(labels.c.id,),
    filters={"name": has_part(labels.c.name, "name")},
)
FOLDERS = Listed(
    "folders",
    ShownFolder,
    (
        folders.c.school_id,
        folders.c.id,
        folders.c.parent_id,
        folders.c.name,
        folders.c.depth,
        folders.c.is_writable,
        folders.c.created_at,
    ),
    folders,
    school=folders.c.school_id,
    order=(folders.c.id,),
    filters={
        "parent": folders.c.parent_id == bindparam("parent"),
        "name": has_part(folders.c.name, "name"),
    },
)

# --- what hangs on the rows of a page, for all of them at once -----------------------------------

_of_courses = Rows("labelled")
_COURSE_LABELS = Statement(
    select(course_labels.c.course_id, course_labels.c.label_id)
    .select_from(_of_courses.source)
    .join(course_labels, course_labels.c.course_id == _of_courses.whole())
    .order_by(course_labels.c.course_id, course_labels.c.position)
)
_helped = Rows("helped")
_CO_TEACHERS = Statement(
    select(co_teachers.c.lesson_id, *_PERSON, _name_of(lessons.c.school_id))
    .select_from(_helped.source)
    .join(co_teachers, co_teachers.c.lesson_id == _helped.whole())
    .join(lessons, and_(lessons.c.id == co_teachers.c.lesson_id))
    .join(users, users.c.id == co_teachers.c.user_id)
    .order_by(co_teachers.c.lesson_id, co_teachers.c.position)
)


class Listing:
    """Lists in one transaction."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    def schools(self, filters: Filters, span: Span) -> Page[ShownSchool]:
        """Return a page of schools."""
        return page(self._tx, SCHOOLS, filters, span)

    def teachers(self, filters: Filters, span: Span) -> Page[ShownTeacher]:
        """Return a page of teachers."""
        return page(self._tx, TEACHERS, filters, span)

    def students(self, filters: Filters, span: Span) -> Page[ShownStudent]:
        """Return a page of students."""
        return page(self._tx, STUDENTS, filters, span)

    def courses(self, filters: Filters, span: Span) -> Page[ShownCourse]:
        """Return a page of courses."""
        return page(self._tx, COURSES, filters, span)

    def members(self, course: CourseId, filters: Filters, span: Span) -> Page[ShownRosterMember]:
        """Return a page of the members of a course."""
        return page(self._tx, MEMBERS, {**filters, "school": course}, span)

    def lessons(self, filters: Filters, span: Span) -> Page[ShownLesson]:
        """Return a page of classes."""
        return page(self._tx, LESSONS, filters, span)

    def clips(self, lesson: LessonId, filters: Filters, span: Span) -> Page[ShownClip]:
        """Return a page of the clips of a class."""
        return page(self._tx, CLIPS, {**filters, "school": lesson}, span)

    def viewers(self, filters: Filters, span: Span) -> Page[ShownViewer]:
        """Return a page of the viewers of a school."""
        return page(self._tx, VIEWERS, filters, span)

    def viewers_of(self, lesson: LessonId, filters: Filters, span: Span) -> Page[ShownViewer]:
        """Return a page of the viewers of a class."""
        return page(self._tx, LESSON_VIEWERS, {**filters, "school": lesson}, span)

    def messages(self, lesson: LessonId, filters: Filters, span: Span) -> Page[ShownMessage]:
        """Return a page of the messages of a class."""
        only = {**filters, "school": lesson, "kind": EntryKind.MESSAGE.value}
        return page(self._tx, MESSAGES, only, span)

    def labels(self, filters: Filters, span: Span) -> Page[ShownLabel]:
        """Return a page of labels."""
        return page(self._tx, LABELS, filters, span)

    def folders(self, filters: Filters, span: Span) -> Page[ShownFolder]:
        """Return a page of folders."""
        return page(self._tx, FOLDERS, filters, span)

    def labels_of(self, asked: Iterable[CourseId]) -> dict[CourseId, list[LabelId]]:
        """Return the labels of some courses, in order."""
        found: dict[CourseId, list[LabelId]] = {course: [] for course in asked}
        text = msgspec.json.encode(list(found)).decode()
        for course, label in self._tx.all(_COURSE_LABELS, {"labelled": text}):
            found[course].append(label)
        return found

    def co_teachers_of(self, asked: Iterable[LessonId]) -> dict[LessonId, list[ShownCoTeacher]]:
        """Return the co-teachers of some classes, in order."""
        found: dict[LessonId, list[ShownCoTeacher]] = {lesson: [] for lesson in asked}
        text = msgspec.json.encode(list(found)).decode()
        for row in self._tx.all(_CO_TEACHERS, {"helped": text}):
            helper = ShownCoTeacher(*row)
            found[helper.lesson].append(helper)
        return found
