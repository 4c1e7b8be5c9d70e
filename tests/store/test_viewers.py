"""Viewers of the pages in the database: identity, watch time, mute, and page content."""

from collections.abc import Callable
from typing import Any, Final, TypeVar

import pytest

from homeroom.base.clock import DAY, HOUR, MINUTE
from homeroom.base.ids import LessonId, SchoolId, UserId, ViewerId
from homeroom.base.values import replace
from homeroom.domain.retention import SweptSort
from homeroom.domain.viewers import ViewerKind
from homeroom.store.records import NewViewer, Viewer, WatchTime
from homeroom.store.tables import viewers
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import viewing
from homeroom.usecases.viewing import NoSuchPageError
from tests.support.given import Given
from tests.support.wire import Value

T = TypeVar("T")
TELEPHONE: Final = "13812345678"


def write(given: Given, use_case: Callable[[UnitOfWork], T]) -> T:
    return given.store.write(use_case, SchoolId(given.school.id))


def new(lesson: LessonId, number: int = 1, **fields: Any) -> NewViewer:  # noqa: ANN401  any field of NewViewer
    """Return a visitor of a class."""
    return replace(NewViewer(lesson, f"visitor:{number}", ViewerKind.VISITOR, "小明"), **fields)


def save(given: Given, viewer: NewViewer) -> Viewer:
    return write(given, lambda uow: uow.viewers.save(viewer, uow.now))


def watch_times(given: Given, viewer: ViewerId) -> tuple[int, int, int]:
    """Return how long a viewer watched, and when they were first and last seen."""
    columns = viewers.c
    query = viewers.select().where(columns.id == viewer)
    (row,) = given.rows(
        query.with_only_columns(columns.watched, columns.first_seen_at, columns.last_seen_at)
    )
    return row[0], row[1], row[2]


# --- rows ----------------------------------------------------------------------------------------


def test_a_viewer_is_found_in_the_class_alone(given: Given) -> None:
    course = given.course()
    lesson, other = given.lesson(course), given.lesson(course)
    viewer = save(given, new(lesson, telephone=TELEPHONE))

    assert viewer == Viewer(
        viewer.id, lesson, "visitor:1", ViewerKind.VISITOR, "小明", TELEPHONE, is_muted=False
    )
    assert write(given, lambda uow: uow.viewers.find(lesson, "visitor:1")) == viewer
    assert write(given, lambda uow: uow.viewers.get(viewer.id)) == viewer
    assert write(given, lambda uow: uow.viewers.find(other, "visitor:1")) is None
    assert write(given, lambda uow: uow.viewers.find(lesson, "visitor:2")) is None
    assert write(given, lambda uow: uow.viewers.get(ViewerId(2**40))) is None


def test_who_is_known_keeps_their_number_and_their_watching(given: Given) -> None:
    lesson = given.lesson()
    first = save(given, new(lesson, telephone=TELEPHONE))
    begun = given.now
    write(given, lambda uow: uow.viewers.add_watch_time([WatchTime(new(lesson), 30)], uow.now))
    given.clock.advance(MINUTE)

    again = save(given, new(lesson, name="Ming"))

    assert again == replace(first, name="Ming")
    assert watch_times(given, first.id) == (30, begun, begun + MINUTE)


def test_watching_adds_up_and_writes_whoever_is_new(given: Given) -> None:
    lesson, user = given.lesson(), given.student()
    named = save(given, new(lesson, telephone=TELEPHONE))
    known = new(lesson, identity=f"user:{user}", kind=ViewerKind.USER, name="A", user=UserId(user))

    def add(*watched: WatchTime) -> None:
        write(given, lambda uow: uow.viewers.add_watch_time(watched, uow.now))

    add()
    begun = given.now
    add(WatchTime(new(lesson, name="other"), 15), WatchTime(known, 10))
    given.clock.advance(15)
    add(WatchTime(known, 15), WatchTime(new(lesson), 15))

    held = write(given, lambda uow: uow.viewers.find(lesson, known.identity))
    assert held is not None
    assert (held.name, held.kind) == ("A", ViewerKind.USER)
    assert watch_times(given, held.id) == (25, begun - 10, begun + 15)
    assert watch_times(given, named.id) == (30, begun, begun + 15)
    assert write(given, lambda uow: uow.viewers.get(named.id)) == named


def test_watching_in_a_class_that_was_removed_is_left_out(given: Given) -> None:
    lesson = given.lesson()
    gone = new(LessonId(2**40))

    watched = [WatchTime(gone, 10), WatchTime(new(lesson), 10)]
    write(given, lambda uow: viewing.add_watch_time(uow, watched))

    assert write(given, lambda uow: uow.viewers.find(lesson, "visitor:1")) is not None
    assert write(given, lambda uow: uow.viewers.find(gone.lesson, "visitor:1")) is None


