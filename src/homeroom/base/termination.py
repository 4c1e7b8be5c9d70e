"""The end of a server process: at a signal, at any time, with exit code 0.

This module is loaded first, so it imports little.
"""

import os
import signal
import threading

SIGNALS = (signal.SIGTERM, signal.SIGINT)
STOP_DEADLINE_SECONDS = 9.0
"""Time from a signal to the end of the process, whatever a database or a client does."""


def exit_at_signals() -> None:
    """End this process at SIGTERM or SIGINT from now on, with exit code 0.

    It ends at once: nothing was acknowledged yet, and whatever is unfinished is as after a power
    cut. An exception would be lost in a callback of the interpreter.
    """
    for number in SIGNALS:
        signal.signal(number, lambda _number, _frame: os._exit(0))


def ignore_signals() -> None:
    """Ignore further signals: this process is about to end with an exit code of its own.

    While it ends, the interpreter removes its handlers; a signal would then kill the process.
    """
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def exit_by_deadline(seconds: float = STOP_DEADLINE_SECONDS) -> threading.Timer:
    """End this process after some seconds, with exit code 0, if it does not end before."""
    timer = threading.Timer(seconds, _exit_late)
    timer.daemon = True
    timer.start()
    return timer


def _exit_late() -> None:
    # Not by the log: a thread that stands still may hold its lock.
    os.write(2, b'{"level":"error","logger":"homeroom","message":"stop_deadline_exceeded"}\n')
    os._exit(0)
