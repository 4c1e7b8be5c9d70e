"""The delivery loop on both engines: order, retries by both clocks, and what ends an endpoint."""

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import update

from homeroom.base.clock import DAY, MINUTE
from homeroom.base.settings import Settings
from homeroom.domain.deliveries import AttemptOutcome, AttemptResult, StoredMessage
from homeroom.domain.endpoints import (
    Endpoint,
    EndpointFormat,
    EndpointOrdering,
    EndpointState,
)
from homeroom.folder import open_store
from homeroom.messages.outbox_work import MAX_IN_FLIGHT
from homeroom.store import tables
from homeroom.store.statement import Statement
from homeroom.store.unit_of_work import Store
from homeroom.usecases import deliveries
from tests.support.deliveries import ACKNOWLEDGED, Answer, Decide, acknowledge
from tests.support.outboxes import DeliveringServer, Outboxes, outage
from tests.support.shortcuts import stop_syncing

TIMEOUT = AttemptOutcome.TIMEOUT


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.pg)])
def store(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Store]:
    """Open a store of each engine."""
    database = None
    if request.param == "postgresql":
        database = request.getfixturevalue("postgres").fresh()
    folder = tmp_path_factory.mktemp("outboxes")
    with open_store(Settings(data=folder, database=database)) as store:
        stop_syncing(store.engine)
        yield store


@pytest.fixture
def outboxes(store: Store) -> Outboxes:
    """Give a school; those of other tests have no endpoint that is active."""
    pause_all = Statement(update(tables.endpoints).values(state="paused"))
    store.write(lambda uow: uow._tx.execute(pause_all, {}))  # noqa: SLF001  of a test
    return Outboxes(store)


def refuse(*lessons: int, answer: Answer = TIMEOUT) -> Decide:
    """Return what a receiver does that does not acknowledge the messages of some classes."""

    def decide(_endpoint: Endpoint, message: StoredMessage) -> Answer:
        return answer if int(message.stream.partition(":")[2]) in lessons else ACKNOWLEDGED

    return decide


def deliver(outboxes: Outboxes, *names: str) -> None:
    """Make the attempts that are due, by servers in turn; each ends as if it were killed."""

    async def scene() -> None:
        for name in names or ("one",):
            server = DeliveringServer(outboxes, name)
            await server.start()
            await server.settle()
            await server.kill()

    asyncio.run(scene())


def test_messages_of_a_class_come_in_order(outboxes: Outboxes) -> None:
    endpoint = outboxes.add_endpoint()
    numbers = [outboxes.emit() for _ in range(5)]
    began = time.monotonic()

    deliver(outboxes)

    assert outboxes.numbers() == numbers
    assert outboxes.states(endpoint) == ["acknowledged"] * 5
    # The next one is sent when the one before is saved, and not at the next look for work.
    assert time.monotonic() - began < 4


def test_a_message_exists_if_its_unit_was_committed(outboxes: Outboxes) -> None:
    outboxes.add_endpoint()
    first = outboxes.emit()
    outboxes.emit(is_refused=True)
    second = outboxes.emit()

    deliver(outboxes)

    assert outboxes.numbers() == outboxes.stored() == [first, second]


def test_a_failing_class_holds_up_its_own_messages_alone(outboxes: Outboxes) -> None:
    outboxes.add_endpoint()
    held = [outboxes.emit(lesson=1) for _ in range(2)]
    others = [outboxes.emit(lesson=2) for _ in range(2)]
    outboxes.receivers.decide = refuse(1)

    deliver(outboxes)

    assert sorted(outboxes.numbers()) == sorted([held[0], *others])
    outboxes.receivers.decide = acknowledge
    outboxes.advance(10)
    deliver(outboxes)
    assert outboxes.numbers()[-2:] == held


def test_a_failing_message_holds_up_the_school_where_the_endpoint_wants_it_so(
    outboxes: Outboxes,
) -> None:
    endpoint = outboxes.add_endpoint(ordering=EndpointOrdering.SCHOOL)
    numbers = [outboxes.emit(lesson=lesson) for lesson in (1, 2, 3)]
    outboxes.receivers.decide = refuse(1)

    deliver(outboxes)
    assert outboxes.numbers() == numbers[:1]

    outboxes.receivers.decide = acknowledge
    outboxes.advance(10)
    deliver(outboxes)
    assert outboxes.numbers(endpoint) == [numbers[0], *numbers]


