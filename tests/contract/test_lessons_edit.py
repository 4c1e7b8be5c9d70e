"""Editing classes: how each number of editCourseClass comes about."""

from collections.abc import Callable

import pytest

from homeroom.base.clock import DAY, HOUR, MINUTE, YEAR
from homeroom.contract.errno import Errno
from homeroom.contract.lessons import EDIT_COURSE_CLASS
from tests.support.cases import Case, check_table
from tests.support.given import Given
from tests.support.scheduled import TRIO, Scheduled
from tests.support.wire import Reply, Value

UNKNOWN_ID = 10**9
"""An id that nothing has."""
STUDENT, AUDITOR = 1, 2


def deleted(held: Scheduled) -> Scheduled:
    assert held.delete().errno == 1
    return held


def of_another_school(given: Given) -> Reply:
    held, other = Scheduled(given), Scheduled(given.other())
    return held.edit(courseId=other.course)


def in_maintenance(held: Scheduled) -> Reply:
    held.given.maintenance(held.begin + 2 * HOUR, held.begin + 3 * HOUR)
    return held.move(2 * HOUR)


def taught_by_a_member(held: Scheduled, identity: int) -> Reply:
    return held.edit(teacherUid=held.given.teaching_member(held.course, identity))


def helped_by_a_member(held: Scheduled, identity: int) -> Reply:
    return held.edit(assistantUid=held.given.teaching_member(held.course, identity))


def taught_by_a_co_teacher(given: Given) -> Reply:
    helper = given.teacher()
    return Scheduled(given, assistantUid=helper).edit(teacherUid=helper)


def losing_a_cancelled_co_teacher(given: Given) -> Reply:
    helper = given.teacher()
    held = Scheduled(given, assistantUid=helper)
    given.cancelled(helper)
    return held.running().edit(assistantUid="")


def planned(given: Given, plan: str, value: int | bool = False, /, **fields: Value) -> Reply:  # noqa: FBT001, FBT002  a plan's value, not a mode
    """Edit a class after the school's plan has lost something."""
    held = Scheduled(given)
    given.plan(**{plan: value})
    return held.edit(**fields)


def moved(given: Given, plan: str, value: int | bool = False, /, **fields: Value) -> Reply:  # noqa: FBT001, FBT002  a plan's value, not a mode
    """Move a class after the school's plan has lost what the class was made with."""
    held = Scheduled(given, **fields)
    given.plan(**{plan: value})
    return held.move()


def moved_in_a_full_month(given: Given, *, upgradable: bool) -> Reply:
    held = Scheduled(given)
    given.lesson(held.course)
    given.plan(monthly_classes=1, upgradable=upgradable)
    return held.move()


def in_a_full_storage(given: Given) -> Reply:
    given.full_storage()
    return Scheduled(given).edit(**TRIO)


def lengthened_past_the_hours_paid_for(given: Given) -> Reply:
    held = Scheduled(given)
    given.plan(classroom_hours=1)
    return held.edit(endTime=held.begin + HOUR + 1)


def failing(errno: Errno) -> Callable[[Given], Reply]:
    return lambda g: Scheduled(g.failing(EDIT_COURSE_CLASS, errno)).edit()


