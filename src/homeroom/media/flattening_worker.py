"""Finishes clips in the background: makes them flat."""

import asyncio
import fcntl
import hashlib
import logging
import os
import shutil
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from homeroom.async_store import AsyncStore
from homeroom.base.clock import HOUR, SystemClock
from homeroom.base.ids import ClipId
from homeroom.domain.clips import Clip
from homeroom.media.engine.flatten import EXIT_MALFORMED, FlatFile
from homeroom.store.local_storage import CHUNK_BYTES, PARTIAL_SUFFIX
from homeroom.store.storage import Storage, StoredFile
from homeroom.usecases import clips

log = logging.getLogger("homeroom.media.finisher")

POLL_SECONDS = 5.0
"""Seconds: another server may have taken a recording in."""
CLEANUP_SECONDS = float(HOUR)
"""Seconds until what was left in the making is looked for again."""
BACKOFF_SECONDS = (1.0, 5.0, 30.0, 120.0)
"""Seconds until the next try; when the file was at fault in one more, it stays as it is."""
MIN_BYTES_PER_SECOND = 1_000_000
"""Bytes a second at which a file is worked through at least; a slower disk counts as stuck."""
MIN_TIMEOUT_SECONDS = 60.0
"""Seconds that even the smallest file may take."""
NICENESS = 10
LEFTOVER_SECONDS = HOUR
"""A file in the making that was not written to for so many seconds is nobody's."""
MAX_ERROR_CHARS = 300
"""Characters of what the child said that go into the log."""


class FlattenError(Exception):
    """The file is at fault and cannot be made flat; the message says why."""


Flatten = Callable[[Path, Path], Awaitable[FlatFile]]


async def flatten_in_subprocess(source: Path, target: Path) -> FlatFile:
    """Write a recording as a flat MP4, in a process of its own that gives way to all others.

    Raises `NotFlattened`, and `OSError` where it may go better another time.
    """
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "homeroom.media.engine.flatten", source, target),
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
    )
    try:
        with suppress(ProcessLookupError):
            os.setpriority(os.PRIO_PROCESS, child.pid, NICENESS)
        output, errors = await child.communicate()
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if child.returncode:
        why = errors.decode(errors="replace").strip()[-MAX_ERROR_CHARS:]
        if child.returncode == EXIT_MALFORMED:
            raise FlattenError(why)
        raise OSError(why or f"the process ended with {child.returncode}")
    return msgspec.json.decode(output, type=FlatFile)


@dataclass(slots=True)
class _FlattenAttempts:
    failures: int = 0
    faults: int = 0
    """How often the file was at fault."""
    retry_at: float = 0.0


