"""The log: one JSON object a line, on standard error."""

import asyncio
import json
import logging
import re
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from select import PIPE_BUF
from typing import Any, TextIO

import msgspec

from homeroom.base.clock import SystemClock
from homeroom.base.errors import HomeroomError

REPEAT_SECONDS = 60.0
"""Time in which the same outage is logged once by each place that meets it."""
MAX_REMEMBERED_OUTAGES = 100
MAX_CHARACTER_BYTES = 4

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {
    "message",
    "asctime",
    "taskName",
    "color_message",
}

_CONTROLS = re.compile("[\x80-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""Terminal controls, line separators and marks of writing direction; JSON escapes those below."""

_encode = msgspec.json.Encoder(enc_hook=str).encode


def log_to_stderr(level: str) -> None:
    """Let every logger of this process write JSON lines to standard error."""
    # No line has the place in the code or the thread: looking them up is expensive.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None  # noqa: SLF001  the documented way not to have callers looked up
    handler = _BatchingHandler(sys.stderr)
    handler.addFilter(OutageFilter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)


class JSONFormatter(logging.Formatter):
    """Formats a record as JSON: time, level, logger, message and the extra fields."""

    def __init__(self) -> None:
        super().__init__()
        self._second = -1
        self._at = ""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, Any] = {
            "at": self.format_moment(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: value for name, value in vars(record).items() if name not in _STANDARD}
        if (outage := _get_outage(record)) is not None:
            line["reason"] = str(outage)
        elif record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        try:
            return _escape_controls(_encode(line).decode())
        except UnicodeEncodeError:  # a lone surrogate, as of a file name that is not UTF-8
            return _escape_controls(json.dumps(line, default=str))

    def format_moment(self, created: float) -> str:
        """Return the time of a line, formatted once a second."""
        second = int(created)
        if second != self._second:
            self._at = time.strftime("%Y-%m-%dT%H:%M:%S%z", time.localtime(second))
            self._second = second
        return self._at


def _escape_controls(text: str) -> str:
    """Return JSON without characters that a terminal or a log reader would act on."""
    if text.isascii():
        return text
    return _CONTROLS.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def log_info(logger: logging.Logger, message: str, fields: msgspec.Struct) -> None:
    """Log a line of each request, as `logger.info` with the fields as `extra` does.

    Where the line only goes to standard error, it is made without a record: a quarter of the cost.
    The message is a word of our own.
    """
    if not logger.isEnabledFor(logging.INFO):
        return
    handlers = logging.root.handlers
    if len(handlers) == 1 and isinstance(handlers[0], _BatchingHandler):
        with suppress(UnicodeEncodeError):  # a lone surrogate: the formatter knows what to do
            handlers[0].write(logger.name, message, fields)
            return
    logger.info(message, extra=msgspec.structs.asdict(fields))


class OutageFilter(logging.Filter):
    """Drops a record that repeats an outage: the same message with an error of the same text.

    While a disk is full, every loop of the server fails every few seconds for the same cause.
    """

    def __init__(self) -> None:
        super().__init__()
        self._logged_at: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether to log a record."""
        outage = _get_outage(record)
        if outage is None:
            return True
        key = (record.getMessage(), str(outage))
        logged_at = self._logged_at.get(key)
        if logged_at is not None and record.created - logged_at < REPEAT_SECONDS:
            return False
        if len(self._logged_at) > MAX_REMEMBERED_OUTAGES:
            self._logged_at.clear()
        self._logged_at[key] = record.created
        return True


def _get_outage(record: logging.LogRecord) -> HomeroomError | None:
    """Return the exception of a record if it is no defect: it needs no traceback."""
    failure = record.exc_info[1] if record.exc_info else None
    return failure if isinstance(failure, HomeroomError) and not failure.is_defect else None


def cut_pieces(text: str) -> Iterator[str]:
    """Cut lines into pieces that a pipe takes whole, unless one line alone is longer.

    Several processes write to one log. Of what is longer, a pipe may take lines of another process
    in the middle.
    """
    limit = PIPE_BUF if text.isascii() else PIPE_BUF // MAX_CHARACTER_BYTES
    start = 0
    while len(text) - start > limit:
        end = text.rfind("\n", start, start + limit) + 1 or text.index("\n", start) + 1
        yield text[start:end]
        start = end
    if start < len(text):
        yield text[start:]


class _BatchingHandler(logging.Handler):
    """Writes the lines of one iteration of the event loop together, and warnings at once."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream
        self._lines: list[str] = []
        self._clock = SystemClock()
        self._formatter = JSONFormatter()
        self.setFormatter(self._formatter)

    def emit(self, record: logging.LogRecord) -> None:
        """Buffer a record, and schedule the write."""
        try:
            line = self.format(record)
        except Exception:  # noqa: BLE001  a line that cannot be written must not fail a request
            self.handleError(record)
            return
        self._add(line, is_urgent=record.levelno >= logging.WARNING)

    def write(self, logger: str, message: str, fields: msgspec.Struct) -> None:
        """Write a line at level INFO; raises `UnicodeEncodeError` for a lone surrogate."""
        at = self._formatter.format_moment(self._clock.now())
        head = f'{{"at":"{at}","level":"info","logger":"{logger}","message":"{message}",'
        line = head + _escape_controls(_encode(fields).decode()[1:])
        self.acquire()
        try:
            self._add(line, is_urgent=False)
        finally:
            self.release()

    def _add(self, line: str, *, is_urgent: bool) -> None:
        is_first = not self._lines
        self._lines += (line, "\n")
        if is_urgent:
            self.flush()
        elif is_first:
            try:
                asyncio.get_running_loop().call_soon(self.flush)
            except RuntimeError:
                self.flush()

    def flush(self) -> None:
        """Write the buffered lines."""
        self.acquire()
        try:
            text, self._lines = "".join(self._lines), []
            if text:
                with suppress(OSError, ValueError):  # the reader of the log is gone
                    for piece in cut_pieces(text):
                        self._stream.write(piece)
                        self._stream.flush()
        finally:
            self.release()
