"""Metrics of several processes of one server, as one scrape."""

from collections.abc import Iterable, Iterator, Sequence

import msgspec
from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.registry import Collector

MAX_METRICS = frozenset(
    {
        # Each process reads these from the same database.
        "homeroom_jobs_pending",
        "homeroom_jobs_failing",
        "homeroom_jobs_set_aside",
        "homeroom_jobs_oldest_due_seconds",
        "homeroom_heartbeat_timestamp_seconds",
        # The worst of them.
        "homeroom_heartbeat_seconds",
        "homeroom_store_queue_seconds",
        "homeroom_sweeps_paused",
        "homeroom_messages_waiting",
        "homeroom_messages_oldest_seconds",
        "homeroom_message_queues_failing",
        # The same everywhere.
        "homeroom_build",
        "process_max_fds",
    }
)
"""Metrics of which the largest value counts; all others are summed."""
MIN_METRICS = frozenset({"homeroom_disk_free_bytes", "process_start_time_seconds"})
"""Metrics of which the smallest value counts."""
CREATED_SUFFIX = "_created"
"""End of the name of a sample with the moment at which a counter began."""

SampleKey = tuple[str, tuple[tuple[str, str], ...]]


class MetricSample(msgspec.Struct, frozen=True, array_like=True):
    """A number of a metric."""

    name: str
    labels: dict[str, str]
    value: float


class MetricFamily(msgspec.Struct, frozen=True, array_like=True):
    """A metric of one process, with its samples."""

    name: str
    type: str
    documentation: str
    samples: list[MetricSample]


def collect_metrics(registry: CollectorRegistry) -> list[MetricFamily]:
    """Return the metrics of this process."""
    return [
        MetricFamily(
            metric.name,
            metric.type,
            metric.documentation,
            [MetricSample(sample.name, sample.labels, sample.value) for sample in metric.samples],
        )
        for metric in registry.collect()
    ]


def render_merged(processes: Iterable[Sequence[MetricFamily]]) -> bytes:
    """Return the metrics of all processes as one, in Prometheus's text format."""
    families: dict[str, MetricFamily] = {}
    values: dict[str, dict[SampleKey, float]] = {}
    for process in processes:
        for family in process:
            families.setdefault(family.name, family)
            merged = values.setdefault(family.name, {})
            for sample in family.samples:
                key = (sample.name, tuple(sample.labels.items()))
                merged[key] = _merge(family.name, sample, merged.get(key))
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_MergedCollector(families.values(), values))
    return generate_latest(registry)


def _merge(metric: str, sample: MetricSample, value: float | None) -> float:
    if value is None:
        return sample.value
    if metric in MAX_METRICS:
        return max(value, sample.value)
    if metric in MIN_METRICS or sample.name.endswith(CREATED_SUFFIX):
        return min(value, sample.value)
    return value + sample.value


class _MergedCollector(Collector):
    def __init__(
        self, families: Iterable[MetricFamily], values: dict[str, dict[SampleKey, float]]
    ) -> None:
        self._families = families
        self._values = values

    def collect(self) -> Iterator[Metric]:
        for family in self._families:
            metric = Metric(family.name, family.documentation, family.type)
            for (name, labels), value in self._values[family.name].items():
                metric.add_sample(name, dict(labels), value)
            yield metric
