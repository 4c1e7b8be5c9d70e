"""The channel between a server and one of its worker processes: typed calls in both directions.

Each message is an array of msgpack behind its length. The socket is private to the two processes,
so what arrives is trusted to be well formed; a message that is not ends the channel.
"""

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from typing import Any, Generic, TypeVar, cast

import msgspec

from homeroom.base.errors import HomeroomError

log = logging.getLogger("homeroom.workers")

CALL_SECONDS = 2.0
"""Longest wait for the answer to a call."""
MAX_MESSAGE_BYTES = 16 * 1024 * 1024
LENGTH_BYTES = 4

Q = TypeVar("Q")
R = TypeVar("R")


class ChannelError(HomeroomError):
    """A call was not answered: the other process died, took too long, or failed to handle it."""

    is_defect = False
    """The other process has logged its failure."""


@dataclass(frozen=True, slots=True)
class Procedure(Generic[Q, R]):
    """A call that the other process handles: its name, and the types of request and result.

    msgspec encodes both, so they are structs, numbers, texts, or lists and maps of them.
    """

    name: str
    request_type: Any
    result_type: Any


class _Call(msgspec.Struct, tag="call", array_like=True, frozen=True):
    id: int
    """0 if no answer is expected."""
    name: str
    request: msgspec.Raw


class _Answer(msgspec.Struct, tag="answer", array_like=True, frozen=True):
    id: int
    result: msgspec.Raw


class _Failure(msgspec.Struct, tag="failure", array_like=True, frozen=True):
    id: int
    reason: str


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Call | _Answer | _Failure).decode


class ProcedureTable:
    """The procedures that one side of a channel handles."""

    def __init__(self) -> None:
        self._handlers: dict[str, Callable[[msgspec.Raw], Awaitable[bytes]]] = {}

    def add(self, procedure: Procedure[Q, R], handler: Callable[[Q], Awaitable[R]]) -> None:
        """Let a coroutine function handle the calls of a procedure."""
        decode = msgspec.msgpack.Decoder(procedure.request_type).decode

        async def handle(request: msgspec.Raw) -> bytes:
            return _encode(await handler(decode(request)))

        self._handlers[procedure.name] = handle

    async def handle(self, name: str, request: msgspec.Raw) -> bytes:
        """Handle a call; returns the encoded result."""
        handler = self._handlers.get(name)
        if handler is None:
            raise ChannelError(f"no handler for {name}")
        return await handler(request)


