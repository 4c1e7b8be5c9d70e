"""A log of events by address, with one line for each address and minute."""

import logging
from collections import OrderedDict
from collections.abc import Callable, Mapping
from time import monotonic

log = logging.getLogger("homeroom.budgets")

INTERVAL_SECONDS = 60.0
MAX_ADDRESSES = 1000
"""Addresses that are remembered; the oldest are dropped first."""


class AddressLog:
    """Logs the first event of an address in each minute."""

    def __init__(self, now: Callable[[], float] = monotonic) -> None:
        self._now = now
        self._logged_at: OrderedDict[str, float] = OrderedDict()

    def record(self, event: str, address: str, facts: Mapping[str, int]) -> None:
        """Log an event of an address with some figures."""
        now = self._now()
        if now - self._logged_at.get(address, -INTERVAL_SECONDS) < INTERVAL_SECONDS:
            return
        self._logged_at[address] = now
        self._logged_at.move_to_end(address)
        if len(self._logged_at) > MAX_ADDRESSES:
            self._logged_at.popitem(last=False)
        log.warning(event, extra={"address": address, **facts})
