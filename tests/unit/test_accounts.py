"""Formats of account names and passwords (READINGS Q51)."""

import pytest

from homeroom.base.masking import mask_account, mask_name
from homeroom.contract.errno import Errno
from homeroom.domain.accounts import (
    check_password,
    parse_account_name,
    parse_email,
    parse_telephone,
)
from homeroom.domain.refusal import Refusal


def refusal(text: str) -> Errno:
    """Return the number that refuses an account name."""
    with pytest.raises(Refusal) as refused:
        parse_account_name(text)
    return refused.value.errno


@pytest.mark.parametrize(
    "number",
    [
        "13000000000",
        "19999999999",
        "001-8006437676",
        "001-8006",
        "0044-7911123456",
        "00420-123456789012345",
        "001242-1234",
        "0085-12345678",
        "00861-2345",
    ],
)
def test_legal_numbers_are_kept_as_they_are(number: str) -> None:
    assert parse_telephone(number).value == number
    assert not parse_telephone(number).is_email


@pytest.mark.parametrize("begin", ["10", "11", "12"])
def test_mainland_numbers_of_ranges_never_given_out_are_288(begin: str) -> None:
    assert refusal(begin + "0" * 9) is Errno.PHONE_RANGE


@pytest.mark.parametrize(
    "number",
    [
        "",
        "1",
        "1380000000",
        "138000000000",
        "23800000000",
        "+8613800000000",
        "0086-13800000000",
        "0086-1380",
        "8613800000000",
        "001-080064376",
        "001-800",
        "001-1234567890123456",
        "00-13800000000",
        "000-13800000000",
        "0012345-6789",
        "001 8006437676",
        "001-800-643-7676",
        "1-8006437676",
        "1380000000x",
        "\N{FULLWIDTH DIGIT ONE}3800000000",
        "13800000000\n",
    ],
)
def test_other_numbers_are_malformed(number: str) -> None:
    assert refusal(number) is Errno.PHONE_MALFORMED


def test_who_asks_may_have_a_number_of_its_own_for_what_is_malformed() -> None:
    for text in ("12345", "0086-13800000000", "no@address@all"):
        with pytest.raises(Refusal) as refused:
            parse_account_name(text, Errno.TEACHER_ACCOUNT_MALFORMED)
        assert refused.value.errno is Errno.TEACHER_ACCOUNT_MALFORMED


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("anna@school.cn", "anna@school.cn"),
        ("Anna.Lee+1@School.CN", "anna.lee+1@school.cn"),
        ("anna@bücher.example", "anna@bücher.example"),
        ("anna@xn--bcher-kva.example", "anna@bücher.example"),
        ("Rene\u0301@school.cn", "ren\u00e9@school.cn"),
        ("学生@学校.中国", "学生@学校.中国"),
    ],
)
def test_an_address_is_kept_in_one_spelling(written: str, kept: str) -> None:
    assert parse_account_name(written).value == kept
    assert parse_account_name(written).is_email


@pytest.mark.parametrize(
    "text", ["@", "anna@", "@school.cn", "anna@school", "a b@school.cn", "a..b@school.cn", "a@b@c"]
)
def test_what_is_no_address_is_malformed(text: str) -> None:
    assert refusal(text) is Errno.PHONE_MALFORMED
    with pytest.raises(Refusal) as refused:
        parse_email(text)
    assert refused.value.errno is Errno.BAD_PARAMS


@pytest.mark.parametrize("length", [0, 5, 21, 100])
def test_a_password_that_is_too_short_or_too_long_is_refused(length: int) -> None:
    with pytest.raises(Refusal) as refused:
        check_password("p" * length)
    assert refused.value.errno is Errno.PASSWORD_LENGTH


@pytest.mark.parametrize("password", [None, "p" * 6, "p" * 20, "密" * 20])
def test_a_password_of_6_to_20_characters_or_none_will_do(password: str | None) -> None:
    check_password(password)


@pytest.mark.parametrize(
    ("account", "masked"),
    [
        ("13900000001", "139****0001"),
        ("00999-101777020", "00999-1****7020"),
        ("00999-10177702099", "00999-101****2099"),
        ("001-123456789012345", "001-123****2345"),
        ("0044-12345678", "0044-****5678"),
        ("0044-123456", "0044-****56"),
        ("0044-1234", "0044-****"),
        ("ann@example.org", "a***@example.org"),
        ("a@example.org", "a***@example.org"),
    ],
)
def test_an_account_is_masked(account: str, masked: str) -> None:
    """Case S2: at least four digits are hidden, and not how many."""
    assert mask_account(account) == masked


@pytest.mark.parametrize("length", range(4, 16))
def test_a_masked_number_of_any_length_hides_four_digits_or_more(length: int) -> None:
    masked = mask_account("0044-" + "123456789012345"[:length]).removeprefix("0044-")
    assert masked.count("*") == 4
    assert sum(character.isdigit() for character in masked) == min(7, length - 4)


def test_only_a_name_that_is_the_account_is_masked() -> None:
    assert mask_name("13900000001", "13900000001", None) == "139****0001"
    assert mask_name("Anna", "13900000001", None) == "Anna"
