"""Dual-teacher calls: the case tables (READINGS Q85)."""

from collections.abc import Callable
from typing import Any, Final

import pytest

from homeroom.base.clock import DAY, MINUTE, YEAR
from homeroom.base.ids import CourseId
from homeroom.contract.dual_teacher import DELETE_CLASS, EDIT_CLASS
from homeroom.contract.errno import Errno
from homeroom.contract.sub_lessons import ADD_CLASS
from homeroom.domain.teachers import TeacherState
from tests.support.cases import Case, check_table, common
from tests.support.dual import RECORDING_OFF, Dual
from tests.support.given import Given
from tests.support.wire import Reply, Value

UNKNOWN_ID: Final = 10**9
"""An id that nothing has."""


def add(given: Given, **entry: Any) -> Reply:  # noqa: ANN401  any JSON value
    """Add one sub class to a new main class."""
    return Dual(given).add_one(**entry)


def add_for(given: Given, **main: Value) -> Reply:
    """Add one sub class, with other ids of the main class."""
    dual = Dual(given)
    return dual.add(dual.entry(), **main)


def record(**fields: int) -> dict[str, Any]:
    """Return all five recording fields, off unless named."""
    return {"useCoMainRecord": 0, **RECORDING_OFF, **fields}


def add_with_member(given: Given, identity: int) -> Reply:
    """Add a sub class to a course whose student, or auditor, teaches the main class."""
    course = given.course()
    teacher = given.teaching_member(course, identity)
    dual = Dual(given)
    assert dual.main.edit(teacherUid=teacher).errno == 1
    return dual.add_one(course)


def add_with_helper(given: Given, identity: int) -> Reply:
    """Add a sub class with a co-teacher who is a student, or an auditor, of its course."""
    course = given.course()
    return Dual(given).add_one(course, assistantUids=[given.teaching_member(course, identity)])


def add_after_all(given: Given) -> Reply:
    """Add a sub class to a main class that has a hundred."""
    dual = Dual(given)
    dual.fill()
    return dual.add_one()


def in_maintenance(dual: Dual) -> Dual:
    """Announce maintenance for the time of the main class."""
    dual.given.maintenance(dual.main.begin, dual.main.begin + MINUTE)
    return dual


def without_teacher(dual: Dual, how: str) -> Dual:
    """Cancel, stop or begin to stop the teacher of the main class, as nothing prevents."""
    state = {"stopped": "stopped", "stopping": "stopping"}.get(how)
    if state is None:
        dual.given.cancelled(dual.main.teacher)
    else:
        sid = dual.given.school.id
        dual.given.store.write(
            lambda uow: uow.teachers.save_state(sid, dual.main.teacher, TeacherState(state))
        )
    return dual


def twice(given: Given) -> Reply:
    """Add a sub class with an identity that a class has."""
    given.lesson(courseUniqueIdentity="taken")
    return add(given, uniqueIdentity="taken")


def planned(given: Given, **plan: Any) -> Given:  # noqa: ANN401  a plan's values
    """Change the plan of the school."""
    given.plan(**plan)
    return given


def while_being_created(given: Given) -> Reply:
    """Add a sub class whose identity another client's class is about to get."""
    dual = Dual(given)
    with given.unfinished("addCourseClass", **given.lesson_form(courseUniqueIdentity="busy")):
        return dual.add_one(uniqueIdentity="busy")


def failing(errno: Errno) -> Callable[[Given], Reply]:
    """Return the act of an entry that fails by a fault."""

    def act(given: Given) -> Reply:
        given.fault(ADD_CLASS.name, errno, in_entries=True)
        return add(given)

    return act


def full_course(given: Given) -> Reply:
    """Add a sub class to a course that has as many classes as the plan allows."""
    dual, course = Dual(given), given.course()
    given.lesson(course)
    given.plan(max_course_classes=1)
    return dual.add_one(course)


def add_to_deleted(given: Given) -> Reply:
    """Add a sub class to a main class that was deleted."""
    dual = Dual(given)
    dual.main.delete()
    return dual.add_one()


