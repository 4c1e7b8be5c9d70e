"""Checks what is in H.264 pictures: keyframes, parameter sets, and NAL units that cannot be read.

What the container says of a picture is only a claim. A keyframe holds an IDR slice, and a header
is made of the parameter sets in the pictures if the publisher sends none.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from homeroom.base.stream_problems import DropReason
from homeroom.media.engine.codecs import HIGH_PROFILES, MAX_CONFIG_BYTES, BitReader
from homeroom.media.engine.packets import VIDEO, Packet

NO_SLICE: Final = 0
MAX_SLICE: Final = 5
"""NAL unit types 1 to 5 are slices of a picture."""
IDR: Final = 5
"""Slice of an IDR picture, which depends on no other picture."""
SPS: Final = 7
PPS: Final = 8
DAMAGED: Final = -1
MAX_UNITS: Final = 4_000
"""Maximum NAL units of one picture; cameras send at most some hundred slices."""
MAX_SETS: Final = {SPS: 31, PPS: 255}
"""Maximum parameter sets of a header."""
MIN_SPS_BYTES: Final = 4
"""A sequence parameter set contains at least its type, profile and level."""
BODY: Final = 5
"""Bytes before the NAL units in the body of a packet: codec, type and composition time."""
USUAL_LENGTH_BYTES: Final = 4
KEYFRAME: Final = b"\x17"
INTERFRAME: Final = b"\x27"
"""First byte of a packet's body: frame type and codec."""
HEADER: Final = b"\x17\0\0\0\0"
START_CODE: Final = b"\0\0\1"
PARAMETERS_MASK: Final = 0x1F


class PictureCheck:
    """Checks the packets of one picture track; frames that cannot be decoded are dropped."""

    def __init__(self) -> None:
        self.dropped: Counter[DropReason] = Counter()
        """Number of dropped frames."""
        self.false_keyframes = 0
        """Number of pictures marked as keyframes that hold no IDR slice."""
        self._config = b""
        """The present AVCDecoderConfigurationRecord."""
        self._is_published = False
        """Whether the publisher sent it; otherwise it is made of sets in the pictures."""
        self._width = USUAL_LENGTH_BYTES
        """Bytes of the length before each NAL unit."""
        self._has_lengths = False
        """Whether a picture had proper lengths; later ones have no start codes then."""
        self._sets: dict[int, list[bytes]] = {SPS: [], PPS: []}
        self._has_keyframe = False

    @property
    def has_header(self) -> bool:
        """Return whether there is a header, by the publisher or made of its parameter sets."""
        return bool(self._config)

    @property
    def has_keyframe(self) -> bool:
        """Return whether there was a picture that a player can start with."""
        return self._has_keyframe

    def check(self, packet: Packet) -> Sequence[Packet]:
        """Return what can be decoded: nothing, the packet, or a new header and the packet."""
        if packet.is_header:
            return self._check_header(packet)
        kind, has_sets = self._scan(packet.body)
        if kind == DAMAGED:
            body = self._mend(packet.body)
            if body is None:
                self.dropped[DropReason.DAMAGED] += 1
                return ()
            packet.body = body
            kind, has_sets = self._scan(body)
        else:
            self._has_lengths = True
        is_idr = kind == IDR
        if packet.is_keyframe is not is_idr:
            self._correct(packet, is_idr, kind)
        header = None
        if has_sets and not self._is_published:
            self._read_sets(packet.body)
            header = self._make_header(packet.time)
        if is_idr and self._config:
            self._has_keyframe = True
        elif not self._has_keyframe:
            if kind != NO_SLICE:
                reason = DropReason.NO_KEYFRAME if self._config else DropReason.NO_HEADER
                self.dropped[reason] += 1
            return () if header is None else (header,)
        return (packet,) if header is None else (header, packet)

    def _scan(self, body: bytes) -> tuple[int, bool]:
        """Return the type of the first slice, and whether there are parameter sets.

        Each picture passes here: this loop runs once for each of its NAL units.
        """
        at, end, width = BODY, len(body), self._width
        first, has_sets = NO_SLICE, False
        for _ in range(MAX_UNITS):
            size = int.from_bytes(body[at : at + width])
            at += width
            if not size or at + size > end:
                break
            kind = body[at] & PARAMETERS_MASK
            if kind <= MAX_SLICE:
                first = first or kind
            elif kind in (SPS, PPS):
                has_sets = True
            at += size
            if at == end:
                return first, has_sets
        return DAMAGED, False

    def _mend(self, body: bytes) -> bytes | None:
        """Return a picture in another form with proper lengths, None if it cannot be read.

        Some encoders send start codes in place of lengths, or zeros as padding. Players that check
        the lengths end with an error at either.
        """
        payload = body[BODY:]
        units = _split_lengths(payload, self._width)
        if units is None and not self._has_lengths:
            units = _split_start_codes(payload)
        if not units or max(map(len, units)) >> 8 * self._width:
            return None
        return body[:BODY] + b"".join(
            part for unit in units for part in (len(unit).to_bytes(self._width), unit)
        )

    def _correct(self, packet: Packet, is_idr: bool, kind: int) -> None:  # noqa: FBT001  a fact, not a mode
        """Make the mark of a keyframe true, also in the body, which viewers get."""
        if packet.is_keyframe and kind != NO_SLICE:
            self.false_keyframes += 1
        packet.is_keyframe = is_idr
        packet.body = (KEYFRAME if is_idr else INTERFRAME) + packet.body[1:]

    def _check_header(self, packet: Packet) -> Sequence[Packet]:
        """Return a header that has parameter sets; others wait for those in the pictures."""
        config = packet.body[BODY:]
        sets = _read_config(config)
        if sets is None:
            units = _split_start_codes(config)
            if units is None:
                # The packager refuses it, with the reason.
                return (packet,)
            self._width = USUAL_LENGTH_BYTES
            self._keep_sets(units)
            header = self._make_header(packet.time)
            return () if header is None else (header,)
        if len(config) >= BODY and config[0]:
            self._width = (config[4] & 3) + 1
        if all(sets.values()):
            is_same = not self._is_published and sets == self._sets
            self._is_published = True
            if is_same:
                # It came late; the one made of the pictures is as good.
                return ()
            self._config = config
            return (packet,)
        for kind, units in sets.items():
            self._sets[kind] = units or self._sets[kind]
        return ()

    def _read_sets(self, body: bytes) -> None:
        self._keep_sets(_split_lengths(body[BODY:], self._width) or [])

    def _keep_sets(self, units: list[bytes]) -> None:
        for kind, most in MAX_SETS.items():
            sets = [unit for unit in units if unit[0] & PARAMETERS_MASK == kind][:most]
            self._sets[kind] = sets or self._sets[kind]

    def _make_header(self, time: int) -> Packet | None:
        """Return a header made of the parameter sets, None if it is known or not complete.

        Other picture parameter sets alone make no other header: they come with the pictures.
        """
        sps, pps = self._sets[SPS], self._sets[PPS]
        if not (sps and pps) or sps == _sps_of(self._config):
            return None
        config = make_config(sps, pps, self._width)
        if config is None:
            return None
        self._config = config
        return Packet(VIDEO, time, HEADER + config, is_header=True)


