"""H.264 out of RTP (RFC 6184) and into FLV, as it was encoded."""

from struct import Struct
from typing import Final, NamedTuple

IDR: Final = 5
"""A slice of a picture that depends on no other."""
SPS: Final = 7
PPS: Final = 8
DELIMITER: Final = 9
SEVERAL: Final = 24
"""STAP-A: several units in one packet."""
PIECE: Final = 28
"""FU-A: a piece of a unit."""
FIRST: Final = 0x80
LAST: Final = 0x40
MOST: Final = 3_900_000
"""Bytes of a picture; the engine takes four million."""
MOST_SETS: Final = 31
"""Parameter sets of a kind, as a header can hold."""
HIGH: Final = frozenset({100, 110, 122, 144})
"""Profiles whose header tells the depth of colours as well; browsers send 4:2:0 of 8 bits."""
PLAIN_COLOURS: Final = b"\xfd\xf8\xf8\0"
HEADER: Final = b"\x17\0\0\0\0"
KEY_FRAME: Final = b"\x17\1\0\0\0"
OTHER_FRAME: Final = b"\x27\1\0\0\0"
"""Frame type and codec, packet type, composition time: browsers send no B-frames."""
LENGTH: Final = Struct(">I")
SHORT: Final = Struct(">H")


class Picture(NamedTuple):
    """One picture as it was encoded."""

    ticks: int
    """When it was taken, by the sender's clock of 90 kHz."""
    units: list[bytes]
    """Its NAL units."""

    @property
    def is_key(self) -> bool:
        """Return whether a decoder can begin with it."""
        return any(kind(unit) == IDR for unit in self.units)

    @property
    def header(self) -> bytes:
        """Return the FLV header made of its parameter sets, or nothing where it has none."""
        sets = [[unit for unit in self.units if kind(unit) == of] for of in (SPS, PPS)]
        if not all(sets):
            return b""
        sps, pps = (b"".join(map(_sized, some[:MOST_SETS])) for some in sets)
        profile = sets[0][0][1:4]
        counts = (min(len(some), MOST_SETS) for some in sets)
        colours = PLAIN_COLOURS if profile[0] in HIGH else b""
        head = bytes((1, *profile, 0xFF, 0xE0 | next(counts)))
        return HEADER + head + sps + bytes((next(counts),)) + pps + colours

    @property
    def frame(self) -> bytes:
        """Return the body of its FLV tag.

        Parameter sets stay where they are, though the header has them too: so a file in which the
        size of the picture changes plays in every player.
        """
        head = KEY_FRAME if self.is_key else OTHER_FRAME
        shown = (unit for unit in self.units if kind(unit) != DELIMITER)
        return head + b"".join(LENGTH.pack(len(unit)) + unit for unit in shown)


def kind(unit: bytes) -> int:
    """Return the type of a NAL unit."""
    return unit[0] & 0x1F


def _sized(unit: bytes) -> bytes:
    return SHORT.pack(len(unit)) + unit


class Pictures:
    """Gathers pictures from the payload of packets that come in order."""

    def __init__(self) -> None:
        self.is_broken = True
        """Whether what comes cannot be decoded before the next key frame."""
        self._ticks = 0
        self._units: list[bytes] = []
        self._piece: bytearray | None = None
        self._size = 0

    def lose(self) -> None:
        """Take note that packets are missing here."""
        self.is_broken = True
        self._begin(self._ticks)

    def take(self, payload: bytes, ticks: int, *, is_last: bool) -> list[Picture]:
        """Take a packet; returns the pictures that are whole now and can be decoded."""
        done = []
        if ticks != self._ticks:
            done = self._finished()
            self._begin(ticks)
        self._size += len(payload)
        if self._size > MOST or not self._unpacked(payload):
            self.lose()
        if is_last:
            done += self._finished()
        return done

    def _begin(self, ticks: int) -> None:
        self._ticks = ticks
        self._units, self._piece, self._size = [], None, 0

    def _unpacked(self, payload: bytes) -> bool:
        """Take the units of a packet; tells whether they make sense."""
        of = kind(payload) if payload else 0
        if 0 < of < SEVERAL:
            self._units.append(payload)
            return True
        if of == SEVERAL:
            return self._several(payload)
        return of == PIECE and len(payload) > 2 and self._pieced(payload)  # noqa: PLR2004  two header bytes stand before a piece

    def _several(self, payload: bytes) -> bool:
        at = 1
        while at + SHORT.size < len(payload):
            (size,) = SHORT.unpack_from(payload, at)
            at += SHORT.size + size
            if size == 0 or at > len(payload):
                return False
            self._units.append(payload[at - size : at])
        return at == len(payload)

    def _pieced(self, payload: bytes) -> bool:
        about = payload[1]
        if about & FIRST:
            self._piece = bytearray((payload[0] & 0xE0 | about & 0x1F,))
        if self._piece is None:
            return False
        self._piece += payload[2:]
        if about & LAST:
            self._units.append(bytes(self._piece))
            self._piece = None
        return True

    def _finished(self) -> list[Picture]:
        picture = Picture(self._ticks, self._units)
        self._begin(self._ticks)
        if not picture.units:
            return []
        if self.is_broken:
            # Parameter sets come first: a picture that has them has lost nothing before them.
            if not (picture.is_key and picture.header):
                return []
            self.is_broken = False
        return [picture]
