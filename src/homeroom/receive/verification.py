"""Verification of messages, in both formats: that the sender has the secret (READINGS Q45, Q89)."""

from collections.abc import Mapping
from typing import Final

import msgspec

from homeroom.base.clock import MINUTE, Moment, SystemClock
from homeroom.base.errors import HomeroomError
from homeroom.base.keys import md5_hex, secrets_equal
from homeroom.messages.rendering import SECRET_PREFIX, sign_standard

ACKNOWLEDGEMENT: Final = b'{"error_info":{"errno":1,"error":"ok"}}'
"""The body of the answer that acknowledges a message, good for both formats."""
MAX_AGE_SECONDS: Final = 5 * MINUTE
"""Longest time between the clocks of sender and receiver in the format `standard`."""
MAX_DIGITS: Final = 15
"""Digits of a timestamp: Python refuses to read a number of thousands."""


class ReceiveError(HomeroomError):
    """A received message cannot be accepted."""


class SignatureError(ReceiveError):
    """The signature of a message is missing, wrong or too old: refuse it."""


class MessageFormatError(ReceiveError):
    """The body of a request is no message."""


class _SignedFields(msgspec.Struct):
    """The fields that sign a message of the format `classin`."""

    time_stamp: int = msgspec.field(name="TimeStamp")
    safe_key: str = msgspec.field(name="SafeKey")


def verify(
    content: bytes,
    secret: str,
    headers: Mapping[str, str] | None = None,
    *,
    now: Moment | None = None,
) -> None:
    """Verify that a message comes from a sender who has the secret.

    `content` is the body as it came, before any parsing. The secret decides the format, so that a
    sender cannot choose it: one that begins with `whsec_` is of the format `standard`, which needs
    the headers; any other is the SECRET of the school. Raises `SignatureError`.
    """
    if secret.startswith(SECRET_PREFIX):
        _verify_standard(
            content, secret, headers or {}, SystemClock().now() if now is None else now
        )
    else:
        _verify_classin(content, secret)


def _verify_classin(content: bytes, secret: str) -> None:
    """Compare SafeKey with md5(SECRET + TimeStamp); the key does not sign the other fields."""
    try:
        fields = msgspec.json.decode(content, type=_SignedFields)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise SignatureError("the body has no SafeKey with a TimeStamp") from error
    if not secrets_equal(md5_hex(f"{secret}{fields.time_stamp}"), fields.safe_key):
        raise SignatureError("SafeKey is not md5(SECRET + TimeStamp)")


def _verify_standard(content: bytes, secret: str, headers: Mapping[str, str], now: Moment) -> None:
    """Verify a signature of Standard Webhooks, version 1; one that matches is enough."""
    lower = {name.lower(): value for name, value in headers.items()}
    name, timestamp = lower.get("webhook-id", ""), lower.get("webhook-timestamp", "")
    if not name or not (
        timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= MAX_DIGITS
    ):
        raise SignatureError("webhook-id or webhook-timestamp is missing or malformed")
    sent = int(timestamp)
    if abs(now - sent) > MAX_AGE_SECONDS:
        raise SignatureError("webhook-timestamp is more than five minutes away from now")
    expected = sign_standard(secret, name, sent, content)
    signatures = lower.get("webhook-signature", "").split()
    if not any(secrets_equal(expected, signature) for signature in signatures):
        raise SignatureError("no signature in webhook-signature matches")
