"""HTTP errors of everything but the partner API, as problem documents (RFC 9457)."""

from collections.abc import Mapping
from http import HTTPStatus

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from homeroom.base.errors import HomeroomError

CHALLENGE = {"www-authenticate": 'Bearer realm="homeroom"'}
"""Header of a 401."""
NO_STORE = {"cache-control": "no-store"}


class HTTPError(HomeroomError):
    """An HTTP error response: its status, a sentence, and the parameter at fault.

    `more` has further members, such as a code for scripts.
    """

    def __init__(
        self,
        status: HTTPStatus,
        detail: str,
        headers: Mapping[str, str] | None = None,
        parameter: str | None = None,
        more: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(status, detail)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})
        self.parameter = parameter
        self.more = dict(more or {})

    def response(self) -> Response:
        """Return the problem document."""
        body: dict[str, object] = {
            "type": "about:blank",
            "title": self.status.phrase,
            "status": int(self.status),
            "detail": self.detail,
            **self.more,
        }
        if self.parameter is not None:
            body["parameter"] = self.parameter
        return Response(
            msgspec.json.encode(body),
            self.status,
            {**NO_STORE, **self.headers},
            media_type="application/problem+json",
        )


def json_response(value: object, status: HTTPStatus = HTTPStatus.OK) -> Response:
    """Return a value as JSON, UTF-8 unescaped."""
    return Response(msgspec.json.encode(value), status, NO_STORE, media_type="application/json")


def parameter_error(name: str, why: str) -> HTTPError:
    """Return the error of one parameter."""
    return HTTPError(HTTPStatus.BAD_REQUEST, f"{name}: {why}", parameter=name)


def bearer_token(request: Request) -> str:
    """Return the bearer token of a request, or raise an error without one."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise unauthorized_error("send a token: Authorization: Bearer TOKEN")
    return token.strip()


def unauthorized_error(detail: str) -> HTTPError:
    """Return the error of a request without a valid token."""
    return HTTPError(HTTPStatus.UNAUTHORIZED, detail, CHALLENGE)


async def respond_http_error(_request: Request, problem: Exception) -> Response:
    """Respond to a raised `HTTPError`."""
    if not isinstance(problem, HTTPError):
        raise problem
    return problem.response()


async def respond_status(request: Request, failure: Exception) -> Response:
    """Respond in the same form to errors of the router: 404 and 405."""
    if not isinstance(failure, HTTPException):
        raise failure
    status = HTTPStatus(failure.status_code)
    detail = {
        HTTPStatus.NOT_FOUND: f"there is nothing at {request.url.path[:200]}",
        HTTPStatus.METHOD_NOT_ALLOWED: f"{request.method} is not answered here",
    }.get(status, failure.detail)
    return HTTPError(status, detail, failure.headers).response()


async def respond_failure(_request: Request, _failure: Exception) -> Response:
    """Respond to an internal error; its text stays in the log."""
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    return HTTPError(status, "the server failed; see its log").response()
