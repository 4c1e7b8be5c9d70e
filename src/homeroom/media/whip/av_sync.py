"""One clock for picture and sound, whose RTP clocks begin anywhere and wrap."""

from typing import Final

from homeroom.media.whip.reorder_buffer import RTPUnwrapper

MIN_CORRECTION_SECONDS: Final = 0.02
"""Seconds by which sound must be off before it is moved: reports are not exact to the sample."""
NTP_TICKS_PER_SECOND: Final = 1 << 32
"""Ticks a second of the time in a sender's report."""


class TrackClock:
    """The clock of one track."""

    def __init__(self, clock_rate: int) -> None:
        """Take its ticks a second."""
        self.clock_rate = clock_rate
        self._unwrapper = RTPUnwrapper(32)
        self.arrival_origin: float | None = None
        """When its tick 0 would have come here, in seconds of our clock."""
        self.sender_origin: float | None = None
        """When its tick 0 would have been sent, in seconds of the sender's clock."""

    def ticks(self, timestamp: int) -> int:
        """Return an RTP time as one that does not wrap."""
        return self._unwrapper.unwrap(timestamp)


class AVSynchronizer:
    """Places both tracks: by the sender's reports and, until those come, by their arrival.

    The picture stays where its first frame arrived, and the sound moves to it.
    """

    def __init__(self) -> None:
        self.video = TrackClock(90_000)
        self.audio = TrackClock(48_000)
        self._origin: float | None = None
        self._shift = 0.0

    def note_arrival(self, track: TrackClock, ticks: int, now: float) -> None:
        """Take note of a packet of this time; `now` is in seconds."""
        if self._origin is None:
            self._origin = now
        if track.arrival_origin is None:
            track.arrival_origin = now - ticks / track.clock_rate

    def add_sender_report(self, track: TrackClock, ntp: int, timestamp: int) -> None:
        """Take a sender's report: what its own clock showed at an RTP time."""
        track.sender_origin = ntp / NTP_TICKS_PER_SECOND - track.ticks(timestamp) / track.clock_rate
        video, audio = self.video, self.audio
        if video.sender_origin is None or audio.sender_origin is None:
            return
        if video.arrival_origin is None or audio.arrival_origin is None:
            return
        shift = (
            audio.sender_origin - video.sender_origin + video.arrival_origin - audio.arrival_origin
        )
        if abs(shift - self._shift) > MIN_CORRECTION_SECONDS:
            self._shift = shift

    def to_ms(self, track: TrackClock, ticks: int) -> int:
        """Return the milliseconds since the first packet of either track arrived."""
        origin, arrival_origin = self._origin or 0.0, track.arrival_origin or 0.0
        shift = self._shift if track is self.audio else 0.0
        return max(round(1000 * (arrival_origin - origin + shift + ticks / track.clock_rate)), 0)
