"""Viewers and teachers of a class's chat, on WebSockets."""

import json
import random
import socket
from collections.abc import Callable
from contextlib import ExitStack, suppress
from itertools import count
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlsplit

import httpx
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode
from websockets.sync.client import ClientConnection, connect

from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import teaching
from tests.support.engine import PATIENCE
from tests.support.given import Given
from tests.support.raw import connected
from tests.support.scheduled import Scheduled
from tests.support.wire import Value

Event = dict[str, Any]
_NONCES: Final = count(1)


def nonce() -> str:
    """Return a mark that no other message has."""
    return f"nonce-{next(_NONCES)}"


class Chatter:
    """A participant with a class's page open."""

    def __init__(
        self,
        url: str,
        base: str,
        ticket: str | None = None,
        after: int = 0,
        *,
        joins: bool = True,
        origin: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        """Take the server's address and that of the page (`/class/KEY`, `/teach/TOKEN`)."""
        self._ends = ExitStack()
        self.socket: ClientConnection = self._ends.enter_context(
            connect(
                f"ws{url.removeprefix('http')}{base}/room",
                origin=origin,  # type: ignore[arg-type]  # a forged origin may be malformed
                additional_headers=headers,
                compression=None,
                proxy=None,
                open_timeout=PATIENCE,
                close_timeout=PATIENCE,
            )
        )
        self.seen: list[Event] = []
        """Every event so far, but for those of the welcome."""
        self._unread: list[Event] = []
        self.welcome: Event = {}
        if joins:
            self.join(ticket, after)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        raised: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Leave."""
        self._ends.close()

    def send(self, t: str, **fields: Any) -> None:  # noqa: ANN401  whatever JSON can say
        """Send a frame."""
        self.socket.send(json.dumps({"t": t, **fields}))

    def join(self, ticket: str | None = None, after: int = 0) -> Event:
        """Join, or join again, and return the welcome."""
        self.send("join", ticket=ticket, after=after)
        self.welcome = self.next("welcome")
        return self.welcome

    @property
    def you(self) -> Event:
        """Their identity, from the welcome message."""
        you: Event = self.welcome["you"]
        return you

    @property
    def ticket(self) -> str:
        """The ticket to reconnect with the same identity."""
        ticket: str = self.you["ticket"]
        return ticket

    def next(self, t: str, holds: Callable[[Event], bool] = lambda _event: True) -> Event:
        """Return the next event of a kind that is as wanted, and keep those before it for later."""
        for place, event in enumerate(self._unread):
            if event["t"] == t and holds(event):
                return self._unread.pop(place)
        while True:
            for event in self._take():
                self._unread.append(event)
            for place, event in enumerate(self._unread):
                if event["t"] == t and holds(event):
                    return self._unread.pop(place)

    def _take(self) -> list[Event]:
        events: list[Event] = json.loads(self.socket.recv(PATIENCE))
        assert isinstance(events, list)
        self.seen += events
        return events

    def say(self, text: str, mark: str | None = None) -> str:
        """Say something and return its mark."""
        mark = mark or nonce()
        self.send("say", text=text, nonce=mark)
        return mark

    def said(self, text: str) -> Event:
        """Say something and return it as everybody sees it."""
        mark = self.say(text)
        return self.next("message", lambda event: event["nonce"] == mark)

    def hears(self, text: str) -> Event:
        """Wait for a message."""
        return self.next("message", lambda event: event["text"] == text)

    def refused(self, about: str) -> str:
        """Wait for a refusal and return why."""
        why: str = self.next("no", lambda event: event["about"] == about)["why"]
        return why

    def read_until_closed(self) -> int:
        """Read until the server closes, and return its code."""
        with suppress(ConnectionClosed):
            while True:
                self._take()
        code = self.socket.protocol.close_code
        assert code is not None
        return code


def handshake(path: str) -> bytes:
    """Return the request of a WebSocket, for what no client library would do with it."""
    return (
        f"GET {path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    ).encode()


def deaf(url: str, base: str) -> socket.socket:
    """Join a room, and read nothing."""
    peer = connected(url)
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    peer.sendall(handshake(f"{base}/room"))
    assert peer.recv(12) == b"HTTP/1.1 101"
    peer.sendall(Frame(Opcode.TEXT, b'{"t":"join"}').serialize(mask=True))
    return peer


class Classroom(Scheduled):
    """A class that is live, ten minutes before its start, and those who come to its page."""

    def __init__(self, given: Given, **fields: Value) -> None:
        super().__init__(given, **{"record": 1, "live": 1, "replay": 1, **fields})
        self._ends = ExitStack()
        self.soon()

    @property
    def url(self) -> str:
        """Address of the server."""
        return self.given.house.url

    @property
    def base(self) -> str:
        """The address of the page."""
        return f"/class/{self.seen.key}"

    @property
    def teach_base(self) -> str:
        """The address of the teacher's page."""
        server = self.given.house.services

        def address(uow: UnitOfWork) -> str:
            held = uow.publish_sessions.get_stream(self.lesson)
            assert held is not None
            return teaching.get_page_url(held, server.deps, server.hosts)

        return urlsplit(self.given.store.read(address)).path

    def visitor(self, **how: Any) -> Chatter:  # noqa: ANN401  as Chatter takes them
        """Connect an anonymous visitor."""
        return self._ends.enter_context(Chatter(self.url, self.base, **how))

    def guest_ticket(self, name: str, ticket: str | None = None) -> str:
        """Return the ticket of a guest with a number and a name."""
        form = {"telephone": self.given.telephone(), "nickname": name, "ticket": ticket}
        answer = httpx.post(f"{self.url}{self.base}/guest", json=form, trust_env=False, timeout=30)
        given: str = answer.raise_for_status().json()["ticket"]
        return given

    def guest(self, name: str = "Guest", **how: Any) -> Chatter:  # noqa: ANN401  as Chatter takes them
        """Connect a participant who may chat."""
        return self.visitor(ticket=self.guest_ticket(name), **how)

    def teacher_here(self, **how: Any) -> Chatter:  # noqa: ANN401  as Chatter takes them
        """Let the teacher come."""
        return self._ends.enter_context(Chatter(self.url, self.teach_base, **how))

    def close(self) -> None:
        """Let everybody leave."""
        self._ends.close()


def make_noise(room: Classroom, connections: int, seed: int) -> None:
    """Come to a room by many connections, each with a frame that is nearly one."""
    noise = random.Random(seed)
    nearly: list[Event] = [
        {"t": "say", "text": "hello", "nonce": "abc"},
        {"t": "join", "ticket": None, "after": 0},
        {"t": "like", "n": 3},
        {"t": "pin", "id": None},
    ]
    for number in range(connections):
        address = {"x-forwarded-for": f"198.51.100.{number % 250}"}
        joins = noise.random() < 0.5
        with Chatter(room.url, room.base, joins=joins, headers=address) as chatter:
            text = bytearray(json.dumps(noise.choice(nearly)).encode())
            for _ in range(noise.randrange(1, 6)):
                text[noise.randrange(len(text))] = noise.randrange(256)
            with suppress(ConnectionClosed):
                chatter.socket.send(text.decode("latin-1"))
