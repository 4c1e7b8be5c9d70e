"""The clock, compared with what is in the database."""

from homeroom.base.clock import SystemClock
from homeroom.cli.checks.result import CheckResult, CheckStatus
from homeroom.cli.command import format_time
from homeroom.domain.clock_check import describe_clock, judge_at_start
from homeroom.store.unit_of_work import Store
from homeroom.usecases import clock as clocks
from homeroom.usecases import schools

MIN_CLOCK = 1_767_225_600
"""No clock that is right is earlier than 2026."""
MAX_AHEAD_SECONDS = 60
"""Seconds by which what is in the database may be ahead of the clock."""


def check_clock(store: Store) -> CheckResult:
    """Compare the clock with this version and with the newest row."""
    now, store_now = SystemClock().now(), store.clock.now()
    newest = store.read(schools.get_newest_creation_time) or 0
    written_at = store.read(clocks.get_written_at)
    text = f"it is {format_time(now)}"
    if now < MIN_CLOCK:
        return CheckResult("clock", CheckStatus.FAIL, f"{text}: earlier than this program")
    if abs(store_now - now) > 1:
        return CheckResult(
            "clock", CheckStatus.OK, f"{text}; the sandbox's shows {format_time(store_now)}"
        )
    problem = describe_clock(judge_at_start(now, written_at), now - (written_at or now))
    if problem:
        return CheckResult("clock", CheckStatus.WARN, f"{text}; {problem}")
    if newest > now + MAX_AHEAD_SECONDS:
        return CheckResult(
            "clock", CheckStatus.WARN, f"{text}, but something was written at {format_time(newest)}"
        )
    return CheckResult("clock", CheckStatus.OK, text)
