"""Settings of the gateway process, read as one line of JSON from its stdin."""

import msgspec


class GatewaySettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All settings of the gateway; it reads no files and no environment variables."""

    http_fd: int
    """Inherited listening socket of its HTTP API."""
    secret: str
    """Bearer token of that API."""
    webrtc_address: str | None = None
    """Public IP address for ICE candidates, in place of this machine's own."""
    log_level: str = "info"
