"""AMF0, the encoding of values in RTMP commands and metadata."""

from enum import IntEnum
from struct import Struct
from typing import Final

from homeroom.base.errors import HomeroomError

Value = None | bool | float | str | list["Value"] | dict[str, "Value"]

MAX_DEPTH: Final = 8
"""Maximum nesting of objects."""
MAX_VALUES: Final = 2000
"""Maximum number of values in one message."""

OBJECT_END: Final = b"\0\0\x09"

DOUBLE: Final = Struct(">d")
SHORT: Final = Struct(">H")
LONG: Final = Struct(">I")
MAX_SHORT_STRING_BYTES: Final = 0xFFFF


class Marker(IntEnum):
    """The type marker, the first byte of a value."""

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


class ProtocolError(HomeroomError):
    """A peer broke the rules of its protocol."""


def encode(*values: Value) -> bytes:
    """Return the AMF0 encoding of some values."""
    return b"".join(map(_encode_value, values))


def _encode_value(value: Value) -> bytes:  # noqa: PLR0911  one case a kind
    match value:
        case None:
            return bytes((Marker.NULL,))
        case bool():
            return bytes((Marker.BOOLEAN, value))
        case int() | float():
            return bytes((Marker.NUMBER,)) + DOUBLE.pack(value)
        case str():
            text = value.encode()
            if len(text) > MAX_SHORT_STRING_BYTES:
                return bytes((Marker.LONG_STRING,)) + LONG.pack(len(text)) + text
            return bytes((Marker.STRING,)) + SHORT.pack(len(text)) + text
        case list():
            return bytes((Marker.STRICT_ARRAY,)) + LONG.pack(len(value)) + encode(*value)
    members = b"".join(_encode_key(key) + _encode_value(member) for key, member in value.items())
    return bytes((Marker.OBJECT,)) + members + OBJECT_END


def _encode_key(key: str) -> bytes:
    text = key.encode()
    return SHORT.pack(len(text)) + text


def decode(data: bytes) -> list[Value]:
    """Return the values of a message; raises `ProtocolError`. Dates are milliseconds since 1970."""
    return _Decoder(data).values()


class _Decoder:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self._count = 0

    def values(self) -> list[Value]:
        values = []
        while self._at < len(self._data):
            values.append(self._read_value(0))
        return values

    def _read(self, size: int) -> bytes:
        end = self._at + size
        if end > len(self._data):
            raise ProtocolError("an AMF0 value is cut short")
        taken = self._data[self._at : end]
        self._at = end
        return taken

    def _read_number(self, kind: Struct) -> float:
        number: float = kind.unpack(self._read(kind.size))[0]
        return number

    def _read_text(self, kind: Struct) -> str:
        return self._read(int(self._read_number(kind))).decode(errors="replace")

    def _read_value(self, depth: int) -> Value:  # noqa: C901, PLR0911  one case a kind
        self._count += 1
        if self._count > MAX_VALUES or depth > MAX_DEPTH:
            raise ProtocolError("too many AMF0 values, or too deep")
        match self._read(1)[0]:
            case Marker.NUMBER:
                return self._read_number(DOUBLE)
            case Marker.BOOLEAN:
                return self._read(1) != b"\0"
            case Marker.STRING:
                return self._read_text(SHORT)
            case Marker.LONG_STRING:
                return self._read_text(LONG)
            case Marker.OBJECT:
                return self._read_members(depth)
            case Marker.ECMA_ARRAY:
                # The number of members follows; many peers send a wrong one, so it is ignored.
                self._read(4)
                return self._read_members(depth)
            case Marker.STRICT_ARRAY:
                return [self._read_value(depth + 1) for _ in range(int(self._read_number(LONG)))]
            case Marker.NULL | Marker.UNDEFINED:
                return None
            case Marker.DATE:
                date = self._read_number(DOUBLE)
                self._read(2)  # the time zone, always 0
                return date
            case kind:
                raise ProtocolError(f"no AMF0 value begins with {kind:#04x}")

    def _read_members(self, depth: int) -> dict[str, Value]:
        members: dict[str, Value] = {}
        while self._data[self._at : self._at + 3] != OBJECT_END:
            key = self._read_text(SHORT)
            members[key] = self._read_value(depth + 1)
        self._at += 3
        return members
