"""Dependencies of use cases, other than the unit of work."""

from collections.abc import Callable

import msgspec

from homeroom.base.keys import KeyGenerator
from homeroom.domain.lessons import PULL_URL_SECONDS


class Dependencies(msgspec.Struct, frozen=True):
    """Source of keys, signing keys, durations, and the state of the video service."""

    keys: KeyGenerator
    pull_key: str
    stop_delay_seconds: int
    """Seconds until a stopping teacher is stopped; the plan of a school may override it."""
    push_key: str = ""
    clip_key: str = ""
    ticket_key: str = ""
    """Signs the tickets of viewers."""
    pull_url_seconds: int = PULL_URL_SECONDS
    """Seconds for which a bound pull address is valid."""
    video_works: Callable[[], bool] = lambda: True
    """Tells whether there is a media engine that answered within the last minute."""
