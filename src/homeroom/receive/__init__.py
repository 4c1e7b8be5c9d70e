"""Receiving messages: verify the signature of a request, and read its message as typed values.

Public: for programs that receive messages of Homeroom, or of a service that speaks its protocol.
"""

from homeroom.receive.parsing import ReceivedMessage, parse
from homeroom.receive.verification import (
    ACKNOWLEDGEMENT,
    MessageFormatError,
    SignatureError,
    verify,
)

__all__ = [
    "ACKNOWLEDGEMENT",
    "MessageFormatError",
    "ReceivedMessage",
    "SignatureError",
    "parse",
    "verify",
]
