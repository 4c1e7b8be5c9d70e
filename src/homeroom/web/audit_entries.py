"""Entries of the audit trail about requests by bearer tokens."""

from collections.abc import Mapping

import msgspec
from starlette.requests import Request

from homeroom.base.clock import SystemClock
from homeroom.base.ids import SchoolId
from homeroom.domain.audit import AuditActor, AuditKind, NewAuditEntry, mask_arguments
from homeroom.web.addresses import get_client_address
from homeroom.web.token_log import get_token


def build_audit_entry(request: Request, change: Mapping[str, object]) -> NewAuditEntry | None:
    """Return the entry of a change by a token; None without one, as over loopback."""
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
