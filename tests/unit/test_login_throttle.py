"""Throttle of logins: what is delayed, what is refused, and that the owner gets in (case S4)."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest

from homeroom.player import login_throttle
from homeroom.player.login_throttle import (
    FREE_ATTEMPTS,
    MAX_DELAY_SECONDS,
    LoginThrottle,
    LoginThrottledError,
    PasswordChecks,
)

OWNER = "203.0.113.9"


class Clock:
    """A clock that moves when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        """Let time pass at once."""
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)


def run(test: Callable[[LoginThrottle, Clock], Coroutine[Any, Any, None]]) -> None:
    """Run a test with a throttle on a stopped clock."""

    async def main() -> None:
        clock = Clock()
        await test(LoginThrottle(now=lambda: clock.now, sleep=clock.sleep), clock)

    asyncio.run(main())


async def guess(throttle: LoginThrottle, count: int, account: str = "a") -> None:
    """Try wrong passwords, each from another address."""
    for number in range(count):
        await throttle.begin(account, f"192.0.2.{number} of {id(account)}")


def test_wrong_passwords_delay_the_account_more_and_more_and_refuse_nobody() -> None:
    async def test(throttle: LoginThrottle, clock: Clock) -> None:
        await guess(throttle, FREE_ATTEMPTS)
        assert clock.slept == []
        for number in range(8):
            await throttle.begin("a", f"198.51.100.{number}")
        assert clock.slept == [0.25, 0.5, 1, 2, 4, 5, 5, 5]
        for number in range(500):
            await throttle.begin("a", f"2001:db8:{number:x}::/64")
        assert max(clock.slept) == MAX_DELAY_SECONDS
        owner = await throttle.begin("a", OWNER)
        throttle.succeed(owner)

    run(test)


def test_an_address_that_was_let_in_before_is_not_delayed_by_others() -> None:
    async def test(throttle: LoginThrottle, clock: Clock) -> None:
        throttle.succeed(await throttle.begin("a", OWNER))
        await guess(throttle, 300)
        clock.slept.clear()
        for _ in range(3):
            throttle.succeed(await throttle.begin("a", OWNER))
        assert clock.slept == []
        # A success makes it no quicker for the others.
        await throttle.begin("a", "192.0.2.7")
        assert clock.slept == [MAX_DELAY_SECONDS]

    run(test)


def test_an_address_that_was_let_in_before_is_not_refused_for_other_accounts() -> None:
    async def test(throttle: LoginThrottle, _clock: Clock) -> None:
        throttle.succeed(await throttle.begin("a", OWNER))
        for number in range(100):
            await throttle.begin(f"other {number}", OWNER)
        with pytest.raises(LoginThrottledError):
            await throttle.begin("b", OWNER)
        throttle.succeed(await throttle.begin("a", OWNER))

    run(test)


def test_account_and_address_together_are_refused_after_five_wrong_passwords() -> None:
    async def test(throttle: LoginThrottle, clock: Clock) -> None:
        for _ in range(5):
            await throttle.begin("a", "192.0.2.1")
        with pytest.raises(LoginThrottledError) as refused:
            await throttle.begin("a", "192.0.2.1")
        assert refused.value.seconds == 5
        await throttle.begin("b", "192.0.2.1")
        await throttle.begin("a", OWNER)
        clock.now += 5
        await throttle.begin("a", "192.0.2.1")

    run(test)


def test_wrong_passwords_are_forgotten_with_time() -> None:
    async def test(throttle: LoginThrottle, clock: Clock) -> None:
        await guess(throttle, FREE_ATTEMPTS + 3)
        clock.slept.clear()
        clock.now += 60 * (FREE_ATTEMPTS + 3)
        await throttle.begin("a", OWNER)
        assert clock.slept == []

    run(test)


class Doors:
    """Sleepers that wait until the test lets them go on."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.sleeping = 0

    async def sleep(self, _seconds: float) -> None:
        """Wait for the test."""
        self.sleeping += 1
        await self.open.wait()


async def start(*coroutines: Awaitable[object]) -> list[asyncio.Future[object]]:
    """Start coroutines, and let them come to where they wait."""
    futures: list[asyncio.Future[object]] = [
        asyncio.ensure_future(coroutine) for coroutine in coroutines
    ]
    for _ in range(3):
        await asyncio.sleep(0)
    return futures


def test_few_are_delayed_at_once_and_the_owner_comes_in_beside_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(login_throttle, "MAX_DELAYED_LOGINS", 20)

    async def main() -> None:
        doors = Doors()
        throttle = LoginThrottle(now=lambda: 0.0, sleep=doors.sleep)
        await guess(throttle, FREE_ATTEMPTS)
        waiting = await start(*(throttle.begin("a", f"198.51.100.{n}") for n in range(20)))
        assert doors.sleeping == 20
        # A stranger who has tried before is refused, the owner is not even delayed.
        with pytest.raises(LoginThrottledError):
            await throttle.begin("a", "198.51.100.1")
        throttle.succeed(await throttle.begin("a", OWNER))
        assert doors.sleeping == 20
        doors.open.set()
        await asyncio.gather(*waiting)

    asyncio.run(main())


def test_an_attempt_that_is_given_up_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(login_throttle, "MAX_DELAYED_LOGINS", 1)

    async def main() -> None:
        doors = Doors()
        throttle = LoginThrottle(now=lambda: 0.0, sleep=doors.sleep)
        await guess(throttle, FREE_ATTEMPTS)
        (first,) = await start(throttle.begin("a", "198.51.100.1"))
        first.cancel()
        (second,) = await start(throttle.begin("a", "198.51.100.1"))
        assert doors.sleeping == 2
        doors.open.set()
        await second

    asyncio.run(main())


def test_checks_that_wait_have_a_limit_and_room_for_those_who_made_no_mistake(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(login_throttle, "MAX_WAITING_CHECKS", 4)

    async def main() -> None:
        done = asyncio.Event()
        throttle, checks = LoginThrottle(now=lambda: 0.0), PasswordChecks()
        await throttle.begin("a", "192.0.2.1")
        again = await throttle.begin("a", "192.0.2.1")

        async def check(network: str) -> None:
            async with checks.check_slot(await throttle.begin("a", network)):
                await done.wait()

        waiting = await start(*(check(f"198.51.100.{n}") for n in range(4)))
        with pytest.raises(LoginThrottledError):
            async with checks.check_slot(again):
                pass
        owner = await start(check(OWNER))
        done.set()
        await asyncio.gather(*waiting, *owner)

    asyncio.run(main())
