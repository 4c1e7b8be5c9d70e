"""Tells whether a clock can be trusted: against the elapsed time and the last write.

Retention deletes by age, so a clock that jumps ahead would delete what is still to be kept.
"""

from enum import StrEnum

from homeroom.base.clock import DAY, HOUR, Moment

MAX_DRIFT_SECONDS = HOUR
"""Seconds by which a running server's clock may leave the time that has passed."""
MAX_ABSENCE_SECONDS = 30 * DAY
"""Seconds between the last write and a start, after which an operator must look."""


class ClockState(StrEnum):
    """Whether the clock agrees with what is known of the time."""

    TRUSTED = "trusted"
    JUMPED = "jumped"
    """It moved while the server ran, ahead or back."""
    AHEAD = "ahead"
    """At the start it is far after the last moment that was written."""
    BEHIND = "behind"
    """At the start it is before the last moment that was written."""

    @property
    def pauses_sweeps(self) -> bool:
        """Whether nothing may be deleted by age; a clock that is behind deletes too little."""
        return self in (ClockState.JUMPED, ClockState.AHEAD)


def judge_at_start(now: Moment, written_at: Moment | None) -> ClockState:
    """Compare a clock with the last moment that was written; None: nothing was."""
    if written_at is None:
        return ClockState.TRUSTED
    if now - written_at > MAX_ABSENCE_SECONDS:
        return ClockState.AHEAD
    if written_at - now > MAX_DRIFT_SECONDS:
        return ClockState.BEHIND
    return ClockState.TRUSTED


def judge_running(now: Moment, expected: float) -> ClockState:
    """Compare a clock with the moment that it must show after the time that has passed."""
    is_near = abs(now - expected) <= MAX_DRIFT_SECONDS
    return ClockState.TRUSTED if is_near else ClockState.JUMPED


def format_span(seconds: float) -> str:
    """Return a duration in words, in its largest unit."""
    for size, unit in ((DAY, "days"), (HOUR, "hours")):
        if abs(seconds) >= 2 * size:
            return f"{abs(seconds) / size:.0f} {unit}"
    return f"{abs(seconds) / 60:.0f} minutes"


def describe_clock(state: ClockState, off_by: float) -> str:
    """Return a sentence on a clock for the operator, empty for one that is trusted.

    `off_by` is by how many seconds it is after what it is compared with.
    """
    if state is ClockState.TRUSTED:
        return ""
    span, direction = format_span(off_by), "ahead" if off_by > 0 else "back"
    text = {
        ClockState.JUMPED: f"the clock jumped {direction} by {span}",
        ClockState.AHEAD: f"the clock is {span} after the last write",
        ClockState.BEHIND: f"the clock is {span} before the last write",
    }[state]
    consequence = ", so nothing is deleted by age" if state.pauses_sweeps else ""
    return f"{text}{consequence}: set it right, or if it is right, run `homeroom clock accept`"
