"""Nothing is deleted by a clock that jumped; the server and the operator hear of it.

Case O13.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from unittest.mock import patch

import pytest

from homeroom.async_store import AsyncStore
from homeroom.base.clock import DAY, HOUR, MINUTE, Moment
from homeroom.base.ids import SchoolId
from homeroom.base.keys import KeyGenerator
from homeroom.base.settings import Settings
from homeroom.domain.clock_check import ClockState
from homeroom.domain.retention import SweptBatch
from homeroom.folder import open_store
from homeroom.jobs.audit_follower import AuditFollower
from homeroom.jobs.clock_guard import ClockGuard
from homeroom.jobs.sweeper import Sweep, Sweeper
from homeroom.store.unit_of_work import Store, UnitOfWork
from homeroom.testing.clock import START, ManualClock
from homeroom.usecases import clock, schools
from homeroom.usecases.dependencies import Dependencies


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.pg)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    database = None
    if request.param == "postgresql":
        database = request.getfixturevalue("postgres").fresh()
    with open_store(Settings(data=tmp_path, database=database)) as store:
        store.clock = ManualClock()
        yield store


def get_clock(store: Store) -> ManualClock:
    assert isinstance(store.clock, ManualClock)
    return store.clock


def get_written_at(store: Store) -> Moment | None:
    return store.read(clock.get_written_at)


def run(store: Store, *bodies: Callable[[ClockGuard], Awaitable[None]], is_on: bool = True) -> None:
    """Run servers one after the other, each with a guard of its own."""

    async def main(body: Callable[[ClockGuard], Awaitable[None]]) -> None:
        guard = ClockGuard(AsyncStore(store), get_clock(store), is_on=is_on)
        await guard.start()
        await body(guard)
        await guard.stop()

    for body in bodies:
        asyncio.run(main(body))


async def do_nothing(_guard: ClockGuard) -> None:
    """Start and stop a server."""


def expect(state: ClockState, problem: str = "") -> Callable[[ClockGuard], Awaitable[None]]:
    """Return the body of a server that finds its clock in a state."""

    async def body(guard: ClockGuard) -> None:
        assert guard.get_state() is state
        assert guard.is_pausing() is state.pauses_sweeps
        assert problem in guard.describe_problem()
        assert bool(guard.describe_problem()) is (state is not ClockState.TRUSTED)

    return body


def test_a_trusted_clock_is_saved_at_the_start_and_at_the_end(store: Store) -> None:
    async def body(_guard: ClockGuard) -> None:
        assert get_written_at(store) == START
        get_clock(store).advance(HOUR)

    run(store, body)
    assert get_written_at(store) == START + HOUR


@pytest.mark.parametrize(
    ("seconds", "state"),
    [
        (30 * DAY, ClockState.TRUSTED),
        (30 * DAY + 1, ClockState.AHEAD),
        (400 * DAY, ClockState.AHEAD),
        (-HOUR, ClockState.TRUSTED),
        (-HOUR - 1, ClockState.BEHIND),
        (-400 * DAY, ClockState.BEHIND),
    ],
)
def test_a_start_compares_the_clock_with_the_last_moment_written(
    store: Store, seconds: int, state: ClockState
) -> None:
    run(store, do_nothing)
    get_clock(store).jump(seconds)
    run(store, expect(state))
    is_trusted = state is ClockState.TRUSTED
    assert get_written_at(store) == START + (seconds if is_trusted else 0)


@pytest.mark.parametrize(
    ("seconds", "state"),
    [
        (HOUR, ClockState.TRUSTED),
        (HOUR + 1, ClockState.JUMPED),
        (20 * DAY, ClockState.JUMPED),
        (-HOUR, ClockState.TRUSTED),
        (-HOUR - 1, ClockState.JUMPED),
    ],
)
def test_a_running_server_compares_the_clock_with_the_time_that_passed(
    store: Store, seconds: int, state: ClockState
) -> None:
    async def body(guard: ClockGuard) -> None:
        get_clock(store).advance(90 * DAY)
        assert guard.get_state() is ClockState.TRUSTED
        get_clock(store).jump(seconds)
        await expect(state)(guard)

    run(store, body)


def test_a_wrong_start_leaves_nothing_behind(store: Store) -> None:
    run(store, do_nothing)
    get_clock(store).jump(400 * DAY)
    run(store, expect(ClockState.AHEAD, "the clock is 400 days after the last write"))
    get_clock(store).jump(-400 * DAY)
    run(store, expect(ClockState.TRUSTED))


def test_a_clock_that_is_set_right_again_is_trusted(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")

    async def body(guard: ClockGuard) -> None:
        get_clock(store).jump(2 * DAY)
        await guard.check()
        await guard.check()
        get_clock(store).jump(-2 * DAY)
        await guard.check()
        assert not guard.is_pausing()

    run(store, body)
    events = [record.message for record in caplog.records]
    assert events == ["sweeps_paused", "clock_trusted_again"]
    assert "the clock jumped ahead by 2 days" in caplog.records[0].__dict__["reason"]


@pytest.mark.parametrize("seconds", [400 * DAY, -400 * DAY])
def test_an_operator_accepts_the_clock_of_a_running_server(store: Store, seconds: int) -> None:
    async def jumps(guard: ClockGuard) -> None:
        get_clock(store).jump(seconds)
        await guard.check()
        assert guard.is_pausing()
        store.write(lambda uow: clock.accept(uow, uow.now))
        get_clock(store).advance(MINUTE)
        await guard.check()
        await expect(ClockState.TRUSTED)(guard)

    run(store, jumps, expect(ClockState.TRUSTED))
    assert get_written_at(store) == START + seconds + MINUTE


def test_an_operator_accepts_the_clock_while_no_server_runs(store: Store) -> None:
    run(store, do_nothing)
    get_clock(store).jump(400 * DAY)
    store.write(lambda uow: clock.accept(uow, uow.now))
    run(store, expect(ClockState.TRUSTED))


def test_what_was_accepted_elsewhere_does_not_make_a_wrong_clock_right(store: Store) -> None:
    """Two servers on one database: the operator accepts the time of one machine."""

    async def body(guard: ClockGuard) -> None:
        get_clock(store).jump(400 * DAY)
        store.write(lambda uow: clock.accept(uow, START))
        await guard.check()
        await expect(ClockState.JUMPED)(guard)

    run(store, body)


def test_a_database_of_an_earlier_version_is_as_new_as_its_newest_row(store: Store) -> None:
    deps = Dependencies(KeyGenerator(), "", 0)
    store.write(lambda uow: schools.create(uow, deps, "School"))
    get_clock(store).advance(400 * DAY)
    run(store, expect(ClockState.AHEAD))


def test_the_sandbox_moves_its_clock_as_it_likes(store: Store) -> None:
    async def body(guard: ClockGuard) -> None:
        get_clock(store).jump(400 * DAY)
        await expect(ClockState.TRUSTED)(guard)

    run(store, body, is_on=False)
    assert get_written_at(store) is None


def test_the_sweeper_stops_between_two_batches(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    """Also within a school: what is swept is logged, with the school, the sort and the ids."""
    caplog.set_level("INFO")
    batches: list[int] = []

    def find(_uow: UnitOfWork) -> list[SchoolId]:
        return [SchoolId(1)]

    def sweep(_uow: UnitOfWork, _school: SchoolId) -> list[SweptBatch]:
        batches.append(len(batches))
        if len(batches) == 2:
            get_clock(store).jump(DAY)
        return [SweptBatch("clips", [*range(200)]), SweptBatch("viewers", [])]

    async def body(guard: ClockGuard) -> None:
        sweeps = [Sweep(find, sweep), Sweep(find, sweep)]
        await Sweeper(guard._store, sweeps, guard.is_pausing).sweep()  # noqa: SLF001  the same store

    run(store, body)
    assert batches == [0, 1]
    line = next(record for record in caplog.records if record.message == "sweep_deleted")
    facts = {name: line.__dict__[name] for name in ("sid", "sort", "count")}
    assert facts == {"sid": 1, "sort": "clips", "count": 200}
    assert line.__dict__["ids"] == [*range(100)]


def test_audit_entries_are_not_purged_by_a_clock_that_jumped(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    """They are kept for a year; the database itself goes by the machine's clock."""
    caplog.set_level("INFO")
    purged: list[Moment] = []

    def purge(_uow: UnitOfWork, now: Moment) -> int:
        purged.append(now)
        return 3

    async def body(guard: ClockGuard) -> None:
        follower = AuditFollower(guard._store, get_clock(store), guard.is_pausing)  # noqa: SLF001  the same store
        get_clock(store).jump(400 * DAY)
        await follower.purge()
        assert purged == []
        get_clock(store).jump(-400 * DAY)
        for _ in range(2):
            await follower.purge()
        assert purged == [START]

    with patch("homeroom.usecases.audit.purge", purge):
        run(store, body)
    (line,) = [record for record in caplog.records if record.message == "sweep_deleted"]
    assert (line.__dict__["sort"], line.__dict__["count"]) == ("audit_entries", 3)
