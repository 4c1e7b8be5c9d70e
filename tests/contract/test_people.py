"""Changes to people of a school: names, photos, passwords and sub-accounts."""

from typing import Any, Final

import pytest
from sqlalchemy import select

from homeroom.base.ids import UserId
from homeroom.base.keys import md5_hex
from homeroom.base.passwords import verify_password
from homeroom.contract.accounts import EDIT_SCHOOL_STUDENT, MODIFY_PASSWORD_BY_TELEPHONE
from homeroom.contract.action import Action
from homeroom.contract.sub_accounts import DELETE_SUB_SCHOOL_ACCOUNT
from homeroom.contract.teachers import EDIT_TEACHER
from homeroom.store.tables import school_passwords, sessions, students, sub_accounts, teachers
from homeroom.store.unit_of_work import UnitOfWork
from tests.support.cases import Case, check_table, common
from tests.support.given import Given
from tests.support.pictures import png
from tests.support.wire import Reply, Value

UNKNOWN_UID: Final = UserId(10**9)
PASSWORD: Final = "a new one"


def set_password(given: Given, uid: UserId | None = None, **fields: Value) -> Reply:
    """Call modifyPasswordByTelephone with a plain password by default."""
    form = {"uid": uid, "password": PASSWORD, **fields}
    return given.api.call("modifyPasswordByTelephone", **form)


def rename_student(given: Given, uid: UserId, name: str = "Student") -> Reply:
    """Call editSchoolStudent."""
    return given.api.call("editSchoolStudent", studentUid=uid, studentName=name)


def edit_teacher(
    given: Given, uid: UserId, name: str = "Teacher", picture: bytes | None = None
) -> Reply:
    """Call editTeacher, with a photo if there is one."""
    fields: dict[str, Value] = {"teacherUid": uid, "teacherName": name}
    if picture is None:
        return given.api.call("editTeacher", **fields)
    return given.api.upload("editTeacher", picture, **fields)


def delete_sub_account(given: Given, uid: UserId) -> Reply:
    """Call deleteSubSchoolAccount."""
    return given.api.call("deleteSubSchoolAccount", UID=uid)


def outsider(given: Given) -> UserId:
    """Return a user who is on a list of another school only."""
    return given.other().student()


def registered(given: Given, **fields: Value) -> tuple[UserId, str]:
    """Register a user, and return UID and telephone number."""
    telephone = given.telephone()
    return given.user(telephone=telephone, **fields), telephone


def cancelled_telephone(given: Given) -> str:
    """Return the telephone number of a cancelled student."""
    student, telephone = registered(given, addToSchoolMember=1)
    given.cancelled(student)
    return telephone


def password_hash_of(given: Given, uid: UserId) -> str:
    """Return the hash of the password that counts on the pages of the school."""
    query = select(school_passwords.c.password_hash).where(
        school_passwords.c.school_id == given.school.id, school_passwords.c.user_id == uid
    )
    return str(given.rows(query)[0][0])


MODIFY_PASSWORD_CASES: Final = (
    Case(1, lambda g: set_password(g, g.student())),
    *common(MODIFY_PASSWORD_BY_TELEPHONE, uid=1, password=PASSWORD),
    Case(100, lambda g: set_password(g, password=PASSWORD)),
    Case(100, lambda g: set_password(g, g.student(), password="", md5pass="")),
    Case(100, lambda g: set_password(g, g.student(), password=None, md5pass="0" * 31)),
    Case(134, lambda g: set_password(g, telephone="12345")),
    Case(134, lambda g: set_password(g, telephone="12000000000")),
    Case(137, lambda g: set_password(g, g.student(), password="12345")),
    Case(137, lambda g: set_password(g, g.student(), password="x" * 21)),
    Case(113, lambda g: set_password(g, telephone=g.telephone())),
    Case(113, lambda g: set_password(g, telephone=cancelled_telephone(g))),
    Case(400, lambda g: set_password(g, UNKNOWN_UID)),
    Case(400, lambda g: set_password(g, g.cancelled(g.student()))),
    Case(227, lambda g: set_password(g, outsider(g))),
    Case(227, lambda g: set_password(g, g.user())),
)
EDIT_SCHOOL_STUDENT_CASES: Final = (
    Case(1, lambda g: rename_student(g, g.student())),
    *common(EDIT_SCHOOL_STUDENT, studentUid=1, studentName="Student"),
    Case(228, lambda g: rename_student(g, outsider(g))),
    Case(228, lambda g: rename_student(g, g.teacher())),
    Case(228, lambda g: rename_student(g, UNKNOWN_UID)),
)
EDIT_TEACHER_CASES: Final = (
    Case(1, lambda g: edit_teacher(g, g.teacher())),
    *common(EDIT_TEACHER, teacherUid=1, teacherName="Teacher"),
    Case(219, lambda g: edit_teacher(g, g.student())),
    Case(219, lambda g: edit_teacher(g, g.other().teacher())),
    Case(219, lambda g: edit_teacher(g, UNKNOWN_UID)),
    Case(103, lambda g: edit_teacher(g, g.teacher(), picture=b"no picture")),
)
DELETE_SUB_SCHOOL_ACCOUNT_CASES: Final = (
    Case(1, lambda g: delete_sub_account(g, g.sub_account(g.user()))),
    *common(DELETE_SUB_SCHOOL_ACCOUNT, UID=1),
    Case(22101, lambda g: delete_sub_account(g, g.teacher())),
    Case(22101, lambda g: delete_sub_account(g, g.other().sub_account(g.user()))),
    Case(22101, lambda g: delete_sub_account(g, UNKNOWN_UID)),
)
TABLES: Final = (
    (MODIFY_PASSWORD_BY_TELEPHONE, MODIFY_PASSWORD_CASES),
    (EDIT_SCHOOL_STUDENT, EDIT_SCHOOL_STUDENT_CASES),
    (EDIT_TEACHER, EDIT_TEACHER_CASES),
    (DELETE_SUB_SCHOOL_ACCOUNT, DELETE_SUB_SCHOOL_ACCOUNT_CASES),
)


