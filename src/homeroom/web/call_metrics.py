"""Metrics of the partner API's calls: counted in dictionaries, and read at each scrape."""

from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from homeroom.base.clock import SystemClock

LATENCY_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
MAX_CALL_LABELS = 5000
"""Pairs of action and errno that are counted apart: far more than the contract has."""
_BOUNDS = [*(str(float(bound)) for bound in LATENCY_BUCKETS), "+Inf"]


class _ActionTimes:
    """The durations of one action's calls."""

    __slots__ = ("buckets", "created_at", "seconds")

    def __init__(self, now: float) -> None:
        self.buckets = [0] * len(_BOUNDS)
        self.seconds = 0.0
        self.created_at = now


class CallMetrics(Collector):
    """Calls by action and errno, and their durations by action.

    Counters of prometheus_client take a lock for each call, four times as long as this.
    """

    def __init__(self) -> None:
        self._clock = SystemClock()
        self._calls: dict[tuple[str, int], int] = {}
        self._created: dict[tuple[str, int], float] = {}
        self._times: dict[str, _ActionTimes] = {}

    def count(self, action: str, errno: int, seconds: float) -> None:
        """Count a response."""
        pair = action, errno
        if pair not in self._calls and not self._add(pair):
            return
        self._calls[pair] += 1
        times = self._times[action]
        times.buckets[bisect_left(LATENCY_BUCKETS, seconds)] += 1
        times.seconds += seconds

    def _add(self, pair: tuple[str, int]) -> bool:
        """Begin to count a pair of action and errno; returns False where there are too many."""
        if len(self._calls) >= MAX_CALL_LABELS:
            return False
        now = self._clock.exact()
        self._created[pair] = now
        self._times.setdefault(pair[0], _ActionTimes(now))
        self._calls[pair] = 0
        return True

    def collect(self) -> Iterator[Metric]:
        """Return the figures as metrics."""
        calls = CounterMetricFamily(
            "homeroom_calls",
            "Calls of the partner API by action and errno (0: dropped by a fault).",
            labels=("action", "errno"),
        )
        for (action, errno), count in list(self._calls.items()):
            calls.add_metric((action, str(errno)), count, self._created[action, errno])
        yield calls
        durations = HistogramMetricFamily(
            "homeroom_call_seconds",
            "Seconds from the request to its answer, by action.",
            labels=("action",),
        )
        for action, times in list(self._times.items()):
            buckets = list(zip(_BOUNDS, accumulate(times.buckets), strict=True))
            durations.add_metric((action,), buckets, times.seconds)
            labels = {"action": action}
            durations.add_sample("homeroom_call_seconds_created", labels, times.created_at)
        yield durations
