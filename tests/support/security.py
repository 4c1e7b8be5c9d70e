"""The security log as its reader sees it: lines of JSON."""

import json
import logging
from typing import Any

import pytest

from homeroom.base.log import JSONFormatter
from homeroom.web import security_log

Line = dict[str, Any]


class SecurityLines:
    """Lines of the security log of the servers in this process."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        self._caplog = caplog
        self._formatter = JSONFormatter()
        caplog.set_level(logging.INFO, "homeroom")
        self.clear()

    def clear(self) -> None:
        """Forget the lines so far, and the counts behind them."""
        security_log.flush()
        self._caplog.clear()

    def all(self, logger: str = "homeroom.security") -> list[Line]:
        """Return the lines so far."""
        records = [record for record in self._caplog.records if record.name == logger]
        return [json.loads(self._formatter.format(record)) for record in records]

    def of(self, event: str) -> list[Line]:
        """Return the lines of an event."""
        return [line for line in self.all() if line["message"] == event]

    def only(self, event: str) -> Line:
        """Return the only line of an event."""
        (line,) = self.of(event)
        return line

    def text(self) -> str:
        """Return everything that this process logged, except what its HTTP client did."""
        records = [one for one in self._caplog.records if not one.name.startswith("http")]
        return "\n".join(self._formatter.format(record) for record in records)
