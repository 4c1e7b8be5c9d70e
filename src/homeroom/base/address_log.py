"""A log of events by address, with a few lines for each address and minute."""

import logging
from collections import OrderedDict
from collections.abc import Callable, Mapping
from time import monotonic

INTERVAL_SECONDS = 60.0
MAX_ADDRESSES = 1000
"""Addresses that are remembered; the oldest are dropped first."""


class AddressLog:
    """Logs the first events of an address in each minute."""

    def __init__(
        self,
        now: Callable[[], float] = monotonic,
        logger: str = "homeroom.budgets",
        max_lines: int = 1,
    ) -> None:
        self._now = now
        self._log = logging.getLogger(logger)
        self._max_lines = max_lines
        self._minutes: OrderedDict[str, tuple[float, int]] = OrderedDict()
        """Start of the minute of each address, and the lines in it."""

    def record(self, event: str, address: str, facts: Mapping[str, int | str]) -> None:
        """Log an event of an address with some facts."""
        now = self._now()
        began, lines = self._minutes.get(address, (now, 0))
        if now - began >= INTERVAL_SECONDS:
            began, lines = now, 0
        if lines >= self._max_lines:
            return
        self._minutes[address] = (began, lines + 1)
        self._minutes.move_to_end(address)
        if len(self._minutes) > MAX_ADDRESSES:
            self._minutes.popitem(last=False)
        self._log.warning(event, extra={"address": address, **facts})
