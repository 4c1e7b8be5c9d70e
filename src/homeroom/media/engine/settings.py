"""What the engine is told when it starts: one line of JSON on its standard input."""

import msgspec

APP = "live"
"""The one application name of this server, as SRS and OBS call the first part of a path."""
MAX_NAME_CHARS = 64
"""Characters of the name of a stream."""


class EngineSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything the engine needs to know; it reads no file and no environment."""

    rtmp_fd: int
    """The listening socket for RTMP, inherited."""
    http_fd: int
    """The listening socket for HTTP-FLV, HLS and the engine's own interface, inherited."""
    hooks_url: str
    """Where permission is asked and reports go, its secret included."""
    api_secret: str
    """The bearer token of `/api/v1`."""
    recordings: str
    """The folder recordings are written to."""
    spool: str
    """The folder of reports that are not answered yet."""
    coalesce_ms: int = 0
    """Milliseconds for which what viewers get is held back, to write less often."""
    rotate_seconds: int = 3600
    """Length after which a recording goes on in a new file."""
    log_level: str = "info"
