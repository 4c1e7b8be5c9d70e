"""AMF0, the encoding of values in RTMP commands and metadata."""

from collections.abc import Iterator, Mapping
from enum import IntEnum
from struct import Struct
from typing import Final

from homeroom.base.errors import HomeroomError

Value = None | bool | float | str | list["Value"] | dict[str, "Value"]

MAX_DEPTH: Final = 8
"""Maximum nesting of objects."""
MAX_VALUES: Final = 2000
"""Maximum number of values in one command."""

OBJECT_END: Final = b"\0\0\x09"

DOUBLE: Final = Struct(">d")
SHORT: Final = Struct(">H")
LONG: Final = Struct(">I")
MAX_SHORT_STRING_BYTES: Final = 0xFFFF
NUMBER_BYTES: Final = 1 + DOUBLE.size
"""Size of a number with its marker."""


class Marker(IntEnum):
    """The type marker, the first byte of a value."""

    NUMBER = 0x00
    BOOLEAN = 0x01
    STRING = 0x02
    OBJECT = 0x03
    NULL = 0x05
    UNDEFINED = 0x06
    REFERENCE = 0x07
    ECMA_ARRAY = 0x08
    STRICT_ARRAY = 0x0A
    DATE = 0x0B
    LONG_STRING = 0x0C
    UNSUPPORTED = 0x0D
    XML = 0x0F
    TYPED_OBJECT = 0x10


# Plain numbers: a lookup by an IntEnum calls Python code, and metadata can have many values.
FIXED_SIZES: Final[dict[int, int]] = {
    Marker.NUMBER.value: NUMBER_BYTES,
    Marker.BOOLEAN.value: 2,
    Marker.NULL.value: 1,
    Marker.UNDEFINED.value: 1,
    Marker.REFERENCE.value: 1 + SHORT.size,
    Marker.DATE.value: NUMBER_BYTES + 2,
    Marker.UNSUPPORTED.value: 1,
}
"""Bytes of a value whose marker gives its size."""
STRING: Final = Marker.STRING.value
SCALARS: Final = frozenset((Marker.NUMBER.value, Marker.BOOLEAN.value, STRING))
LONG_TEXTS: Final = frozenset((Marker.LONG_STRING.value, Marker.XML.value))
OBJECTS: Final = frozenset(
    (Marker.OBJECT.value, Marker.ECMA_ARRAY.value, Marker.TYPED_OBJECT.value)
)
MEMBERS: Final = -1
"""Stands for the number of values of an object: its end marker says when it is over."""


class ProtocolError(HomeroomError):
    """A peer broke the rules of its protocol; the message is for the peer."""


def encode(*values: Value) -> bytes:
    """Return the AMF0 encoding of some values."""
    return b"".join(map(_encode_value, values))


def encode_ecma_array(members: Mapping[str, Value]) -> bytes:
    """Return the encoding of an ECMA array, the form that metadata has in FLV."""
    return bytes((Marker.ECMA_ARRAY,)) + LONG.pack(len(members)) + _encode_members(members)


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
    return bytes((Marker.OBJECT,)) + _encode_members(value)


def _encode_members(members: Mapping[str, Value]) -> bytes:
    pairs = b"".join(_encode_key(key) + _encode_value(member) for key, member in members.items())
    return pairs + OBJECT_END


def _encode_key(key: str) -> bytes:
    text = key.encode()
    return SHORT.pack(len(text)) + text


def decode(data: bytes) -> list[Value]:
    """Return the values of a message; raises `ProtocolError`.

    Dates are milliseconds since 1970. A reference to another value counts as null.
    """
    reader, values = AMF0Reader(data, MAX_VALUES), []
    while not reader.is_at_end:
        values.append(reader.read_value())
    return values


