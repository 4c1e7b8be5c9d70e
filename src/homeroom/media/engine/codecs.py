"""H.264 and AAC: parse their sequence headers and write the MP4 sample entries."""

import struct
from typing import Final

from homeroom.base.values import Value
from homeroom.media.engine.boxes import box, full_box
from homeroom.media.engine.packets import UnsupportedMediaError

SPS: Final = 7
"""NAL unit type of a sequence parameter set."""
MAX_CONFIG_BYTES: Final = 0xFFFF
"""Maximum size of a sequence header; usual ones have about fifty bytes."""
MAX_SPS_BYTES: Final = 512
"""Bytes of a sequence parameter set that are parsed for the picture size."""
MAX_PIXELS: Final = 16_384
"""Maximum plausible width and height."""
SCALING_LIST_SIZES: Final = (16, 64)
"""Entries of a 4x4 and an 8x8 scaling list."""
HIGH_PROFILES: Final = frozenset(
    (44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 144, 244)
)
"""Profiles whose parameter sets contain the chroma format."""
CROP: Final = {0: (1, 1), 1: (2, 2), 2: (2, 1), 3: (1, 1)}
"""Columns and lines of one cropping unit, by chroma format."""
SQUARE: Final = (1, 1)
SAMPLE_ASPECTS: Final = (
    *(SQUARE, SQUARE, (12, 11), (10, 11), (16, 11), (40, 33), (24, 11), (20, 11), (32, 11)),
    *((80, 33), (18, 11), (15, 11), (64, 33), (160, 99), (4, 3), (3, 2), (2, 1)),
)
"""Width and height of a sample by aspect_ratio_idc (H.264, table E-1); 0 means unspecified."""
EXTENDED_SAR: Final = 255
"""The aspect_ratio_idc that means that width and height follow."""
MAX_ASPECT: Final = 8
"""Maximum plausible ratio of width and height of a sample."""
UNSPECIFIED_COLOUR: Final = (2, 2, 2)
RATES: Final = (
    *(96_000, 88_200, 64_000, 48_000, 44_100, 32_000),
    *(24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350),
)
EXPLICIT: Final = 15
"""The index that means that the rate itself follows."""
CHANNELS: Final = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 6, 7: 8, 11: 7, 12: 8, 14: 8}
STEREO: Final = 2
SBR: Final = 5
PARAMETRIC_STEREO: Final = 29
ESCAPED: Final = 31


class Colour(Value, frozen=True):
    """Colours of the picture, as code points of ISO/IEC 23091-2."""

    description: tuple[int, int, int]
    """Primaries, transfer characteristics and matrix."""
    is_full_range: bool

    def encode(self) -> bytes:
        """Return the content of a box of the type nclx."""
        return struct.pack(">HHHB", *self.description, self.is_full_range << 7)


class VideoConfig(Value, frozen=True):
    """Configuration of a video track."""

    config: bytes
    """The AVCDecoderConfigurationRecord, unchanged."""
    codec: str
    width: int
    """Pixels; 0 if the parameter set cannot be parsed."""
    height: int
    aspect: tuple[int, int] = SQUARE
    """Width and height of a sample; anamorphic pictures do not have square ones."""
    colour: "Colour | None" = None

    @property
    def display_width(self) -> float:
        """Return the width in which players show the picture."""
        return self.width * self.aspect[0] / self.aspect[1]

    def has_parameter_sets(self, frame: memoryview) -> bool:
        """Return whether a frame contains a sequence parameter set."""
        at, width = 0, 1 + (self.config[4] & 3)
        while at + width < len(frame):
            at += width
            if frame[at] & 0x1F == SPS:
                return True
            at += int.from_bytes(frame[at - width : at])
        return False

    def sample_entry(self) -> bytes:
        """Return the sample entry."""
        shape = struct.pack(">HH", self.width, self.height)
        dots = struct.pack(">IIIH", 0x480000, 0x480000, 0, 1)
        depth = struct.pack(">32sHH", b"", 24, 0xFFFF)
        begin = struct.pack(">6xH16x", 1)
        extras = []
        if self.aspect != SQUARE:
            extras.append(box(b"pasp", struct.pack(">II", *self.aspect)))
        if self.colour is not None:
            extras.append(box(b"colr", b"nclx", self.colour.encode()))
        return box(b"avc1", begin, shape, dots, depth, box(b"avcC", self.config), *extras)


