"""Encrypts all secrets of a database: once after an upgrade, and when the master key changes."""

from pathlib import Path
from typing import Final

from sqlalchemy import bindparam, delete, select, update

from homeroom.domain.server_keys import ServerKey
from homeroom.store.cipher import Keyring, MasterKey, is_encrypted
from homeroom.store.databases import find_database
from homeroom.store.endpoints import place_of_secret
from homeroom.store.engine import StoreError, Transaction
from homeroom.store.schools import former_secret_place, secret_place
from homeroom.store.server_keys import KEY_CHECK, place_of
from homeroom.store.server_state import ServerState
from homeroom.store.statement import Statement
from homeroom.store.tables import endpoints, schools, server_state

TRACES: Final = "secret_traces"
"""Name of a value that is set while free pages may contain secrets in an earlier form."""
_CHECK_TEXT: Final = "homeroom"
_PAGE_SIZE: Final = 500

_LIST_SECRETS = Statement(
    select(schools.c.id, schools.c.secret, schools.c.former_secret)
    .where(schools.c.id > bindparam("after"))
    .order_by(schools.c.id)
    .limit(bindparam("limit"))
)
_SAVE_SECRETS = Statement(
    update(schools)
    .where(schools.c.id == bindparam("school"))
    .values(secret=bindparam("new_secret"), former_secret=bindparam("new_former"))
)
_LIST_ENDPOINT_SECRETS = Statement(
    select(endpoints.c.id, endpoints.c.secret, endpoints.c.former_secret)
    .where(endpoints.c.id > bindparam("after"), endpoints.c.secret.is_not(None))
    .order_by(endpoints.c.id)
    .limit(bindparam("limit"))
)
_SAVE_ENDPOINT_SECRETS = Statement(
    update(endpoints)
    .where(endpoints.c.id == bindparam("endpoint"))
    .values(secret=bindparam("new_secret"), former_secret=bindparam("new_former"))
)
_DELETE_TRACES = Statement(delete(server_state).where(server_state.c.name == TRACES))


class Sealing:
    """Repository of all encrypted values at once."""

    def __init__(self, tx: Transaction, keyring: Keyring) -> None:
        self._tx = tx
        self._keyring = keyring
        self._state = ServerState(tx)

    def get_key_check(self) -> str | None:
        """Return the value that shows which key the database uses; None before the first start."""
        return self._state.get(KEY_CHECK)

    def get_key(self) -> MasterKey:
        """Return the key that the database uses; raises `UnreadableSecretError`."""
        value = self._state.get(KEY_CHECK) or ""
        self._keyring.decrypt(value, place_of(KEY_CHECK))
        return self._keyring.find(value)

    def has_traces(self) -> bool:
        """Tell whether free pages may contain secrets in an earlier form."""
        return self._state.get(TRACES) is not None

    def forget_traces(self) -> None:
        """Note that free pages contain no secrets."""
        self._tx.execute(_DELETE_TRACES, {})

    def begin(self) -> None:
        """Encrypt what an earlier version stored in the clear, and note the key.

        Raises `UnreadableSecretError` if another server has just begun with another key.
        """
        key = self._keyring.newest
        value = self._state.get_or_add(KEY_CHECK, key.encrypt(_CHECK_TEXT, place_of(KEY_CHECK)))
        self._keyring.decrypt(value, place_of(KEY_CHECK))
        if self._encrypt_all(key):
            self._state.save(TRACES, "1")

    def change_key(self, key: MasterKey) -> None:
        """Encrypt all secrets with another key."""
        # First, so that a server that encrypts at the same time waits, and then uses this key.
        self._state.save(KEY_CHECK, key.encrypt(_CHECK_TEXT, place_of(KEY_CHECK)))
        self._encrypt_all(key)
        self._state.save(TRACES, "1")

    def _encrypt_all(self, key: MasterKey) -> int:
        """Encrypt all secrets with a key; return how many there are."""
        count = 0
        for name in ServerKey:
            if (value := self._state.get(name)) is not None:
                self._state.save(name, self._change(value, place_of(name), key))
                count += 1
        after = 0
        while rows := self._tx.fetch_all(_LIST_SECRETS, {"after": after, "limit": _PAGE_SIZE}):
            for school, secret, former in rows:
                values = {
                    "school": school,
                    "new_secret": self._change(secret, secret_place(school), key),
                    "new_former": former and self._change(former, former_secret_place(school), key),
                }
                self._tx.execute(_SAVE_SECRETS, values)
            count += len(rows)
            after = rows[-1][0]
        return count + self._encrypt_endpoints(key)

    def _encrypt_endpoints(self, key: MasterKey) -> int:
        count = after = 0
        values = {"limit": _PAGE_SIZE}
        while rows := self._tx.fetch_all(_LIST_ENDPOINT_SECRETS, {**values, "after": after}):
            for endpoint, secret, former in rows:
                place, former_place = (
                    place_of_secret(endpoint, name) for name in ("secret", "former_secret")
                )
                new = {
                    "endpoint": endpoint,
                    "new_secret": self._change(secret, place, key),
                    "new_former": former and self._change(former, former_place, key),
                }
                self._tx.execute(_SAVE_ENDPOINT_SECRETS, new)
            count += len(rows)
            after = rows[-1][0]
        return count

    def _change(self, value: str, place: str, key: MasterKey) -> str:
        plain = self._keyring.decrypt(value, place) if is_encrypted(value) else value
        return key.encrypt(plain, place)


def erase_traces(address: str | Path) -> None:
    """Rewrite the database, without the free pages that may contain secrets.

    Raises `StoreError` while another program reads or writes.
    """
    try:
        find_database(address).erase_free_pages()
    except StoreError as failure:
        message = f"free pages of the database still contain secrets: {failure}"
        raise StoreError(" ".join(message.split())) from failure
