"""Keys of a running server: stolen, wrong and rotated (case S1)."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from homeroom.base.clock import SystemClock
from homeroom.domain.server_keys import KeyRotation
from tests.support.operator import run_json
from tests.support.process import CommandFailed, Process, run, typed
from tests.support.wire import Partner

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """Run a demo school."""
    env = {
        "HOMEROOM_MEDIA": "external",
        "HOMEROOM_RTMP_URL": "rtmp://127.0.0.1",
        "HOMEROOM_MEDIA_URL": "http://127.0.0.1",
    }
    running = Process("--demo", data=tmp_path_factory.mktemp("keys") / "data", env=env)
    yield running
    running.stop()


def call(server: Process) -> int:
    """Make a signed call and return its errno."""
    partner = Partner(server.url, server.sid, server.secret, SystemClock())
    try:
        return partner.call("addCourse", courseName="A course").errno
    finally:
        partner.close()


def test_a_server_on_a_stolen_database_does_not_start(server: Process, tmp_path: Path) -> None:
    for file in server.data.glob("homeroom.db*"):
        shutil.copy(file, tmp_path)
    place = ["--data", str(tmp_path)]

    refused = run("serve", "--port", "0", "--media", "none", *place)

    assert (refused.returncode, refused.stdout) == (1, "")
    (line,) = refused.stderr.splitlines()
    assert "homeroom.key is missing, and the secrets in the database are encrypted" in line
    with pytest.raises(CommandFailed, match=r"homeroom\.key is missing"):
        typed("sign", "--sid", str(server.sid), *place)
    with pytest.raises(CommandFailed, match=r"fail  key file .*homeroom\.key is missing"):
        typed("doctor", *place)
    stolen = b"".join(path.read_bytes() for path in server.data.glob("homeroom.db*"))
    assert server.secret.encode() not in stolen


def test_a_rotated_master_key_is_no_matter_to_a_running_server(server: Process) -> None:
    former = run_json(server, "key", "show")
    assert call(server) == 1

    rotated = run_json(server, "key", "rotate")

    assert (rotated["key"], rotated["rotated"]) == ("master", True)
    assert run_json(server, "key", "show")["id"] != former["id"]
    time.sleep(0.06)  # the authenticator's cache expires
    assert call(server) == 1
    assert typed("sign", "--sid", str(server.sid), *server.where).startswith("SID=")
    assert "UnreadableSecret" not in server.log


@pytest.mark.parametrize("name", [name for name in KeyRotation if name is not KeyRotation.MASTER])
def test_a_key_of_the_server_is_rotated(server: Process, name: KeyRotation) -> None:
    def keys() -> tuple[str, str, str]:
        pull = run_json(server, "media", "keys")["pull_key"]
        hooks = run_json(server, "media", "hooks")["hooks_url"]
        stream = run_json(server, "stream", "1")
        return pull, hooks, f"{stream['teach_url']} {stream['rtmp_url']}"

    before = keys()

    rotated = run_json(server, "key", "rotate", name.value)

    pull, hooks, addresses = (new != old for new, old in zip(keys(), before, strict=True))
    assert rotated["invalid"]
    assert pull is (name is KeyRotation.PULL)
    assert hooks is (name is KeyRotation.HOOKS)
    assert addresses is (name in (KeyRotation.PULL, KeyRotation.PUSH))
