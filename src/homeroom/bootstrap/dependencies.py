"""What use cases need, as the settings have it; commands need it too."""

from collections.abc import Callable

from homeroom.base.clock import DAY
from homeroom.base.keys import KeyGenerator
from homeroom.base.settings import Settings
from homeroom.domain.webcasts import Hosts
from homeroom.folder import find_running_server
from homeroom.media.service import build_hosts
from homeroom.usecases.dependencies import Dependencies
from homeroom.usecases.secrets import ServerSecrets


def find_hosts(settings: Settings) -> Hosts:
    """Return where pages and streams are reached: as the running server has it, or will have it."""
    running = find_running_server(settings)
    if running is not None and running.hosts is not None:
        return running.hosts
    return build_hosts(settings, f"http://{settings.host}:{settings.port}")


def build_dependencies(
    settings: Settings,
    server_secrets: ServerSecrets,
    video_works: Callable[[], bool] = lambda: True,
) -> Dependencies:
    """Return what use cases need, as the settings have it."""
    return Dependencies(
        KeyGenerator(),
        server_secrets.pull,
        0 if settings.sandbox else settings.stop_delay,
        push_key=server_secrets.push,
        clip_key=server_secrets.clips,
        ticket_key=server_secrets.tickets,
        pull_url_seconds=settings.pull_days * DAY,
        video_works=video_works,
    )
