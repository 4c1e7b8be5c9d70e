"""Endpoints of the teacher's page: publish by WHIP or RTMP, and end the class."""

import re
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Literal, Protocol, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from homeroom.async_store import AsyncStore
from homeroom.base.clock import Moment
from homeroom.base.keys import hmac_hex, secrets_equal
from homeroom.base.values import replace
from homeroom.domain.extensions import EXTENSION_MINUTES, ExtensionError
from homeroom.domain.lessons import Lesson
from homeroom.domain.refusal import OperatorError
from homeroom.domain.streams import PAGE_MARK, BrowserPublishError, PublishRefusal, StreamKind
from homeroom.domain.webcasts import Hosts
from homeroom.player.device_reports import DeviceReport, build_check
from homeroom.player.pages import lesson_context
from homeroom.player.rendering import PageRenderer
from homeroom.player.state import Facts, State, state
from homeroom.player.teacher_log import report_teacher_link
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import device_checks, extensions, teaching
from homeroom.usecases.chat import get_state as get_chat_state
from homeroom.usecases.dependencies import Dependencies
from homeroom.usecases.page_content import Audience, get_content
from homeroom.usecases.teaching import TeacherPage
from homeroom.web.addresses import get_client_address
from homeroom.web.bodies import read_body
from homeroom.web.languages import choose_language
from homeroom.web.origins import is_same_origin
from homeroom.web.problems import NO_STORE, HTTPError, json_response

JSON = "application/json"
SDP = "application/sdp"
MAX_BODY_BYTES = 1024
MAX_OFFER_BYTES = 64_000
"""Bytes."""
PERMISSIONS = "camera=(self), microphone=(self), display-capture=(self), geolocation=()"
STATUSES = {
    PublishRefusal.NOT_INSTALLED: HTTPStatus.NOT_IMPLEMENTED,
    PublishRefusal.OFFER: HTTPStatus.BAD_REQUEST,
    PublishRefusal.BUSY: HTTPStatus.CONFLICT,
}
MAX_REPORT_BYTES = 32 * 1024
Body = TypeVar("Body")
Endpoint = Callable[[Request], Awaitable[Response]]
_TOKEN = re.compile(r"[0-9a-f]{16,64}")
_SESSION = re.compile(r"([0-9A-Za-z_-]{1,64})\.([0-9a-f]{64})")


class ExtendRequest(msgspec.Struct, frozen=True):
    """Body of a request to lengthen the class."""

    minutes: Literal[5, 10, 20]


class WhipIngest(Protocol):
    """Gateway that publishes a browser's WebRTC stream to the media engine."""

    push_base: str
    """Base URL for pushing streams from this machine."""

    @property
    def is_installed(self) -> bool:
        """True if the gateway's extra dependencies are installed."""

    async def start_session(self, push_url: str, offer: str) -> tuple[str, str]:
        """Publish what is offered; returns session and answer, raises `BrowserPublishError`."""

    async def stop_session(self, session: str) -> None:
        """End a session; an unknown session is ignored."""


