"""The running server: it answers, and it is ready."""

import http.client
from urllib.parse import urlsplit

import msgspec

from homeroom.base.settings import Settings
from homeroom.cli.checks.result import CheckResult, CheckStatus
from homeroom.folder import find_running_server

SERVER_TIMEOUT_SECONDS = 5
MAX_RESPONSE_BYTES = 10_000
"""Bytes of the response of /readyz that are read."""


def check_server(settings: Settings) -> CheckResult:
    """Ask the running server, if there is one, whether it is ready."""
    running = find_running_server(settings)
    if running is None:
        return CheckResult("server", CheckStatus.OK, "none runs on this data folder")
    pid, url = running.pid, running.url
    if not url:
        return CheckResult("server", CheckStatus.WARN, f"pid {pid} is starting, or stuck at that")
    where = urlsplit(url)
    connection = http.client.HTTPConnection(
        where.hostname or "localhost", where.port, timeout=SERVER_TIMEOUT_SECONDS
    )
    try:
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        text = answer.read(MAX_RESPONSE_BYTES)
    except (OSError, http.client.HTTPException) as error:
        return CheckResult(
            "server", CheckStatus.FAIL, f"pid {pid} does not answer at {url}: {error}"
        )
    finally:
        connection.close()
    if answer.status >= http.client.INTERNAL_SERVER_ERROR:
        why = _parse_reasons(text) or answer.status
        return CheckResult("server", CheckStatus.FAIL, f"pid {pid} at {url} is not ready: {why}")
    if warnings := _parse_reasons(text):
        return CheckResult("server", CheckStatus.WARN, f"pid {pid} answers at {url}: {warnings}")
    return CheckResult("server", CheckStatus.OK, f"pid {pid} answers at {url}")


def _parse_reasons(text: bytes) -> str:
    try:
        return "; ".join(msgspec.json.decode(text, type=_NotReady).reasons)
    except ValueError:
        return ""


class _NotReady(msgspec.Struct):
    reasons: list[str]
