"""Teachers of a course: the numbers and rules of modifyCourseTeacher (Q61) and removal (Q62)."""

from collections.abc import Callable
from typing import Any, Final

import pytest
from sqlalchemy import select, update

from homeroom.base.clock import DAY, HOUR
from homeroom.base.ids import CourseId, LessonId, UserId
from homeroom.contract.action import Action
from homeroom.contract.course_teachers import MODIFY_COURSE_TEACHER, REMOVE_COURSE_TEACHER
from homeroom.contract.errno import Errno
from homeroom.store.tables import course_teachers, lessons
from tests.support.cases import Case, check_table, common
from tests.support.given import Given
from tests.support.orders import AUDITOR, MALFORMED, STUDENT
from tests.support.tracing import traced
from tests.support.wire import Reply, Value

NONE: Final = 10**9
"""An id that nothing has."""


class Taught:
    """A course with a class tomorrow, and its teacher."""

    def __init__(self, given: Given, **fields: Value) -> None:
        self.given = given
        self.course: CourseId = given.course()
        self.teacher: UserId = given.teacher()
        self.lesson: LessonId = given.lesson(self.course, teacherUid=self.teacher, **fields)

    def modify(self, teacher: object = None, **fields: Value) -> Reply:
        """Call modifyCourseTeacher."""
        form: dict[str, Any] = {"courseId": self.course, "teacherUid": teacher, **fields}
        return self.given.api.call("modifyCourseTeacher", **form)

    def remove(self, teacher: object = None, **fields: Value) -> Reply:
        """Call removeCourseTeacher."""
        form: dict[str, Any] = {"courseId": self.course, "teacherUid": teacher, **fields}
        return self.given.api.call("removeCourseTeacher", **form)

    def teacher_of(self, lesson: LessonId) -> UserId:
        """Return the teacher of a class."""
        return self.given.seen(lesson).teacher

    @property
    def listed(self) -> set[UserId]:
        """The teachers in the list of the course."""
        query = select(course_teachers.c.user_id).where(course_teachers.c.course_id == self.course)
        return {row[0] for row in self.given.rows(query)}


def modify(given: Given, make_teacher: Callable[[Taught], object]) -> Reply:
    """Call modifyCourseTeacher for a course of its own."""
    taught = Taught(given)
    return taught.modify(make_teacher(taught))


def modify_in(given: Given, course: CourseId) -> Reply:
    """Call modifyCourseTeacher for a course that cannot be changed."""
    return Taught(given).modify(given.teacher(), courseId=course)


def expired_course(given: Given) -> CourseId:
    course = given.course(expiryTime=given.now + 2 * DAY)
    given.clock.advance(2 * DAY)
    return course


def as_sub_lesson(taught: Taught) -> UserId:
    main = taught.given.lesson()
    change = update(lessons).where(lessons.c.id == taught.lesson)
    taught.given.write(change.values(main_lesson_id=main))
    return taught.given.teacher()


def made_elsewhere(taught: Taught) -> UserId:
    taught.given.made_elsewhere(taught.lesson)
    return taught.given.teacher()


def guest(taught: Taught) -> UserId:
    return taught.given.guest(taught.lesson, taught.given.teacher())


def co_teacher(given: Given) -> Reply:
    helper = given.teacher()
    return Taught(given, assistantUid=helper).modify(helper)


def failing(errno: Errno) -> Callable[[Given], Reply]:
    """Return the act of a class that fails by a fault."""

    def act(given: Given) -> Reply:
        given.fault("modifyCourseTeacher", errno, in_entries=True)
        return Taught(given).modify(given.teacher())

    return act


MODIFY_CASES: Final = (
    Case(1, lambda g: modify(g, lambda _: g.teacher()), "entry"),
    *common(MODIFY_COURSE_TEACHER, courseId=1, teacherUid=1),
    Case(147, lambda g: modify_in(g, CourseId(NONE))),
    Case(144, lambda g: modify_in(g, g.other().course())),
    Case(149, lambda g: modify_in(g, g.deleted_course())),
    Case(146, lambda g: modify_in(g, g.ended_course())),
    Case(153, lambda g: modify_in(g, expired_course(g))),
    Case(369, lambda g: modify_in(g, g.public_course())),
    Case(134, lambda g: Taught(g).modify(teacherAccount=MALFORMED)),
    Case(134, lambda g: Taught(g).modify(teacherAccount="12000000000")),
    Case(400, lambda g: modify(g, lambda _: NONE)),
    Case(400, lambda g: Taught(g).modify(teacherAccount=g.telephone())),
    Case(136, lambda g: modify(g, lambda _: g.student())),
    Case(884, lambda g: modify(g, lambda _: g.cancelled(g.teacher()))),
    Case(387, lambda g: modify(g, lambda _: g.stopped(g.teacher()))),
    Case(805, lambda g: modify(g, lambda _: g.stopping(g.teacher()))),
    Case(188, lambda g: modify_in(g, g.course())),
    Case(369, lambda g: modify(g, as_sub_lesson), "entry"),
    Case(466, lambda g: modify(g, made_elsewhere), "entry"),
    Case(172, lambda g: modify(g, lambda t: g.teaching_member(t.course, STUDENT)), "entry"),
    Case(173, lambda g: modify(g, lambda t: g.teaching_member(t.course, AUDITOR)), "entry"),
    Case(187, lambda g: modify(g, guest), "entry"),
    Case(328, co_teacher, "entry"),
    *(Case(e.number, failing(e), "entry") for e in MODIFY_COURSE_TEACHER.entry_faults),
)


