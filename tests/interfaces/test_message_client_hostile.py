"""Receivers that mean harm: how little of them the client reads, and where it does not connect."""

import asyncio
import gzip
import socket

import aiohttp
import pytest
from aiohttp.abc import ResolveResult

from homeroom.domain.deliveries import AttemptOutcome, AttemptResult
from homeroom.messages.addresses import PRIVATE, AddressGuard
from tests.interfaces.test_message_client import attempt, client, endpoint, outcome_of
from tests.support.receivers import Handler, answer, read_request, receiving

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
MANY = 1_000_000_000


def serve_without_end(chunk: bytes, sizes: list[int]) -> Handler:
    """Return a receiver that sends up to a gigabyte, and counts what it could send."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(HEAD)
        while sum(sizes) < MANY:
            writer.write(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n")
            await writer.drain()
            sizes.append(len(chunk))

    return serve


def test_of_a_gigabyte_little_is_read() -> None:
    sizes: list[int] = []
    result = outcome_of(serve_without_end(b"x" * 65_536, sizes))
    assert result.outcome is AttemptOutcome.TOO_LARGE
    assert sum(sizes) < 16_000_000


@pytest.mark.parametrize("header", ["Content-Encoding: gzip", "Content-Encoding: deflate"])
def test_a_gzip_bomb_stays_packed(header: str) -> None:
    bomb = gzip.compress(bytes(20_000_000))
    assert len(bomb) < 64 * 1024
    result = outcome_of(answer(bomb, "200 OK", header))
    assert result.outcome is AttemptOutcome.NOT_JSON
    assert len(result.answer or "") <= 500


def test_headers_without_end_are_not_read() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n")
        for _ in range(1000):
            writer.write(b"X: y\r\n" * 1000)
            await writer.drain()

    assert outcome_of(serve).outcome is AttemptOutcome.DROPPED


@pytest.mark.parametrize(
    "target",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://[fd00:ec2::254]/",
        "//10.0.0.1/",
        "/again",
    ],
)
@pytest.mark.parametrize(
    "status", ["301 Moved", "307 Temporary Redirect", "308 Permanent Redirect"]
)
def test_a_redirect_is_followed_nowhere(status: str, target: str) -> None:
    async def run() -> None:
        async with receiving(answer(b"", status, f"Location: {target}")) as receiver:
            result = await attempt(endpoint(receiver.url))
        assert result is not None
        assert result.outcome is AttemptOutcome.REDIRECT
        assert len(receiver.requests) == 1

    asyncio.run(run())


def test_a_name_that_flips_to_this_machine_is_blocked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each attempt resolves the name, and connects only to an address that was checked."""
    answers = iter(["192.168.7.7", "127.0.0.1", "::ffff:127.0.0.1", "64:ff9b::7f00:1"])

    async def resolve(_self: object, host: str, port: int, _family: int) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host,
                host=next(answers),
                port=port,
                family=socket.AF_INET,
                proto=0,
                flags=0,
            )
        ]

    monkeypatch.setattr(aiohttp.ThreadedResolver, "resolve", resolve)

    async def run() -> list[AttemptOutcome]:
        async with receiving(answer()) as receiver:
            url = receiver.url.replace("127.0.0.1", "receiver.example")
            outcomes = []
            for _ in range(4):
                result = await attempt(endpoint(url), guard=AddressGuard(()))
                assert result is not None
                outcomes.append(result.outcome)
        assert receiver.requests == []
        return outcomes

    assert asyncio.run(run()) == [AttemptOutcome.BLOCKED_ADDRESS] * 4


def test_a_cancelled_attempt_closes_its_connection() -> None:
    async def run() -> bytes:
        begun, ended = asyncio.Event(), asyncio.get_running_loop().create_future()

        async def serve(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
            await read_request(reader)
            begun.set()
            ended.set_result(await reader.read())

        async with receiving(serve) as receiver:
            sender = client(AddressGuard(PRIVATE))
            task: asyncio.Task[AttemptResult] = asyncio.create_task(
                sender.send_test(endpoint(receiver.url))
            )
            await begun.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            rest: bytes = await asyncio.wait_for(ended, 5)
            await sender.close()
            return rest

    assert asyncio.run(run()) == b""
