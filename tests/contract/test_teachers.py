"""Teachers: one case table an action, and the rules of taking one out of service."""

import time
from typing import Any, Final

import pytest
from sqlalchemy import select

from homeroom.base.clock import DAY, HOUR, MINUTE
from homeroom.base.ids import UserId
from homeroom.contract.action import Action
from homeroom.contract.teachers import ADD_TEACHER, RESTART_USING_TEACHER, STOP_USING_TEACHER
from homeroom.domain.lifecycle import OVERTIME_SECONDS
from homeroom.domain.teachers import TeacherState
from homeroom.store.tables import teachers, users
from tests.support.cases import Case, check_table, common
from tests.support.given import Given
from tests.support.pictures import png
from tests.support.wire import Reply, Value

MD5: Final = "0" * 32
UNKNOWN_UID: Final = UserId(10**9)
DONE_WITHIN: Final = 15.0
"""Seconds; the worker looks for jobs every five by itself."""


def add(given: Given, **fields: Value) -> Reply:
    """Call addTeacher."""
    return given.api.call("addTeacher", teacherName="Teacher", **fields)


def add_twice(given: Given) -> Reply:
    """Call addTeacher with the same parameters twice in one moment."""
    user = given.user()
    add(given, teacherUid=user)
    return add(given, teacherUid=user)


def add_while_unregistered(given: Given) -> Reply:
    """Call addTeacher while the account's registration is unfinished."""
    telephone = given.telephone()
    with given.unfinished("register", telephone=telephone, md5pass=MD5):
        return add(given, teacherAccount=telephone)


def add_too_many(given: Given) -> Reply:
    """Call addTeacher where the quota is used up."""
    given.teacher()
    given.plan(max_teachers=1)
    return add(given, teacherUid=given.user())


def stop(given: Given, teacher: UserId | None = None, **fields: Value) -> Reply:
    """Call stopUsingTeacher."""
    return given.api.call("stopUsingTeacher", teacherUid=teacher, **fields)


def restart(given: Given, teacher: UserId | None = None, **fields: Value) -> Reply:
    """Call restartUsingTeacher."""
    return given.api.call("restartUsingTeacher", teacherUid=teacher, **fields)


def owner_as_teacher(given: Given) -> UserId:
    """Make the school account a teacher too."""
    given.done("addTeacher", teacherUid=given.school.owner, teacherName="Principal")
    return given.school.owner


def busy_teacher(given: Given) -> UserId:
    """Return a teacher with a class to come."""
    teacher = given.teacher()
    given.lesson(teacherUid=teacher)
    return teacher


def head_teacher(given: Given, **fields: Value) -> UserId:
    """Return the head teacher of a course."""
    teacher = given.teacher()
    given.course(mainTeacherUid=teacher, **fields)
    return teacher


def state(given: Given, teacher: UserId) -> TeacherState | None:
    """Return where a teacher stands."""
    return given.store.read(lambda uow: uow.teachers.get_state(given.school.id, teacher))


ADD_TEACHER_CASES: Final = (
    Case(1, lambda g: add(g, teacherUid=g.user())),
    *common(ADD_TEACHER, teacherUid=1, teacherName="Teacher"),
    Case(101003002, add_twice),
    Case(131, add_while_unregistered),
    Case(122, lambda g: add(g, teacherAccount="0086-13800000000")),
    Case(122, lambda g: add(g, teacherAccount="no@address@all")),
    Case(288, lambda g: add(g, teacherAccount="12000000000")),
    Case(
        103,
        lambda g: g.api.upload("addTeacher", b"no picture", teacherUid=g.user(), teacherName="T"),
    ),
    Case(400, lambda g: add(g, teacherUid=UNKNOWN_UID)),
    Case(113, lambda g: add(g, teacherAccount=g.telephone())),
    Case(884, lambda g: add(g, teacherUid=g.cancelled(g.user()))),
    Case(133, lambda g: add(g, teacherUid=g.teacher())),
    Case(845, add_too_many),
)

