"""The key file: the keys that encrypt the secrets in the database, one in a line.

It may be apart from the data, so that a copy of the data is useless without it.
"""

import os
import re
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from homeroom.base.errors import HomeroomError
from homeroom.base.private_files import FILE_MODE
from homeroom.store.cipher import KEY_BYTES, Keyring, MasterKey
from homeroom.store.local_storage import sync_folder

DEFAULT_NAME: Final = "homeroom.key"
_HEADER: Final = (
    "# Homeroom encrypts the secrets in its database with this key. Keep a copy of it apart from\n"
    "# the backups of the database: neither is of use without the other.\n"
)
_LINE: Final = re.compile(rf"homeroom-key-1:([0-9a-f]{{{2 * KEY_BYTES}}})")
_OTHERS_OF_OWNER: Final = stat.S_IRWXG | stat.S_IRWXO
_OTHERS_OF_GROUP: Final = stat.S_IWGRP | stat.S_IRWXO
"""Where the file belongs to another user, as root, the group may read it: our way to it."""


class KeyFileError(HomeroomError):
    """The key file is missing, wrong or open to other users; the message is for the operator."""


class KeyFile:
    """A file with keys, which is replaced as a whole."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def exists(self) -> bool:
        """Tell whether there is a key file."""
        return self.path.exists()

    def load(self) -> Keyring:
        """Return the keys; raises `KeyFileError`."""
        try:
            with self.path.open() as file:
                facts = os.fstat(file.fileno())
                text = file.read()
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is no text"
            raise KeyFileError(f"the key file {self.path} cannot be read: {why}") from None
        is_ours = facts.st_uid == os.geteuid()
        if facts.st_mode & (_OTHERS_OF_OWNER if is_ours else _OTHERS_OF_GROUP):
            raise KeyFileError(
                f"the key file {self.path} is open to other users of this machine: chmod 600"
            )
        lines = [line.strip() for line in text.splitlines() if not line.startswith("#")]
        matches = [_LINE.fullmatch(line) for line in lines if line]
        keys = [MasterKey(bytes.fromhex(match[1])) for match in matches if match is not None]
        if not keys or len(keys) < len(matches):
            raise KeyFileError(f"{self.path} is not a key file, or was damaged")
        return Keyring(keys, self.load)

    def load_or_create(self) -> Keyring:
        """Return the keys; create a file with a new key if it is missing."""
        if not self.exists():
            draft = self._write_draft([MasterKey.generate()])
            try:
                # If two processes start at once, both use the first key.
                with suppress(FileExistsError):
                    os.link(draft, self.path)
            finally:
                draft.unlink()
            sync_folder(self.path.parent)
        return self.load()

    def replace(self, keys: Iterable[MasterKey]) -> None:
        """Replace the keys of the file; it has either the former keys or the new ones."""
        self._write_draft(keys).replace(self.path)
        sync_folder(self.path.parent)

    def _write_draft(self, keys: Iterable[MasterKey]) -> Path:
        draft = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        lines = [f"homeroom-key-1:{key.content.hex()}\n" for key in keys]
        try:
            draft.unlink(missing_ok=True)
            draft.touch(FILE_MODE, exist_ok=False)
            with draft.open("w") as file:
                file.write(_HEADER + "".join(lines))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            message = f"the key file {self.path} cannot be written: {error.strerror}"
            raise KeyFileError(message) from None
        return draft
