"""The storage of clips: files are stored whole, read in ranges, and in no other folder."""

import hashlib
import io
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest

from homeroom.domain.refusal import OperatorError
from homeroom.store.local_storage import LocalStorage
from homeroom.store.storage import Storage, StoredFile, import_clip
from homeroom.web.ranges import (
    MalformedRangeError,
    UnsatisfiableRangeError,
    parse_ranges,
)

NAME = "clips/ab/film.mp4"
CONTENT = b"a recording"


class MemoryStorage:
    """A storage without a disk, as an object store is one."""

    id = "memory"

    def __init__(self) -> None:
        self._files: dict[str, bytes] = {}

    def put(self, name: str, content: BinaryIO) -> int:
        self._files[name] = content.read()
        return len(self._files[name])

    def open(self, name: str) -> StoredFile:
        if name not in self._files:
            raise FileNotFoundError(name)
        content = self._files[name]
        return StoredFile(io.BytesIO(content), len(content), 0.0)

    def size(self, name: str) -> int | None:
        content = self._files.get(name)
        return None if content is None else len(content)

    def list_names(self, folder: str) -> Iterator[str]:
        return (name for name in self._files if name.startswith(f"{folder}/"))

    def erase(self, name: str) -> None:
        self._files.pop(name, None)


@pytest.fixture(params=["the same disk", "another disk"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """Give a recording of the engine's, on the disk of the clips or on another."""
    folder = tmp_path
    if request.param == "another disk":
        folder = Path("/dev/shm") / f"homeroom-{os.getpid()}"  # noqa: S108  a disk is all we need of it
        if not folder.parent.is_dir() or os.stat("/dev/shm").st_dev == tmp_path.stat().st_dev:  # noqa: PTH116, S108  a disk
            pytest.skip("there is no other disk")
        folder.mkdir(exist_ok=True)
    source = folder / "recording.mp4"
    source.write_bytes(CONTENT)
    yield source
    source.unlink(missing_ok=True)


@pytest.fixture
def local(tmp_path: Path) -> LocalStorage:
    return LocalStorage(tmp_path / "data")


@pytest.fixture(params=["local", "memory"])
def storage(request: pytest.FixtureRequest, local: LocalStorage) -> Storage:
    return local if request.param == "local" else MemoryStorage()


def put(storage: Storage, source: Path) -> int:
    with source.open("rb") as content:
        return storage.put(NAME, content)


def read(storage: Storage) -> bytes:
    with storage.open(NAME).content as content:
        return content.read()


def test_a_file_is_stored_and_read(storage: Storage, source: Path) -> None:
    assert put(storage, source) == len(CONTENT)
    assert put(storage, source) == len(CONTENT)

    assert read(storage) == CONTENT
    assert storage.size(NAME) == len(CONTENT)
    assert list(storage.list_names("clips")) == [NAME]
    with storage.open(NAME).content as content:
        content.seek(2)
        assert content.read(3) == CONTENT[2:5]


def test_nothing_is_left_beside_a_stored_file(local: LocalStorage, source: Path) -> None:
    put(local, source)
    put(local, source)

    files = [path for path in local.folder.rglob("*") if path.is_file()]
    assert files == [local.locate(NAME)]


def test_a_stored_file_is_private_whatever_its_source_is(local: LocalStorage, source: Path) -> None:
    """Case S1: a media server of another make creates files that all users may read."""
    source.chmod(0o644)

    put(local, source)

    assert stat.S_IMODE(local.locate(NAME).stat().st_mode) == 0o600


def test_a_stored_file_stays_when_its_source_is_removed(storage: Storage, source: Path) -> None:
    put(storage, source)
    source.unlink()
    assert read(storage) == CONTENT


def test_a_file_replaces_another_for_those_who_open_it_later(
    storage: Storage, source: Path
) -> None:
    put(storage, source)
    with storage.open(NAME).content as reader:
        storage.put(NAME, io.BytesIO(b"a flat recording"))
        assert reader.read() == CONTENT
    assert read(storage) == b"a flat recording"


def test_a_file_that_does_not_exist_cannot_be_opened(storage: Storage) -> None:
    assert storage.size(NAME) is None
    with pytest.raises(FileNotFoundError):
        storage.open(NAME)


def test_a_file_is_erased_and_one_that_is_gone_is_fine(storage: Storage, source: Path) -> None:
    put(storage, source)

    storage.erase(NAME)
    storage.erase(NAME)

    assert storage.size(NAME) is None
    assert list(storage.list_names("clips")) == []


def test_a_recording_that_is_added_is_copied(storage: Storage, source: Path) -> None:
    clip = import_clip(storage, source, "f" * 32, 1_900_000_000)
    with source.open("r+b") as file:
        file.write(b"A RECORDING")

    assert (clip.size, clip.sha256) == (len(CONTENT), hashlib.sha256(CONTENT).hexdigest())
    with storage.open(clip.path).content as content:
        assert content.read() == CONTENT


def test_an_empty_recording_is_not_added(storage: Storage, source: Path) -> None:
    source.write_bytes(b"")
    with pytest.raises(OperatorError, match="is empty"):
        import_clip(storage, source, "f" * 32, 1_900_000_000)
    assert list(storage.list_names("clips")) == []


@pytest.mark.parametrize("name", ["../film.mp4", "clips/../../film.mp4", "/etc/passwd"])
def test_no_name_leads_out_of_the_folder(local: LocalStorage, name: str) -> None:
    for touch in (local.open, local.erase, local.size):
        with pytest.raises(ValueError, match="is not in the data folder"):
            touch(name)
    with pytest.raises(ValueError, match="is not in the data folder"):
        local.put(name, io.BytesIO(b""))


@pytest.mark.parametrize(
    ("header", "spans"),
    [
        (None, []),
        ("bytes=0-0", [(0, 1)]),
        ("bytes=10-", [(10, 100)]),
        ("bytes=-7", [(93, 100)]),
        ("bytes=-700", [(0, 100)]),
        ("bytes=90-900", [(90, 100)]),
        ("Bytes = 0-1, 50-59", [(0, 2), (50, 60)]),
        ("bytes=50-59,0-9,5-20", [(0, 21), (50, 60)]),
        ("bytes=x-y,1-1", [(1, 2)]),
        ("bytes=" + "0-0," * 100 + "1-1", []),
    ],
)
def test_ranges_are_parsed(header: str | None, spans: list[tuple[int, int]]) -> None:
    assert parse_ranges(header, 100) == spans


@pytest.mark.parametrize("header", ["lines=0-1", "bytes", "bytes=", "bytes=a-b", "bytes=9-1"])
def test_malformed_ranges_are_refused(header: str) -> None:
    with pytest.raises(MalformedRangeError):
        parse_ranges(header, 100)


def test_a_range_after_the_end_is_refused() -> None:
    with pytest.raises(UnsatisfiableRangeError):
        parse_ranges("bytes=100-", 100)
