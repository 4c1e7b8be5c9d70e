"""Accounts and school students: one case table an action."""

from typing import Any, Final

import pytest

from homeroom.base.ids import UserId
from homeroom.contract.accounts import ADD_SCHOOL_STUDENT, REGISTER, REGISTER_MULTIPLE
from homeroom.contract.action import Action
from tests.support.cases import Case, check_table, common
from tests.support.given import Given
from tests.support.pictures import padded, png
from tests.support.wire import Reply, Value

MD5: Final = "0" * 32
MEGABYTE: Final = 1024 * 1024


def register(given: Given, *, picture: bytes | None = None, **fields: Value) -> Reply:
    """Call register, for an unused number by default."""
    form = {"telephone": given.telephone(), "md5pass": MD5, **fields}
    if picture is not None:
        return given.api.upload("register", picture, **form)
    return given.api.call("register", **form)


def several(given: Given, *entries: dict[str, Value]) -> list[dict[str, Value]]:
    """Fill entries of registerMultiple with a number and a password where they have none."""
    return [{"telephone": given.telephone(), "md5pass": MD5, **entry} for entry in entries]


def register_several(given: Given, *entries: dict[str, Value]) -> Reply:
    """Call registerMultiple with some entries."""
    return given.api.call("registerMultiple", userJson=several(given, *entries))


def known(given: Given) -> str:
    """Return the number of a registered user."""
    telephone = given.telephone()
    given.user(telephone=telephone)
    return telephone


def known_email(given: Given) -> str:
    """Return the e-mail address of a registered user."""
    address = f"someone-{given.telephone()}@school.test"
    given.user(telephone=None, email=address)
    return address


def register_while_unfinished(given: Given) -> Reply:
    """Call register while the account's first registration is unfinished."""
    telephone = given.telephone()
    with given.unfinished("register", telephone=telephone, md5pass=MD5):
        return register(given, telephone=telephone, nickname="Other")


def register_several_while_unfinished(given: Given) -> Reply:
    """Call registerMultiple while the registration of an account is unfinished."""
    telephone = given.telephone()
    with given.unfinished("register", telephone=telephone, md5pass=MD5):
        return register_several(given, {}, {"telephone": telephone})


def twice(given: Given, action: str, **fields: Value) -> Reply:
    """Make the same call twice in one moment."""
    given.api.call(action, **fields)
    return given.api.call(action, **fields)


def without_lists(given: Given) -> Given:
    """Take the school's right to put people on its lists as they register."""
    given.plan(join_at_registration=False)
    return given


def without_teachers_left(given: Given) -> Given:
    """Let the school have as many teachers as it may have."""
    given.teacher()
    given.plan(max_teachers=1)
    return given


def add_student(given: Given, user: UserId | None = None, **fields: Value) -> Reply:
    """Call addSchoolStudent, by UID where one is given."""
    return given.api.call("addSchoolStudent", studentUid=user, studentName="Student", **fields)


REGISTER_CASES: Final = (
    Case(1, register),
    *common(REGISTER, telephone="13000000000", md5pass=MD5),
    Case(101003002, lambda g: twice(g, "register", telephone=g.telephone(), md5pass=MD5)),
    Case(131, register_while_unfinished),
    Case(134, lambda g: register(g, telephone="12345")),
    Case(134, lambda g: register(g, telephone=None, email="no address")),
    Case(288, lambda g: register(g, telephone="12000000000")),
    Case(137, lambda g: register(g, md5pass=None, password="12345")),
    Case(342, lambda g: register(g, picture=padded(png(), MEGABYTE + 1))),
    Case(224, lambda g: register(g, picture=b"no picture")),
    Case(341, lambda g: register(g, picture=png(299, 300))),
    Case(877, lambda g: register(g, isSentMessage=1)),
    Case(135, lambda g: register(g, telephone=known(g), nickname="Other")),
    Case(461, lambda g: register(g, telephone=None, email=known_email(g), nickname="Other")),
    Case(845, lambda g: register(without_teachers_left(g), addToSchoolMember=2)),
    Case(820, lambda g: register(without_lists(g), addToSchoolMember=1)),
    Case(821, lambda g: register(without_lists(g), addToSchoolMember=2)),
    Case(340, lambda g: register(g.full_storage(), picture=png())),
)

