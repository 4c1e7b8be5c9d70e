"""Settings of a worker process, read as one line of JSON from its stdin."""

import msgspec

from homeroom.base.settings import Settings
from homeroom.domain.webcasts import Hosts


class WorkerSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of a worker process; the main process has read files and environment."""

    number: int
    """From 1 to the number of worker processes."""
    listener_fd: int
    """Inherited socket of the public port; nothing listens there yet."""
    channel_fd: int
    """Inherited end of the channel to the main process."""
    settings: Settings
    """The settings of the server."""
    hosts: Hosts
    main_url: str
    """URL of the main process on this machine, which handles the hooks of a media engine."""
    push_base: str
    """Base URL for pushing streams from this machine."""
