"""Metrics for Prometheus: counted with each response, collected at each scrape."""

from collections.abc import Callable, Mapping
from importlib.metadata import version

import msgspec
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Info,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from homeroom.base.body_budget import BodyBudget
from homeroom.base.connection_budget import ConnectionBudget
from homeroom.base.stream_problems import StreamProblem
from homeroom.base.values import Value
from homeroom.store.records import JobCounts
from homeroom.web.call_metrics import CallMetrics
from homeroom.web.load_metrics import LoadCollector, WaitingCalls
from homeroom.web.merged_metrics import MetricFamily, collect_metrics
from homeroom.web.message_metrics import AttemptCollector, MessageMetrics

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4


class MediaNumbers(Value, frozen=True):
    """Figures of the media engine at one moment; its counters start at 0 with the engine."""

    is_up: bool = False
    restarts: int = 0
    publishers: int = 0
    viewers: Mapping[str, int] = msgspec.field(default_factory=dict)
    """By protocol."""
    bytes_in: int = 0
    bytes_out: int = 0
    problems: Mapping[str, int] = msgspec.field(default_factory=dict)
    """Number of streams that have each problem now."""
    slow_key_frames: int = 0
    dropped_frames: int = 0
    recording_failures: int = 0
    spooled: int = 0
    connections: int = 0
    connections_closed: int = 0
    """Connections that were closed to make room for others."""
    connections_refused: int = 0


class Metrics:
    """The metrics of one server, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.calls = CallMetrics()
        self.registry.register(self.calls)
        self._pending = Gauge("homeroom_jobs_pending", "Jobs that wait.", registry=self.registry)
        self._failing = Gauge(
            "homeroom_jobs_failing",
            "Jobs that wait after they failed at least once.",
            registry=self.registry,
        )
        self._set_aside = Gauge(
            "homeroom_jobs_set_aside",
            "Jobs that no handler can take: homeroom doctor lists them.",
            registry=self.registry,
        )
        self._oldest_due = Gauge(
            "homeroom_jobs_oldest_due_seconds",
            "Age of the job that has been due for the longest time; 0 when none is due.",
            registry=self.registry,
        )
        self._failures = Counter(
            "homeroom_job_failures", "Runs of jobs that failed.", registry=self.registry
        )
        self._commits = Counter(
            "homeroom_store_commits", "Commits of the database.", registry=self.registry
        )
        self._units = Counter(
            "homeroom_store_units",
            "Units of work in those commits; several a commit where they came together.",
            registry=self.registry,
        )
        self._media = _MediaMetrics(self.registry)
        self.store = StoreMetrics(self.registry)
        self.chat = ChatMetrics(self.registry)
        self.messages = MessageMetrics(self.registry)
        build = Info("homeroom_build", "The version that runs.", registry=self.registry)
        build.info({"version": version("homeroom")})
        ProcessCollector(registry=self.registry)
        self._seen_failures = self._seen_commits = self._seen_units = 0

    def watch_load(self, budget: ConnectionBudget, bodies: BodyBudget, calls: WaitingCalls) -> None:
        """Add the figures of the load, which are read at each scrape."""
        self.registry.register(LoadCollector(budget, bodies, calls))

    def watch_messages(
        self, get_outcomes: Callable[[], Mapping[str, int]], count_alarms: Callable[[], int]
    ) -> None:
        """Add the attempts to send messages by outcome, and alarms; read at each scrape."""
        self.registry.register(AttemptCollector(get_outcomes, count_alarms))

    def watch_sweeps(self, is_paused: Callable[[], bool]) -> None:
        """Add whether the sweeps are paused, which is asked at each scrape."""
        gauge = Gauge(
            "homeroom_sweeps_paused",
            "Whether nothing is deleted by age, because the clock is in doubt.",
            registry=self.registry,
        )
        gauge.set_function(lambda: float(is_paused()))

    def set_jobs(self, counts: JobCounts, failures: int) -> None:
        """Set the state of the job queue, and the number of failed runs so far."""
        self._pending.set(counts.pending)
        self._failing.set(counts.failing)
        self._set_aside.set(counts.set_aside)
        self._oldest_due.set(counts.oldest_due_seconds)
        self._failures.inc(max(failures - self._seen_failures, 0))
        self._seen_failures = failures

    def set_commits(self, commits: int, units: int) -> None:
        """Set the numbers of commits, and of the units of work in them."""
        self._commits.inc(max(commits - self._seen_commits, 0))
        self._units.inc(max(units - self._seen_units, 0))
        self._seen_commits, self._seen_units = commits, units

    def set_media(self, numbers: MediaNumbers) -> None:
        """Set the figures of the media engine."""
        self._media.set(numbers)

    def collect(self) -> list[MetricFamily]:
        """Return everything as values, to be merged with other processes."""
        return collect_metrics(self.registry)

    def render(self) -> bytes:
        """Return everything in Prometheus's text format."""
        return generate_latest(self.registry)


