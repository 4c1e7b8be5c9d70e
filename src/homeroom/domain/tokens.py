"""Bearer tokens: what each may be used for, and until when."""

from enum import StrEnum

from homeroom.base.clock import Moment
from homeroom.base.errors import HomeroomError


class TokenScope(StrEnum):
    """A right of a bearer token under /admin/v1; none includes another."""

    READ = "read"
    """Read all that the school has, or that all schools have."""
    MESSAGES = "messages"
    """Send messages, also again, and pause, resume, skip and test endpoints."""
    ADMIN = "admin"
    """Create endpoints and remove them, and change their secrets."""


class ExpiredTokenError(HomeroomError):
    """The token was in force until a moment."""

    def __init__(self, expires_at: Moment) -> None:
        super().__init__(expires_at)
        self.expires_at = expires_at
