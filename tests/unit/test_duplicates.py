"""The guard against the same request twice within five seconds (READINGS Q41)."""

import pytest

from homeroom.base.ids import SchoolId
from homeroom.contract.upload import Upload
from homeroom.partner import duplicates
from homeroom.partner.duplicates import DuplicateGuard, fingerprint
from tests.support.uploads import make_upload

SCHOOL = SchoolId(1)
FIELDS = {"telephone": "13000000000", "nickname": "Ada"}


def is_duplicate(guard: DuplicateGuard, now: int, **changes: str | Upload | None) -> bool:
    """Offer the guard a request with some fields changed, or left out for None."""
    fields = {name: value for name, value in {**FIELDS, **changes}.items() if value is not None}
    return guard.is_duplicate(SCHOOL, fingerprint("register", fields), now)


def test_the_same_fields_are_a_duplicate_in_any_order() -> None:
    guard = DuplicateGuard()
    assert not is_duplicate(guard, 100)
    assert is_duplicate(guard, 101)
    backwards = dict(reversed(FIELDS.items()))
    assert guard.is_duplicate(SCHOOL, fingerprint("register", backwards), 101)


def test_another_value_field_action_or_school_is_no_duplicate() -> None:
    guard = DuplicateGuard()
    assert not is_duplicate(guard, 100)
    assert not is_duplicate(guard, 100, telephone="13000000001")
    assert not is_duplicate(guard, 100, nickname="Eve")
    assert not is_duplicate(guard, 100, telephone=None)
    assert not guard.is_duplicate(SCHOOL, fingerprint("addTeacher", FIELDS), 100)
    assert not guard.is_duplicate(SchoolId(2), fingerprint("register", FIELDS), 100)


def test_a_request_is_a_duplicate_for_less_than_five_seconds_after_the_first() -> None:
    guard = DuplicateGuard()
    assert not is_duplicate(guard, 100)
    assert is_duplicate(guard, 102)
    assert is_duplicate(guard, 104)
    # The refused ones do not count as the first.
    assert not is_duplicate(guard, 105)
    assert is_duplicate(guard, 109)


def test_a_clock_that_is_set_back_makes_no_duplicates_of_other_requests() -> None:
    guard = DuplicateGuard()
    assert not is_duplicate(guard, 1000)
    assert is_duplicate(guard, 996)
    assert not is_duplicate(guard, 500)
    assert is_duplicate(guard, 501)


def test_files_are_compared_by_their_bytes() -> None:
    guard = DuplicateGuard()
    assert not is_duplicate(guard, 100, Filedata=make_upload("a.png", b"one"))
    assert is_duplicate(guard, 100, Filedata=make_upload("b.png", b"one"))
    assert not is_duplicate(guard, 100, Filedata=make_upload("a.png", b"two"))


def test_fields_do_not_run_into_each_other() -> None:
    guard = DuplicateGuard()
    assert not is_duplicate(guard, 100, nickname="a", password="b")
    assert not is_duplicate(guard, 100, nickname="a\0password\0001\0b", password=None)


def test_forgetting_lets_the_requests_of_one_school_pass_again() -> None:
    guard, other = DuplicateGuard(), SchoolId(2)
    assert not is_duplicate(guard, 100)
    assert not guard.is_duplicate(other, fingerprint("register", FIELDS), 100)
    guard.forget(SCHOOL)
    assert not is_duplicate(guard, 100)
    assert guard.is_duplicate(other, fingerprint("register", FIELDS), 100)


def test_old_requests_are_dropped_when_the_guard_is_full(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(duplicates, "MAX_REMEMBERED", 10)
    guard = DuplicateGuard()
    for number in range(10):
        assert not is_duplicate(guard, 100, telephone=str(number))
    assert not is_duplicate(guard, 200)
    assert len(guard._seen) == 1  # noqa: SLF001  what memory it takes is the point
