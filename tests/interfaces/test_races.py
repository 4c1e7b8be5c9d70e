"""Calls about one course that come at the same time, to one server or to two, end as if in turn."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from threading import Barrier

import pytest
from sqlalchemy import func, or_, select

from homeroom.base.clock import DAY, HOUR
from homeroom.store.tables import course_members, lessons
from tests.support.classroom_activities import class_form
from tests.support.dual import Dual
from tests.support.given import Given
from tests.support.postgres import Postgres
from tests.support.serving import House, running_house, running_two_houses
from tests.support.wire import Partner, Reply, Value

ROUNDS = 6
ADD_CLASS = "lms.onlineDoubleTeacher.addClass"
EDIT_CLASS = "lms.onlineDoubleTeacher.editClass"


class Call:
    """A call of an action."""

    def __init__(self, action: str, **fields: Value) -> None:
        self.action = action
        self.fields = fields


class Racers:
    """Clients of one school: each has a connection of its own, to any of the servers."""

    def __init__(self, houses: list[House]) -> None:
        self.given = Given(houses[0])
        self._houses = houses

    def race(self, *calls: Call) -> list[Reply]:
        """Send calls at the same time, and return the responses in their order."""
        barrier = Barrier(len(calls))
        school = self.given.school

        def send(call: Call, house: House) -> Reply:
            house.clock.moment = self.given.clock.moment
            with Partner(house.url, school.id, school.secret, house.clock) as partner:
                barrier.wait(20)
                return partner.call(call.action, **call.fields)

        with ThreadPoolExecutor(len(calls)) as threads:
            return list(threads.map(send, calls, cycle(self._houses)))


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.pg)])
def houses(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[House]]:
    """Run one server on SQLite, or two on PostgreSQL."""
    folder = tmp_path_factory.mktemp("races")
    if request.param == "sqlite":
        with running_house(folder, None, "sqlite") as house:
            yield [house]
        return
    postgres: Postgres = request.getfixturevalue("postgres")
    with running_two_houses(folder, postgres.fresh()) as two:
        yield list(two)


@pytest.fixture
def racers(houses: list[House]) -> Iterator[Racers]:
    racers = Racers(houses)
    yield racers
    racers.given.close()


def count_members(given: Given, course: int) -> int:
    query = select(func.count()).where(course_members.c.course_id == course)
    return int(given.rows(query)[0][0])


def test_a_student_who_is_added_and_removed_at_once_is_a_member_or_not(racers: Racers) -> None:
    given = racers.given
    for _ in range(ROUNDS):
        course, student = given.course(), given.student()
        add = Call("addCourseStudent", courseId=course, identity=1, studentUid=student)
        uids = f"[{student}]"
        remove = Call("delCourseStudentMultiple", courseId=course, identity=1, studentUidJson=uids)
        replies = racers.race(add, remove, add, remove, add, remove)
        added = sum(reply.errno == 1 for reply in replies[::2])
        removed = sum(reply.data[0]["errno"] == 1 for reply in replies[1::2])
        assert count_members(given, course) == added - removed


def test_a_course_gets_no_more_students_than_its_plan_allows(racers: Racers) -> None:
    given = racers.given
    given.plan(max_course_students=2)
    for _ in range(2):
        course = given.course()
        students = [given.student() for _ in range(6)]
        replies = racers.race(
            *(
                Call("addCourseStudent", courseId=course, identity=1, studentUid=student)
                for student in students
            )
        )
        assert sum(reply.errno == 1 for reply in replies) == 2
        assert count_members(given, course) == 2


def test_edits_of_different_fields_of_a_class_are_all_kept(racers: Racers) -> None:
    given = racers.given
    course, teacher = given.course(), given.teacher()
    for _ in range(ROUNDS):
        lesson = given.lesson(course, teacherUid=teacher)
        replies = racers.race(
            Call("editCourseClass", courseId=course, classId=lesson, className="Algebra"),
            Call("editCourseClass", courseId=course, classId=lesson, classIntroduce="Groups"),
            Call("editCourseClass", courseId=course, classId=lesson, teachMode=2),
        )
        assert [reply.errno for reply in replies] == [1, 1, 1]
        seen = given.seen(lesson)
        assert (seen.name, seen.introduction) == ("Algebra", "Groups")
        assert seen.classroom.is_smart


def test_a_class_that_is_edited_and_deleted_at_once_is_deleted(racers: Racers) -> None:
    given = racers.given
    course, teacher = given.course(), given.teacher()
    for _ in range(ROUNDS):
        lesson = given.lesson(course, teacherUid=teacher)
        edited, deleted = racers.race(
            Call("editCourseClass", courseId=course, classId=lesson, className="Algebra"),
            Call("delCourseClass", courseId=course, classId=lesson),
        )
        assert deleted.errno == 1
        seen = given.seen(lesson)
        assert seen.deleted_at is not None
        assert (seen.name == "Algebra") == (edited.errno == 1)


def test_no_class_and_no_student_is_added_to_a_course_after_its_end(racers: Racers) -> None:
    given = racers.given
    teacher = given.teacher()
    for number in range(ROUNDS):
        course = given.course()
        add_class = given.lesson_form(course, teacherUid=teacher)
        calls = [Call("addCourseClass", **add_class) for _ in range(3)]
        calls += [
            Call("addCourseStudent", courseId=course, identity=1, studentUid=given.student())
            for _ in range(2)
        ]
        end_at = number % len(calls)
        calls.insert(end_at, Call("endCourse", courseId=course))
        replies = racers.race(*calls)
        assert replies[end_at].errno == 1
        alive = select(lessons.c.id).where(
            lessons.c.course_id == course, lessons.c.deleted_at.is_(None)
        )
        assert given.rows(alive) == []
        students = sum(
            reply.errno == 1
            for call, reply in zip(calls, replies, strict=True)
            if call.action == "addCourseStudent"
        )
        assert count_members(given, course) == students


def test_nobody_becomes_teacher_and_student_of_a_course_at_once(racers: Racers) -> None:
    given = racers.given
    person = given.student()
    given.done("addTeacher", teacherUid=person, teacherName="Teacher")
    for _ in range(ROUNDS):
        course = given.course()
        replies = racers.race(
            Call("addCourseClass", **given.lesson_form(course, teacherUid=person)),
            Call("addCourseStudent", courseId=course, identity=1, studentUid=person),
        )
        assert sum(reply.errno == 1 for reply in replies) == 1


# --- both wires -----------------------------------------------------------------------------------


def test_one_identity_on_both_wires_makes_one_class(racers: Racers) -> None:
    given = racers.given
    teacher, courses = given.teacher(), [given.course() for _ in range(2)]
    dual = Dual(given)
    for number in range(ROUNDS):
        identity = f"class {number}"
        form = given.lesson_form(teacherUid=teacher, courseUniqueIdentity=identity)
        room = class_form(given, teacherUid=teacher, uniqueIdentity=identity)
        main = {"mainCourseId": dual.main.course, "mainClassId": dual.main.lesson}
        entries = [dual.entry(course, uniqueIdentity=identity) for course in courses]
        replies = racers.race(
            *[Call("addCourseClass", **form) for _ in range(2)],
            *[Call("lms.activity.createClass", **room) for _ in range(2)],
            *[Call(ADD_CLASS, **main, subClassJson=[entry]) for entry in entries],
        )
        outcomes = [
            *((reply.errno, reply.body.get("data")) for reply in replies[:2]),
            *((reply.errno, (reply.data or {}).get("classId")) for reply in replies[2:4]),
            *((reply.entries[0]["code"], reply.entries[0]["classId"]) for reply in replies[4:]),
        ]
        assert [errno for errno, _ in outcomes].count(1) == 1, outcomes
        assert {errno for errno, _ in outcomes} <= {1, 398, 460, 104}
        with_identity = select(lessons.c.id).where(
            lessons.c.school_id == given.school.id, lessons.c.unique_identity == identity
        )
        ids = {row[0] for row in given.rows(with_identity)}
        assert len(ids) == 1
        assert {number for errno, number in outcomes if errno in {1, 398}} == ids
        for sub in given.store.read(lambda uow: uow.sub_lessons.list_ids([dual.main.lesson]))[
            dual.main.lesson
        ]:
            assert dual.delete(sub).errno == 1


def test_a_teacher_is_stopped_or_gets_a_class_of_the_v2_wire(racers: Racers) -> None:
    given = racers.given
    course = given.course()
    for number in range(ROUNDS):
        teacher = given.teacher()
        room = class_form(given, course, teacherUid=teacher)
        calls = [Call("lms.activity.createClass", **room) for _ in range(3)]
        stop_at = number % 4
        calls.insert(stop_at, Call("stopUsingTeacher", teacherUid=teacher))
        replies = racers.race(*calls)
        stopped = replies.pop(stop_at).errno
        created = [reply.errno for reply in replies]
        assert set(created) <= {1, 387, 800}
        assert stopped == (317 if 1 in created else 1)


def test_sub_classes_that_are_added_while_their_main_class_moves_follow_it(racers: Racers) -> None:
    given = racers.given
    dual = Dual(given)
    dual.sub()
    begin = dual.main.begin
    main = {"mainCourseId": dual.main.course, "mainClassId": dual.main.lesson}
    for _ in range(ROUNDS):
        begin += DAY
        ids = {"courseId": dual.main.course, "classId": dual.main.lesson}
        moved, *added = racers.race(
            Call(EDIT_CLASS, **ids, startTime=begin, endTime=begin + HOUR),
            *[Call(ADD_CLASS, **main, subClassJson=[dual.entry()]) for _ in range(2)],
        )
        assert [moved.errno, *(reply.errnos[0] for reply in added)] == [1, 1, 1]
    of_main = select(lessons.c.begins_at, lessons.c.ends_at).where(
        or_(lessons.c.main_lesson_id == dual.main.lesson, lessons.c.id == dual.main.lesson)
    )
    rows = given.rows(of_main)
    assert len(rows) == 2 + 2 * ROUNDS
    assert {tuple(row) for row in rows} == {(begin, begin + HOUR)}
