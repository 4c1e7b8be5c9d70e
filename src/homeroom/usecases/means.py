"""What use cases need besides the unit of work."""

from dataclasses import dataclass

from homeroom.base.keys import Keys


@dataclass(frozen=True, slots=True)
class Means:
    """Where keys come from, what signs pull addresses, how long a teacher takes to stop."""

    keys: Keys
    pull_key: str
    stop_delay: int
    """Seconds; a school may have its own."""