ENTRY_CASES: Final = (
    Case(1, add, "entry"),
    Case(121601020, lambda g: add(g, seatNum=0), "entry"),
    Case(104, while_being_created, "entry"),
    Case(398, twice, "entry"),
    Case(147, lambda g: Dual(g).add_one(CourseId(UNKNOWN_ID)), "entry"),
    Case(144, lambda g: Dual(g).add_one(g.other().course()), "entry"),
    Case(149, lambda g: Dual(g).add_one(g.deleted_course()), "entry"),
    Case(153, lambda g: Dual(g).add_one(g.ended_course()), "entry"),
    Case(121601022, lambda g: Dual(g).add_one(g.public_course()), "entry"),
    Case(122301036, lambda g: (d := Dual(g)).add_one(d.main.course), "entry"),
    Case(121601035, lambda g: add(g, className="x" * 51), "entry"),
    Case(121601036, lambda g: add(g, teacherUid=1), "entry"),
    Case(121601014, lambda g: add(g, recordState=1), "entry"),
    Case(122301037, lambda g: add(g, **record(useCoMainRecord=1, recordState=1)), "entry"),
    Case(454, lambda g: in_maintenance(Dual(g)).add_one(), "entry"),
    Case(767, lambda g: add(planned(g, service_until=g.now)), "entry"),
    Case(110100073, lambda g: (d := Dual(g)).add_one(assistantUids=[d.main.teacher]), "entry"),
    Case(884, lambda g: without_teacher(Dual(g), "cancelled").add_one(), "entry"),
    Case(387, lambda g: without_teacher(Dual(g), "stopped").add_one(), "entry"),
    Case(800, lambda g: without_teacher(Dual(g), "stopping").add_one(), "entry"),
    Case(172, lambda g: add_with_member(g, 1), "entry"),
    Case(173, lambda g: add_with_member(g, 2), "entry"),
    Case(318, lambda g: add(g, assistantUids=[g.student()]), "entry"),
    Case(885, lambda g: add(g, assistantUids=[g.cancelled(g.teacher())]), "entry"),
    Case(388, lambda g: add(g, assistantUids=[g.stopped(g.teacher())]), "entry"),
    Case(804, lambda g: add(g, assistantUids=[g.stopping(g.teacher())]), "entry"),
    Case(319, lambda g: add_with_helper(g, 1), "entry"),
    Case(320, lambda g: add_with_helper(g, 2), "entry"),
    Case(
        21317,
        lambda g: add(planned(g, max_co_teachers=1), assistantUids=[g.teacher(), g.teacher()]),
        "entry",
    ),
    Case(368, lambda g: add(g, isHd=1, seatNum=3), "entry"),
    Case(808, lambda g: add(g, isDc=3), "entry"),
    Case(121601011, lambda g: add(planned(g, dual_camera=False), isDc=3, seatNum=2), "entry"),
    Case(121601012, lambda g: add(planned(g, max_resolution=0), isHd=1), "entry"),
    Case(
        121601005,
        lambda g: add(planned(g, live=False), **record(recordState=1, liveState=1)),
        "entry",
    ),
    Case(
        121601006,
        lambda g: add(planned(g, scene=False), **record(recordState=1, recordType=1)),
        "entry",
    ),
    Case(
        121601008,
        lambda g: add(planned(g, co_teachers=False), assistantUids=[g.teacher()]),
        "entry",
    ),
    Case(
        121601009,
        lambda g: add(planned(g, replay=False), **record(recordState=1, openState=1)),
        "entry",
    ),
    Case(121601010, lambda g: add(planned(g, recording=False), **record(recordState=1)), "entry"),
    Case(121601070, full_course, "entry"),
    Case(121601038, add_after_all, "entry"),
)
ADD_CASES: Final = (
    *common(ADD_CLASS, mainCourseId=1, mainClassId=1, subClassJson=[{}]),
    Case(121601032, lambda g: add(planned(g, dual_teacher=False))),
    Case(121601030, lambda g: (d := Dual(g)).add(*([d.entry()] * 21))),
    Case(147, lambda g: add_for(g, mainCourseId=UNKNOWN_ID)),
    Case(144, lambda g: add_for(g, mainCourseId=g.other().course())),
    Case(149, lambda g: add_for(g, mainCourseId=g.deleted_course())),
    Case(153, lambda g: add_for(g, mainCourseId=g.ended_course())),
    Case(121601022, lambda g: add_for(g, mainCourseId=g.public_course())),
    Case(121601037, lambda g: add_for(g, mainClassId=UNKNOWN_ID)),
    Case(121601031, lambda g: add_for(g, mainClassId=g.other().lesson())),
    Case(142, lambda g: add_for(g, mainClassId=g.lesson())),
    Case(212, add_to_deleted),
    Case(145, lambda g: Dual(g).over().add_one()),
    Case(140, lambda g: Dual(g).running().add_one()),
    Case(124, lambda g: Dual(g).before(MINUTE - 1).add_one()),
    Case(875, lambda g: Dual(g).before(MINUTE).add_one()),
    Case(350, lambda g: Dual(g).before(5 * MINUTE).add_one()),
    *ENTRY_CASES,
    *(Case(errno.number, failing(errno), "entry") for errno in ADD_CLASS.entry_faults),
)


