"""Changes of the sandbox in the security log."""

from collections.abc import Mapping

from starlette.requests import Request

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