class AudioConfig(Value, frozen=True):
    """Configuration of an audio track."""

    config: bytes
    """The AudioSpecificConfig, unchanged."""
    codec: str
    rate: int
    """Coded samples per second; spectral band replication doubles them in the decoder."""
    channels: int
    frame: int
    """Samples per frame."""
    layout: int
    """Its channelConfiguration; 0 if the header describes the channels one by one."""

    def sample_entry(self) -> bytes:
        """Return the sample entry."""
        rate = self.rate if self.rate <= 0xFFFF else 0  # noqa: PLR2004  16 bits are all it has
        begin = struct.pack(">6xH8xHH4xHH", 1, self.channels, 16, rate, 0)
        decoder = struct.pack(">BB3xII", 0x40, 0x15, 0, 0) + _descriptor(5, self.config)
        stream = struct.pack(">HB", 0, 0) + _descriptor(4, decoder) + _descriptor(6, b"\x02")
        return box(b"mp4a", begin, full_box(b"esds", 0, 0, _descriptor(3, stream)))


def _descriptor(tag: int, body: bytes) -> bytes:
    size = len(body)
    length = bytes((0x80 | size >> 21, 0x80 | size >> 14 & 0x7F, 0x80 | size >> 7 & 0x7F))
    return bytes((tag,)) + length + bytes((size & 0x7F,)) + body


class BitReader:
    """Reads numbers from a bit string; raises `ValueError` at its end."""

    def __init__(self, data: bytes) -> None:
        self._number = int.from_bytes(data)
        self._left = 8 * len(data)

    def take(self, count: int) -> int:
        """Return the next bits as a number."""
        if count > self._left:
            raise ValueError("the bits are used up")
        self._left -= count
        return self._number >> self._left & (1 << count) - 1

    def golomb(self) -> int:
        """Return the next exponential Golomb code."""
        zeros = 0
        while not self.take(1):
            zeros += 1
        return (1 << zeros | self.take(zeros)) - 1

    def signed(self) -> int:
        """Return the next signed exponential Golomb code."""
        code = self.golomb()
        return (code + 1) // 2 if code % 2 else -(code // 2)


def parse_video_config(config: bytes) -> VideoConfig:
    """Read the header of a video track; raises `Unsupported`."""
    try:
        first = _parameter_sets(config)[0]
    except (IndexError, ValueError):
        raise UnsupportedMediaError("the header of the picture is no AVC configuration") from None
    codec = f"avc1.{config[1:4].hex()}"
    bits = BitReader(first[1:MAX_SPS_BYTES].replace(b"\0\0\3", b"\0\0"))
    try:
        width, height = _read_size(bits)
    except ValueError:
        return VideoConfig(config, codec, 0, 0)
    try:
        aspect, colour = _read_appearance(bits)
    except ValueError:
        aspect, colour = SQUARE, None
    return VideoConfig(config, codec, width, height, aspect, colour)


def _parameter_sets(config: bytes) -> list[bytes]:
    """Return the sequence parameter sets; checks the picture parameter sets too."""
    if config[0] != 1 or len(config) > MAX_CONFIG_BYTES:
        raise ValueError("another version, or too long")
    sets, place = [], 5
    for mask in (0x1F, 0xFF):
        count = config[place] & mask
        place += 1
        for _ in range(count):
            end = place + 2 + (config[place] << 8 | config[place + 1])
            if end > len(config):
                raise ValueError("a parameter set is cut off")
            if mask == 0x1F:  # noqa: PLR2004  the five bits that count sequence parameter sets
                sets.append(config[place + 2 : end])
            place = end
    return sets


