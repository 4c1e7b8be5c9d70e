"""Probes and metrics."""

import re

import httpx
import pytest
from sqlalchemy import delete, insert

from homeroom.domain.jobs import EraseFile
from homeroom.store.engine import StoreError
from homeroom.store.tables import jobs
from tests.support.engine import until
from tests.support.given import Given
from tests.support.serving import House


def get(house: House, path: str) -> httpx.Response:
    return httpx.get(house.url + path, timeout=30)


def number(house: House, sample: str) -> float:
    """Return a sample of the metrics, 0 where there is none yet."""
    text = get(house, "/metrics").text
    found = re.search(rf"^{re.escape(sample)} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else 0.0


def test_a_running_server_is_alive_and_ready(house: House) -> None:
    assert (get(house, "/healthz").status_code, get(house, "/healthz").text) == (200, "ok\n")
    ready = get(house, "/readyz")
    assert (ready.status_code, ready.json()) == (200, {"status": "ready", "reasons": []})
    assert ready.headers["cache-control"] == "no-store"


def test_a_database_that_fails_is_a_reason(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_args: object, **_more: object) -> None:
        raise StoreError("disk full")

    store = house.services.async_store
    monkeypatch.setattr(store, "write", fail)
    answer = get(house, "/readyz")
    assert answer.status_code == 503
    assert answer.json() == {
        "status": "not ready",
        "reasons": ["the database cannot be written: StoreError"],
    }
    monkeypatch.setattr(store, "read", fail)
    assert "the database cannot be read: StoreError" in get(house, "/readyz").json()["reasons"]
    assert get(house, "/healthz").status_code == 200


def test_a_job_loop_that_stands_still_is_a_reason(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(house.services.worker, "idle_seconds", lambda: 61.0)
    answer = get(house, "/readyz")
    assert answer.status_code == 503
    assert answer.json()["reasons"] == ["the loop that does jobs has not turned for 61 s"]


def test_poisoned_jobs_are_reported_and_stop_nobody(given: Given) -> None:
    """A job of no kind that is known, and one whose payload is broken."""
    rows = [
        {"kind": kind, "payload": payload, "due_at": 1, "leased_until": 0, "attempts": 0}
        for kind, payload in (("of_the_next_version", "{}"), ("erase_file", "[]"))
    ]
    for row in rows:
        given.write(insert(jobs).values(row))
    lesson = given.held_lesson()
    clip = given.clip(lesson)
    given.done("deleteClassVideo", classId=lesson)
    given.store.write(lambda uow: uow.enqueue(EraseFile(clip.file.path), None))
    until(lambda: given.store.read(lambda uow: uow.jobs.count()) == 0)
    try:
        ready = get(given.house, "/readyz")
        assert ready.status_code == 200
        assert ready.json() == {
            "status": "degraded",
            "reasons": ["2 jobs are set aside; homeroom doctor says which and why"],
        }
        assert number(given.house, "homeroom_jobs_set_aside") == 2
        assert number(given.house, "homeroom_jobs_pending") == 0
        assert number(given.house, "homeroom_jobs_oldest_due_seconds") == 0
    finally:
        given.write(delete(jobs))


def test_calls_are_counted_by_action_and_errno(given: Given) -> None:
    done = 'homeroom_calls_total{action="addCourse",errno="1"}'
    bad = 'homeroom_calls_total{action="addCourse",errno="100"}'
    timed = 'homeroom_call_seconds_count{action="addCourse"}'
    unknown = 'homeroom_calls_total{action="unknown",errno="100"}'
    before = [number(given.house, sample) for sample in (done, bad, timed, unknown)]
    given.course()
    given.api.call("addCourse")
    given.api.call("noSuchAction")
    after = [number(given.house, sample) for sample in (done, bad, timed, unknown)]
    assert [now - then for now, then in zip(after, before, strict=True)] == [1, 1, 2, 1]


def test_the_metrics_tell_of_jobs_commits_and_the_build(given: Given) -> None:
    before = number(given.house, "homeroom_store_commits_total")
    given.course()
    assert number(given.house, "homeroom_store_commits_total") > before
    assert number(given.house, "homeroom_store_units_total") >= number(
        given.house, "homeroom_store_commits_total"
    )
    text = get(given.house, "/metrics").text
    for name in ("homeroom_jobs_pending", "homeroom_jobs_failing", "homeroom_job_failures_total"):
        assert f"\n{name} " in text
    assert re.search(r'^homeroom_build_info\{version="[^"]+"\} 1.0$', text, re.MULTILINE)
    assert "process_resident_memory_bytes" in text


def test_the_metrics_hold_no_secret(given: Given) -> None:
    given.course()
    text = get(given.house, "/metrics").text
    assert given.school.secret not in text
    assert str(given.school.id) not in text
