"""Clients that generators make from the client profile: they type-check, and call actions.

All operations are generated and checked. The journeys call those of every shape: with files, lists,
entries, numbers and switches.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from PIL import Image

from homeroom.base.keys import md5_hex
from tests.support.installs import CACHE, install, install_python, installed
from tests.support.process import Process

pytestmark = [pytest.mark.e2e, pytest.mark.clients]

HERE: Final = Path(__file__).parent / "clients" / "generated"
TOOL_SECONDS: Final = 240
# A class begins in an hour and lasts half of one; more than 20 minutes before it can be changed.
UNTIL_BEGIN: Final = 3600
UNTIL_OVER: Final = 3 * 3600
AFTER_THE_CLASS: Final = {"updateClassLockStatus", "deleteClassVideo"}
"""These need a recording, which only the first of the two clients waits for."""
JOURNEY: Final = {
    *("register", "registerMultiple", "addSchoolStudent", "addTeacher", "stopUsingTeacher"),
    *("restartUsingTeacher", "addSchoolLabel", "updateSchoolLabel", "deleteSchoolLabel"),
    *("addCourseLabels", "addCourse", "editCourse", "endCourse", "addCourseClass"),
    *("editCourseClass", "delCourseClass", "addCourseStudent", "addCourseStudentMultiple"),
    *("delCourseStudentMultiple", "setClassVideoMultiple", "deleteClassVideo"),
    *("updateClassLockStatus", "getWebcastUrl", "getTopFolderId", "createFolder"),
    *("uploadFile", "getCloudList"),
}
"""The actions that the journeys call."""


def run(
    *command: object, cwd: Path, stdin: str = "", environment: dict[str, str] | None = None
) -> str:
    """Run a tool, and return what it prints; fails the test when it fails."""
    done = subprocess.run(
        list(map(str, command)),
        cwd=cwd,
        env=environment,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=TOOL_SECONDS,
    )
    assert done.returncode == 0, f"{command[0]}: {done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def name_of(program: str, lock_file: Path) -> str:
    """Name what a lock file pins, as it stands."""
    return f"{program}-{hashlib.sha256(lock_file.read_bytes()).hexdigest()[:12]}"


@pytest.fixture(scope="module")
def python_tools() -> Path:
    """Install openapi-python-client into an environment of its own, and return its programs."""
    lock_file = HERE / "requirements.txt"
    name = name_of("openapi-python-client", lock_file)
    with installed(name) as (home, is_missing):
        if is_missing:
            install_python(name, home, "--require-hashes", "--requirements", lock_file)
    return home / "bin"


@pytest.fixture(scope="module")
def node_tools() -> Path:
    """Install openapi-typescript and TypeScript, and return the folder of their programs."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip("there is no Node.js with npm here: scripts/machine.sh tests installs it")
    name = name_of("openapi-typescript", HERE / "package-lock.json")
    with installed(name) as (home, is_missing):
        if is_missing:
            for file in ("package.json", "package-lock.json"):
                shutil.copy(HERE / file, home)
            npm = ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
            install(name, home, *npm)
    return home / "node_modules" / ".bin"


@pytest.fixture(scope="module")
def profile(server: Process, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Save the client profile as the server has it."""
    path = tmp_path_factory.mktemp("profile") / "openapi-client.json"
    path.write_bytes(httpx.get(f"{server.url}/openapi-client.json", trust_env=False).content)
    return path


def now(server: Process) -> int:
    """Return the server's own time."""
    return int(httpx.get(f"{server.url}/sandbox/clock", trust_env=False).json()["now"])


def end_class(server: Process, lesson: int, folder: Path) -> None:
    """Move on until a class is over, and give it a recording."""
    server.advance(UNTIL_OVER)
    recording = folder / "lesson.mp4"
    recording.write_bytes(b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2" + bytes(4096))
    server.cli("clip", "add", str(lesson), str(recording), "--json")


def failed(steps: list[list[Any]]) -> list[list[Any]]:
    """Return the steps that were not answered with done."""
    return [step for step in steps if step[1] != 1]


def test_a_python_client_type_checks_and_calls_actions(
    server: Process, profile: Path, python_tools: Path, tmp_path: Path
) -> None:
    run(
        python_tools / "openapi-python-client",
        "generate",
        *("--path", profile, "--meta", "none", "--config", HERE / "generator.yml"),
        *("--output-path", tmp_path / "homeroom_client", "--fail-on-warning"),
        cwd=tmp_path,
    )
    shutil.copy(HERE / "journey.py", tmp_path)
    run(
        *(sys.executable, "-m", "mypy", "--strict", "--config-file", os.devnull),
        *("--python-executable", python_tools / "python"),
        *("--cache-dir", CACHE / "mypy", "journey.py", "homeroom_client"),
        cwd=tmp_path,
    )

    picture = tmp_path / "face.png"
    Image.new("RGB", (300, 300), "teal").save(picture)
    facts = {
        "url": server.url,
        "sid": server.sid,
        "secret": server.secret,
        "begin": now(server) + UNTIL_BEGIN,
        "picture": str(picture),
        "lesson": None,
    }
    environment = {"PATH": os.defpath, "PYTHONPATH": str(tmp_path), "NO_PROXY": "*"}

    def journey(**changes: object) -> list[list[Any]]:
        return list(
            json.loads(
                run(
                    *(python_tools / "python", "journey.py"),
                    cwd=tmp_path,
                    environment=environment,
                    stdin=json.dumps({**facts, **changes}),
                )
            )
        )

    steps = journey()
    lesson = next(data for action, _, data in steps if action == "addCourseClass")
    end_class(server, lesson, tmp_path)
    steps += journey(lesson=lesson)

    assert failed(steps) == []
    assert {action for action, _, _ in steps} == JOURNEY


def test_a_typescript_client_type_checks_and_calls_actions(
    server: Process, profile: Path, node_tools: Path, tmp_path: Path
) -> None:
    for name in ("journey.ts", "tsconfig.json"):
        shutil.copy(HERE / name, tmp_path)
    run(node_tools / "openapi-typescript", profile, "-o", "schema.d.ts", cwd=tmp_path)
    run(node_tools / "tsc", cwd=tmp_path)

    compiled = tmp_path / "compiled" / "journey.mjs"
    compiled.with_suffix(".js").rename(compiled)
    moment = now(server)
    facts = {
        "url": server.url,
        "SID": server.sid,
        "safeKey": md5_hex(f"{server.secret}{moment}"),
        "timeStamp": moment,
        "begin": moment + UNTIL_BEGIN,
    }
    steps = json.loads(run("node", compiled, json.dumps(facts), cwd=tmp_path))

    assert {action for action, _ in failed(steps)} <= AFTER_THE_CLASS
    assert {action for action, _ in steps} == JOURNEY
