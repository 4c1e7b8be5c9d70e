"""Read-back lists: courses, classes and people that a school or the operator may see."""

from collections.abc import Callable
from typing import TypeVar

from homeroom.base.clock import Moment
from homeroom.base.ids import CourseId, LabelId, LessonId, SchoolId, UserId
from homeroom.base.values import Value
from homeroom.domain.lessons import Lesson
from homeroom.store.paging import SCHOOL, Filters, Page, PageRequest
from homeroom.store.readback_records import (
    ActivityRecord,
    ClipRecord,
    CommentRecord,
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
    UnitRecord,
    ViewerRecord,
)
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases.main_recordings import find_sources
from homeroom.usecases.masking import Reader, mask_page, mask_people, mask_viewers

Scope = SchoolId | None
"""The school whose rows may be read; None: all schools."""
MAX_PAGE_ROWS = 1000
R = TypeVar("R")


class ListedCourse(Value, frozen=True):
    """A course with its labels."""

    course: CourseRecord
    labels: list[LabelId]


class ListedLesson(Value, frozen=True):
    """A class with its teachers and labels and, if it is a main class, its sub classes."""

    lesson: Lesson
    row: LessonRecord
    co_teachers: list[CoTeacherRecord]
    labels: list[LabelId]
    source: Lesson
    """The class whose streams its page shows: itself or its main class."""
    subs: list[LessonId]


def list_all(fetch: Callable[[PageRequest], Page[R]], now: Moment) -> list[R]:
    """Return the rows of all pages of a list."""
    page = fetch(PageRequest(MAX_PAGE_ROWS, now=now))
    rows = list(page.rows)
    while page.next is not None:
        page = fetch(PageRequest(MAX_PAGE_ROWS, page.next, page.order, now))
        rows += page.rows
    return rows


class ListedActivity(Value, frozen=True):
    """An activity with the members of the course who were taken out of it."""

    activity: ActivityRecord
    absent: list[UserId]


def list_units(uow: UnitOfWork, filters: Filters, request: PageRequest) -> Page[UnitRecord]:
    """Return a page of units."""
    return uow.activity_lists.list_units(filters, request)


def list_activities(
    uow: UnitOfWork, filters: Filters, request: PageRequest
) -> Page[ListedActivity]:
    """Return a page of activities with who was taken out of each, read in two statements."""
    page = uow.activity_lists.list_activities(filters, request)
    absent = uow.activity_lists.find_absent(activity.id for activity in page.rows)
    rows = [ListedActivity(activity, absent[activity.id]) for activity in page.rows]
    return Page(rows, page.next, page.order)


def list_courses(uow: UnitOfWork, filters: Filters, span: PageRequest) -> Page[ListedCourse]:
    """Return a page of courses with their labels, read in one statement."""
    page = uow.readback.list_courses(filters, span)
    labels = uow.readback.find_labels(course.id for course in page.rows)
    rows = [ListedCourse(course, labels[course.id]) for course in page.rows]
    return Page(rows, page.next, page.order)


def list_lessons(
    uow: UnitOfWork, reader: Reader, filters: Filters, span: PageRequest
) -> Page[ListedLesson]:
    """Return a page of classes with co-teachers and labels, read in a few more statements."""
    page = mask_page(uow, reader, uow.readback.list_lessons(filters, span))
    ids = [row.id for row in page.rows]
    existing = uow.lessons.get_many(ids)
    co_teachers = uow.readback.find_co_teachers(ids)
    masked = iter(mask_people(uow, reader, [row for rows in co_teachers.values() for row in rows]))
    co_teachers = {lesson: [next(masked) for _ in rows] for lesson, rows in co_teachers.items()}
    labels = uow.labels.list_of_lessons(ids)
    sources = find_sources(uow, existing.values())
    subs = uow.sub_lessons.list_ids(row.id for row in page.rows if existing[row.id].has_subs)
    rows = [
        ListedLesson(
            existing[row.id],
            row,
            co_teachers[row.id],
            labels[row.id],
            sources[row.id],
            subs.get(row.id, []),
        )
        for row in page.rows
    ]
    return Page(rows, page.next, page.order)


