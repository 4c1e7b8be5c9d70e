"""Recordings: what a publisher sends, written as it comes, so that a cut file still plays."""

import asyncio
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from homeroom.base.clock import SystemClock
from homeroom.base.keys import KeyGenerator
from homeroom.media.engine import hooks_client
from homeroom.media.engine.boxes import MalformedMP4Error
from homeroom.media.engine.disk import DiskWriter, Task
from homeroom.media.engine.hooks_client import ClientInfo
from homeroom.media.engine.packager import InitSegment, MediaChunk
from homeroom.media.engine.repair import repair
from homeroom.media.engine.spool import (
    UNREADABLE,
    Spool,
    is_own,
    prepare_folder,
    read_file,
    sync_path,
    write_file,
)

log = logging.getLogger("homeroom.media.recorder")

SYNC_MS = 2_000
"""Milliseconds of media after which a recording is made to last a power cut."""
RETRY_SECONDS = 10.0
"""Seconds after which a recording that failed is tried again."""


class RecordingArchive:
    """Where recordings are written, and whom they are reported to."""

    def __init__(self, folder: Path, spool: Spool, disk: DiskWriter, rotate_seconds: int) -> None:
        self.folder = folder
        self.spool = spool
        self.disk = disk
        self.rotate_ms = 1000 * rotate_seconds
        self.failures = 0
        self._clock = SystemClock()
        self._open: set[Path] = set()
        prepare_folder(folder)

    def open_recording(self, client: ClientInfo, shift: int) -> "RecordingFile":
        """Return a new recording; `shift` is how far the clock of classes is ahead, in seconds."""
        path = self.folder / f"{KeyGenerator().file_id()}.mp4"
        self._open.add(path)
        report = hooks_client.hook_body("on_dvr", client) | {
            "file": path.name,
            "started_at": self._clock.now() + shift,
        }
        return RecordingFile(path, report)

    def report(self, file: "RecordingFile", duration: int) -> None:
        """Report a recording that has ended; waits for the disk."""
        try:
            self.spool.add(file.report | {"duration": duration})
        except OSError as failure:
            # Its note is still there, by which it is found again.
            log.warning("a recording waits to be reported", extra={"why": str(failure)})
        else:
            file.description.unlink(missing_ok=True)
        self._open.discard(file.path)

    def discard(self, file: "RecordingFile") -> None:
        """Forget a recording that nothing was written of."""
        file.path.unlink(missing_ok=True)
        file.description.unlink(missing_ok=True)
        self._open.discard(file.path)

    def recover(self) -> None:
        """Report what a crash, or a full disk, has left behind; waits for the disk."""
        for note in sorted(self.folder.glob("*.json")):
            path = note.with_suffix(".mp4")
            if path in self._open or not is_own(note):
                continue
            try:
                report = read_file(note)
            except OSError as failure:
                log.warning("a recording cannot be told of", extra={"why": str(failure)})
                continue
            if report is None or not path.exists():
                note.unlink(missing_ok=True)
            else:
                log.info("a recording is recovered", extra={"file": path.name})
                self.salvage(RecordingFile(path, report))

    def salvage(self, file: "RecordingFile") -> None:
        """Report as much of a recording that was cut as plays; waits for the disk."""
        try:
            file.close()
            duration = repair(file.path)
        except MalformedMP4Error as fault:
            log.error(  # noqa: TRY400  the fault is all there is to say
                "a recording cannot be read; it is put aside",
                extra={"file": file.path.name, "why": str(fault)},
            )
            file.description.rename(file.description.with_suffix(UNREADABLE))
            self._open.discard(file.path)
            return
        except OSError as failure:
            log.warning("a recording cannot be read", extra={"why": str(failure)})
            self._open.discard(file.path)
            return
        if duration is None:
            self.discard(file)
        else:
            self.report(file, duration)


