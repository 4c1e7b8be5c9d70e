"""Deleting classes that have not been held: how each number of delCourseClass comes about."""

import pytest

from homeroom.contract.errno import Errno
from homeroom.contract.lessons import DEL_COURSE_CLASS
from tests.support.cases import Case, check_table
from tests.support.given import Given
from tests.support.scheduled import Scheduled
from tests.support.wire import Reply, Value

UNKNOWN_ID = 10**9
"""An id that nothing has."""


def delete(given: Given, **fields: Value) -> Reply:
    """Call delCourseClass for a class that can be deleted but for what is said."""
    held = Scheduled(given)
    ids = {"courseId": held.course, "classId": held.lesson}
    return given.api.call("delCourseClass", **{**ids, **fields})


def twice(given: Given) -> Reply:
    held = Scheduled(given)
    assert held.delete().errno == 1
    return held.delete()


def made_elsewhere(given: Given) -> Reply:
    held = Scheduled(given)
    given.made_elsewhere(held.lesson)
    return held.delete()


def keeping_its_identity(given: Given) -> Reply:
    given.plan(keep_identities=True)
    return Scheduled(given, courseUniqueIdentity="one").delete()


DEL_COURSE_CLASS_CASES = (
    Case(1, delete),
    Case(100, lambda g: delete(g, classId="")),
    Case(102, lambda g: g.api.post("delCourseClass", data={**g.api.signed(), "safeKey": "0" * 32})),
    Case(144, lambda g: delete(g, courseId=g.other().course())),
    Case(369, lambda g: delete(g, courseId=g.public_course())),
    Case(143, lambda g: delete(g, classId=UNKNOWN_ID)),
    Case(142, lambda g: delete(g, courseId=g.course())),
    Case(212, twice),
    Case(466, made_elsewhere),
    Case(140, lambda g: Scheduled(g).running().delete()),
    Case(145, lambda g: Scheduled(g).over().delete()),
    Case(823, keeping_its_identity),
    Case(104, lambda g: delete(g.failing(DEL_COURSE_CLASS, Errno.FAILED)), "fault"),
    Case(114, lambda g: delete(g.failing(DEL_COURSE_CLASS, Errno.SERVER_FAULT)), "fault"),
)


def test_table_names_every_errno() -> None:
    """The table and the contract name the same numbers."""
    check_table(DEL_COURSE_CLASS, DEL_COURSE_CLASS_CASES)


@pytest.mark.parametrize("case", DEL_COURSE_CLASS_CASES, ids=str)
def test_del_course_class(given: Given, case: Case) -> None:
    """Each number of the action arises as the table says."""
    case.run(given)


def test_a_course_that_nobody_has_is_not_in_the_school_either(given: Given) -> None:
    """The action knows no 147."""
    assert delete(given, courseId=UNKNOWN_ID).errno == 144


def test_a_class_may_be_deleted_until_it_starts_and_not_before_its_overtime_is_over(
    given: Given,
) -> None:
    """The last 20 minutes freeze much, but not the deletion; overtime counts as running."""
    soon, running = Scheduled(given), Scheduled(given)
    assert soon.soon().delete().errno == 1
    assert running.running().delete().errno == 140
    assert running.past_end().delete().errno == 140
    assert running.over().delete().errno == 145
    assert soon.seen.deleted_at is not None
    assert running.seen.deleted_at is None


def test_a_class_closed_early_is_over(given: Given) -> None:
    held = Scheduled(given).running()
    given.closed_early(held.lesson)
    assert held.delete().errno == 145


def test_the_class_of_a_deleted_course_is_deleted(given: Given) -> None:
    held = Scheduled(given)
    given.set_course(held.course, deleted_at=given.now)
    assert held.delete().errno == 212


def test_a_class_of_an_ended_course_that_had_begun_may_still_be_asked_about(given: Given) -> None:
    """READINGS Q49: 153 only where it is listed, and here it is not."""
    held = Scheduled(given).over()
    given.done("endCourse", courseId=held.course)
    assert held.delete().errno == 145


def test_a_deleted_class_is_a_class_no_more(given: Given) -> None:
    held = Scheduled(given)
    held.delete()
    assert held.edit(className="Another").errno == 212
    assert given.api.call("deleteClassVideo", classId=held.lesson).errno == 233
    given.done("stopUsingTeacher", teacherUid=held.teacher)
