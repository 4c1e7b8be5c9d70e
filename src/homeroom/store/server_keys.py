"""Keys and secrets of the server itself, by name; they are encrypted in the database."""

from typing import Final

from sqlalchemy import bindparam, select

from homeroom.store.cipher import Keyring
from homeroom.store.engine import Transaction
from homeroom.store.server_state import ServerState
from homeroom.store.statement import Statement
from homeroom.store.tables import server_state

KEY_CHECK: Final = "key_check"
"""Name of an encrypted value that shows whether a key file belongs to a database."""

# Who encrypts waits for a rotation of the master key, and encrypts with the key that follows.
_GET_KEY_CHECK = Statement(
    select(server_state.c.value)
    .where(server_state.c.name == bindparam("state_name"))
    .with_for_update(read=True)
)


def place_of(name: str) -> str:
    """Return the place that a value of the server's state is encrypted for."""
    return f"server_state:{name}"


def encrypt(tx: Transaction, keyring: Keyring, text: str, place: str) -> str:
    """Return a text encrypted with the key that the database uses now."""
    rows = tx.fetch_all(_GET_KEY_CHECK, {"state_name": KEY_CHECK})
    return (keyring.find(rows[0][0]) if rows else keyring.newest).encrypt(text, place)


class ServerKeys:
    """Repository of the server's own keys."""

    def __init__(self, tx: Transaction, keyring: Keyring) -> None:
        self._tx = tx
        self._keyring = keyring
        self._state = ServerState(tx)

    def get(self, name: str) -> str | None:
        """Return a key, or None."""
        value = self._state.get(name)
        return None if value is None else self._keyring.decrypt(value, place_of(name))

    def get_or_add(self, name: str, key: str) -> str:
        """Return a key; add the new one first if it is missing. The first of two servers wins."""
        value = self._state.get(name)
        if value is None:
            sealed = encrypt(self._tx, self._keyring, key, place_of(name))
            value = self._state.get_or_add(name, sealed)
        return self._keyring.decrypt(value, place_of(name))

    def save(self, name: str, key: str) -> None:
        """Set a key."""
        self._state.save(name, encrypt(self._tx, self._keyring, key, place_of(name)))
