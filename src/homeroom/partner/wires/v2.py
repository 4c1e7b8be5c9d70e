"""The v2 wire: JSON signed by X-EEO headers, a path for each action, `{code, msg, data}` back.

The order of the checks before the dispatcher (READINGS Q75): the shape of the request, the headers
and the signature, maintenance, the action.
"""

import asyncio
from typing import Any

import msgspec

from homeroom.contract.action import Action
from homeroom.contract.errno import Errno
from homeroom.contract.near_names import find_near_miss
from homeroom.domain.refusal import Refusal
from homeroom.partner.authenticator import Authenticator, SignatureHeaders
from homeroom.partner.dispatcher import Dispatcher
from homeroom.partner.ignored import list_ignored
from homeroom.partner.response import PartnerResponse
from homeroom.partner.routes import ActionRoute
from homeroom.partner.table import V2_TABLE
from homeroom.partner.wires.asgi import (
    Observer,
    RequestRecord,
    Scope,
    UnknownPathError,
    WireApp,
)
from homeroom.partner.wires.json_body import MAX_JSON_BYTES, JSONBody, JSONBodyError, read_json_body
from homeroom.web.bodies import BodyStream, Receive, is_whole_request
from homeroom.web.connections import show_right
from homeroom.web.draining import Draining

PREFIXES = ("/lms/", "/course/", "/school/", "/schooluser/")
MAX_SHOWN_PATH = 80
"""Characters of an unknown path in its reason."""
MAX_QUICK_BYTES = 16 * 1024
"""A body of more bytes is read in a thread."""
_START = {
    errno: b'{"code":%d,"msg":%b,"data":' % (errno.number, msgspec.json.encode(errno.zh))
    for errno in Errno
}
_encoder = msgspec.json.Encoder()


def _normalize(path: str) -> str:
    """Return a path without a doubled first slash, as on the v1 wire."""
    return "/" + path.lstrip("/")


def is_v2_path(path: str) -> bool:
    """Return whether a path belongs to this wire."""
    return _normalize(path).startswith(PREFIXES)


class V2Wire(WireApp):
    """The v2 wire as an ASGI application for the paths of its actions."""

    def __init__(
        self,
        authenticator: Authenticator,
        dispatcher: Dispatcher,
        observer: Observer,
        draining: Draining | None = None,
        *,
        id_prefix: str,
    ) -> None:
        super().__init__(observer, id_prefix, (route.action for route in V2_TABLE), draining)
        self._authenticator = authenticator
        self._dispatcher = dispatcher
        self._routes: dict[str, ActionRoute[Any, Any, Any]] = {
            route.action.v2.path: route for route in V2_TABLE
        }

    def encode(self, response: PartnerResponse) -> bytes:
        """Return `code`, `msg` and `data` as JSON."""
        return encode_v2_envelope(response)

    def get_malformed_errno(self, action: Action[Any, Any] | None) -> Errno:
        """Return the errno of a request that is no POST of a JSON object."""
        return Errno.MALFORMED_REQUEST if action is None else action.v2.malformed

    async def respond(
        self, scope: Scope, receive: Receive, record: RequestRecord
    ) -> PartnerResponse:
        """Check the path, the shape of the request and the caller; then dispatch."""
        path = _normalize(scope["path"])
        route = self._routes.get(path)
        if route is None:
            raise UnknownPathError(self._describe_unknown(path))
        record.action, record.is_known = route.action.name, True
        headers = _read_headers(scope)
        signed = {"X-EEO-UID": headers.uid, "X-EEO-TS": headers.stamp, "X-EEO-SIGN": headers.sign}
        record.fields = signed
        body = await self._read_body(scope, receive, route.action.v2.malformed)
        record.fields = {**signed, **body.values, **signed}
        self.draining.check()
        record.school = (await self._authenticator.authenticate_body(headers, body.scalars)).id
        show_right(scope)
        record.ignored = list_ignored(route, body.values)
        _check_texts(route, body)
        return await self._dispatcher.dispatch(route, record.school, body.values)

    def _describe_unknown(self, path: str) -> str:
        """Return the reason why there is no call at a path."""
        reason = f"path: there is no call at {path[:MAX_SHOWN_PATH]}"
        start = path[:MAX_SHOWN_PATH].rstrip("/")
        near = start if start in self._routes else find_near_miss(start, self._routes)
        return f"{reason}; did you mean {near}?" if near is not None else reason

    async def _read_body(self, scope: Scope, receive: Receive, malformed: Errno) -> JSONBody:
        if scope["method"] != "POST":
            raise Refusal(malformed, "use POST")
        length = dict(scope["headers"]).get(b"content-length", b"")
        is_whole = is_whole_request(scope)
        stream = BodyStream(receive, length, MAX_JSON_BYTES, is_whole=is_whole)
        body = await stream.read_all()
        try:
            if len(body) > MAX_QUICK_BYTES:
                return await asyncio.to_thread(read_json_body, body)
            return read_json_body(body)
        except JSONBodyError as error:
            raise Refusal(malformed, str(error)) from None


def _read_headers(scope: Scope) -> SignatureHeaders:
    headers = dict(scope["headers"])
    sign, uid, stamp = (
        headers.get(name, b"").decode("latin-1").strip()
        for name in (b"x-eeo-sign", b"x-eeo-uid", b"x-eeo-ts")
    )
    return SignatureHeaders(sign, uid, stamp)


def _check_texts(route: ActionRoute[Any, Any, Any], body: JSONBody) -> None:
    """Refuse the NUL, which no database keeps; the readers of lists look for it themselves."""
    for name, value in body.values.items():
        if isinstance(value, str) and "\0" in value:
            raise Refusal(route.action.param_errnos.wrong, f"{name}: must not contain NUL")


def encode_v2_envelope(response: PartnerResponse) -> bytes:
    """Return the envelope, as UTF-8 without escapes; `data` is null where there is no result."""
    start = _START[response.errno]
    if response.result is None:
        return start + b"null}"
    fields = _encoder.encode(response.result)
    if fields == b"{}":
        return start + b"null}"
    return start + fields.removeprefix(b'{"data":')
