"""The server's own keys, and the ways to rotate them."""

from enum import StrEnum


class ServerKey(StrEnum):
    """A key or secret of the server, by its name in the database, where it is encrypted."""

    PULL = "pull_key"
    """Signs pull addresses of streams."""
    PUSH = "push_key"
    """Signs push addresses, and the addresses of teachers' pages."""
    CLIPS = "clip_key"
    """Signs addresses of clips."""
    TICKETS = "ticket_key"
    """Signs the tickets of viewers, and with them the logins on the pages."""
    HOOKS = "hook_secret"
    """Is sent with each call from the media engine."""
    ENGINE = "engine_secret"
    """Is sent with each call to the media engine."""


class KeyRotation(StrEnum):
    """What `homeroom key rotate` replaces."""

    MASTER = "master"
    PUSH = "push"
    PULL = "pull"
    CLIPS = "clips"
    TICKETS = "tickets"
    HOOKS = "hooks"


ROTATED_KEYS: dict[KeyRotation, tuple[ServerKey, ...]] = {
    KeyRotation.MASTER: (),
    KeyRotation.PUSH: (ServerKey.PUSH,),
    KeyRotation.PULL: (ServerKey.PULL,),
    KeyRotation.CLIPS: (ServerKey.CLIPS,),
    KeyRotation.TICKETS: (ServerKey.TICKETS,),
    KeyRotation.HOOKS: (ServerKey.HOOKS, ServerKey.ENGINE),
}
INVALIDATED: dict[KeyRotation, str] = {
    KeyRotation.MASTER: "copies of the key file, and it cannot read earlier backups",
    KeyRotation.PUSH: "push addresses and teachers' pages: `homeroom stream` shows the new ones",
    KeyRotation.PULL: "pull addresses; a CDN that checks them needs `homeroom media keys`",
    KeyRotation.CLIPS: "addresses of clips; the pages and calls give new ones",
    KeyRotation.TICKETS: "logins and visits on the pages: viewers come in again",
    KeyRotation.HOOKS: "the hooks address: an external media server needs `homeroom media hooks`",
}
