"""Writes silent AAC frames (ISO/IEC 14496-3, 4.4.2): channels whose spectrum has no band."""

from typing import Final

from homeroom.media.engine.codecs import AudioConfig

SINGLE: Final = 0
"""single_channel_element."""
PAIR: Final = 1
"""channel_pair_element."""
LOW_FREQUENCY: Final = 3
"""lfe_channel_element."""
END: Final = 7
LAYOUTS: Final = {
    1: (SINGLE,),
    2: (PAIR,),
    3: (SINGLE, PAIR),
    4: (SINGLE, PAIR, SINGLE),
    5: (SINGLE, PAIR, PAIR),
    6: (SINGLE, PAIR, PAIR, LOW_FREQUENCY),
    7: (SINGLE, PAIR, PAIR, PAIR, LOW_FREQUENCY),
    11: (SINGLE, PAIR, PAIR, SINGLE, LOW_FREQUENCY),
    12: (SINGLE, PAIR, PAIR, PAIR, LOW_FREQUENCY),
}
"""Elements of a frame by channelConfiguration."""
CODECS: Final = frozenset(f"mp4a.40.{kind}" for kind in (1, 2, 4, 5, 29))
"""Codecs whose frames are built of these elements; the core of HE-AAC is one of them."""

_GAIN: Final = (0, 8)
_ICS_INFO: Final = ((0, 1), (0, 2), (0, 1), (0, 6), (0, 1))
"""Reserved bit, one long window, its shape, max_sfb of 0, no prediction."""
_TOOLS: Final = ((0, 1), (0, 1), (0, 1))
"""No pulses, no noise shaping, no gain control."""


def encode_silence(sound: AudioConfig) -> bytes | None:
    """Return the raw_data_block of one silent frame, or None for a codec without one."""
    if sound.codec not in CODECS or sound.layout not in LAYOUTS:
        return None
    fields: list[tuple[int, int]] = []
    tags: dict[int, int] = {}
    for element in LAYOUTS[sound.layout]:
        tag = tags[element] = tags.get(element, -1) + 1
        fields += [(element, 3), (tag, 4)]
        if element == PAIR:
            # A window for both, without mid and side coding, and then each channel.
            fields += [(1, 1), *_ICS_INFO, (0, 2), _GAIN, *_TOOLS, _GAIN, *_TOOLS]
        else:
            fields += [_GAIN, *_ICS_INFO, *_TOOLS]
    return _pack([*fields, (END, 3)])


def _pack(fields: list[tuple[int, int]]) -> bytes:
    """Return fields of value and width in bits, filled up to whole bytes."""
    number = width = 0
    for value, bits in fields:
        number, width = number << bits | value, width + bits
    rest = -width % 8
    return (number << rest).to_bytes((width + rest) // 8)
