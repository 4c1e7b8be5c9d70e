"""Urlencoded forms: those of a caller who is not known yet cost next to nothing."""

import re
from binascii import a2b_qp
from collections.abc import Collection

from homeroom.base.errors import HomeroomError

MAX_FIELDS = 200
SMALL_BYTES = 16 * 1024
"""A form of this size is read at once."""
STEP_BYTES = 64 * 1024
"""Bytes that are unescaped in one call of C, which holds Python's lock."""
MAX_PICKED_BYTES = 1000
"""Bytes of an escaped name and value that are picked out of a form."""
_NO_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")


class FormError(HomeroomError):
    """The body is not a form, or not one that the API allows; the message says why."""


class UrlencodedForm:
    """A body that is still escaped; raises `FormError`.

    Names and values lose the spaces around them; of a repeated name the last value counts.
    """

    def __init__(self, body: bytes) -> None:
        self.is_small = len(body) <= SMALL_BYTES
        self._body = body.rstrip(b"&")
        if self._body.count(b"&") >= MAX_FIELDS:
            raise FormError(f"a form has at most {MAX_FIELDS} fields")
        if b"\0" in body or b"%00" in body:
            raise FormError("a form must not contain NUL")

    def read(self) -> dict[str, str]:
        """Return all fields; of a large form this takes many milliseconds."""
        fields = {}
        try:
            for pair in self._body.replace(b"+", b" ").decode().split("&"):
                name, _, value = pair.partition("=")
                if "%" in pair:
                    name = _read(name) if "%" in name else name
                    value = _read(value)
                if pair:
                    fields[name.strip()] = value.strip()
        except UnicodeDecodeError:
            raise FormError("the form is not UTF-8") from None
        return fields

    def pick(self, names: Collection[str]) -> dict[str, str]:
        """Return the fields of some names, none of which is expected to be long."""
        pairs = self._body.split(b"&")
        short = b"&".join(pair for pair in pairs if len(pair) <= MAX_PICKED_BYTES)
        fields = UrlencodedForm(short).read()
        return {name: fields[name] for name in names if name in fields}


def _read(text: str) -> str:
    return unescape(text.encode()).decode()


def unescape(escaped: bytes) -> bytes:
    """Return the bytes that percent-encoded ones stand for; a `%` without two digits stays.

    `urllib` has a function for it in Python, which takes a third of a second for a mebibyte. The
    quoted-printable of mail differs in little but its escape character, and is decoded by C.
    """
    if b"%" not in escaped:
        return escaped
    if len(escaped) > STEP_BYTES:
        return _unescape_in_steps(escaped)
    if _NO_ESCAPE.search(escaped):
        escaped = _NO_ESCAPE.sub(b"%25", escaped)
    return a2b_qp(escaped.replace(b"=", b"%3D").replace(b"%", b"="))


def _unescape_in_steps(escaped: bytes) -> bytes:
    parts = []
    start = 0
    while start < len(escaped):
        end = start + STEP_BYTES
        # An escape must not be cut in two.
        cut = escaped.rfind(b"%", end - 2, end)
        end = cut if cut >= 0 else end
        parts.append(unescape(escaped[start:end]))
        start = end
    return b"".join(parts)