def test_without_an_order_a_failing_message_holds_up_none(outboxes: Outboxes) -> None:
    outboxes.add_endpoint(ordering=EndpointOrdering.NONE)
    numbers = [outboxes.emit() for _ in range(5)]
    outboxes.receivers.decide = lambda _endpoint, message: (
        TIMEOUT if f'"Number":{numbers[0]}' in message.body else ACKNOWLEDGED
    )

    deliver(outboxes)

    assert sorted(outboxes.numbers()) == numbers


@pytest.mark.parametrize("which", ["clock", "real"])
def test_a_retry_is_due_when_either_clock_has_gone_on(outboxes: Outboxes, which: str) -> None:
    outboxes.add_endpoint()
    outboxes.emit()
    outboxes.receivers.decide = refuse(1)
    clock = getattr(outboxes, which)
    deliver(outboxes)

    clock.advance(9)
    deliver(outboxes)
    assert len(outboxes.numbers()) == 1

    clock.advance(1)
    deliver(outboxes)
    assert len(outboxes.numbers()) == 2


def test_a_jump_of_the_clock_makes_one_attempt(outboxes: Outboxes) -> None:
    outboxes.add_endpoint()
    outboxes.emit(lesson=1)
    outboxes.emit(lesson=2)
    outboxes.receivers.decide = refuse(1, 2)
    deliver(outboxes)

    outboxes.clock.advance(DAY)
    deliver(outboxes)

    assert len(outboxes.numbers()) == 4


def test_retries_of_the_standard_format_come_later_and_later(outboxes: Outboxes) -> None:
    outboxes.add_endpoint(format=EndpointFormat.STANDARD)
    outboxes.emit()
    outboxes.receivers.decide = refuse(1)
    deliver(outboxes)
    waits: list[int] = []
    for _ in range(2):
        seconds = 0
        while len(outboxes.numbers()) < len(waits) + 2:
            outboxes.advance(1 if not waits else 5)
            seconds += 1 if not waits else 5
            deliver(outboxes)
            assert seconds < 400
        waits.append(seconds)

    assert 5 <= waits[0] <= 6
    assert 5 * MINUTE <= waits[1] <= 335


def test_a_receiver_may_ask_for_more_time(outboxes: Outboxes) -> None:
    outboxes.add_endpoint(format=EndpointFormat.STANDARD)
    outboxes.emit()
    asked = AttemptResult(AttemptOutcome.STATUS, status=503, retry_after=100)
    outboxes.receivers.decide = refuse(1, answer=asked)
    deliver(outboxes)

    outboxes.advance(99)
    deliver(outboxes)
    assert len(outboxes.numbers()) == 1
    outboxes.advance(1)
    deliver(outboxes)
    assert len(outboxes.numbers()) == 2


def test_gone_disables_an_endpoint_and_its_messages_wait(outboxes: Outboxes) -> None:
    endpoint = outboxes.add_endpoint()
    outboxes.emit(lesson=1)
    outboxes.receivers.decide = refuse(1, answer=AttemptResult(AttemptOutcome.STATUS, status=410))

    deliver(outboxes)

    assert outboxes.endpoint(endpoint.id).state is EndpointState.DISABLED
    outboxes.emit(lesson=2)
    outboxes.advance(DAY)
    deliver(outboxes)
    assert len(outboxes.numbers()) == 1
    assert outboxes.states(endpoint) == ["waiting", "waiting"]


def test_five_days_without_a_success_disable_the_standard_format(outboxes: Outboxes) -> None:
    standard = outboxes.add_endpoint(format=EndpointFormat.STANDARD)
    classin = outboxes.add_endpoint()
    outboxes.emit()
    outboxes.receivers.decide = refuse(1)
    for _ in range(6):
        deliver(outboxes)
        assert outboxes.endpoint(standard.id).state is EndpointState.ACTIVE
        outboxes.advance(DAY)

    deliver(outboxes)

    assert outboxes.endpoint(standard.id).state is EndpointState.DISABLED
    assert outboxes.endpoint(classin.id).state is EndpointState.ACTIVE


def test_a_quiet_endpoint_is_not_disabled_by_its_first_failure(outboxes: Outboxes) -> None:
    endpoint = outboxes.add_endpoint(format=EndpointFormat.STANDARD)
    outboxes.advance(20 * DAY)
    outboxes.emit()
    outboxes.receivers.decide = refuse(1)

    deliver(outboxes)

    assert outboxes.endpoint(endpoint.id).state is EndpointState.ACTIVE


