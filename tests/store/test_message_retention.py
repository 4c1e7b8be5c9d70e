"""Messages go after 90 days, attempts after 30; what still waits becomes a dead letter (Q92)."""

import asyncio

import pytest
from sqlalchemy import Table, insert, select, update

from homeroom.async_store import AsyncStore
from homeroom.base.clock import DAY
from homeroom.domain.deliveries import DEAD_REASON, DeliveryState
from homeroom.jobs.sweeper import Sweep, Sweeper
from homeroom.store.tables import attempts, deliveries, endpoints, lanes, messages
from homeroom.usecases import message_retention
from tests.support.given import Given
from tests.support.message_rows import add_messages


@pytest.fixture
def sent(given: Given) -> Given:
    """Return a school with a message that waits at an endpoint, with an attempt."""
    add_messages(given, given.lesson())
    for table, column in ((messages, "created_at"), (attempts, "at")):
        given.write(update(table).where(_is_own(table, given)).values({column: given.now}))
    return given


def _is_own(table: Table, given: Given):  # type: ignore[no-untyped-def]  # noqa: ANN202  a condition of SQLAlchemy
    if "school_id" in table.c:
        return table.c.school_id == given.school.id
    own = select(endpoints.c.id).where(endpoints.c.school_id == given.school.id)
    return table.c.endpoint_id.in_(own)


def count(given: Given) -> dict[str, int]:
    """Return the numbers of rows of the school."""
    return {
        table.name: len(given.rows(select(table.c.id).where(_is_own(table, given))))
        for table in (deliveries, attempts, lanes)
    }


def count_old_messages(given: Given) -> int:
    """Return the number of messages that are 90 days old: the server may write new ones."""
    is_old = messages.c.created_at <= given.now - 90 * DAY
    return len(given.rows(select(messages.c.id).where(_is_own(messages, given), is_old)))


def sweep(given: Given) -> None:
    """Run the sweep of messages."""

    async def main() -> None:
        each = Sweep(message_retention.find_overdue_schools, message_retention.sweep)
        await Sweeper(AsyncStore(given.store), [each]).sweep()

    asyncio.run(main())


def test_attempts_go_before_their_messages(sent: Given) -> None:
    before = count(sent)
    sent.clock.advance(30 * DAY)
    sweep(sent)
    assert count(sent) == before
    sent.clock.advance(1)
    sweep(sent)
    assert count(sent) == {**before, "attempts": 0}


def test_a_message_that_waits_becomes_a_dead_letter_and_goes_a_day_later(sent: Given) -> None:
    sent.clock.advance(90 * DAY - 1)
    sweep(sent)
    assert count(sent)["lanes"] == 1
    sent.clock.advance(1)
    sweep(sent)
    states = select(deliveries.c.state, deliveries.c.reason).where(_is_own(deliveries, sent))
    assert sent.rows(states) == [(DeliveryState.DEAD.value, DEAD_REASON)]
    assert count(sent)["lanes"] == 0
    sent.clock.advance(DAY)
    sweep(sent)
    assert (count(sent)["deliveries"], count_old_messages(sent)) == (0, 0)


def test_what_is_young_stays_and_so_do_the_messages_of_others(sent: Given) -> None:
    other = sent.other()
    add_messages(other, other.lesson())
    sent.clock.advance(80 * DAY)
    young = {"kind": "course_changed", "stream": "course:1", "is_simulated": 0, "body": "{}"}
    sent.write(insert(messages).values(school_id=sent.school.id, created_at=sent.now, **young))
    sent.clock.advance(20 * DAY)
    sweep(sent)
    sent.clock.advance(2 * DAY)
    sweep(sent)
    assert count_old_messages(sent) == 0
    kept = select(messages.c.created_at).where(_is_own(messages, sent))
    assert sent.now - 22 * DAY in {row[0] for row in sent.rows(kept)}


def test_more_than_a_batch_of_what_waits_is_ended_in_one_sweep(
    sent: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(message_retention, "BATCH", 2)
    for _ in range(3):
        add_messages(sent, sent.lesson())
    own = _is_own(messages, sent)
    sent.write(update(messages).where(own).values(created_at=sent.now))
    sent.clock.advance(90 * DAY)
    sweep(sent)
    assert count(sent)["lanes"] == 0
    states = select(deliveries.c.state).where(_is_own(deliveries, sent))
    assert {row[0] for row in sent.rows(states)} == {DeliveryState.DEAD.value}
    assert count_old_messages(sent) == 4
