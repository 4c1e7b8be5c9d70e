"""The promises of Q93 over random histories: kills, stopped servers, clocks, failing receivers."""

import asyncio
from collections.abc import Iterator
from random import Random
from typing import Final

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from homeroom.base.clock import DAY
from homeroom.base.settings import Settings
from homeroom.domain.deliveries import AttemptOutcome, StoredMessage
from homeroom.domain.endpoints import Endpoint, EndpointFormat, EndpointOrdering
from homeroom.folder import open_store
from homeroom.store.unit_of_work import Store
from homeroom.testing.clock import START
from tests.support.deliveries import (
    ACKNOWLEDGED,
    Answer,
    check_order,
    check_same_order,
)
from tests.support.outboxes import DeliveringServer, Outboxes, redeliver
from tests.support.postgres import Postgres
from tests.support.shortcuts import stop_syncing

SERVERS: Final = ("one", "two")
LESSONS: Final = st.integers(1, 3)
NAMES: Final = st.sampled_from(SERVERS)
LEASE_SECONDS: Final = 61
BEGIN_SECONDS: Final = 0.05
"""Longest wait for a request of a server; one that is stopped makes none."""
Step = tuple[str, int | str, int]
STEPS: Final = st.lists(
    st.one_of(
        st.tuples(st.just("emit"), LESSONS, st.integers(1, 3)),
        st.tuples(st.just("refused"), LESSONS, st.just(0)),
        st.tuples(st.just("fail"), LESSONS, st.just(0)),
        st.tuples(st.just("recover"), st.just(0), st.just(0)),
        st.tuples(st.just("settle"), NAMES, st.just(0)),
        st.tuples(st.just("kill"), NAMES, st.integers(0, 6)),
        st.tuples(st.just("stop"), NAMES, st.just(0)),
        st.tuples(st.just("continue"), NAMES, st.just(0)),
        st.tuples(st.just("advance"), st.sampled_from((1, 10, LEASE_SECONDS, DAY)), st.just(0)),
        st.tuples(st.just("jump"), st.sampled_from((10, 600, -600)), st.just(0)),
        st.tuples(st.just("redeliver"), st.integers(0, 1), st.just(0)),
        st.tuples(st.just("add"), st.sampled_from(list(EndpointOrdering)), st.just(0)),
    ),
    min_size=3,
    max_size=25,
)