class AMF0Reader:
    """Reads the values of a message, one after the other; its methods raise `ProtocolError`."""

    def __init__(self, data: bytes, max_values: int) -> None:
        self._data = data
        self._at = 0
        self._left = max_values

    @property
    def is_at_end(self) -> bool:
        """Return whether there are no more values."""
        return self._at >= len(self._data)

    def read_next(self) -> Value:
        """Return the next value, or None if there are no more."""
        return None if self.is_at_end else self.read_value()

    def skip_next(self) -> None:
        """Pass over the next value, if there is one."""
        if not self.is_at_end:
            self.skip_value()

    def read_value(self, depth: int = 0) -> Value:  # noqa: C901, PLR0911  one case a kind
        """Return the next value."""
        if depth > MAX_DEPTH:
            raise ProtocolError("AMF0 values are nested too deep")
        self._count_value()
        match self._read(1)[0]:
            case Marker.NUMBER:
                return self._read_number(DOUBLE)
            case Marker.BOOLEAN:
                return self._read(1) != b"\0"
            case Marker.STRING:
                return self._read_text(SHORT)
            case Marker.LONG_STRING | Marker.XML:
                return self._read_text(LONG)
            case (Marker.OBJECT | Marker.ECMA_ARRAY | Marker.TYPED_OBJECT) as kind:
                self._skip_object_head(kind)
                return self._read_members(depth)
            case Marker.STRICT_ARRAY:
                return [self.read_value(depth + 1) for _ in range(self._read_size(LONG))]
            case Marker.NULL | Marker.UNDEFINED | Marker.UNSUPPORTED:
                return None
            case Marker.REFERENCE:
                self._skip(SHORT.size)
                return None
            case Marker.DATE:
                date = self._read_number(DOUBLE)
                self._skip(2)  # the time zone, always 0
                return date
            case kind:
                raise ProtocolError(f"no AMF0 value begins with {kind:#04x}")

    def read_scalars(self) -> Iterator[tuple[str, float | bool | str]]:
        """Yield those members of the next value that are numbers, booleans or short texts.

        Other members are skipped, however large they are. A value that is no object has none.
        """
        kind = self._peek()
        if kind not in OBJECTS:
            self.skip_value()
            return
        self._skip(1)
        self._skip_object_head(kind)
        while not self._skip_object_end():
            key = self._read_text(SHORT)
            if self._peek() in SCALARS:
                value = self.read_value()
                if isinstance(value, float | bool | str):
                    yield key, value
            else:
                self.skip_value()

    def skip_value(self) -> None:
        """Pass over the next value, whatever it contains and however deep it is nested."""
        try:
            self._at = self._find_end(self._at)
        except IndexError:
            self._at = len(self._data) + 1
        self._skip(0)

    def _find_end(self, at: int) -> int:
        """Return the offset after the value at an offset; maybe beyond the data.

        Metadata of a megabyte has many values: this is written for speed.
        """
        data = self._data
        containers = [1]
        """For each open container the number of values to come, or MEMBERS."""
        while containers:
            count = containers[-1]
            if count == MEMBERS:
                if data[at] == 0 and data[at : at + 3] == OBJECT_END:
                    at += 3
                    containers.pop()
                    continue
                at += 2 + (data[at] << 8 | data[at + 1])  # its key
            elif count == 0:
                containers.pop()
                continue
            else:
                containers[-1] = count - 1
            self._left -= 1
            if self._left < 0:
                raise ProtocolError("too many AMF0 values")
            kind = data[at]
            size = FIXED_SIZES.get(kind)
            if size is not None:
                at += size
            elif kind == STRING:
                at += 3 + (data[at + 1] << 8 | data[at + 2])
            else:
                at = self._enter(kind, at + 1, containers)
        return at

    def _enter(self, kind: int, at: int, containers: list[int]) -> int:
        """Return the offset after the head of a container, or after a long text."""
        data = self._data
        size = int.from_bytes(data[at : at + 4])
        if kind in LONG_TEXTS:
            return at + 4 + size
        if kind == Marker.STRICT_ARRAY:
            at += 4
            end = at + NUMBER_BYTES * size
            # The usual case, an index of keyframes, in one step.
            if end <= len(data) and not any(data[at:end:NUMBER_BYTES]):
                return end
            containers.append(size)
            return at
        if kind not in OBJECTS:
            raise ProtocolError(f"no AMF0 value begins with {kind:#04x}")
        containers.append(MEMBERS)
        if kind == Marker.TYPED_OBJECT:
            return at + 2 + (size >> 16)
        return at + 4 if kind == Marker.ECMA_ARRAY else at

    def _count_value(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise ProtocolError("too many AMF0 values")

    def _skip(self, size: int) -> None:
        self._at += size
        if self._at > len(self._data):
            raise ProtocolError("an AMF0 value is cut short")

    def _read(self, size: int) -> bytes:
        begin = self._at
        self._skip(size)
        return self._data[begin : self._at]

    def _peek(self) -> int:
        """Return the marker of the next value."""
        if self._at >= len(self._data):
            raise ProtocolError("an AMF0 value is cut short")
        return self._data[self._at]

    def _read_number(self, kind: Struct) -> float:
        number: float = kind.unpack(self._read(kind.size))[0]
        return number

    def _read_size(self, kind: Struct) -> int:
        return int.from_bytes(self._read(kind.size))

    def _read_text(self, size: Struct) -> str:
        return self._read(self._read_size(size)).decode(errors="replace")

    def _skip_object_head(self, kind: int) -> None:
        if kind == Marker.ECMA_ARRAY:
            # The number of members; many peers send a wrong one, so it is ignored.
            self._skip(LONG.size)
        elif kind == Marker.TYPED_OBJECT:
            self._skip(self._read_size(SHORT))  # the name of its class

    def _skip_object_end(self) -> bool:
        """Pass over the end of an object, if it comes next; returns whether it does."""
        if self._data[self._at : self._at + 3] != OBJECT_END:
            return False
        self._at += len(OBJECT_END)
        return True

    def _read_members(self, depth: int) -> dict[str, Value]:
        members: dict[str, Value] = {}
        while not self._skip_object_end():
            key = self._read_text(SHORT)
            members[key] = self.read_value(depth + 1)
        return members
