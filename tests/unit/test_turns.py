"""Turns of schools, on a stopped clock."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from homeroom.base.ids import SchoolId
from homeroom.partner import turns as module
from homeroom.partner.turns import (
    ACTIVE_SECONDS,
    MAX_REST_SECONDS,
    MAX_RUNNING,
    MAX_SHARED_RUNNING,
    MAX_WAITING_PER_SCHOOL,
    REST_FACTOR,
    QueueFullError,
    SchoolTurns,
)

NOISY, QUIET, OTHER = SchoolId(1), SchoolId(2), SchoolId(3)


class StoppedLoop:
    """The clock and the timers of an event loop, moved by the test."""

    def __init__(self) -> None:
        self.now = 100.0
        self.timers: list[tuple[float, Callable[..., None], tuple[object, ...]]] = []
        self.create_future = asyncio.get_running_loop().create_future

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, action: Callable[..., None], *args: object) -> None:
        self.timers.append((when, action, args))

    def advance(self, seconds: float) -> None:
        self.now += seconds
        due = [timer for timer in self.timers if timer[0] <= self.now]
        self.timers = [timer for timer in self.timers if timer[0] > self.now]
        for _, action, args in due:
            action(*args)


class Calls:
    """Calls of schools, and those that have got their turn."""

    def __init__(self, parallel_units: int = 1) -> None:
        self.loop = StoppedLoop()
        self.turns = SchoolTurns(parallel_units, loop=self.loop)  # type: ignore[arg-type]  # it has all that is used
        self.running: list[SchoolId] = []
        self.refused = 0
        self.tasks: list[asyncio.Task[None]] = []

    async def start(self, school: SchoolId, number: int = 1) -> None:
        for _ in range(number):
            self.tasks.append(asyncio.create_task(self._run(school)))
        await self.settle()

    async def finish(self, school: SchoolId, seconds: float = 0.0) -> None:
        self.running.remove(school)
        self.turns.finish(school, seconds)
        await self.settle()

    async def advance(self, seconds: float) -> None:
        self.loop.advance(seconds)
        await self.settle()

    async def settle(self) -> None:
        for _ in range(3):
            await asyncio.sleep(0)

    async def end(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    async def _run(self, school: SchoolId) -> None:
        try:
            await self.turns.wait(school)
        except QueueFullError:
            self.refused += 1
        else:
            self.running.append(school)


def run(test: Callable[[Calls], Any], parallel_units: int = 1) -> None:
    async def main() -> None:
        calls = Calls(parallel_units)
        await test(calls)
        await calls.end()

    asyncio.run(main())


def test_a_school_alone_fills_the_store_and_no_more() -> None:
    async def test(calls: Calls) -> None:
        await calls.start(NOISY, MAX_RUNNING + 10)
        running = len(calls.running)
        assert 2 <= running <= MAX_RUNNING
        assert calls.turns.waiting == MAX_RUNNING + 10 - running
        await calls.finish(NOISY)
        assert len(calls.running) == running

    run(test)


def test_a_call_of_another_school_runs_at_once() -> None:
    """Case O14: no school takes the turns of the others."""

    async def test(calls: Calls) -> None:
        await calls.start(NOISY, 500)
        await calls.start(QUIET)
        assert calls.running[-1] == QUIET

    run(test)


def test_beside_another_school_a_busy_one_runs_few_calls_and_rests() -> None:
    async def test(calls: Calls) -> None:
        await calls.start(QUIET)
        await calls.finish(QUIET)
        await calls.start(NOISY, 100)
        assert calls.running.count(NOISY) <= MAX_SHARED_RUNNING
        while calls.running:
            await calls.finish(NOISY, 0.01)
        assert calls.turns.waiting > 0
        await calls.advance(0.01 * REST_FACTOR)
        assert calls.running == []
        await calls.advance(MAX_REST_SECONDS)
        assert calls.running == [NOISY]

    run(test)


@pytest.mark.parametrize("parallel_units", [1, 8])
def test_long_calls_one_by_one_rest_too(parallel_units: int) -> None:
    """They leave the store to others for most of the time, also if it runs several at a time."""

    async def test(calls: Calls) -> None:
        await calls.start(QUIET)
        await calls.finish(QUIET)
        for _ in range(8):
            await calls.start(NOISY)
            await calls.finish(NOISY, 0.05)
            await calls.advance(0.11)
            assert calls.running == []
        await calls.start(NOISY)
        await calls.finish(NOISY, 0.05)
        await calls.start(NOISY)
        await calls.advance(0.09)
        assert calls.running == []
        await calls.start(QUIET)
        assert calls.running == [QUIET]

    run(test, parallel_units)


def test_without_others_there_is_no_rest() -> None:
    async def test(calls: Calls) -> None:
        await calls.start(QUIET)
        await calls.finish(QUIET)
        await calls.advance(2 * ACTIVE_SECONDS)
        await calls.start(NOISY, 100)
        running = len(calls.running)
        assert running > MAX_SHARED_RUNNING
        await calls.finish(NOISY, 0.05)
        assert len(calls.running) >= running - 1

    run(test)


def test_two_busy_schools_get_as_many_turns() -> None:
    async def test(calls: Calls) -> None:
        await calls.start(NOISY, 200)
        await calls.start(OTHER, 200)
        finished = {NOISY: 0, OTHER: 0}
        for _ in range(400):
            for school in list(calls.running):
                finished[school] += 1
                await calls.finish(school, 0.001)
            await calls.advance(0.005)
        assert finished == {NOISY: 200, OTHER: 200}

    run(test)


def test_the_queue_of_a_school_has_an_end() -> None:
    """Case O14: beyond what it can do the server refuses at once."""

    async def test(calls: Calls) -> None:
        await calls.start(NOISY, MAX_RUNNING + MAX_WAITING_PER_SCHOOL + 50)
        assert calls.refused >= 50
        assert calls.turns.waiting == MAX_WAITING_PER_SCHOOL
        assert calls.turns.refused == calls.refused
        await calls.start(QUIET)
        assert QUIET in calls.running

    run(test)


def test_a_call_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_WAIT_SECONDS", 0)

    async def test(calls: Calls) -> None:
        await calls.start(NOISY, MAX_RUNNING + 10)
        await calls.settle()
        assert calls.refused >= 10
        assert calls.turns.waiting == 0
        running = len(calls.running)
        for _ in range(running):
            await calls.finish(NOISY)
        await calls.start(NOISY)
        assert calls.running == [NOISY]

    run(test)


def test_a_cancelled_call_leaves_the_queue() -> None:
    async def test(calls: Calls) -> None:
        await calls.start(NOISY, MAX_RUNNING + 10)
        waiting = calls.turns.waiting
        for task in calls.tasks[-2:]:
            task.cancel()
        await calls.settle()
        assert calls.turns.waiting == waiting - 2
        while calls.running:
            await calls.finish(NOISY)
        assert calls.turns.waiting == 0
        await calls.start(NOISY, 3)
        assert calls.running == [NOISY] * 3

    run(test)
