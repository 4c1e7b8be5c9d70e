"""One clock for picture and sound, whose RTP clocks begin anywhere and wrap."""

from typing import Final

from homeroom.media.whip.order import Unwrapped

NOTICED: Final = 0.02
"""Seconds by which sound must be off before it is moved: reports are not exact to the sample."""
NTP: Final = 1 << 32
"""Ticks a second of the time in a sender's report."""


class Track:
    """The clock of one track."""

    def __init__(self, rate: int) -> None:
        """Take its ticks a second."""
        self.rate = rate
        self._unwrapped = Unwrapped(32)
        self.arrived: float | None = None
        """When its tick 0 would have come here, in seconds of our clock."""
        self.sent: float | None = None
        """When its tick 0 would have been sent, in seconds of the sender's clock."""

    def ticks(self, stamp: int) -> int:
        """Return an RTP time as one that does not wrap."""
        return self._unwrapped.of(stamp)


class Timeline:
    """Places both tracks: by the sender's reports and, until those come, by their arrival.

    The picture stays where its first frame arrived, and the sound moves to it.
    """

    def __init__(self) -> None:
        self.video = Track(90_000)
        self.audio = Track(48_000)
        self._begin: float | None = None
        self._shift = 0.0

    def arrive(self, track: Track, ticks: int, now: float) -> None:
        """Take note of a packet of this time; `now` is in seconds."""
        if self._begin is None:
            self._begin = now
        if track.arrived is None:
            track.arrived = now - ticks / track.rate

    def report(self, track: Track, ntp: int, stamp: int) -> None:
        """Take a sender's report: what its own clock showed at an RTP time."""
        track.sent = ntp / NTP - track.ticks(stamp) / track.rate
        video, audio = self.video, self.audio
        if video.sent is None or audio.sent is None:
            return
        if video.arrived is None or audio.arrived is None:
            return
        shift = audio.sent - video.sent + video.arrived - audio.arrived
        if abs(shift - self._shift) > NOTICED:
            self._shift = shift

    def place(self, track: Track, ticks: int) -> int:
        """Return the milliseconds since the first packet of either track arrived."""
        begin, arrived = self._begin or 0.0, track.arrived or 0.0
        shift = self._shift if track is self.audio else 0.0
        return max(round(1000 * (arrived - begin + shift + ticks / track.rate)), 0)
