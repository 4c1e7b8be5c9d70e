"""Probes and metrics."""

import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from sqlalchemy import delete, insert, select, update

from homeroom.admin import readiness
from homeroom.domain.jobs import EraseFile
from homeroom.store.engine import Row, StoreError
from homeroom.store.statement import Statement
from homeroom.store.tables import jobs, lanes, server_state
from tests.support.engine import until
from tests.support.given import Given
from tests.support.message_rows import add_messages
from tests.support.outages import foreign_lock, forget_outage, full_disk
from tests.support.serving import ON_SQLITE, House


def get(house: House, path: str) -> httpx.Response:
    return httpx.get(house.url + path, timeout=30)


def number(house: House, sample: str) -> float:
    """Return a sample of the metrics, 0 where there is none yet."""
    return find_number(get(house, "/metrics").text, sample)


def find_number(text: str, sample: str) -> float:
    """Return a sample of one scrape, 0 where there is none yet."""
    found = re.search(rf"^{re.escape(sample)} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else 0.0


def test_a_running_server_is_alive_and_ready(house: House) -> None:
    assert (get(house, "/healthz").status_code, get(house, "/healthz").text) == (200, "ok\n")
    ready = get(house, "/readyz")
    assert (ready.status_code, ready.json()) == (200, {"status": "ready", "reasons": []})
    assert ready.headers["cache-control"] == "no-store"


@pytest.fixture(autouse=True)
def fresh(house: House) -> Iterator[None]:
    """Let no probe of a test see what the database was like in another one."""
    forget_outage(house)
    yield
    forget_outage(house)


def reasons(house: House) -> list[str]:
    """Return the reasons for which a server is not ready."""
    answer = get(house, "/readyz")
    assert answer.status_code == (503 if answer.json()["status"] == "not ready" else 200)
    return list(answer.json()["reasons"])


def test_a_heartbeat_reaches_the_disk(house: House) -> None:
    """Case O1: an empty unit of work reaches no disk."""
    query = select(server_state.c.name, server_state.c.value).where(
        server_state.c.name.like("heartbeat.%")
    )
    statement = Statement(query)

    def read() -> set[Row]:
        return set(house.store.read(lambda uow: uow.schools._tx.fetch_all(statement, {})))  # noqa: SLF001  the way in

    before = read()
    assert reasons(house) == []
    (written,) = read() - before
    assert len(written[1]) > 32_000
    # Within a second, all probes share one result.
    for _ in range(20):
        get(house, "/readyz")
    assert len(read() - before) == 1


def test_many_probes_share_a_heartbeat(house: House) -> None:
    beats = 'homeroom_heartbeats_total{outcome="ok"}'
    before, began = number(house, beats), time.monotonic()
    with ThreadPoolExecutor(8) as probes:
        answers = list(probes.map(lambda _: get(house, "/readyz").status_code, range(200)))
    assert set(answers) == {200}
    # One had perhaps begun before, and one begins at once.
    assert number(house, beats) - before <= time.monotonic() - began + 2


def test_a_full_disk_is_a_reason_until_there_is_room(house: House) -> None:
    """Case O1."""
    failures = 'homeroom_heartbeats_total{outcome="disk_full"}'
    before = number(house, failures)
    with full_disk(house):
        house.services.readiness.forget()
        assert reasons(house) == ["the disk is full"]
        assert number(house, failures) > before
        assert get(house, "/healthz").status_code == 200
    forget_outage(house)
    assert reasons(house) == []


def test_a_full_disk_that_only_calls_meet_is_a_reason(house: House, given: Given) -> None:
    """A heartbeat may find room where the larger rows of a call do not."""
    with full_disk(house, tables=("courses",)):
        assert given.api.call("addCourse", courseName="Course").status == 503
        house.services.readiness.forget()
        assert reasons(house) == ["the disk is full"]
    house.services.async_store.outage_at -= 10
    given.course()
    house.services.readiness.forget()
    assert reasons(house) == []


@ON_SQLITE  # PostgreSQL has no lock of the whole database
def test_a_lock_of_another_program_is_a_reason(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case O9: though the probe waits for less time than a call."""
    monkeypatch.setattr(readiness, "PROBE_TIMEOUT_SECONDS", 0.5)
    with foreign_lock(house):
        assert reasons(house) == ["another program holds the database"]
    until(lambda: not house.store.load.queue_length)
    house.services.readiness.forget()
    assert reasons(house) == []


def test_a_database_that_does_not_answer_is_a_reason(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "PROBE_TIMEOUT_SECONDS", 0.2)
    gate = threading.Event()
    house.store.submit_write(lambda _uow: gate.wait(10), lambda _result, _failure: None)
    house.store.submit_write(lambda _uow: gate.wait(10), lambda _result, _failure: None)
    if house.engine == "postgresql":
        for _ in range(10):
            house.store.submit_write(lambda _uow: gate.wait(10), lambda _result, _failure: None)
    try:
        answer = get(house, "/readyz")
        assert answer.status_code == 503
        assert answer.json()["reasons"][0] in (
            "the database does not answer in time",
            "no connection to the database is free",
        )
        assert number(house, "homeroom_store_queue_units") >= 1
        assert number(house, "homeroom_store_queue_seconds") > 0
    finally:
        gate.set()


def test_a_defect_of_the_database_layer_is_a_reason(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_args: object, **_more: object) -> None:
        raise StoreError("no such table")

    monkeypatch.setattr(house.services.async_store, "write", fail)
    assert reasons(house) == ["the database failed; see the log of the server"]


def test_a_stopping_server_is_not_ready(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(house.services.draining, "is_active", True)
    assert reasons(house) == ["the server is shutting down"]
    assert get(house, "/healthz").status_code == 200
    answer = get(house, "/docs")
    assert answer.status_code == 503
    assert answer.json()["detail"] == "the server is shutting down"
    assert answer.headers["connection"] == "close"


@pytest.mark.parametrize(("behind", "expected"), [(301.0, True), (299.0, False)])
def test_a_job_that_is_overdue_is_a_reason(
    given: Given, monkeypatch: pytest.MonkeyPatch, behind: float, *, expected: bool
) -> None:
    """A job leased by another server for ever, due 1,000 s ago by the clock of this one."""
    row = {"kind": "erase_file", "payload": "{}", "due_at": given.now - 1000, "attempts": 0}
    given.write(insert(jobs).values({**row, "leased_until": 9_999_999_999}))
    monkeypatch.setattr(given.house.main.job_loop, "behind_seconds", lambda: behind)
    try:
        overdue = ["the oldest job has been due for 301 s"]
        assert reasons(given.house) == (overdue if expected else [])
    finally:
        given.write(delete(jobs))


def test_the_metrics_tell_of_disk_queue_and_connections(house: House) -> None:
    assert number(house, "homeroom_disk_free_bytes") > 0
    assert number(house, "homeroom_store_connections_max") >= 1
    until(lambda: number(house, "homeroom_store_queue_units") == 0)
    assert number(house, "homeroom_heartbeat_timestamp_seconds") > 1_700_000_000
    assert number(house, 'homeroom_heartbeats_total{outcome="ok"}') >= 1
    assert (number(house, "homeroom_store_wal_bytes") > 0) == (house.engine == "sqlite")


def test_a_job_loop_that_stands_still_is_a_reason(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(house.main.job_loop, "idle_seconds", lambda: 61.0)
    answer = get(house, "/readyz")
    assert answer.status_code == 503
    assert answer.json()["reasons"] == ["the loop that does jobs has not turned for 61 s"]


def test_a_loop_of_messages_that_stands_still_is_a_reason(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(house.main.messages, "_looked_at", time.monotonic() - 61)
    answer = get(house, "/readyz")
    assert answer.status_code == 503
    assert answer.json()["reasons"] == ["the loop that sends messages has not turned for 61 s"]


def test_the_metrics_tell_of_messages(given: Given) -> None:
    add_messages(given, given.lesson())
    own = lanes.c.school_id == given.school.id
    given.write(update(lanes).where(own).values(failures=1))
    text = get(given.house, "/metrics").text
    assert find_number(text, "homeroom_messages_waiting") >= 1
    assert find_number(text, "homeroom_message_queues_failing") >= 1
    assert "# TYPE homeroom_message_attempts_total counter" in text


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


def test_a_single_job_is_counted_in_the_singular(given: Given) -> None:
    row = {"kind": "of_the_next_version", "payload": "{}", "due_at": 1, "leased_until": 0}
    given.write(insert(jobs).values({**row, "attempts": 0}))
    try:
        until(lambda: given.store.read(lambda uow: uow.jobs.count()) == 0)
        forget_outage(given.house)
        assert reasons(given.house) == ["1 job is set aside; homeroom doctor says which and why"]
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
    text = get(given.house, "/metrics").text
    units, commits = "homeroom_store_units_total", "homeroom_store_commits_total"
    assert find_number(text, units) >= find_number(text, commits)
    for name in ("homeroom_jobs_pending", "homeroom_jobs_failing", "homeroom_job_failures_total"):
        assert f"\n{name} " in text
    assert re.search(r'^homeroom_build_info\{version="[^"]+"\} 1.0$', text, re.MULTILINE)
    assert "process_resident_memory_bytes" in text


def test_the_metrics_hold_no_secret(given: Given) -> None:
    given.course()
    text = get(given.house, "/metrics").text
    assert given.school.secret not in text
    assert str(given.school.id) not in text
