"""Settings of the engine: one line of JSON on its standard input."""

import msgspec

APP = "live"
"""The application name, the first part of the path of a stream address."""
MAX_NAME_CHARS = 64
"""Maximum length of a stream name."""


class EngineSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All settings of the engine; it reads no file and no environment variable."""

    rtmp_fd: int
    """The listening socket for RTMP, inherited."""
    http_fd: int
    """The listening socket for HTTP-FLV, HLS and the engine's own interface, inherited."""
    hooks_url: str
    """Address of the hooks, with its secret."""
    api_secret: str
    """The bearer token of `/api/v1`."""
    recordings: str
    """Folder of running recordings."""
    spool: str
    """Folder of unconfirmed reports."""
    coalesce_ms: int = 0
    """Milliseconds for which data for viewers is coalesced into one write."""
    rotate_seconds: int = 3600
    """Length after which a recording continues in a new file."""
    log_level: str = "info"
