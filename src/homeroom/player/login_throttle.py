"""Throttle of logins: wrong passwords make guessing slow, and never shut the owner out.

A limit that refuses belongs to an account and an address together. Wrong passwords of one account
from everywhere only delay its next attempts, inside the request. An address from which the account
logged in before is neither delayed nor refused because of others.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from time import monotonic
from typing import Protocol

from homeroom.base.clock import MINUTE
from homeroom.base.errors import HomeroomError
from homeroom.base.values import Value
from homeroom.player.rate_limiter import RateLimiter

FREE_ATTEMPTS = 10
"""Wrong passwords of an account, from everywhere, before attempts are delayed; one a minute is
forgotten."""
FIRST_DELAY_SECONDS = 0.25
"""First delay; each later one is twice as long."""
MAX_DELAY_SECONDS = 5.0
MAX_DOUBLINGS = 10
MAX_DELAYED_LOGINS = 200
"""Attempts that are delayed at the same time, of all accounts."""
MAX_CONCURRENT_CHECKS = 2
"""Password checks at the same time; each takes tens of milliseconds of CPU."""
MAX_WAITING_CHECKS = 40
"""Attempts that may wait for a password check; those without a wrong password get as many again."""
MAX_REMEMBERED = 10_000
"""Pairs of account and address that logged in; the oldest are dropped first."""


class LoginThrottledError(HomeroomError):
    """An attempt is refused: try again after some seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class LoginAttempt(Value, frozen=True):
    """An attempt to log in to an account from a network."""

    account: str
    network: str
    is_first: bool
    """No wrong password came from here lately, or the account logged in from here before."""

    @property
    def pair(self) -> str:
        """The account and the network as one key."""
        return f"{self.network} {self.account}"


class LoginLimits(Protocol):
    """The limits on logins at all processes of a server."""

    async def begin(self, account: str, network: str) -> LoginAttempt:
        """Count an attempt, and delay it; raises `LoginThrottledError`."""
        ...

    def succeed(self, attempt: LoginAttempt) -> None:
        """Forget the wrong passwords from this address, and trust it from now on."""


class PasswordChecks:
    """The limit on password checks at the same time in one process."""

    def __init__(self) -> None:
        self._slots = asyncio.Semaphore(MAX_CONCURRENT_CHECKS)
        self._waiting = 0

    @asynccontextmanager
    async def check_slot(self, attempt: LoginAttempt) -> AsyncIterator[None]:
        """Wait for a turn to check a password; raises `LoginThrottledError` if too many wait."""
        if self._waiting >= MAX_WAITING_CHECKS * (2 if attempt.is_first else 1):
            raise LoginThrottledError(1)
        self._waiting += 1
        try:
            async with self._slots:
                yield
        finally:
            self._waiting -= 1


class LoginThrottle:
    """The limits on logins of one server."""

    def __init__(
        self,
        *,
        now: Callable[[], float] = monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._sleep = sleep
        self._by_pair = RateLimiter(5, 15 * MINUTE, now=now)
        # A whole school may share one address.
        self._by_network = RateLimiter(100, 10, MINUTE, now=now)
        # Only counts: its waits would refuse the owner.
        self._by_account = RateLimiter(FREE_ATTEMPTS, MINUTE, now=now)
        self._trusted: OrderedDict[str, None] = OrderedDict()
        self._delayed = 0

    async def begin(self, account: str, network: str) -> LoginAttempt:
        """Count an attempt, and delay it; raises `LoginThrottledError`.

        It counts before its result is known, so that attempts at the same time count.
        """
        pair = LoginAttempt(account, network, is_first=True).pair
        is_trusted = pair in self._trusted
        wait = self._by_pair.seconds_to_wait(pair)
        if not is_trusted:
            wait = max(wait, self._by_network.seconds_to_wait(network))
        if wait > 0:
            raise LoginThrottledError(wait)
        is_first = self._by_pair.record_attempt(pair) == 1 or is_trusted
        self._by_network.record_attempt(network)
        attempts = self._by_account.record_attempt(account)
        if not is_trusted and attempts > FREE_ATTEMPTS:
            await self._delay(attempts - FREE_ATTEMPTS, is_first=is_first)
        return LoginAttempt(account, network, is_first)

    async def _delay(self, attempts_over: int, *, is_first: bool) -> None:
        """Wait as long as the attempts over the free ones ask for."""
        doublings = min(attempts_over - 1, MAX_DOUBLINGS)
        seconds = min(MAX_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2.0**doublings)
        if self._delayed >= MAX_DELAYED_LOGINS:
            # The owner may be among those who come for the first time.
            if not is_first:
                raise LoginThrottledError(seconds)
            return
        self._delayed += 1
        try:
            await self._sleep(seconds)
        finally:
            self._delayed -= 1

    def succeed(self, attempt: LoginAttempt) -> None:
        """Forget the wrong passwords from this address, and trust it from now on.

        The wrong passwords from elsewhere still count.
        """
        self._by_pair.reset(attempt.pair)
        self._by_network.undo_attempt(attempt.network)
        self._by_account.undo_attempt(attempt.account)
        self._trusted[attempt.pair] = None
        self._trusted.move_to_end(attempt.pair)
        if len(self._trusted) > MAX_REMEMBERED:
            self._trusted.popitem(last=False)
