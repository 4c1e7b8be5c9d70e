"""The address of a client, read from a connection in this module only."""

from collections.abc import Mapping
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers

UNKNOWN_ADDRESS = "unknown"


def get_client_address(scope: Mapping[str, Any]) -> str:
    """Return the IP address of the client of an HTTP request or a WebSocket.

    uvicorn puts the forwarded address there if a trusted proxy sent one (FORWARDED_ALLOW_IPS).
    Text that is no IP address is `unknown`, so no client writes text of its own into the log.
    """
    client = scope.get("client")
    return _normalize(client[0]) if client else UNKNOWN_ADDRESS


def is_loopback(host: str) -> bool:
    """Return whether a host is a loopback address."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def names_this_machine(headers: Headers) -> bool:
    """Return whether the Host header names a loopback address.

    Protects from DNS rebinding: a browser sends no Origin if a foreign name resolves to this host.
    """
    try:
        return is_loopback(urlsplit(f"//{headers.get('host', '')}").hostname or "")
    except ValueError:
        return False


@lru_cache(maxsize=4096)
def _normalize(text: str) -> str:
    try:
        ip = ip_address(text)
    except ValueError:
        return UNKNOWN_ADDRESS
    if isinstance(ip, IPv6Address):
        if ip.ipv4_mapped is not None:
            return str(ip.ipv4_mapped)
        # A zone is text of the client's choice, and of no use in a log.
        return str(IPv6Address(int(ip)))
    return str(ip)
