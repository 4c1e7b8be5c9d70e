"""Masks for personal data: in logs, in the audit table, and for schools that may not see it."""

import re

_TELEPHONE = re.compile(r"(?:00[0-9]{1,4}-[0-9]{4,15}|[0-9]{7,15})")
_ACCOUNTS_IN_TEXT = re.compile(
    r"[^\s@,;:'\"()<>]+@[^\s@,;:'\"()<>]+|(?<![0-9A-Za-z])(?:\+?[0-9]{1,6}-)?[0-9]{9,15}(?![0-9A-Za-z])"
)
MASK = "***"
HIDDEN_DIGITS = "****"
"""Stands for the hidden digits, however many they are."""
MIN_HIDDEN_DIGITS = 4
MAX_FIRST_DIGITS, MAX_LAST_DIGITS = 3, 4


def mask_account(text: str) -> str:
    """Return a telephone number as 139****0001 and an e-mail address as a***@example.org.

    At least four digits of a number are hidden: of a short one, the first digits that are visible
    become fewer, then the last ones. The code of the country stays. Anything else may be a password
    typed into the wrong field, and becomes `***`.
    """
    name, at, domain = text.rpartition("@")
    if at and name:
        return f"{name[0]}{MASK}@{domain}"
    if not _TELEPHONE.fullmatch(text):
        return MASK
    prefix, dash, number = text.rpartition("-")
    visible = len(number) - MIN_HIDDEN_DIGITS
    last = min(MAX_LAST_DIGITS, visible)
    first = min(MAX_FIRST_DIGITS, visible - last)
    return f"{prefix}{dash}{number[:first]}{HIDDEN_DIGITS}{number[len(number) - last :]}"


def mask_name(name: str, *accounts: str | None) -> str:
    """Return a name; masked if it is the account, as of people registered without a nickname."""
    return mask_account(name) if name in accounts else name


def mask_accounts(text: str) -> str:
    """Return a text with the telephone numbers and e-mail addresses in it masked."""
    return _ACCOUNTS_IN_TEXT.sub(lambda match: mask_account(match[0].lstrip("+")), text)
