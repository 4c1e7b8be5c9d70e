"""The v1 wire: signed forms at two addresses, and `error_info` in each response."""

import asyncio
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from homeroom.base.ids import SchoolId
from homeroom.base.scratch import Scratch
from homeroom.contract.action import Action, APIPath
from homeroom.contract.catalogue import WITHDRAWN
from homeroom.contract.errno import Errno
from homeroom.contract.near_names import find_near_miss
from homeroom.contract.upload import MAX_FILE_BODY_BYTES, LargeUpload
from homeroom.domain.refusal import Refusal
from homeroom.partner.authenticator import Authenticator
from homeroom.partner.dispatcher import Dispatcher, is_large
from homeroom.partner.ignored import describe_texts_for_files, list_ignored
from homeroom.partner.response import PartnerResponse
from homeroom.partner.routes import ActionRoute
from homeroom.partner.table import V1_TABLE
from homeroom.partner.wires.asgi import Observer, RequestRecord, Scope, WireApp
from homeroom.partner.wires.form import CREDENTIALS, MAX_FORM_BYTES, Form, FormReader
from homeroom.partner.wires.urlencoded import FormError
from homeroom.web.bodies import BodyStream, BodyTooLargeError, Receive, is_whole_request
from homeroom.web.connections import show_right
from homeroom.web.draining import Draining

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
        scratch: Scratch,
        id_prefix: str,
    ) -> None:
        super().__init__(observer, id_prefix, (route.action for route in V1_TABLE), draining)
        self._authenticator = authenticator
        self._dispatcher = dispatcher
        self._scratch = scratch
        self._routes: dict[tuple[str, str], ActionRoute[Any, Any, Any]] = {
            (route.action.v1.path, route.action.name): route for route in V1_TABLE
        }
        self._plain_queries = {f"action={name}".encode(): name for name in self._actions}
        self._file_actions = frozenset(
            route.action.name for route in V1_TABLE if route.action.v1.takes_file
        )

    def encode(self, response: PartnerResponse) -> bytes:
        """Return `data`, `more_data` and `error_info` as JSON."""
        return encode_envelope(response)

    def get_malformed_errno(self, _action: Action[Any, Any] | None) -> Errno:
        """Return the errno of a form that cannot be read."""
        return Errno.BAD_PARAMS

    async def respond(
        self, scope: Scope, receive: Receive, record: RequestRecord
    ) -> PartnerResponse:
        """Check the size and shape of the body, the caller, the action; then dispatch."""
        path, action = _split_path(scope["path"])
        headers = dict(scope["headers"])
        self._note_action(record, action or self._read_action(scope["query_string"]))
        content_type = headers.get(b"content-type", b"")
        is_multipart = content_type.lstrip().lower().startswith(b"multipart/")
        may_hold_file = is_multipart and self._may_take_file(record.action)
        limit = MAX_FILE_BODY_BYTES if may_hold_file else MAX_FORM_BYTES
        # A large upload is not refused by its announced length: too large is an errno of its own.
        is_large = self._find_large_upload(path, record.action) is not None
        stream = BodyStream(
            receive,
            headers.get(b"content-length", b"") if not is_large else b"",
            limit,
            is_whole=is_whole_request(scope),
        )
        if scope["method"] != "POST":
            raise Refusal(Errno.BAD_PARAMS, "use POST")

        async def prove(fields: Form) -> None:
            self._note_action_in_body(record, fields, stream)
            self.draining.check()
            record.school = None
            record.school = (await self._authenticator.authenticate_form(fields)).id
            show_right(scope)

        async def begin_file(fields: Form) -> LargeUpload | None:
            self._note_action_in_body(record, fields, stream)
            large = self._find_large_upload(path, record.action)
            if large is None:
                return None
            _check_before_file(large, fields)
            route, school, params = self._prepare(path, record, fields)
            await self._dispatcher.check_before_file(route, school, params)
            return large

        reader = FormReader(stream, self._scratch, prove, begin_file)
        try:
            form = await reader.read(content_type)
            self._note_action_in_body(record, form, stream)
            route, school, params = self._prepare(path, record, form)
            if route.action.v1.large_upload is not None and reader.before_file is not None:
                # The action may have been named behind the file.
                _check_before_file(route.action.v1.large_upload, reader.before_file)
            return await self._dispatch(record, route, school, params)
        except FormError as error:
            raise Refusal(Errno.BAD_PARAMS, str(error)) from None
        finally:
            record.fields = reader.fields
            await reader.close()

    def _prepare(
        self, path: str, record: RequestRecord, form: Form
    ) -> tuple[ActionRoute[Any, Any, Any], SchoolId, Form]:
        """Return the route, the school and the parameters of a caller who is proven."""
        if record.school is None:
            raise RuntimeError("the caller is not proven")
        route = self._find_route(path, record.action)
        params = {name: value for name, value in form.items() if name not in NOT_PARAMETERS}
        return route, record.school, params

    async def _dispatch(
        self, record: RequestRecord, route: ActionRoute[Any, Any, Any], school: SchoolId, form: Form
    ) -> PartnerResponse:
        """Dispatch an action, and say which of its parameters had no effect."""
        if is_large(form):
            record.ignored = await asyncio.to_thread(list_ignored, route, form)
        else:
            record.ignored = list_ignored(route, form)
        response = await self._dispatcher.dispatch(route, school, form)
        if route.action.v1.takes_file and not response.reason:
            reason = describe_texts_for_files(route, form)
            return msgspec.structs.replace(response, reason=reason)
        return response

    def _read_action(self, query: bytes) -> str:
        """Return the action that a query names; most queries have nothing else in them."""
        action = self._plain_queries.get(query)
        if action is None:
            action = dict(parse_qsl(query.decode("latin-1"))).get("action", "").strip()
        return action

    def _note_action(self, record: RequestRecord, action: str) -> None:
        record.action = action
        record.is_known = action in self._actions

    def _note_action_in_body(self, record: RequestRecord, fields: Form, stream: BodyStream) -> None:
        """Take the action from the body where nothing else names it, and check its size again."""
        in_body = fields.get("action", "")
        if not record.action and isinstance(in_body, str):
            self._note_action(record, in_body)
        if stream.size > MAX_FORM_BYTES and not self._may_take_file(record.action):
            raise BodyTooLargeError

    def _may_take_file(self, action: str) -> bool:
        """Tell whether an action takes a file; one that only the body will name may."""
        return not action or action in self._file_actions

    def _find_large_upload(self, path: str, action: str) -> LargeUpload | None:
        route = self._routes.get((path, action))
        return route.action.v1.large_upload if route is not None else None

    def _find_route(self, path: str, action: str) -> ActionRoute[Any, Any, Any]:
        route = self._routes.get((path, action))
        if route is not None:
            return route
        if action in WITHDRAWN:
            raise Refusal(Errno.NOT_AUTHORISED, f"action {action} was withdrawn from the API")
        raise Refusal(Errno.BAD_PARAMS, self._describe_unknown(path, action))

    def _describe_unknown(self, path: str, action: str) -> str:
        """Return the reason why there is no such action at an address."""
        reason = f"action: there is none named {action[:50]!r} here"
        addresses = {name: address for address, name in self._routes}
        if action in addresses:
            return f"{reason}; send it to {addresses[action]}"
        at_path = sorted(name for address, name in self._routes if address == path)
        near = find_near_miss(action, at_path)
        return f"{reason}; did you mean {near}?" if near is not None else reason


def _check_before_file(large: LargeUpload, fields: Form) -> None:
    """Refuse a large upload whose file comes before other fields that are needed for it."""
    for name in (*CREDENTIALS, *large.fields_before):
        if not fields.get(name):
            raise FormError(f"{name}: must come before the file")


def encode_envelope(response: PartnerResponse) -> bytes:
    """Return the fields of the result and `error_info` beside them, as UTF-8 without escapes."""
    error_info = _ERROR_INFO[response.errno]
    if response.result is None:
        return b"{" + error_info
    fields = _encoder.encode(response.result)
    return b"{" + error_info if fields == b"{}" else fields[:-1] + b"," + error_info
