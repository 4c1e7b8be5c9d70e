"""Reports to the API, kept on disk until it has taken them."""

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
"""Seconds between two tries."""
UNREADABLE = ".unreadable"
"""The ending of what was put aside for somebody to look at."""
_OWN = re.compile(r"[0-9a-f]{32}|[0-9]{11}-[0-9]{6}-[0-9a-f]{8}")
"""How recordings and reports are named."""
MAX_REPORT_BYTES = 100_000
"""Bytes of a report."""
PARTIAL = ".partial"
"""The ending of files in the making."""


def prepare_folder(folder: Path) -> None:
    """Make a folder for small files, and drop those that a crash left half written."""
    folder.mkdir(parents=True, exist_ok=True)
    for partial in folder.glob(f"*{PARTIAL}"):
        if is_own(partial):
            partial.unlink(missing_ok=True)


def is_own(path: Path) -> bool:
    """Tell whether a file is named as we name ours; an operator may keep others beside them."""
    return _OWN.fullmatch(path.stem) is not None


def write_file(path: Path, content: dict[str, Any], *, durable: bool = True) -> None:
    """Write a small file whole or not at all, if need be so that it lasts; raises `OSError`."""
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
    """Return what a small file holds, none where it holds no such thing; raises `OSError`."""
    with path.open("rb") as file:
        content = file.read(MAX_REPORT_BYTES)
    try:
        return msgspec.json.decode(content, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def sync_path(path: Path) -> None:
    """Make a file last, or the names in a folder; raises `OSError`."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Spool:
    """The folder of reports, and the one who delivers them."""

    def __init__(self, folder: Path, hooks: HooksClient, recordings: Path) -> None:
        self._folder = folder
        self._hooks = hooks
        self._recordings = recordings
        self._numbers = count(1)
        self._clock = SystemClock()
        self._loop = asyncio.get_running_loop()
        self._has_reports = asyncio.Event()
        self.count = 0
        """How many reports nobody has taken yet, as far as was looked."""
        prepare_folder(folder)

    def add(self, report: dict[str, Any]) -> None:
        """Keep a report; it lasts when this returns. Waits for the disk; raises `OSError`."""
        suffix = KeyGenerator().file_id()[:8]
        name = f"{self._clock.now():011d}-{next(self._numbers):06d}-{suffix}.json"
        write_file(self._folder / name, report)
        self._loop.call_soon_threadsafe(self._notify)

    async def deliver(self) -> None:
        """Deliver reports until cancelled; those that are refused are tried again later."""
        failures = 0
        while True:
            self._has_reports.clear()
            try:
                done = await self.deliver_all()
            except Exception:
                log.exception("a report could not be delivered; trying again")
                done = False
            failures = 0 if done else failures + 1
            wait = None if done else RETRY_SECONDS[min(failures, len(RETRY_SECONDS)) - 1]
            try:
                async with asyncio.timeout(wait):
                    await self._has_reports.wait()
            except TimeoutError:
                continue

    async def deliver_all(self) -> bool:
        """Deliver what is there, each once; tells whether nothing is left."""
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
        """Deliver a report; tells whether it is done with. Raises `Unanswered`."""
        try:
            report = await asyncio.to_thread(read_file, path)
        except OSError as failure:
            log.warning("a report cannot be read now", extra={"why": str(failure)})
            return False
        if report is None:
            log.error("a report cannot be read; it is put aside", extra={"file": path.name})
            await asyncio.to_thread(path.rename, path.with_suffix(UNREADABLE))
            return True
        if await self._hooks.report(self._with_location(report)):
            await asyncio.to_thread(path.unlink, missing_ok=True)
            return True
        log.error(
            "the API refuses a report; it is kept",
            extra={"file": path.name, "action": report.get("action")},
        )
        return False

    def _with_location(self, report: dict[str, Any]) -> dict[str, Any]:
        """Return a report with its recording where it is now: data folders are moved."""
        if "file" not in report:
            return report
        file = self._recordings / Path(str(report["file"])).name
        return report | {"cwd": str(self._recordings), "file": str(file)}
