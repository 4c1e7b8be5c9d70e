"""A process that another one has started, and that hears on its standard input what to do."""

import os
import signal
import sys
from asyncio import AbstractEventLoop
from collections.abc import Callable
from typing import TypeVar

import msgspec

S = TypeVar("S", bound=msgspec.Struct)


def read_first_line(kind: type[S]) -> S | None:
    """Return the settings that the first line holds; none where the parent died before it."""
    # A Ctrl-C typed at the parent is for the parent; it tells us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    line = sys.stdin.buffer.readline()
    return msgspec.json.decode(line, type=kind) if line.endswith(b"\n") else None


def on_stdin_closed(loop: AbstractEventLoop, end: Callable[[], None]) -> None:
    """Do something when the parent is gone, or wants us to end."""
    stdin = sys.stdin.fileno()

    def readable() -> None:
        if not os.read(stdin, 4096):
            loop.remove_reader(stdin)
            end()

    loop.add_reader(stdin, readable)
