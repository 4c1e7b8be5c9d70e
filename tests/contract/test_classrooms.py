"""Seats, resolution and cameras of a class: the numbers and rules of modifyClassSeatNum (Q67)."""

from typing import Any, Final

import pytest

from homeroom.contract.classrooms import MODIFY_CLASS_SEAT_NUM
from homeroom.domain.lessons import ClassroomSettings
from tests.support.cases import Case, check_table, common
from tests.support.given import Given
from tests.support.scheduled import Scheduled
from tests.support.wire import Reply, Value

NAME: Final = MODIFY_CLASS_SEAT_NUM.name
NONE: Final = 10**9
"""An id that nothing has."""


def change(lesson: Scheduled, **fields: Value) -> Reply:
    """Call modifyClassSeatNum."""
    ids: dict[str, Value] = {"courseId": lesson.course, "classId": lesson.lesson}
    return lesson.given.api.call(NAME, **{**ids, **fields})


def change_new(given: Given, **fields: Value) -> Reply:
    """Call modifyClassSeatNum for a class of its own, with one seat unless said otherwise."""
    return change(Scheduled(given), **{"seatNum": 1, **fields})


def deleted(given: Given) -> Reply:
    lesson = Scheduled(given)
    assert lesson.delete().errno == 1
    return change(lesson, seatNum=1)


def made_elsewhere(given: Given) -> Reply:
    lesson = Scheduled(given)
    given.made_elsewhere(lesson.lesson)
    return change(lesson, seatNum=1)


def lacking(given: Given, fields: dict[str, Any], **plan: Any) -> Reply:  # noqa: ANN401  a plan's values
    given.plan(**plan)
    return change_new(given, **fields)


CASES: Final = (
    Case(1, change_new),
    *common(MODIFY_CLASS_SEAT_NUM, courseId=1, classId=1, seatNum=1),
    Case(100, lambda g: change_new(g, seatNum="")),
    Case(147, lambda g: change_new(g, courseId=NONE)),
    Case(144, lambda g: change_new(g, courseId=g.other().course())),
    Case(149, lambda g: change_new(g, courseId=g.deleted_course())),
    Case(153, lambda g: change_new(g, courseId=g.ended_course())),
    Case(369, lambda g: change_new(g, courseId=g.public_course())),
    Case(143, lambda g: change_new(g, classId=NONE)),
    Case(142, lambda g: change_new(g, courseId=g.course())),
    Case(212, deleted),
    Case(466, made_elsewhere),
    Case(145, lambda g: change(Scheduled(g).over(), seatNum=1)),
    Case(140, lambda g: change(Scheduled(g).running(), seatNum=1)),
    Case(348, lambda g: change(Scheduled(g).soon(), seatNum=1)),
    Case(121601007, lambda g: change_new(g, seatNum="many")),
    Case(259, lambda g: change_new(g, seatNum=13)),
    Case(808, lambda g: change_new(g, seatNum=6, isDc=3)),
    Case(368, lambda g: change_new(g, seatNum=5, isHd=1)),
    Case(121601011, lambda g: lacking(g, {"isDc": 3}, dual_camera=False)),
    Case(121601012, lambda g: lacking(g, {"isHd": 2}, max_resolution=1)),
)


def test_the_table_has_every_number_of_the_action() -> None:
    check_table(MODIFY_CLASS_SEAT_NUM, CASES)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_modify_class_seat_num(given: Given, case: Case) -> None:
    case.run(given)


@pytest.mark.parametrize(
    ("former", "fields", "result"),
    [
        ({}, {"seatNum": 0}, ClassroomSettings(seats=0)),
        ({}, {"isHd": 2}, ClassroomSettings(seats=6, resolution=2)),
        ({"isHd": 2}, {"isHd": 5}, ClassroomSettings(seats=6)),
        ({"isHd": 2}, {"seatNum": 1}, ClassroomSettings(seats=1, resolution=2)),
        ({"isHd": 2}, {"seatNum": 5, "isHd": 0}, ClassroomSettings(seats=5)),
        ({}, {"seatNum": 1, "isDc": 3}, ClassroomSettings(1, 2, has_two_cameras=True)),
        ({"seatNum": 1, "isDc": 3}, {"isHd": 1}, ClassroomSettings(1, 2, has_two_cameras=True)),
        ({"seatNum": 1, "isDc": 3}, {"seatNum": 1, "isDc": 7}, ClassroomSettings(1, 2)),
        (
            {"seatNum": 1, "isDc": 3},
            {"seatNum": 5, "isDc": 0, "isHd": 0},
            ClassroomSettings(seats=5),
        ),
        (
            {"teachMode": 2, "omoStationBroadcast": 1},
            {"seatNum": 3, "isHd": ""},
            ClassroomSettings(3, is_smart=True, is_broadcast=True, enters_off_stage=True),
        ),
    ],
)
def test_what_is_not_sent_keeps_its_value(
    given: Given, former: dict[str, Value], fields: dict[str, Value], result: ClassroomSettings
) -> None:
    lesson = Scheduled(given, **former)
    before = lesson.seen
    reply = change(lesson, **fields)
    assert reply.errno == 1, reply.reason
    assert lesson.seen.classroom == result
    assert lesson.seen.name == before.name


@pytest.mark.parametrize(
    ("former", "fields", "errno"),
    [
        ({"isHd": 2}, {"seatNum": 5}, 368),
        ({"seatNum": 1, "isDc": 3}, {"seatNum": 6}, 808),
        ({"seatNum": 1, "isDc": 3}, {"isDc": 0}, 100),
        ({"seatNum": 12}, {"isHd": 1}, 368),
        ({"teachMode": 2}, {"seatNum": 1, "isDc": 3}, 808),
        ({}, {"isHd": 2, "isDc": 3}, 808),
    ],
)
def test_the_class_as_it_would_be_is_judged(
    given: Given, former: dict[str, Value], fields: dict[str, Value], errno: int
) -> None:
    lesson = Scheduled(given, **former)
    before = lesson.seen
    assert change(lesson, **fields).errno == errno
    assert lesson.seen == before


def test_seats_are_frozen_later_than_20_minutes_before_the_start(given: Given) -> None:
    lesson = Scheduled(given)
    given.until(lesson.begin - 20 * 60)
    assert change(lesson, seatNum=1).errno == 1
    given.until(lesson.begin - 20 * 60 + 1)
    assert change(lesson, seatNum=2).errno == 348
    given.closed_early(lesson.lesson)
    assert change(lesson, seatNum=2).errno == 145
