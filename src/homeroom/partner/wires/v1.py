"""The v1 wire: signed forms at two addresses, and `error_info` in each response."""

from typing import Any
from urllib.parse import parse_qsl

import msgspec
from starlette.types import ASGIApp

from homeroom.contract.action import APIPath
from homeroom.contract.catalogue import PLANNED, WITHDRAWN
from homeroom.contract.errno import Errno
from homeroom.contract.upload import MAX_FILE_BODY_BYTES
from homeroom.domain.refusal import Refusal
from homeroom.partner.authenticator import Authenticator
from homeroom.partner.dispatcher import Dispatcher
from homeroom.partner.response import PartnerResponse
from homeroom.partner.routes import ActionRoute
from homeroom.partner.table import TABLE
from homeroom.partner.wires.asgi import Observer, RequestRecord, Scope, WireApp
from homeroom.partner.wires.form import Form, FormError, parse_form
from homeroom.web.bodies import BodyStream, BodyTooLargeError, Receive
from homeroom.web.connections import show_right
from homeroom.web.draining import Draining

MAX_FORM_BYTES = 1024 * 1024
NOT_PARAMETERS = frozenset({"SID", "safeKey", "timeStamp", "action"})
"""Fields of every form that are no parameters of the action."""


PATHS = frozenset(APIPath)
_ERROR_INFO = {
    errno: b'"error_info":%b}' % msgspec.json.encode({"errno": errno.number, "error": errno.zh})
    for errno in Errno
}
_encoder = msgspec.json.Encoder()


def _split_path(path: str) -> tuple[str, str]:
    """Return the address of the API and the action that a path names, if any.

    A base URL of a client may end in a slash of its own, which doubles the first one. The client
    profile of the OpenAPI document has the action as the last segment of the path.
    """
    path = "/" + path.lstrip("/")
    if path in PATHS:
        return path, ""
    address, _, action = path.rpartition("/")
    return (address, action) if action else (path, "")


def is_v1_path(path: str) -> bool:
    """Return whether a path belongs to this wire."""
    return _split_path(path)[0] in PATHS


class V1Wire(WireApp):
    """The v1 wire as an ASGI application for its two addresses."""

    def __init__(
        self,
        authenticator: Authenticator,
        dispatcher: Dispatcher,
        observer: Observer,
        draining: Draining | None = None,
        *,
        id_prefix: str,
    ) -> None:
        super().__init__(observer, id_prefix, (route.action for route in TABLE), draining)
        self._authenticator = authenticator
        self._dispatcher = dispatcher
        self._routes: dict[tuple[str, str], ActionRoute[Any, Any, Any]] = {
            (route.action.v1.path, route.action.name): route for route in TABLE
        }
        self._file_actions = frozenset(
            route.action.name for route in TABLE if route.action.v1.takes_file
        )

    def encode(self, response: PartnerResponse) -> bytes:
        """Return `data`, `more_data` and `error_info` as JSON."""
        return encode_envelope(response)

    async def respond(
        self, scope: Scope, receive: Receive, record: RequestRecord
    ) -> PartnerResponse:
        """Check the size and shape of the body, the caller, the action; then dispatch."""
        path, action = _split_path(scope["path"])
        try:
            form = await self._read_form(scope, receive, record, action)
        except FormError as error:
            raise Refusal(Errno.BAD_PARAMS, str(error)) from None
        record.fields = form
        self.draining.check()
        school = await self._authenticator.authenticate(form)
        record.school = school.id
        show_right(scope)
        route = self._find_route(path, record.action)
        params = {name: value for name, value in form.items() if name not in NOT_PARAMETERS}
        return await self._dispatcher.dispatch(route, school.id, params)

    async def _read_form(
        self, scope: Scope, receive: Receive, record: RequestRecord, action: str
    ) -> Form:
        """Return the form; the action is that of the path, else the query's, else the body's."""
        headers = dict(scope["headers"])
        query = scope["query_string"].decode("latin-1")
        record.action = action or dict(parse_qsl(query)).get("action", "").strip()
        record.is_known = record.action in self._actions
        content_type = headers.get(b"content-type", b"")
        is_multipart = content_type.lstrip().lower().startswith(b"multipart/")
        may_hold_file = is_multipart and self._may_take_file(record.action)
        limit = MAX_FILE_BODY_BYTES if may_hold_file else MAX_FORM_BYTES
        stream = BodyStream(receive, headers.get(b"content-length", b""), limit)
        body = await stream.read_all()
        if scope["method"] != "POST":
            raise FormError("use POST")
        form = parse_form(content_type, body)
        if not record.action:
            in_body = form.get("action", "")
            record.action = in_body if isinstance(in_body, str) else ""
            record.is_known = record.action in self._actions
            if len(body) > MAX_FORM_BYTES and record.action not in self._file_actions:
                raise BodyTooLargeError
        return form

    def _may_take_file(self, action: str) -> bool:
        """Tell whether an action takes a file; one that only the body will name may."""
        return not action or action in self._file_actions

    def _find_route(self, path: str, action: str) -> ActionRoute[Any, Any, Any]:
        route = self._routes.get((path, action))
        if route is not None:
            return route
        if action in WITHDRAWN:
            raise Refusal(Errno.NOT_AUTHORISED, f"action {action} was withdrawn from the API")
        if action in PLANNED[APIPath(path)]:
            raise Refusal(Errno.FAILED, f"action {action} is not implemented")
        raise Refusal(Errno.BAD_PARAMS, f"action: there is none named {action[:50]!r} here")


class V1Fork:
    """Serves the v1 wire at its paths, and passes every other request to another application."""

    def __init__(self, v1: V1Wire, other: ASGIApp) -> None:
        self._v1 = v1
        self._other = other

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401  ASGI
        """Pass a request on, by its path."""
        if scope["type"] == "http" and is_v1_path(scope["path"]):
            await self._v1(scope, receive, send)
        else:
            await self._other(scope, receive, send)


def encode_envelope(response: PartnerResponse) -> bytes:
    """Return the fields of the result and `error_info` beside them, as UTF-8 without escapes."""
    error_info = _ERROR_INFO[response.errno]
    if response.result is None:
        return b"{" + error_info
    fields = _encoder.encode(response.result)
    return b"{" + error_info if fields == b"{}" else fields[:-1] + b"," + error_info
