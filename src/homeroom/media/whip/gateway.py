"""HTTP API of the gateway on the loopback: creates, lists and ends sessions."""

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
from homeroom.media.whip.session import BadOfferError, WHIPSession
from homeroom.media.whip.settings import GatewaySettings
from homeroom.web.bodies import read_body
from homeroom.web.problems import HTTPError

log = logging.getLogger("homeroom.media.whip")

MAX_SESSIONS: Final = 20
MAX_BODY_BYTES: Final = 100_000
"""Limit of a request: an offer of 64 kB, escaped in JSON."""
TAKEOVER_SECONDS: Final = 8.0
"""Time for a previous session at the same URL to end its push."""


class SessionRequest(msgspec.Struct):
    """Body of a request for a new session."""

    sdp: str
    push_url: str


class Gateway:
    """Running sessions and the endpoints that manage them."""

    def __init__(self, settings: GatewaySettings) -> None:
        self._settings = settings
        self._keys = KeyGenerator()
        self._sessions: dict[str, WHIPSession] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def app(self) -> Starlette:
        """Return the ASGI application."""
        return Starlette(
            routes=[
                Route("/sessions", self._create, methods=["POST"]),
                Route("/sessions", self._list, methods=["GET"]),
                Route("/sessions/{id}", self._end, methods=["DELETE"]),
            ]
        )

    async def close(self) -> None:
        """End all sessions."""
        for session in self._sessions.values():
            session.end("the server is going down")
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def _is_authenticated(self, request: Request) -> bool:
        header = request.headers.get("authorization", "")
        return secrets_equal(header, f"Bearer {self._settings.secret}")

    async def _create(self, request: Request) -> Response:
        if not self._is_authenticated(request):
            return Response(status_code=401)
        try:
            body = await read_body(request, MAX_BODY_BYTES)
            params = msgspec.json.decode(body, type=SessionRequest)
        except HTTPError as error:
            return error.response()
        except msgspec.DecodeError as error:
            return JSONResponse({"detail": str(error)}, 400)
        await self._end_previous(params.push_url)
        if len(self._sessions) >= MAX_SESSIONS:
            return JSONResponse({"detail": f"{MAX_SESSIONS} browsers are on the air"}, 503)
        return await self._start(params)

    async def _start(self, params: SessionRequest) -> Response:
        session = WHIPSession(params.push_url, self._settings.webrtc_address)
        session_id = self._keys.public_key()
        self._sessions[session_id] = session
        try:
            answer = await session.answer(params.sdp)
        except BaseException as error:
            del self._sessions[session_id]
            await session.close()
            if isinstance(error, PublishError):
                return JSONResponse({"detail": str(error)}, 409)
            if isinstance(error, BadOfferError):
                log.info("offer_refused: %s", error, exc_info=error.__cause__)
                return JSONResponse({"detail": str(error)}, 422)
            raise
        self._tasks[session_id] = asyncio.create_task(self._run(session_id, session))
        return JSONResponse({"id": session_id, "sdp": answer}, 201)

    async def _run(self, session_id: str, session: WHIPSession) -> None:
        try:
            await session.run()
        except Exception:
            log.exception("session_failed")
        finally:
            del self._sessions[session_id], self._tasks[session_id]

    async def _end_previous(self, push_url: str) -> None:
        """End a previous session that pushes to the same URL, and wait until it has ended."""
        previous = [
            session_id
            for session_id, session in self._sessions.items()
            if session.push_url == push_url
        ]
        for session_id in previous:
            self._sessions[session_id].end("the browser has come back")
        ending = [self._tasks[session_id] for session_id in previous if session_id in self._tasks]
        if ending:
            await asyncio.wait(ending, timeout=TAKEOVER_SECONDS)

    async def _list(self, request: Request) -> Response:
        if not self._is_authenticated(request):
            return Response(status_code=401)
        return JSONResponse({"sessions": list(self._sessions)})

    async def _end(self, request: Request) -> Response:
        if not self._is_authenticated(request):
            return Response(status_code=401)
        session = self._sessions.get(request.path_params["id"])
        if session is None:
            return Response(status_code=404)
        session.end("it was ended")
        return Response(status_code=204)
