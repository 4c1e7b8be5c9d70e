"""The channel between a server and its worker processes, over a real pair of sockets."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

import msgspec
import pytest

from homeroom.workers import channel as channels
from homeroom.workers.channel import (
    Channel,
    ChannelError,
    ChannelGroup,
    Procedure,
    ProcedureTable,
    open_channel,
)


class Sum(msgspec.Struct):
    """Two numbers to add."""

    left: int
    right: int


ADD: Final[Procedure[Sum, int]] = Procedure("add", Sum, int)
WAIT: Final[Procedure[None, str | None]] = Procedure("wait", None, str | None)
SEEN: Final[Procedure[str, None]] = Procedure("seen", str, None)
ECHO: Final[Procedure[bytes, bytes]] = Procedure("echo", bytes, bytes)


@asynccontextmanager
async def pair(table: ProcedureTable) -> AsyncIterator[tuple[Channel, Channel, socket.socket]]:
    """Yield the two sides, the first with a table, and the raw socket of the second."""
    one, other = socket.socketpair()
    copy = other.dup()
    server = await open_channel(one, table)
    worker = await open_channel(other, ProcedureTable())
    try:
        yield server, worker, copy
    finally:
        copy.close()
        for side in (server, worker):
            side.close()
            await side.wait_closed()


def run(test: Callable[[], Awaitable[None]]) -> None:
    async def in_time() -> None:
        async with asyncio.timeout(10):
            await test()

    asyncio.run(in_time())


async def add(request: Sum) -> int:
    return request.left + request.right


async def never(_request: object) -> None:
    await asyncio.Event().wait()


def test_calls_are_answered_with_values_of_their_types() -> None:
    async def test() -> None:
        table = ProcedureTable()
        table.add(ADD, add)
        async with pair(table) as (_, worker, _copy):
            sums = [worker.call(ADD, Sum(number, 1)) for number in range(100)]
            assert await asyncio.gather(*sums) == list(range(1, 101))

    run(test)


def test_a_slow_call_holds_no_other_up() -> None:
    async def test() -> None:
        may_end = asyncio.Event()
        table = ProcedureTable()

        async def wait(_request: None) -> str | None:
            await may_end.wait()
            return None

        table.add(ADD, add)
        table.add(WAIT, wait)
        async with pair(table) as (_, worker, _copy):
            slow = asyncio.create_task(worker.call(WAIT, None))
            assert await worker.call(ADD, Sum(1, 2)) == 3
            assert not slow.done()
            may_end.set()
            assert await slow is None

    run(test)


def test_a_call_ends_at_its_deadline() -> None:
    async def test() -> None:
        table = ProcedureTable()
        table.add(SEEN, never)
        table.add(ADD, add)
        async with pair(table) as (_, worker, _copy):
            with pytest.raises(ChannelError, match="seen was not answered"):
                await worker.call(SEEN, "x", seconds=0.01)
            assert await worker.call(ADD, Sum(1, 2)) == 3

    run(test)


def test_a_failure_of_the_handler_reaches_the_caller() -> None:
    async def test() -> None:
        async def fail(_request: Sum) -> int:
            raise ValueError("no numbers")

        table = ProcedureTable()
        table.add(ADD, fail)
        async with pair(table) as (_, worker, _copy):
            with pytest.raises(ChannelError, match="add: ValueError: no numbers"):
                await worker.call(ADD, Sum(1, 2))
            with pytest.raises(ChannelError, match="no handler for echo"):
                await worker.call(ECHO, b"x")

    run(test)


def test_a_process_that_dies_fails_the_calls_that_wait() -> None:
    async def test() -> None:
        started = asyncio.Event()

        async def wait(_request: str) -> None:
            started.set()
            await asyncio.Event().wait()

        table = ProcedureTable()
        table.add(SEEN, wait)
        async with pair(table) as (server, worker, copy):
            waiting = asyncio.create_task(worker.call(SEEN, "x"))
            await started.wait()
            copy.shutdown(socket.SHUT_RDWR)
            with pytest.raises(ChannelError, match="has ended"):
                await waiting
            await server.wait_closed()
            assert not server.is_open
            with pytest.raises(ChannelError, match="has ended"):
                await worker.call(SEEN, "y")
            worker.notify(SEEN, "z")

    run(test)


def test_long_messages_arrive_whole_and_too_long_ones_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def test() -> None:
        async def echo(request: bytes) -> bytes:
            return request

        table = ProcedureTable()
        table.add(ECHO, echo)
        async with pair(table) as (_, worker, _copy):
            content = bytes(range(256)) * 8192
            assert await worker.call(ECHO, content) == content
            monkeypatch.setattr(channels, "MAX_MESSAGE_BYTES", 1000)
            with pytest.raises(ChannelError, match="too long"):
                await worker.call(ECHO, content)

    run(test)


def test_a_malformed_message_ends_the_channel() -> None:
    async def test() -> None:
        async with pair(ProcedureTable()) as (server, _, copy):
            copy.send(b"\0\0\0\1x")
            await server.wait_closed()

    run(test)


def test_a_group_calls_all_processes_and_misses_the_dead() -> None:
    async def test() -> None:
        group = ChannelGroup()
        names: list[str] = []
        all_seen = asyncio.Event()

        def table(number: int) -> ProcedureTable:
            async def add_more(request: Sum) -> int:
                return request.left + request.right + number

            async def see(name: str) -> None:
                names.append(f"{name}{number}")
                if len(names) == 2:
                    all_seen.set()

            result = ProcedureTable()
            result.add(ADD, add_more)
            result.add(SEEN, see)
            return result

        async with (
            pair(table(100)) as (_, one, _a),
            pair(table(200)) as (_, two, copy),
        ):
            group.add(one)
            group.add(two)
            assert sorted(await group.call_all(ADD, Sum(1, 2))) == [103, 203]
            group.broadcast(SEEN, "x")
            await all_seen.wait()
            assert sorted(names) == ["x100", "x200"]
            copy.shutdown(socket.SHUT_RDWR)
            assert await group.call_all(ADD, Sum(1, 2)) == [103]
            group.discard(two)
            assert await group.call_all(ADD, Sum(1, 2)) == [103]

    run(test)
