"""The fence around main and sub classes, and the repository of sub classes."""

from typing import Any, Final

import pytest
from sqlalchemy import update

from homeroom.base.ids import LessonId
from homeroom.store.tables import lessons
from tests.support.given import Given
from tests.support.scheduled import TRIO

V1_CALLS: Final[dict[str, tuple[dict[str, Any], int]]] = {
    "editCourseClass": ({"className": "Another"}, 369),
    "delCourseClass": ({}, 369),
    "modifyClassSeatNum": ({"seatNum": 1}, 369),
    "updateClassLockStatus": ({"isLock": 1}, 369),
    "deleteClassVideo": ({}, 269),
    "getWebcastUrl": ({}, 1),
}
"""What calls of the v1 wire answer for a main or a sub class (READINGS Q5, Q59)."""


def bound(given: Given, **fields: Any) -> tuple[LessonId, LessonId]:  # noqa: ANN401  fields of a class
    """Return a main class and a sub class of it in another course."""
    main, sub = given.lesson(**fields), given.lesson(**fields)
    given.write(update(lessons).where(lessons.c.id == sub).values(main_lesson_id=main))
    return main, sub


@pytest.mark.parametrize("action", V1_CALLS)
def test_v1_calls_do_not_change_main_and_sub_classes(given: Given, action: str) -> None:
    fields, errno = V1_CALLS[action]
    before = [given.seen(lesson) for lesson in bound(given, **TRIO)]
    assert all(lesson.is_dual for lesson in before)
    for lesson in before:
        ids = {"courseId": lesson.course, "classId": lesson.id}
        reply = given.api.call(action, **{**ids, **fields})
        assert reply.errno == errno, (reply.body, reply.reason)
    assert [given.seen(lesson.id) for lesson in before] == before


def test_classes_that_were_held_are_not_deleted_either(given: Given) -> None:
    main, sub = bound(given)
    given.until(given.seen(main).hours.end + 3600)
    for lesson in (main, sub):
        ids = {"courseId": given.seen(lesson).course, "classId": lesson}
        assert given.api.call("delEndCourseClass", **ids).errno == 369


def test_a_list_with_a_sub_class_is_refused_as_a_whole(given: Given) -> None:
    _, sub = bound(given)
    course = given.seen(sub).course
    plain = given.lesson(course)
    entries = [{"classId": lesson, **TRIO} for lesson in (plain, sub)]
    reply = given.api.call("setClassVideoMultiple", courseId=course, classJson=entries)
    assert (reply.errno, given.seen(plain).recording.record) == (369, False)


def test_guests_of_main_and_sub_classes_come_and_go(given: Given) -> None:
    for lesson in bound(given):
        given.made_elsewhere(lesson)
        ids = {"courseId": given.seen(lesson).course, "classId": lesson}
        student = given.student()
        done = given.done("addClassStudentMultiple", **ids, studentJson=[{"uid": student}])
        assert done.errnos == [1]
        removed = given.done("delClassStudentMultiple", **ids, identity=1, studentUidJson=[student])
        assert removed.errnos == [1]


def test_a_main_class_without_sub_classes_is_ordinary(given: Given) -> None:
    main, sub = bound(given)
    given.set_course(given.seen(sub).course, deleted_at=given.now)
    assert not given.seen(main).is_dual
    ids = {"courseId": given.seen(main).course, "classId": main}
    assert given.api.call("delCourseClass", **ids).errno == 1


@pytest.mark.parametrize("keeps", [True, False])
def test_a_course_that_ends_takes_the_sub_classes_of_its_classes_along(
    given: Given, *, keeps: bool
) -> None:
    main, sub = bound(given)
    other = bound(given)[1]
    given.write(update(lessons).where(lessons.c.id == sub).values(unique_identity="mine"))
    given.plan(keep_identities=keeps)
    given.done("endCourse", courseId=given.seen(main).course)
    assert given.seen(sub).deleted_at == given.seen(main).deleted_at == given.now
    assert given.seen(sub).identity == ("mine" if keeps else None)
    assert given.seen(main).has_subs
    assert given.seen(other).deleted_at is None


def test_sub_classes_are_listed_and_follow(given: Given) -> None:
    main, sub = bound(given)
    teacher, hours = given.teacher(), given.seen(given.lesson()).hours
    later = type(hours)(hours.begin + 60, hours.end + 60)
    subs = given.store.read(lambda uow: uow.sub_lessons.list_of(main))
    assert [(lesson.id, course.id) for lesson, course in subs] == [(sub, given.seen(sub).course)]
    assert given.store.read(lambda uow: uow.sub_lessons.list_ids([main, sub])) == {
        main: [sub],
        sub: [],
    }
    given.store.write(lambda uow: uow.sub_lessons.save_schedule([main, sub], later, teacher))
    assert {(given.seen(number).hours, given.seen(number).teacher) for number in (main, sub)} == {
        (later, teacher)
    }
    given.store.write(
        lambda uow: uow.sub_lessons.delete([sub, main], uow.now, keeps_identities=False)
    )
    assert given.seen(main).has_subs
    assert given.store.read(lambda uow: uow.sub_lessons.list_ids([main])) == {main: []}
