"""Files of the drive: their names and sizes, and how an upload gets into the storage."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from homeroom.base import scratch
from homeroom.base.file_names import cut_name
from homeroom.base.scratch import Scratch, ScratchFile
from homeroom.domain.files import choose_name, file_path, format_size
from homeroom.store.local_storage import LocalStorage, scratch_folder

KEY = "ab" * 16
NAME = file_path(KEY)
LARGE = b"x" * (scratch.MAX_MEMORY_BYTES + 1)


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (1, "1KB"),
        (1024, "1KB"),
        (1025, "2KB"),
        (1023 * 1024, "1023KB"),
        (1023 * 1024 + 1, "1MB"),
        (1024 * 1024, "1MB"),
        (1024 * 1024 + 1, "2MB"),
        (524_288_000, "500MB"),
    ],
)
def test_a_size_is_rounded_up(size: int, text: str) -> None:
    assert format_size(size) == text


@pytest.mark.parametrize(
    ("name", "cut"),
    [
        ("plan.pdf", "plan.pdf"),
        ("x" * 128, "x" * 128),
        ("x" * 200 + ".pdf", "x" * 124 + ".pdf"),
        ("x" * 200 + ".tar.gz", "x" * 125 + ".gz"),
        ("x." + "y" * 200, "x." + "y" * 126),
        ("." + "y" * 200, "." + "y" * 127),
    ],
)
def test_a_name_is_cut_before_its_extension(name: str, cut: str) -> None:
    assert cut_name(name) == cut


@pytest.mark.parametrize(
    ("name", "taken", "free"),
    [
        ("plan.pdf", {"plan.pdf"}, "plan (2).pdf"),
        ("plan.pdf", {"plan.pdf", "plan (2).pdf", "plan (4).pdf"}, "plan (3).pdf"),
        ("plan", {"plan"}, "plan (2)"),
        ("x" * 128, {"x" * 128}, "x" * 124 + " (2)"),
    ],
)
def test_a_name_in_use_gets_the_next_free_number(name: str, taken: set[str], free: str) -> None:
    assert choose_name(name, taken) == free


@pytest.fixture
def disk(tmp_path: Path) -> Scratch:
    """Give a scratch folder on the disk of the storage."""
    return Scratch(tmp_path / "scratch")


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[LocalStorage]:
    """Give a storage that has one other file."""
    files = LocalStorage(tmp_path)
    yield files
    assert list(scratch_folder(tmp_path, "files").iterdir()) == []


def write(disk: Scratch, content: bytes, max_bytes: int | None = None) -> ScratchFile:
    """Write a file in two pieces."""
    file = disk.create(is_proven=True, max_bytes=max_bytes)
    half = len(content) // 2
    file.write(content[:half])
    file.write(content[half:])
    return file


@pytest.mark.parametrize("content", [b"small", LARGE])
def test_an_upload_is_stored_and_outlives_its_scratch_file(
    disk: Scratch, storage: LocalStorage, content: bytes
) -> None:
    file = write(disk, content)
    file.file.seek(0)
    assert storage.put(NAME, file.file) == len(content)
    file.close()
    with storage.open(NAME).content as stored:
        assert stored.read() == content
    assert file.sha256 == hashlib.sha256(content).hexdigest()
    assert disk.used_bytes == 0
    assert list(storage.list_names("files")) == [NAME]


def test_a_large_upload_is_linked_and_not_copied(disk: Scratch, storage: LocalStorage) -> None:
    file = write(disk, LARGE)
    file.file.seek(0)
    storage.put(NAME, file.file)
    file.file.write(b"y")
    file.close()
    with storage.open(NAME).content as stored:
        assert stored.read(1) == b"y", "they are one file"
    assert storage.locate(NAME).stat().st_mode & 0o777 == 0o600


def test_an_upload_from_a_disk_without_nameless_files_is_copied(
    disk: Scratch, storage: LocalStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = os.open

    def open_named(path: str, flags: int, mode: int = 0o777) -> int:
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            raise IsADirectoryError(path)
        return usual(path, flags, mode)

    monkeypatch.setattr(os, "open", open_named)
    file = write(disk, LARGE)
    file.file.seek(0)
    assert storage.put(NAME, file.file) == len(LARGE)
    file.close()
    assert storage.size(NAME) == len(LARGE)


def test_of_a_file_that_is_too_large_the_size_is_counted_and_the_content_dropped(
    disk: Scratch,
) -> None:
    file = write(disk, LARGE, max_bytes=len(LARGE) - 1)
    assert (file.size, file.is_too_large) == (len(LARGE), True)
    assert disk.used_bytes == 0
    file.write(LARGE)
    assert (file.size, disk.used_bytes) == (2 * len(LARGE), 0)
    file.close()


def test_what_a_put_that_was_cut_off_has_left_goes_with_its_file(
    tmp_path: Path, storage: LocalStorage
) -> None:
    left = scratch_folder(tmp_path, "files") / f"{KEY}.01234567.partial"
    other = left.with_name("other.01234567.partial")
    left.parent.mkdir(parents=True)
    left.touch()
    other.touch()
    assert list(storage.list_names("files")) == []
    storage.erase(NAME)
    assert not left.exists()
    other.unlink()
