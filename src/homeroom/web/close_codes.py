"""The codes by which a WebSocket of this server is closed."""

from enum import IntEnum


class CloseCode(IntEnum):
    """The reason of a close; codes from 4000 on are ours, with the last digits of HTTP codes."""

    INTERNAL_ERROR = 1011
    RESTART = 1012
    """The server stops: connect again."""
    MALFORMED = 4400
    LOGIN_REQUIRED = 4401
    NOT_FOUND = 4404
    """There is no such page, or not any more."""
    JOIN_TIMEOUT = 4408
    TOO_MANY = 4429
    """Too many connections or commands: connect again later."""
