"""Opus turned into AAC."""

from fractions import Fraction
from typing import Final

import av

RATE: Final = 48_000
"""Samples a second, of both."""
TICK: Final = Fraction(1, RATE)
BIT_RATE: Final = 128_000
FRAME: Final = 1_024
"""Samples of one frame of AAC."""
MOST_FILLED: Final = 2 * RATE
"""Samples of silence put where packets are lost; after a longer gap the sound begins again."""
HEADER: Final = b"\xaf\0\x11\x90"
"""The FLV header of AAC-LC, 48 kHz, stereo."""
HEAD: Final = b"\xaf\1"


class Sound:
    """A decoder of Opus and an encoder of AAC, one after the other."""

    def __init__(self) -> None:
        self._decoder = av.CodecContext.create("libopus", "r")
        self._decoder.sample_rate = RATE
        self._decoder.layout = "stereo"
        self._encoder = av.CodecContext.create("aac", "w")
        self._encoder.sample_rate = RATE
        self._encoder.layout = "stereo"
        self._encoder.format = "fltp"
        self._encoder.bit_rate = BIT_RATE
        self._encoder.time_base = TICK
        # The encoder wants planes of floats, a frame's worth at a time.
        self._resampler = av.AudioResampler("fltp", "stereo", RATE, FRAME)
        self._end: int | None = None

    def turned(self, payload: bytes, ticks: int) -> list[tuple[int, bytes]]:
        """Turn a packet that begins at this sample; returns FLV bodies, each with its sample."""
        packet = av.Packet(payload)
        packet.pts = ticks
        packet.time_base = TICK
        try:
            frames = self._decoder.decode(packet)
        except av.FFmpegError:
            return []  # it counts as lost
        found = []
        for frame in frames:
            gap = 0 if self._end is None else ticks - self._end
            if 0 < gap <= MOST_FILLED:
                found += self._encoded(_silence(gap), ticks - gap)
            found += self._encoded(frame, ticks)
            ticks += frame.samples
            self._end = ticks
        return found

    def _encoded(self, frame: av.AudioFrame, ticks: int) -> list[tuple[int, bytes]]:
        frame.pts = ticks
        frame.time_base = TICK
        return [
            (packet.pts or 0, HEAD + bytes(packet))
            for piece in self._resampler.resample(frame)
            for packet in self._encoder.encode(piece)
        ]


def _silence(samples: int) -> av.AudioFrame:
    frame = av.AudioFrame("s16", "stereo", samples)
    frame.sample_rate = RATE
    for plane in frame.planes:
        plane.update(bytes(plane.buffer_size))
    return frame
