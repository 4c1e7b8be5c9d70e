"""Messages that a person looks at and sends again, on both engines (Q92, Q93)."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from homeroom.base.clock import DAY, MINUTE
from homeroom.base.ids import EndpointId, LessonId, MessageId
from homeroom.base.settings import Settings
from homeroom.contract.messages.kinds import MessageKind
from homeroom.domain.deliveries import AttemptOutcome, DeliveryState, MessageFilter, StoredMessage
from homeroom.domain.endpoints import Endpoint, EndpointFormat, EndpointOrdering, EndpointState
from homeroom.domain.refusal import OperatorError
from homeroom.folder import open_store
from homeroom.store.unit_of_work import Store
from homeroom.usecases import endpoints, messages
from tests.support.deliveries import ACKNOWLEDGED, Answer
from tests.support.outboxes import DeliveringServer, Outboxes, redeliver
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
    folder = tmp_path_factory.mktemp("resends")
    with open_store(Settings(data=folder, database=database)) as store:
        stop_syncing(store.engine)
        yield store


@pytest.fixture
def outboxes(store: Store) -> Outboxes:
    return Outboxes(store)


def deliver(outboxes: Outboxes) -> None:
    """Make the attempts that are due."""

    async def scene() -> None:
        server = DeliveringServer(outboxes)
        await server.start()
        await server.settle()
        await server.kill()

    asyncio.run(scene())


def list_messages(outboxes: Outboxes, **values: Any) -> list[messages.ListedMessage]:  # noqa: ANN401  as MessageFilter has them
    """Return the messages of the school, the newest first."""
    query = MessageFilter(**{"limit": 1000, "school": outboxes.sid, **values})
    return [*outboxes.store.read(lambda uow: messages.list_messages(uow, query)).rows]


def newest(outboxes: Outboxes) -> MessageId:
    """Return the id of the newest message."""
    return list_messages(outboxes)[0].logged.message.id


def resend(outboxes: Outboxes, message: int, endpoint: Endpoint) -> None:
    """Send a message again."""
    outboxes.store.write(lambda uow: messages.resend(uow, MessageId(message), endpoint.id))


def pass_resends(outboxes: Outboxes) -> list[int]:
    """Return the numbers of the attempts that are marked as sent again, and forget all."""
    numbers = [
        number
        for number, attempt in zip(outboxes.numbers(), outboxes.attempts, strict=True)
        if attempt.is_resend
    ]
    outboxes.receivers.attempts.clear()
    return numbers


def test_a_message_that_is_sent_again_delays_no_other(outboxes: Outboxes) -> None:
    endpoint = outboxes.add_endpoint(ordering=EndpointOrdering.SCHOOL)
    number = outboxes.emit()
    deliver(outboxes)
    outboxes.receivers.attempts.clear()
    resend(outboxes, newest(outboxes), endpoint)
    outboxes.receivers.decide = lambda _endpoint, message: (
        TIMEOUT if f'"Number":{number}' in message.body else ACKNOWLEDGED
    )
    other = outboxes.emit()

    deliver(outboxes)

    assert sorted(outboxes.numbers()) == [number, other]
    assert pass_resends(outboxes) == [number]
    outboxes.receivers.decide = lambda _endpoint, _message: ACKNOWLEDGED
    outboxes.advance(10)
    deliver(outboxes)
    assert pass_resends(outboxes) == [number]
    assert outboxes.states(endpoint) == ["acknowledged"] * 2
    assert outboxes.states(endpoint, resent=1) == ["acknowledged"]
    (delivered,) = [each for each in list_messages(outboxes) if len(each.deliveries) == 2]
    assert [each.is_resend for each in delivered.deliveries] == [False, True]


def test_a_redelivery_keeps_the_order_and_leaves_alone_what_waits(outboxes: Outboxes) -> None:
    endpoint = outboxes.add_endpoint()
    outboxes.emit()
    outboxes.advance(MINUTE)
    since = outboxes.clock.now()
    numbers = [outboxes.emit(lesson) for lesson in (1, 2, 1)]
    deliver(outboxes)
    outboxes.store.write(lambda uow: endpoints.pause(uow, endpoint.id))
    waiting = outboxes.emit(lesson=2)
    deliver(outboxes)
    outboxes.receivers.attempts.clear()

    assert redeliver(outboxes.store, endpoint.id, since) == 3
    assert redeliver(outboxes.store, endpoint.id, since) == 0
    outboxes.store.write(lambda uow: endpoints.resume(uow, endpoint.id))
    deliver(outboxes)

    order = outboxes.numbers()
    assert sorted(order) == [*numbers, waiting]
    assert order.index(numbers[0]) < order.index(numbers[2])
    assert sorted(pass_resends(outboxes)) == numbers


def test_a_redelivery_has_what_was_skipped_and_nothing_from_before_the_activation(
    outboxes: Outboxes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(messages, "SLICE", 2)
    first = outboxes.add_endpoint()
    outboxes.emit()
    outboxes.advance(MINUTE)
    started = newest(outboxes)
    late = outboxes.add_endpoint(start_after_id=started, activated_at=outboxes.clock.now())
    with pytest.raises(OperatorError, match="from before the activation"):
        resend(outboxes, started, late)
    outboxes.advance(MINUTE)
    outboxes.store.write(lambda uow: endpoints.pause(uow, late.id))
    numbers = [outboxes.emit(lesson) for lesson in range(5)]
    deliver(outboxes)
    outboxes.store.write(lambda uow: endpoints.resume(uow, late.id, from_now=True))
    assert outboxes.numbers(late) == []
    assert {each.state for each in list_messages(outboxes)[0].deliveries} == {
        DeliveryState.ACKNOWLEDGED,
        DeliveryState.SKIPPED,
    }

    assert redeliver(outboxes.store, late.id, 0) == 5
    deliver(outboxes)

    assert sorted(outboxes.numbers(late)) == numbers
    assert len(outboxes.numbers(first)) == 6


def test_messages_are_listed_by_what_they_are_and_where(outboxes: Outboxes) -> None:
    def decide(endpoint: Endpoint, message: StoredMessage) -> Answer:
        return (
            TIMEOUT if endpoint.id == failing.id and message.stream == "class:2" else ACKNOWLEDGED
        )

    working, failing = outboxes.add_endpoint(), outboxes.add_endpoint()
    outboxes.receivers.decide = decide
    first, second = outboxes.emit(lesson=1), outboxes.emit(lesson=2)
    deliver(outboxes)
    outboxes.store.write(lambda uow: endpoints.skip_head(uow, failing.id))

    def numbers(**values: Any) -> list[int]:  # noqa: ANN401  as MessageFilter has them
        ids = [each.logged.message.id for each in list_messages(outboxes, **values)]
        return [second - (newest(outboxes) - number) for number in ids]

    assert numbers() == [second, first]
    assert numbers(limit=1) == numbers(lesson=LessonId(2)) == [second]
    assert numbers(before=newest(outboxes)) == [first]
    assert numbers(kind=MessageKind.HAND_RAISE) == [second, first]
    assert numbers(kind=MessageKind.AWARD) == numbers(endpoint=EndpointId(10**9)) == []
    assert numbers(state=DeliveryState.SKIPPED) == [second]
    assert numbers(state=DeliveryState.SKIPPED, endpoint=working.id) == []
    assert numbers(state=DeliveryState.ACKNOWLEDGED, endpoint=failing.id) == [first]
    number = newest(outboxes)
    attempts = outboxes.store.read(lambda uow: messages.list_attempts(uow, number))
    assert [each.outcome for each in attempts].count("timeout") == 1
    details = outboxes.store.read(lambda uow: messages.get(uow, number))
    assert {each.reason for each in details.deliveries} == {None, "skipped by an operator"}


def test_a_dead_letter_is_visible_and_can_be_sent_again(outboxes: Outboxes) -> None:
    endpoint = outboxes.add_endpoint()
    outboxes.emit()
    outboxes.receivers.decide = lambda _endpoint, _message: TIMEOUT
    outboxes.advance(91 * DAY)
    deliver(outboxes)
    (dead,) = list_messages(outboxes, state=DeliveryState.DEAD)
    assert messages.describe_states(dead.deliveries) == {str(endpoint.id): "dead"}

    outboxes.receivers.decide = lambda _endpoint, _message: ACKNOWLEDGED
    resend(outboxes, dead.logged.message.id, endpoint)
    deliver(outboxes)

    (again,) = list_messages(outboxes, state=DeliveryState.DEAD)
    assert messages.describe_states(again.deliveries) == {str(endpoint.id): "acknowledged"}


def test_an_old_message_that_is_sent_again_disables_no_endpoint(outboxes: Outboxes) -> None:
    endpoint = outboxes.add_endpoint(format=EndpointFormat.STANDARD)
    outboxes.emit()
    deliver(outboxes)
    outboxes.advance(6 * DAY)
    outboxes.receivers.decide = lambda _endpoint, _message: TIMEOUT
    resend(outboxes, newest(outboxes), endpoint)
    deliver(outboxes)
    assert outboxes.endpoint(endpoint.id).state is EndpointState.ACTIVE


def test_messages_that_are_not_sent_again(outboxes: Outboxes) -> None:
    other_school = Outboxes(outboxes.store)
    endpoint = outboxes.add_endpoint(kinds=("award",))
    pending = outboxes.add_endpoint(state=EndpointState.PENDING)
    waiting = outboxes.add_endpoint(state=EndpointState.PAUSED)
    outboxes.emit()
    deliver(outboxes)
    for target, message, reason in (
        (endpoint, newest(outboxes), "gets no messages of the kind hand_raise"),
        (endpoint, 10**9, "no message has the id"),
        (pending, newest(outboxes), "not acknowledged its test message"),
        (waiting, newest(outboxes), "waits at endpoint"),
        (other_school.add_endpoint(), newest(outboxes), "is not of school"),
    ):
        with pytest.raises(OperatorError, match=reason):
            resend(outboxes, message, target)
    assert redeliver(outboxes.store, endpoint.id, 0) == 0