REGISTER_MULTIPLE_CASES: Final = (
    Case(1, lambda g: register_several(g, {}, {}), "entry"),
    *common(REGISTER_MULTIPLE, userJson=[{"telephone": "13000000000", "md5pass": MD5}]),
    Case(155, lambda g: g.api.call("registerMultiple", userJson=[])),
    Case(155, lambda g: g.api.call("registerMultiple", userJson="no list")),
    Case(
        101003002,
        lambda g: twice(
            g, "registerMultiple", userJson=[{"telephone": g.telephone(), "md5pass": MD5}]
        ),
    ),
    Case(450, lambda g: register_several(g, *[{}] * 11)),
    Case(224, lambda g: g.api.upload("registerMultiple", png(), userJson=several(g, {}))),
    Case(134, lambda g: register_several(g, {"telephone": "12345"}), "entry"),
    Case(288, lambda g: register_several(g, {"telephone": "12000000000"}), "entry"),
    Case(137, lambda g: register_several(g, {"md5pass": None, "password": "12345"}), "entry"),
    Case(131, register_several_while_unfinished, "entry"),
    Case(135, lambda g: register_several(g, {}, {"telephone": known(g)}), "entry"),
    Case(
        461,
        lambda g: register_several(g, {}, {"telephone": None, "email": known_email(g)}),
        "entry",
    ),
    Case(
        845,
        lambda g: register_several(without_teachers_left(g), {}, {"addToSchoolMember": 2}),
        "entry",
    ),
    Case(820, lambda g: register_several(without_lists(g), {"addToSchoolMember": 1}), "entry"),
    Case(821, lambda g: register_several(without_lists(g), {"addToSchoolMember": 2}), "entry"),
)

ADD_SCHOOL_STUDENT_CASES: Final = (
    Case(1, lambda g: add_student(g, g.user())),
    *common(ADD_SCHOOL_STUDENT, studentUid=1, studentName="Student"),
    Case(
        101003002,
        lambda g: twice(g, "addSchoolStudent", studentUid=g.user(), studentName="Student"),
    ),
    Case(134, lambda g: add_student(g, studentAccount="0086-13800000000")),
    Case(288, lambda g: add_student(g, studentAccount="12000000000")),
    Case(113, lambda g: add_student(g, studentAccount=g.telephone())),
    Case(113, lambda g: add_student(g, UserId(10**9))),
    Case(886, lambda g: add_student(g, g.cancelled(g.user()))),
    Case(128, lambda g: add_student(g, g.school.owner)),
    Case(133, lambda g: add_student(g, g.student())),
)

TABLES: Final = (
    (REGISTER, REGISTER_CASES),
    (REGISTER_MULTIPLE, REGISTER_MULTIPLE_CASES),
    (ADD_SCHOOL_STUDENT, ADD_SCHOOL_STUDENT_CASES),
)


@pytest.mark.parametrize(("action", "cases"), TABLES, ids=lambda one: getattr(one, "name", ""))
def test_a_table_has_every_number_of_its_action(
    action: Action[Any, Any], cases: tuple[Case, ...]
) -> None:
    check_table(action, cases)


@pytest.mark.parametrize("case", REGISTER_CASES, ids=str)
def test_register(given: Given, case: Case) -> None:
    case.run(given)


@pytest.mark.parametrize("case", REGISTER_MULTIPLE_CASES, ids=str)
def test_register_multiple(given: Given, case: Case) -> None:
    case.run(given)


@pytest.mark.parametrize("case", ADD_SCHOOL_STUDENT_CASES, ids=str)
def test_add_school_student(given: Given, case: Case) -> None:
    case.run(given)
