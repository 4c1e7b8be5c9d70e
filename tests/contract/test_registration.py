"""Registering an account: effects, and what stays as it was (READINGS Q24, Q41, Q51)."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import httpx
import pytest
from sqlalchemy import and_, select

from homeroom.base import passwords
from homeroom.base.clock import DAY, HOUR
from homeroom.base.ids import UserId
from homeroom.base.keys import md5_hex
from homeroom.base.passwords import verify_password
from homeroom.contract.errno import Errno
from homeroom.store.tables import school_passwords, students, teachers, users
from tests.support.given import Given
from tests.support.pictures import png
from tests.support.shortcuts import REAL_HASHER
from tests.support.wire import Reply, Value

MD5: Final = "0" * 32


def register(given: Given, **fields: Value) -> Reply:
    """Call register, for an unused number by default."""
    return given.api.call("register", **{"telephone": given.telephone(), "md5pass": MD5, **fields})


def user(given: Given, uid: UserId) -> Any:  # noqa: ANN401  a row
    """Return nickname, password hash and avatar of an account."""
    of_school = and_(
        school_passwords.c.user_id == users.c.id, school_passwords.c.school_id == given.school.id
    )
    query = select(users.c.nickname, school_passwords.c.password_hash, users.c.avatar)
    tables = users.outerjoin(school_passwords, of_school)
    return given.rows(query.select_from(tables).where(users.c.id == uid))[0]


def listed(given: Given, table: Any, uid: UserId) -> list[str]:  # noqa: ANN401  a table
    """Return the names under which a list of the school has somebody."""
    of_school = (table.c.school_id == given.school.id, table.c.user_id == uid)
    return [name for (name,) in given.rows(select(table.c.name).where(*of_school))]


@pytest.mark.parametrize("name", ["telephone", "email"])
def test_a_known_account_is_answered_with_its_uid_and_joins_as_asked(
    given: Given, name: str
) -> None:
    account = given.telephone() if name == "telephone" else f"{given.telephone()}@school.test"
    form: dict[str, Value] = {"telephone": None, name: account}
    uid = given.user(**form, nickname="Anna")
    errno = 135 if name == "telephone" else 461
    for role, table in ((1, students), (2, teachers)):
        again = register(given, **form, nickname="Bea", addToSchoolMember=role)
        assert (again.errno, again.data) == (errno, uid)
        assert listed(given, table, uid) == ["Anna"]


def test_a_known_account_joins_the_lists_of_other_schools_too(given: Given) -> None:
    telephone = given.telephone()
    uid = given.user(telephone=telephone, addToSchoolMember=1)
    again = register(given.other(), telephone=telephone, addToSchoolMember=1)
    assert (again.errno, again.data) == (135, uid)
    assert listed(given.other(), students, uid) == [telephone]


def test_registering_again_overwrites_nothing(given: Given) -> None:
    telephone = given.telephone()
    form = {"telephone": telephone, "nickname": "Anna", "password": "first one"}
    uid = given.api.upload("register", png(), **form).data
    before = user(given, uid)
    form = {"telephone": telephone, "nickname": "Bea", "password": "second one"}
    assert given.api.upload("register", png(kind="GIF"), **form).errno == 135
    assert user(given, uid) == before
    assert verify_password(before[1], "first one")


def test_a_password_in_clear_and_as_md5_is_one_form_kept_by_argon2id(
    given: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "HASHER", REAL_HASHER)
    in_clear = given.user(md5pass=None, password="correct horse")
    as_md5 = given.user(md5pass=md5_hex("correct horse").upper())
    for uid in (in_clear, as_md5):
        kept = user(given, uid)[1]
        assert kept.startswith("$argon2id$v=19$m=7168,t=5,p=1$")
        assert verify_password(kept, "correct horse")
        assert not verify_password(kept, "correct cow")


@pytest.mark.parametrize(("length", "errno"), [(5, 137), (6, 1), (20, 1), (21, 137)])
def test_a_password_has_6_to_20_characters(given: Given, length: int, errno: int) -> None:
    assert register(given, md5pass=None, password="密" * length).errno == errno


def test_a_message_needs_no_password_and_ignores_md5pass(given: Given) -> None:
    none = given.user(md5pass=None, isSentMessage=1, addToSchoolMember=1)
    ignored = given.user(md5pass=md5_hex("ignored"), isSentMessage=1, addToSchoolMember=1)
    clear = given.user(md5pass=None, password="my own", isSentMessage=1, addToSchoolMember=1)
    assert user(given, none)[1]
    assert not verify_password(user(given, ignored)[1], "ignored")
    assert verify_password(user(given, clear)[1], "my own")


def test_a_message_to_a_known_account_does_nothing(given: Given) -> None:
    telephone = given.telephone()
    uid = given.user(telephone=telephone)
    again = register(given, telephone=telephone, isSentMessage=1, addToSchoolMember=1)
    assert (again.errno, again.data) == (135, uid)
    assert not listed(given, students, uid)


def test_a_cancelled_account_gives_its_name_to_a_new_one(given: Given) -> None:
    telephone = given.telephone()
    former = given.cancelled(given.user(telephone=telephone))
    uid = given.user(telephone=telephone, nickname="Next")
    assert uid != former
    assert register(given, telephone=telephone, nickname="Again").data == uid


def test_an_email_address_is_one_whatever_its_case_and_spaces(given: Given) -> None:
    name = f"Anna.{given.telephone()}"
    uid = given.user(telephone=None, email=f"{name}@School.Example.COM")
    for spelling in (f"{name.lower()}@school.example.com", f"  {name.upper()}@SCHOOL.example.com "):
        again = register(given, telephone=None, email=spelling)
        assert (again.errno, again.data) == (461, uid)


@pytest.mark.parametrize(
    ("nickname", "kept"), [("名" * 25, "名" * 24), ("a" * 24, "a" * 24), ("", None), (None, None)]
)
def test_a_nickname_is_cut_and_the_number_stands_in_for_none(
    given: Given, nickname: str | None, kept: str | None
) -> None:
    telephone = given.telephone()
    uid = given.user(telephone=telephone, nickname=nickname, addToSchoolMember=1)
    assert user(given, uid)[0] == (kept or telephone)
    assert listed(given, students, uid) == [kept or telephone]


@pytest.mark.parametrize("role", ["", "0", "3", "-1", "yes"])
def test_any_other_membership_is_none(given: Given, role: str) -> None:
    uid = given.user(addToSchoolMember=role)
    assert not listed(given, students, uid)
    assert not listed(given, teachers, uid)


@pytest.mark.parametrize("role", [1, 2])
def test_an_account_that_could_not_join_exists_all_the_same(given: Given, role: int) -> None:
    given.plan(join_at_registration=False)
    reply = register(given, addToSchoolMember=role)
    assert reply.errno == 819 + role
    assert user(given, reply.data)
    assert not listed(given, students if role == 1 else teachers, reply.data)


def test_an_avatar_is_kept_where_there_is_room_and_the_account_in_any_case(given: Given) -> None:
    form = {"md5pass": MD5}
    kept = given.api.upload("register", png(), telephone=given.telephone(), **form)
    assert (kept.errno, user(given, kept.data)[2] is None) == (1, False)
    given.full_storage()
    left = given.api.upload("register", png(), telephone=given.telephone(), **form)
    assert (left.errno, user(given, left.data)[2]) == (340, None)


def test_the_quota_of_teachers_refuses_a_new_account_and_frees_with_a_stop(given: Given) -> None:
    first = given.teacher()
    given.plan(max_teachers=1)
    telephone = given.telephone()
    assert register(given, telephone=telephone, addToSchoolMember=2).errno == 845
    given.stopped(first)
    assert register(given, telephone=telephone, nickname="A", addToSchoolMember=2).errno == 1


def test_a_known_account_is_not_made_one_teacher_too_many(given: Given) -> None:
    given.teacher()
    given.plan(max_teachers=1)
    telephone = given.telephone()
    uid = given.user(telephone=telephone)
    assert register(given, telephone=telephone, addToSchoolMember=2).errno == 135
    assert not listed(given, teachers, uid)


def test_the_same_parameters_are_refused_for_five_seconds_whatever_their_signature(
    given: Given,
) -> None:
    form = {"telephone": given.telephone(), "md5pass": MD5}
    assert register(given, **form).errno == 1
    given.clock.advance(4)
    assert register(given, **form).errno == 101003002
    assert register(given.other(), **form).errno == 135
    given.clock.advance(1)
    assert register(given, **form).errno == 135


def test_a_refused_request_makes_no_duplicate(given: Given) -> None:
    """READINGS Q58: whoever repeats after a refusal gets the real answer again."""
    for _ in range(2):
        assert register(given, telephone="1", md5pass=MD5).errno == 134
    short = [{"telephone": given.telephone(), "password": "short"}]
    for _ in range(2):
        assert given.api.call("registerMultiple", userJson=short).errnos == [137]
    mixed = [*short, {"telephone": given.telephone(), "md5pass": MD5}]
    assert given.api.call("registerMultiple", userJson=mixed).errnos == [137, 1]
    assert given.api.call("registerMultiple", userJson=mixed).errno == 101003002


def test_a_fault_without_work_makes_no_duplicate_and_a_lost_answer_does(given: Given) -> None:
    form = {"telephone": given.telephone(), "md5pass": MD5}
    given.fault("register", Errno.SERVER_FAULT)
    assert register(given, **form).errno == 114
    given.fault("register", drop=True)
    with pytest.raises(httpx.RemoteProtocolError):
        register(given, **form)
    given.fault("register", drop=True, after_commit=True)
    with pytest.raises(httpx.RemoteProtocolError):
        register(given, **form)
    assert register(given, **form).errno == 101003002


def test_many_registrations_of_one_number_at_once_make_one_account(given: Given) -> None:
    telephone = given.telephone()

    def call(place: int) -> Reply:
        return register(given, telephone=telephone, nickname=f"client {place}")

    with ThreadPoolExecutor(20) as clients:
        replies = list(clients.map(call, range(20)))
    numbers = [reply.errno for reply in replies]
    assert numbers.count(1) == 1
    assert set(numbers) <= {1, 135, 131}
    assert len({reply.data for reply in replies if reply.errno != 131}) == 1
    found = given.rows(select(users.c.id).where(users.c.telephone == telephone))
    assert len(found) == 1


def test_register_multiple_answers_in_order_with_what_was_sent(given: Given) -> None:
    first, second = given.telephone(), given.telephone()
    entries: list[Any] = [
        {"telephone": int(first), "password": 123456, "customColumn": 7},
        {"telephone": "12345", "md5pass": MD5, "customColumn": "x" * 51},
        {"telephone": second, "md5pass": MD5, "customColumn": ""},
        {"telephone": first, "md5pass": MD5},
        {"email": f"{first}@school.test", "md5pass": MD5},
    ]
    reply = given.api.call("registerMultiple", userJson=entries)
    assert reply.errno == 1
    rows = reply.data
    assert [row["errno"] for row in rows] == [1, 134, 1, 135, 1]
    assert [row.get("customColumn") for row in rows] == ["7", "x" * 50, None, None, None]
    assert [row["telephone"] for row in rows] == [first, "12345", second, first, ""]
    assert rows[3]["data"] == rows[0]["data"]
    assert "data" not in rows[1]
    assert verify_password(user(given, rows[0]["data"])[1], "123456")


def test_register_multiple_adds_known_accounts_under_their_own_nickname(given: Given) -> None:
    telephone = given.telephone()
    uid = given.user(telephone=telephone, nickname="Anna")
    entry = {"telephone": telephone, "md5pass": MD5, "nickname": "Bea", "addToSchoolMember": 1}
    reply = given.api.call("registerMultiple", userJson=[entry])
    assert (reply.errnos, reply.data[0]["data"]) == ([135], uid)
    assert listed(given, students, uid) == ["Anna"]


def test_one_malformed_entry_spoils_the_whole_list(given: Given) -> None:
    telephone = given.telephone()
    good = {"telephone": telephone, "md5pass": MD5}
    reply = given.api.call("registerMultiple", userJson=[good, {"telephone": given.telephone()}])
    assert (reply.errno, "data" in reply.body) == (100, False)
    assert not given.rows(select(users.c.id).where(users.c.telephone == telephone))


def test_a_school_student_is_added_by_uid_which_wins_or_by_account(given: Given) -> None:
    telephone, address = given.telephone(), f"{given.telephone()}@school.test"
    anna, bea = given.user(telephone=telephone), given.user(telephone=None, email=address)
    add = {"studentName": "名" * 25}
    given.done("addSchoolStudent", studentUid=anna, studentAccount="12345", **add)
    given.done("addSchoolStudent", studentAccount=address.upper(), **add)
    assert listed(given, students, anna) == listed(given, students, bea) == ["名" * 24]


def test_a_teacher_of_the_school_may_be_its_student_and_be_scheduled(given: Given) -> None:
    teacher = given.teacher()
    given.done("addSchoolStudent", studentUid=teacher, studentName="Both")
    begin = given.now + DAY
    given.lesson(teacherUid=teacher, beginTime=begin, endTime=begin + HOUR)
