"""Requests under /admin/v1 that change something: authorization, bodies and the audit trail."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from homeroom.async_store import AsyncStore
from homeroom.base.ids import SchoolId
from homeroom.base.keys import fingerprint
from homeroom.base.values import replace
from homeroom.contract.operator_messages import OperatorRequest
from homeroom.contract.paged import ROOT
from homeroom.contract.params import InvalidValueError, read_id
from homeroom.domain.audit import AuditOutcome, NewAuditEntry, mask_text
from homeroom.domain.refusal import OperatorError
from homeroom.domain.tokens import ExpiredTokenError, TokenScope
from homeroom.store.records import Token
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import audit, operations
from homeroom.web.audit_entries import build_audit_entry
from homeroom.web.bodies import decode_json, read_body
from homeroom.web.operator_access import check_scope, expired_token_error, require_token
from homeroom.web.problems import HTTPError, bearer_token
from homeroom.web.token_log import log_token

MAX_BODY_BYTES = 256 * 1024

B = TypeVar("B", bound=OperatorRequest)
T = TypeVar("T")


class AuthorizedRequest:
    """A request whose token has the scope that it needs."""

    def __init__(self, store: AsyncStore, request: Request, token: Token) -> None:
        self.store = store
        self._request = request
        self.scope = token.school
        """The school that the token is for; None: all schools."""
        self._has_entry = False

    async def read_body(self, body_type: type[B], default: B | None = None) -> B:
        """Return the decoded body, or the default for an empty one."""
        body = await read_body(self._request, MAX_BODY_BYTES)
        return default if default is not None and not body else decode_json(body, body_type)

    @property
    def path_id(self) -> int:
        """The id in the path; raises `HTTPError` 404 for what is no id."""
        ((name, text),) = self._request.path_params.items()
        try:
            return read_id(text)
        except InvalidValueError:
            detail = f"{name}: {str(text)[:50]!r} is no id"
            raise HTTPError(HTTPStatus.NOT_FOUND, detail, parameter=name) from None

    def check_school(self, number: int) -> SchoolId:
        """Return the school that a body names; raises `HTTPError` 403 for another one's token."""
        if self.scope not in (None, number):
            detail = f"SID: the token is for school {self.scope} alone"
            raise HTTPError(HTTPStatus.FORBIDDEN, detail, parameter="SID")
        return SchoolId(number)

    async def write(
        self,
        use_case: Callable[[UnitOfWork], T],
        school: SchoolId,
        arguments: msgspec.Struct | None = None,
        *,
        refusal: HTTPStatus = HTTPStatus.CONFLICT,
    ) -> T:
        """Do a unit of work with its entry in the audit trail; a refusal has an entry too.

        A request with several units has one entry. Raises `HTTPError` with the status `refusal`
        for an `OperatorError`.
        """
        values = msgspec.to_builtins(arguments) if arguments is not None else {}
        entry = build_audit_entry(self._request, values | {"sid": school})

        def run(uow: UnitOfWork) -> T:
            result = use_case(uow)
            if not self._has_entry and entry is not None:
                audit.record(uow, entry)
            return result

        try:
            result = await self.store.write(run, school)
        except OperatorError as error:
            if entry is not None:
                await self._record_refusal(entry, error)
            raise HTTPError(refusal, str(error)) from None
        # Only now: a unit can run again before it is committed.
        self._has_entry = True
        return result

    async def _record_refusal(self, entry: NewAuditEntry, error: OperatorError) -> None:
        refused = replace(entry, outcome=AuditOutcome.REFUSED, reason=mask_text(str(error)))
        await self.store.write(lambda uow: audit.record(uow, refused))


Handler = Callable[[AuthorizedRequest], Awaitable[Response]]


def build_route(
    store: AsyncStore, method: str, path: str, scope: TokenScope, handler: Handler
) -> Route:
    """Return the route of a request that needs a token with a scope."""

    async def respond(request: Request) -> Response:
        token_hash = fingerprint(bearer_token(request))
        try:
            token = await store.read(lambda uow: operations.find_token(uow, token_hash))
        except ExpiredTokenError as error:
            raise expired_token_error(error) from None
        request.state.token = token
        token = require_token(token)
        check_scope(token, scope)
        return await handler(AuthorizedRequest(store, request, token))

    return Route(ROOT + path, log_token(respond), methods=[method])