@pytest.mark.parametrize("case", ADD_CASES, ids=lambda case: f"{case.where}-{case.errno}")
def test_add_class(given: Given, case: Case) -> None:
    case.run(given)


def test_the_table_of_add_class_is_complete() -> None:
    check_table(ADD_CLASS, ADD_CASES)


# --- editing ----------------------------------------------------------------------------------


def bound(given: Given, **fields: Value) -> Dual:
    """Make a main class with one sub class."""
    dual = Dual(given, **fields)
    dual.sub()
    return dual


def edit(given: Given, **fields: Any) -> Reply:  # noqa: ANN401  any JSON value
    """Edit a main class."""
    return bound(given).edit(**fields)


def edit_sub(given: Given, **fields: Any) -> Reply:  # noqa: ANN401  any JSON value
    """Edit a sub class."""
    dual = Dual(given)
    return dual.edit(dual.sub(), **fields)


def edit_teacher(given: Given, identity: int) -> Reply:
    """Give a main class a teacher who is a student, or an auditor, of its course."""
    dual = bound(given)
    return dual.edit(teacherUid=given.teaching_member(dual.main.course, identity))


def edit_helper(given: Given, identity: int) -> Reply:
    """Give a main class a co-teacher who is a student, or an auditor, of its course."""
    dual = bound(given)
    return dual.edit(assistantUids=[given.teaching_member(dual.main.course, identity)])


def edit_guest(given: Given) -> Reply:
    """Give a main class a teacher who is a guest of its sub class."""
    dual = Dual(given)
    return dual.edit(teacherUid=given.guest(dual.sub(), given.teacher()))


def edit_helper_of_sub(given: Given) -> Reply:
    """Give a main class a teacher who is a co-teacher of its sub class."""
    dual, helper = Dual(given), given.teacher()
    dual.sub(assistantUids=[helper])
    return dual.edit(teacherUid=helper)


def edit_in_course(given: Given, course: int) -> Reply:
    """Edit a main class, with another id of its course."""
    return bound(given).edit(className="Another", courseId=course)


def move_into_maintenance(given: Given) -> Reply:
    """Move a main class into announced maintenance."""
    dual = bound(given)
    given.maintenance(dual.main.begin + DAY, dual.main.begin + DAY + MINUTE)
    return dual.move(DAY)


def move_past_service(given: Given) -> Reply:
    """Move a main class past the service of the plan."""
    dual = bound(given)
    given.plan(service_until=given.now)
    return dual.move()


