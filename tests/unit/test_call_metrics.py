"""Metrics of calls: the same text as that of the counters of prometheus_client."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

from homeroom.web import call_metrics as module
from homeroom.web.call_metrics import LATENCY_BUCKETS, CallMetrics

CALLS = st.tuples(
    st.sampled_from(["addCourse", "editCourse", "unknown"]),
    st.sampled_from([0, 1, 100]),
    st.sampled_from([*LATENCY_BUCKETS, 11]) | st.floats(0, 12),
)


def render(registry: CollectorRegistry) -> str:
    """Return the text of a scrape; the moments of creation are all the same."""
    return re.sub(r"(?m)(_created\{.*) .*$", r"\1 0", generate_latest(registry).decode())


@given(st.lists(CALLS))
def test_the_text_is_that_of_counters(calls: list[tuple[str, int, float]]) -> None:
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    metrics = CallMetrics()
    ours.register(metrics)
    text = "Calls of the partner API by action and errno (0: dropped by a fault)."
    counter = Counter("homeroom_calls", text, ("action", "errno"), registry=theirs)
    histogram = Histogram(
        "homeroom_call_seconds",
        "Seconds from the request to its answer, by action.",
        ("action",),
        buckets=LATENCY_BUCKETS,
        registry=theirs,
    )
    for action, errno, seconds in calls:
        metrics.count(action, errno, seconds)
        counter.labels(action, str(errno)).inc()
        histogram.labels(action).observe(seconds)
    assert render(ours) == render(theirs)


def test_pairs_beyond_the_limit_are_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_CALL_LABELS", 2)
    registry, metrics = CollectorRegistry(), CallMetrics()
    registry.register(metrics)
    for errno in (1, 100, 101, 1):
        metrics.count("addCourse", errno, 0.1)
    text = render(registry)
    assert 'homeroom_calls_total{action="addCourse",errno="1"} 2.0' in text
    assert 'errno="101"' not in text
    assert 'homeroom_call_seconds_count{action="addCourse"} 3.0' in text
