"""What the sandbox is sent: JSON objects, strictly typed."""

from http import HTTPStatus
from typing import Literal, TypeVar

import msgspec
from starlette.requests import Request

from homeroom.web.bodies import read_body
from homeroom.web.problems import HTTPError

MAX_BODY_BYTES = 64 * 1024

B = TypeVar("B", bound=msgspec.Struct)


class ClockRequest(msgspec.Struct, forbid_unknown_fields=True):
    """Move the clock: by some seconds, or to a moment."""

    advance: int | None = None
    now: int | None = None


class FaultRequest(msgspec.Struct, forbid_unknown_fields=True):
    """Ask for a fault at the next calls of an action, of one school or of any."""

    action: str
    sid: int | None = None
    errno: int | None = None
    delay_ms: int = 0
    drop: bool = False
    times: int = 1
    after_commit: bool = False


class ResetRequest(msgspec.Struct, forbid_unknown_fields=True):
    """Empty a school, and fill it as the demo school is, if that is asked."""

    sid: int
    to: Literal["empty", "demo"]


async def read_json(request: Request, body_type: type[B]) -> B:
    """Return the body of a request, or raise `HTTPError`."""
    body = await read_body(request, MAX_BODY_BYTES)
    try:
        return msgspec.json.decode(body, type=body_type)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        detail = f"the body must be a JSON object: {error}"
        raise HTTPError(HTTPStatus.BAD_REQUEST, detail) from None
