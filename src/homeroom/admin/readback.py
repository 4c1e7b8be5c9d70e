"""Endpoints of the read-back: authentication, query, pagination and response."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from http import HTTPStatus
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from homeroom.admin import spreadsheet
from homeroom.admin.lists import HANDLERS
from homeroom.admin.request import ReadBackContext, ReadBackRequest
from homeroom.async_store import AsyncStore
from homeroom.base.ids import SchoolId
from homeroom.base.keys import fingerprint
from homeroom.base.values import replace
from homeroom.contract.paged import MAX_PAGE_ROWS, ROOT, PageQuery, ReadBack
from homeroom.contract.params import InvalidValueError, ParamError, Params, ParamsReader, read_id
from homeroom.contract.readback import READ_BACKS
from homeroom.contract.viewers import CSV, ViewerRow
from homeroom.domain.tokens import ExpiredTokenError, TokenScope
from homeroom.store.paging import CursorMismatchError, Page, PageRequest
from homeroom.store.records import Token
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import operations
from homeroom.web.operator_access import check_scope, expired_token_error, require_token
from homeroom.web.problems import (
    NO_STORE,
    HTTPError,
    bearer_token,
    json_response,
    parameter_error,
)
from homeroom.web.token_log import log_token

MAX_VALUE_LENGTH = 200
"""Maximum characters of a query parameter; no name or identity is longer."""


class _Cursor(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """A pagination cursor: the order of the list, and the key of the last row returned."""

    order: str
    after: tuple[int, ...]


def routes(store: AsyncStore, context: ReadBackContext) -> list[Route]:
    """Return the routes of the read-back."""
    return [
        Route(
            ROOT + read_back.path,
            log_token(_endpoint(store, context, read_back)),
            methods=["GET"],
        )
        for read_back in READ_BACKS
    ]


def _endpoint(
    store: AsyncStore, context: ReadBackContext, read_back: ReadBack
) -> Callable[[Request], Awaitable[Response]]:
    reader = ParamsReader(read_back.query)
    allowed = frozenset(name for slot in reader.fields for name in slot.names)

    async def respond(request: Request) -> Response:
        token_hash = fingerprint(bearer_token(request))
        query = _read_query(request, reader, allowed)
        path_id = _read_path_id(request)

        def read_rows(uow: UnitOfWork, page_request: PageRequest) -> Any:  # noqa: ANN401  the type depends on the list
            request.state.token = operations.find_token(uow, token_hash)
            existing = require_token(request.state.token)
            check_scope(existing, TokenScope.READ)
            scope = _get_scope(existing, getattr(query, "sid", None))
            read_request = ReadBackRequest(
                uow,
                context,
                scope,
                existing.school,
                query,
                path_id,
                replace(page_request, now=uow.now),
            )
            return HANDLERS[read_back.name](read_request)

        def read_csv_page(
            uow: UnitOfWork, page_request: PageRequest
        ) -> tuple[Page[ViewerRow], str]:
            page = read_rows(uow, page_request)
            return page, spreadsheet.format_lines(uow, page.rows)

        page_request = _read_page_request(query)
        try:
            if getattr(query, "format", None) == CSV:
                return await _stream_csv(
                    store, read_csv_page, replace(page_request, limit=MAX_PAGE_ROWS)
                )
            result = await store.read(partial(read_rows, page_request=page_request))
        except ExpiredTokenError as error:
            raise expired_token_error(error) from None
        except CursorMismatchError:
            raise parameter_error("cursor", "belongs to another list or other filters") from None
        return json_response(_to_page_body(result) if isinstance(result, Page) else result)

    return respond


async def _stream_csv(
    store: AsyncStore,
    read_page: Callable[[UnitOfWork, PageRequest], tuple[Page[ViewerRow], str]],
    page_request: PageRequest,
) -> Response:
    """Stream a list as one CSV file, page by page."""

    async def read(page_request: PageRequest) -> tuple[Page[ViewerRow], str]:
        return await store.read(lambda uow: read_page(uow, page_request))

    # Read the first page before the response starts, so that an error still has its own status.
    first = await read(page_request)

    async def generate_lines() -> AsyncIterator[str]:
        page, lines = first
        yield spreadsheet.format_heading()
        yield lines
        while page.next is not None:
            page, lines = await read(replace(page_request, after=page.next, order=page.order))
            yield lines

    headers = {**NO_STORE, "content-disposition": 'attachment; filename="viewers.csv"'}
    return StreamingResponse(generate_lines(), headers=headers, media_type="text/csv")


def _get_scope(token: Token, sid: SchoolId | None) -> SchoolId | None:
    """Return the school that limits the result, or None for all schools."""
    if token.school is not None and sid not in (None, token.school):
        detail = f"SID: the token is for school {token.school} alone"
        raise HTTPError(HTTPStatus.FORBIDDEN, detail, parameter="SID")
    return token.school if token.school is not None else sid


def _read_query(request: Request, reader: ParamsReader[Any], allowed: frozenset[str]) -> Params:
    values: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name not in allowed:
            names = ", ".join(sorted(allowed, key=str.lower)) or "no parameters"
            raise parameter_error(name[:50], f"is not known here; this address takes {names}")
        if name in values:
            raise parameter_error(name, "must be given once")
        if len(value) > MAX_VALUE_LENGTH or "\0" in value:
            raise parameter_error(name, f"must be text of up to {MAX_VALUE_LENGTH} characters")
        values[name] = value.strip()
    try:
        query: Params = reader.read(values)
    except ParamError as error:
        raise parameter_error(error.name, error.reason) from None
    return query


def _read_path_id(request: Request) -> int:
    """Return the id in the path, or 0 without one; raises `HTTPError` 404 for an invalid id."""
    for name, text in request.path_params.items():
        try:
            return read_id(text)
        except InvalidValueError:
            detail = f"{name}: {str(text)[:50]!r} is no id"
            raise HTTPError(HTTPStatus.NOT_FOUND, detail, parameter=name) from None
    return 0


def _read_page_request(query: Params) -> PageRequest:
    if not isinstance(query, PageQuery):
        return PageRequest(1)
    if query.cursor is None:
        return PageRequest(query.limit)
    try:
        padded = query.cursor + "=" * (-len(query.cursor) % 4)
        cursor = msgspec.json.decode(urlsafe_b64decode(padded), type=_Cursor)
    except (binascii.Error, ValueError, msgspec.DecodeError):
        raise parameter_error("cursor", "must be what `next` of the page before said") from None
    if any(abs(key) >= 2**63 for key in cursor.after):
        raise parameter_error("cursor", "must be what `next` of the page before said")
    return PageRequest(query.limit, cursor.after, cursor.order)


def _to_page_body(page: Page[Any]) -> dict[str, Any]:
    next_cursor = None
    if page.next is not None:
        text = msgspec.json.encode(_Cursor(page.order, page.next))
        next_cursor = urlsafe_b64encode(text).decode().rstrip("=")
    return {"data": page.rows, "next": next_cursor}
