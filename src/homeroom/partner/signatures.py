"""Signatures of the v2 wire: an md5 over the top-level members of a body (READINGS Q11, Q77).

The text that is signed joins the members as `name=value`, sorted by name, with `sid` and
`timeStamp` among them and the secret at the end. Lists, objects and long values are left out. The
published clients differ in how they write true, null and 1.50, in where a value is too long, and in
how they sort. The server accepts each of these ways: the signature stays an md5 of the secret.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain, islice, pairwise, product

import msgspec

from homeroom.base.keys import secrets_equal
from homeroom.base.values import Value

MAX_SIGNED_BYTES = 1024
"""A longer value is not signed."""
MAX_WORK = 512 * 1024
"""Characters that may be digested to find the way in which one body was signed; the ways of the
published clients are tried for every body."""
MEMBER_WORK = 64
"""Characters that a member counts for in addition to its own."""
FIRST_WITH_EXPONENT = 1e21
"""JavaScript writes smaller whole numbers with all their digits."""


class NumberToken(Value, frozen=True):
    """A number as it stands in the JSON text."""

    text: str

    @property
    def is_plain(self) -> bool:
        """Tell whether every client writes the number like this."""
        return self.text.removeprefix("-").isdigit() and self.text != "-0"


Scalar = str | bool | NumberToken | None
Render = Callable[[NumberToken], str | None]
"""Writes a number that is not plain; None leaves it out."""


def read_scalars(members: Mapping[str, msgspec.Raw]) -> dict[str, Scalar]:
    """Return the members of an object that are neither lists nor objects."""
    tokens = ((name, bytes(raw)) for name, raw in members.items())
    return {name: _read_scalar(token) for name, token in tokens if token[:1] not in b"[{"}


def _read_scalar(token: bytes) -> Scalar:
    if token[:1] in b'"tfn':
        value: str | bool | None = msgspec.json.decode(token)
        return value
    return NumberToken(token.decode())


# --- ways to write a value -----------------------------------------------------------------------


def write_token(number: NumberToken) -> str:
    """Write a number as it stands in the JSON text."""
    return number.text


def write_shortest(number: NumberToken) -> str:
    """Write a number with as few digits as identify it, as JavaScript does: 12.0 is 12."""
    value = float(number.text)
    has_all_digits = value.is_integer() and abs(value) < FIRST_WITH_EXPONENT
    return str(int(value)) if has_all_digits else repr(value)


def write_like_php(number: NumberToken) -> str:
    """Write a number as PHP does in a text: 14 digits at most, and 1.0E+25."""
    mantissa, mark, exponent = f"{float(number.text):.14G}".partition("E")
    if not mark:
        return mantissa
    return f"{mantissa}{'' if '.' in mantissa else '.0'}E{exponent[0]}{exponent[1:].lstrip('0')}"


def leave_out(_number: NumberToken) -> None:
    """Leave a number out."""


class SigningWay(msgspec.Struct, frozen=True):
    """One of the ways in which clients write the text that they sign."""

    true: str | None = "true"
    false: str | None = "false"
    null: str | None = "null"
    """None: a member of this value is left out."""
    render: Render = write_token
    max_length: int = MAX_SIGNED_BYTES
    counts_characters: bool = False
    """The length is in characters instead of bytes."""
    sorts_pairs: bool = False
    """Whole pairs are sorted instead of names."""


DOCUMENTED = SigningWay()
PYTHON_SAMPLE = SigningWay(true="True", false="False", null="None", counts_characters=True)
EEO_PACKAGE = SigningWay(true="True", false="False", null=None, counts_characters=True)
PHP_SAMPLE = SigningWay(
    true="1", false="", null="", render=write_like_php, max_length=MAX_SIGNED_BYTES - 1
)
GO_SAMPLE = SigningWay(true=None, false=None, null=None, render=leave_out, sorts_pairs=True)
PUBLISHED = (DOCUMENTED, PYTHON_SAMPLE, EEO_PACKAGE, PHP_SAMPLE, GO_SAMPLE)
"""The ways of the documentation and of the published clients."""

BOOLEANS = (("true", "false"), ("True", "False"), ("1", "0"), ("1", ""), (None, None))
NULLS = ("null", "None", "", None)
RENDERS: tuple[Render, ...] = (write_token, write_shortest, write_like_php, leave_out)
LENGTHS = tuple(product((MAX_SIGNED_BYTES, MAX_SIGNED_BYTES - 1), (False, True)))


# --- the signed text -----------------------------------------------------------------------------


class SignedBody:
    """The part of a request that its signature covers."""

    def __init__(self, scalars: Mapping[str, Scalar], sid: str, stamp: str) -> None:
        # The headers decide: members of their names do not count.
        self._scalars: dict[str, Scalar] = {**scalars, "sid": sid, "timeStamp": stamp}

    def matches(self, signature: str, secrets: Iterable[str]) -> bool:
        """Tell whether a signature is made with one of the secrets, in one of the ways."""
        endings = [f"&key={secret}".encode() for secret in secrets]
        for text in self.list_texts():
            digest = hashlib.md5(text, usedforsecurity=False)
            for ending in endings:
                whole = digest.copy()
                whole.update(ending)
                if secrets_equal(signature, whole.hexdigest()):
                    return True
        return False

    def list_texts(self) -> Iterator[bytes]:
        """Return what clients sign, without the secret: as documented, then in other ways."""
        tried: set[bytes] = set()
        for way in self._list_ways():
            text = self.write(way)
            if text not in tried:
                tried.add(text)
                yield text

    def write(self, way: SigningWay) -> bytes:
        """Return the text that a client signs in one of the ways."""
        values = ((name, _write(value, way)) for name, value in self._scalars.items())
        signed = [
            (name, value) for name, value in values if value is not None and _fits(value, way)
        ]
        pairs = [f"{name}={value}" for name, value in sorted(signed)]
        return "&".join(sorted(pairs) if way.sorts_pairs else pairs).encode()

    def _list_ways(self) -> Iterator[SigningWay]:
        """Return the published ways, then mixtures of them in which this body comes out apart."""
        values = self._scalars.values()
        has_float = any(isinstance(value, NumberToken) and not value.is_plain for value in values)
        is_long = any(
            isinstance(value, str) and len(value.encode()) >= MAX_SIGNED_BYTES for value in values
        )
        # Names and pairs are in different orders only if a name begins with another one.
        is_ambiguous = any(
            after.startswith(before) for before, after in pairwise(sorted(self._scalars))
        )
        mixtures = (
            SigningWay(true, false, null, render, length, counts, sorts_pairs)
            for (true, false), null, render, (length, counts), sorts_pairs in product(
                BOOLEANS if any(isinstance(value, bool) for value in values) else BOOLEANS[:1],
                NULLS if None in values else NULLS[:1],
                RENDERS if has_float else RENDERS[:1],
                LENGTHS if is_long else LENGTHS[:1],
                (False, True) if is_ambiguous else (False,),
            )
        )
        work = len(self.write(DOCUMENTED)) + MEMBER_WORK * len(self._scalars)
        return chain(PUBLISHED, islice(mixtures, MAX_WORK // work))


def _write(value: Scalar, way: SigningWay) -> str | None:
    if isinstance(value, str):
        return value
    if value is None:
        return way.null
    if isinstance(value, NumberToken):
        return value.text if value.is_plain else way.render(value)
    return way.true if value else way.false


def _fits(value: str, way: SigningWay) -> bool:
    if len(value) * 4 <= MAX_SIGNED_BYTES:
        return True  # long enough in no encoding
    length = len(value) if way.counts_characters else len(value.encode())
    return length <= way.max_length


def sign_json(content: bytes, sid: int, secret: str, stamp: int) -> dict[str, str]:
    """Return the headers that sign a JSON object at a time, as the documentation says.

    Raises `msgspec.MsgspecError` if it is no JSON object.
    """
    scalars = read_scalars(msgspec.json.decode(content, type=dict[str, msgspec.Raw]))
    text = SignedBody(scalars, str(sid), str(stamp)).write(DOCUMENTED) + f"&key={secret}".encode()
    return {
        "X-EEO-SIGN": hashlib.md5(text).hexdigest(),  # noqa: S324  the API's own
        "X-EEO-UID": str(sid),
        "X-EEO-TS": str(stamp),
        "Content-Type": "application/json",
    }
