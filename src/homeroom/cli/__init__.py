"""The command line of an operator."""

import sys

from homeroom.base.garbage_collector import exclude_imports
from homeroom.base.termination import exit_at_signals, ignore_signals


def main() -> None:
    """Run the command line; a server ends at a signal from its first moment to its last.

    Loading the commands takes most of a second, in which a signal would kill the process, or be
    lost: the kernel drops a signal to process 1 that has no handler.
    """
    is_server = sys.argv[1:2] == ["serve"]
    if is_server:
        exit_at_signals()
    try:
        with exclude_imports():
            from homeroom.cli.group import main as run_command  # noqa: PLC0415  after the signal handlers

        run_command()
    finally:
        if is_server:
            ignore_signals()
