"""A database that fails for a known cause: each interface says which, and when to try again."""

import errno
import json
import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import httpx
import pytest

from homeroom.store import sqlite
from homeroom.store.outages import OutageCause
from tests.support.given import Given
from tests.support.outages import (
    failing_writes,
    foreign_lock,
    forget_outage,
    full_disk,
    sqlite_file,
)
from tests.support.process import CommandFailed, typed
from tests.support.serving import ON_POSTGRESQL, ON_SQLITE, House


@pytest.fixture(autouse=True)
def short_waits(house: House, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Wait for a lock for a moment only, and leave no outage to other tests."""
    monkeypatch.setattr(sqlite, "LOCK_WAIT_SECONDS", 0.1)
    yield
    forget_outage(house)


def check_unavailable(given: Given, cause: OutageCause) -> None:
    """Check the answer of a call that writes (READINGS Q102)."""
    reply = given.api.call("addCourse", courseName="Course")
    assert (reply.status, reply.errno, reply.reason) == (503, 114, cause.sentence)
    assert int(reply.headers["retry-after"]) >= 1


def test_a_full_disk_is_the_reason_of_a_call_until_there_is_room(given: Given) -> None:
    """Case O1."""
    with full_disk(given.house):
        for _ in range(3):
            check_unavailable(given, OutageCause.DISK_FULL)
    given.course()


@ON_SQLITE  # PostgreSQL has no lock of the whole database
def test_a_lock_of_another_program_is_the_reason_of_a_call(given: Given) -> None:
    """Case O9."""
    with foreign_lock(given.house):
        check_unavailable(given, OutageCause.LOCKED)
    given.course()


@ON_POSTGRESQL  # SQLite has other codes
@pytest.mark.parametrize(
    ("sqlstate", "cause"),
    [
        ("53200", OutageCause.OUT_OF_MEMORY),
        ("42501", OutageCause.NO_PERMISSION),
        ("57014", OutageCause.TIMEOUT),
        ("58030", OutageCause.DISK_FAILED),
        ("XX001", OutageCause.DAMAGED),
    ],
)
def test_each_error_of_postgresql_has_its_sentence(
    given: Given, sqlstate: str, cause: OutageCause
) -> None:
    with failing_writes(given.house, sqlstate):
        check_unavailable(given, cause)
    given.course()


@ON_POSTGRESQL  # the error is one that PostgreSQL raises
def test_an_error_of_the_program_is_no_outage(given: Given, house: House) -> None:
    with failing_writes(house, "22012"):
        reply = given.api.call("addCourse", courseName="Course")
    assert (reply.status, reply.errno) == (200, 114)
    assert reply.reason == "the server failed; see its log"


def test_a_repeated_call_after_an_outage_is_no_duplicate(given: Given) -> None:
    form = given.api.signed(courseName="Course")
    with full_disk(given.house):
        assert given.api.post("addCourse", data=form).status == 503
    assert given.api.post("addCourse", data=form).errno == 1


def test_pages_and_the_sandbox_answer_503_with_the_cause(given: Given) -> None:
    with full_disk(given.house):
        answer = httpx.post(f"{given.house.url}/sandbox/clock", json={"advance": 1}, timeout=30)
        assert answer.status_code == 503
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["detail"] == "the disk is full"
        assert int(answer.headers["retry-after"]) >= 1


def test_an_outage_is_logged_once(given: Given, caplog: pytest.LogCaptureFixture) -> None:
    given.house.services.async_store.outage = None  # of a test before this one
    with caplog.at_level(logging.WARNING, "homeroom"), full_disk(given.house):
        for _ in range(5):
            check_unavailable(given, OutageCause.DISK_FULL)
    lines = [record for record in caplog.records if record.message == "store_unavailable"]
    assert len(lines) == 1
    assert "the disk is full" in str(vars(lines[0])["reason"])
    assert not [record for record in caplog.records if record.message == "call failed"]


def run_doctor(house: House) -> dict[str, tuple[str, str]]:
    """Return state and message of each check of `homeroom doctor`."""
    settings = house.services.settings
    where = ["--data", str(settings.data)]
    if settings.database is not None:
        where += ["--database", settings.database]
    try:
        output = typed("doctor", "--json", *where)
    except CommandFailed as failure:
        if not failure.stdout:
            raise  # its message is what the command wrote to stderr
        output = failure.stdout
    return {line["check"]: (line["state"], line["said"]) for line in json.loads(output)}


def test_the_doctor_names_the_cause(house: House) -> None:
    """Case O1."""
    assert run_doctor(house)["writes"] == ("ok", "reach the disk")
    if house.engine == "sqlite":
        with foreign_lock(house):
            assert run_doctor(house)["writes"] == ("fail", OutageCause.LOCKED.sentence)
    else:
        with failing_writes(house, "53100"):
            state, message = run_doctor(house)["writes"]
        assert (state, message[:16]) == ("fail", OutageCause.DISK_FULL.sentence)


def test_a_long_reader_is_seen_by_the_doctor(given: Given) -> None:
    """Case O17."""
    if given.house.engine == "postgresql":
        assert run_doctor(given.house)["write-ahead log"][0] == "ok"
        return
    with closing(sqlite3.connect(sqlite_file(given.house), isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM jobs").fetchone()
        given.store.write(lambda uow: uow.server_state.save("large", "x" * 10_000_000))
        state, message = run_doctor(given.house)["write-ahead log"]
        assert state == "warn"
        assert "held by a program that has been reading" in message
        reader.execute("ROLLBACK")
        assert run_doctor(given.house)["write-ahead log"][0] == "ok"
    given.store.write(lambda uow: uow.server_state.save("large", ""))


def test_a_disk_without_room_for_a_file_is_an_outage(
    given: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_args: object, **_more: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    services = given.house.services
    monkeypatch.setattr(services.dispatcher, "dispatch", fail)
    check_unavailable(given, OutageCause.DISK_FULL)
    monkeypatch.setattr(services.readiness, "check", fail)
    answer = httpx.get(f"{given.house.url}/readyz")
    assert (answer.status_code, answer.json()["detail"]) == (503, "the disk is full")