class Channel(asyncio.Protocol):
    """One side of a channel."""

    def __init__(self, procedures: ProcedureTable) -> None:
        """Create a side that handles the calls of the other side; `open_channel` connects it."""
        self._procedures = procedures
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._ids = count(1)
        self._waiting: dict[int, asyncio.Future[msgspec.Raw]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = asyncio.Event()

    async def call(
        self, procedure: Procedure[Q, R], request: Q, seconds: float = CALL_SECONDS
    ) -> R:
        """Call a procedure of the other process; raises `ChannelError` without an answer."""
        call_id = next(self._ids)
        future = asyncio.get_running_loop().create_future()
        self._waiting[call_id] = future
        try:
            self._write(_Call(call_id, procedure.name, msgspec.Raw(_encode(request))))
            async with asyncio.timeout(seconds):
                result = await future
        except TimeoutError:
            raise ChannelError(f"{procedure.name} was not answered within {seconds} s") from None
        finally:
            del self._waiting[call_id]
        return cast("R", msgspec.msgpack.decode(result, type=procedure.result_type))

    def notify(self, procedure: Procedure[Q, None], request: Q) -> None:
        """Call a procedure without waiting for it; nothing happens if the channel is closed."""
        with suppress(ChannelError):
            self._write(_Call(0, procedure.name, msgspec.Raw(_encode(request))))

    @property
    def is_open(self) -> bool:
        """True until either side closes the channel or dies."""
        return self._transport is not None and not self._closed.is_set()

    def close(self) -> None:
        """Close the channel; calls that wait for an answer fail."""
        if self._transport is not None:
            self._transport.close()

    async def wait_closed(self) -> None:
        """Return when the channel is closed, by either side or by the death of a process."""
        await self._closed.wait()

    # --- the protocol of asyncio ------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Handle the messages that are complete."""
        received = self._received
        received += data
        while len(received) >= LENGTH_BYTES:
            end = LENGTH_BYTES + int.from_bytes(received[:LENGTH_BYTES])
            if len(received) < end:
                return
            message = bytes(received[LENGTH_BYTES:end])
            del received[:end]
            try:
                self._handle(_decode(message))
            except msgspec.MsgspecError:
                log.exception("channel_closed: a message was malformed")
                self.close()

    def connection_lost(self, _error: Exception | None) -> None:
        """Fail the calls that wait for an answer."""
        self._closed.set()
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(ChannelError("the other process has ended"))

    def _handle(self, message: _Call | _Answer | _Failure) -> None:
        if isinstance(message, _Call):
            task = asyncio.create_task(self._answer(message))
            # The event loop itself keeps no reference to a task.
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            return
        future = self._waiting.get(message.id)
        if future is None or future.done():
            return  # it came too late
        if isinstance(message, _Answer):
            future.set_result(message.result)
        else:
            future.set_exception(ChannelError(message.reason))

    async def _answer(self, call: _Call) -> None:
        answer: _Answer | _Failure
        try:
            result = await self._procedures.handle(call.name, call.request)
            answer = _Answer(call.id, msgspec.Raw(result))
        except Exception as failure:
            log.exception("channel_call_failed", extra={"procedure": call.name})
            answer = _Failure(call.id, f"{call.name}: {type(failure).__name__}: {failure}")
        if call.id:
            with suppress(ChannelError):
                self._write(answer)

    def _write(self, message: _Call | _Answer | _Failure) -> None:
        if self._transport is None or self._transport.is_closing():
            raise ChannelError("the other process has ended")
        content = _encode(message)
        if len(content) > MAX_MESSAGE_BYTES:
            raise ChannelError(f"a message of {len(content)} bytes is too long")
        self._transport.write(len(content).to_bytes(LENGTH_BYTES) + content)


async def open_channel(end: socket.socket, procedures: ProcedureTable) -> Channel:
    """Open one side of a channel on its end of a socket pair, which it closes."""
    loop = asyncio.get_running_loop()
    _, channel = await loop.create_unix_connection(lambda: Channel(procedures), sock=end)
    return channel


class ChannelGroup:
    """The channels to all worker processes, at the server that started them."""

    def __init__(self) -> None:
        self._channels: set[Channel] = set()

    def add(self, channel: Channel) -> None:
        """Add the channel to a process that has started."""
        self._channels.add(channel)

    def discard(self, channel: Channel) -> None:
        """Remove the channel to a process that has ended."""
        self._channels.discard(channel)

    def __iter__(self) -> Iterator[Channel]:
        return iter(tuple(self._channels))

    def broadcast(self, procedure: Procedure[Q, None], request: Q) -> None:
        """Call a procedure of each process without waiting."""
        for channel in self:
            channel.notify(procedure, request)

    async def call_all(
        self, procedure: Procedure[Q, R], request: Q, seconds: float = CALL_SECONDS
    ) -> list[R]:
        """Call a procedure of each process; returns the results of those that answered.

        A process that died is no failure: another one takes its place and begins anew.
        """
        calls = (channel.call(procedure, request, seconds) for channel in self)
        results = await asyncio.gather(*calls, return_exceptions=True)
        failures = [result for result in results if isinstance(result, BaseException)]
        for failure in failures:
            if not isinstance(failure, ChannelError):
                raise failure
            log.warning("worker_call_failed", extra={"reason": str(failure)})
        return [result for result in results if not isinstance(result, BaseException)]
