"""The gateway's own interface, over HTTP on the loopback: sessions begun, listed and ended."""

import asyncio
import logging
from typing import Final

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from homeroom.base.keys import KeyGenerator, secrets_equal
from homeroom.media.engine.publisher import PublishError
from homeroom.media.whip.session import BadOffer, Session
from homeroom.media.whip.settings import GatewaySettings

log = logging.getLogger("homeroom.media.whip")

MOST_SESSIONS: Final = 20
MOST_BYTES: Final = 100_000
"""Of a request: an offer of 64 kB and what JSON makes of it."""
TAKING_OVER: Final = 8.0
"""Seconds that the session before has to let go of its push."""


class Wanted(msgspec.Struct):
    """What is asked for."""

    sdp: str
    push_url: str


class Gateway:
    """The sessions that run."""

    def __init__(self, settings: GatewaySettings) -> None:
        self._settings = settings
        self._keys = KeyGenerator()
        self._sessions: dict[str, Session] = {}
        self._running: dict[str, asyncio.Task[None]] = {}

    def app(self) -> Starlette:
        """Return what is served."""
        return Starlette(
            routes=[
                Route("/sessions", self._begin, methods=["POST"]),
                Route("/sessions", self._list, methods=["GET"]),
                Route("/sessions/{id}", self._end, methods=["DELETE"]),
            ]
        )

    async def close(self) -> None:
        """End all sessions."""
        for session in self._sessions.values():
            session.end("the server is going down")
        await asyncio.gather(*self._running.values(), return_exceptions=True)

    def _is_ours(self, request: Request) -> bool:
        given = request.headers.get("authorization", "")
        return secrets_equal(given, f"Bearer {self._settings.secret}")

    async def _begin(self, request: Request) -> Response:
        if not self._is_ours(request):
            return Response(status_code=401)
        length = request.headers.get("content-length", "")
        if not length.isdecimal() or int(length) > MOST_BYTES:
            return Response(status_code=413)
        try:
            wanted = msgspec.json.decode(await request.body(), type=Wanted)
        except msgspec.DecodeError as failure:
            return JSONResponse({"detail": str(failure)}, 400)
        await self._end_those_at(wanted.push_url)
        if len(self._sessions) >= MOST_SESSIONS:
            return JSONResponse({"detail": f"{MOST_SESSIONS} browsers are on the air"}, 503)
        return await self._begun(wanted)

    async def _begun(self, wanted: Wanted) -> Response:
        session = Session(wanted.push_url, self._settings.webrtc_address)
        name = self._keys.public_key()
        self._sessions[name] = session
        try:
            answer = await session.answer(wanted.sdp)
        except BaseException as failure:
            del self._sessions[name]
            await session.close()
            if isinstance(failure, PublishError):
                return JSONResponse({"detail": str(failure)}, 409)
            if isinstance(failure, BadOffer):
                log.info("an offer is not taken: %s", failure, exc_info=failure.__cause__)
                return JSONResponse({"detail": str(failure)}, 422)
            raise
        self._running[name] = asyncio.create_task(self._run(name, session))
        return JSONResponse({"id": name, "sdp": answer}, 201)

    async def _run(self, name: str, session: Session) -> None:
        try:
            await session.run()
        except Exception:
            log.exception("a browser's push has failed")
        finally:
            del self._sessions[name], self._running[name]

    async def _end_those_at(self, push_url: str) -> None:
        """End the session of a browser that has come back, and wait until it lets go."""
        before = [name for name, one in self._sessions.items() if one.push_url == push_url]
        for name in before:
            self._sessions[name].end("the browser has come back")
        ending = [self._running[name] for name in before if name in self._running]
        if ending:
            await asyncio.wait(ending, timeout=TAKING_OVER)

    async def _list(self, request: Request) -> Response:
        if not self._is_ours(request):
            return Response(status_code=401)
        return JSONResponse({"sessions": list(self._sessions)})

    async def _end(self, request: Request) -> Response:
        if not self._is_ours(request):
            return Response(status_code=401)
        session = self._sessions.get(request.path_params["id"])
        if session is None:
            return Response(status_code=404)
        session.end("it was ended")
        return Response(status_code=204)
