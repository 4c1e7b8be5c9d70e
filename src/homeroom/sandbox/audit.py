"""Changes of the sandbox in the security log, and those by a token in the audit trail."""

from collections.abc import Mapping

import msgspec
from starlette.requests import Request

from homeroom.base.clock import SystemClock
from homeroom.base.ids import SchoolId
from homeroom.domain.audit import AuditActor, AuditKind, NewAuditEntry, mask_arguments
from homeroom.web import security_log
from homeroom.web.addresses import get_client_address
from homeroom.web.security_log import SecurityEvent
from homeroom.web.token_log import describe_token, get_token

THIS_MACHINE = "this machine"
"""Actor of a request over loopback, which needs no token."""


def report_change(request: Request, change: Mapping[str, object]) -> None:
    """Write a change of the sandbox to the security log."""
    token = get_token(request)
    security_log.report(
        SecurityEvent.SANDBOX_CHANGED,
        get_client_address(request.scope),
        actor=describe_token(token) if token is not None else THIS_MACHINE,
        method=request.method,
        path=request.url.path,
        change=dict(change),
    )


def build_audit_entry(request: Request, change: Mapping[str, object]) -> NewAuditEntry | None:
    """Return the entry of a change by a token; None over loopback, where tests are at work."""
    token = get_token(request)
    if token is None:
        return None
    sid = change.get("sid")
    return NewAuditEntry(
        at=SystemClock().now(),
        kind=AuditKind.REQUEST,
        act=f"{request.method} {request.url.path}",
        actor=AuditActor(origin=get_client_address(request.scope), token=token.id),
        arguments=msgspec.json.encode(mask_arguments(change)).decode(),
        school=SchoolId(sid) if isinstance(sid, int) else None,
    )
