"""The server's own secrets; the first server on a database creates them."""

from dataclasses import dataclass

from homeroom.base.keys import KeyGenerator
from homeroom.store.unit_of_work import UnitOfWork

CLIP_KEY = "clip_key"
"""Name of the key that signs clips' addresses."""


@dataclass(frozen=True, slots=True)
class ServerSecrets:
    """Keys that sign addresses, and shared secrets of the media engine and the API."""

    pull: str
    push: str
    clips: str
    tickets: str
    hooks: str
    """Sent with each call from the engine."""
    engine: str
    """Sent with each call to the engine."""


def load_or_create(uow: UnitOfWork) -> ServerSecrets:
    """Return the secrets; create those that do not exist."""

    def load(name: str) -> str:
        return uow.server_state.get_or_add(name, KeyGenerator().secret())

    return ServerSecrets(
        pull=load("pull_key"),
        push=load("push_key"),
        clips=load(CLIP_KEY),
        tickets=load("ticket_key"),
        hooks=load("hook_secret"),
        engine=load("engine_secret"),
    )


def find_clip_key(uow: UnitOfWork) -> str | None:
    """Return the key that signs clips' addresses; None if no server has started yet."""
    return uow.server_state.get(CLIP_KEY)
