"""Metrics of several processes as one scrape."""

from typing import Final

import msgspec

from homeroom.store.records import JobCounts
from homeroom.web.merged_metrics import MetricFamily, render_merged
from homeroom.web.metrics import MediaNumbers, Metrics


def over_the_wire(metrics: Metrics) -> list[MetricFamily]:
    """Return metrics as another process receives them."""
    content = msgspec.msgpack.encode(metrics.collect())
    return msgspec.msgpack.decode(content, type=list[MetricFamily])


def values(content: bytes) -> dict[str, float]:
    lines = [line for line in content.decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


ONE_SECOND: Final = 'homeroom_call_seconds_bucket{action="addCourse",le="1.0"}'


def test_one_process_is_rendered_as_before() -> None:
    metrics = Metrics()
    metrics.calls.count("addCourse", 1, 0.01)
    metrics.set_media(MediaNumbers(is_up=True, viewers={"flv": 2}))
    expected = values(metrics.render())
    merged = values(render_merged([over_the_wire(metrics)]))
    assert merged.keys() == expected.keys()
    changing = {name for name in merged if name.startswith("process_")}
    assert {name: merged[name] for name in merged.keys() - changing} == {
        name: expected[name] for name in expected.keys() - changing
    }


def test_counters_and_histograms_are_summed_and_gauges_by_their_meaning() -> None:
    main, first, second = (Metrics() for _ in range(3))
    main.set_media(MediaNumbers(is_up=True, publishers=3))
    for process in (first, second):
        process.calls.count("addCourse", 1, 0.5)
        process.set_jobs(JobCounts(4, 1, 0, 7), 0)
        process.store.set_queue(2, 0.25)
        process.store.set_pool(3, 10)
    second.calls.count("addCourse", 1, 5)
    second.calls.count("delCourse", 100, 5)
    second.store.set_queue(1, 0.75)
    first.store.set_disk(100)
    second.store.set_disk(90)
    main.store.set_disk(95)
    merged = values(render_merged(over_the_wire(process) for process in (main, first, second)))
    expected = {
        'homeroom_calls_total{action="addCourse",errno="1"}': 3,
        'homeroom_calls_total{action="delCourse",errno="100"}': 1,
        'homeroom_call_seconds_count{action="addCourse"}': 3,
        ONE_SECOND: 2,
        "homeroom_media_up": 1,
        "homeroom_media_publishers": 3,
        "homeroom_jobs_pending": 4,
        "homeroom_jobs_oldest_due_seconds": 7,
        "homeroom_store_queue_units": 3,
        "homeroom_store_queue_seconds": 0.75,
        "homeroom_store_connections_max": 20,
        "homeroom_disk_free_bytes": 90,
    }
    assert {name: merged[name] for name in expected} == expected
