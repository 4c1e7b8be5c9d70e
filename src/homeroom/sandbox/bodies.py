"""Request bodies of the sandbox: JSON objects, strictly typed."""

from typing import Any, Literal, TypeVar

import msgspec
from starlette.requests import Request

from homeroom.web.bodies import decode_json, read_body

MAX_BODY_BYTES = 64 * 1024

B = TypeVar("B", bound=msgspec.Struct)


class ClockRequest(msgspec.Struct, forbid_unknown_fields=True):
    """Move the clock by seconds (`advance`), at once or in steps, or to a time (`now`)."""

    advance: int | None = None
    now: int | None = None
    step: int | None = None


class FaultRequest(msgspec.Struct, forbid_unknown_fields=True):
    """Inject a fault into the next calls of an action, of one school or of all schools."""

    action: str
    sid: int | None = None
    errno: int | None = None
    delay_ms: int = 0
    drop: bool = False
    times: int = 1
    after_commit: bool = False
    entries: list[int] | None = None


class EndpointFaultRequest(msgspec.Struct, forbid_unknown_fields=True):
    """Let the next attempts at an endpoint end so, without reaching the receiver."""

    endpoint: int
    outcome: str
    times: int = 1


class _FaultSubject(msgspec.Struct):
    endpoint: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class EmitRequest(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """Send a message of a kind; fields that are not given get default values."""

    sid: int
    kind: str
    class_id: int | None = None
    course_id: int | None = None
    activity_id: int | None = None
    uid: int | None = None
    fields: dict[str, Any] = {}


class ScriptRequest(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """Play a script on a class, or the ready lesson."""

    sid: int
    class_id: int
    script: list[msgspec.Raw] | Literal["lesson"]


class ResetRequest(msgspec.Struct, forbid_unknown_fields=True):
    """Empty a school, or reset it to the content of the demo school."""

    sid: int
    to: Literal["empty", "demo"]


async def read_json(request: Request, body_type: type[B]) -> B:
    """Return the decoded body of a request; raises `HTTPError` (bad request)."""
    return decode_json(await read_body(request, MAX_BODY_BYTES), body_type)


async def read_fault(request: Request) -> FaultRequest | EndpointFaultRequest:
    """Return the fault of a request: of an endpoint if it names one, else of an action."""
    body = await read_body(request, MAX_BODY_BYTES)
    if decode_json(body, _FaultSubject).endpoint is msgspec.UNSET:
        return decode_json(body, FaultRequest)
    return decode_json(body, EndpointFaultRequest)
