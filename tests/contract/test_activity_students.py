"""Members of activities: two case tables, and the rules (READINGS Q84)."""

from typing import Any, Final

import pytest
from sqlalchemy import delete as delete_rows
from sqlalchemy import select

from homeroom.base.clock import DAY, HOUR
from homeroom.base.ids import ActivityId, UserId
from homeroom.contract.action import Action
from homeroom.contract.activities import ADD_ACTIVITY_STUDENTS, DELETE_ACTIVITY_STUDENTS
from homeroom.store.tables import activity_absences, guests, lesson_absences, students
from tests.support.activities import HOMEWORK, Syllabus
from tests.support.cases import Case, check_table, common
from tests.support.given import Given
from tests.support.tracing import traced
from tests.support.wire import Reply, Value

ADD: Final = "lms.activity.addStudent"
DELETE: Final = "lms.activity.deleteStudent"
NONE: Final = 10**9
"""An id that nothing has."""
STUDENT, AUDITOR = 1, 2


def add(given: Given, course: Value = None, **fields: Value) -> Reply:
    """Add a member of the course to a discussion, but for what is said."""
    return _of_discussion(given, ADD, course, **fields)


def delete(given: Given, course: Value = None, **fields: Value) -> Reply:
    """Take a member of the course out of a discussion, but for what is said."""
    return _of_discussion(given, DELETE, course, **fields)


def _of_discussion(given: Given, action: str, course: Value, **fields: Value) -> Reply:
    syllabus = Syllabus(given)
    form: dict[str, Value] = {
        "courseId": course or syllabus.course,
        "activityId": syllabus.activity(),
        "studentUids": [given.member(syllabus.course)],
    }
    return given.api.call(action, **{**form, **fields})


def of_kind(given: Given, action: str, kind: int) -> Reply:
    """Call an action for an activity of a kind."""
    syllabus = Syllabus(given)
    return syllabus.call(action, activityId=syllabus.activity(kind=kind), studentUids=[1])


def of_deleted(given: Given, action: str) -> Reply:
    """Call an action for an activity that was deleted."""
    syllabus = Syllabus(given)
    activity = syllabus.activity()
    syllabus.done("lms.activity.delete", activityId=activity)
    return syllabus.call(action, activityId=activity, studentUids=[1])


def of_held_class(given: Given, action: str) -> Reply:
    """Call an action for a class that is over."""
    syllabus = Syllabus(given)
    activity = syllabus.activity_of(syllabus.lesson())
    given.until(given.now + DAY + 2 * HOUR)
    return syllabus.call(action, activityId=activity, studentUids=[1])


def of_ended_activity(given: Given, action: str) -> Reply:
    """Call an action for a discussion whose end has come."""
    syllabus = Syllabus(given)
    form = syllabus.activity_form(syllabus.default_unit, endTime=given.now + HOUR)
    made = syllabus.done("lms.activity.createActivityNoClass", **form)
    activity = made.data["activityId"]
    given.until(given.now + HOUR - 1)
    uids = [given.member(syllabus.course)]
    assert syllabus.call(action, activityId=activity, studentUids=uids).errno == 1
    given.until(given.now + 1)
    return syllabus.call(action, activityId=activity, studentUids=uids)


def to_class(given: Given, *people: object, **plan: Any) -> Reply:  # noqa: ANN401  as `school set` takes them
    """Add people to a class."""
    syllabus = Syllabus(given)
    given.plan(**plan)
    activity = syllabus.activity_of(syllabus.lesson())
    return syllabus.call(ADD, activityId=activity, studentUids=list(people))


def member_to_class(given: Given, identity: int) -> Reply:
    """Add a member of the course to a class."""
    syllabus = Syllabus(given)
    activity = syllabus.activity_of(syllabus.lesson())
    uids: list[Any] = [given.member(syllabus.course, identity)]
    return syllabus.call(ADD, activityId=activity, studentUids=uids)


def teacher_to_class(given: Given) -> Reply:
    """Add a student of the school to a class that this person teaches."""
    both = given.user(addToSchoolMember=1)
    given.done("addTeacher", teacherUid=both, teacherName="Both")
    syllabus = Syllabus(given)
    activity = syllabus.activity_of(syllabus.lesson(teacherUid=both))
    return syllabus.call(ADD, activityId=activity, studentUids=[both])


def _courses(call: Any) -> tuple[Case, ...]:  # noqa: ANN401  a call with a course
    return (
        Case(147, lambda g: call(g, NONE)),
        Case(121601021, lambda g: call(g, g.other().course())),
        Case(121601023, lambda g: call(g, g.ended_course())),
        Case(121601022, lambda g: call(g, g.public_course())),
    )


