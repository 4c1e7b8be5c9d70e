"""Students of single classes: what is kept, undone and counted (READINGS Q65)."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import pytest
from sqlalchemy import select

from homeroom.base.ids import LessonId, UserId
from homeroom.store.tables import guests, lesson_absences
from tests.contract.test_class_students import add, add_to, remove
from tests.contract.test_groupings import Grouped, teams_of
from tests.contract.test_members import many_students
from tests.support.given import Given
from tests.support.orders.groupings import member
from tests.support.scheduled import Scheduled
from tests.support.tracing import traced
from tests.support.wire import Value

MANY: Final = 8


def guests_of(given: Given, lesson: LessonId) -> set[UserId]:
    """Return the guests of a class as the store keeps them."""
    query = select(guests.c.user_id).where(guests.c.lesson_id == lesson)
    return {UserId(uid) for (uid,) in given.rows(query)}


def absent_from(given: Given, lesson: LessonId) -> set[UserId]:
    """Return those transferred out of a class as the store keeps them."""
    query = select(lesson_absences.c.user_id).where(lesson_absences.c.lesson_id == lesson)
    return {UserId(uid) for (uid,) in given.rows(query)}


def test_entries_are_judged_alone_and_their_tags_come_back(given: Given) -> None:
    lesson = Scheduled(given)
    account = given.telephone()
    named = given.user(telephone=account, addToSchoolMember=1)
    student, other = given.student(), given.student()
    reply = add(
        given,
        {"uid": student, "customColumn": "first"},
        {"uid": given.user(), "customColumn": 7},
        {"uid": str(other), "account": "malformed", "customColumn": ""},
        {"account": account},
        {"uid": named},
        to=lesson,
    )
    assert reply.errnos == [1, 228, 1, 1, 166]
    tags = [entry.get("customColumn") for entry in reply.data]
    assert tags == ["first", "7", None, None, None]
    assert guests_of(given, lesson.lesson) == {student, other, named}
    assert "entry 5: UID" in reply.reason


def test_a_guest_is_added_and_removed(given: Given) -> None:
    lesson, guest = Scheduled(given), given.student()
    assert add(given, {"uid": guest}, to=lesson).errnos == [1]
    assert remove(given, guest, guest, of=lesson).errnos == [1, 167]
    assert guests_of(given, lesson.lesson) == absent_from(given, lesson.lesson) == set()
    assert add(given, {"uid": guest}, to=lesson).errnos == [1]


def test_a_student_is_transferred_out_and_comes_back(given: Given) -> None:
    lesson = Scheduled(given)
    student = given.member(lesson.course)
    assert remove(given, student, of=lesson).errnos == [1]
    assert absent_from(given, lesson.lesson) == {student}
    assert remove(given, student, of=lesson).errnos == [167]
    assert add(given, {"uid": student}, to=lesson).errnos == [1]
    assert absent_from(given, lesson.lesson) == guests_of(given, lesson.lesson) == set()
    assert remove(given, student, of=lesson).errnos == [1]
    assert add_to(given, student, lesson.lesson, courseId=lesson.course).errnos == [1]
    assert absent_from(given, lesson.lesson) == set()


def test_a_guest_who_joins_the_course_has_its_role(given: Given) -> None:
    lesson, guest = Scheduled(given), given.student()
    assert add(given, {"uid": guest}, to=lesson).errnos == [1]
    form: dict[str, Value] = {"courseId": lesson.course, "studentUid": guest}
    given.done("addCourseStudent", **form, identity=2)
    assert remove(given, guest, of=lesson).errnos == [167]
    assert add(given, {"uid": guest}, to=lesson).errnos == [164]
    given.done("delCourseStudent", **form, identity=2)
    given.done("addCourseStudent", **form, identity=1)
    assert add(given, {"uid": guest}, to=lesson).errnos == [166]
    assert remove(given, guest, of=lesson).errnos == [1]
    assert absent_from(given, lesson.lesson) == {guest}
    given.done("delCourseStudent", **form, identity=1)
    assert absent_from(given, lesson.lesson) == guests_of(given, lesson.lesson) == set()


def test_who_leaves_the_course_and_comes_back_is_in_every_class(given: Given) -> None:
    lesson = Scheduled(given)
    student = given.member(lesson.course)
    remove(given, student, of=lesson)
    form: dict[str, Value] = {"courseId": lesson.course, "identity": 1, "studentUid": student}
    given.done("delCourseStudent", **form)
    assert remove(given, student, of=lesson).errnos == [167]
    given.done("addCourseStudent", **form)
    assert remove(given, student, of=lesson).errnos == [1]


def test_the_school_account_passes_as_a_guest(given: Given) -> None:
    lesson = Scheduled(given)
    assert add(given, {"uid": given.school.owner}, to=lesson).errnos == [1]
    assert remove(given, given.school.owner, of=lesson).errnos == [1]


def test_accounts_name_those_to_remove_where_no_uids_are_sent(given: Given) -> None:
    lesson, account = Scheduled(given), given.telephone()
    user = given.user(telephone=account, addToSchoolMember=1)
    add(given, {"uid": user}, to=lesson)
    accounts: list[Any] = [account, "12345", None, given.telephone()]
    reply = remove(given, of=lesson, studentUidJson=None, studentJson=accounts)
    assert reply.errnos == [1, 113, 113, 113]
    assert guests_of(given, lesson.lesson) == set()


def test_students_and_guests_count_for_the_limit(given: Given) -> None:
    lesson = Scheduled(given)
    student = given.member(lesson.course)
    given.member(lesson.course, 2)
    given.plan(max_class_students=2)
    first, second = given.student(), given.student()
    assert add(given, {"uid": first}, {"uid": second}, to=lesson).errnos == [1, 157]
    assert remove(given, student, of=lesson).errnos == [1]
    assert add(given, {"uid": second}, to=lesson).errnos == [1]
    assert add(given, {"uid": student}, to=lesson).errnos == [157]
    form: dict[str, Value] = {"courseId": lesson.course, "identity": 2, "studentUid": first}
    given.done("addCourseStudent", **form)
    assert add(given, {"uid": student}, to=lesson).errnos == [1]


def test_the_limit_is_that_of_each_class(given: Given) -> None:
    course = given.course()
    empty, full = given.lesson(course), given.lesson(course)
    given.guest(full, given.student())
    given.plan(max_class_students=1)
    reply = add_to(given, given.student(), full, empty, empty, "0", courseId=course)
    assert reply.errnos == [157, 1, 166, 142]
    assert reply.reason.startswith(f"entry 1: class {full}: the school allows 1 student a class")


@pytest.mark.parametrize("moment", ["soon", "running", "past_end"])
def test_guests_come_and_go_until_the_class_is_over(given: Given, moment: str) -> None:
    lesson, guest = Scheduled(given), given.student()
    student = given.member(lesson.course)
    getattr(lesson, moment)()
    assert add(given, {"uid": guest}, to=lesson).errnos == [1]
    assert remove(given, guest, student, of=lesson).errnos == [1, 1]
    assert add(given, {"uid": student}, to=lesson).errnos == [1]


def test_classes_of_an_expired_course_change_but_not_several_at_once(given: Given) -> None:
    lesson, guest = Scheduled(given), given.student()
    given.set_course(lesson.course, expires_at=given.now)
    assert add_to(given, guest, lesson.lesson, courseId=lesson.course).errno == 153
    assert add(given, {"uid": guest}, to=lesson).errnos == [1]
    assert remove(given, guest, of=lesson).errnos == [1]
    given.set_course(lesson.course, deleted_at=given.now)
    assert add_to(given, guest, lesson.lesson, courseId=lesson.course).errno == 149
    assert add(given, {"uid": guest}, to=lesson).errno == 212
    assert remove(given, guest, of=lesson).errno == 212


def test_the_number_of_statements_does_not_depend_on_the_number_of_entries(given: Given) -> None:
    lesson, people = Scheduled(given), many_students(given, 301)
    lessons = [given.lesson(lesson.course, teacherUid=lesson.teacher) for _ in range(6)]
    given.plan(max_class_students=1000)
    counts: dict[str, list[int]] = {"add": [], "remove": [], "add_to": []}
    for some, classes in ((people[:1], lessons[:1]), (people[1:], lessons[1:])):
        with traced(given) as issued:
            assert set(add(given, *({"uid": uid} for uid in some), to=lesson).errnos) == {1}
            counts["add"].append(len(issued))
        with traced(given) as issued:
            assert set(remove(given, *some, of=lesson).errnos) == {1}
            counts["remove"].append(len(issued))
        with traced(given) as issued:
            assert set(add_to(given, people[0], *classes, courseId=lesson.course).errnos) == {1}
            counts["add_to"].append(len(issued))
    for few, many in counts.values():
        assert few == many > 0


def test_a_thousand_entries_are_served_and_one_more_is_100(given: Given) -> None:
    lesson, people = Scheduled(given), many_students(given, 1001)
    entries = [{"uid": uid} for uid in people]
    assert add(given, *entries, to=lesson).errno == 100
    assert remove(given, *people, of=lesson).errno == 100
    assert add_to(given, people[0], *range(1, 1002), courseId=lesson.course).errno == 100
    assert add(given, *entries[:1000], to=lesson).errnos == [1] * 1000


# --- races --------------------------------------------------------------------------------------


def test_of_many_additions_of_one_guest_at_once_one_counts(given: Given) -> None:
    lesson, guest = Scheduled(given), given.student()

    def call(place: int) -> int:
        if place % 2:
            return add(given, {"uid": guest}, to=lesson).errnos[0]
        return add_to(given, guest, lesson.lesson, courseId=lesson.course).errnos[0]

    with ThreadPoolExecutor(MANY) as clients:
        errnos = sorted(clients.map(call, range(MANY)))
    assert errnos == [1] + [166] * (MANY - 1)
    assert guests_of(given, lesson.lesson) == {guest}


def test_additions_at_once_keep_the_limit_of_the_class(given: Given) -> None:
    lesson, people = Scheduled(given), many_students(given, MANY)
    given.plan(max_class_students=3)
    with ThreadPoolExecutor(MANY) as clients:
        replies = clients.map(lambda uid: add(given, {"uid": uid}, to=lesson).errnos[0], people)
        assert sorted(replies) == [1] * 3 + [157] * (MANY - 3)
    assert len(guests_of(given, lesson.lesson)) == 3


def test_edits_of_a_grouping_beside_those_of_the_roster(given: Given) -> None:
    grouped = Grouped(given)
    people = many_students(given, MANY)
    form: dict[str, Value] = {"courseId": grouped.course, "identity": 1}
    given.done("addCourseStudentMultiple", **form, studentJson=[{"uid": uid} for uid in people])
    teams: list[Any] = [[member(grouped.leader, 1), *map(member, people)]]

    def leave(user: UserId) -> int:
        return given.api.call("delCourseStudent", **form, studentUid=user).errno

    with ThreadPoolExecutor(MANY) as clients:
        leaving = [clients.submit(leave, user) for user in people]
        editing = [clients.submit(grouped.edit, teams) for _ in range(MANY)]
        assert [left.result() for left in leaving] == [1] * MANY
        assert {edit.result().errno for edit in editing} <= {1, 100}
    in_teams = {user for team in teams_of(given, grouped.course) for user, _ in team}
    assert in_teams in ({grouped.leader}, {grouped.leader, grouped.student})


def test_of_many_new_groupings_at_once_one_counts(given: Given) -> None:
    course = given.course()
    teams: list[Any] = [[member(given.member(course), 1)]]
    form: dict[str, Value] = {"courseId": course, "groupName": "Teams", "groupList": teams}
    with ThreadPoolExecutor(MANY) as clients:
        replies = clients.map(lambda _: given.api.call("addCourseGroup", **form).errno, range(MANY))
        assert sorted(replies) == [1] + [892] * (MANY - 1)
