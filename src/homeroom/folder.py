"""The data folder: the store that belongs to it, its clock, and the server that works on it."""

import fcntl
import logging
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, NamedTuple

import msgspec

from homeroom.base.clock import Clock, ShiftedClock, SystemClock
from homeroom.base.errors import HomeroomError
from homeroom.base.keys import KeyGenerator
from homeroom.base.private_files import FILE_MODE, make_private_folder, narrow
from homeroom.base.settings import Settings
from homeroom.domain.jobs import AdoptFiles
from homeroom.domain.webcasts import Hosts
from homeroom.store.cipher import MasterKey, UnreadableSecretError
from homeroom.store.databases import find_database
from homeroom.store.engine import StoreError
from homeroom.store.key_file import DEFAULT_NAME, KeyFile, KeyFileError
from homeroom.store.local_storage import LocalStorage, sync_folder
from homeroom.store.migrate import is_current, migrate
from homeroom.store.sealing import erase_traces
from homeroom.store.unit_of_work import Store, UnitOfWork

log = logging.getLogger("homeroom")

CLOCK_OFFSET_KEY = "sandbox_clock_offset"
CLOCK_SHIFTED_KEY = "sandbox_clock_on"
"""Set when the last server was a sandbox: commands then use its clock."""
STORAGE_ID_FILE = "storage.id"
"""Names the data folder in a PostgreSQL database, which may know the folders of several servers."""
LOCK_FILE = "homeroom.lock"
"""Held by the server of a data folder; tells its process id and its addresses."""
LOCK_WAIT_SECONDS = 5.0
"""Longest wait for a lock that servers share: another one may want to be alone for a moment."""
_LOCK_PAUSE_SECONDS = 0.05
_BOOT_ID_FILE = Path("/proc/sys/kernel/random/boot_id")


class StartupError(HomeroomError):
    """The server cannot start; the message is for the operator."""


def database_address(settings: Settings) -> str | Path:
    """Return where the database is."""
    return settings.database or (settings.data / "homeroom.db").resolve()


def list_private_folders(settings: Settings) -> list[Path]:
    """Return the folders that only our user may read.

    The folder of recordings of an external media server is not ours.
    """
    folders = [settings.data]
    if settings.media_folder is not None and settings.media == "embedded":
        folders.append(settings.media_folder)
    return folders


def narrow_folders(settings: Settings) -> None:
    """Close the folders, which an earlier version left open, to other users of the machine.

    Raises `WideModeError` for what cannot be closed.
    """
    for folder in list_private_folders(settings):
        make_private_folder(folder)
        if changes := narrow(folder):
            log.warning(
                "folder_narrowed: it was open to other users of this machine",
                extra={"folder": str(folder), "files": changes},
            )


@contextmanager
def open_store(settings: Settings) -> Iterator[Store]:
    """Open the store, its tables brought up to date, on the clock that the server goes by."""
    where = database_address(settings)
    migrate_if_needed(settings)
    store = Store(find_database(where).open_engine(), SystemClock())
    try:
        unlock(store, settings)
        offset = store.read(_read_clock_offset)
        if offset:
            store.clock = ShiftedClock(SystemClock(), offset, moved=lambda _offset: None)
        store.storage_id = _find_storage_id(settings, store)
        yield store
    finally:
        store.close()


