"""Activities of courses: one case table an action, and the rules (READINGS Q22, Q79, Q83)."""

from typing import Any, Final

import pytest

from homeroom.base.clock import DAY, HOUR, YEAR
from homeroom.base.ids import ActivityId, LessonId
from homeroom.contract.action import Action
from homeroom.contract.activities import CREATE_ACTIVITY, DELETE_ACTIVITY, RELEASE_ACTIVITIES
from tests.support.activities import DISCUSSION, Syllabus
from tests.support.cases import Case, check_table, common
from tests.support.given import Given
from tests.support.tracing import traced
from tests.support.wire import Reply, Value

NONE: Final = 10**9
"""An id that nothing has."""


def create(given: Given, course: Value = None, **fields: Value) -> Reply:
    """Call createActivityNoClass for an activity that can be added but for what is said."""
    syllabus = Syllabus(given)
    form = {"courseId": course or syllabus.course, **syllabus.activity_form(syllabus.unit())}
    return given.api.call("lms.activity.createActivityNoClass", **{**form, **fields})


def release(given: Given, course: Value = None, **fields: Value) -> Reply:
    """Call release for a new draft but for what is said."""
    return _of_new_activity(given, "lms.activity.release", course, **fields)


def delete(given: Given, course: Value = None, **fields: Value) -> Reply:
    """Call delete for a new draft but for what is said."""
    return _of_new_activity(given, "lms.activity.delete", course, **fields)


def _of_new_activity(given: Given, action: str, course: Value, **fields: Value) -> Reply:
    syllabus = Syllabus(given)
    form = {"courseId": course or syllabus.course, "activityId": syllabus.activity()}
    return given.api.call(action, **{**form, **fields})


def in_a_full_unit(given: Given) -> Reply:
    syllabus = Syllabus(given)
    unit = syllabus.fill(syllabus.unit(), 99)
    form = syllabus.activity_form(unit)
    syllabus.done("lms.activity.createActivityNoClass", **form)
    return syllabus.call("lms.activity.createActivityNoClass", **form)


def taught_by_a_member(given: Given) -> Reply:
    syllabus = Syllabus(given)
    form = syllabus.activity_form(
        syllabus.unit(), teacherUid=given.teaching_member(syllabus.course)
    )
    return syllabus.call("lms.activity.createActivityNoClass", **form)


def of_deleted(given: Given, action: str) -> Reply:
    """Call an action for an activity that was deleted."""
    syllabus = Syllabus(given)
    activity = syllabus.activity()
    syllabus.done("lms.activity.delete", activityId=activity)
    return syllabus.call(action, activityId=activity)


def of_elsewhere(given: Given, action: str) -> Reply:
    """Call an action for an activity of another course."""
    return Syllabus(given).call(action, activityId=Syllabus(given).activity())


def again(given: Given) -> Reply:
    syllabus = Syllabus(given)
    activity = syllabus.activity()
    syllabus.done("lms.activity.release", activityId=activity)
    return syllabus.call("lms.activity.release", activityIds=[activity])


def release_with(syllabus: Syllabus, activity: int) -> Reply:
    """Release a new draft, and another activity after it."""
    return syllabus.call("lms.activity.release", activityIds=[syllabus.activity(), activity])


def released_twice(given: Given) -> Reply:
    syllabus = Syllabus(given)
    activity = syllabus.activity()
    return syllabus.call("lms.activity.release", activityIds=[activity, activity])


def released_after_deletion(given: Given) -> Reply:
    syllabus = Syllabus(given)
    activity = syllabus.activity()
    syllabus.done("lms.activity.delete", activityId=activity)
    return release_with(syllabus, activity)


def of_a_class(given: Given, seconds: int) -> Reply:
    """Delete a class, some seconds after it was added: it begins in a day."""
    syllabus = Syllabus(given)
    lesson = syllabus.lesson()
    given.until(given.now + seconds)
    return syllabus.call("lms.activity.delete", activityId=syllabus.activity_of(lesson))


