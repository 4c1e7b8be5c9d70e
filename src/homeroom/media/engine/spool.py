"""The spool: reports to the API, kept on disk until the API confirms them."""

import asyncio
import logging
import os
import re
from itertools import count
from pathlib import Path
from typing import Any

import msgspec

from homeroom.base.clock import SystemClock
from homeroom.base.keys import KeyGenerator
from homeroom.media.engine.hooks_client import HooksClient
from homeroom.media.engine.http_client import NoResponseError

log = logging.getLogger("homeroom.media.spool")

RETRY_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0)
"""Seconds between two attempts (backoff)."""
UNREADABLE = ".unreadable"
"""Suffix of files that were set aside for an operator."""
_OWN = re.compile(r"[0-9a-f]{32}|[0-9]{11}-[0-9]{6}-[0-9a-f]{8}")
"""Names of recordings and reports."""
MAX_REPORT_BYTES = 100_000
"""Maximum size of a report."""
PARTIAL = ".partial"
"""Suffix of unfinished files."""


def prepare_folder(folder: Path) -> None:
    """Create a folder for small files, and remove unfinished ones after a crash."""
    folder.mkdir(parents=True, exist_ok=True)
    for partial in folder.glob(f"*{PARTIAL}"):
        if is_own(partial):
            partial.unlink(missing_ok=True)


def is_own(path: Path) -> bool:
    """Return whether a file has one of our names; an operator may keep other files there."""
    return _OWN.fullmatch(path.stem) is not None


def write_file(path: Path, content: dict[str, Any], *, durable: bool = True) -> None:
    """Write a small file atomically, with an fsync if `durable`; raises `OSError`."""
    partial = path.with_suffix(PARTIAL)
    try:
        with partial.open("wb") as file:
            file.write(msgspec.json.encode(content))
            file.flush()
            if durable:
                os.fsync(file.fileno())
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise
    if durable:
        sync_path(path.parent)


def read_file(path: Path) -> dict[str, Any] | None:
    """Return the JSON object in a small file, or None if it is invalid; raises `OSError`."""
    with path.open("rb") as file:
        content = file.read(MAX_REPORT_BYTES)
    try:
        return msgspec.json.decode(content, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def sync_path(path: Path) -> None:
    """Sync a file, or the names in a folder; raises `OSError`."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Spool:
    """The folder of reports, and their delivery (an outbox of files)."""

    def __init__(self, folder: Path, hooks: HooksClient, recordings: Path) -> None:
        self._folder = folder
        self._hooks = hooks
        self._recordings = recordings
        self._numbers = count(1)
        self._clock = SystemClock()
        self._loop = asyncio.get_running_loop()
        self._has_reports = asyncio.Event()
        self.count = 0
        """Number of undelivered reports at the last look."""
        prepare_folder(folder)

    def add(self, report: dict[str, Any]) -> None:
        """Store a report durably; blocks for the disk, raises `OSError`."""
        suffix = KeyGenerator().file_id()[:8]
        name = f"{self._clock.now():011d}-{next(self._numbers):06d}-{suffix}.json"
        write_file(self._folder / name, report)
        self._loop.call_soon_threadsafe(self._notify)

    async def deliver(self) -> None:
        """Deliver reports until cancelled; retries refused ones later."""
        failures = 0
        while True:
            self._has_reports.clear()
            try:
                done = await self.deliver_all()
            except Exception:
                log.exception("report_delivery_failed")
                done = False
            failures = 0 if done else failures + 1
            wait = None if done else RETRY_SECONDS[min(failures, len(RETRY_SECONDS)) - 1]
            try:
                async with asyncio.timeout(wait):
                    await self._has_reports.wait()
            except TimeoutError:
                continue

    async def deliver_all(self) -> bool:
        """Try to deliver each report once; returns whether none is left."""
        paths = await asyncio.to_thread(lambda: sorted(self._folder.glob("*.json")))
        self.count = len(paths)
        for path in paths:
            try:
                is_over = await self._deliver(path)
            except NoResponseError:
                return False
            self.count -= is_over
        return self.count == 0

    def _notify(self) -> None:
        self.count += 1
        self._has_reports.set()

    async def _deliver(self, path: Path) -> bool:
        """Deliver a report and return whether it is finished; raises `NoResponseError`."""
        try:
            report = await asyncio.to_thread(read_file, path)
        except OSError as failure:
            log.warning("report_unreadable", extra={"why": str(failure)})
            return False
        if report is None:
            log.error("report_set_aside", extra={"file": path.name})
            await asyncio.to_thread(path.rename, path.with_suffix(UNREADABLE))
            return True
        if await self._hooks.report(self._with_location(report)):
            await asyncio.to_thread(path.unlink, missing_ok=True)
            return True
        log.error(
            "report_refused",
            extra={"file": path.name, "action": report.get("action")},
        )
        return False

    def _with_location(self, report: dict[str, Any]) -> dict[str, Any]:
        """Return a report with the present path of its recording: data folders can move."""
        if "file" not in report:
            return report
        file = self._recordings / Path(str(report["file"])).name
        return report | {"cwd": str(self._recordings), "file": str(file)}
