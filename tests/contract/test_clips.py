"""Recordings of classes: how each number of their three actions comes about."""

from collections.abc import Callable
from typing import Any

import pytest

from homeroom.base.ids import LessonId
from homeroom.contract.action import Action
from homeroom.contract.clips import (
    DELETE_CLASS_VIDEO,
    SET_CLASS_VIDEO_MULTIPLE,
    UPDATE_CLASS_LOCK_STATUS,
)
from homeroom.contract.errno import Errno
from tests.support.cases import Case, check_table
from tests.support.given import Given
from tests.support.scheduled import TRIO, Scheduled
from tests.support.wire import Reply, Value

UNKNOWN_ID = 10**9
"""An id that nothing has."""


def wrongly_signed(action: Action[Any, Any]) -> Callable[[Given], Reply]:
    return lambda g: g.api.post(action.name, data={**g.api.signed(), "safeKey": "0" * 32})


# --- setClassVideoMultiple ---------------------------------------------------------------------


def switch(given: Given, **fields: Value) -> Reply:
    """Call setClassVideoMultiple for one class, but for what is said."""
    held = Scheduled(given)
    entries: list[Any] = [{"classId": held.lesson, **TRIO}]
    form: dict[str, Value] = {"courseId": held.course, "classJson": entries}
    return given.api.call("setClassVideoMultiple", **{**form, **fields})


def switch_one(held: Scheduled, **switches: Value) -> Reply:
    """Call setClassVideoMultiple for a class; it records unless said otherwise."""
    entry = {"classId": held.lesson, **TRIO, **switches}
    return held.given.api.call("setClassVideoMultiple", courseId=held.course, classJson=[entry])


def switch_deleted(given: Given) -> Reply:
    held = Scheduled(given)
    held.delete()
    return switch_one(held)


def switch_failing(errno: Errno) -> Callable[[Given], Reply]:
    return lambda g: switch(g.failing(SET_CLASS_VIDEO_MULTIPLE, errno))


SET_CLASS_VIDEO_MULTIPLE_CASES = (
    Case(1, switch, "entry"),
    Case(100, lambda g: switch(g, classJson=[{"record": 1}])),
    Case(102, wrongly_signed(SET_CLASS_VIDEO_MULTIPLE)),
    Case(155, lambda g: switch(g, classJson=[])),
    Case(144, lambda g: switch(g, courseId=g.other().course())),
    Case(149, lambda g: switch(g, courseId=g.deleted_course())),
    Case(369, lambda g: switch(g, courseId=g.public_course())),
    Case(143, lambda g: switch(g, classJson=[{"classId": UNKNOWN_ID}]), "entry"),
    Case(142, lambda g: switch(g, courseId=g.course()), "entry"),
    Case(212, switch_deleted, "entry"),
    Case(251, lambda g: switch_one(Scheduled(g), record=0, live=1), "entry"),
    Case(252, lambda g: switch_one(Scheduled(g).soon()), "entry"),
    Case(253, lambda g: switch(g.full_storage()), "entry"),
    Case(104, switch_failing(Errno.FAILED), "fault"),
    Case(114, switch_failing(Errno.SERVER_FAULT), "fault"),
)


# --- deleteClassVideo --------------------------------------------------------------------------


def delete(given: Given, lesson: LessonId, **fields: Value) -> Reply:
    """Call deleteClassVideo."""
    return given.api.call("deleteClassVideo", classId=lesson, **fields)


def recorded(given: Given) -> LessonId:
    """Let a class with one clip go by."""
    lesson = given.held_lesson()
    given.clip(lesson)
    return lesson


def of_a_public_course(given: Given) -> LessonId:
    course = given.course()
    lesson = given.held_lesson(course)
    given.set_course(course, kind="public")
    return lesson


def locked(given: Given) -> LessonId:
    lesson = recorded(given)
    given.done("updateClassLockStatus", classId=lesson, isLock=1)
    return lesson


def delete_twice(given: Given) -> Reply:
    lesson = recorded(given)
    given.done("deleteClassVideo", classId=lesson)
    return delete(given, lesson)


def delete_one_twice(given: Given) -> Reply:
    lesson = recorded(given)
    clip = given.clip(lesson)
    given.done("deleteClassVideo", classId=lesson, fileId=clip.file.file_id)
    return delete(given, lesson, fileId=clip.file.file_id)


DELETE_CLASS_VIDEO_CASES = (
    Case(1, lambda g: delete(g, recorded(g))),
    Case(100, lambda g: g.api.call("deleteClassVideo", fileId="1")),
    Case(102, wrongly_signed(DELETE_CLASS_VIDEO)),
    Case(233, lambda g: delete(g, g.other().held_lesson())),
    Case(269, lambda g: delete(g, of_a_public_course(g))),
    Case(384, lambda g: delete(g, g.lesson())),
    Case(254, lambda g: delete(g, g.held_lesson(record=0))),
    Case(633, lambda g: delete(g, locked(g))),
    Case(631, lambda g: delete(g, g.held_lesson())),
    Case(632, delete_twice),
    Case(630, lambda g: delete(g, recorded(g), fileId="none")),
    Case(634, delete_one_twice),
    Case(104, lambda g: delete(g.failing(DELETE_CLASS_VIDEO, Errno.FAILED), recorded(g)), "fault"),
)


# --- updateClassLockStatus ---------------------------------------------------------------------


def lock(given: Given, lesson: LessonId, **fields: Value) -> Reply:
    """Call updateClassLockStatus, to lock unless said otherwise."""
    return given.api.call("updateClassLockStatus", **{"classId": lesson, "isLock": 1, **fields})


def lock_failing(given: Given) -> Reply:
    return lock(given.failing(UPDATE_CLASS_LOCK_STATUS, Errno.FAILED), given.held_lesson())


UPDATE_CLASS_LOCK_STATUS_CASES = (
    Case(1, lambda g: lock(g, g.held_lesson())),
    Case(100, lambda g: lock(g, g.held_lesson(), isLock="")),
    Case(102, wrongly_signed(UPDATE_CLASS_LOCK_STATUS)),
    Case(233, lambda g: lock(g, g.other().held_lesson())),
    Case(369, lambda g: lock(g, of_a_public_course(g))),
    Case(391, lambda g: lock(g, g.lesson())),
    Case(104, lock_failing, "fault"),
)

TABLES = (
    (SET_CLASS_VIDEO_MULTIPLE, SET_CLASS_VIDEO_MULTIPLE_CASES),
    (DELETE_CLASS_VIDEO, DELETE_CLASS_VIDEO_CASES),
    (UPDATE_CLASS_LOCK_STATUS, UPDATE_CLASS_LOCK_STATUS_CASES),
)


@pytest.mark.parametrize(("action", "cases"), TABLES)
def test_table_names_every_errno(action: Action[Any, Any], cases: tuple[Case, ...]) -> None:
    """The tables and the contract name the same numbers."""
    check_table(action, cases)


@pytest.mark.parametrize("case", SET_CLASS_VIDEO_MULTIPLE_CASES, ids=str)
def test_set_class_video_multiple(given: Given, case: Case) -> None:
    """Each number of the action arises as the table says."""
    case.run(given)


@pytest.mark.parametrize("case", DELETE_CLASS_VIDEO_CASES, ids=str)
def test_delete_class_video(given: Given, case: Case) -> None:
    """Each number of the action arises as the table says."""
    case.run(given)


@pytest.mark.parametrize("case", UPDATE_CLASS_LOCK_STATUS_CASES, ids=str)
def test_update_class_lock_status(given: Given, case: Case) -> None:
    """Each number of the action arises as the table says."""
    case.run(given)
