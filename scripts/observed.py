"""The errnos that the contract tests observed, compared with those that the contract documents."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from homeroom.contract.action import BEFORE_DISPATCH
from homeroom.contract.catalogue import ACTIONS

ROOT: Final = Path(__file__).resolve().parent.parent
FILE: Final = ROOT / "docs" / "reference" / "observed.json"
FAULT_ONLY: Final = {
    *(104, 114, 281, 253, 323, 324, 326, 330, 824),
    # No call leads to these.
    *(161, 220, 189, 190, 349, 367),
}

Seen = dict[tuple[str, int], str]
"""How each number of each action arose: natural, or by fault only."""


def observe() -> None:
    """Run the contract tests on SQLite and save what they observe of our actions, sorted."""
    pytest = [sys.executable, "-m", "pytest", "tests/contract", "-q", "-k", "sqlite", "-n", "2"]
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "HOMEROOM_OBSERVED": folder}
        if subprocess.run(pytest, check=False, cwd=ROOT, env=environment).returncode:
            raise SystemExit("the contract tests failed, so their observations are not saved")
        files = [json.loads(path.read_text()) for path in Path(folder).iterdir()]
    ours = {action.name for action in ACTIONS}
    common = {errno.number for errno in BEFORE_DISPATCH}
    seen: Seen = {}
    for action, errno, cause in (pair for pairs in files for pair in pairs):
        if action in ours and errno not in common and seen.get((action, errno)) != "natural":
            seen[action, errno] = cause
    lines = [json.dumps([*pair, cause]) for pair, cause in sorted(seen.items())]
    FILE.parent.mkdir(parents=True, exist_ok=True)
    FILE.write_text("[\n" + ",\n".join(lines) + "\n]\n")


def read() -> Seen:
    """Return the observations of the last run."""
    if not FILE.exists():
        return {}
    return {(name, errno): cause for name, errno, cause in json.loads(FILE.read_text())}


def complaints(seen: Seen) -> list[str]:
    """Return where observations and documentation differ."""
    documented = {(action.name, errno.number) for action in ACTIONS for errno in action.errnos}
    by_fault = {
        (action.name, errno.number)
        for action in ACTIONS
        for errno in (*action.faults, *action.entry_faults)
    }
    unnatural = [
        (name, errno)
        for (name, errno), cause in seen.items()
        if cause == "fault" and errno not in FAULT_ONLY and (name, errno) not in by_fault
    ]
    differences = (
        (documented - seen.keys(), "is documented but was never seen"),
        (seen.keys() - documented, "was seen but is not documented"),
        (unnatural, "was seen by fault only, but must arise naturally"),
    )
    return [
        f"{name} {errno} {what}" for pairs, what in differences for name, errno in sorted(pairs)
    ]
