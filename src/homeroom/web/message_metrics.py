"""Metrics of messages: the backlog, and the attempts to send them."""

from collections.abc import Callable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Gauge, Metric
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from homeroom.store.records import MessageCounts


class MessageMetrics:
    """The backlog of messages."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._waiting = Gauge(
            "homeroom_messages_waiting",
            "Messages that wait at endpoints, counted up to a hundred thousand.",
            registry=registry,
        )
        self._oldest = Gauge(
            "homeroom_messages_oldest_seconds",
            "Age of the oldest message that waits at an active endpoint; 0 when none waits.",
            registry=registry,
        )
        self._failing = Gauge(
            "homeroom_message_queues_failing",
            "Queues of endpoints whose first message was not acknowledged yet.",
            registry=registry,
        )

    def set(self, counts: MessageCounts) -> None:
        """Set the figures of the backlog."""
        self._waiting.set(counts.waiting)
        self._oldest.set(counts.oldest_seconds)
        self._failing.set(counts.failing)


class AttemptCollector(Collector):
    """The attempts to send messages, by outcome, and the alarms of endpoints."""

    def __init__(
        self, get_outcomes: Callable[[], Mapping[str, int]], count_alarms: Callable[[], int]
    ) -> None:
        self._get_outcomes = get_outcomes
        self._count_alarms = count_alarms

    def collect(self) -> Iterator[Metric]:
        """Return the attempts and alarms since the start."""
        yield CounterMetricFamily(
            "homeroom_endpoint_alarms",
            "Alarms of endpoints that are stuck.",
            value=self._count_alarms(),
        )
        family = CounterMetricFamily(
            "homeroom_message_attempts", "Attempts to send a message.", labels=["outcome"]
        )
        for outcome, count in sorted(self._get_outcomes().items()):
            family.add_metric([outcome], count)
        yield family
