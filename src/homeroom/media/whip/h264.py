"""H.264 out of RTP (RFC 6184) and into FLV, as it was encoded."""

from struct import Struct
from typing import Final, NamedTuple

IDR: Final = 5
"""A slice of a picture that depends on no other."""
SPS: Final = 7
PPS: Final = 8
AUD: Final = 9
STAP_A: Final = 24
"""STAP-A: several units in one packet."""
FU_A: Final = 28
"""FU-A: a piece of a unit."""
FU_START: Final = 0x80
FU_END: Final = 0x40
MAX_ACCESS_UNIT_BYTES: Final = 3_900_000
"""Bytes of a picture; the engine takes four million."""
MAX_PARAMETER_SETS: Final = 31
"""Parameter sets of a kind, as a header can hold."""
HIGH_PROFILES: Final = frozenset({100, 110, 122, 144})
"""Profiles whose header tells the depth of colours as well; browsers send 4:2:0 of 8 bits."""
CHROMA_420_8BIT: Final = b"\xfd\xf8\xf8\0"
CONFIG_TAG: Final = b"\x17\0\0\0\0"
KEYFRAME_TAG: Final = b"\x17\1\0\0\0"
INTERFRAME_TAG: Final = b"\x27\1\0\0\0"
"""Frame type and codec, packet type, composition time: browsers send no B-frames."""
UINT32: Final = Struct(">I")
UINT16: Final = Struct(">H")


class AccessUnit(NamedTuple):
    """One picture as it was encoded."""

    ticks: int
    """When it was taken, by the sender's clock of 90 kHz."""
    units: list[bytes]
    """Its NAL units."""

    @property
    def is_keyframe(self) -> bool:
        """Return whether a decoder can begin with it."""
        return any(nal_type(unit) == IDR for unit in self.units)

    @property
    def header(self) -> bytes:
        """Return the FLV header made of its parameter sets, or nothing where it has none."""
        sets = [[unit for unit in self.units if nal_type(unit) == kind] for kind in (SPS, PPS)]
        if not all(sets):
            return b""
        sps, pps = (b"".join(map(_prefix_length, group[:MAX_PARAMETER_SETS])) for group in sets)
        profile = sets[0][0][1:4]
        counts = (min(len(group), MAX_PARAMETER_SETS) for group in sets)
        chroma = CHROMA_420_8BIT if profile[0] in HIGH_PROFILES else b""
        head = bytes((1, *profile, 0xFF, 0xE0 | next(counts)))
        return CONFIG_TAG + head + sps + bytes((next(counts),)) + pps + chroma

    @property
    def frame(self) -> bytes:
        """Return the body of its FLV tag.

        Parameter sets stay where they are, though the header has them too: so a file in which the
        size of the picture changes plays in every player.
        """
        head = KEYFRAME_TAG if self.is_keyframe else INTERFRAME_TAG
        units = (unit for unit in self.units if nal_type(unit) != AUD)
        return head + b"".join(UINT32.pack(len(unit)) + unit for unit in units)


def nal_type(unit: bytes) -> int:
    """Return the type of a NAL unit."""
    return unit[0] & 0x1F


def _prefix_length(unit: bytes) -> bytes:
    return UINT16.pack(len(unit)) + unit


class H264Depacketizer:
    """Gathers pictures from the payload of packets that come in order."""

    def __init__(self) -> None:
        self.needs_keyframe = True
        """Whether what comes cannot be decoded before the next key frame."""
        self._ticks = 0
        self._units: list[bytes] = []
        self._fragment: bytearray | None = None
        self._size = 0

    def mark_loss(self) -> None:
        """Take note that packets are missing here."""
        self.needs_keyframe = True
        self._reset(self._ticks)

    def add(self, payload: bytes, ticks: int, *, is_last: bool) -> list[AccessUnit]:
        """Take a packet; returns the pictures that are whole now and can be decoded."""
        access_units = []
        if ticks != self._ticks:
            access_units = self._complete()
            self._reset(ticks)
        self._size += len(payload)
        if self._size > MAX_ACCESS_UNIT_BYTES or not self._add_payload(payload):
            self.mark_loss()
        if is_last:
            access_units += self._complete()
        return access_units

    def _reset(self, ticks: int) -> None:
        self._ticks = ticks
        self._units, self._fragment, self._size = [], None, 0

    def _add_payload(self, payload: bytes) -> bool:
        """Take the units of a packet; tells whether they make sense."""
        kind = nal_type(payload) if payload else 0
        if 0 < kind < STAP_A:
            self._units.append(payload)
            return True
        if kind == STAP_A:
            return self._add_aggregate(payload)
        return kind == FU_A and len(payload) > 2 and self._add_fragment(payload)  # noqa: PLR2004  two header bytes stand before a piece

    def _add_aggregate(self, payload: bytes) -> bool:
        at = 1
        while at + UINT16.size < len(payload):
            (size,) = UINT16.unpack_from(payload, at)
            at += UINT16.size + size
            if size == 0 or at > len(payload):
                return False
            self._units.append(payload[at - size : at])
        return at == len(payload)

    def _add_fragment(self, payload: bytes) -> bool:
        fu_header = payload[1]
        if fu_header & FU_START:
            self._fragment = bytearray((payload[0] & 0xE0 | fu_header & 0x1F,))
        if self._fragment is None:
            return False
        self._fragment += payload[2:]
        if fu_header & FU_END:
            self._units.append(bytes(self._fragment))
            self._fragment = None
        return True

    def _complete(self) -> list[AccessUnit]:
        access_unit = AccessUnit(self._ticks, self._units)
        self._reset(self._ticks)
        if not access_unit.units:
            return []
        if self.needs_keyframe:
            # Parameter sets come first: a picture that has them has lost nothing before them.
            if not (access_unit.is_keyframe and access_unit.header):
                return []
            self.needs_keyframe = False
        return [access_unit]
