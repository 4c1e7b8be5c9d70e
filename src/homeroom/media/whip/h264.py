"""Depacketizer of H.264 from RTP (RFC 6184), and FLV tags of its access units."""

from struct import Struct
from typing import Final, NamedTuple

from homeroom.media.engine.avc import HEADER, IDR, PPS, SPS, make_config

AUD: Final = 9
STAP_A: Final = 24
"""Aggregation packet: several NAL units in one packet."""
FU_A: Final = 28
"""Fragmentation unit: a part of one NAL unit."""
FU_START: Final = 0x80
FU_END: Final = 0x40
MAX_ACCESS_UNIT_BYTES: Final = 3_900_000
"""Limit of one access unit; the engine accepts four million bytes."""
MAX_PARAMETER_SETS: Final = 31
"""Limit of SPS, and of PPS, that fit into a decoder configuration."""
KEYFRAME_TAG: Final = b"\x17\1\0\0\0"
INTERFRAME_TAG: Final = b"\x27\1\0\0\0"
"""Frame type and codec, packet type, composition time (0: browsers send no B-frames)."""
UINT32: Final = Struct(">I")
UINT16: Final = Struct(">H")


class AccessUnit(NamedTuple):
    """Access unit: the NAL units of one encoded picture."""

    ticks: int
    """RTP time of the picture, unwrapped, at 90 kHz."""
    units: list[bytes]
    """NAL units without start codes."""

    @property
    def is_keyframe(self) -> bool:
        """True if a decoder can start at this access unit."""
        return any(nal_type(unit) == IDR for unit in self.units)

    @property
    def header(self) -> bytes:
        """Return the FLV sequence header made of its parameter sets, or b"" without them."""
        sets = [[unit for unit in self.units if nal_type(unit) == kind] for kind in (SPS, PPS)]
        if not all(sets):
            return b""
        sps, pps = (group[:MAX_PARAMETER_SETS] for group in sets)
        config = make_config(sps, pps)
        return HEADER + config if config is not None else b""

    @property
    def frame(self) -> bytes:
        """Return the body of its FLV tag.

        The frame keeps its parameter sets, although the header repeats them. A recording in which
        the picture size changes then plays in every player.
        """
        head = KEYFRAME_TAG if self.is_keyframe else INTERFRAME_TAG
        units = (unit for unit in self.units if nal_type(unit) != AUD)
        return head + b"".join(UINT32.pack(len(unit)) + unit for unit in units)


def nal_type(unit: bytes) -> int:
    """Return the type of a NAL unit."""
    return unit[0] & 0x1F


class H264Depacketizer:
    """Assembles access units from the payloads of ordered RTP packets."""

    def __init__(self) -> None:
        self.needs_keyframe = True
        """True if nothing can be decoded before the next keyframe."""
        self._ticks = 0
        self._units: list[bytes] = []
        self._fragment: bytearray | None = None
        self._size = 0

    def mark_loss(self) -> None:
        """Discard the current access unit, because packets are missing."""
        self.needs_keyframe = True
        self._reset(self._ticks)

    def add(self, payload: bytes, ticks: int, *, is_last: bool) -> list[AccessUnit]:
        """Add a packet; return access units that are complete now and can be decoded."""
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
        """Add the NAL units of a packet; return False if the payload is malformed."""
        kind = nal_type(payload) if payload else 0
        if 0 < kind < STAP_A:
            self._units.append(payload)
            return True
        if kind == STAP_A:
            return self._add_aggregate(payload)
        return kind == FU_A and len(payload) > 2 and self._add_fragment(payload)  # noqa: PLR2004  two header bytes precede a fragment

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
            # Parameter sets come first. If they are present, nothing before them was lost.
            if not (access_unit.is_keyframe and access_unit.header):
                return []
            self.needs_keyframe = False
        return [access_unit]