STOP_USING_TEACHER_CASES: Final = (
    Case(1, lambda g: stop(g, g.teacher())),
    *common(STOP_USING_TEACHER, teacherUid=1),
    Case(122, lambda g: stop(g, teacherAccount="0086-13800000000")),
    Case(122, lambda g: stop(g, teacherAccount="12000000000")),
    Case(400, lambda g: stop(g, UNKNOWN_UID)),
    Case(400, lambda g: stop(g, teacherAccount=g.telephone())),
    Case(136, lambda g: stop(g, g.other().teacher())),
    Case(136, lambda g: stop(g, g.student())),
    Case(386, lambda g: stop(g, owner_as_teacher(g))),
    Case(402, lambda g: stop(g, g.sub_account(g.teacher()))),
    Case(317, lambda g: stop(g, busy_teacher(g))),
    Case(339, lambda g: stop(g, head_teacher(g))),
)

RESTART_USING_TEACHER_CASES: Final = (
    Case(1, lambda g: restart(g, g.stopped(g.teacher()))),
    *common(RESTART_USING_TEACHER, teacherUid=1),
    Case(122, lambda g: restart(g, teacherAccount="0086-13800000000")),
    Case(400, lambda g: restart(g, UNKNOWN_UID)),
    Case(136, lambda g: restart(g, g.other().teacher())),
    Case(800, lambda g: restart(g, g.stopping(g.teacher()))),
)

TABLES: Final = (
    (ADD_TEACHER, ADD_TEACHER_CASES),
    (STOP_USING_TEACHER, STOP_USING_TEACHER_CASES),
    (RESTART_USING_TEACHER, RESTART_USING_TEACHER_CASES),
)


@pytest.mark.parametrize(("action", "cases"), TABLES, ids=lambda one: getattr(one, "name", ""))
def test_a_table_has_every_number_of_its_action(
    action: Action[Any, Any], cases: tuple[Case, ...]
) -> None:
    check_table(action, cases)


@pytest.mark.parametrize("case", ADD_TEACHER_CASES, ids=str)
def test_add_teacher(given: Given, case: Case) -> None:
    case.run(given)


@pytest.mark.parametrize("case", STOP_USING_TEACHER_CASES, ids=str)
def test_stop_using_teacher(given: Given, case: Case) -> None:
    case.run(given)


@pytest.mark.parametrize("case", RESTART_USING_TEACHER_CASES, ids=str)
def test_restart_using_teacher(given: Given, case: Case) -> None:
    case.run(given)


def test_adding_a_teacher_answers_the_id_of_the_relation_and_not_the_uid(given: Given) -> None:
    user = given.user()
    reply = given.api.upload("addTeacher", png(), teacherUid=user, teacherName="名" * 25)
    columns = (teachers.c.id, teachers.c.name, teachers.c.photo)
    row = given.rows(select(*columns).where(teachers.c.user_id == user))[0]
    assert (reply.errno, reply.data, row[1]) == (1, row[0], "名" * 24)
    assert row[2].startswith("pictures/")


def test_the_uid_wins_over_the_account(given: Given) -> None:
    teacher, other = given.user(), given.telephone()
    given.user(telephone=other, addToSchoolMember=2)
    assert add(given, teacherUid=teacher, teacherAccount=other).errno == 1
    assert stop(given, teacher, teacherAccount="12345").errno == 1
    assert state(given, teacher) is TeacherState.STOPPED
    assert restart(given, teacher, teacherAccount="12345").errno == 1
    assert state(given, teacher) is TeacherState.ACTIVE


def test_a_teacher_is_stopped_and_restarted_by_account(given: Given) -> None:
    account = f"{given.telephone()}@school.test"
    teacher = given.user(telephone=None, email=account)
    assert add(given, teacherAccount=account.upper()).errno == 1
    assert stop(given, teacherAccount=account).errno == 1
    assert state(given, teacher) is TeacherState.STOPPED
    assert restart(given, teacherAccount=account).errno == 1
    assert state(given, teacher) is TeacherState.ACTIVE


def test_a_stopped_teacher_gets_no_class_until_restarted(given: Given) -> None:
    teacher = given.stopped(given.teacher())
    form = given.lesson_form(teacherUid=teacher)
    assert given.api.call("addCourseClass", **form).errno == 387
    given.done("restartUsingTeacher", teacherUid=teacher)
    given.done("addCourseClass", **form)