def of_dual(given: Given, *, is_main: bool) -> Reply:
    """Delete a main class or its sub class, which only the dual-teacher calls may do."""
    syllabus = Syllabus(given)
    main = syllabus.lesson()
    sub = syllabus.bind(syllabus.lesson(), main)
    activity = syllabus.activity_of(main if is_main else sub)
    return syllabus.call("lms.activity.delete", activityId=activity)


def _courses(call: Any) -> tuple[Case, ...]:  # noqa: ANN401  a call with a course
    return (
        Case(147, lambda g: call(g, NONE)),
        Case(121601021, lambda g: call(g, g.other().course())),
        Case(121601023, lambda g: call(g, g.ended_course())),
        Case(121601022, lambda g: call(g, g.public_course())),
    )


CREATE_CASES: Final = (
    Case(1, create),
    Case(1, lambda g: create(g, startTime=g.now + 3 * YEAR)),
    *common(
        CREATE_ACTIVITY, courseId=1, unitId=1, activityType=DISCUSSION, name="Name", teacherUid=1
    ),
    *_courses(create),
    Case(121601020, lambda g: create(g, activityType=1)),
    Case(121601020, lambda g: create(g, name="n" * 51)),
    Case(40020, lambda g: create(g, unitId=NONE)),
    Case(40031, in_a_full_unit),
    Case(121601020, lambda g: create(g, startTime=g.now + 3 * YEAR + 1)),
    Case(121601020, lambda g: create(g, startTime=g.now + DAY, endTime=g.now + DAY)),
    Case(121601020, lambda g: create(g, teacherUid=NONE)),
    Case(121601020, lambda g: create(g, teacherUid=g.student())),
    Case(121601020, lambda g: create(g, teacherUid=g.stopped(g.teacher()))),
    Case(121601020, lambda g: create(g, teacherUid=g.cancelled(g.teacher()))),
    Case(121601020, taught_by_a_member),
)
RELEASE_CASES: Final = (
    Case(1, release),
    *common(RELEASE_ACTIVITIES, courseId=1, activityId=1),
    *_courses(release),
    Case(121601020, lambda g: release(g, activityId=None)),
    Case(121601020, lambda g: release(g, activityIds=[])),
    Case(121601020, lambda g: release(g, activityIds=[1, "one"])),
    Case(30002, lambda g: release(g, activityId=NONE)),
    Case(30002, lambda g: of_elsewhere(g, "lms.activity.release")),
    Case(29149, lambda g: of_deleted(g, "lms.activity.release")),
    Case(29184, again),
    Case(30002, lambda g: release_with(Syllabus(g), NONE), "entry"),
    Case(29149, released_after_deletion, "entry"),
    Case(29184, released_twice, "entry"),
)
DELETE_CASES: Final = (
    Case(1, delete),
    *common(DELETE_ACTIVITY, courseId=1, activityId=1),
    *_courses(delete),
    Case(121601020, lambda g: delete(g, activityId="")),
    Case(30002, lambda g: delete(g, activityId=NONE)),
    Case(30002, lambda g: of_elsewhere(g, "lms.activity.delete")),
    Case(29149, lambda g: of_deleted(g, "lms.activity.delete")),
    Case(121601020, lambda g: of_dual(g, is_main=True)),
    Case(121601020, lambda g: of_dual(g, is_main=False)),
    Case(1, lambda g: of_a_class(g, DAY - 1)),
    Case(40005, lambda g: of_a_class(g, DAY)),
    Case(40006, lambda g: of_a_class(g, DAY + 2 * HOUR)),
)
TABLES: Final = (
    (CREATE_ACTIVITY, CREATE_CASES),
    (RELEASE_ACTIVITIES, RELEASE_CASES),
    (DELETE_ACTIVITY, DELETE_CASES),
)


@pytest.mark.parametrize(("action", "cases"), TABLES, ids=lambda one: getattr(one, "name", ""))
def test_a_table_has_every_number_of_its_action(
    action: Action[Any, Any], cases: tuple[Case, ...]
) -> None:
    check_table(action, cases)


@pytest.mark.parametrize("case", CREATE_CASES, ids=str)
def test_create_activity(given: Given, case: Case) -> None:
    case.run(given)


