"""Audio transcoder: Opus to AAC."""

from fractions import Fraction
from typing import Final

import av

SAMPLE_RATE: Final = 48_000
"""Samples per second of both codecs."""
TIME_BASE: Final = Fraction(1, SAMPLE_RATE)
BIT_RATE: Final = 128_000
FRAME_SAMPLES: Final = 1_024
"""Samples of one AAC frame."""
MAX_SILENCE_SAMPLES: Final = 2 * SAMPLE_RATE
"""Longest gap that is filled with silence; after a longer one the sound restarts."""
AAC_CONFIG_TAG: Final = b"\xaf\0\x11\x90"
"""FLV sequence header of AAC-LC, 48 kHz, stereo."""
AAC_FRAME_TAG: Final = b"\xaf\1"


class AudioTranscoder:
    """Decodes Opus packets and encodes AAC frames."""

    def __init__(self) -> None:
        self._decoder = av.CodecContext.create("libopus", "r")
        self._decoder.sample_rate = SAMPLE_RATE
        self._decoder.layout = "stereo"
        self._encoder = av.CodecContext.create("aac", "w")
        self._encoder.sample_rate = SAMPLE_RATE
        self._encoder.layout = "stereo"
        self._encoder.format = "fltp"
        self._encoder.bit_rate = BIT_RATE
        self._encoder.time_base = TIME_BASE
        # The encoder needs planar floats, exactly one frame at a time.
        self._resampler = av.AudioResampler("fltp", "stereo", SAMPLE_RATE, FRAME_SAMPLES)
        self._end: int | None = None

    def transcode(self, payload: bytes, ticks: int) -> list[tuple[int, bytes]]:
        """Transcode a packet that starts at sample `ticks`; return (sample, FLV body) pairs."""
        packet = av.Packet(payload)
        packet.pts = ticks
        packet.time_base = TIME_BASE
        try:
            frames = self._decoder.decode(packet)
        except av.FFmpegError:
            return []  # the packet counts as lost
        bodies = []
        for frame in frames:
            gap = ticks - self._end if self._end is not None else 0
            if 0 < gap <= MAX_SILENCE_SAMPLES:
                bodies += self._encode(_make_silence(gap), ticks - gap)
            bodies += self._encode(frame, ticks)
            ticks += frame.samples
            self._end = ticks
        return bodies

    def _encode(self, frame: av.AudioFrame, ticks: int) -> list[tuple[int, bytes]]:
        frame.pts = ticks
        frame.time_base = TIME_BASE
        return [
            (packet.pts or 0, AAC_FRAME_TAG + bytes(packet))
            for piece in self._resampler.resample(frame)
            for packet in self._encoder.encode(piece)
        ]


def _make_silence(samples: int) -> av.AudioFrame:
    frame = av.AudioFrame("s16", "stereo", samples)
    frame.sample_rate = SAMPLE_RATE
    for plane in frame.planes:
        plane.update(bytes(plane.buffer_size))
    return frame
