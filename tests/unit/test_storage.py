"""The storage of clips: files are taken in whole, once, and from nowhere else."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from homeroom.store.files import LocalStorage

PATH = "clips/ab/film.mp4"


@pytest.fixture(params=["the same disk", "another disk"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """Give a recording of the engine's, on the disk of the clips or on another."""
    folder = tmp_path
    if request.param == "another disk":
        folder = Path("/dev/shm") / f"homeroom-{os.getpid()}"  # noqa: S108  a disk is all we need of it
        if not folder.parent.is_dir() or os.stat("/dev/shm").st_dev == tmp_path.stat().st_dev:  # noqa: PTH116, S108  /dev/shm is another file system on Linux
            pytest.skip("there is no other disk")
        folder.mkdir(exist_ok=True)
    source = folder / "recording.mp4"
    source.write_bytes(b"a recording")
    yield source
    source.unlink(missing_ok=True)


@pytest.fixture
def files(tmp_path: Path) -> LocalStorage:
    return LocalStorage(tmp_path / "data")


def everything(files: LocalStorage) -> set[str]:
    return {
        str(file.relative_to(files.folder)) for file in files.folder.rglob("*") if file.is_file()
    }


def test_a_file_is_taken_in_and_its_source_is_gone(files: LocalStorage, source: Path) -> None:
    assert files.adopt(source, PATH) == len(b"a recording")

    assert files.local(PATH).read_bytes() == b"a recording"
    assert not source.exists()
    assert everything(files) == {PATH}


def test_taking_in_again_what_was_taken_in_changes_nothing(
    files: LocalStorage, source: Path
) -> None:
    files.adopt(source, PATH)

    assert files.adopt(source, PATH) == len(b"a recording")
    assert files.local(PATH).read_bytes() == b"a recording"


def test_a_file_takes_the_place_of_another_for_who_opens_it_later(
    files: LocalStorage, source: Path, tmp_path: Path
) -> None:
    files.adopt(source, PATH)
    newer = tmp_path / "newer.mp4"
    newer.write_bytes(b"a flat recording")

    with files.local(PATH).open("rb") as reader:
        files.adopt(newer, PATH)
        assert reader.read() == b"a recording"
    assert files.local(PATH).read_bytes() == b"a flat recording"


def test_what_is_nowhere_cannot_be_taken_in(files: LocalStorage, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        files.adopt(tmp_path / "none.mp4", PATH)


def test_a_file_is_erased_and_one_that_is_gone_is_fine(files: LocalStorage, source: Path) -> None:
    files.adopt(source, PATH)

    files.erase(PATH)
    files.erase(PATH)

    assert everything(files) == set()


@pytest.mark.parametrize("path", ["../film.mp4", "clips/../../film.mp4", "/etc/passwd"])
def test_no_path_leads_out_of_the_folder(files: LocalStorage, source: Path, path: str) -> None:
    for touch in (files.local, files.erase, lambda one: files.adopt(source, one)):
        with pytest.raises(ValueError, match="is not in the data folder"):
            touch(path)
    assert source.exists()
