"""The commits that are measured: the one that is checked out, and an earlier one beside it."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Version:
    """A commit of this project, run by this interpreter with the packages installed here."""

    name: str
    source: Path

    def command(self, *arguments: str) -> list[str]:
        """Return the words of a command of `homeroom`."""
        return [sys.executable, "-m", "homeroom.cli", *arguments]

    def environment(self) -> dict[str, str]:
        # It goes before the folder that the virtual environment adds for the current version.
        return {**os.environ, "PYTHONPATH": str(self.source)}


CURRENT = Version("homeroom", ROOT / "src")


@contextmanager
def checked_out(commit: str) -> Iterator[Version]:
    """Check out an earlier commit in a folder of its own until the block ends."""
    with tempfile.TemporaryDirectory(prefix="homeroom-before-") as folder:
        _run_git("worktree", "add", "--quiet", "--detach", folder, commit)
        try:
            yield Version("before", Path(folder, "src"))
        finally:
            _run_git("worktree", "remove", "--force", folder)


def _run_git(*arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=ROOT, check=True)  # noqa: S607  the git of the PATH
