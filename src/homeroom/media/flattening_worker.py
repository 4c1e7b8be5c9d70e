"""Background worker that finishes new clips: it converts fragmented MP4 to flat MP4."""

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
from pathlib import Path

import msgspec

from homeroom.async_store import AsyncStore
from homeroom.base.clock import HOUR, SystemClock
from homeroom.base.errors import HomeroomError
from homeroom.base.ids import ClipId
from homeroom.domain.clips import Clip
from homeroom.media.engine.flatten import EXIT_MALFORMED, FlatFile
from homeroom.store.local_storage import CHUNK_BYTES, PARTIAL_SUFFIX
from homeroom.store.storage import Storage, StoredFile
from homeroom.usecases import clips

log = logging.getLogger("homeroom.media.finisher")

POLL_SECONDS = 5.0
"""Interval of looking for clips; another server may have added one."""
CLEANUP_SECONDS = float(HOUR)
"""Interval of deleting abandoned temporary files."""
BACKOFF_SECONDS = (1.0, 5.0, 30.0, 120.0)
"""Delay before each retry. After one more failure caused by the file, the clip stays as it is."""
MIN_BYTES_PER_SECOND = 1_000_000
"""Minimum speed of flattening; a slower disk counts as stuck."""
MIN_TIMEOUT_SECONDS = 60.0
"""Timeout for the smallest file."""
NICENESS = 10
LEFTOVER_SECONDS = HOUR
"""Age at which a temporary file counts as abandoned."""
MAX_ERROR_CHARS = 300
"""Characters of the child's error output that go into the log."""


class FlattenError(HomeroomError):
    """A file cannot be flattened because of its content; the message is the reason."""


Flatten = Callable[[Path, Path], Awaitable[FlatFile]]


async def flatten_in_subprocess(source: Path, target: Path) -> FlatFile:
    """Convert a recording to a flat MP4 in a subprocess of low priority.

    Raises `FlattenError` if the file is at fault, and `OSError` if a retry may succeed.
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


class _FlattenAttempts(msgspec.Struct):
    failures: int = 0
    faults: int = 0
    """Failures that were caused by the file."""
    retry_at: float = 0.0


class FlatteningWorker:
    """Finishes one clip at a time; of several servers that share a folder, one works at a time.

    A lock on a file ensures this. The lock ends with the process that holds it. A lease in the
    database would need a time limit, and flattening may take long.
    """

    def __init__(
        self,
        store: AsyncStore,
        storage: Storage,
        scratch: Path,
        flatten: Flatten = flatten_in_subprocess,
    ) -> None:
        """Set up; `scratch` is a local folder for temporary files."""
        self._store = store
        self._storage = storage
        self._scratch = scratch
        self._flatten = flatten
        self._attempts: dict[ClipId, _FlattenAttempts] = {}
        self._wake_up = asyncio.Event()
        self._cleanup_at = 0.0

    def wake(self) -> None:
        """Look for clips now, because a recording was added."""
        self._wake_up.set()

    async def run(self) -> None:
        """Finish clips until cancelled."""
        while True:
            try:
                await self.finish_all()
                if time.monotonic() >= self._cleanup_at:
                    self._cleanup_at = time.monotonic() + CLEANUP_SECONDS
                    await asyncio.to_thread(self._drop_leftovers)
            except Exception:
                log.exception("flattening_worker_failed")
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL_SECONDS):
                    await self._wake_up.wait()
            self._wake_up.clear()

    # --- flattening -------------------------------------------------------------------------------

    async def finish_all(self) -> None:
        """Finish all unfinished clips, except those that wait for a retry."""
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
            # A broken MP4 stays broken; a full disk or a database failure may pass.
            is_at_fault = isinstance(failure, FlattenError)
            attempts.faults += is_at_fault
            log.warning(
                "clip_flattening_failed: it plays as it is",
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
        # A subprocess that outlived its server may still write to a file of this name.
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
        """Yield a local path of a stored file, for the subprocess to read."""
        stored = await asyncio.to_thread(self._storage.open, path)
        with stored.content:
            copy = self._scratch / f"{Path(path).stem}.source{PARTIAL_SUFFIX}"
            try:
                # A local file is read in place; an object of a remote storage is downloaded first.
                yield await asyncio.to_thread(_local_path, stored, copy)
            finally:
                copy.unlink(missing_ok=True)

    async def _give_up(self, clip: Clip) -> None:
        """Mark a clip as finished without flattening it."""
        size, sha256 = await asyncio.to_thread(_measure_file, self._storage, clip.file.path)
        await self._save(clip, clip.file.duration_ms, size, sha256)
        log.warning("clip_left_fragmented", extra={"clip": clip.id})

    async def _save(self, clip: Clip, duration: int | None, size: int, sha256: str) -> None:
        is_saved = await self._store.write(
            lambda uow: clips.finish(uow, clip.id, duration, size, sha256)
        )
        if not is_saved:
            # The clip was deleted during flattening, so the new file belongs to no clip.
            await asyncio.to_thread(self._storage.erase, clip.file.path)

    def _drop_leftovers(self) -> None:
        """Delete temporary files left by a server or command that was killed."""
        now = SystemClock().now()
        for file in self._scratch.glob(f"*{PARTIAL_SUFFIX}"):
            with suppress(OSError):
                if now - file.stat().st_mtime > LEFTOVER_SECONDS:
                    file.unlink()


@contextmanager
def _exclusive_lock(folder: Path) -> Iterator[bool]:
    """Try to lock the folder until the block ends; yield True if no other server holds the lock."""
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