def remove(given: Given, make_teacher: Callable[[Taught], object]) -> Reply:
    """Call removeCourseTeacher for a course of its own."""
    taught = Taught(given)
    return taught.remove(make_teacher(taught))


def remove_from(given: Given, course: CourseId) -> Reply:
    """Call removeCourseTeacher for a course that cannot be changed."""
    return Taught(given).remove(given.teacher(), courseId=course)


def former(taught: Taught) -> UserId:
    """Let another teacher take over the class."""
    assert taught.modify(taught.given.teacher()).errnos == [1]
    return taught.teacher


def head_teacher(taught: Taught) -> UserId:
    head = taught.given.teacher()
    taught.given.done("editCourse", courseId=taught.course, mainTeacherUid=head)
    return head


REMOVE_CASES: Final = (
    Case(1, lambda g: remove(g, former)),
    *common(REMOVE_COURSE_TEACHER, courseId=1, teacherUid=1),
    Case(147, lambda g: remove_from(g, CourseId(NONE))),
    Case(144, lambda g: remove_from(g, g.other().course())),
    Case(149, lambda g: remove_from(g, g.deleted_course())),
    Case(153, lambda g: remove_from(g, g.ended_course())),
    Case(153, lambda g: remove_from(g, expired_course(g))),
    Case(369, lambda g: remove_from(g, g.public_course())),
    Case(122, lambda g: Taught(g).remove(teacherAccount=MALFORMED)),
    Case(400, lambda g: remove(g, lambda _: NONE)),
    Case(400, lambda g: Taught(g).remove(teacherAccount=g.telephone())),
    Case(136, lambda g: remove(g, lambda _: g.student())),
    Case(316, lambda g: remove(g, lambda _: g.teacher())),
    Case(315, lambda g: remove(g, head_teacher)),
    Case(317, lambda g: remove(g, lambda t: t.teacher)),
)
TABLES: Final = (
    (MODIFY_COURSE_TEACHER, MODIFY_CASES),
    (REMOVE_COURSE_TEACHER, REMOVE_CASES),
)


@pytest.mark.parametrize(("action", "cases"), TABLES, ids=lambda row: getattr(row, "name", ""))
def test_a_table_has_every_number_of_its_action(
    action: Action[Any, Any], cases: tuple[Case, ...]
) -> None:
    check_table(action, cases)


@pytest.mark.parametrize("case", MODIFY_CASES, ids=str)
def test_modify_course_teacher(given: Given, case: Case) -> None:
    case.run(given)


@pytest.mark.parametrize("case", REMOVE_CASES, ids=str)
def test_remove_course_teacher(given: Given, case: Case) -> None:
    case.run(given)


# --- modifyCourseTeacher -------------------------------------------------------------------------


def test_classes_ahead_change_their_teacher_in_the_order_of_their_ids(given: Given) -> None:
    taught = Taught(given)
    begin = given.now + 2 * HOUR
    later = given.lesson(taught.course, beginTime=begin + DAY, endTime=begin + DAY + HOUR)
    running = given.lesson(taught.course, beginTime=begin, endTime=begin + HOUR)
    soon = given.lesson(taught.course, beginTime=begin + 60, endTime=begin + HOUR)
    closed, deleted = given.lesson(taught.course), given.lesson(taught.course)
    given.closed_early(closed)
    given.done("delCourseClass", courseId=taught.course, classId=deleted)
    elsewhere = Taught(given)
    before = taught.listed
    given.until(begin)
    teacher = given.teacher()
    reply = taught.modify(teacher)
    ahead = sorted([taught.lesson, later, soon])
    assert (reply.errno, reply.reason) == (1, "")
    assert [(row["classId"], row["errno"]) for row in reply.data] == [(id_, 1) for id_ in ahead]
    assert {taught.teacher_of(lesson) for lesson in ahead} == {teacher}
    others = (running, closed, deleted, elsewhere.lesson)
    assert teacher not in {taught.teacher_of(lesson) for lesson in others}
    assert taught.listed == {*before, teacher}


