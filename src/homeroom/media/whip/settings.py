"""What the gateway is told when it starts: one line of JSON on its standard input."""

import msgspec


class GatewaySettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything the gateway needs to know; it reads no file and no environment."""

    http_fd: int
    """The listening socket of its own interface, inherited."""
    secret: str
    """The bearer token of that interface."""
    webrtc_address: str | None = None
    """The IP address browsers are told in the place of this machine's own."""
    log_level: str = "info"
