"""The guard against the same request twice within five seconds (READINGS Q41)."""

import pytest

from homeroom.base.ids import SchoolId
from homeroom.contract.upload import Upload
from homeroom.partner import duplicates
from homeroom.partner.duplicates import DuplicateGuard

SCHOOL = SchoolId(1)
FORM = {"SID": "1", "timeStamp": "100", "safeKey": "a", "telephone": "13000000000"}


def asked(book: DuplicateGuard, now: int, **fields: str | Upload | None) -> bool:
    """Ask whether a form with some fields changed, or left out for None, is a repeat."""
    form = {name: value for name, value in {**FORM, **fields}.items() if value is not None}
    return book.is_duplicate(SCHOOL, "register", form, now)


def test_the_same_fields_are_a_repeat_whatever_their_signature_and_order() -> None:
    book = DuplicateGuard()
    assert not asked(book, 100)
    assert asked(book, 101, timeStamp="101", safeKey="b")
    backwards = dict(reversed(FORM.items()))
    assert book.is_duplicate(SCHOOL, "register", backwards, 101)


def test_the_name_of_the_action_is_no_parameter_wherever_it_stood() -> None:
    book = DuplicateGuard()
    assert not asked(book, 100)
    assert asked(book, 100, action="register")


def test_another_value_field_action_or_school_is_no_repeat() -> None:
    book = DuplicateGuard()
    assert not asked(book, 100)
    assert not asked(book, 100, telephone="13000000001")
    assert not asked(book, 100, nickname="")
    assert not asked(book, 100, telephone=None)
    assert not book.is_duplicate(SCHOOL, "addTeacher", FORM, 100)
    assert not book.is_duplicate(SchoolId(2), "register", FORM, 100)


def test_a_repeat_is_one_for_less_than_five_seconds_after_the_first() -> None:
    book = DuplicateGuard()
    assert not asked(book, 100)
    assert asked(book, 102)
    assert asked(book, 104)
    # The refused ones do not count as the first.
    assert not asked(book, 105)
    assert asked(book, 109)


def test_a_clock_set_back_does_not_make_repeats_of_everything() -> None:
    book = DuplicateGuard()
    assert not asked(book, 1000)
    assert asked(book, 996)
    assert not asked(book, 500)
    assert asked(book, 501)


def test_files_are_compared_by_their_bytes() -> None:
    book = DuplicateGuard()
    assert not asked(book, 100, Filedata=Upload("a.png", b"one"))
    assert asked(book, 100, Filedata=Upload("b.png", b"one"))
    assert not asked(book, 100, Filedata=Upload("a.png", b"two"))


def test_fields_do_not_run_into_each_other() -> None:
    book = DuplicateGuard()
    assert not asked(book, 100, nickname="a", password="b")
    assert not asked(book, 100, nickname="a\0password\0001\0b", password=None)


def test_forgetting_lets_the_requests_of_one_school_pass_again() -> None:
    book, other = DuplicateGuard(), SchoolId(2)
    assert not asked(book, 100)
    assert not book.is_duplicate(other, "register", FORM, 100)
    book.forget(SCHOOL)
    assert not asked(book, 100)
    assert book.is_duplicate(other, "register", FORM, 100)


def test_what_is_long_past_is_dropped_when_the_book_is_full(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(duplicates, "MAX_REMEMBERED", 10)
    book = DuplicateGuard()
    for number in range(10):
        assert not asked(book, 100, telephone=str(number))
    assert not asked(book, 200)
    assert len(book._seen) == 1  # noqa: SLF001  what memory it takes is the point
