"""Files that only our own user can read: found wide, and narrowed."""

import os
import stat
from pathlib import Path

import pytest

from homeroom.base.private_files import WideModeError, find_wide, narrow, private_umask
from tests.support.elsewhere_user import other_user


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def make(path: Path, bits: int) -> Path:
    """Create a file or, for a name that ends in `_folder`, a folder with a mode."""
    if path.name.endswith("_folder"):
        path.mkdir()
    else:
        path.write_text("a telephone number")
    path.chmod(bits)
    return path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Create a folder of an earlier version: open, with open files at each level."""
    root = make(tmp_path / "data_folder", 0o777)
    make(root / "homeroom.db", 0o644)
    inner = make(root / "clips_folder", 0o755)
    make(inner / "film.mp4", 0o664)
    make(make(inner / "partial_folder", 0o750) / "lock", 0o604)
    return root


def test_each_open_file_and_folder_is_found(root: Path) -> None:
    names = {file.path.name: file.mode for file in find_wide(root)}

    assert names == {
        "data_folder": 0o777,
        "homeroom.db": 0o644,
        "clips_folder": 0o755,
        "film.mp4": 0o664,
        "partial_folder": 0o750,
        "lock": 0o604,
    }


def test_a_folder_is_narrowed_once(root: Path) -> None:
    assert narrow(root) == 6
    assert find_wide(root) == []
    assert narrow(root) == 0
    assert mode(root) == 0o700
    assert mode(root / "homeroom.db") == 0o600
    assert mode(root / "clips_folder" / "film.mp4") == 0o600


def test_the_files_of_a_closed_inner_folder_are_narrowed_if_wanted(root: Path) -> None:
    narrow(root)
    film = root / "clips_folder" / "film.mp4"
    film.chmod(0o644)

    assert narrow(root) == 0
    assert [file.path for file in find_wide(root)] == [film]
    assert narrow(root, has_all_files=True) == 1
    assert mode(film) == 0o600


def test_a_folder_that_was_moved_by_a_link_of_ours_is_narrowed(root: Path, tmp_path: Path) -> None:
    elsewhere = make(tmp_path / "big_folder", 0o755)
    film = make(elsewhere / "film.mp4", 0o644)
    (root / "recordings").symlink_to(elsewhere)

    narrow(root)

    assert (mode(elsewhere), mode(film)) == (0o700, 0o600)


def test_a_link_of_another_user_changes_nothing_elsewhere(root: Path, tmp_path: Path) -> None:
    user = other_user()
    elsewhere = make(tmp_path / "system_folder", 0o755)
    file = make(elsewhere / "passwd", 0o644)
    for name, target in (("a folder", elsewhere), ("a file", file)):
        (root / name).symlink_to(target)
        os.chown(root / name, user.pw_uid, user.pw_gid, follow_symlinks=False)

    narrow(root, has_all_files=True)

    assert (mode(elsewhere), mode(file)) == (0o755, 0o644)


def test_a_link_to_a_file_changes_nothing_elsewhere(root: Path, tmp_path: Path) -> None:
    file = make(tmp_path / "zone", 0o644)
    (root / "zone").symlink_to(file)

    narrow(root, has_all_files=True)

    assert mode(file) == 0o644


def test_links_that_lead_nowhere_are_no_matter(root: Path) -> None:
    (root / "circle").symlink_to(root / "circle")
    (root / "gone").symlink_to(root / "nothing")

    narrow(root)

    assert mode(root) == 0o700


def test_what_cannot_be_narrowed_is_refused_by_name(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As on FAT: the call succeeds and the mode stays.
    monkeypatch.setattr(os, "fchmod", lambda _file, _mode: None)

    with pytest.raises(WideModeError, match=r"data_folder \(0777\) .* file system ignores modes"):
        narrow(root)


def test_new_files_are_private_whatever_the_umask(tmp_path: Path) -> None:
    former = os.umask(0)
    try:
        with private_umask():
            (tmp_path / "file").touch()
            (tmp_path / "folder").mkdir()
        assert os.umask(0) == 0
    finally:
        os.umask(former)

    assert mode(tmp_path / "file") == 0o600
    assert mode(tmp_path / "folder") == 0o700
