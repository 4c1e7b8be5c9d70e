"""The state that processes share, as a worker process uses it, over a real pair of sockets."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import pytest

from homeroom.base.ids import SchoolId
from homeroom.contract.errno import Errno
from homeroom.domain.refusal import OverloadedError
from homeroom.player.login_throttle import LoginThrottledError
from homeroom.web.faults import Fault
from homeroom.web.journal import JournalEntry
from homeroom.workers.channel import Channel, ProcedureTable, open_channel
from homeroom.workers.shared_state import LocalState, RemoteState, add_state_procedures

SCHOOL: Final = SchoolId(7)
FAULT: Final = Fault(
    0, "addCourse", SCHOOL, Errno.FAILED, 5, drop=False, times=2, after_commit=True
)


@asynccontextmanager
async def seen_by_two(state: LocalState) -> AsyncIterator[list[tuple[RemoteState, Channel]]]:
    """Give two worker processes the state of one main process."""
    procedures = ProcedureTable()
    add_state_procedures(procedures, state)
    processes, sides = [], []
    for _ in range(2):
        one, other = socket.socketpair()
        sides.append(await open_channel(one, procedures))
        channel = await open_channel(other, ProcedureTable())
        processes.append((RemoteState(channel, is_sandbox=True), channel))
    try:
        async with asyncio.timeout(20):
            yield processes
    finally:
        for side in (*sides, *(channel for _, channel in processes)):
            side.close()
            await side.wait_closed()


def test_a_call_is_a_duplicate_at_every_process() -> None:
    async def test() -> None:
        async with seen_by_two(LocalState(is_sandbox=False)) as ((one, _), (other, _)):
            assert not await one.duplicates.check(SCHOOL, b"key", 100)
            assert await other.duplicates.check(SCHOOL, b"key", 101)
            assert not await other.duplicates.check(SchoolId(8), b"key", 101)
            one.duplicates.discard(SCHOOL, b"key")
            assert not await one.duplicates.check(SCHOOL, b"key", 102)

    asyncio.run(test())


def test_limited_calls_count_at_every_process() -> None:
    async def test() -> None:
        async with seen_by_two(LocalState(is_sandbox=False)) as ((one, _), (other, _)):
            assert await one.rate_limits.count_call(SCHOOL, "action", 2, 100)
            assert await other.rate_limits.count_call(SCHOOL, "action", 2, 130)
            assert not await one.rate_limits.count_call(SCHOOL, "action", 2, 159)
            assert await other.rate_limits.count_call(SchoolId(8), "action", 2, 159)
            assert await other.rate_limits.count_call(SCHOOL, "action", 2, 160)

    asyncio.run(test())


def test_wrong_passwords_count_wherever_they_are_tried() -> None:
    async def test() -> None:
        async with seen_by_two(LocalState(is_sandbox=False)) as ((one, _), (other, _)):
            attempts = [
                await process.logins.begin("ann", "192.0.2.1")
                for process in (one, other, one, other, one)
            ]
            assert [attempt.is_first for attempt in attempts] == [True] + [False] * 4
            with pytest.raises(LoginThrottledError) as refused:
                await other.logins.begin("ann", "192.0.2.1")
            assert refused.value.seconds > 0
            one.logins.succeed(attempts[-1])
            # Messages of a channel are handled in their order.
            assert (await one.logins.begin("ann", "192.0.2.1")).is_first
            assert (await other.logins.begin("ann", "192.0.2.1")).is_first

    asyncio.run(test())


def test_a_fault_happens_as_often_as_it_should_at_all_processes_together() -> None:
    async def test() -> None:
        state = LocalState(is_sandbox=True)
        assert state.faults is not None
        added = state.faults.add(FAULT)
        async with seen_by_two(state) as ((one, _), (other, _)):
            assert one.faults is not None
            assert other.faults is not None
            assert await other.faults.take_next(SchoolId(8), "addCourse") is None
            assert await one.faults.take_next(SCHOOL, "addCourse") == added
            taken = await other.faults.take_next(SCHOOL, "addCourse")
            assert taken is not None
            assert (taken.errno, taken.times) == (Errno.FAILED, 1)
            assert await one.faults.take_next(SCHOOL, "addCourse") is None

    asyncio.run(test())


def test_the_journal_is_of_all_processes() -> None:
    async def test() -> None:
        state = LocalState(is_sandbox=True)
        entries = [
            JournalEntry(str(n), 5, "addCourse", SCHOOL, None, "::1", {"a": "b"}, None, "", 1.5)
            for n in range(2)
        ]
        async with seen_by_two(state) as processes:
            for entry, (process, _) in zip(entries, processes, strict=True):
                assert process.journal is not None
                process.journal.write(entry)
                await process.duplicates.check(SCHOOL, b"handled after it", 0)
            assert state.journal is not None
            assert state.journal.last(10) == entries[::-1]

    asyncio.run(test())


def test_without_the_main_process_calls_and_logins_are_refused_for_a_while() -> None:
    async def test() -> None:
        async with seen_by_two(LocalState(is_sandbox=True)) as ((one, channel), _):
            channel.close()
            await channel.wait_closed()
            assert one.faults is not None
            assert one.journal is not None
            with pytest.raises(OverloadedError):
                await one.duplicates.check(SCHOOL, b"key", 100)
            with pytest.raises(OverloadedError):
                await one.faults.take_next(SCHOOL, "addCourse")
            with pytest.raises(LoginThrottledError):
                await one.logins.begin("ann", "192.0.2.1")
            one.duplicates.discard(SCHOOL, b"key")

    asyncio.run(test())