def migrate_if_needed(settings: Settings) -> bool:
    """Bring the tables to those of this version; tells whether there was anything to do."""
    where = database_address(settings)
    make_private_folder(settings.data)
    if is_current(where):
        return False
    # Two commands on a new data folder: the second waits, and then finds the work done.
    with (settings.data / "migrate.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if is_current(where):
            return False
        if isinstance(where, Path):
            # SQLite gives the mode of this file to those beside it, -wal and -shm.
            where.touch(FILE_MODE)
        try:
            migrate(where)
        except StoreError:
            # A server with another folder may have created the same tables at the same time.
            if not is_current(where):
                raise
        return True


def open_storage(settings: Settings, store: Store) -> LocalStorage:
    """Open the files of the data folder; the database learns of a folder that is new to it.

    With SQLite the database is in the folder and knows no other: its id is in the database alone,
    so that it follows the database. With PostgreSQL the id is in a file of the folder.
    """
    if store.storage_id is None:
        store.storage_id = KeyGenerator().public_key()
        if settings.database is not None:
            store.storage_id = _create_id_file(settings.data / STORAGE_ID_FILE, store.storage_id)
    storage_id, name = store.storage_id, f"{socket.gethostname()}:{settings.data.resolve()}"

    def register(uow: UnitOfWork) -> None:
        is_new = uow.storages.add(storage_id, name, uow.now)
        if is_new and (uow.clips.list_page(0, 1) or uow.files.list_page(0, 1)):
            uow.enqueue(AdoptFiles(storage=storage_id), None)

    # Mostly there is nothing to write: then a command leaves no entry about it in the audit trail.
    records = store.read(lambda uow: uow.storages.list_all())
    if (storage_id, name) not in [(record.id, record.name) for record in records]:
        store.write(register)
    return LocalStorage(settings.data, storage_id)


def _find_storage_id(settings: Settings, store: Store) -> str | None:
    """Return the id of the storage in the data folder, or None if it has none yet."""
    if settings.database is None:
        records = store.read(lambda uow: uow.storages.list_all())
        return records[0].id if records else None
    with suppress(FileNotFoundError):
        return (settings.data / STORAGE_ID_FILE).read_text().strip() or None
    return None


def _create_id_file(file: Path, new_id: str) -> str:
    """Write the id of a data folder and return it; if two servers do so at once, the first wins."""
    draft = file.with_name(f"{file.name}.{os.getpid()}")
    with draft.open("w") as content:
        content.write(f"{new_id}\n")
        content.flush()
        os.fsync(content.fileno())
    with suppress(FileExistsError):
        os.link(draft, file)
    draft.unlink()
    sync_folder(file.parent)
    return file.read_text().strip()


def find_key_file(settings: Settings) -> KeyFile:
    """Return the file with the key that encrypts the secrets in the database."""
    return KeyFile(settings.key_file or settings.data / DEFAULT_NAME)


def unlock(store: Store, settings: Settings) -> None:
    """Give the store the keys for the secrets in its database.

    The first start encrypts what an earlier version stored in the clear. Raises `KeyFileError` for
    a missing or wrong key file.
    """
    file = find_key_file(settings)
    key_check, has_traces = store.read(_read_key_state)
    try:
        if key_check is None:
            store.keyring = file.load_or_create()
            store.write(lambda uow: uow.sealing.begin())
            has_traces = store.read(lambda uow: uow.sealing.has_traces())
        else:
            if not file.exists():
                raise KeyFileError(
                    f"the key file {file.path} is missing, and the secrets in the database are"
                    " encrypted: use the key file of the first server on this database, or"
                    " restore it"
                )
            store.keyring = file.load()
            get_master_key(store)
    except UnreadableSecretError as failure:
        message = (
            f"the key file {file.path} does not belong to this database: {failure}. Use the key"
            " file of the first server on this database"
        )
        raise KeyFileError(message) from failure
    if has_traces:
        _erase_traces(store, settings)


def get_master_key(store: Store) -> MasterKey:
    """Return the key that encrypts the secrets in a database."""
    return store.read(lambda uow: uow.sealing.get_key())


def rotate_master_key(store: Store, settings: Settings) -> MasterKey:
    """Encrypt all secrets with a new key, and keep only that in the key file.

    During the change the file has both keys. So a process that is killed, and a server that runs,
    finds the right one.
    """
    file = find_key_file(settings)
    former = get_master_key(store)
    new = MasterKey.generate()
    file.replace([former, new])
    store.write(lambda uow: uow.sealing.change_key(new))
    file.replace([new])
    _erase_traces(store, settings)
    return new


def _read_key_state(uow: UnitOfWork) -> tuple[str | None, bool]:
    return uow.sealing.get_key_check(), uow.sealing.has_traces()


def _erase_traces(store: Store, settings: Settings) -> None:
    try:
        erase_traces(database_address(settings))
        store.write(lambda uow: uow.sealing.forget_traces())
    except StoreError as failure:
        log.warning("traces_remain: they are erased at the next start", extra={"why": str(failure)})


def _read_clock_offset(uow: UnitOfWork) -> int:
    """Return how far the clock of the last server was shifted; not at all outside a sandbox."""
    if uow.server_state.get(CLOCK_SHIFTED_KEY) != "1":
        return 0
    return int(uow.server_state.get(CLOCK_OFFSET_KEY) or 0)


class ServerRecord(NamedTuple):
    """The record of a running server in its lock file; without an address while it starts."""

    pid: int
    url: str = ""
    hosts: Hosts | None = None


class FolderLock:
    """The lock of a data folder, held by its server."""

    def __init__(self, file: IO[str], folder: Path, *, is_shared: bool) -> None:
        """Take the lock; raises `StartupError` if another server does not allow it."""
        self._file = file
        self._folder = folder
        self._is_shared = is_shared
        self._acquire()
        self._write(ServerRecord(os.getpid()))

    def announce(self, url: str, hosts: Hosts) -> None:
        """Tell commands the addresses that the server is reached at."""
        self._write(ServerRecord(os.getpid(), url, hosts))

    @contextmanager
    def try_alone(self) -> Iterator[bool]:
        """Keep other servers out until the block ends; yields whether there is none."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._acquire()  # the failed attempt has given up the lock
            yield False
            return
        try:
            yield True
        finally:
            self._acquire()

    def _acquire(self) -> None:
        kind = fcntl.LOCK_SH if self._is_shared else fcntl.LOCK_EX
        deadline = time.monotonic() + (LOCK_WAIT_SECONDS if self._is_shared else 0)
        while True:
            try:
                fcntl.flock(self._file, kind | fcntl.LOCK_NB)
            except OSError:
                if time.monotonic() >= deadline:
                    self._file.seek(0)
                    pid = _parse_record(self._file.read()).pid
                    message = f"another server (pid {pid}) works on {self._folder}"
                    raise StartupError(message) from None
                time.sleep(_LOCK_PAUSE_SECONDS)
            else:
                return

    def _write(self, record: ServerRecord) -> None:
        self._file.truncate(0)
        self._file.write(msgspec.json.encode(record).decode())
        self._file.flush()


@contextmanager
def lock_data_folder(settings: Settings) -> Iterator[FolderLock]:
    """Make sure that no other server works on the same SQLite."""
    make_private_folder(settings.data)
    with (settings.data / LOCK_FILE).open("a+") as file:
        # Servers on one PostgreSQL share the folder as well: each must find the files of the
        # others.
        yield FolderLock(file, settings.data, is_shared=settings.database is not None)


def get_lease_owner(store: Store) -> str | None:
    """Return a name that all servers on this data folder and this kernel have.

    A server that is alone with the lock knows that the others of its name are dead. Another kernel
    may not know of the lock. Returns None where the kernel has no id.
    """
    with suppress(OSError):
        return f"{store.storage_id} {_BOOT_ID_FILE.read_text().strip()}"
    return None


def find_running_server(settings: Settings) -> ServerRecord | None:
    """Return what the server on a data folder says of itself, the last of several."""
    with suppress(FileNotFoundError), (settings.data / LOCK_FILE).open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return _parse_record(file.read())
    return None


def _parse_record(text: str) -> ServerRecord:
    try:
        return msgspec.json.decode(text, type=ServerRecord)
    except msgspec.DecodeError:
        return ServerRecord(0)


def set_clock(settings: Settings, store: Store, real: Clock) -> Clock:
    """Let a store go by the server's clock, and every command after it; returns that clock."""
    shifted = "1" if settings.sandbox else "0"
    if store.read(lambda uow: uow.server_state.get(CLOCK_SHIFTED_KEY)) != shifted:
        store.write(lambda uow: uow.server_state.save(CLOCK_SHIFTED_KEY, shifted))
    store.clock = _create_clock(settings, store, real)
    return store.clock


def has_sandbox(store: Store) -> bool:
    """Return whether the last server of a database had the sandbox."""
    return store.read(lambda uow: uow.server_state.get(CLOCK_SHIFTED_KEY)) == "1"


def _create_clock(settings: Settings, store: Store, real: Clock) -> Clock:
    if not settings.sandbox:
        return real
    offset = store.read(_read_clock_offset)

    def keep(new: int) -> None:
        store.write(lambda uow: uow.server_state.save(CLOCK_OFFSET_KEY, str(new)))

    return ShiftedClock(real, offset, moved=keep)
