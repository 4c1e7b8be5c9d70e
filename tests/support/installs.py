"""Programs that tests install from an index, once for all runs: a later run finds them there."""

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

CACHE: Final = Path(
    os.environ.get("HOMEROOM_TEST_CACHE") or Path(__file__).parents[2] / ".cache" / "clients"
)
UV: Final = Path(sys.executable).with_name("uv")
INSTALL_SECONDS: Final = 600


@contextmanager
def installed(name: str) -> Iterator[tuple[Path, bool]]:
    """Give the folder of a program, and tell whether the block is to install it there."""
    home = CACHE / name
    home.mkdir(parents=True, exist_ok=True)
    (CACHE / ".gitignore").write_text("*\n")
    with (CACHE / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # Parallel workers would install it twice.
        is_missing = not (home / "ready").exists()
        yield home, is_missing
        if is_missing:
            (home / "ready").touch()


def install(name: str, home: Path, *command: object) -> None:
    """Run what installs a program, or skip the test and say why."""
    done = subprocess.run(
        list(map(str, command)),
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
        timeout=INSTALL_SECONDS,
    )
    if done.returncode:
        pytest.skip(f"cannot install {name}: {done.stderr[-500:]}")


def install_python(name: str, home: Path, *packages: object) -> None:
    """Make a virtual environment with some packages."""
    environment = ("venv", "--quiet", "--clear", "--no-project", "--python", sys.executable, home)
    install(name, home, UV, *environment)
    python = home / "bin" / "python"
    install(name, home, UV, "pip", "install", "--quiet", "--python", python, *packages)