class FlatteningWorker:
    """Finishes one clip after the other; of the servers that share a folder one at a time.

    That is held to by a lock on a file, which ends with whoever holds it: a row in the database
    would have to be given up on after a while, and flattening may take its time.
    """

    def __init__(
        self,
        store: AsyncStore,
        storage: Storage,
        scratch: Path,
        flatten: Flatten = flatten_in_subprocess,
    ) -> None:
        """Take the storage of clips, and a folder of this machine for files in the making."""
        self._store = store
        self._storage = storage
        self._scratch = scratch
        self._flatten = flatten
        self._attempts: dict[ClipId, _FlattenAttempts] = {}
        self._wake_up = asyncio.Event()
        self._cleanup_at = 0.0

    def wake(self) -> None:
        """Look now: a recording was taken in."""
        self._wake_up.set()

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            try:
                await self.finish_all()
                if time.monotonic() >= self._cleanup_at:
                    self._cleanup_at = time.monotonic() + CLEANUP_SECONDS
                    await asyncio.to_thread(self._drop_leftovers)
            except Exception:
                log.exception("finishing clips failed; trying again")
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL_SECONDS):
                    await self._wake_up.wait()
            self._wake_up.clear()

    # --- flattening -------------------------------------------------------------------------------

    async def finish_all(self) -> None:
        """Finish the clips that are not, but for those that failed a moment ago."""
        if await self._find_next(0) is None:
            self._attempts.clear()
            return
        with _exclusive_lock(self._scratch) as is_locked:
            after = 0
            while is_locked and (clip := await self._find_next(after)) is not None:
                after = clip.id
                attempts = self._attempts.get(clip.id)
                if attempts is None or time.monotonic() >= attempts.retry_at:
                    await self._attempt(clip)

    async def _find_next(self, after: int) -> Clip | None:
        return await self._store.read(lambda uow: clips.find_unfinished(uow, after))

    async def _attempt(self, clip: Clip) -> None:
        attempts = self._attempts.setdefault(clip.id, _FlattenAttempts())
        try:
            if attempts.faults <= len(BACKOFF_SECONDS):
                await self._finish(clip)
            else:
                await self._give_up(clip)
        except Exception as failure:
            # What is no MP4, or only half of one, stays so; a full disk or a database does not.
            is_at_fault = isinstance(failure, FlattenError)
            attempts.faults += is_at_fault
            log.warning(
                "a clip is not finished yet; it plays as it is",
                extra={"clip": clip.id, "why": str(failure)},
                exc_info=not isinstance(failure, (FlattenError, OSError)),
            )
            attempts.retry_at = (
                time.monotonic() + BACKOFF_SECONDS[min(attempts.failures, len(BACKOFF_SECONDS) - 1)]
            )
            attempts.failures += 1
        else:
            del self._attempts[clip.id]

    async def _finish(self, clip: Clip) -> None:
        path = clip.file.path
        target = self._scratch / f"{clip.file.file_id}{PARTIAL_SUFFIX}"
        # A child that outlived its server may still write to a file of this name.
        target.unlink(missing_ok=True)
        try:
            async with asyncio.timeout(MIN_TIMEOUT_SECONDS + clip.file.size / MIN_BYTES_PER_SECOND):
                async with self._local_file(path) as source:
                    flat = await self._flatten(source, target)
            if flat.changed:
                size = await asyncio.to_thread(_store_file, self._storage, target, path)
                if size != flat.size:
                    raise OSError(f"{size} bytes were kept of {flat.size}")
        finally:
            target.unlink(missing_ok=True)
        await self._save(clip, flat.duration, flat.size, flat.sha256)

    @asynccontextmanager
    async def _local_file(self, path: str) -> AsyncIterator[Path]:
        """Give a stored file a path of this machine, for a process of its own to read it."""
        stored = await asyncio.to_thread(self._storage.open, path)
        with stored.content:
            copy = self._scratch / f"{Path(path).stem}.source{PARTIAL_SUFFIX}"
            try:
                # A file of this disk is read where it is; an object is fetched first.
                yield await asyncio.to_thread(_local_path, stored, copy)
            finally:
                copy.unlink(missing_ok=True)

    async def _give_up(self, clip: Clip) -> None:
        """Let a clip be finished as it is."""
        size, sha256 = await asyncio.to_thread(_measure_file, self._storage, clip.file.path)
        await self._save(clip, clip.file.duration_ms, size, sha256)
        log.warning("a clip was never made flat", extra={"clip": clip.id})

    async def _save(self, clip: Clip, duration: int | None, size: int, sha256: str) -> None:
        is_saved = await self._store.write(
            lambda uow: clips.finish(uow, clip.id, duration, size, sha256)
        )
        if not is_saved:
            # It was deleted meanwhile, and the new file has taken the place of none.
            await asyncio.to_thread(self._storage.erase, clip.file.path)

    def _drop_leftovers(self) -> None:
        """Remove what a killed server, or a killed command, has left in the making."""
        now = SystemClock().now()
        for file in self._scratch.glob(f"*{PARTIAL_SUFFIX}"):
            with suppress(OSError):
                if now - file.stat().st_mtime > LEFTOVER_SECONDS:
                    file.unlink()


@contextmanager
def _exclusive_lock(folder: Path) -> Iterator[bool]:
    """Tell whether no other server finishes clips, and keep it so until the block ends."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def _local_path(stored: StoredFile, copy: Path) -> Path:
    name = getattr(stored.content, "name", None)
    if isinstance(name, str):
        return Path(name)
    with copy.open("wb") as file:
        shutil.copyfileobj(stored.content, file)
    return copy


def _store_file(storage: Storage, source: Path, path: str) -> int:
    with source.open("rb") as file:
        return storage.put(path, file)


def _measure_file(storage: Storage, path: str) -> tuple[int, str]:
    stored = storage.open(path)
    with stored.content as file:
        digest = hashlib.sha256()
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
        return stored.size, digest.hexdigest()
