"""Adding people to courses and removing them (READINGS Q2, Q3, Q12, Q14, Q31, Q32)."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import pytest
from sqlalchemy import insert, select

from homeroom.base.ids import CourseId, UserId
from homeroom.store.statement import Statement
from homeroom.store.tables import course_members, students, users
from tests.support.given import Given
from tests.support.tracing import traced
from tests.support.wire import Reply, Value

UNKNOWN_UID: Final = UserId(10**9)
NO_COURSE: Final = CourseId(10**9)
STUDENT: Final = 1
AUDITOR: Final = 2


def add(given: Given, course: CourseId, user: Value, role: int = STUDENT, **more: Value) -> Reply:
    """Call addCourseStudent by UID."""
    form: dict[str, Value] = {"courseId": course, "identity": role, "studentUid": user}
    return given.api.call("addCourseStudent", **form, **more)


def add_several(
    given: Given, course: CourseId, entries: list[Any] | str, role: int | None = STUDENT
) -> Reply:
    """Call addCourseStudentMultiple."""
    form: dict[str, Value] = {"courseId": course, "identity": role, "studentJson": entries}
    return given.api.call("addCourseStudentMultiple", **form)


def remove(
    given: Given, course: CourseId, uids: list[Any] | str | None, role: int = STUDENT, **more: Value
) -> Reply:
    """Call delCourseStudentMultiple."""
    form: dict[str, Value] = {"courseId": course, "identity": role, "studentUidJson": uids}
    return given.api.call("delCourseStudentMultiple", **form, **more)


def members(given: Given, course: CourseId) -> dict[UserId, tuple[int, str | None, str | None]]:
    """Return the members of a course: role, name and nickname of each."""
    m = course_members.c
    query = select(m.user_id, m.role, m.name, m.nickname).where(m.course_id == course)
    return {UserId(uid): (role, name, nick) for uid, role, name, nick in given.rows(query)}


def many_students(given: Given, count: int) -> list[UserId]:
    """Make students of the school without hashing a password for each."""
    now, school = given.now, given.school.id
    names = [f"{given.telephone()}@many.test" for _ in range(count)]

    def write(uow: Any) -> list[UserId]:  # noqa: ANN401  a unit of work
        tx = uow.schools._tx  # noqa: SLF001  the way in
        uids = []
        for name in names:
            values = {"email": name, "nickname": name, "created_at": now}
            user = Statement(insert(users).values(values).returning(users.c.id))
            uids.append(UserId(tx.fetch_all(user, {})[0][0]))
        uow.accounts.add_students(school, [(uid, "Student") for uid in uids], now)
        return uids

    return given.store.write(write)


def test_a_uid_may_come_alone_or_in_a_list_of_one(given: Given) -> None:
    course = given.course()
    assert add(given, course, [int(given.student())]).errno == 1
    assert add(given, course, f"['{given.student()}']").errno == 1
    assert add(given, course, [given.student(), given.student()]).errno == 100
    assert len(members(given, course)) == 2


def test_the_uid_wins_over_the_account(given: Given) -> None:
    course, student = given.course(), given.student()
    assert add(given, course, student, studentAccount="12345").errno == 1
    entry = {"uid": (other := given.student()), "account": "12345"}
    assert add_several(given, course, [entry]).errnos == [1]
    assert members(given, course).keys() == {student, other}


def test_an_auditor_is_shown_by_name_or_else_by_account_and_a_student_by_neither(
    given: Given,
) -> None:
    course, telephone = given.course(), given.telephone()
    unnamed = given.user(telephone=telephone, nickname="Anna", addToSchoolMember=1)
    named, student = given.student(), given.student()
    assert add(given, course, unnamed, AUDITOR).errno == 1
    assert add(given, course, named, AUDITOR, studentName="名" * 25).errno == 1
    assert add(given, course, student, STUDENT, studentName="Name").errno == 1
    shown = {uid: name for uid, (_, name, _) in members(given, course).items()}
    assert shown == {unnamed: telephone, named: "名" * 24, student: None}


def test_a_course_takes_twenty_auditors_and_any_number_of_students(given: Given) -> None:
    course, people = given.course(), many_students(given, 42)
    auditors = add_several(given, course, [{"uid": uid} for uid in people[:21]], AUDITOR)
    assert auditors.errnos == [1] * 20 + [130]
    assert add(given, course, people[20], AUDITOR).errno == 130
    removed = remove(given, course, people[:1], AUDITOR)
    assert removed.errnos == [1]
    assert add(given, course, people[20], AUDITOR).errno == 1
    added = add_several(given, course, [{"uid": uid} for uid in people[21:]])
    assert added.errnos == [1] * 21


def test_a_member_takes_over_the_school_name_where_the_school_wants_it(given: Given) -> None:
    course, first, second = given.course(), given.user(nickname="Anna"), given.user(nickname="Bea")
    for user in (first, second):
        given.done("addSchoolStudent", studentUid=user, studentName=f"Student {user}")
    assert add(given, course, first).errno == 1
    given.plan(sync_nickname=True)
    assert add(given, course, second).errno == 1
    nicknames = {uid: nickname for uid, (_, _, nickname) in members(given, course).items()}
    assert nicknames == {first: "Anna", second: f"Student {second}"}


def test_a_member_whose_nickname_could_not_follow_is_a_member_all_the_same(given: Given) -> None:
    given.plan(sync_nickname=True)
    first, second = given.course(), given.course()
    assert add(given, first, given.school.owner).errno == 841
    assert add_several(given, second, [{"uid": given.school.owner}]).errnos == [841]
    assert members(given, first).keys() == members(given, second).keys() == {given.school.owner}


def test_the_school_account_may_be_a_member_and_another_schools_may_not(given: Given) -> None:
    course = given.course()
    assert add(given, course, given.school.owner, AUDITOR).errno == 1
    assert add(given, course, given.other().school.owner).errno == 228


def test_a_former_teacher_of_one_class_is_still_a_teacher_of_the_course(given: Given) -> None:
    course, helper = given.course(), given.student()
    given.done("addTeacher", teacherUid=helper, teacherName="Helper")
    given.lesson(course, assistantUids=[helper])
    assert add(given, course, helper).errno == 332
    assert add(given, course, helper, AUDITOR).errno == 332
    assert add(given, given.course(), helper).errno == 1


def test_results_come_in_the_order_of_the_request_and_echo_the_callers_tag(given: Given) -> None:
    course, anna, bea = given.course(), given.student(), given.student()
    entries = [
        {"uid": str(anna), "customColumn": 7},
        {"uid": UNKNOWN_UID, "customColumn": "x" * 51},
        {"uid": "no uid", "customColumn": "bad"},
        {"uid": anna, "customColumn": ""},
        {"uid": bea},
    ]
    reply = add_several(given, course, entries, role=None)
    assert (reply.errno, reply.errnos) == (1, [1, 400, 400, 133, 1])
    echoed = [entry.get("customColumn") for entry in reply.data]
    assert echoed == ["7", "x" * 50, "bad", None, None]
    assert members(given, course).keys() == {anna, bea}
    assert {role for role, _, _ in members(given, course).values()} == {STUDENT}


def test_entries_that_all_fail_leave_the_call_at_1(given: Given) -> None:
    course = given.course()
    for reply in (
        add_several(given, course, [{"uid": UNKNOWN_UID}]),
        remove(given, course, [UNKNOWN_UID]),
    ):
        assert (reply.errno, reply.errnos) == (1, [400])
        assert set(reply.body) == {"data", "error_info"}


def test_what_concerns_the_course_or_the_list_is_answered_without_data(given: Given) -> None:
    course = given.other().course()
    for reply in (
        add_several(given, course, [{"uid": given.student()}]),
        add_several(given, course, []),
        remove(given, course, [given.student()]),
        remove(given, course, []),
    ):
        assert set(reply.body) == {"error_info"}


def test_one_person_by_uid_and_by_account_is_one_person(given: Given) -> None:
    course, telephone = given.course(), given.telephone()
    uid = given.user(telephone=telephone, addToSchoolMember=1)
    reply = add_several(given, course, [{"account": telephone}, {"uid": uid}])
    assert reply.errnos == [1, 133]


def test_who_is_removed_may_come_again_and_is_gone_only_in_the_role_asked_for(
    given: Given,
) -> None:
    course = given.course()
    student, auditor = given.member(course, STUDENT), given.member(course, AUDITOR)
    reply = remove(given, course, [student, auditor, student, UNKNOWN_UID])
    assert reply.errnos == [1, 162, 162, 400]
    assert [set(entry) for entry in reply.data] == [{"errno", "error"}] * 4
    assert members(given, course).keys() == {auditor}
    assert remove(given, course, [student]).errnos == [162]
    assert add(given, course, student).errno == 1


@pytest.mark.parametrize("form", ["['{}']", "[{}]", '["{}",]', " [ '{}' , ] ", "['{}', 'x']"])
def test_lists_of_uids_are_read_as_clients_write_them(given: Given, form: str) -> None:
    course = given.course()
    student = given.member(course)
    assert remove(given, course, form.format(student)).errnos[0] == 1


@pytest.mark.parametrize("form", ["", "[]", "{}", "'1'", "1", "[1", '[{"a":1]', "[[1],]", "null"])
def test_what_is_no_list_is_100_or_155(given: Given, form: str) -> None:
    reply = remove(given, given.course(), form)
    assert reply.errno == (155 if form else 100)
    assert add_several(given, given.course(), form).errno == (155 if form else 100)


def test_the_list_of_uids_wins_and_the_accounts_are_not_even_read(given: Given) -> None:
    course = given.course()
    student = given.member(course)
    for accounts in ("no list", [{"a": 1}], ["12345"], ["x"] * 1001):
        assert remove(given, course, [student], studentJson=accounts).errno == 1
    assert not members(given, course)


def test_members_are_removed_by_account(given: Given) -> None:
    course, telephone = given.course(), f"001-{given.telephone()}"
    address = f"{given.telephone()}@school.test"
    for name in ({"telephone": telephone}, {"telephone": None, "email": address}):
        assert add(given, course, given.user(addToSchoolMember=1, **name)).errno == 1
    accounts = [telephone, "12345", given.telephone(), address.upper(), None, 5, telephone]
    reply = remove(given, course, None, studentJson=accounts)
    assert reply.errnos == [1, 134, 162, 1, 134, 134, 162]
    assert not members(given, course)


@pytest.mark.parametrize("accounts", ["no list", ["13800000000"] * 1001])
def test_accounts_that_are_no_list_or_too_long_a_one_are_refused(
    given: Given, accounts: Value
) -> None:
    reply = remove(given, given.course(), None, studentJson=accounts)
    assert reply.errno == (155 if accounts == "no list" else 100)
    assert reply.reason.startswith("studentJson: ")


def test_neither_list_is_100(given: Given) -> None:
    assert remove(given, given.course(), None).errno == 100


@pytest.mark.parametrize("role", ["0", "3", "x", "", None])
def test_an_unknown_role_is_100_where_none_counts_as_student_in_batches_of_additions(
    given: Given, role: str | None
) -> None:
    form: dict[str, Value] = {"courseId": given.course(), "identity": role}
    student = given.student()
    single = given.api.call("addCourseStudent", **form, studentUid=student)
    assert single.errno == 100
    assert given.api.call("delCourseStudentMultiple", **form, studentUidJson=[1]).errno == 100
    entries: list[Value] = [{"uid": student}]
    several = given.api.call("addCourseStudentMultiple", **form, studentJson=entries)
    assert several.errno == (1 if role in {"0", "", None} else 100)


def test_a_thousand_entries_are_served_and_one_more_is_100(given: Given) -> None:
    course, people = given.course(), many_students(given, 1000)
    entries = [{"uid": uid} for uid in people]
    assert add_several(given, course, [*entries, {"uid": UNKNOWN_UID}]).errno == 100
    assert remove(given, course, [*people, UNKNOWN_UID]).errno == 100
    assert add_several(given, course, entries).errnos == [1] * 1000
    assert remove(given, course, people).errnos == [1] * 1000
    assert not members(given, course)


def test_the_number_of_statements_does_not_depend_on_the_number_of_entries(given: Given) -> None:
    course, people = given.course(), many_students(given, 501)
    counts: dict[str, list[int]] = {"add": [], "remove": []}
    for some in (people[:1], people[1:]):
        with traced(given) as issued:
            assert set(add_several(given, course, [{"uid": uid} for uid in some]).errnos) == {1}
            counts["add"].append(len(issued))
        with traced(given) as issued:
            assert set(remove(given, course, json.dumps(some)).errnos) == {1}
            counts["remove"].append(len(issued))
    assert counts["add"][0] == counts["add"][1] > 0
    assert counts["remove"][0] == counts["remove"][1] > 0


def test_of_many_additions_of_one_student_at_once_one_counts(given: Given) -> None:
    course, student = given.course(), given.student()
    with ThreadPoolExecutor(20) as clients:
        replies = list(clients.map(lambda _: add(given, course, student), range(20)))
    assert sorted(reply.errno for reply in replies) == [1] + [163] * 19


def test_additions_at_once_keep_the_limit(given: Given) -> None:
    course, people = given.course(), many_students(given, 12)
    given.plan(max_course_auditors=5)
    with ThreadPoolExecutor(12) as clients:
        replies = list(clients.map(lambda uid: add(given, course, uid, AUDITOR), people))
    assert sorted(reply.errno for reply in replies) == [1] * 5 + [130] * 7
    assert len(members(given, course)) == 5


def test_of_many_removals_of_one_student_at_once_one_counts(given: Given) -> None:
    course = given.course()
    student = given.member(course)
    with ThreadPoolExecutor(20) as clients:
        replies = list(clients.map(lambda _: remove(given, course, [student]), range(20)))
    assert sorted(reply.errnos[0] for reply in replies) == [1] + [162] * 19


def test_a_student_of_the_school_stays_one_when_the_course_lets_go(given: Given) -> None:
    course = given.course()
    student = given.member(course)
    remove(given, course, [student])
    query = select(students.c.id).where(students.c.user_id == student)
    assert len(given.rows(query)) == 1
