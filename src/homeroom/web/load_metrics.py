"""Metrics of the load: connections in the budget, and calls that wait for their turn."""

from collections.abc import Iterator
from typing import Protocol

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from homeroom.base.body_budget import BodyBudget
from homeroom.base.connection_budget import ConnectionBudget


class WaitingCalls(Protocol):
    """Figures of the calls that wait for their turn."""

    waiting: int
    refused: int


class LoadCollector(Collector):
    """Reads the figures at each scrape; the counters start at 0 with the server."""

    def __init__(self, budget: ConnectionBudget, bodies: BodyBudget, calls: WaitingCalls) -> None:
        self._budget = budget
        self._bodies = bodies
        self._calls = calls

    def collect(self) -> Iterator[Metric]:
        """Return the figures as metrics."""
        budget, calls = self._budget, self._calls
        yield GaugeMetricFamily(
            "homeroom_connections", "Open connections of the HTTP port.", budget.count
        )
        yield GaugeMetricFamily(
            "homeroom_connections_waiting",
            "Connections without a right that wait for their client.",
            budget.waiting,
        )
        yield CounterMetricFamily(
            "homeroom_connections_closed",
            "Connections that were closed to make room for others.",
            budget.closed,
        )
        yield CounterMetricFamily(
            "homeroom_connections_refused",
            "Connections that found no room.",
            budget.refused,
        )
        yield GaugeMetricFamily(
            "homeroom_body_bytes", "Bytes of request bodies in memory.", self._bodies.bytes
        )
        yield CounterMetricFamily(
            "homeroom_bodies_refused",
            "Request bodies that were refused because too many bytes were on their way.",
            self._bodies.refused,
        )
        yield GaugeMetricFamily(
            "homeroom_calls_waiting", "Calls that wait for their turn.", calls.waiting
        )
        yield CounterMetricFamily(
            "homeroom_calls_refused",
            "Calls that were refused because too many waited.",
            calls.refused,
        )
