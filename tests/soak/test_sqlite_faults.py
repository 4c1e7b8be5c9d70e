"""SQLite on a disk that is full or read-only, and locked by another program."""

import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

import pytest

from tests.soak.database_faults import FAULT_SECONDS, NO_ANSWER, TableRow, Traffic, endure
from tests.support.process import Process
from tests.support.small_disk import CannotMountError, filled, mounted_image, remount

pytestmark = [pytest.mark.soak, pytest.mark.e2e, pytest.mark.usefixtures("patience")]

MEGABYTES = 16
Report = Callable[[TableRow], None]
Fault = Callable[[Path, Path], AbstractContextManager[None]]


@contextmanager
def disk_full(disk: Path, _database: Path) -> Iterator[None]:
    with filled(disk):
        yield


@contextmanager
def folder_made_read_only(_disk: Path, database: Path) -> Iterator[None]:
    """Make the files immutable, which stops even a program that has opened them.

    Without the memory that SQLite shares, `homeroom.db-shm`: the kernel ends a process that writes
    to its pages once it is immutable.
    """
    files = [database.parent, database, database.with_suffix(".db-wal")]
    change_attributes("+i", files)
    try:
        yield
    finally:
        change_attributes("-i", files)


def change_attributes(change: str, files: list[Path]) -> None:
    subprocess.run([shutil.which("chattr") or "", change, *files], check=True)


@contextmanager
def locked_by_another_program(_disk: Path, database: Path) -> Iterator[None]:
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


def read_names(database: Path) -> list[str]:
    with closing(sqlite3.connect(database)) as connection:
        return [row[0] for row in connection.execute("SELECT name FROM courses ORDER BY id")]


@pytest.mark.parametrize(
    "fault", [disk_full, folder_made_read_only, locked_by_another_program], ids=lambda f: f.__name__
)
def test_what_calls_and_probes_answer(tmp_path: Path, fault: Fault, report_row: Report) -> None:
    try:
        with mounted_image(tmp_path / "disk", MEGABYTES) as disk:
            measure(disk, fault, report_row)
    except CannotMountError as failure:
        pytest.skip(f"only root can mount a disk: {failure}")


def test_what_calls_answer_on_a_file_system_that_failed(tmp_path: Path) -> None:
    """After an error of the disk it is read-only until it is mounted again."""
    try:
        with mounted_image(tmp_path / "disk", MEGABYTES) as disk:
            server = Process("--demo", "--media", "none", data=disk / "data")
            try:
                with Traffic(server) as traffic:
                    traffic.wait_until_right(time.monotonic())
                    remount(disk, "abort")
                    failed_at = time.monotonic()
                    time.sleep(FAULT_SECONDS)
                calls = [call.text for call in traffic.calls if call.begin > failed_at]
                assert set(calls) == {"503 errno 114 the data folder cannot be written"}
                assert traffic.probes[-1].text == "503 the data folder cannot be written"
                assert traffic.acknowledged <= set(read_names(disk / "data" / "homeroom.db"))
                assert server.stop() == 0
            finally:
                server.kill()
    except CannotMountError as failure:
        pytest.skip(f"only root can mount a disk: {failure}")


def measure(disk: Path, fault: Fault, report_row: Report) -> None:
    database = disk / "data" / "homeroom.db"
    server = Process("--demo", "--media", "none", data=disk / "data")
    try:
        title = f"SQLite {fault.__name__.replace('_', ' ')}"
        outcome = endure(server, title, fault(disk, database), lambda: read_names(database), 15)
        report_row(outcome.row)
        assert not outcome.row.lost
        assert NO_ANSWER not in {call.text for call in outcome.calls}
        assert all(call.is_right or call.text.startswith("503 errno 114") for call in outcome.calls)
        assert any(not call.is_right for call in outcome.calls)
        assert server.stop() == 0
        assert "Traceback" not in server.log
    finally:
        server.kill()