def find_lesson(
    uow: UnitOfWork, reader: Reader, scope: Scope, lesson_id: LessonId
) -> ListedLesson | None:
    """Return one class; None if it does not exist or may not be seen."""
    filters: Filters = {"lesson": lesson_id}
    if scope is not None:
        filters = {**filters, SCHOOL: scope}
    rows = list_lessons(uow, reader, filters, PageRequest(1, now=uow.now)).rows
    return rows[0] if rows else None


def can_see_course(uow: UnitOfWork, scope: Scope, course_id: CourseId) -> bool:
    """Tell whether a course exists and may be seen."""
    course = uow.courses.get(course_id)
    return course is not None and scope in (None, course.school)


def find_lesson_alone(uow: UnitOfWork, scope: Scope, lesson_id: LessonId) -> Lesson | None:
    """Return a class without its list row; None if it does not exist or may not be seen."""
    lesson = uow.lessons.get(lesson_id)
    return lesson if lesson is not None and scope in (None, lesson.school) else None


def list_all_viewers(uow: UnitOfWork, lesson: LessonId) -> list[ViewerRecord]:
    """Return all viewers of a class, in the order of their arrival."""
    return list_all(lambda span: uow.readback.list_viewers_of_lesson(lesson, {}, span), uow.now)


def list_schools(uow: UnitOfWork, filters: Filters, request: PageRequest) -> Page[SchoolRecord]:
    """Return a page of schools."""
    return uow.readback.list_schools(filters, request)


def list_teachers(
    uow: UnitOfWork, reader: Reader, filters: Filters, request: PageRequest
) -> Page[TeacherRecord]:
    """Return a page of teachers."""
    return mask_page(uow, reader, uow.readback.list_teachers(filters, request))


def list_students(
    uow: UnitOfWork, reader: Reader, filters: Filters, request: PageRequest
) -> Page[StudentRecord]:
    """Return a page of students."""
    return mask_page(uow, reader, uow.readback.list_students(filters, request))


def list_members(
    uow: UnitOfWork, reader: Reader, course: CourseId, filters: Filters, request: PageRequest
) -> Page[MemberRecord]:
    """Return a page of the members of a course."""
    return mask_page(uow, reader, uow.readback.list_members(course, filters, request))


def list_clips(
    uow: UnitOfWork, lesson: LessonId, filters: Filters, request: PageRequest
) -> Page[ClipRecord]:
    """Return a page of the clips of a class."""
    return uow.readback.list_clips(lesson, filters, request)


def list_viewers(
    uow: UnitOfWork, reader: Reader, filters: Filters, request: PageRequest
) -> Page[ViewerRecord]:
    """Return a page of the viewers of a school."""
    return mask_viewers(uow, reader, uow.readback.list_viewers(filters, request))


def list_viewers_of_lesson(
    uow: UnitOfWork, reader: Reader, lesson: LessonId, filters: Filters, request: PageRequest
) -> Page[ViewerRecord]:
    """Return a page of the viewers of a class."""
    return mask_viewers(uow, reader, uow.readback.list_viewers_of_lesson(lesson, filters, request))


def list_messages(
    uow: UnitOfWork, lesson: LessonId, filters: Filters, request: PageRequest
) -> Page[MessageRecord]:
    """Return a page of the messages of a class."""
    return uow.readback.list_messages(lesson, filters, request)


def list_comments(
    uow: UnitOfWork, reader: Reader, filters: Filters, request: PageRequest
) -> Page[CommentRecord]:
    """Return a page of comments."""
    return mask_page(uow, reader, uow.comments.list_page(filters, request))


def list_labels(uow: UnitOfWork, filters: Filters, request: PageRequest) -> Page[LabelRecord]:
    """Return a page of labels."""
    return uow.readback.list_labels(filters, request)


def list_folders(uow: UnitOfWork, filters: Filters, request: PageRequest) -> Page[FolderRecord]:
    """Return a page of folders."""
    return uow.readback.list_folders(filters, request)


def list_files(uow: UnitOfWork, filters: Filters, request: PageRequest) -> Page[FileRecord]:
    """Return a page of files of the cloud drive."""
    return uow.readback.list_files(filters, request)
