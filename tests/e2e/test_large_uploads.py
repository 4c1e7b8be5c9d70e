"""Files of the cloud drive at a server process: memory, content, and what a kill leaves."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from homeroom.contract.files import MAX_FILE_BYTES
from tests.support.engine import until
from tests.support.process import Process
from tests.support.school import School, serving_school
from tests.support.streamed import (
    begin,
    chunks,
    hash_of,
    hash_of_download,
    list_files,
    peak_memory,
    upload,
)

pytestmark = pytest.mark.e2e
MEGABYTE: Final = 1_000_000
MAX_GROWTH: Final = 20 * MEGABYTE


@pytest.fixture
def school(tmp_path: Path) -> Iterator[School]:
    with serving_school(tmp_path / "data") as school:
        yield school


def check_upload(school: School, size: int) -> None:
    """Upload a file; it must arrive as it was sent, and take no memory."""
    assert upload(school, MEGABYTE).errno == 1  # loads what an upload needs
    before = peak_memory(school.server)
    reply = upload(school, size)
    growth = peak_memory(school.server) - before
    assert reply.errno == 1, reply.reason
    (row,) = (row for row in school.listed("files") if row["fileId"] == int(reply.data))
    expected = hash_of(size)
    assert (row["size"], row["sha256"]) == (size, expected)
    assert hash_of_download(row["url"]) == expected
    assert growth < MAX_GROWTH
    print(f"{size} bytes: memory grew by {growth / MEGABYTE:.1f} MB")  # noqa: T201  the person who runs the soak reads it


def test_60_megabytes_take_no_memory(school: School) -> None:
    check_upload(school, 60 * MEGABYTE)


@pytest.mark.soak
def test_500_megabytes_take_no_memory_and_one_byte_more_is_too_large(school: School) -> None:
    check_upload(school, MAX_FILE_BYTES)
    reply = upload(school, MAX_FILE_BYTES + 1)
    assert (reply.status, reply.errno) == (200, 211)
    assert len(list_files(school.server)) == 2


def test_a_server_that_is_killed_in_an_upload_has_nothing_of_it(school: School) -> None:
    assert upload(school, MEGABYTE).errno == 1
    kept = list_files(school.server)
    peer, _ = begin(school, 60 * MEGABYTE)
    with peer:
        for chunk in chunks(20 * MEGABYTE):
            peer.sendall(chunk)
        until(lambda: scratch_bytes(school.server) >= 10 * MEGABYTE)
        school.server.kill()
    assert list_files(school.server) == kept
    again = Process("--sandbox", data=school.server.data)
    try:
        again.wait_until_ready()
        assert list_files(again) == kept
        results = {row["check"]: row["state"] for row in json.loads(again.cli("doctor", "--json"))}
        assert results["drive files"] == "ok"
        assert "stray files" not in results
    finally:
        again.stop()


def scratch_bytes(server: Process) -> int:
    """Return the bytes of the files without a name that a server has open."""
    scratch = str((server.data / "scratch").resolve())
    descriptors = Path(f"/proc/{server.process.pid}/fd").iterdir()
    return sum(
        link.stat().st_size for link in descriptors if str(link.readlink()).startswith(scratch)
    )