def test_a_viewer_is_muted_in_their_class_alone(given: Given) -> None:
    course = given.course()
    lesson, other = given.lesson(course), given.lesson(course)
    viewer = save(given, new(lesson))

    def mute(where: LessonId, moment: int | None) -> tuple[bool, bool]:
        found = write(given, lambda uow: uow.viewers.mute(where, viewer.id, moment))
        held = write(given, lambda uow: uow.viewers.get(viewer.id))
        return found, held is not None and held.is_muted

    assert mute(other, 1) == (False, False)
    assert mute(lesson, 1) == (True, True)
    assert mute(lesson, None) == (True, False)


def test_muting_follows_a_telephone_number(given: Given) -> None:
    course = given.course()
    lesson, other = given.lesson(course), given.lesson(course)
    first = save(given, new(lesson, telephone=TELEPHONE))
    again = save(given, new(lesson, 2, telephone=TELEPHONE))
    rest = [
        save(given, new(lesson, 3, telephone="13812345679")),
        save(given, new(lesson, 4)),
        save(given, new(lesson, 5)),
        save(given, new(other, telephone=TELEPHONE)),
    ]

    def muted(by: Viewer, moment: int | None) -> list[bool]:
        assert write(given, lambda uow: uow.viewers.mute(lesson, by.id, moment))
        held = write(given, lambda uow: [uow.viewers.get(one.id) for one in everybody])
        return [one is not None and one.is_muted for one in held]

    def since() -> int | None:
        return write(given, lambda uow: uow.viewers.get_mute_time(lesson, TELEPHONE))

    everybody = [first, again, *rest]
    assert since() is None
    assert muted(again, 7) == [True, True, *[False] * 4]
    assert since() == 7
    assert muted(first, None) == [False] * 6
    assert since() is None
    # Viewers without a telephone number do not count as one.
    assert muted(rest[1], 7) == [False, False, False, True, False, False]


def test_classes_are_seen_as_their_pages_show_them(given: Given) -> None:
    teacher = given.user()
    given.done("addTeacher", teacherUid=teacher, teacherName="Ms. Zhang")
    course = given.course(courseName="Physics")
    lesson = given.lesson(course, teacherUid=teacher, className="Waves")
    other = given.lesson(course)

    seen = write(given, lambda uow: viewing.get_page_lessons(uow, [other, lesson]))

    assert set(seen) == {lesson, other}
    one = seen[lesson]
    assert one.lesson == given.seen(lesson)
    assert (one.school_name, one.course_name, one.teacher_name) == (
        "School",
        "Physics",
        "Ms. Zhang",
    )
    assert write(given, lambda uow: viewing.get_page_lesson(uow, one.lesson.key)) == one
    assert write(given, lambda uow: viewing.get_page_lessons(uow, [])) == {}
    with pytest.raises(NoSuchPageError):
        write(given, lambda uow: viewing.get_page_lesson(uow, one.course_key))


def test_a_course_lists_what_comes_and_then_what_was(given: Given) -> None:
    course = given.course(courseName="Physics")
    start = given.now

    def lesson(hours: int, **fields: Value) -> LessonId:
        begin = start + hours * HOUR
        form: dict[str, Value] = {"record": 1, "beginTime": begin, "endTime": begin + HOUR}
        return given.lesson(course, **{**form, **fields})

    first, second, third, fourth = (lesson(hours) for hours in (1, 2, 30, 50))
    lesson(3, record=0)
    gone = lesson(4)
    given.done("delCourseClass", courseId=course, classId=gone)
    given.clock.advance(24 * HOUR)
    key = write(given, lambda uow: viewing.get_page_lessons(uow, [first]))[first].course_key

    found, school, listed = write(given, lambda uow: viewing.get_course_page(uow, key))

    assert (found.id, found.name, found.key, school.id) == (
        course,
        "Physics",
        key,
        given.school.id,
    )
    assert [one.lesson.id for one in listed] == [third, fourth, second, first]
    given.set_course(course, deleted_at=given.now)
    with pytest.raises(NoSuchPageError):
        write(given, lambda uow: viewing.get_course_page(uow, key))
    with pytest.raises(NoSuchPageError):
        write(given, lambda uow: viewing.get_course_page(uow, "no key"))


# --- retention -----------------------------------------------------------------------------------


def test_viewers_are_overdue_some_time_after_class_and_visit(given: Given) -> None:
    lesson, school = given.lesson(), SchoolId(given.school.id)
    end = given.seen(lesson).hours.end + 20 * MINUTE
    early, late = save(given, new(lesson)), new(lesson, 2)
    given.until(end + DAY)
    late_one = save(given, late)
    of_other = save(given.other(), new(given.other().lesson()))

    def overdue(moment: int, limit: int = 10) -> list[ViewerId]:
        return write(given, lambda uow: uow.viewers.list_overdue(school, moment, limit))

    assert overdue(end - 1) == []
    assert overdue(end) == [early.id]
    assert sorted(overdue(end + DAY)) == [early.id, late_one.id]
    assert len(overdue(end + DAY, 1)) == 1
    write(given, lambda uow: uow.swept_rows.sweep(SweptSort.VIEWERS, [early.id], end, end))
    assert overdue(end + DAY) == [late_one.id]
    assert write(given.other(), lambda uow: uow.viewers.get(of_other.id)) == of_other
