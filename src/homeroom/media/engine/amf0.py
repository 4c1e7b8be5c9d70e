"""AMF0: the values that RTMP commands and metadata are made of."""

from enum import IntEnum
from struct import Struct
from typing import Final

Value = None | bool | float | str | list["Value"] | dict[str, "Value"]

DEPTH: Final = 8
"""Objects within objects."""
COUNT: Final = 2000
"""Values in one message."""

OBJECT_END: Final = b"\0\0\x09"

DOUBLE: Final = Struct(">d")
SHORT: Final = Struct(">H")
LONG: Final = Struct(">I")
LONGEST_SHORT: Final = 0xFFFF


class Kind(IntEnum):
    """The first byte of a value."""

    NUMBER = 0x00
    BOOLEAN = 0x01
    STRING = 0x02
    OBJECT = 0x03
    NULL = 0x05
    UNDEFINED = 0x06
    ECMA_ARRAY = 0x08
    STRICT_ARRAY = 0x0A
    DATE = 0x0B
    LONG_STRING = 0x0C


class Malformed(Exception):
    """What a peer sent breaks the rules of its protocol."""


def encode(*values: Value) -> bytes:
    """Return values as AMF0, one after the other."""
    return b"".join(map(_encoded, values))


def _encoded(value: Value) -> bytes:  # noqa: PLR0911  one case a kind
    match value:
        case None:
            return bytes((Kind.NULL,))
        case bool():
            return bytes((Kind.BOOLEAN, value))
        case int() | float():
            return bytes((Kind.NUMBER,)) + DOUBLE.pack(value)
        case str():
            text = value.encode()
            if len(text) > LONGEST_SHORT:
                return bytes((Kind.LONG_STRING,)) + LONG.pack(len(text)) + text
            return bytes((Kind.STRING,)) + SHORT.pack(len(text)) + text
        case list():
            return bytes((Kind.STRICT_ARRAY,)) + LONG.pack(len(value)) + encode(*value)
    members = b"".join(_key(key) + _encoded(member) for key, member in value.items())
    return bytes((Kind.OBJECT,)) + members + OBJECT_END


def _key(key: str) -> bytes:
    text = key.encode()
    return SHORT.pack(len(text)) + text


def decode(data: bytes) -> list[Value]:
    """Return the values of a message; raises `Malformed`. Dates are milliseconds since 1970."""
    return _Decoder(data).values()


class _Decoder:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self._count = 0

    def values(self) -> list[Value]:
        found = []
        while self._at < len(self._data):
            found.append(self._value(0))
        return found

    def _take(self, size: int) -> bytes:
        end = self._at + size
        if end > len(self._data):
            raise Malformed("an AMF0 value is cut short")
        taken = self._data[self._at : end]
        self._at = end
        return taken

    def _number(self, kind: Struct) -> float:
        number: float = kind.unpack(self._take(kind.size))[0]
        return number

    def _text(self, kind: Struct) -> str:
        return self._take(int(self._number(kind))).decode(errors="replace")

    def _value(self, depth: int) -> Value:  # noqa: C901, PLR0911  one case a kind
        self._count += 1
        if self._count > COUNT or depth > DEPTH:
            raise Malformed("too many AMF0 values, or too deep")
        match self._take(1)[0]:
            case Kind.NUMBER:
                return self._number(DOUBLE)
            case Kind.BOOLEAN:
                return self._take(1) != b"\0"
            case Kind.STRING:
                return self._text(SHORT)
            case Kind.LONG_STRING:
                return self._text(LONG)
            case Kind.OBJECT:
                return self._members(depth)
            case Kind.ECMA_ARRAY:
                # It says how many members it has, which many get wrong.
                self._take(4)
                return self._members(depth)
            case Kind.STRICT_ARRAY:
                return [self._value(depth + 1) for _ in range(int(self._number(LONG)))]
            case Kind.NULL | Kind.UNDEFINED:
                return None
            case Kind.DATE:
                date = self._number(DOUBLE)
                self._take(2)  # a time zone, which nobody sets
                return date
            case kind:
                raise Malformed(f"no AMF0 value begins with {kind:#04x}")

    def _members(self, depth: int) -> dict[str, Value]:
        members: dict[str, Value] = {}
        while self._data[self._at : self._at + 3] != OBJECT_END:
            key = self._text(SHORT)
            members[key] = self._value(depth + 1)
        self._at += 3
        return members