def test_a_class_that_cannot_have_the_teacher_keeps_its_own(given: Given) -> None:
    taught = Taught(given)
    helper = given.teacher()
    helped = given.lesson(taught.course, assistantUid=helper)
    elsewhere = given.made_elsewhere(given.lesson(taught.course, teacherUid=helper))
    own = given.lesson(taught.course, teacherUid=helper)
    reply = taught.modify(helper)
    assert reply.errnos == [1, 328, 466, 1]
    assert reply.reason.startswith("entry 2: ")
    assert taught.teacher_of(taught.lesson) == taught.teacher_of(own) == helper
    assert taught.teacher_of(helped) != helper
    assert taught.teacher_of(elsewhere) == helper


def test_a_class_that_has_the_teacher_is_done_whatever_other_roles_there_are(
    given: Given,
) -> None:
    taught = Taught(given)
    given.guest(taught.lesson, taught.teacher)
    assert taught.modify(taught.teacher).errnos == [1]


def test_where_no_class_takes_the_teacher_the_course_list_stays(given: Given) -> None:
    taught = Taught(given)
    student = given.teaching_member(taught.course)
    before = taught.listed
    assert taught.modify(student).errnos == [172]
    assert taught.listed == before


def test_a_teacher_may_be_named_by_account_and_the_uid_wins(given: Given) -> None:
    taught = Taught(given)
    telephone = given.telephone()
    by_account = given.user(telephone=telephone, addToSchoolMember=2)
    assert taught.modify(teacherAccount=telephone).errnos == [1]
    assert taught.teacher_of(taught.lesson) == by_account
    assert taught.modify(taught.teacher, teacherAccount=MALFORMED).errnos == [1]
    assert taught.teacher_of(taught.lesson) == taught.teacher
    assert taught.modify().reason == "teacherUid: is missing or empty"


def test_main_classes_are_left_alone_as_long_as_they_have_sub_classes(given: Given) -> None:
    taught = Taught(given)
    sub = given.lesson(taught.course)
    bind = update(lessons).where(lessons.c.id == sub)
    given.write(bind.values(main_lesson_id=taught.lesson))
    assert taught.modify(given.teacher()).errnos == [369, 369]
    given.write(bind.values(deleted_at=given.now))
    assert taught.modify(given.teacher()).errnos == [1]


def test_30_classes_take_as_many_statements_as_one(given: Given) -> None:
    taught = Taught(given)
    counts = []
    for _ in range(2):
        with traced(given) as issued:
            assert set(taught.modify(given.teacher()).errnos) == {1}
            counts.append(len(issued))
        for _ in range(29):
            given.lesson(taught.course, teacherUid=taught.teacher)
    assert counts[0] == counts[1] > 0


# --- removeCourseTeacher -------------------------------------------------------------------------


def test_who_teaches_or_helps_in_a_class_that_is_not_over_stays(given: Given) -> None:
    helper = given.teacher()
    begin = given.now + HOUR
    taught = Taught(given, assistantUid=helper, beginTime=begin, endTime=begin + HOUR)
    given.until(begin + HOUR)
    assert [taught.remove(uid).errno for uid in (taught.teacher, helper)] == [317, 317]
    given.clock.advance(20 * 60)
    assert taught.listed == {taught.teacher, helper}
    assert [taught.remove(uid).errno for uid in (taught.teacher, helper)] == [1, 1]
    assert taught.listed == set()
    assert taught.remove(helper).errno == 316


def test_classes_of_other_courses_do_not_count(given: Given) -> None:
    taught = Taught(given)
    former(taught)
    given.lesson(teacherUid=taught.teacher)
    assert taught.remove(taught.teacher).errno == 1


def test_stopped_and_cancelled_teachers_can_be_removed(given: Given) -> None:
    first, second = Taught(given), Taught(given)
    for taught, take in ((first, given.stopped), (second, given.cancelled)):
        former(taught)
        take(taught.teacher)
        assert taught.remove(taught.teacher).errno == 1
        assert taught.teacher not in taught.listed


def test_a_head_teacher_is_replaced_and_not_removed(given: Given) -> None:
    taught = Taught(given)
    head = head_teacher(taught)
    refused = taught.remove(head)
    assert (refused.errno, "editCourse" in refused.reason) == (315, True)
    given.done("editCourse", courseId=taught.course, mainTeacherUid=given.teacher())
    assert taught.remove(head).errno == 1