ADD_CASES: Final = (
    Case(1, add),
    Case(1, add, "entry"),
    *common(ADD_ACTIVITY_STUDENTS, courseId=1, activityId=1, studentUids=[1]),
    *_courses(add),
    Case(121601020, lambda g: add(g, studentUids=[])),
    Case(121601020, lambda g: add(g, studentUids="all")),
    Case(121601020, lambda g: add(g, studentUids=[1] * 1001)),
    Case(30002, lambda g: add(g, activityId=NONE)),
    Case(29149, lambda g: of_deleted(g, ADD)),
    Case(110100070, lambda g: of_kind(g, ADD, HOMEWORK)),
    Case(110100070, lambda g: of_kind(g, ADD, HOMEWORK + 1)),
    Case(110100069, lambda g: of_held_class(g, ADD)),
    Case(110100069, lambda g: of_ended_activity(g, ADD)),
    Case(121601020, lambda g: add(g, studentUids=["one"]), "entry"),
    Case(40030, lambda g: add(g, studentUids=[g.student()]), "entry"),
    Case(40030, lambda g: add(g, studentUids=[NONE]), "entry"),
    Case(1, lambda g: to_class(g, g.student()), "entry"),
    Case(1, lambda g: member_to_class(g, STUDENT), "entry"),
    Case(121601020, lambda g: member_to_class(g, AUDITOR), "entry"),
    Case(121601020, lambda g: to_class(g, g.user()), "entry"),
    Case(121601020, lambda g: to_class(g, NONE), "entry"),
    Case(121601020, lambda g: to_class(g, g.cancelled(g.student())), "entry"),
    Case(121601020, teacher_to_class, "entry"),
    Case(121601020, lambda g: to_class(g, g.student(), g.student(), max_class_students=1), "entry"),
)
DELETE_CASES: Final = (
    Case(1, delete),
    *common(DELETE_ACTIVITY_STUDENTS, courseId=1, activityId=1, studentUids=[1]),
    *_courses(delete),
    Case(121601020, lambda g: delete(g, studentUids=[])),
    Case(121601020, lambda g: delete(g, studentUids=["one"])),
    Case(30002, lambda g: delete(g, activityId=NONE)),
    Case(29149, lambda g: of_deleted(g, DELETE)),
    Case(30008, lambda g: of_kind(g, DELETE, HOMEWORK)),
    Case(30008, lambda g: of_kind(g, DELETE, HOMEWORK + 1)),
    Case(110100069, lambda g: of_held_class(g, DELETE)),
    Case(110100069, lambda g: of_ended_activity(g, DELETE)),
    Case(1, lambda g: delete(g, studentUids=[NONE, g.user()])),
)
TABLES: Final = ((ADD_ACTIVITY_STUDENTS, ADD_CASES), (DELETE_ACTIVITY_STUDENTS, DELETE_CASES))


@pytest.mark.parametrize(("action", "cases"), TABLES, ids=lambda one: getattr(one, "name", ""))
def test_a_table_has_every_number_of_its_action(
    action: Action[Any, Any], cases: tuple[Case, ...]
) -> None:
    check_table(action, cases)


@pytest.mark.parametrize("case", ADD_CASES, ids=str)
def test_add_activity_students(given: Given, case: Case) -> None:
    case.run(given)


@pytest.mark.parametrize("case", DELETE_CASES, ids=str)
def test_delete_activity_students(given: Given, case: Case) -> None:
    case.run(given)


def absent(given: Given, activity: ActivityId) -> list[UserId]:
    """Return who was taken out of an activity that is no class."""
    query = select(activity_absences.c.user_id).where(activity_absences.c.activity_id == activity)
    return [user for (user,) in given.rows(query.order_by(activity_absences.c.user_id))]


def test_members_of_the_course_leave_an_activity_and_come_back(given: Given) -> None:
    syllabus = Syllabus(given)
    activity = syllabus.activity()
    student = given.member(syllabus.course)
    auditor = given.member(syllabus.course, AUDITOR)
    outsider = given.student()
    uids: list[Any] = [student, str(auditor), outsider, student]
    for _ in range(2):
        gone = syllabus.done(DELETE, activityId=activity, studentUids=uids)
        assert gone.data is None
        assert absent(given, activity) == [student, auditor]
    back = syllabus.done(ADD, activityId=activity, studentUids=uids)
    assert [entry["code"] for entry in back.data] == [1, 1, 40030, 1]
    assert [entry["studentUid"] for entry in back.data] == [student, auditor, outsider, student]
    assert back.reason == f"entry 3: UID {outsider} is not in the course"
    assert absent(given, activity) == []


def test_a_class_has_guests_and_students_who_were_transferred_out(given: Given) -> None:
    syllabus = Syllabus(given)
    lesson = syllabus.lesson()
    activity = syllabus.activity_of(lesson)
    student, guest = given.member(syllabus.course), given.student()
    uids: list[Any] = [student, guest, guest]

    def rows() -> tuple[list[Any], list[Any]]:
        of_lesson = [
            select(table.c.user_id).where(table.c.lesson_id == lesson)
            for table in (guests, lesson_absences)
        ]
        return (
            [user for (user,) in given.rows(of_lesson[0])],
            [user for (user,) in given.rows(of_lesson[1])],
        )

    added = syllabus.done(ADD, activityId=activity, studentUids=uids)
    assert [entry["code"] for entry in added.data] == [1, 1, 1]
    assert rows() == ([guest], [])
    syllabus.done(DELETE, activityId=activity, studentUids=uids)
    assert rows() == ([], [student])
    syllabus.done(ADD, activityId=activity, studentUids=[student])
    assert rows() == ([], [])


def test_who_is_in_a_class_already_is_no_refusal_even_off_the_list_of_the_school(
    given: Given,
) -> None:
    syllabus = Syllabus(given)
    activity = syllabus.activity_of(syllabus.lesson())
    member, stranger = given.member(syllabus.course), given.student()
    given.write(delete_rows(students).where(students.c.user_id.in_([member, stranger])))
    reply = syllabus.call(ADD, activityId=activity, studentUids=[member, stranger])
    assert reply.errnos == [1, 121601020]


@pytest.mark.parametrize("is_class", [True, False])
@pytest.mark.parametrize("action", [ADD, DELETE])
def test_many_students_take_as_many_statements_as_few(
    given: Given,
    action: str,
    is_class: bool,  # noqa: FBT001  a value, not a mode
) -> None:
    syllabus = Syllabus(given)
    activity = syllabus.activity_of(syllabus.lesson()) if is_class else syllabus.activity()
    counts = []
    for number in (2, 9):
        uids: list[Any] = [given.member(syllabus.course) for _ in range(number)]
        with traced(given) as issued:
            syllabus.done(action, activityId=activity, studentUids=uids)
        counts.append(len(issued))
    assert counts[0] == counts[1]
