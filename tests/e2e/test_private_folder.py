"""The data folder of real servers is closed to other users, whatever the umask (case S1)."""

import json
import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from tests.support.elsewhere_user import other_user, run_as_other_user
from tests.support.postgres import Postgres
from tests.support.process import COMMAND, DidNotStart, Process, run

pytestmark = pytest.mark.e2e

# The umask of the shell that starts the server.
OPEN: Final = (
    sys.executable,
    "-c",
    "import os, sys; os.umask(0); os.execv(sys.argv[1], sys.argv[1:])",
)


def modes(folder: Path) -> dict[str, int]:
    """Return the mode of each file and folder that is open to others."""
    return {
        str(path): stat.S_IMODE(path.stat().st_mode)
        for path in (folder, *folder.rglob("*"))
        if path.exists() and path.stat().st_mode & 0o077
    }


@contextmanager
def open_folder() -> Iterator[Path]:
    """Make a folder that other users can enter; each run of pytest closes its own again."""
    with tempfile.TemporaryDirectory(prefix="homeroom-open-") as name:
        place = Path(name)
        place.chmod(0o755)
        yield place


@pytest.fixture
def place() -> Iterator[Path]:
    """Give a folder that other users can enter."""
    with open_folder() as place:
        yield place


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Run a demo school, its engine and its recording under umask 000, in an open folder."""
    with open_folder() as place:
        server = Process("--demo", data=place / "data", command=(*OPEN, *COMMAND))
        try:
            server.wait_until_ready()
            yield place
        finally:
            server.stop()


def test_all_that_a_server_and_its_engine_write_is_private(folder: Path) -> None:
    data = folder / "data"

    assert modes(data) == {}
    names = {path.name for path in data.rglob("*")}
    assert {"homeroom.db", "homeroom.db-wal", "homeroom.lock", "engine.id", "recordings"} <= names
    assert list(data.glob("clips/*/*.mp4"))
    assert run("doctor", "--data", str(data)).returncode == 0


@pytest.mark.parametrize(
    "command",
    [
        "school show 1000001",
        "school create --name School",
        "sign --sid 1000001",
        "serve --port 0 --media none",
    ],
)
def test_another_user_is_refused_in_one_line(folder: Path, command: str) -> None:
    done = run_as_other_user(*command.split(), "--data", "data", cwd=folder)

    assert done.returncode == 1
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("homeroom: ")
    assert line.endswith(("Permission denied", "Permission denied: it belongs to user 0"))


def test_another_user_cannot_run_the_doctor(folder: Path) -> None:
    done = run_as_other_user("doctor", "--data", "data", cwd=folder)

    assert (done.returncode, done.stderr) == (1, "")
    (line,) = done.stdout.splitlines()
    assert line.startswith("fail  data folder  data is not writable: Permission denied")


def test_a_folder_of_an_earlier_version_is_narrowed_at_the_start(tmp_path: Path) -> None:
    data = tmp_path / "data"
    run("school", "create", "--name", "School", "--data", str(data))
    (data / "clips" / "ab").mkdir(parents=True)
    (data / "clips" / "ab" / "film.mp4").touch()
    for path in (data, *data.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    examined = run("doctor", "--json", "--data", str(data))
    checks = {check["check"]: check for check in json.loads(examined.stdout)}
    assert (examined.returncode, checks["modes"]["state"]) == (1, "fail")
    assert f"{data} (0755)" in checks["modes"]["said"]

    server = Process(data=data)
    try:
        assert modes(data) == {}
        (line,) = [line for line in server.log.splitlines() if "folder_narrowed" in line]
        assert json.loads(line)["folder"] == str(data)
    finally:
        server.stop()


def test_the_doctor_closes_what_is_open(tmp_path: Path) -> None:
    data = tmp_path / "data"
    run("school", "create", "--name", "School", "--data", str(data))
    (data / "pictures").mkdir(mode=0o700)
    (data / "pictures" / "face.png").touch()
    (data / "pictures" / "face.png").chmod(0o644)
    assert "face.png (0644)" in run("doctor", "--data", str(data)).stdout

    mended = run("doctor", "--fix", "--data", str(data))

    assert "1 open to other users of this machine" in mended.stdout
    assert (mended.returncode, modes(data)) == (0, {})
    assert run("doctor", "--data", str(data)).returncode == 0


def test_a_folder_that_only_its_owner_may_enter_is_no_matter(place: Path) -> None:
    """The root folder of a disk has a `lost+found` of the user root."""
    user = other_user()
    data = place / "data"
    (data / "lost+found").mkdir(mode=0o700, parents=True)
    os.chown(data, user.pw_uid, user.pw_gid)
    data.chmod(0o700)

    done = run_as_other_user("doctor", "--data", "data", cwd=place)

    assert "ok    modes" in done.stdout


def test_a_start_refuses_what_it_cannot_narrow(place: Path) -> None:
    user = other_user()
    data = place / "data"
    data.mkdir()
    data.chmod(0o777)

    done = run_as_other_user("serve", "--port", "0", "--media", "none", "--data", "data", cwd=place)

    assert user.pw_uid != data.stat().st_uid
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line == (
        "homeroom: data (0777) is open to other users and cannot be narrowed:"
        " Operation not permitted: it belongs to user 0"
    )


def test_the_folder_beside_a_postgresql_and_that_of_recordings_are_private(
    postgres: Postgres, tmp_path: Path
) -> None:
    data, recordings = tmp_path / "data", tmp_path / "recordings"
    for place in (data, recordings):
        place.mkdir()
        place.chmod(0o755)
    server = Process(
        data=data,
        database=postgres.fresh(),
        env={"HOMEROOM_MEDIA_FOLDER": str(recordings)},
        command=(*OPEN, *COMMAND),
    )
    try:
        server.wait_until_ready()
        assert modes(data) | modes(recordings) == {}
        assert server.log.count("folder_narrowed") == 2
    finally:
        server.stop()


def test_the_password_of_a_database_is_in_a_file_and_in_no_list(
    postgres: Postgres, tmp_path: Path
) -> None:
    """Case S9."""
    address = f"{postgres.fresh()}&password=hunter2"
    file = tmp_path / "database"
    file.write_text(address)
    file.chmod(0o644)

    with pytest.raises(DidNotStart, match="--database must have no password"):
        Process(data=tmp_path / "data", database=address)
    server = Process("--database-file", str(file), data=tmp_path / "data")
    try:
        shown = Path(f"/proc/{server.process.pid}/cmdline").read_bytes()
        assert b"hunter2" not in shown
        assert server.log.count("hunter2") == 0
        assert f"{file} with the address of the database is open to other users" in server.log
    finally:
        server.stop()
