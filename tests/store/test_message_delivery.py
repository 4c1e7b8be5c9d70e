"""The delivery loop: order, retries, leases and dead letters, on both engines (Q92, Q93, Q98)."""

import asyncio
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from homeroom.base.clock import DAY
from homeroom.base.ids import EndpointId, SchoolId
from homeroom.base.settings import Settings
from homeroom.contract.messages.kinds import MessageKind
from homeroom.domain.deliveries import AttemptOutcome, StoredMessage
from homeroom.domain.endpoints import EndpointFormat, EndpointOrdering, EndpointState
from homeroom.folder import open_store
from homeroom.store.tables import attempts, deliveries, endpoints, lanes, messages, outboxes
from homeroom.testing.clock import ManualClock
from homeroom.usecases import deliveries as usecase
from tests.support.mailing import FakeSender, PostOffice, delivering


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.pg)])
def office(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[PostOffice]:
    database = None
    if request.param == "postgresql":
        database = request.getfixturevalue("postgres").fresh()
    with open_store(Settings(data=tmp_path, database=database)) as store:
        store.clock = ManualClock()
        yield PostOffice(store)


def run(scene: Coroutine[Any, Any, None]) -> None:
    asyncio.run(scene)


def states(office: PostOffice) -> list[str]:
    return [row[1] for row in office.rows(deliveries.c.id, deliveries.c.state)]


def test_each_endpoint_gets_the_messages_in_order(office: PostOffice) -> None:
    first, second = office.endpoint(), office.endpoint(kinds=("class_changed",))
    ids = [office.message(f"course:{place % 3}") for place in range(10)]
    other = office.message("class:1", MessageKind.CLASS_CHANGED)
    sender = FakeSender()

    async def scene() -> None:
        async with delivering(office, sender) as dispatcher:
            await dispatcher.settle(10)

    run(scene())
    assert sender.acknowledged(first) == [*ids, other]
    assert sender.acknowledged(second) == [other]
    assert set(states(office)) == {"acknowledged"}
    assert office.rows(lanes.c.id) == []
    assert [row[1] for row in office.rows(messages.c.id, messages.c.position)] == list(range(1, 12))
    assert len(office.rows(attempts.c.id)) == 12
    ((_, last, owner),) = office.rows(
        outboxes.c.school_id, outboxes.c.last_position, outboxes.c.leased_by
    )
    assert (last, owner) == (11, None)


def test_a_failing_message_holds_back_its_lane_and_no_other(office: PostOffice) -> None:
    whole = office.endpoint()
    by_stream = office.endpoint(format=EndpointFormat.STANDARD, ordering=EndpointOrdering.CLASS)
    free = office.endpoint(format=EndpointFormat.STANDARD, ordering=EndpointOrdering.NONE)
    bad = office.message("class:1")
    later = [office.message("class:1"), office.message("class:2"), office.message("course:1")]

    def decide(_endpoint: EndpointId, message: StoredMessage) -> AttemptOutcome | None:
        return None if message.id == bad else AttemptOutcome.ACKNOWLEDGED

    sender = FakeSender(decide)

    async def scene() -> None:
        async with delivering(office, sender) as dispatcher:
            await sender.until(lambda: len(sender.ended) == 8)
            assert await dispatcher.settle(10)

    run(scene())
    assert sender.acknowledged(whole) == []
    assert sender.acknowledged(by_stream) == later[1:]
    assert sorted(sender.acknowledged(free)) == later
    assert [message for _, message in sender.begun].count(bad) == 3


def test_a_retry_is_due_when_either_clock_has_gone_on(office: PostOffice) -> None:
    endpoint = office.endpoint()
    office.message()
    sender = FakeSender(lambda _endpoint, _message: AttemptOutcome.WRONG_ERRNO)
    clock, real = office.clock, ManualClock(1000)
    assert isinstance(clock, ManualClock)

    async def scene() -> None:
        async with delivering(office, sender, real=real) as dispatcher:
            await dispatcher.settle(10)
            assert len(sender.ended) == 1
            clock.advance(9)
            await dispatcher.settle(10)
            assert len(sender.ended) == 1
            clock.advance(1)
            await dispatcher.settle(10)
            assert len(sender.ended) == 2
            # A jump makes one attempt, not one for each interval.
            clock.advance(DAY)
            await dispatcher.settle(10)
            assert len(sender.ended) == 3
            clock.advance(-2 * DAY)
            real.advance(10)
            await dispatcher.settle(10)
            assert len(sender.ended) == 4

    run(scene())
    assert states(office) == ["waiting"]
    ((_, failures, outcome),) = office.rows(lanes.c.id, lanes.c.failures, lanes.c.last_outcome)
    assert (failures, outcome) == (4, "wrong_errno")
    assert sender.acknowledged(endpoint) == []


def test_the_next_message_begins_after_the_last_one_was_saved(office: PostOffice) -> None:
    endpoint = office.endpoint()
    ids = [office.message() for _ in range(3)]
    sender = FakeSender()

    async def scene() -> None:
        sender.gate.clear()
        async with delivering(office, sender):
            await sender.until(lambda: len(sender.begun) == 1)
            await asyncio.sleep(0)
            assert sender.begun == [(endpoint, ids[0])]
            sender.gate.set()
            await sender.until(lambda: len(sender.ended) == 3)

    run(scene())
    assert sender.acknowledged(endpoint) == ids


def test_a_stop_in_the_middle_sends_again_and_in_order(office: PostOffice) -> None:
    endpoint = office.endpoint()
    ids = [office.message() for _ in range(3)]
    first, second = FakeSender(), FakeSender()

    async def scene() -> None:
        first.gate.clear()
        async with delivering(office, first):
            await first.until(lambda: len(first.begun) == 1)
        async with delivering(office, second):
            await second.until(lambda: len(second.ended) == 3)

    run(scene())
    assert first.begun == [(endpoint, ids[0])]
    assert second.acknowledged(endpoint) == ids


def test_a_lease_keeps_another_server_away_until_it_ends(office: PostOffice) -> None:
    endpoint = office.endpoint()
    office.message()
    clock = office.clock
    assert isinstance(clock, ManualClock)
    sender = FakeSender()
    school = office.school
    now = clock.now()
    assert office.store.write(lambda uow: usecase.claim(uow, school, "other", 60, now))

    async def scene() -> None:
        async with delivering(office, sender) as dispatcher:
            assert await dispatcher.settle(10)
            assert sender.begun == []
            clock.advance(61)
            await dispatcher.settle(10)
            await sender.until(lambda: len(sender.ended) == 1)

    run(scene())
    assert len(sender.acknowledged(endpoint)) == 1


def test_a_server_whose_lease_was_taken_saves_nothing(office: PostOffice) -> None:
    office.endpoint()
    office.message()
    sender = FakeSender()
    school = SchoolId(office.school)

    async def scene() -> None:
        sender.gate.clear()
        async with delivering(office, sender):
            await sender.until(lambda: len(sender.begun) == 1)
            until = office.clock.now() + 60
            taken = await asyncio.to_thread(
                office.store.write,
                lambda uow: usecase.claim(uow, school, "other", 60, until),
            )
            assert taken
            sender.gate.set()
            await sender.until(lambda: len(sender.ended) == 1)

    run(scene())
    assert states(office) == ["waiting"]
    assert office.rows(attempts.c.id) == []


def test_after_90_days_a_message_is_a_dead_letter(office: PostOffice) -> None:
    office.endpoint()
    old = office.message()
    clock = office.clock
    assert isinstance(clock, ManualClock)
    clock.advance(90 * DAY)
    office.message()

    def decide(_endpoint: EndpointId, message: StoredMessage) -> AttemptOutcome | None:
        return None if message.id == old else AttemptOutcome.ACKNOWLEDGED

    sender = FakeSender(decide)

    async def scene() -> None:
        async with delivering(office, sender) as dispatcher:
            await dispatcher.settle(10)

    run(scene())
    assert states(office) == ["dead", "acknowledged"]


@pytest.mark.parametrize("status", [410, 500])
def test_gone_disables_an_endpoint(office: PostOffice, status: int) -> None:
    office.endpoint()
    office.message()
    office.message()
    sender = FakeSender(lambda _endpoint, _message: AttemptOutcome.STATUS)
    sender.status = status

    async def scene() -> None:
        async with delivering(office, sender) as dispatcher:
            await dispatcher.settle(10)

    run(scene())
    ((_, state, reason),) = office.rows(endpoints.c.id, endpoints.c.state, endpoints.c.state_reason)
    if status == 410:
        assert (state, reason) == (EndpointState.DISABLED, "the receiver answered 410 Gone")
    else:
        assert (state, reason) == (EndpointState.ACTIVE, None)
    assert states(office) == ["waiting", "waiting"]


def test_a_paused_endpoint_keeps_its_backlog(office: PostOffice) -> None:
    endpoint = office.endpoint(state=EndpointState.PAUSED)
    office.endpoint(state=EndpointState.PENDING, start_after_id=None)
    ids = [office.message() for _ in range(2)]
    sender = FakeSender()

    async def scene() -> None:
        async with delivering(office, sender) as dispatcher:
            await dispatcher.settle(10)
            assert sender.begun == []
            await asyncio.to_thread(
                office.store.write,
                lambda uow: uow.endpoints.set_state(endpoint, EndpointState.ACTIVE, None),
            )
            await dispatcher.settle(10)

    run(scene())
    assert sender.acknowledged(endpoint) == ids
    assert len(sender.begun) == 2


def test_nothing_from_before_the_activation_is_sent(office: PostOffice) -> None:
    before = office.message()
    endpoint = office.endpoint(start_after_id=before)
    after = office.message()
    sender = FakeSender()

    async def scene() -> None:
        async with delivering(office, sender) as dispatcher:
            await dispatcher.settle(10)

    run(scene())
    assert sender.acknowledged(endpoint) == [after]


def test_faults_end_attempts_before_they_reach_the_receiver(office: PostOffice) -> None:
    endpoint = office.endpoint()
    office.message()
    wanted = [AttemptOutcome.TLS]
    sender = FakeSender()
    clock = office.clock
    assert isinstance(clock, ManualClock)

    async def scene() -> None:
        async with delivering(
            office, sender, take_fault=lambda _endpoint: wanted.pop() if wanted else None
        ) as dispatcher:
            await dispatcher.settle(10)
            assert sender.begun == []
            clock.advance(10)
            await dispatcher.settle(10)
            assert dispatcher.outcomes == {"tls": 1, "acknowledged": 1}

    run(scene())
    assert len(sender.acknowledged(endpoint)) == 1
