"""Encryption of the secrets in the database: AES-256-GCM with the keys of the key file.

An encrypted value is `enc1:KEY_ID:BASE64`, where BASE64 has the nonce and the ciphertext. The place
of the value (table, column and row) is authenticated with it: a value that is copied to another
place cannot be decrypted there.
"""

import os
from base64 import b64encode
from binascii import a2b_base64
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from homeroom.base.keys import KeyGenerator, fingerprint
from homeroom.store.engine import StoreError

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
KEY_ID_LENGTH: Final = 8
PREFIX: Final = "enc1:"


class UnreadableSecretError(StoreError):
    """A secret in the database cannot be decrypted with the keys of the key file."""


class MasterKey:
    """A key that encrypts secrets, with an id that says nothing about it."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.id = fingerprint(f"homeroom master key {content.hex()}")[:KEY_ID_LENGTH]
        self._cipher = AESGCM(content)

    @classmethod
    def generate(cls) -> "MasterKey":
        """Return a new random key."""
        return cls(KeyGenerator().master_key(KEY_BYTES))

    def encrypt(self, text: str, place: str) -> str:
        """Return a text encrypted for a place."""
        nonce = os.urandom(NONCE_BYTES)
        content = nonce + self._cipher.encrypt(nonce, text.encode(), place.encode())
        return f"{PREFIX}{self.id}:{b64encode(content).decode()}"

    def decrypt(self, content: bytes, place: str) -> str:
        """Return the text of nonce and ciphertext; raises `InvalidTag` or `ValueError`."""
        nonce, rest = content[:NONCE_BYTES], content[NONCE_BYTES:]
        return self._cipher.decrypt(nonce, rest, place.encode()).decode()


class Keyring:
    """The keys of the key file: one, or during a rotation the new and the former one."""

    def __init__(
        self, keys: Iterable[MasterKey] = (), reload: Callable[[], "Keyring"] | None = None
    ) -> None:
        """Take the keys; `reload` reads the key file again, when a value has an unknown key."""
        self._keys = {key.id: key for key in keys}
        self._reload = reload

    def __iter__(self) -> Iterator[MasterKey]:
        return iter(self._keys.values())

    @property
    def newest(self) -> MasterKey:
        """The first key of the file; a database without secrets begins with it."""
        return next(iter(self._keys.values()))

    def find(self, value: str) -> MasterKey:
        """Return the key of an encrypted value; raises `UnreadableSecretError`."""
        if not is_encrypted(value):
            raise UnreadableSecretError("a secret in the database is not encrypted")
        key_id = value[len(PREFIX) :].partition(":")[0]
        key = self._keys.get(key_id)
        if key is None and self._reload is not None:
            # A command has rotated the key since this process has read the file.
            self._keys |= self._reload()._keys  # noqa: SLF001  of the same class
            key = self._keys.get(key_id)
        if key is None:
            raise UnreadableSecretError(
                f"the secrets in the database are encrypted with the key {key_id}, which is not"
                " in the key file"
            )
        return key

    def decrypt(self, value: str, place: str) -> str:
        """Return the text of an encrypted value; raises `UnreadableSecretError`."""
        key = self.find(value)
        try:
            return key.decrypt(a2b_base64(value.rpartition(":")[2]), place)
        except (InvalidTag, ValueError) as failure:
            message = f"the secret {place} was changed, or belongs to another place"
            raise UnreadableSecretError(message) from failure


def is_encrypted(value: str) -> bool:
    """Tell whether a value of the database is encrypted; a secret itself has no colon."""
    return value.startswith(PREFIX)
