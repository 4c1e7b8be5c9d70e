"""Keyed locks: free keys are locked at once, and every key is free again afterwards."""

import asyncio

import pytest

from homeroom.partner import locks as module
from homeroom.partner.locks import KeyedLocks


def test_free_keys_are_acquired_without_a_task_switch() -> None:
    async def scenario() -> None:
        locks = KeyedLocks()
        acquiring = locks.acquire(["b", "a"], ["c"])
        with pytest.raises(StopIteration) as ended:
            acquiring.send(None)
        acquired, busy = ended.value.value
        assert (acquired, busy) == (["a", "b"], frozenset())
        locks.release(acquired)
        assert await locks.acquire(["a"], []) == (["a"], frozenset())

    asyncio.run(scenario())


def test_requests_about_the_same_run_in_their_order() -> None:
    async def scenario() -> None:
        locks = KeyedLocks()
        order = []

        async def request(number: int) -> None:
            acquired, busy = await locks.acquire(["a"], [])
            assert not busy
            order.append(number)
            await asyncio.sleep(0)
            locks.release(acquired)

        await asyncio.gather(*(request(number) for number in range(5)))
        assert order == [0, 1, 2, 3, 4]

    asyncio.run(scenario())


def test_watched_keys_are_waited_for_and_not_locked() -> None:
    async def scenario() -> None:
        locks = KeyedLocks()
        acquired, _ = await locks.acquire(["a"], [])
        watching = asyncio.create_task(locks.acquire([], ["a"]))
        await asyncio.sleep(0)
        locks.release(acquired)
        assert await watching == ([], frozenset())
        assert await locks.acquire(["a"], []) == (["a"], frozenset())

    asyncio.run(scenario())


def test_keys_that_stay_locked_are_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        monkeypatch.setattr(module, "LOCK_WAIT_SECONDS", 0)
        locks = KeyedLocks()
        await locks.acquire(["b"], [])
        acquired, busy = await locks.acquire(["a", "b", "c"], [])
        assert (acquired, busy) == (["a", "c"], frozenset(["b"]))

    asyncio.run(scenario())


def test_a_cancelled_request_releases_its_keys() -> None:
    async def scenario() -> None:
        locks = KeyedLocks()
        of_b, _ = await locks.acquire(["b"], [])
        waiting = asyncio.create_task(locks.acquire(["a", "b"], []))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert await locks.acquire(["a"], []) == (["a"], frozenset())
        locks.release(of_b)
        assert await locks.acquire(["b"], []) == (["b"], frozenset())

    asyncio.run(scenario())
