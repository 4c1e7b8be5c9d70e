"""Asking the API for permission, and reporting to it: the http_hooks of SRS."""

import asyncio
import logging
from dataclasses import dataclass
from typing import Any

import msgspec

from homeroom.media.engine.http_client import NoResponseError, send_request

log = logging.getLogger("homeroom.media.hooks")

TIMEOUT_SECONDS = 3.0
"""Seconds that the API has for an answer, and a question for its turn and its answer together."""
MAX_CONCURRENT = 32
MAX_WAITING = 2000
CACHE_SECONDS = 5.0
"""Seconds for which one answer speaks for everybody who plays by the same address."""
MAX_CACHED = 10_000
MAX_QUERY_CHARS = 1024
"""Characters of the query of an address."""
OK = 200


@dataclass(frozen=True, slots=True)
class ClientInfo:
    """Who publishes or plays, as the hooks say it."""

    id: str
    ip: str
    app: str
    stream: str
    param: str
    """The query with its question mark, or nothing."""
    tc_url: str


class DeniedError(Exception):
    """What the API, or the engine itself, does not allow; the message is for the peer."""


class HookResponse(msgspec.Struct):
    """What a hook answers: a number, a reason, and in our own API's case its time of day."""

    code: int
    msg: str = ""
    now: int | None = None
    """Seconds since 1970, by the clock that classes go by."""


class _RequestQueue:
    """Questions of one kind: some are asked, the others wait."""

    def __init__(self) -> None:
        self.slots = asyncio.Semaphore(MAX_CONCURRENT)
        self.length = 0


class HooksClient:
    """The way to the API."""

    def __init__(self, url: str) -> None:
        self._url = url
        # However many want to watch, who wants to publish need not wait behind them.
        self._queues = {"on_publish": _RequestQueue(), "on_play": _RequestQueue()}
        self._cache: dict[tuple[str, str], tuple[float, asyncio.Task[HookResponse]]] = {}

    async def authorize_publish(self, client: ClientInfo) -> HookResponse:
        """Ask whether a client may publish; raises `Denied`."""
        return await self._ask(hook_body("on_publish", client))

    async def authorize_play(self, client: ClientInfo) -> bool:
        """Ask whether a client may play, unless that is known; raises `Denied`.

        Tells whether the API was asked for this very client.
        """
        if len(client.param) > MAX_QUERY_CHARS:
            raise DeniedError("this address is too long")
        key = (client.stream, client.param)
        now = asyncio.get_running_loop().time()
        cached = self._cache.get(key)
        if cached is not None and now < cached[0]:
            await asyncio.shield(cached[1])
            return False
        self._evict_expired(now)
        if len(self._cache) >= MAX_CACHED:
            raise DeniedError("the server is busy; try again")
        task = asyncio.create_task(self._ask(hook_body("on_play", client)))
        # Whoever asks may be gone by the time it is denied: that nobody heard it is no fault.
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        self._cache[key] = (now + CACHE_SECONDS, task)
        await asyncio.shield(task)
        return True

    def _evict_expired(self, now: float) -> None:
        """Forget the answers that are too old; the oldest is always the first."""
        while self._cache:
            key, cached = next(iter(self._cache.items()))
            if now < cached[0]:
                break
            del self._cache[key]

    async def report(self, report: dict[str, Any]) -> bool:
        """Report something; tells whether the API took it. Raises `Unanswered`."""
        return (await self._post(report)).code == 0

    async def _ask(self, question: dict[str, Any]) -> HookResponse:
        action = str(question["action"])
        line = self._queues[action]
        if line.length >= MAX_WAITING:
            raise DeniedError("the server is busy; try again")
        line.length += 1
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS), line.slots:
                answer = await self._post(question)
        except (NoResponseError, TimeoutError):
            log.warning("the API does not answer", extra={"action": action})
            raise DeniedError("the server cannot say now who may; try again") from None
        finally:
            line.length -= 1
        if answer.code != 0:
            raise DeniedError(answer.msg or "not allowed")
        return answer

    async def _post(self, message: dict[str, Any]) -> HookResponse:
        status, text = await send_request(
            self._url, method="POST", body=msgspec.json.encode(message), timeout=TIMEOUT_SECONDS
        )
        try:
            answer = (
                HookResponse(0)
                if text.strip() == b"0"
                else msgspec.json.decode(text, type=HookResponse)
            )
        except msgspec.MsgspecError:
            answer = HookResponse(status)
        if status >= 500:  # noqa: PLR2004  the API is there, but not in its senses
            raise NoResponseError(f"HTTP status {status}")
        return answer if status == OK else HookResponse(answer.code or status, answer.msg)


def hook_body(action: str, client: ClientInfo) -> dict[str, Any]:
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