MAIN_RECORD: Final = {**RECORDING_OFF, "recordState": 1}
EDIT_CASES: Final = (
    Case(1, lambda g: edit(g, className="Another")),
    *common(EDIT_CLASS, courseId=1, classId=1, className="Another"),
    Case(147, lambda g: edit_in_course(g, UNKNOWN_ID)),
    Case(121601021, lambda g: edit_in_course(g, g.other().course())),
    Case(144, lambda g: edit_in_course(g, g.deleted_course())),
    Case(153, lambda g: edit_in_course(g, g.ended_course())),
    Case(121601022, lambda g: edit_in_course(g, g.public_course())),
    Case(143, lambda g: edit(g, classId=UNKNOWN_ID, className="Another")),
    Case(121601031, lambda g: edit(g, classId=g.other().lesson(), className="Another")),
    Case(142, lambda g: edit(g, classId=g.lesson(), className="Another")),
    Case(121601034, lambda g: Dual(g).edit(className="Another")),
    Case(121601042, lambda g: bound(g).over().edit(className="Another")),
    Case(140, lambda g: bound(g).running().edit(className="Another")),
    Case(124, lambda g: bound(g).before(MINUTE - 1).move()),
    Case(875, lambda g: bound(g).before(MINUTE - 1).edit(className="Another")),
    Case(350, lambda g: bound(g).soon().edit(className="Another")),
    Case(385, lambda g: bound(g).past_end().edit(teacherUid=g.teacher())),
    Case(121601035, lambda g: edit(g, className="x" * 51)),
    Case(121601036, lambda g: edit_sub(g, teacherUid=g.teacher())),
    Case(122301037, lambda g: edit(g, recordState=1)),
    Case(226, lambda g: edit(g, **{**RECORDING_OFF, "liveState": 1})),
    Case(165, lambda g: (d := bound(g)).edit(endTime=d.main.begin + MINUTE)),
    Case(268, lambda g: bound(g).move(3 * YEAR)),
    Case(454, move_into_maintenance),
    Case(767, move_past_service),
    Case(368, lambda g: edit(g, seatNum=3, isHd=1)),
    Case(808, lambda g: edit(g, isDc=3)),
    Case(121601012, lambda g: edit(planned(g, max_resolution=0), isHd=1)),
    Case(219, lambda g: edit(g, teacherUid=UNKNOWN_ID)),
    Case(136, lambda g: edit(g, teacherUid=g.student())),
    Case(884, lambda g: edit(g, teacherUid=g.cancelled(g.teacher()))),
    Case(387, lambda g: edit(g, teacherUid=g.stopped(g.teacher()))),
    Case(800, lambda g: edit(g, teacherUid=g.stopping(g.teacher()))),
    Case(172, lambda g: edit_teacher(g, 1)),
    Case(173, lambda g: edit_teacher(g, 2)),
    Case(325, edit_guest),
    Case(328, edit_helper_of_sub),
    Case(322, lambda g: (d := bound(g)).edit(assistantUids=[d.main.teacher])),
    Case(318, lambda g: edit(g, assistantUids=[g.student()])),
    Case(885, lambda g: edit(g, assistantUids=[g.cancelled(g.teacher())])),
    Case(388, lambda g: edit(g, assistantUids=[g.stopped(g.teacher())])),
    Case(804, lambda g: edit(g, assistantUids=[g.stopping(g.teacher())])),
    Case(319, lambda g: edit_helper(g, 1)),
    Case(320, lambda g: edit_helper(g, 2)),
    Case(
        21317,
        lambda g: edit(planned(g, max_co_teachers=1), assistantUids=[g.teacher(), g.teacher()]),
    ),
    Case(121601005, lambda g: edit(planned(g, live=False), **{**MAIN_RECORD, "liveState": 1})),
    Case(121601006, lambda g: edit(planned(g, scene=False), **{**MAIN_RECORD, "recordType": 2})),
    Case(121601008, lambda g: edit(planned(g, co_teachers=False), assistantUids=[g.teacher()])),
    Case(121601009, lambda g: edit(planned(g, replay=False), **{**MAIN_RECORD, "openState": 1})),
    Case(121601010, lambda g: edit(planned(g, recording=False), **MAIN_RECORD)),
)


@pytest.mark.parametrize("case", EDIT_CASES, ids=str)
def test_edit_class(given: Given, case: Case) -> None:
    case.run(given)


def test_the_table_of_edit_class_is_complete() -> None:
    check_table(EDIT_CLASS, EDIT_CASES)


# --- deleting ---------------------------------------------------------------------------------

DELETE_CASES: Final = (
    Case(1, lambda g: bound(g).delete()),
    *common(DELETE_CLASS, courseId=1, classId=1),
    Case(147, lambda g: bound(g).delete(courseId=UNKNOWN_ID)),
    Case(144, lambda g: bound(g).delete(courseId=g.other().course())),
    Case(149, lambda g: bound(g).delete(courseId=g.deleted_course())),
    Case(121601022, lambda g: bound(g).delete(courseId=g.public_course())),
    Case(143, lambda g: bound(g).delete(classId=UNKNOWN_ID)),
    Case(121601031, lambda g: bound(g).delete(classId=g.other().lesson())),
    Case(142, lambda g: bound(g).delete(classId=g.lesson())),
    Case(121601034, lambda g: Dual(g).delete()),
    Case(121601042, lambda g: bound(g).over().delete()),
    Case(121601032, lambda g: bound(g).running().delete()),
)


@pytest.mark.parametrize("case", DELETE_CASES, ids=str)
def test_delete_class(given: Given, case: Case) -> None:
    case.run(given)


def test_the_table_of_delete_class_is_complete() -> None:
    check_table(DELETE_CLASS, DELETE_CASES)
