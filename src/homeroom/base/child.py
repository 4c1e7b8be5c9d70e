"""The start and end of a child process: its parent sends settings on standard input."""

import os
import signal
import sys
from asyncio import AbstractEventLoop
from collections.abc import Callable
from typing import TypeVar

import msgspec

S = TypeVar("S", bound=msgspec.Struct)


def read_first_line(
    kind: type[S], dec_hook: Callable[[type, object], object] | None = None
) -> S | None:
    """Decode the settings in the first line of standard input; None if the parent died."""
    # Ctrl-C is for the parent, which then closes our standard input.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    line = sys.stdin.buffer.readline()
    if not line.endswith(b"\n"):
        return None
    return msgspec.json.decode(line, type=kind, dec_hook=dec_hook)


def on_stdin_closed(loop: AbstractEventLoop, end: Callable[[], None]) -> None:
    """Call a function when the parent closes standard input, or has died."""
    stdin = sys.stdin.fileno()

    def readable() -> None:
        if not os.read(stdin, 4096):
            loop.remove_reader(stdin)
            end()

    loop.add_reader(stdin, readable)