class History:
    """A school, two servers that deliver its messages, and what happens to them."""

    def __init__(self, store: Store, seed: int) -> None:
        self.outboxes = Outboxes(store)
        self.outboxes.receivers.random = Random(seed)
        self.outboxes.receivers.max_turns = 4
        self.outboxes.receivers.decide = self._decide
        self.failing: set[int] = set()
        self.endpoints: list[Endpoint] = []
        self.servers: dict[str, DeliveringServer] = {}

    def _decide(self, _endpoint: Endpoint, message: StoredMessage) -> Answer:
        lesson = int(message.stream.partition(":")[2])
        return AttemptOutcome.TIMEOUT if lesson in self.failing else ACKNOWLEDGED

    async def play(self, steps: list[Step]) -> None:
        """Let the steps happen, then let everything work, and check what was promised."""
        self._add(EndpointOrdering.CLASS)
        self._add(EndpointOrdering.SCHOOL)
        for name, which, number in steps:
            await self._do(name, which, number)
        for server in self.servers.values():
            await server.kill()
        self.failing.clear()
        for _ in range(3):
            self.outboxes.advance(DAY)
            last = DeliveringServer(self.outboxes, "last")
            await last.settle()
            await last.kill()
        self.check()

    def _add(self, ordering: EndpointOrdering) -> None:
        newest = self.outboxes.store.read(
            lambda uow: uow.endpoints.find_newest_message(self.outboxes.sid)
        )
        endpoint = self.outboxes.add_endpoint(
            ordering=ordering, format=EndpointFormat.CLASSIN, start_after_id=newest
        )
        self.endpoints.append(endpoint)

    async def _do(self, name: str, which: int | str, number: int) -> None:
        match name:
            case "emit":
                for _ in range(number):
                    self.outboxes.emit(int(which))
            case "refused":
                self.outboxes.emit(int(which), is_refused=True)
            case "fail":
                self.failing.add(int(which))
            case "recover":
                self.failing.clear()
            case "advance":
                self.outboxes.advance(int(which))
            case "jump":
                self.outboxes.clock.advance(int(which))
            case "redeliver":
                redeliver(self.outboxes.store, self.endpoints[int(which)].id, START)
            case "add":
                self._add(EndpointOrdering(str(which)))
            case _:
                await self._serve(name, str(which), number)

    async def _serve(self, step: str, name: str, number: int) -> None:
        server = self.servers.get(name)
        if server is None:
            server = self.servers[name] = DeliveringServer(self.outboxes, name)
            await server.start()
        match step:
            case "settle" if server.sender.gate.is_set():
                await server.settle()
            case "stop":
                server.sender.gate.clear()
                await self._let_run(server, 0)
            case "continue":
                server.sender.gate.set()
            case "kill":
                await self._let_run(server, number)
                await server.kill()
                del self.servers[name]

    async def _let_run(self, server: DeliveringServer, events: int) -> None:
        """Let a server go on until some requests have begun or ended."""
        receivers = self.outboxes.receivers
        until = receivers.places + events
        settling = asyncio.create_task(server.dispatcher.settle(1))
        server.sender.has_begun.clear()
        begun = asyncio.create_task(server.sender.has_begun.wait())
        await asyncio.wait(
            {settling, begun}, return_when=asyncio.FIRST_COMPLETED, timeout=BEGIN_SECONDS
        )
        while not settling.done() and receivers.places < until and server.sender.gate.is_set():
            await asyncio.wait({settling}, timeout=0.0005)
        for task in (settling, begun):
            task.cancel()
        await asyncio.gather(settling, begun, return_exceptions=True)

    def check(self) -> None:
        """Check the promises."""
        outboxes = self.outboxes
        assert outboxes.stored() == outboxes.emitted, "a message exists iff its unit is committed"
        for endpoint in self.endpoints:
            states = outboxes.states(endpoint)
            assert set(states) | set(outboxes.states(endpoint, resent=1)) <= {"acknowledged"}
            sent = {
                attempt.message.id
                for attempt in outboxes.attempts
                if attempt.endpoint.id == endpoint.id and attempt.outcome is ACKNOWLEDGED
            }
            assert len(sent) == len(states), "at least once"
            assert all(number > (endpoint.start_after_id or 0) for number in sent)
        check_order(outboxes.attempts, outboxes.ended())
        check_same_order(outboxes.attempts)


def play(store: Store, steps: list[Step], seed: int) -> None:
    """Play a history."""
    note(f"{steps}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("homeroom.messages.school_outbox.RETRY_SECONDS", 0.01)
        asyncio.run(History(store, seed).play(steps))


@pytest.fixture(scope="module")
def sqlite_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Open a store of SQLite."""
    with open_store(Settings(data=tmp_path_factory.mktemp("histories"))) as store:
        stop_syncing(store.engine)
        yield store


@pytest.fixture(scope="module")
def postgresql_store(
    postgres: Postgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Store]:
    """Open a store of PostgreSQL."""
    folder = tmp_path_factory.mktemp("histories")
    with open_store(Settings(data=folder, database=postgres.fresh())) as store:
        yield store


@given(STEPS, st.integers(0, 99))
@settings(max_examples=40, suppress_health_check=list(HealthCheck))
def test_promises_hold_on_sqlite(sqlite_store: Store, steps: list[Step], seed: int) -> None:
    play(sqlite_store, steps, seed)


@given(STEPS, st.integers(0, 99))
@settings(max_examples=15, suppress_health_check=list(HealthCheck))
def test_promises_hold_on_postgresql(postgresql_store: Store, steps: list[Step], seed: int) -> None:
    play(postgresql_store, steps, seed)


@pytest.mark.soak
@given(STEPS, st.integers(0, 99))
@settings(max_examples=1500, suppress_health_check=list(HealthCheck))
def test_promises_hold_for_long(sqlite_store: Store, steps: list[Step], seed: int) -> None:
    play(sqlite_store, steps, seed)


@pytest.mark.soak
@given(STEPS, st.integers(0, 99))
@settings(max_examples=500, suppress_health_check=list(HealthCheck))
def test_promises_hold_for_long_on_postgresql(
    postgresql_store: Store, steps: list[Step], seed: int
) -> None:
    play(postgresql_store, steps, seed)
