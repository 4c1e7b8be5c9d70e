"""The server's own secrets; the first server on a database makes them, all others find them."""

from dataclasses import dataclass

from homeroom.base.keys import KeyGenerator
from homeroom.store.unit_of_work import UnitOfWork

CLIP_KEY = "clip_key"
"""The name under which the key of clips' addresses is kept."""


@dataclass(frozen=True, slots=True)
class ServerSecrets:
    """What signs addresses, and what the media engine and the API know each other by."""

    pull: str
    push: str
    clips: str
    tickets: str
    hooks: str
    """Comes with every call of the engine."""
    engine: str
    """Goes with every call to the engine."""


def load_or_create(uow: UnitOfWork) -> ServerSecrets:
    """Return the secrets, made where there are none yet."""

    def one(name: str) -> str:
        return uow.server_state.get_or_add(name, KeyGenerator().secret())

    return ServerSecrets(
        pull=one("pull_key"),
        push=one("push_key"),
        clips=one(CLIP_KEY),
        tickets=one("ticket_key"),
        hooks=one("hook_secret"),
        engine=one("engine_secret"),
    )


def find_clip_key(uow: UnitOfWork) -> str | None:
    """Return the key that signs clips' addresses; None if no server has started yet."""
    return uow.server_state.get(CLIP_KEY)
