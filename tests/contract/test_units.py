"""Units of courses: one case table an action, and the rules (READINGS Q80)."""

from typing import Any, Final

import pytest

from homeroom.base.clock import DAY, HOUR
from homeroom.base.ids import UnitId
from homeroom.contract.action import Action
from homeroom.contract.errno import Errno
from homeroom.contract.units import CREATE_UNIT, DELETE_UNIT, MOVE_UNIT, UPDATE_UNIT
from tests.support.activities import Syllabus
from tests.support.cases import Case, check_table, common
from tests.support.given import Given
from tests.support.wire import Reply, Value

NONE: Final = 10**9
"""An id that nothing has."""


def create(given: Given, course: Value = None, **fields: Value) -> Reply:
    """Call lms.unit.create for a unit that can be added but for what is said."""
    form = {"courseId": course or given.course(), "name": "Unit", "publishFlag": 2}
    return given.api.call("lms.unit.create", **{**form, **fields})


def update(given: Given, course: Value = None, **fields: Value) -> Reply:
    """Call lms.unit.update for a new unit, renamed, but for what is said."""
    return _of_new_unit(given, "lms.unit.update", course, **{"name": "Other", **fields})


def delete(given: Given, course: Value = None, **fields: Value) -> Reply:
    """Call lms.unit.delete for a new unit but for what is said."""
    return _of_new_unit(given, "lms.unit.delete", course, **fields)


def move(given: Given, course: Value = None, **fields: Value) -> Reply:
    """Call lms.unit.move from one new unit to another but for what is said."""
    syllabus = Syllabus(given)
    form = {"unitId": syllabus.unit(), "toUnitId": syllabus.unit()}
    return syllabus.call(
        "lms.unit.move", **{"courseId": course or syllabus.course, **form, **fields}
    )


def _of_new_unit(given: Given, action: str, course: Value, **fields: Value) -> Reply:
    syllabus = Syllabus(given)
    form = {"courseId": course or syllabus.course, "unitId": syllabus.unit()}
    return given.api.call(action, **{**form, **fields})


def of_default_unit(given: Given, action: str, **fields: Value) -> Reply:
    """Call an action for the default unit of a new course."""
    syllabus = Syllabus(given)
    return syllabus.call(action, unitId=syllabus.default_unit, **fields)


def twice(given: Given) -> Reply:
    syllabus = Syllabus(given)
    syllabus.unit("Unit", publishFlag=0)
    return create(given, syllabus.course, name="Unit")


def past_the_plan(given: Given) -> Reply:
    given.plan(max_course_units=1)
    syllabus = Syllabus(given)
    syllabus.unit()
    return create(given, syllabus.course)


def to_a_taken_name(given: Given) -> Reply:
    syllabus = Syllabus(given)
    syllabus.unit("Taken", publishFlag=0)
    return syllabus.call("lms.unit.update", unitId=syllabus.unit(), name="Taken")


def withdrawn(given: Given) -> Reply:
    syllabus = Syllabus(given)
    return syllabus.call("lms.unit.update", unitId=syllabus.unit(), publishFlag=0)


def in_arrears(given: Given) -> Reply:
    syllabus = Syllabus(given)
    unit = syllabus.unit()
    given.plan(arrears=True)
    return syllabus.call("lms.unit.delete", unitId=unit)


def with_a_running_class(given: Given) -> Reply:
    syllabus = Syllabus(given)
    unit = syllabus.unit()
    syllabus.lesson(unit)
    given.until(given.now + DAY)
    return syllabus.call("lms.unit.delete", unitId=unit)


def to_itself(given: Given) -> Reply:
    unit = Syllabus(given).unit()
    return move(given, unitId=unit, toUnitId=unit)


def to_a_full_unit(given: Given) -> Reply:
    syllabus = Syllabus(given)
    source, target = syllabus.unit(), syllabus.fill(syllabus.unit(), 99)
    syllabus.fill(source, 2)
    reply = syllabus.call("lms.unit.move", unitId=source, toUnitId=target)
    assert (syllabus.count(source), syllabus.count(target)) == (2, 99)
    return reply


def _courses(call: Any) -> tuple[Case, ...]:  # noqa: ANN401  a call with a course
    return (
        Case(147, lambda g: call(g, NONE)),
        Case(147, lambda g: call(g, g.deleted_course())),
        Case(121601021, lambda g: call(g, g.other().course())),
        Case(121601023, lambda g: call(g, g.ended_course())),
        Case(121601022, lambda g: call(g, g.public_course())),
    )