@pytest.mark.parametrize("case", RELEASE_CASES, ids=str)
def test_release_activities(given: Given, case: Case) -> None:
    case.run(given)


@pytest.mark.parametrize("case", DELETE_CASES, ids=str)
def test_delete_activity(given: Given, case: Case) -> None:
    case.run(given)


def test_an_activity_is_a_draft_and_its_teacher_joins_the_course(given: Given) -> None:
    syllabus = Syllabus(given)
    unit, teacher = syllabus.unit(), given.teacher()
    form = syllabus.activity_form(unit, teacherUid=teacher, startTime=given.now + DAY)
    made = syllabus.done("lms.activity.createActivityNoClass", **form)
    activity = ActivityId(made.data["activityId"])
    assert made.data == {"name": "Activity", "activityId": activity, "unitId": unit}
    stored = given.store.read(lambda uow: uow.activities.get(activity))
    assert stored is not None
    assert (stored.unit, stored.kind, stored.begins_at) == (unit, DISCUSSION, given.now + DAY)
    assert not stored.is_published
    rows = given.store.read(
        lambda uow: uow.teachers.list_candidates(given.school.id, (teacher,), stored.course)
    )
    assert rows[0].is_course_teacher


def test_one_released_activity_is_an_object_and_several_are_a_list(given: Given) -> None:
    syllabus = Syllabus(given)
    first, second, third = (syllabus.activity() for _ in range(3))
    single = syllabus.done("lms.activity.release", activityId=first)
    assert single.data == {"activityId": first, "name": "Activity"}
    alone = syllabus.done("lms.activity.release", activityIds=[second])
    assert alone.data == {"activityId": second, "name": "Activity"}
    several = syllabus.done("lms.activity.release", activityIds=[third, second, NONE])
    assert [(entry["activityId"], entry["name"], entry["code"]) for entry in several.data] == [
        (third, "Activity", 1),
        (second, "Activity", 29184),
        (NONE, "", 30002),
    ]
    assert several.reason.startswith("entry 2: activity")


def test_releasing_takes_the_same_number_of_statements_for_any_number(given: Given) -> None:
    syllabus = Syllabus(given)
    few, many = [[syllabus.activity() for _ in range(count)] for count in (2, 8)]
    with traced(given) as of_few:
        syllabus.done("lms.activity.release", activityIds=few)
    with traced(given) as of_many:
        syllabus.done("lms.activity.release", activityIds=many)
    assert len(of_few) == len(of_many)


def test_a_class_of_the_v1_wire_is_a_published_activity(given: Given) -> None:
    syllabus = Syllabus(given)
    lesson = syllabus.lesson(className="Waves", courseUniqueIdentity="one")
    activity = syllabus.activity_of(lesson)
    assert syllabus.call("lms.activity.release", activityId=activity).errno == 29184
    gone = syllabus.done("lms.activity.delete", activityId=activity)
    assert gone.data == {"activityId": activity, "name": "Waves"}
    assert delete_by_v1(syllabus, lesson) == 212
    assert syllabus.lesson(courseUniqueIdentity="one") != lesson


def test_a_class_that_v1_deleted_is_a_deleted_activity(given: Given) -> None:
    syllabus = Syllabus(given)
    lesson = syllabus.lesson()
    activity = syllabus.activity_of(lesson)
    assert delete_by_v1(syllabus, lesson) == 1
    assert syllabus.call("lms.activity.delete", activityId=activity).errno == 29149


def test_a_plan_may_keep_identities(given: Given) -> None:
    given.plan(keep_identities=True)
    syllabus = Syllabus(given)
    lesson = syllabus.lesson(courseUniqueIdentity="one")
    gone = syllabus.done("lms.activity.delete", activityId=syllabus.activity_of(lesson))
    assert gone.reason == "the plan of the school keeps the identity of the class"
    form = given.lesson_form(syllabus.course, courseUniqueIdentity="one")
    assert given.api.call("addCourseClass", **form).errno == 398


def delete_by_v1(syllabus: Syllabus, lesson: LessonId) -> int:
    """Call delCourseClass and return its errno."""
    return syllabus.call("delCourseClass", classId=lesson).errno
