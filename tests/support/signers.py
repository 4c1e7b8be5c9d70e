"""How the published clients of the v2 wire sign, each written from its description (READINGS Q11).

None of it is their code, and none of it is the server's: the tests compare the two.
"""

import hashlib
from collections.abc import Callable
from typing import Any, Final

MAX_LENGTH: Final = 1024
Body = dict[str, Any]
Signer = Callable[[Body, str, str, str], str]
"""Signs a body for a SID, a timestamp and a secret."""


def _digest(pairs: list[str], secret: str) -> str:
    text = "&".join([*pairs, f"key={secret}"])
    return hashlib.md5(text.encode()).hexdigest()  # noqa: S324  the API's own


def sign_like_python_sample(body: Body, sid: str, stamp: str, secret: str) -> str:
    """Sign the text of every value that is no list and has up to 1,024 characters."""
    signed = {"sid": sid, "timeStamp": stamp}
    for name, value in body.items():
        if not isinstance(value, list | dict) and len(str(value)) <= MAX_LENGTH:
            signed.setdefault(name, str(value))
    return _digest([f"{name}={signed[name]}" for name in sorted(signed)], secret)


def sign_like_eeo(body: Body, sid: str, stamp: str, secret: str) -> str:
    """Sign like the Python sample, without what is None."""
    present = {name: value for name, value in body.items() if value is not None}
    return sign_like_python_sample(present, sid, stamp, secret)


def sign_like_php_sample(body: Body, sid: str, stamp: str, secret: str) -> str:
    """Sign what PHP makes of a value in a text, if it has fewer than 1,024 bytes."""
    signed = {
        name: _write_like_php(value)
        for name, value in body.items()
        if not isinstance(value, list | dict)
    }
    signed = {name: text for name, text in signed.items() if len(text.encode()) < MAX_LENGTH}
    signed |= {"sid": sid, "timeStamp": stamp}
    return _digest([f"{name}={signed[name]}" for name in sorted(signed)], secret)


def _write_like_php(value: object) -> str:
    if value is None or value is False:
        return ""
    if value is True:
        return "1"
    if not isinstance(value, float):
        return str(value)
    digits = f"{value:.14G}"
    if "E" not in digits:
        return digits
    head, tail = digits.split("E")
    return f"{head if '.' in head else head + '.0'}E{int(tail):+d}"


def sign_like_go_sample(body: Body, sid: str, stamp: str, secret: str) -> str:
    """Sign texts and whole numbers of up to 1,024 bytes; the pairs are sorted, not the names."""
    texts = {
        name: str(value)
        for name, value in body.items()
        if isinstance(value, str | int) and not isinstance(value, bool)
    }
    texts = {name: text for name, text in texts.items() if len(text.encode()) <= MAX_LENGTH}
    texts |= {"sid": sid, "timeStamp": stamp}
    return _digest(sorted(f"{name}={text}" for name, text in texts.items()), secret)


SIGNERS: Final[dict[str, Signer]] = {
    "python": sign_like_python_sample,
    "eeo": sign_like_eeo,
    "php": sign_like_php_sample,
    "go": sign_like_go_sample,
}
