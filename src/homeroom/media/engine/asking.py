"""Asking the API for permission, and reporting to it: the http_hooks of SRS."""

import asyncio
import logging
from dataclasses import dataclass
from typing import Any

import msgspec

from homeroom.media.engine.client import Unanswered, request

log = logging.getLogger("homeroom.media.hooks")

PATIENCE = 3.0
"""Seconds that the API has for an answer, and a question for its turn and its answer together."""
AT_ONCE = 32
MOST_WAITING = 2000
REMEMBERED = 5.0
"""Seconds for which one answer speaks for everybody who plays by the same address."""
MOST_REMEMBERED = 10_000
LONGEST = 1024
"""Characters of the query of an address."""
OK = 200


@dataclass(frozen=True, slots=True)
class Client:
    """Who publishes or plays, as the hooks say it."""

    id: str
    ip: str
    app: str
    stream: str
    param: str
    """The query with its question mark, or nothing."""
    tc_url: str


class Denied(Exception):
    """What the API, or the engine itself, does not allow; the message is for the peer."""


class Answer(msgspec.Struct):
    """What a hook answers: a number, a reason, and in our own API's case its time of day."""

    code: int
    msg: str = ""
    now: int | None = None
    """Seconds since 1970, by the clock that classes go by."""


class _Line:
    """Questions of one kind: some are asked, the others wait."""

    def __init__(self) -> None:
        self.turns = asyncio.Semaphore(AT_ONCE)
        self.length = 0


class Hooks:
    """The way to the API."""

    def __init__(self, url: str) -> None:
        self._url = url
        # However many want to watch, who wants to publish need not wait behind them.
        self._lines = {"on_publish": _Line(), "on_play": _Line()}
        self._remembered: dict[tuple[str, str], tuple[float, asyncio.Task[Answer]]] = {}

    async def may_publish(self, client: Client) -> Answer:
        """Ask whether a client may publish; raises `Denied`."""
        return await self._ask(body("on_publish", client))

    async def may_play(self, client: Client) -> bool:
        """Ask whether a client may play, unless that is known; raises `Denied`.

        Tells whether the API was asked for this very client.
        """
        if len(client.param) > LONGEST:
            raise Denied("this address is too long")
        key = (client.stream, client.param)
        now = asyncio.get_running_loop().time()
        known = self._remembered.get(key)
        if known is not None and now < known[0]:
            await asyncio.shield(known[1])
            return False
        self._forget(now)
        if len(self._remembered) >= MOST_REMEMBERED:
            raise Denied("the server is busy; try again")
        task = asyncio.create_task(self._ask(body("on_play", client)))
        # Whoever asks may be gone by the time it is denied: that nobody heard it is no fault.
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        self._remembered[key] = (now + REMEMBERED, task)
        await asyncio.shield(task)
        return True

    def _forget(self, now: float) -> None:
        """Forget the answers that are too old; the oldest is always the first."""
        while self._remembered:
            key, kept = next(iter(self._remembered.items()))
            if now < kept[0]:
                break
            del self._remembered[key]

    async def tell(self, report: dict[str, Any]) -> bool:
        """Report something; tells whether the API took it. Raises `Unanswered`."""
        return (await self._post(report)).code == 0

    async def _ask(self, question: dict[str, Any]) -> Answer:
        action = str(question["action"])
        line = self._lines[action]
        if line.length >= MOST_WAITING:
            raise Denied("the server is busy; try again")
        line.length += 1
        try:
            async with asyncio.timeout(PATIENCE), line.turns:
                answer = await self._post(question)
        except (Unanswered, TimeoutError):
            log.warning("the API does not answer", extra={"action": action})
            raise Denied("the server cannot say now who may; try again") from None
        finally:
            line.length -= 1
        if answer.code != 0:
            raise Denied(answer.msg or "not allowed")
        return answer

    async def _post(self, message: dict[str, Any]) -> Answer:
        status, text = await request(
            self._url, method="POST", body=msgspec.json.encode(message), timeout=PATIENCE
        )
        try:
            answer = Answer(0) if text.strip() == b"0" else msgspec.json.decode(text, type=Answer)
        except msgspec.MsgspecError:
            answer = Answer(status)
        if status >= 500:  # noqa: PLR2004  the API is there, but not in its senses
            raise Unanswered(f"HTTP status {status}")
        return answer if status == OK else Answer(answer.code or status, answer.msg)


def body(action: str, client: Client) -> dict[str, Any]:
    """Return the body of a hook as SRS sends it."""
    return {
        "action": action,
        "client_id": client.id,
        "ip": client.ip,
        "vhost": "__defaultVhost__",
        "app": client.app,
        "stream": client.stream,
        "stream_url": f"/{client.app}/{client.stream}",
        "param": client.param,
        "tcUrl": client.tc_url,
    }
