"""Commands that another user of this machine runs."""

import os
import pwd
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.support.process import PLAIN

OTHER_USER: Final = "nobody"
# The interpreter may be in a folder that the other user cannot enter: it is loaded first.
_AS_OTHER_USER: Final = """
import os, sys
from homeroom.cli.group import main
uid, gid = map(int, sys.argv[1:3])
os.setgroups([])
os.setgid(gid)
os.setuid(uid)
main(sys.argv[3:], prog_name="homeroom")
"""


def other_user() -> pwd.struct_passwd:
    """Return another user of this machine, whose programs only root can start."""
    if os.geteuid() != 0:
        pytest.skip("only root can run a command as another user")
    return pwd.getpwnam(OTHER_USER)


def run_as_other_user(*args: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    """Run a `homeroom` command as another user."""
    user = other_user()
    return subprocess.run(
        [sys.executable, "-c", _AS_OTHER_USER, str(user.pw_uid), str(user.pw_gid), *args],
        capture_output=True,
        text=True,
        check=False,
        env=PLAIN,
        cwd=cwd,
        timeout=60,
    )
