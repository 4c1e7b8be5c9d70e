"""Read-back: what a school, or the operator, may see of courses, classes and people."""

from dataclasses import dataclass

from homeroom.base.ids import CourseId, LabelId, LessonId, SchoolId
from homeroom.domain.lessons import Lesson
from homeroom.store.paging import SCHOOL, Filters, Page, PageRequest
from homeroom.store.readback_records import (
    CoTeacherRecord,
    CourseRecord,
    LessonRecord,
    ViewerRecord,
)
from homeroom.store.unit_of_work import UnitOfWork

Whole = SchoolId | None
"""Whose things may be seen: one school's, or everybody's."""
VIEWERS_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class CourseWithLabels:
    """A course with its labels."""

    course: CourseRecord
    labels: list[LabelId]


@dataclass(frozen=True, slots=True)
class SeenLesson:
    """A class with the people who hold it."""

    lesson: Lesson
    shown: LessonRecord
    co_teachers: list[CoTeacherRecord]


def courses(uow: UnitOfWork, filters: Filters, span: PageRequest) -> Page[CourseWithLabels]:
    """Return a page of courses, their labels read in one statement."""
    page = uow.readback.list_courses(filters, span)
    labels = uow.readback.find_labels(course.id for course in page.rows)
    rows = [CourseWithLabels(course, labels[course.id]) for course in page.rows]
    return Page(rows, page.next, page.order)


def lessons(uow: UnitOfWork, filters: Filters, span: PageRequest) -> Page[SeenLesson]:
    """Return a page of classes, what hangs on them read in two statements."""
    page = uow.readback.list_lessons(filters, span)
    ids = [shown.id for shown in page.rows]
    held = uow.lessons.get_many(ids)
    co_teachers = uow.readback.find_co_teachers(ids)
    rows = [SeenLesson(held[shown.id], shown, co_teachers[shown.id]) for shown in page.rows]
    return Page(rows, page.next, page.order)


def lesson(uow: UnitOfWork, scope: Whole, asked: LessonId) -> SeenLesson | None:
    """Return one class, or none where there is none to be seen."""
    filters: Filters = {"lesson": asked}
    if scope is not None:
        filters = {**filters, SCHOOL: scope}
    rows = lessons(uow, filters, PageRequest(1, now=uow.now)).rows
    return rows[0] if rows else None


def sees_course(uow: UnitOfWork, scope: Whole, asked: CourseId) -> bool:
    """Tell whether there is such a course to be seen."""
    course = uow.courses.get(asked)
    return course is not None and scope in (None, course.school)


def seen_lesson(uow: UnitOfWork, scope: Whole, asked: LessonId) -> Lesson | None:
    """Return a class alone, or none where there is none to be seen."""
    held = uow.lessons.get(asked)
    return held if held is not None and scope in (None, held.school) else None


def viewers_of(uow: UnitOfWork, lesson: LessonId) -> list[ViewerRecord]:
    """Return everybody who watched a class, in the order of their coming."""
    found: list[ViewerRecord] = []
    page = uow.readback.list_viewers_of_lesson(lesson, {}, PageRequest(VIEWERS_AT_ONCE))
    found += page.rows
    while page.next is not None:
        span = PageRequest(VIEWERS_AT_ONCE, page.next, page.order)
        page = uow.readback.list_viewers_of_lesson(lesson, {}, span)
        found += page.rows
    return found
