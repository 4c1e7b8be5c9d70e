"""The published package: what the wheel holds, and that its lowest versions import and serve."""

import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import metadata
from pathlib import Path
from typing import Final

import pytest

from homeroom.base.clock import SystemClock
from tests.support.process import Process
from tests.support.wire import Partner

ROOT: Final = Path(__file__).parents[2]
PACKAGE: Final = ROOT / "src" / "homeroom"
UV: Final = Path(sys.executable).with_name("uv")
OLDEST: Final = (3, 11)
# A program for the new interpreter: it imports each module that is not a program itself.
IMPORT_ALL: Final = """
import importlib, pkgutil, homeroom
# Programs, and what only pytest imports.
programs = ("__main__", "homeroom.store.migrations.env", "homeroom.pytest_plugin")
modules = [module.name for module in pkgutil.walk_packages(homeroom.__path__, "homeroom.")]
for name in modules:
    if not name.endswith(programs):
        importlib.import_module(name)
print(len(modules))
"""

pytestmark = pytest.mark.packaging


@dataclass(frozen=True)
class Interpreter:
    """A Python of this machine."""

    version: tuple[int, int]
    path: str

    def __str__(self) -> str:
        return "python{}.{}".format(*self.version)


def supported() -> list[tuple[int, int]]:
    """Return the versions of Python that the package claims to run on."""
    versions = (
        re.search(r":: (\d+)\.(\d+)$", text)
        for text in metadata("homeroom").get_all("Classifier") or []
    )
    return sorted((int(match[1]), int(match[2])) for match in versions if match)


def interpreters() -> Iterator[Interpreter]:
    """Return the oldest Python that we support, and the newest that this machine has.

    A machine that has Python 3.11 only runs these tests once: there is nothing newer to try.
    """
    installed: dict[tuple[int, int], str] = {sys.version_info[:2]: sys.executable}
    places = (*Path("/usr/bin").glob("python3.*"), *Path("/usr/local/bin").glob("python3.*"))
    places += tuple(Path.home().glob(".pyenv/versions/*/bin/python3.*"))
    for path in sorted(places):
        if match := re.fullmatch(r"python(3)\.(\d+)", path.name):
            installed.setdefault((int(match[1]), int(match[2])), str(path))
    usable = [version for version in supported() if version in installed]
    for version in dict.fromkeys((usable[0], usable[-1])):
        yield Interpreter(version, installed[version])


def uv(*arguments: str | Path) -> str:
    """Run uv and return what it prints; a failure shows what it complains of."""
    done = subprocess.run([UV, *arguments], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel with the build tools of the lock, which need no network."""
    folder = tmp_path_factory.mktemp("dist")
    uv("build", "--quiet", "--wheel", "--no-build-isolation", "--out-dir", folder)
    (wheel,) = folder.glob("*.whl")
    return wheel


def test_the_wheel_holds_every_file_of_the_package(wheel: Path) -> None:
    expected = {
        path.relative_to(PACKAGE.parent).as_posix()
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    packed = set(zipfile.ZipFile(wheel).namelist())
    assert expected <= packed
    assert {name for name in packed - expected if ".dist-info/" not in name} == set()


@pytest.mark.parametrize("python", list(interpreters()), ids=str)
def test_the_lowest_versions_import_and_serve(
    wheel: Path, python: Interpreter, tmp_path: Path
) -> None:
    venv = tmp_path / "venv"
    uv("venv", "--quiet", "--no-project", "--python", python.path, venv)
    own = venv / "bin" / "python"
    lowest = ("--resolution", "lowest-direct", "--only-binary", ":all:")
    direct = ("--requirements", ROOT / "pyproject.toml", "--extra", "browser", "--extra", "testing")
    uv("pip", "install", "--quiet", "--python", own, *lowest, *direct, f"homeroom @ {wheel}")
    done = subprocess.run(
        [own, "-I", "-c", IMPORT_ALL], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 100

    command = (str(own), "-I", "-m", "homeroom.cli")
    server = Process("--demo", data=tmp_path / "data", command=command)
    try:
        partner = Partner(server.url, server.sid, server.secret, SystemClock())
        reply = partner.call("addCourse", courseName="From a wheel")
        assert reply.errno == 1, reply.body
        partner.close()
    finally:
        server.stop()
