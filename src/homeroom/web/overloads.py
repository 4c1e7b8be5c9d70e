"""HTTP errors of a server that cannot answer now, of everything but the partner API."""

from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from homeroom.domain.refusal import OverloadedError
from homeroom.web.problems import HTTPError


async def respond_overload(_request: Request, error: Exception) -> Response:
    """Respond to a raised `OverloadedError`: 503, why, and when to try again."""
    if not isinstance(error, OverloadedError):
        raise error
    return unavailable_error(error).response()


def unavailable_error(error: OverloadedError) -> HTTPError:
    """Return the HTTP error of a server that cannot answer now."""
    headers = {"retry-after": str(error.retry_after_seconds)}
    return HTTPError(HTTPStatus.SERVICE_UNAVAILABLE, error.reason, headers)
