"""Adding classes: how each number of addCourseClass comes about, and in which order it checks."""

from collections.abc import Callable
from typing import Any

import pytest

from homeroom.base.clock import DAY, HOUR, MINUTE, YEAR
from homeroom.contract.errno import Errno
from homeroom.contract.lessons import ADD_COURSE_CLASS
from tests.support.cases import Case, check_table
from tests.support.given import Given
from tests.support.wire import Reply, Value

UNKNOWN_ID = 10**9
"""An id that nothing has."""
STUDENT, AUDITOR = 1, 2


def add(given: Given, course: Any = None, **fields: Value) -> Reply:  # noqa: ANN401  ids as they travel
    """Call addCourseClass for a class that can be added but for what is said."""
    return given.api.call("addCourseClass", **given.lesson_form(course, **fields))


def in_a_day(given: Given, seconds: int, **fields: Value) -> Reply:
    """Add a class that begins in a day and lasts some seconds."""
    begin = given.now + DAY
    return add(given, beginTime=begin, endTime=begin + seconds, **fields)


def beginning(given: Given, seconds: int) -> Reply:
    """Add a class of an hour that begins some seconds from now."""
    begin = given.now + seconds
    return add(given, beginTime=begin, endTime=begin + HOUR)


def in_maintenance(given: Given) -> Reply:
    form = given.lesson_form()
    given.maintenance(int(str(form["beginTime"])), int(str(form["endTime"])))
    return given.api.call("addCourseClass", **form)


def taught_by_a_member(given: Given, identity: int) -> Reply:
    course = given.course()
    return add(given, course, teacherUid=given.teaching_member(course, identity))


def helped_by_a_member(given: Given, identity: int) -> Reply:
    course = given.course()
    return add(given, course, assistantUid=given.teaching_member(course, identity))


def helped_by_the_teacher(given: Given) -> Reply:
    teacher = given.teacher()
    return add(given, teacherUid=teacher, assistantUid=teacher)


def helped(given: Given, *co_teachers: int, **plan: Any) -> Reply:  # noqa: ANN401  as `school set` takes them
    given.plan(**plan)
    return add(given, assistantUids=list(co_teachers))


def planned(given: Given, plan: str, value: int | bool = False, **fields: Value) -> Reply:  # noqa: FBT001, FBT002  a plan's value, not a mode
    """Add a class while the school's plan lacks something."""
    given.plan(**{plan: value})
    return add(given, **fields)


def second(given: Given, **plan: Any) -> Reply:  # noqa: ANN401  as `school set` takes them
    """Add a second class to a course while the plan allows one."""
    given.plan(**plan)
    course = given.course()
    given.lesson(course)
    return add(given, course)


def known_identity(given: Given) -> Reply:
    given.lesson(courseUniqueIdentity="one")
    return add(given, courseUniqueIdentity="one")


def while_another_is_at_it(given: Given) -> Reply:
    form = given.lesson_form(courseUniqueIdentity="one")
    with given.unfinished("addCourseClass", **form):
        return given.api.call("addCourseClass", **form)


def failing(errno: Errno) -> Callable[[Given], Reply]:
    return lambda g: add(g.failing(ADD_COURSE_CLASS, errno))


ADD_COURSE_CLASS_CASES = (
    Case(1, add),
    Case(100, lambda g: add(g, className="")),
    Case(102, lambda g: g.api.post("addCourseClass", data={**g.api.signed(), "safeKey": "0" * 32})),
    Case(460, while_another_is_at_it),
    Case(398, known_identity),
    Case(147, lambda g: add(g, UNKNOWN_ID)),
    Case(144, lambda g: add(g, g.other().course())),
    Case(149, lambda g: add(g, g.deleted_course())),
    Case(153, lambda g: add(g, g.ended_course())),
    Case(369, lambda g: add(g, g.public_course())),
    Case(119, lambda g: in_a_day(g, 0)),
    Case(120, lambda g: beginning(g, 59)),
    Case(268, lambda g: beginning(g, 3 * YEAR + 1)),
    Case(165, lambda g: in_a_day(g, 15 * MINUTE - 1)),
    Case(454, in_maintenance),
    Case(400, lambda g: add(g, teacherUid=UNKNOWN_ID)),
    Case(136, lambda g: add(g, teacherUid=g.student())),
    Case(884, lambda g: add(g, teacherUid=g.cancelled(g.teacher()))),
    Case(387, lambda g: add(g, teacherUid=g.stopped(g.teacher()))),
    Case(800, lambda g: add(g, teacherUid=g.stopping(g.teacher()))),
    Case(172, lambda g: taught_by_a_member(g, STUDENT)),
    Case(173, lambda g: taught_by_a_member(g, AUDITOR)),
    Case(21316, lambda g: helped(g, *[g.teacher()] * 2)),
    Case(21317, lambda g: helped(g, g.teacher(), g.teacher(), max_co_teachers=1)),
    Case(322, helped_by_the_teacher),
    Case(318, lambda g: helped(g, g.student())),
    Case(885, lambda g: helped(g, g.cancelled(g.teacher()))),
    Case(388, lambda g: helped(g, g.stopped(g.teacher()))),
    Case(804, lambda g: helped(g, g.stopping(g.teacher()))),
    Case(319, lambda g: helped_by_a_member(g, STUDENT)),
    Case(320, lambda g: helped_by_a_member(g, AUDITOR)),
    Case(121601007, lambda g: add(g, seatNum="many")),
    Case(259, lambda g: add(g, seatNum=13)),
    Case(808, lambda g: add(g, seatNum=6, isDc=3)),
    Case(368, lambda g: add(g, seatNum=5, isHd=1)),
    Case(160, lambda g: add(g, folderId=g.other().folder())),
    Case(121601005, lambda g: planned(g, "live", record=1, live=1)),
    Case(121601006, lambda g: planned(g, "scene", record=1, recordScene=1)),
    Case(121601008, lambda g: planned(g, "co_teachers", assistantUid=g.teacher())),
    Case(121601009, lambda g: planned(g, "replay", record=1, replay=1)),
    Case(121601010, lambda g: planned(g, "recording", record=1)),
    Case(121601011, lambda g: planned(g, "dual_camera", seatNum=1, isDc=3)),
    Case(121601012, lambda g: planned(g, "max_resolution", 1, isHd=2)),
    Case(121604007, lambda g: planned(g, "broadcast", omoStationBroadcast=1)),
    Case(121601001, lambda g: planned(g, "smart_classroom", teachMode=2)),
    Case(121601070, lambda g: second(g, max_course_classes=1)),
    Case(121601003, lambda g: second(g, monthly_classes=1)),
    Case(121601004, lambda g: second(g, monthly_classes=1, upgradable=False)),
    Case(281, lambda g: add(g.full_storage(), record=1)),
    Case(280, lambda g: add(g, live=1)),
    Case(824, lambda g: add(g, classIntroduce="bell \a")),
    Case(121601002, lambda g: planned(g, "classroom_hours", 1, endTime=g.now + DAY + HOUR + 1)),
    *(Case(errno.number, failing(errno), "fault") for errno in ADD_COURSE_CLASS.faults),
)


def test_table_names_every_errno() -> None:
    """The table and the contract name the same numbers, 58 of them."""
    check_table(ADD_COURSE_CLASS, ADD_COURSE_CLASS_CASES)
    assert len(ADD_COURSE_CLASS_CASES) == 58


@pytest.mark.parametrize("case", ADD_COURSE_CLASS_CASES, ids=str)
def test_add_course_class(given: Given, case: Case) -> None:
    """Each number of the action arises as the table says."""
    case.run(given)