def test_stopping_takes_its_time_and_then_a_job_finishes_it(given: Given) -> None:
    given.plan(stop_delay=60)
    teacher = given.stopped(given.teacher())
    assert state(given, teacher) is TeacherState.STOPPING
    form = given.lesson_form(teacherUid=teacher)
    assert given.api.call("addCourseClass", **form).errno == 800
    assert restart(given, teacher).errno == 800
    assert stop(given, teacher).errno == 1
    given.clock.advance(60)
    until = time.monotonic() + DONE_WITHIN
    while state(given, teacher) is TeacherState.STOPPING and time.monotonic() < until:
        time.sleep(0.01)
    assert state(given, teacher) is TeacherState.STOPPED
    assert restart(given, teacher).errno == 1
    assert state(given, teacher) is TeacherState.ACTIVE


def test_stopping_again_answers_1_and_restarting_an_active_teacher_too(given: Given) -> None:
    teacher = given.teacher()
    assert restart(given, teacher).errno == 1
    for _ in range(2):
        assert stop(given, teacher).errno == 1
    assert state(given, teacher) is TeacherState.STOPPED


@pytest.mark.parametrize("helps", [False, True])
def test_a_class_keeps_its_teachers_in_service_until_its_overtime_ends(
    given: Given, *, helps: bool
) -> None:
    teacher = given.teacher()
    lesson = given.lesson(assistantUids=[teacher]) if helps else given.lesson(teacherUid=teacher)
    ends = given.seen(lesson).hours.end
    assert stop(given, teacher).errno == 317
    given.until(ends + OVERTIME_SECONDS - 1)
    assert stop(given, teacher).errno == 317
    given.until(ends + OVERTIME_SECONDS)
    assert stop(given, teacher).errno == 1


def test_a_class_that_was_deleted_or_closed_early_keeps_nobody(given: Given) -> None:
    teacher, course = given.teacher(), given.course()
    deleted = given.lesson(course, teacherUid=teacher)
    given.done("delCourseClass", courseId=course, classId=deleted)
    begin = given.now + HOUR
    held = given.lesson(course, teacherUid=teacher, beginTime=begin, endTime=begin + HOUR)
    given.until(begin + MINUTE)
    assert stop(given, teacher).errno == 317
    given.closed_early(held)
    assert stop(given, teacher).errno == 1


def test_a_class_of_another_school_keeps_nobody(given: Given) -> None:
    telephone = given.telephone()
    teacher = given.user(telephone=telephone, addToSchoolMember=2)
    other = given.other()
    other.done("addTeacher", teacherUid=teacher, teacherName="Guest")
    other.lesson(teacherUid=teacher)
    assert stop(given, teacher).errno == 1
    assert state(other, teacher) is TeacherState.ACTIVE


def test_a_course_that_ended_or_expired_keeps_no_head_teacher(given: Given) -> None:
    teacher = given.teacher()
    ended = given.course(mainTeacherUid=teacher)
    given.course(mainTeacherUid=teacher, expiryTime=given.now + DAY)
    given.done("endCourse", courseId=ended)
    assert stop(given, teacher).errno == 339
    given.clock.advance(DAY)
    assert stop(given, teacher).errno == 1


def test_no_stop_leaves_a_refused_teacher_half_stopped(given: Given) -> None:
    given.plan(stop_delay=60)
    teacher = busy_teacher(given)
    assert stop(given, teacher).errno == 317
    assert state(given, teacher) is TeacherState.ACTIVE


def test_a_living_account_wins_over_a_cancelled_one_of_the_same_number(given: Given) -> None:
    telephone = given.telephone()
    given.cancelled(given.user(telephone=telephone))
    assert add(given, teacherAccount=telephone).errno == 884
    living = given.user(telephone=telephone, nickname="Next")
    given.clock.advance(5)
    assert add(given, teacherAccount=telephone).errno == 1
    assert state(given, living) is TeacherState.ACTIVE
    assert len(given.rows(select(users.c.id).where(users.c.telephone == telephone))) == 2
