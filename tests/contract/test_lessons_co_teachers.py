"""Teachers and co-teachers of a class that is edited."""

import pytest

from tests.support.given import Given
from tests.support.scheduled import Scheduled
from tests.support.wire import Value


def test_co_teachers_are_replaced_by_those_sent(given: Given) -> None:
    one, two, three = (given.teacher() for _ in range(3))
    held = Scheduled(given, assistantUid=one)
    assert held.edit(assistantUids=[two, three]).errno == 1
    assert held.co_teachers == [two, three]
    assert held.edit(assistantUid=one).errno == 1
    assert held.co_teachers == [one]


@pytest.mark.parametrize(
    "empty",
    [
        {"assistantUid": ""},
        {"assistantUids": ""},
        {"assistantUids": "[]"},
        {"assistantUids": "[ ]"},
        {"assistantUid": "", "assistantUids": "[]"},
    ],
    ids=str,
)
def test_an_empty_value_removes_all_co_teachers(given: Given, empty: dict[str, Value]) -> None:
    held = Scheduled(given, assistantUids=[given.teacher(), given.teacher()])
    assert held.edit(**empty).errno == 1
    assert held.co_teachers == []


def test_co_teachers_that_are_not_sent_stay(given: Given) -> None:
    helper = given.teacher()
    held = Scheduled(given, assistantUid=helper)
    assert held.edit(className="Another").errno == 1
    assert held.co_teachers == [helper]


def test_an_empty_form_beside_a_full_one_does_not_clear_it(given: Given) -> None:
    """Some clients send every optional empty; only two full forms are refused."""
    helper = given.teacher()
    held = Scheduled(given)
    assert held.edit(assistantUid="", assistantUids=[helper]).errno == 1
    assert held.co_teachers == [helper]
    assert held.edit(assistantUid=helper, assistantUids=[helper]).errno == 100


def test_a_running_class_takes_a_first_co_teacher_and_lets_one_be_replaced_or_removed(
    given: Given,
) -> None:
    one, two = given.teacher(), given.teacher()
    held = Scheduled(given).running()
    assert held.edit(assistantUid=one).errno == 1
    assert held.edit(assistantUid=two).errno == 1
    assert held.co_teachers == [two]
    assert held.edit(assistantUid="").errno == 1
    assert held.co_teachers == []


def test_teacher_and_co_teacher_may_change_places_in_one_edit(given: Given) -> None:
    helper = given.teacher()
    held = Scheduled(given, assistantUid=helper)
    assert held.edit(teacherUid=helper).errno == 328
    assert held.edit(teacherUid=helper, assistantUid=helper).errno == 322
    assert held.edit(teacherUid=helper, assistantUid=held.teacher).errno == 1
    assert (held.seen.teacher, held.co_teachers) == (helper, [held.teacher])


def test_who_is_there_already_is_not_examined_again(given: Given) -> None:
    """A teacher stopped since may stay where others change; only who joins must fit."""
    helper = given.cancelled(given.teacher())
    held = Scheduled(given)
    as_it_is = held.seen
    given.store.write(lambda uow: uow.class_roles.save_co_teachers(as_it_is.id, (helper,)))
    given.cancelled(held.teacher)
    other = given.teacher()
    assert held.edit(teacherUid=held.teacher, assistantUids=[helper, other]).errno == 1
    assert held.co_teachers == [helper, other]
    assert held.edit(assistantUids=[other, helper]).errno == 1
    assert held.co_teachers == [other, helper]


def test_a_cancelled_co_teacher_can_be_removed_until_the_class_runs(given: Given) -> None:
    helper, other = given.teacher(), given.teacher()
    held = Scheduled(given, assistantUids=[helper, other])
    late = Scheduled(given, assistantUids=[helper, other])
    given.cancelled(helper)
    assert held.edit(assistantUid=other).errno == 1
    late.running()
    assert late.edit(assistantUid=other).errno == 327
    assert late.edit(assistantUid=helper).errno == 1
    assert late.co_teachers == [helper]


def test_whoever_teaches_a_class_by_an_edit_is_a_teacher_of_the_course(given: Given) -> None:
    """Such a person cannot become its student (332)."""
    held = Scheduled(given)
    teacher, helper = given.teacher(), given.teacher()
    assert held.edit(teacherUid=teacher, assistantUid=helper).errno == 1
    for person in (teacher, helper):
        given.done("addSchoolStudent", studentUid=person, studentName="Student")
        joins = given.api.call(
            "addCourseStudent", courseId=held.course, identity=1, studentUid=person
        )
        assert joins.errno == 332


def test_the_teacher_is_examined_before_the_co_teachers_and_both_before_the_folder(
    given: Given,
) -> None:
    held = Scheduled(given)
    wrong: dict[str, Value] = {
        "teacherUid": given.student(),
        "assistantUids": [held.teacher, held.teacher],
        "folderId": given.other().folder(),
        "teachMode": 2,
        "isAutoOnstage": 0,
    }
    given.plan(smart_classroom=False)
    for errno, mended in (
        (136, {}),
        (21316, {"teacherUid": ""}),
        (322, {"assistantUids": [held.teacher]}),
        (160, {"assistantUids": [given.teacher()]}),
        (121601001, {"folderId": ""}),
    ):
        wrong |= mended
        assert held.edit(**wrong).errno == errno