def make_config(
    sps: Sequence[bytes], pps: Sequence[bytes], width: int = USUAL_LENGTH_BYTES
) -> bytes | None:
    """Return the AVCDecoderConfigurationRecord of parameter sets, None if they are unusable."""
    first = sps[0]
    if len(first) < MIN_SPS_BYTES:
        return None
    if max(map(len, (*sps, *pps))) > MAX_CONFIG_BYTES:
        return None
    head = bytes((1, *first[1:4], 0xFC | width - 1, 0xE0 | len(sps)))
    config = b"".join(
        (head, *map(_with_length, sps), bytes((len(pps),)), *map(_with_length, pps), _chroma(first))
    )
    return config if len(config) <= MAX_CONFIG_BYTES else None


def _with_length(unit: bytes) -> bytes:
    return len(unit).to_bytes(2) + unit


def _chroma(sps: bytes) -> bytes:
    """Return chroma format and bit depths, which end the record of a high profile."""
    if sps[1] not in HIGH_PROFILES:
        return b""
    bits = BitReader(sps[4:20].replace(b"\0\0\3", b"\0\0"))
    try:
        bits.golomb()
        chroma = bits.golomb()
        if chroma == 3:  # noqa: PLR2004  4:4:4, its number in the standard
            bits.take(1)
        luma_depth, chroma_depth = bits.golomb(), bits.golomb()
    except ValueError:
        return b""
    return bytes((0xFC | chroma & 3, 0xF8 | luma_depth & 7, 0xF8 | chroma_depth & 7, 0))


def _read_config(config: bytes) -> dict[int, list[bytes]] | None:
    """Return the parameter sets of a header; None if it is no header, or cut off."""
    sets: dict[int, list[bytes]] = {SPS: [], PPS: []}
    if not config.strip(b"\0"):
        return sets
    if config[0] != 1:
        return None
    at = BODY
    for kind, mask in ((SPS, PARAMETERS_MASK), (PPS, 0xFF)):
        if at >= len(config):
            break
        count = config[at] & mask
        at += 1
        for _ in range(count):
            end = at + 2 + int.from_bytes(config[at : at + 2])
            if end > len(config):
                return None
            sets[kind].append(config[at + 2 : end])
            at = end
    return sets


def _sps_of(config: bytes) -> list[bytes]:
    return (_read_config(config) or {SPS: []})[SPS]


def _split_lengths(payload: bytes, width: int) -> list[bytes] | None:
    """Return the NAL units of a payload with lengths, without padding; None if they are wrong."""
    units: list[bytes] = []
    at = 0
    for _ in range(MAX_UNITS):
        if len(payload) - at < width:
            return None if payload[at:].strip(b"\0") else units
        size = int.from_bytes(payload[at : at + width])
        at += width
        if at + size > len(payload):
            return None
        if size:
            units.append(payload[at : at + size])
        at += size
    return None


def _split_start_codes(payload: bytes) -> list[bytes] | None:
    """Return the NAL units of a payload with start codes, or None if it does not begin with one."""
    before, *rest = payload.split(START_CODE, MAX_UNITS)
    if not rest or len(rest) == MAX_UNITS or before.strip(b"\0"):
        return None
    return [unit for unit in (part.rstrip(b"\0") for part in rest) if unit]
