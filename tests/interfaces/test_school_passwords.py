"""A password counts on the pages of the school that set it: case S5."""

from typing import Final

import httpx
import pytest
from sqlalchemy import select

from homeroom.base.ids import SchoolId
from homeroom.base.keys import md5_hex
from homeroom.base.passwords import hash_password
from homeroom.store.tables import lessons, sessions
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import operations
from tests.support.given import Given
from tests.support.wire import Value

OURS: Final = "of-school-a"
THEIRS: Final = "of-school-b"
OPERATORS: Final = "of-operator"
OPEN: Final[dict[str, Value]] = {"record": 1, "live": 1, "replay": 1, "watchByLogin": 1}


def log_in(given: Given, account: str, password: str) -> int:
    """Log in to a class that only those who log in may watch; return the status."""
    rows = given.rows(select(lessons.c.key).where(lessons.c.school_id == given.school.id))
    key = rows[0][0] if rows else given.seen(given.lesson(None, **OPEN)).key
    form = {"account": account, "password": password}
    url = f"{given.house.url}/class/{key}/login"
    headers = {"x-forwarded-for": f"2001:db8:{given.telephone()[-4:]}::1"}
    return httpx.post(url, json=form, headers=headers, timeout=30, trust_env=False).status_code


def register(given: Given, account: str, password: str, **fields: Value) -> int:
    """Register an account with a password; return the errno."""
    name = "email" if "@" in account else "telephone"
    return given.api.call("register", **{name: account}, password=password, **fields).errno


def set_password(given: Given, account: str, password: str, school: int | None = None) -> None:
    """Set a password as the operator does."""
    password_hash = hash_password(password, None)
    sid = SchoolId(school) if school is not None else None
    given.store.write(
        lambda uow: operations.set_password(
            uow, operations.get_user(uow, account).id, sid, password_hash
        )
    )


@pytest.mark.parametrize("name", ["telephone", "email"])
def test_each_school_has_a_password_of_its_own(given: Given, name: str) -> None:
    number = given.telephone()
    account = number if name == "telephone" else f"owner{number}@school.test"
    other = given.other()
    assert register(other, account, THEIRS) == 1
    errno = register(given, account, OURS, addToSchoolMember=1)
    assert errno == (135 if name == "telephone" else 461)
    assert log_in(given, account, THEIRS) == 401
    assert log_in(given, account, OURS) == 200
    assert log_in(other, account, OURS) == 401
    assert log_in(other, account, THEIRS) == 200


def test_a_school_that_set_no_password_lets_nobody_in(given: Given) -> None:
    account = given.telephone()
    uid = given.other().user(telephone=account, md5pass=md5_hex(THEIRS))
    given.done("addSchoolStudent", studentUid=uid, studentName="x")
    assert log_in(given, account, THEIRS) == 401
    set_password(given, account, OPERATORS)
    assert log_in(given, account, OPERATORS) == 200
    assert log_in(given, account, THEIRS) == 401


def test_a_batch_sets_the_password_too_and_a_message_does_not(given: Given) -> None:
    account, messaged = given.telephone(), given.telephone()
    for number in (account, messaged):
        assert register(given.other(), number, THEIRS) == 1
    entries = [{"telephone": account, "password": OURS}]
    assert given.api.call("registerMultiple", userJson=entries).errnos == [135]
    fields: dict[str, Value] = {"isSentMessage": 1, "addToSchoolMember": 1}
    assert register(given, messaged, OURS, **fields) == 135
    assert [log_in(given, account, OURS), log_in(given, messaged, OURS)] == [200, 401]


def test_registering_once_more_keeps_the_password_of_the_school(given: Given) -> None:
    account = given.telephone()
    assert register(given.other(), account, THEIRS) == 1
    assert register(given, account, OURS) == 135
    assert register(given, account, "another one") == 135
    assert [log_in(given, account, OURS), log_in(given, account, "another one")] == [200, 401]


def test_a_number_that_is_registered_again_has_a_new_password(given: Given) -> None:
    account = given.telephone()
    given.cancelled(given.user(telephone=account, md5pass=md5_hex("before")))
    assert register(given, account, OURS) == 1
    assert [log_in(given, account, "before"), log_in(given, account, OURS)] == [401, 200]


def test_the_operator_s_password_counts_everywhere_or_at_one_school(given: Given) -> None:
    account = given.telephone()
    other = given.other()
    assert register(other, account, THEIRS) == 1
    set_password(given, account, OPERATORS)
    assert [log_in(school, account, OPERATORS) for school in (given, other)] == [200, 200]
    # What a school set itself still counts, until the operator replaces it for that school.
    assert log_in(other, account, THEIRS) == 200
    set_password(given, account, "replaced", other.school.id)
    assert log_in(other, account, THEIRS) == 401
    assert [log_in(school, account, "replaced") for school in (given, other)] == [401, 200]


def test_a_new_password_ends_the_logins_where_it_counts(given: Given) -> None:
    account = given.telephone()
    uid = given.other().user(telephone=account)
    other, own = SchoolId(given.other().school.id), SchoolId(given.school.id)

    def begin() -> None:
        def unit(uow: UnitOfWork) -> None:
            for school in (other, own):
                uow.sessions.add(school, uid, uow.now, uow.now + 60)

        given.store.write(unit)

    def holding() -> set[int]:
        open_sessions = (sessions.c.user_id == uid, sessions.c.ended_at.is_(None))
        rows = given.rows(select(sessions.c.school_id).where(*open_sessions))
        return {school for (school,) in rows}

    begin()
    set_password(given, account, OPERATORS, own)
    assert holding() == {other}
    begin()
    set_password(given, account, OPERATORS)
    assert holding() == set()
