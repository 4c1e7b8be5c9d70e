"""Messages about accounts and files: each cause once, with its fields (READINGS Q88, Q97)."""

from collections.abc import Iterator
from functools import partial

import pytest

from homeroom.domain.accounts import User
from homeroom.domain.refusal import OperatorError
from homeroom.usecases import operations, schools
from tests.support.given import Given
from tests.support.messages import emitted, last_id, receiving


@pytest.fixture(autouse=True)
def _receiving(given: Given) -> Iterator[None]:
    with receiving(given):
        yield


def account(given: Given, uid: int) -> User:
    """Return an account."""
    return given.store.read(lambda uow: operations.get_user(uow, str(uid)))


def test_a_cancelled_account_is_told_to_every_school_that_has_it(given: Given) -> None:
    other, uid = given.other(), given.student()
    other.done("addTeacher", teacherUid=uid, teacherName="Teacher")
    stranger = given.user()
    after = last_id(given)
    given.store.write(lambda uow: operations.cancel_user(uow, uid))
    given.store.write(lambda uow: operations.cancel_user(uow, stranger))
    for school in (given, other):
        assert emitted(school, after) == [
            (
                "account_cancelled",
                {
                    "SID": school.school.id,
                    "Cmd": "AccountCancellation",
                    "ActionTime": given.now,
                    "UID": uid,
                    "CancellationTime": given.now,
                    "AccountStatus": 255,
                },
            )
        ]


def test_another_telephone_number_is_told_once(given: Given) -> None:
    uid, number = given.student(), given.telephone()
    course = given.course()
    given.done("addCourseStudent", courseId=course, identity=1, studentUid=uid)
    after = last_id(given)
    given.store.write(lambda uow: operations.change_telephone(uow, uid, number))
    (message,) = emitted(given, after)
    assert message.kind == "phone_changed"
    facts = {"UID": uid, "ReplaceTime": given.now, "Telephone": number}
    assert {name: message.body[name] for name in facts} == facts
    assert "Email" not in message.body
    assert account(given, uid).telephone == number
    for taken in (number, account(given, given.student()).telephone or ""):
        after = last_id(given)
        with pytest.raises(OperatorError, match="telephone number"):
            given.store.write(partial(operations.change_telephone, user_id=uid, telephone=taken))
        assert emitted(given, after) == []


def test_a_sub_account_is_told_when_it_is_added(given: Given) -> None:
    uid, sid = given.teacher(), given.school.id
    after = last_id(given)
    given.store.write(lambda uow: schools.add_sub_account(uow, sid, uid))
    (message,) = emitted(given, after)
    telephone = account(given, uid).telephone
    assert message.kind == "sub_account_set"
    assert (message.body["UID"], message.body["Telephone"]) == (uid, telephone)
    assert message.body["PermissionList"].startswith("1,3,3_1")
    assert message.body["SetTime"] == given.now
    with pytest.raises(OperatorError):
        given.store.write(lambda uow: schools.add_sub_account(uow, sid, uid))
    assert len(emitted(given, after)) == 1


def test_a_file_is_told_once_it_is_stored(given: Given) -> None:
    folder = given.folder()
    after = last_id(given)
    file = given.file(folder)
    (message,) = emitted(given, after)
    assert message.kind == "file_converted"
    assert (message.body["FileID"], message.body["Result"]) == (file, 2)
    times = {"addTime": given.now, "changeTime": given.now}
    assert message.body["Data"].items() >= times.items()
