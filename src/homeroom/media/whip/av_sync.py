"""Synchronization of audio and video, whose RTP clocks start at random times and wrap."""

from typing import Final

from homeroom.media.whip.reorder_buffer import RTPUnwrapper

MIN_CORRECTION_SECONDS: Final = 0.02
"""Smallest offset of sound that is corrected; sender reports are not exact."""
NTP_TICKS_PER_SECOND: Final = 1 << 32
"""Ticks per second of NTP times in sender reports."""


class TrackClock:
    """RTP clock of one track."""

    def __init__(self, clock_rate: int) -> None:
        """Set up; `clock_rate` is in ticks per second."""
        self.clock_rate = clock_rate
        self._unwrapper = RTPUnwrapper(32)
        self.arrival_origin: float | None = None
        """Arrival time of tick 0, extrapolated, in seconds of our clock."""
        self.sender_origin: float | None = None
        """Sending time of tick 0, extrapolated, in seconds of the sender's clock."""

    def ticks(self, timestamp: int) -> int:
        """Return an RTP timestamp in unwrapped ticks."""
        return self._unwrapper.unwrap(timestamp)


class AVSynchronizer:
    """Maps the RTP clocks of both tracks to one timeline.

    Sender reports relate the tracks; before the first reports, the arrival times do. Video stays
    where its first frame arrived, and audio is shifted to match it.
    """

    def __init__(self) -> None:
        self.video = TrackClock(90_000)
        self.audio = TrackClock(48_000)
        self._origin: float | None = None
        self._shift = 0.0

    def note_arrival(self, track: TrackClock, ticks: int, now: float) -> None:
        """Add the arrival of a packet; the first one sets the origin. `now` is in seconds."""
        if self._origin is None:
            self._origin = now
        if track.arrival_origin is None:
            track.arrival_origin = now - ticks / track.clock_rate

    def add_sender_report(self, track: TrackClock, ntp: int, timestamp: int) -> None:
        """Add a sender report, which relates the sender's NTP time to an RTP timestamp."""
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