EDIT_COURSE_CLASS_CASES = (
    Case(1, lambda g: Scheduled(g).edit(className="Another")),
    Case(100, lambda g: Scheduled(g).edit(beginTime=g.now + DAY)),
    Case(
        102, lambda g: g.api.post("editCourseClass", data={**g.api.signed(), "safeKey": "0" * 32})
    ),
    Case(144, of_another_school),
    Case(369, lambda g: Scheduled(g).edit(courseId=g.public_course())),
    Case(143, lambda g: Scheduled(g).edit(classId=UNKNOWN_ID)),
    Case(142, lambda g: Scheduled(g).edit(courseId=g.course())),
    Case(212, lambda g: deleted(Scheduled(g)).edit()),
    Case(466, lambda g: (h := Scheduled(g)).edit(classId=g.made_elsewhere(h.lesson))),
    Case(145, lambda g: Scheduled(g).over().edit(className="Another")),
    Case(140, lambda g: Scheduled(g).running().edit(className="Another")),
    Case(350, lambda g: Scheduled(g).soon().edit(className="Another")),
    Case(385, lambda g: Scheduled(g).past_end().edit(teacherUid=g.teacher())),
    Case(119, lambda g: Scheduled(g).move(endTime=g.now + DAY)),
    Case(120, lambda g: Scheduled(g).move(59 - DAY)),
    Case(268, lambda g: Scheduled(g).move(3 * YEAR)),
    Case(165, lambda g: (h := Scheduled(g)).edit(endTime=h.begin + 15 * MINUTE - 1)),
    Case(454, lambda g: in_maintenance(Scheduled(g))),
    Case(400, lambda g: Scheduled(g).edit(teacherUid=UNKNOWN_ID)),
    Case(136, lambda g: Scheduled(g).edit(teacherUid=g.student())),
    Case(884, lambda g: Scheduled(g).edit(teacherUid=g.cancelled(g.teacher()))),
    Case(387, lambda g: Scheduled(g).edit(teacherUid=g.stopped(g.teacher()))),
    Case(800, lambda g: Scheduled(g).edit(teacherUid=g.stopping(g.teacher()))),
    Case(172, lambda g: taught_by_a_member(Scheduled(g), STUDENT)),
    Case(173, lambda g: taught_by_a_member(Scheduled(g), AUDITOR)),
    Case(325, lambda g: (h := Scheduled(g)).edit(teacherUid=g.guest(h.lesson, g.teacher()))),
    Case(328, taught_by_a_co_teacher),
    Case(21316, lambda g: Scheduled(g).edit(assistantUids=[g.teacher()] * 2)),
    Case(21317, lambda g: planned(g, "max_co_teachers", 1, assistantUids=[UNKNOWN_ID, 1])),
    Case(322, lambda g: (h := Scheduled(g)).edit(assistantUid=h.teacher)),
    Case(318, lambda g: Scheduled(g).edit(assistantUid=g.student())),
    Case(885, lambda g: Scheduled(g).edit(assistantUid=g.cancelled(g.teacher()))),
    Case(388, lambda g: Scheduled(g).edit(assistantUid=g.stopped(g.teacher()))),
    Case(804, lambda g: Scheduled(g).edit(assistantUid=g.stopping(g.teacher()))),
    Case(319, lambda g: helped_by_a_member(Scheduled(g), STUDENT)),
    Case(320, lambda g: helped_by_a_member(Scheduled(g), AUDITOR)),
    Case(321, lambda g: (h := Scheduled(g)).edit(assistantUid=g.guest(h.lesson, g.teacher()))),
    Case(327, losing_a_cancelled_co_teacher),
    Case(160, lambda g: Scheduled(g).edit(folderId=g.other().folder())),
    Case(880, lambda g: Scheduled(g, seatNum=1, isDc=3).edit(teachMode=2)),
    Case(372, lambda g: Scheduled(g, teachMode=2).edit(isAutoOnstage=0)),
    Case(121601005, lambda g: planned(g, "live", record=1, live=1, replay=0)),
    Case(121601006, lambda g: planned(g, "scene", **TRIO, recordScene=1)),
    Case(121601007, lambda g: moved(g, "max_seats", 5)),
    Case(121601008, lambda g: planned(g, "co_teachers", assistantUid=g.teacher())),
    Case(121601009, lambda g: planned(g, "replay", record=1, live=0, replay=1)),
    Case(121601010, lambda g: planned(g, "recording", **TRIO)),
    Case(121601011, lambda g: moved(g, "dual_camera", seatNum=1, isDc=3)),
    Case(121601012, lambda g: moved(g, "max_resolution", 1, isHd=2)),
    Case(121604007, lambda g: planned(g, "broadcast", omoStationBroadcast=1)),
    Case(121601001, lambda g: planned(g, "smart_classroom", teachMode=2)),
    Case(121601003, lambda g: moved_in_a_full_month(g, upgradable=True)),
    Case(121601004, lambda g: moved_in_a_full_month(g, upgradable=False)),
    Case(284, in_a_full_storage),
    Case(282, lambda g: Scheduled(g).edit(record=0, live=1, replay=0)),
    Case(283, lambda g: Scheduled(g).soon().edit(**TRIO)),
    Case(825, lambda g: Scheduled(g).edit(classIntroduce="bell \a")),
    Case(121601002, lengthened_past_the_hours_paid_for),
    *(Case(errno.number, failing(errno), "fault") for errno in EDIT_COURSE_CLASS.faults),
)


def test_table_names_every_errno() -> None:
    """The table and the contract name the same numbers."""
    check_table(EDIT_COURSE_CLASS, EDIT_COURSE_CLASS_CASES)


@pytest.mark.parametrize("case", EDIT_COURSE_CLASS_CASES, ids=str)
def test_edit_course_class(given: Given, case: Case) -> None:
    """Each number of the action arises as the table says."""
    case.run(given)
