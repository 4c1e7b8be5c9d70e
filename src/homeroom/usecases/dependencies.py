"""What use cases need besides the unit of work."""

from collections.abc import Callable
from dataclasses import dataclass

from homeroom.base.keys import KeyGenerator
from homeroom.domain.lessons import PULL_URL_SECONDS


@dataclass(frozen=True, slots=True)
class Dependencies:
    """Where keys come from, what signs addresses, how long things take, whether video works."""

    keys: KeyGenerator
    pull_key: str
    stop_delay_seconds: int
    """Seconds; a school may have its own."""
    push_key: str = ""
    clip_key: str = ""
    ticket_key: str = ""
    """Signs what viewers of the pages are known by."""
    pull_url_seconds: int = PULL_URL_SECONDS
    """Seconds for which a pull address is good once it is bound."""
    video_works: Callable[[], bool] = lambda: True
    """Whether there is a media engine, and it has answered within the last minute."""
