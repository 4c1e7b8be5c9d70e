"""HTTP errors of a server that cannot answer now, of everything but the partner API."""

import logging
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from homeroom.domain.refusal import OverloadedError
from homeroom.store.engine import find_outage
from homeroom.web.problems import HTTPError

log = logging.getLogger("homeroom.web")


async def respond_overload(_request: Request, error: Exception) -> Response:
    """Respond to a raised `OverloadedError`: 503, why, and when to try again."""
    if not isinstance(error, OverloadedError):
        raise error
    return unavailable_error(error).response()


async def respond_os_error(_request: Request, failure: Exception) -> Response:
    """Respond to an error of the operating system: 503 if it tells of an outage."""
    outage = find_outage(failure)
    if outage is None:
        raise failure
    # Without the path, which lets its owner in below /teach/.
    log.error("request_failed", exc_info=outage)
    return unavailable_error(outage).response()


def unavailable_error(error: OverloadedError) -> HTTPError:
    """Return the HTTP error of a server that cannot answer now."""
    headers = {"retry-after": str(error.retry_after_seconds)}
    return HTTPError(HTTPStatus.SERVICE_UNAVAILABLE, error.reason, headers)
