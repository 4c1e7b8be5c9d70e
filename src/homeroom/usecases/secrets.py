"""The server's own secrets; the first server on a database creates them."""

from homeroom.base.ids import LessonId
from homeroom.base.keys import KeyGenerator
from homeroom.base.values import Value
from homeroom.domain.server_keys import ROTATED_KEYS, KeyRotation, ServerKey
from homeroom.domain.stream_signatures import sign_stream
from homeroom.store.unit_of_work import UnitOfWork

SIGNING_BATCH = 1000
"""Pull addresses that are signed again in one unit of work."""


class ServerSecrets(Value, frozen=True):
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

    def load(name: ServerKey) -> str:
        return uow.server_keys.get_or_add(name, KeyGenerator().secret())

    return ServerSecrets(
        pull=load(ServerKey.PULL),
        push=load(ServerKey.PUSH),
        clips=load(ServerKey.CLIPS),
        tickets=load(ServerKey.TICKETS),
        hooks=load(ServerKey.HOOKS),
        engine=load(ServerKey.ENGINE),
    )


def find_clip_key(uow: UnitOfWork) -> str | None:
    """Return the key that signs clips' addresses; None if no server has started yet."""
    return uow.server_keys.get(ServerKey.CLIPS)


def rotate(uow: UnitOfWork, rotation: KeyRotation) -> None:
    """Replace keys by new ones; running servers use them when they start again."""
    for name in ROTATED_KEYS[rotation]:
        uow.server_keys.save(name, KeyGenerator().secret())


def sign_pull_addresses(uow: UnitOfWork, after: int) -> LessonId | None:
    """Sign a batch of the addresses that classes are bound to with the current key.

    Returns the last class of the batch, or None when there are no more.
    """
    key = load_or_create(uow).pull
    streams = uow.stream_signatures.list_page(after, SIGNING_BATCH)
    for stream in streams:
        signature = sign_stream(stream.name, stream.expires_at, key)
        uow.stream_signatures.save(stream.lesson, signature.signature)
    return streams[-1].lesson if streams else None