class TeacherPages:
    """Endpoints of the teacher's page of a class."""

    def __init__(
        self,
        store: AsyncStore,
        deps: Dependencies,
        hosts: Hosts,
        renderer: PageRenderer,
        facts: Facts,
        whip: WhipIngest,
    ) -> None:
        self._store = store
        self._deps = deps
        self._hosts = hosts
        self._renderer = renderer
        self._facts = facts
        self._whip = whip

    def routes(self) -> list[Route]:
        """Return the routes of these endpoints."""
        page = "/teach/{token}"
        return [
            Route(page, _log_link("open", self._page), methods=["GET"]),
            Route(f"{page}/end", _log_link("end", self._end_class), methods=["POST"]),
            Route(f"{page}/extend", _log_link("extend", self._extend), methods=["POST"]),
            Route(f"{page}/check", _log_link("check", self._check_devices), methods=["POST"]),
            Route(f"{page}/whip", _log_link("publish", self._go_live), methods=["POST"]),
            Route(f"{page}/whip/{{session}}", _log_link("stop", self._stop), methods=["DELETE"]),
        ]

    # --- the page --------------------------------------------------------------------------------

    async def _page(self, request: Request) -> Response:
        token = request.path_params["token"]
        try:
            page, state_of_class, is_extended = await self._store.read(
                lambda uow: self._load_page(uow, request)
            )
        except OperatorError:
            return self._renderer.render_notice(request, HTTPStatus.NOT_FOUND, "teach")
        lesson = page.seen.lesson
        return self._renderer.render(
            request,
            "teach.html",
            ("live", "teach"),
            permissions=PERMISSIONS,
            is_cacheable=False,
            data={
                "kind": "teach",
                "key": lesson.key,
                "school": lesson.school,
                "base": f"/teach/{token}",
                "needs_login": False,
                "ticket": None,
                "state": state_of_class,
                "is_extended": is_extended,
                "minutes": EXTENSION_MINUTES,
            },
            lesson=lesson_context(page.seen, choose_language(request)),
            push=self._encoder_settings(page, StreamKind.CLASS),
            scene=self._encoder_settings(page, StreamKind.SCENE),
            has_browser=self._whip.is_installed,
        )

    def _load_page(self, uow: UnitOfWork, request: Request) -> tuple[TeacherPage, State, bool]:
        page = self._find_lesson(uow, request)
        lesson = page.seen.lesson
        view = get_content(uow, self._deps, self._hosts, page.seen, Audience.TEACHERS)
        chat = get_chat_state(uow, lesson.id)
        state_of_class = state(lesson, view, chat, uow.now, self._facts, to_teacher=True)
        # A class of the dual-teacher sort cannot be extended at all.
        is_extended = lesson.is_dual or extensions.was_extended(uow, lesson.id)
        return page, state_of_class, is_extended

    def _encoder_settings(self, page: TeacherPage, kind: StreamKind) -> dict[str, str] | None:
        """Return server and stream key for OBS, None if the class has no such stream."""
        address = teaching.get_push_url(page.target, kind, self._deps, self._hosts)
        if address is None:
            return None
        server, _, key = address.rpartition("/")
        return {"server": server, "key": key}

    def _find_lesson(self, uow: UnitOfWork, request: Request) -> TeacherPage:
        """Return the class of a token; raises the same `OperatorError` for every invalid token."""
        token = request.path_params["token"]
        if not _TOKEN.fullmatch(token):
            raise OperatorError("there is no such page")
        page = teaching.open_page(uow, self._deps, token)
        request.state.lesson = page.seen.lesson
        return page

    # --- actions ---------------------------------------------------------------------------------

    async def _end_class(self, request: Request) -> Response:
        self._check_request(request, JSON)
        await read_body(request, MAX_BODY_BYTES)
        token = request.path_params["token"]

        def end(uow: UnitOfWork) -> None:
            page = self._find_lesson(uow, request)
            if not page.is_over:
                _check_open(page, uow.now)
                teaching.end_lesson(uow, self._deps, token)

        try:
            await self._store.write(end)
        except OperatorError:
            raise _no_page() from None
        return json_response({})

    async def _extend(self, request: Request) -> Response:
        body = await self._read(request, ExtendRequest)

        def extend(uow: UnitOfWork) -> None:
            extensions.extend(uow, self._find_lesson(uow, request).seen.lesson, body.minutes)

        try:
            await self._write(request, extend)
        except ExtensionError as error:
            raise HTTPError(
                HTTPStatus.CONFLICT, str(error), more={"code": error.code.value}
            ) from None
        return json_response({})

    async def _check_devices(self, request: Request) -> Response:
        report = await self._read(request, DeviceReport)
        agent = request.headers.get("user-agent", "")
        address = get_client_address(request.scope)

        def record(uow: UnitOfWork) -> None:
            page = self._find_lesson(uow, request)
            if not page.is_over:
                check = build_check(report, agent, address, uow.now)
                device_checks.record(uow, page.seen.lesson, check)

        await self._write(request, record)
        return json_response({})

    async def _read(self, request: Request, shape: type[Body]) -> Body:
        """Return the body of a request; raises `HTTPError`."""
        self._check_request(request, JSON)
        try:
            return msgspec.json.decode(await read_body(request, MAX_REPORT_BYTES), type=shape)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise HTTPError(HTTPStatus.BAD_REQUEST, str(error)) from None

    async def _write(self, request: Request, change: Callable[[UnitOfWork], None]) -> None:
        """Run a unit of work of the school of the page; raises `HTTPError`."""
        try:
            page = await self._store.read(lambda uow: self._find_lesson(uow, request))
            await self._store.write(change, page.seen.lesson.school)
        except OperatorError:
            raise _no_page() from None

    async def _go_live(self, request: Request) -> Response:
        self._check_request(request, SDP)
        token = request.path_params["token"]
        url = await self._store.read(lambda uow: self._push_url(uow, request))
        try:
            offer = (await read_body(request, MAX_OFFER_BYTES)).decode()
            session, answer = await self._whip.start_session(url, offer)
        except UnicodeDecodeError:
            raise _problem(PublishRefusal.OFFER, "an offer is text in UTF-8") from None
        except BrowserPublishError as refused:
            raise _problem(refused.code, str(refused)) from None
        place = f"/teach/{token}/whip/{session}.{self._session_proof(token, session)}"
        headers = {**NO_STORE, "location": place}
        return Response(answer, HTTPStatus.CREATED, headers, media_type=SDP)

    def _push_url(self, uow: UnitOfWork, request: Request) -> str:
        """Return the push URL for a browser's stream; raises `HTTPError` if it may not run now."""
        try:
            page = self._find_lesson(uow, request)
        except OperatorError:
            raise _no_page() from None
        if page.is_over:
            raise _problem(PublishRefusal.OVER, "the class is over", HTTPStatus.CONFLICT)
        _check_open(page, uow.now)
        here = replace(self._hosts, push=self._hosts.push and self._whip.push_base)
        url = teaching.get_push_url(page.target, StreamKind.CLASS, self._deps, here)
        if url is None:
            detail = "the class is not recorded, or the server carries no streams"
            raise _problem(PublishRefusal.NO_STREAM, detail, HTTPStatus.CONFLICT)
        return f"{url}&{PAGE_MARK}"

    async def _stop(self, request: Request) -> Response:
        self._check_request(request)
        token, session = request.path_params["token"], request.path_params["session"]
        try:
            await self._store.read(lambda uow: self._find_lesson(uow, request))
        except OperatorError:
            raise _no_page() from None
        match = _SESSION.fullmatch(session)
        if match is None or not secrets_equal(match[2], self._session_proof(token, match[1])):
            raise HTTPError(HTTPStatus.NOT_FOUND, "there is no such session")
        await self._whip.stop_session(match[1])
        return Response(status_code=HTTPStatus.NO_CONTENT, headers=NO_STORE)

    def _session_proof(self, token: str, session: str) -> str:
        """Return the proof that binds a WHIP session to the page of this token."""
        return hmac_hex(self._deps.ticket_key, f"whip {token} {session}")

    def _check_request(self, request: Request, media_type: str | None = None) -> None:
        """Refuse requests of other origins or of another media type; raises `HTTPError`."""
        if not is_same_origin(request.headers, self._hosts.pages):
            raise HTTPError(HTTPStatus.FORBIDDEN, "another site's page may not ask this")
        sent = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type not in (None, sent):
            raise HTTPError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"send {media_type}")


def _log_link(act: str, endpoint: Endpoint) -> Endpoint:
    """Log each use of a teacher's link, and each request with a wrong one."""

    async def respond(request: Request) -> Response:
        reason = "there is no such page"
        try:
            return await endpoint(request)
        except HTTPError as error:
            reason = error.detail
            raise
        finally:
            lesson: Lesson | None = getattr(request.state, "lesson", None)
            report_teacher_link(get_client_address(request.scope), act, lesson, reason)

    return respond


def _check_open(page: TeacherPage, now: Moment) -> None:
    """Check that the class is open; raises `HTTPError`."""
    if now < page.seen.lesson.lifecycle.opens_at:
        detail = "the class opens 20 minutes before its start"
        raise _problem(PublishRefusal.EARLY, detail, HTTPStatus.CONFLICT)


def _problem(code: PublishRefusal, detail: str, status: HTTPStatus | None = None) -> HTTPError:
    status = status or STATUSES.get(code, HTTPStatus.BAD_GATEWAY)
    return HTTPError(status, detail, more={"code": code})


def _no_page() -> HTTPError:
    return HTTPError(HTTPStatus.NOT_FOUND, "there is no such page")