class RecordingFile:
    """One recording on the disk; everything here runs on the threads of the disk."""

    def __init__(self, path: Path, report: dict[str, Any]) -> None:
        self.path = path
        self.description = path.with_suffix(".json")
        """Stands beside it until it is reported: who recorded what, and when."""
        self.report = report
        self.is_broken = False
        """Whether a write has failed: what was to follow would stand in the wrong place."""
        self._file: BinaryIO | None = None

    def create(self, init: bytes) -> None:
        """Make the file."""
        write_file(self.description, self.report, durable=False)
        self._file = self.path.open("xb", buffering=0)
        self.append(init)

    def append(self, data: bytes) -> None:
        """Write all of some bytes, or raise `OSError`."""
        if self._file is None:
            raise OSError("the recording has no file")
        rest = memoryview(data)
        while rest:
            rest = rest[self._file.write(rest) :]

    def sync_names(self) -> None:
        """Make the names of file and note last, and what the note says."""
        sync_path(self.description)
        sync_path(self.path.parent)

    def sync_data(self) -> None:
        """Make what is written last."""
        if self._file is not None:
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            file, self._file = self._file, None
            file.close()


class Recorder:
    """Records one push, in as many files as it takes."""

    def __init__(self, archive: RecordingArchive, client: ClientInfo, shift: int) -> None:
        self._archive = archive
        self._client = client
        self._shift = shift
        self._loop = asyncio.get_running_loop()
        self._file: RecordingFile | None = None
        self._init: InitSegment | None = None
        self._length = 0
        self._synced = 0
        self._retry_at = 0.0
        self.error: str | None = None
        """Why it does not record now."""

    @property
    def state(self) -> str:
        """`on`, `off` or `failed`."""
        if self.error is not None:
            return "failed"
        return "off" if self._file is None else "on"

    def add(self, chunk: MediaChunk) -> None:
        """Record a chunk."""
        if self._file is not None and self._is_full(chunk):
            self.end()
        if self._file is None and not self._start(chunk):
            return
        disk = self._archive.disk
        if disk.is_full:
            self._fail(self._file, "the disk is too slow")
            return
        data = chunk.data
        if chunk.init is not self._init:
            self._init, data = chunk.init, chunk.init.data + data
        size = len(data)
        self._run_on_disk(lambda task: disk.write(task, size), lambda file: file.append(data))
        self._length += chunk.duration
        if self._length - self._synced >= SYNC_MS:
            self._synced = self._length
            self._run_on_disk(disk.sync, RecordingFile.sync_data)

    def end(self) -> None:
        """End the recording; what is written of it is reported."""
        if self._file is None:
            return
        file, length, archive = self._file, self._length, self._archive
        self._file = None

        def finish() -> None:
            try:
                file.sync_data()
                file.close()
            except OSError as failure:
                log.warning("a recording may not last", extra={"why": str(failure)})
            if file.is_broken:
                # A write failed after the end was asked for; before it, we would not be here.
                archive.failures += 1
                archive.salvage(file)
            else:
                archive.report(file, length)

        archive.disk.sync(finish)

    def _is_full(self, chunk: MediaChunk) -> bool:
        is_long = self._length >= self._archive.rotate_ms and chunk.is_independent
        init = self._init
        return is_long or not (
            chunk.init is init or (init is not None and chunk.init.can_follow(init))
        )

    def _start(self, chunk: MediaChunk) -> bool:
        if self._loop.time() < self._retry_at:
            return False
        if self.error is not None and not chunk.is_independent:
            return False
        self._file = self._archive.open_recording(self._client, self._shift)
        self._init, self._length, self._synced, self.error = chunk.init, 0, 0, None
        disk = self._archive.disk
        self._run_on_disk(disk.write, lambda file: file.create(chunk.init.data))
        self._run_on_disk(disk.sync, RecordingFile.sync_names)
        return True

    def _run_on_disk(
        self, by: Callable[[Task], None], task: Callable[[RecordingFile], None]
    ) -> None:
        """Have the disk do something to the file, which is broken when that fails."""
        file = self._file
        if file is None:
            return

        def do_it() -> None:
            if file.is_broken:
                return
            try:
                task(file)
            except OSError as failure:
                file.is_broken = True
                why = failure.strerror or str(failure)
                self._loop.call_soon_threadsafe(self._fail, file, why)

        by(do_it)

    def _fail(self, file: RecordingFile | None, why: str) -> None:
        """Stop recording for a while; what was written is kept, the stream goes on."""
        if file is None or file is not self._file:
            return
        log.error("not recorded", extra={"stream": self._client.stream, "why": why})
        self.error = why
        self._file = None
        self._retry_at = self._loop.time() + RETRY_SECONDS
        archive = self._archive
        archive.failures += 1

        archive.disk.sync(lambda: archive.salvage(file))