def test_a_message_is_a_dead_letter_after_ninety_days(outboxes: Outboxes) -> None:
    endpoint = outboxes.add_endpoint()
    dead, newer = outboxes.emit(), 0
    outboxes.receivers.decide = refuse(1)
    deliver(outboxes)
    outboxes.advance(89 * DAY)
    newer = outboxes.emit()
    deliver(outboxes)
    assert outboxes.numbers() == [dead, dead]

    outboxes.advance(DAY)
    deliver(outboxes)

    assert outboxes.numbers() == [dead, dead, dead, newer]
    assert outboxes.states(endpoint) == ["dead", "waiting"]


def test_endpoints_get_the_messages_that_they_subscribe_to(outboxes: Outboxes) -> None:
    everything = outboxes.add_endpoint()
    by_name = outboxes.add_endpoint(kinds=("hand_raise",))
    by_command = outboxes.add_endpoint(kinds=("67375105",))
    others = outboxes.add_endpoint(kinds=("End",))
    number = outboxes.emit()

    deliver(outboxes)

    for endpoint in (everything, by_name, by_command):
        assert outboxes.numbers(endpoint) == [number]
    assert outboxes.numbers(others) == []


def test_nothing_from_before_the_activation_is_sent(outboxes: Outboxes) -> None:
    outboxes.add_endpoint()
    outboxes.emit()
    newest = outboxes.store.read(lambda uow: uow.endpoints.find_newest_message(outboxes.sid))
    late = outboxes.add_endpoint(start_after_id=newest)
    number = outboxes.emit()

    deliver(outboxes)

    assert outboxes.numbers(late) == [number]


def test_messages_of_a_paused_endpoint_wait(outboxes: Outboxes) -> None:
    endpoint = outboxes.add_endpoint(state=EndpointState.PAUSED)
    numbers = [outboxes.emit() for _ in range(2)]
    deliver(outboxes)
    assert outboxes.numbers() == []

    outboxes.store.write(
        lambda uow: uow.endpoints.set_state(endpoint.id, EndpointState.ACTIVE, None)
    )
    deliver(outboxes)

    assert outboxes.numbers() == numbers


def test_another_server_takes_over_when_the_lease_is_over(outboxes: Outboxes) -> None:
    outboxes.add_endpoint()
    first = outboxes.emit()
    deliver(outboxes, "one")  # killed: its lease stays
    second = outboxes.emit()

    deliver(outboxes, "two")
    assert outboxes.numbers() == [first]

    outboxes.real.advance(60)
    deliver(outboxes, "two")
    assert outboxes.numbers() == [first, second]


def test_a_server_that_was_stopped_past_its_lease_sends_nothing(outboxes: Outboxes) -> None:
    outboxes.add_endpoint()
    numbers = [outboxes.emit() for _ in range(2)]

    async def scene() -> None:
        stopped, other = DeliveringServer(outboxes, "one"), DeliveringServer(outboxes, "two")
        stopped.sender.gate.clear()
        settling = asyncio.create_task(stopped.dispatcher.settle(30))
        await stopped.sender.has_begun.wait()
        outboxes.real.advance(61)
        await other.settle()
        stopped.sender.gate.set()
        await stopped.sender.has_ended.wait()
        settling.cancel()
        await stopped.kill()
        await other.kill()

    asyncio.run(scene())

    assert outboxes.numbers() == numbers
    assert {attempt.server for attempt in outboxes.attempts} == {"two"}


def test_a_result_that_was_not_saved_is_offered_again(
    outboxes: Outboxes, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = outboxes.add_endpoint()
    numbers = [outboxes.emit() for _ in range(2)]
    failing = 2
    take_turn = deliveries.take_turn

    def fail(*values: Any, **options: Any) -> deliveries.Turn:  # noqa: ANN401  passed through
        nonlocal failing
        if values[4] and failing:
            failing -= 1
            raise outage()
        return take_turn(*values, **options)

    monkeypatch.setattr(deliveries, "take_turn", fail)
    monkeypatch.setattr("homeroom.messages.school_outbox.RETRY_SECONDS", 0)

    deliver(outboxes)

    assert outboxes.numbers() == numbers
    assert outboxes.states(endpoint) == ["acknowledged"] * 2


def test_many_classes_have_few_requests_at_the_same_time(outboxes: Outboxes) -> None:
    outboxes.add_endpoint()
    for lesson in range(150):
        outboxes.emit(lesson)
    outboxes.receivers.max_turns = 5

    async def scene() -> DeliveringServer:
        server = DeliveringServer(outboxes)
        await server.settle()
        await server.kill()
        return server

    server = asyncio.run(scene())

    assert len(outboxes.numbers()) == 150
    assert server.sender.most_running <= MAX_IN_FLIGHT