class StoreMetrics:
    """The part of the database: its queue, its connections, its disk and its heartbeat."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def gauge(name: str, text: str) -> Gauge:
            return Gauge(f"homeroom_{name}", text, registry=registry)

        self._queue = gauge("store_queue_units", "Units of work and reads that wait.")
        self._queue_age = gauge(
            "store_queue_seconds", "Time for which the first of them has waited."
        )
        self._in_use = gauge("store_connections_in_use", "Connections that work now.")
        self._size = gauge("store_connections_max", "Connections that there may be.")
        self._wal = gauge("store_wal_bytes", "Bytes of the write-ahead log of SQLite.")
        self._free = gauge("disk_free_bytes", "Free bytes of the disk of the data folder.")
        self._heartbeat_time = gauge(
            "heartbeat_timestamp_seconds", "When a heartbeat last reached the disk."
        )
        self._heartbeat_seconds = gauge("heartbeat_seconds", "Time that the last heartbeat took.")
        self._heartbeats = Counter(
            "homeroom_heartbeats",
            "Heartbeats by outcome: ok, a cause such as disk_full, or failed.",
            ("outcome",),
            registry=registry,
        )

    def set_queue(self, length: int, seconds: float) -> None:
        """Set the number of units that wait, and the time that the first has waited."""
        self._queue.set(length)
        self._queue_age.set(seconds)

    def set_pool(self, in_use: int, size: int) -> None:
        """Set the use of the connections."""
        self._in_use.set(in_use)
        self._size.set(size)

    def set_disk(self, free: int) -> None:
        """Set the free bytes of the disk."""
        self._free.set(free)

    def set_wal(self, size: int) -> None:
        """Set the bytes of the write-ahead log."""
        self._wal.set(size)

    def count_heartbeat(self, outcome: str, seconds: float) -> None:
        """Count a heartbeat, with the time that it took."""
        self._heartbeats.labels(outcome).inc()
        self._heartbeat_seconds.set(seconds)
        if outcome == "ok":
            self._heartbeat_time.set_to_current_time()


class ChatMetrics:
    """The chats' part."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.connections = Gauge(
            "homeroom_chat_connections", "Open connections to the rooms.", registry=registry
        )
        self._messages = Counter(
            "homeroom_chat_messages", "Messages that were written.", registry=registry
        )
        self._refused = Counter(
            "homeroom_chat_refusals",
            "Refused requests of the chat, by request and reason.",
            ("about", "why"),
            registry=registry,
        )

    def count_messages(self, messages: int) -> None:
        """Count messages."""
        self._messages.inc(messages)

    def count_refusal(self, about: str, why: str) -> None:
        """Count a refusal; both words are of our own making."""
        self._refused.labels(about, why).inc()


class _MediaMetrics:
    """The media engine's part."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def gauge(name: str, text: str) -> Gauge:
            return Gauge(f"homeroom_media_{name}", text, registry=registry)

        def counter(name: str, text: str) -> Counter:
            return Counter(f"homeroom_media_{name}", text, registry=registry)

        self._up = gauge("up", "Whether the media engine answers.")
        self._publishers = gauge("publishers", "Streams that are being pushed.")
        self._viewers = Gauge(
            "homeroom_media_viewers", "Who watches, by protocol.", ("protocol",), registry=registry
        )
        self._problems = Gauge(
            "homeroom_media_stream_problems",
            "Streams that have a problem now, by problem.",
            ("problem",),
            registry=registry,
        )
        self._connections = gauge("connections", "Open connections of the media engine.")
        self._spooled = gauge("reports_spooled", "Reports of the engine that are not answered yet.")
        self._counters = {
            "restarts": counter("restarts", "Times the engine ended and was started again."),
            "bytes_in": counter("received_bytes", "Bytes of media that were pushed."),
            "bytes_out": counter("sent_bytes", "Bytes of media that went to viewers."),
            "slow_key_frames": counter(
                "slow_key_frames", "Key frames that came more than 2 seconds after the last."
            ),
            "dropped_frames": counter(
                "dropped_frames", "Frames that were dropped because no player could decode them."
            ),
            "recording_failures": counter(
                "recording_failures", "Recordings that broke off: disk full, file system errors."
            ),
            "connections_closed": counter(
                "connections_closed", "Connections that were closed to make room for others."
            ),
            "connections_refused": counter(
                "connections_refused", "Connections that found no room."
            ),
        }
        self._seen = dict.fromkeys(self._counters, 0)

    def set(self, numbers: MediaNumbers) -> None:
        self._up.set(numbers.is_up)
        self._publishers.set(numbers.publishers)
        self._spooled.set(numbers.spooled)
        self._connections.set(numbers.connections)
        self._viewers.clear()
        for protocol, count in numbers.viewers.items():
            self._viewers.labels(protocol).set(count)
        for problem in StreamProblem:
            self._problems.labels(problem).set(numbers.problems.get(problem, 0))
        for name, counter in self._counters.items():
            total, seen = getattr(numbers, name), self._seen[name]
            # An engine that was started again counts from 0.
            counter.inc(total - seen if total >= seen else total)
            self._seen[name] = total
