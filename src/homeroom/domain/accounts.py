"""Accounts: the form of telephone numbers and e-mail addresses, and the rules of registering."""

import re

from homeroom.base.ids import UserId
from homeroom.base.values import Value
from homeroom.contract.errno import Errno
from homeroom.domain.refusal import Refusal

_MAINLAND = re.compile(r"1[3-9][0-9]{9}")
_UNASSIGNED = re.compile(r"1[0-2][0-9]{9}")
_FOREIGN = re.compile(r"00([1-9][0-9]{0,3})-([1-9][0-9]{3,14})")
CHINA = "86"

MAX_EMAIL_LENGTH = 1000
"""Characters of a text that is checked for an address: longer ones are not checked."""
PASSWORD_LENGTHS = range(6, 21)


class User(Value, frozen=True):
    """A person with an account; memberships of schools and courses refer to it."""

    id: UserId
    telephone: str | None
    email: str | None
    nickname: str
    is_cancelled: bool


class AccountName(Value, frozen=True):
    """The name of an account: a telephone number or an e-mail address."""

    value: str
    is_email: bool


def parse_telephone(text: str, malformed: Errno = Errno.PHONE_MALFORMED) -> AccountName:
    """Parse a telephone number (READINGS Q51); `malformed` is the errno of a malformed one."""
    if _MAINLAND.fullmatch(text):
        return AccountName(text, is_email=False)
    if _UNASSIGNED.fullmatch(text):
        raise Refusal(Errno.PHONE_RANGE, "mainland numbers begin with 13 to 19")
    foreign = _FOREIGN.fullmatch(text)
    if foreign is None:
        raise Refusal(malformed, "a telephone number is 1[3-9] and nine digits, or 00CC-number")
    if foreign[1] == CHINA:
        raise Refusal(malformed, "a mainland number carries no country code")
    return AccountName(text, is_email=False)


def parse_email(text: str, malformed: Errno = Errno.BAD_PARAMS) -> AccountName:
    """Parse an e-mail address; `malformed` is the errno of a malformed one.

    An address with many words in other scripts takes some milliseconds.
    """
    from email_validator import (  # noqa: PLC0415  takes 16 ms, a fortieth of a start
        EmailNotValidError,
        validate_email,
    )

    if len(text) > MAX_EMAIL_LENGTH:
        raise Refusal(malformed, "the e-mail address is malformed")
    try:
        checked = validate_email(text, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        raise Refusal(malformed, "the e-mail address is malformed") from None
    return AccountName(checked.normalized.lower(), is_email=True)


def parse_account_name(text: str, malformed: Errno = Errno.PHONE_MALFORMED) -> AccountName:
    """Parse a telephone number, or an e-mail address if the text has an @."""
    return parse_email(text, malformed) if "@" in text else parse_telephone(text, malformed)


def check_password(password: str | None) -> None:
    """Refuse a password outside 6 to 20 characters."""
    if password is not None and len(password) not in PASSWORD_LENGTHS:
        raise Refusal(Errno.PASSWORD_LENGTH, "a password has 6 to 20 characters")