@pytest.mark.parametrize(("action", "cases"), TABLES, ids=lambda each: getattr(each, "name", ""))
def test_a_table_has_every_number_of_its_action(
    action: Action[Any, Any], cases: tuple[Case, ...]
) -> None:
    check_table(action, cases)


@pytest.mark.parametrize("case", MODIFY_PASSWORD_CASES, ids=str)
def test_modify_password_by_telephone(given: Given, case: Case) -> None:
    case.run(given)


@pytest.mark.parametrize("case", EDIT_SCHOOL_STUDENT_CASES, ids=str)
def test_edit_school_student(given: Given, case: Case) -> None:
    case.run(given)


@pytest.mark.parametrize("case", EDIT_TEACHER_CASES, ids=str)
def test_edit_teacher(given: Given, case: Case) -> None:
    case.run(given)


@pytest.mark.parametrize("case", DELETE_SUB_SCHOOL_ACCOUNT_CASES, ids=str)
def test_delete_sub_school_account(given: Given, case: Case) -> None:
    case.run(given)


def test_a_password_counts_for_the_school_that_sets_it_alone(given: Given) -> None:
    student, telephone = registered(given, addToSchoolMember=1)
    other = given.other()
    other.api.call("register", telephone=telephone, password="of the other", addToSchoolMember=1)
    assert set_password(given, student, md5pass="0" * 32).errno == 1
    assert verify_password(password_hash_of(given, student), PASSWORD)
    assert verify_password(password_hash_of(other, student), "of the other")
    assert set_password(given, student, password="", md5pass=md5_hex("another").upper()).errno == 1
    assert verify_password(password_hash_of(given, student), "another")


def test_a_refused_password_changes_nothing(given: Given) -> None:
    student = given.student()
    before = password_hash_of(given, student)
    assert set_password(given, student, password="short").errno == 137
    assert set_password(given.other(), student).errno == 227
    assert password_hash_of(given, student) == before


def test_a_new_password_ends_the_logins_on_the_pages_of_the_school(given: Given) -> None:
    teacher, other = given.teacher(), given.other()
    until = given.now + 1000

    def log_in(uow: UnitOfWork) -> None:
        for school in (given, other):
            uow.sessions.add(school.school.id, teacher, uow.now, until)

    given.store.write(log_in)
    assert set_password(given, teacher).errno == 1
    ended = select(sessions.c.school_id, sessions.c.ended_at).where(sessions.c.user_id == teacher)
    assert dict(given.rows(ended)) == {given.school.id: given.now, other.school.id: None}


def test_the_uid_wins_over_the_telephone_number(given: Given) -> None:
    student = given.student()
    other, telephone = registered(given, addToSchoolMember=1)
    before = password_hash_of(given, other)
    assert set_password(given, student, telephone=telephone).errno == 1
    assert verify_password(password_hash_of(given, student), PASSWORD)
    assert password_hash_of(given, other) == before
    assert set_password(given, telephone=telephone).errno == 1
    assert verify_password(password_hash_of(given, other), PASSWORD)


def test_a_name_changes_on_one_list_and_is_cut(given: Given) -> None:
    user = given.student()
    given.done("addTeacher", teacherUid=user, teacherName="Teacher")
    assert rename_student(given, user, "名" * 25).errno == 1
    names = [
        given.rows(select(table.c.name).where(table.c.user_id == user))[0][0]
        for table in (students, teachers)
    ]
    assert names == ["名" * 24, "Teacher"]
    assert edit_teacher(given, user, "Other").errno == 1
    assert given.rows(select(students.c.name).where(students.c.user_id == user))[0][0] == "名" * 24
    assert given.rows(select(teachers.c.name).where(teachers.c.user_id == user))[0][0] == "Other"


def test_a_photo_is_replaced_and_stays_without_a_new_one(given: Given) -> None:
    teacher = given.stopped(given.teacher())
    query = select(teachers.c.name, teachers.c.photo).where(teachers.c.user_id == teacher)
    assert edit_teacher(given, teacher, "With", png()).errno == 1
    name, photo = given.rows(query)[0]
    assert (name, photo.startswith("pictures/")) == ("With", True)
    assert edit_teacher(given, teacher, "Refused", b"no picture").errno == 103
    assert edit_teacher(given, teacher, "Without").errno == 1
    assert given.rows(query)[0] == ("Without", photo)


def test_a_former_sub_account_keeps_every_other_role(given: Given) -> None:
    user = given.sub_account(given.teacher())
    assert delete_sub_account(given, user).errno == 1
    query = select(sub_accounts.c.user_id).where(sub_accounts.c.user_id == user)
    assert not given.rows(query)
    assert edit_teacher(given, user).errno == 1
    assert delete_sub_account(given, user).errno == 22101
