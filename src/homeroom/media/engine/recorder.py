"""Recordings: chunks written as they come, so that a truncated file is still playable."""

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
from homeroom.media.engine.init_segment import InitSegment
from homeroom.media.engine.packager import MediaChunk
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
"""Milliseconds of media between two fsyncs of a recording."""
RETRY_SECONDS = 10.0
"""Seconds until a failed recording is tried again."""


class RecordingArchive:
    """The folder of recordings, and their reports to the API."""

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
        """Return a new recording; `shift` is how far the API's clock is ahead, in seconds."""
        path = self.folder / f"{KeyGenerator().file_id()}.mp4"
        self._open.add(path)
        report = hooks_client.hook_body("on_dvr", client) | {
            "file": path.name,
            "started_at": self._clock.now() + shift,
        }
        return RecordingFile(path, report)

    def report(self, file: "RecordingFile", duration: int) -> None:
        """Report a finished recording; runs on the disk threads."""
        try:
            self.spool.add(file.report | {"duration": duration})
        except OSError as failure:
            # Its description stays, and recovery finds it by that.
            log.warning("recording_report_delayed", extra={"why": str(failure)})
        else:
            file.description.unlink(missing_ok=True)
        self._open.discard(file.path)

    def discard(self, file: "RecordingFile") -> None:
        """Remove an empty recording."""
        file.path.unlink(missing_ok=True)
        file.description.unlink(missing_ok=True)
        self._open.discard(file.path)

    def recover(self) -> None:
        """Report recordings that a crash or a full disk left behind; runs on the disk threads."""
        for note in sorted(self.folder.glob("*.json")):
            path = note.with_suffix(".mp4")
            if path in self._open or not is_own(note):
                continue
            try:
                report = read_file(note)
            except OSError as failure:
                log.warning("recording_unreadable", extra={"why": str(failure)})
                continue
            if report is None or not path.exists():
                note.unlink(missing_ok=True)
            else:
                log.info("recording_recovered", extra={"file": path.name})
                self.salvage(RecordingFile(path, report))

    def salvage(self, file: "RecordingFile") -> None:
        """Report the playable part of a truncated recording; runs on the disk threads."""
        try:
            file.close()
            duration = repair(file.path)
        except MalformedMP4Error as fault:
            log.error(  # noqa: TRY400  the message is enough
                "recording_set_aside",
                extra={"file": file.path.name, "why": str(fault)},
            )
            file.description.rename(file.description.with_suffix(UNREADABLE))
            self._open.discard(file.path)
            return
        except OSError as failure:
            log.warning("recording_unreadable", extra={"why": str(failure)})
            self._open.discard(file.path)
            return
        if duration is None:
            self.discard(file)
        else:
            self.report(file, duration)


class RecordingFile:
    """One recording file; all methods run on the disk threads."""

    def __init__(self, path: Path, report: dict[str, Any]) -> None:
        self.path = path
        self.description = path.with_suffix(".json")
        """JSON file beside it until it is reported: client, stream and start."""
        self.report = report
        self.is_broken = False
        """Whether a write has failed: later data would be at the wrong offset."""
        self._file: BinaryIO | None = None

    def create(self, init: bytes) -> None:
        """Create the file with its init segment."""
        write_file(self.description, self.report, durable=False)
        self._file = self.path.open("xb", buffering=0)
        self.append(init)

    def append(self, data: bytes) -> None:
        """Write all bytes, or raise `OSError`."""
        if self._file is None:
            raise OSError("the recording has no file")
        rest = memoryview(data)
        while rest:
            rest = rest[self._file.write(rest) :]

    def sync_names(self) -> None:
        """Sync the description and the names in the folder."""
        sync_path(self.description)
        sync_path(self.path.parent)

    def sync_data(self) -> None:
        """Sync the written data."""
        if self._file is not None:
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            file, self._file = self._file, None
            file.close()


class Recorder:
    """Records one publish session in one or more files."""

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
        """Reason why it does not record now, or None."""

    @property
    def state(self) -> str:
        """`on`, `off` or `failed`."""
        if self.error is not None:
            return "failed"
        return "on" if self._file is not None else "off"

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
        """End the recording and report it."""
        if self._file is None:
            return
        file, length, archive = self._file, self._length, self._archive
        self._file = None

        def finish() -> None:
            try:
                file.sync_data()
                file.close()
            except OSError as failure:
                log.warning("recording_sync_failed", extra={"why": str(failure)})
            if file.is_broken:
                # A write failed after `end` was called.
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
        """Run a task on a disk thread; a failure marks the file as broken."""
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
        """Stop recording until the next attempt; written data stays and the stream continues."""
        if file is None or file is not self._file:
            return
        log.error("recording_failed", extra={"stream": self._client.stream, "why": why})
        self.error = why
        self._file = None
        self._retry_at = self._loop.time() + RETRY_SECONDS
        archive = self._archive
        archive.failures += 1

        archive.disk.sync(lambda: archive.salvage(file))
