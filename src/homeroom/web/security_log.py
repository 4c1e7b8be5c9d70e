"""The security log: one line for each decision about who may do what."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum
from time import monotonic
from typing import Any

import msgspec

from homeroom.base.networks import network_of

log = logging.getLogger("homeroom.security")

WINDOW_SECONDS = 60.0
MAX_WINDOWS = 10_000
"""Addresses whose refusals are counted; beyond that, the oldest window ends early."""


class Decision(StrEnum):
    """The decision that a line is about."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    THROTTLED = "throttled"


class SecurityEvent(StrEnum):
    """The events of the security log; there are no others (docs/guides/log.md)."""

    LOGIN_SUCCEEDED = "login_succeeded"
    LOGIN_FAILED = "login_failed"
    LOGIN_THROTTLED = "login_throttled"
    LOGOUT = "logout"
    GUEST_REGISTERED = "guest_registered"
    LINK_USED = "link_used"
    LINK_REFUSED = "link_refused"
    TEACHER_LINK_USED = "teacher_link_used"
    TEACHER_LINK_REFUSED = "teacher_link_refused"
    TOKEN_USED = "token_used"  # noqa: S105  the name of an event, no password
    TOKEN_REFUSED = "token_refused"  # noqa: S105  the name of an event, no password
    CALL_REFUSED = "call_refused"
    CLIP_REFUSED = "clip_refused"
    FILE_REFUSED = "file_refused"
    HOOK_REFUSED = "hook_refused"
    SANDBOX_CHANGED = "sandbox_changed"
    SANDBOX_REFUSED = "sandbox_refused"
    OPERATOR_COMMAND = "operator_command"


OUTCOMES = {
    SecurityEvent.LOGIN_FAILED: Decision.REFUSED,
    SecurityEvent.LOGIN_THROTTLED: Decision.THROTTLED,
    SecurityEvent.LINK_REFUSED: Decision.REFUSED,
    SecurityEvent.TEACHER_LINK_REFUSED: Decision.REFUSED,
    SecurityEvent.TOKEN_REFUSED: Decision.REFUSED,
    SecurityEvent.CALL_REFUSED: Decision.REFUSED,
    SecurityEvent.CLIP_REFUSED: Decision.REFUSED,
    SecurityEvent.FILE_REFUSED: Decision.REFUSED,
    SecurityEvent.HOOK_REFUSED: Decision.REFUSED,
    SecurityEvent.SANDBOX_REFUSED: Decision.REFUSED,
}
"""The outcome of each event that is not accepted."""
LIMITED = frozenset(OUTCOMES) - {SecurityEvent.LOGIN_FAILED}
"""Events that an anonymous client can cause at any rate; logins have limits of their own."""


def report(
    event: SecurityEvent,
    address: str,
    *,
    actor: str | None = None,
    claimed: object = None,
    **facts: object,
) -> None:
    """Write a line: `actor` is a proven identity, `claimed` one that a client only names.

    No fact may be a secret: no token, no key, no signature, no unmasked account.
    """
    outcome = OUTCOMES.get(event, Decision.ACCEPTED)
    fields = {
        "outcome": outcome.value,
        "address": address,
        "actor": actor,
        "claimed": claimed,
        **facts,
    }
    if event in LIMITED:
        _limiter.report(event, network_of(address), fields)
    else:
        write_line(event, fields)


def flush() -> None:
    """Write the counts of all open windows, before the process ends."""
    _limiter.end_windows()


def write_line(event: SecurityEvent, fields: dict[str, Any]) -> None:
    """Write a line of the log; what is refused is a warning."""
    is_refused = event in OUTCOMES
    log.log(logging.WARNING if is_refused else logging.INFO, event.value, extra=fields)


class _Window(msgspec.Struct):
    ends_at: float
    fields: dict[str, Any]
    """Fields of the last event in it."""
    count: int = 0
    """Events in it without a line."""


class LineLimiter:
    """Writes the first line of an event and network at once, and then one a minute with a count."""

    def __init__(
        self,
        write: Callable[[SecurityEvent, dict[str, Any]], None],
        now: Callable[[], float] = monotonic,
    ) -> None:
        self._write = write
        self._now = now
        self._windows: OrderedDict[tuple[SecurityEvent, str], _Window] = OrderedDict()

    def report(self, event: SecurityEvent, network: str, fields: dict[str, Any]) -> None:
        """Write or count an event."""
        now = self._now()
        window = self._windows.get((event, network))
        if window is not None and now < window.ends_at:
            window.count += 1
            window.fields = fields
            return
        if window is not None:
            self._end_window((event, network))
        elif len(self._windows) >= MAX_WINDOWS:
            self._end_window(next(iter(self._windows)))
        self._windows[event, network] = _Window(now + WINDOW_SECONDS, fields)
        self._write(event, {**fields, "count": 1})
        with suppress(RuntimeError):  # without a loop, the next event ends the window
            asyncio.get_running_loop().call_later(WINDOW_SECONDS, self.end_due_windows)

    def end_due_windows(self) -> None:
        """End the windows whose minute is over."""
        while self._windows:
            key, window = next(iter(self._windows.items()))
            if window.ends_at > self._now():
                return
            self._end_window(key)

    def end_windows(self) -> None:
        """End all windows."""
        while self._windows:
            self._end_window(next(iter(self._windows)))

    def _end_window(self, key: tuple[SecurityEvent, str]) -> None:
        window = self._windows.pop(key)
        if window.count:
            self._write(key[0], {**window.fields, "count": window.count})


_limiter = LineLimiter(write_line)
