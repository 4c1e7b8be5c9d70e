"""Client of the API's hooks: permission requests and reports, as the http_hooks of SRS."""

import asyncio
import logging
from typing import Any

import msgspec

from homeroom.base.errors import HomeroomError
from homeroom.base.values import Value
from homeroom.media.engine.http_client import NoResponseError, send_request

log = logging.getLogger("homeroom.media.hooks")

TIMEOUT_SECONDS = 3.0
"""Deadline of the API for a response; for a permission request, its waiting time is included."""
MAX_CONCURRENT = 32
MAX_WAITING = 2000
CACHE_SECONDS = 5.0
"""One permission to play is cached for all viewers with the same address."""
MAX_CACHED = 10_000
MAX_QUERY_CHARS = 1024
"""Maximum length of the query of an address."""
OK = 200


class ClientInfo(Value, frozen=True):
    """A publisher or viewer, with the fields of the hooks."""

    id: str
    ip: str
    app: str
    stream: str
    param: str
    """The query with its question mark, or an empty text."""
    tc_url: str


class DeniedError(HomeroomError):
    """The API or the engine refused a client; the message is for the peer."""


class HookResponse(msgspec.Struct):
    """Response of a hook: a code, a reason and, from our own API, the current time."""

    code: int
    msg: str = ""
    now: int | None = None
    """Seconds since 1970, by the clock of the API (the sandbox can move it)."""


class _RequestQueue:
    """Permission requests of one kind: a limited number runs, the others wait."""

    def __init__(self) -> None:
        self.slots = asyncio.Semaphore(MAX_CONCURRENT)
        self.length = 0


class HooksClient:
    """Sends hooks to the API."""

    def __init__(self, url: str) -> None:
        self._url = url
        # A publisher must not wait behind a crowd of viewers.
        self._queues = {"on_publish": _RequestQueue(), "on_play": _RequestQueue()}
        self._cache: dict[tuple[str, str], tuple[float, asyncio.Task[HookResponse]]] = {}

    async def authorize_publish(self, client: ClientInfo) -> HookResponse:
        """Ask for permission to publish; raises `DeniedError`."""
        return await self._ask(hook_body("on_publish", client))

    async def authorize_play(self, client: ClientInfo) -> bool:
        """Ask for permission to play, unless it is cached; raises `DeniedError`.

        Returns True if the API was asked for this client.
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
        # The client may be gone before a denial: an exception that is never read is not an error.
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        self._cache[key] = (now + CACHE_SECONDS, task)
        await asyncio.shield(task)
        return True

    def _evict_expired(self, now: float) -> None:
        """Remove expired permissions; the oldest is always the first."""
        while self._cache:
            key, cached = next(iter(self._cache.items()))
            if now < cached[0]:
                break
            del self._cache[key]

    async def report(self, report: dict[str, Any]) -> bool:
        """Send a report and return whether the API accepted it; raises `NoResponseError`."""
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
            log.warning("hook_unanswered", extra={"action": action})
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
        if status >= 500:  # noqa: PLR2004  server errors are no decision
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