CREATE_CASES: Final = (
    Case(1, create),
    *(
        case
        for case in common(CREATE_UNIT, courseId=1, name="Unit", publishFlag=2)
        if case.errno != Errno.UNIT_ADDED.number
    ),
    Case(29213, lambda g: create(g.failing(CREATE_UNIT, Errno.UNIT_ADDED)), "fault"),
    *_courses(create),
    Case(121601020, lambda g: create(g, name="n" * 51)),
    Case(121601020, lambda g: create(g, name="")),
    Case(121601020, lambda g: create(g, publishFlag=1)),
    Case(29208, twice),
    Case(40031, past_the_plan),
)
UPDATE_CASES: Final = (
    Case(1, update),
    *common(UPDATE_UNIT, courseId=1, unitId=1, name="Unit"),
    *_courses(update),
    Case(121601020, lambda g: update(g, name=None)),
    Case(121601020, lambda g: update(g, name="")),
    Case(40020, lambda g: update(g, unitId=NONE)),
    Case(40020, lambda g: update(g, unitId=Syllabus(g).unit())),
    Case(40020, lambda g: of_default_unit(g, "lms.unit.update", name="Other")),
    Case(40004, withdrawn),
    Case(50003, to_a_taken_name),
)
DELETE_CASES: Final = (
    Case(1, delete),
    *common(DELETE_UNIT, courseId=1, unitId=1),
    *_courses(delete),
    Case(121601020, lambda g: delete(g, unitId="first")),
    Case(40020, lambda g: delete(g, unitId=NONE)),
    Case(40020, lambda g: of_default_unit(g, "lms.unit.delete")),
    Case(29057, in_arrears),
    Case(40001, with_a_running_class),
)
MOVE_CASES: Final = (
    Case(1, move),
    *common(MOVE_UNIT, courseId=1, unitId=1, toUnitId=2),
    *_courses(move),
    Case(121601020, lambda g: move(g, toUnitId=0)),
    Case(29046, to_itself),
    Case(29048, lambda g: move(g, unitId=NONE)),
    Case(29048, lambda g: of_default_unit(g, "lms.unit.move", toUnitId=NONE)),
    Case(50004, lambda g: move(g, toUnitId=NONE)),
    Case(29138, to_a_full_unit),
)
TABLES: Final = (
    (CREATE_UNIT, CREATE_CASES),
    (UPDATE_UNIT, UPDATE_CASES),
    (DELETE_UNIT, DELETE_CASES),
    (MOVE_UNIT, MOVE_CASES),
)


@pytest.mark.parametrize(("action", "cases"), TABLES, ids=lambda one: getattr(one, "name", ""))
def test_a_table_has_every_number_of_its_action(
    action: Action[Any, Any], cases: tuple[Case, ...]
) -> None:
    check_table(action, cases)


@pytest.mark.parametrize("case", CREATE_CASES, ids=str)
def test_create_unit(given: Given, case: Case) -> None:
    case.run(given)


@pytest.mark.parametrize("case", UPDATE_CASES, ids=str)
def test_update_unit(given: Given, case: Case) -> None:
    case.run(given)


@pytest.mark.parametrize("case", DELETE_CASES, ids=str)
def test_delete_unit(given: Given, case: Case) -> None:
    case.run(given)


@pytest.mark.parametrize("case", MOVE_CASES, ids=str)
def test_move_unit(given: Given, case: Case) -> None:
    case.run(given)


def test_a_unit_is_made_and_changed(given: Given) -> None:
    syllabus = Syllabus(given)
    made = syllabus.done("lms.unit.create", name="Waves", publishFlag=0, content="Sound")
    unit = UnitId(made.data["unitId"])
    assert made.data == {"name": "Waves", "unitId": unit}
    changed = syllabus.done("lms.unit.update", unitId=unit, publishFlag=2, content="")
    assert changed.data == {"unitId": unit}
    stored = given.store.read(lambda uow: uow.units.get(unit))
    assert stored is not None
    assert (stored.name, stored.content, stored.is_published) == ("Waves", "", True)


def test_a_unit_may_keep_its_name_and_a_deleted_one_frees_it(given: Given) -> None:
    syllabus = Syllabus(given)
    unit = syllabus.unit("Waves")
    syllabus.done("lms.unit.update", unitId=unit, name="Waves")
    syllabus.done("lms.unit.delete", unitId=unit)
    assert syllabus.unit("Waves") != unit
    assert syllabus.call("lms.unit.create", name="默认单元", publishFlag=2).errno == 29208


def test_a_default_unit_counts_for_no_limit(given: Given) -> None:
    given.plan(max_course_units=1)
    syllabus = Syllabus(given)
    source = syllabus.fill(syllabus.unit(), 100)
    target = syllabus.default_unit
    for _ in range(2):
        syllabus.done("lms.unit.move", unitId=source, toUnitId=target)
        syllabus.fill(source, 100)
    assert syllabus.count(source) == 100


def test_what_a_deleted_unit_holds_is_deleted(given: Given) -> None:
    syllabus = Syllabus(given)
    unit = syllabus.unit()
    activity = syllabus.activity(unit)
    lesson = syllabus.lesson(unit, courseUniqueIdentity="one")
    syllabus.done("lms.unit.delete", unitId=unit)
    ids = {"courseId": syllabus.course, "classId": lesson}
    assert given.api.call("delCourseClass", **ids).errno == 212
    assert syllabus.call("lms.activity.delete", activityId=activity).errno == 29149
    assert syllabus.lesson(courseUniqueIdentity="one") != lesson


def test_a_moved_class_is_deleted_with_its_new_unit(given: Given) -> None:
    syllabus = Syllabus(given)
    source, target = syllabus.unit(), syllabus.unit()
    lesson = syllabus.lesson(source)
    assert syllabus.done("lms.unit.move", unitId=source, toUnitId=target).data is None
    syllabus.done("lms.unit.delete", unitId=source)
    assert given.seen(lesson).deleted_at is None
    syllabus.done("lms.unit.delete", unitId=target)
    assert given.seen(lesson).deleted_at == given.now


def test_sub_classes_go_with_their_main_class(given: Given) -> None:
    syllabus = Syllabus(given)
    unit = syllabus.unit()
    main = syllabus.lesson(unit)
    sub = syllabus.bind(Syllabus(given).lesson(), main)
    syllabus.done("lms.unit.delete", unitId=unit)
    assert [given.seen(lesson).deleted_at for lesson in (main, sub)] == [given.now] * 2


def test_a_class_that_was_held_keeps_its_unit(given: Given) -> None:
    syllabus = Syllabus(given)
    unit = syllabus.unit()
    syllabus.lesson(unit)
    given.until(given.now + DAY + 2 * HOUR)
    assert syllabus.call("lms.unit.delete", unitId=unit).errno == 40001
    syllabus.done("lms.unit.move", unitId=unit, toUnitId=syllabus.default_unit)
    syllabus.done("lms.unit.delete", unitId=unit)
