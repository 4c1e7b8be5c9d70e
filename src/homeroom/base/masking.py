"""Masks for personal data in logs and in the audit table."""

import re

_TELEPHONE = re.compile(r"(?:00[0-9]{1,4}-)?[0-9]{7,15}")
_ACCOUNTS_IN_TEXT = re.compile(
    r"[^\s@,;:'\"()<>]+@[^\s@,;:'\"()<>]+|(?<![0-9A-Za-z])(?:\+?[0-9]{1,6}-)?[0-9]{9,15}(?![0-9A-Za-z])"
)
MASK = "***"
VISIBLE_AT_START = 3
VISIBLE_AT_END = 4


def mask_account(text: str) -> str:
    """Return a telephone number as 139****0001 and an e-mail address as a***@example.org.

    Anything else may be a password typed into the wrong field, and becomes `***`.
    """
    name, at, domain = text.rpartition("@")
    if at and name:
        return f"{name[0]}{MASK}@{domain}"
    if not _TELEPHONE.fullmatch(text):
        return MASK
    prefix, dash, number = text.rpartition("-")
    if len(number) <= VISIBLE_AT_START + VISIBLE_AT_END:
        return f"{prefix}{dash}{MASK}{number[-2:]}"
    return f"{prefix}{dash}{number[:VISIBLE_AT_START]}****{number[-VISIBLE_AT_END:]}"


def mask_accounts(text: str) -> str:
    """Return a text with the telephone numbers and e-mail addresses in it masked."""
    return _ACCOUNTS_IN_TEXT.sub(lambda match: mask_account(match[0].lstrip("+")), text)