def _read_size(bits: BitReader) -> tuple[int, int]:
    """Return width and height of a sequence parameter set, cropped."""
    profile = bits.take(8)
    bits.take(16)  # constraints and level
    bits.golomb()  # its own number
    chroma = _chroma(bits) if profile in HIGH_PROFILES else 1
    bits.golomb()  # bits of a frame number
    _skip_order(bits)
    bits.golomb()  # reference frames
    bits.take(1)  # whether frame numbers may have gaps
    across, down = bits.golomb() + 1, bits.golomb() + 1
    fields = 1 if bits.take(1) else 2
    bits.take(1 if fields == 1 else 2)  # frames coded as fields, direct inference
    width, height = 16 * across, 16 * down * fields
    if bits.take(1):
        left, right, top, bottom = (bits.golomb() for _ in range(4))
        columns, lines = CROP[chroma]
        width -= columns * (left + right)
        height -= lines * fields * (top + bottom)
    if not (0 < width <= MAX_PIXELS and 0 < height <= MAX_PIXELS):
        raise ValueError(f"a picture of {width} by {height}")
    return width, height


def _read_appearance(bits: BitReader) -> tuple[tuple[int, int], Colour | None]:
    """Return the shape of a sample and the colours, which follow the size (VUI parameters)."""
    aspect, colour = SQUARE, None
    if not bits.take(1):
        return aspect, colour
    if bits.take(1):
        number = bits.take(8)
        if number == EXTENDED_SAR:
            aspect = (bits.take(16), bits.take(16))
        elif number < len(SAMPLE_ASPECTS):
            aspect = SAMPLE_ASPECTS[number]
        across, down = aspect
        is_plausible = across <= MAX_ASPECT * down and down <= MAX_ASPECT * across
        if not (across and is_plausible) or across == down:
            aspect = SQUARE
    if bits.take(1):
        bits.take(1)  # whether overscan is appropriate
    if bits.take(1):
        bits.take(3)  # the format before encoding
        is_full_range = bool(bits.take(1))
        if bits.take(1):
            description = (bits.take(8), bits.take(8), bits.take(8))
            if description != UNSPECIFIED_COLOUR:
                colour = Colour(description, is_full_range)
    return aspect, colour


def _chroma(bits: BitReader) -> int:
    """Return the chroma format; skips the other fields of high profiles."""
    chroma = bits.golomb()
    if chroma not in CROP:
        raise ValueError(f"chroma format {chroma}")
    is_444 = chroma == 3  # noqa: PLR2004  its number in the standard
    is_separate = bits.take(1) if is_444 else 0
    bits.golomb()  # depth of luma
    bits.golomb()  # depth of chroma
    bits.take(1)
    if bits.take(1):
        for number in range(12 if is_444 else 8):
            if bits.take(1):
                _skip_scaling(bits, SCALING_LIST_SIZES[number >= 6])  # noqa: PLR2004  lists 0 to 5 are 4x4, the others 8x8
    return 0 if is_separate else chroma


def _skip_scaling(bits: BitReader, count: int) -> None:
    last = following = 8
    for _ in range(count):
        if following:
            following = (last + bits.signed()) % 256
        last = following or last


def _skip_order(bits: BitReader) -> None:
    """Skip the picture order count fields."""
    kind = bits.golomb()
    if kind == 0:
        bits.golomb()
    elif kind == 1:
        bits.take(1)
        bits.signed()
        bits.signed()
        for _ in range(bits.golomb()):
            bits.signed()


def parse_audio_config(config: bytes) -> AudioConfig:
    """Read the header of an audio track; raises `Unsupported`."""
    bits = BitReader(config[:64])
    try:
        kind = _object_type(bits)
        rate = _rate(bits)
        layout = bits.take(4)
        if kind in {SBR, PARAMETRIC_STEREO}:
            _rate(bits)
            _object_type(bits)
        is_short = bits.take(1)
    except ValueError:
        raise UnsupportedMediaError("the header of the sound is no AAC configuration") from None
    if not RATES[-1] <= rate <= RATES[0] or len(config) > MAX_CONFIG_BYTES:
        raise UnsupportedMediaError(f"the sound has {rate} samples a second")
    channels = STEREO if kind == PARAMETRIC_STEREO else CHANNELS.get(layout, STEREO)
    frame = 960 if is_short else 1024
    return AudioConfig(config, f"mp4a.40.{kind}", rate, channels, frame, layout)


def _object_type(bits: BitReader) -> int:
    kind = bits.take(5)
    return 32 + bits.take(6) if kind == ESCAPED else kind


def _rate(bits: BitReader) -> int:
    index = bits.take(4)
    if index == EXPLICIT:
        return bits.take(24)
    if index >= len(RATES):
        raise ValueError("a rate that is not in the table")
    return RATES[index]
