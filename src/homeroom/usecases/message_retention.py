"""Retention of messages: attempts are kept for 30 days, messages for 90 (READINGS Q92).

A message that was not acknowledged until then becomes a dead letter, and the log has its number.
"""

from collections.abc import Collection
from itertools import takewhile
from typing import Final

from homeroom.base.clock import DAY
from homeroom.base.ids import MessageId, SchoolId
from homeroom.domain.deliveries import DEAD_REASON, MAX_AGE_SECONDS, DeliveryState
from homeroom.domain.retention import SweptBatch
from homeroom.store.deliveries import EndedDelivery
from homeroom.store.message_retention import WaitingDelivery
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import schools

ATTEMPT_SECONDS: Final = 30 * DAY
DEAD_SECONDS: Final = DAY
"""Time for which a dead letter is kept: an attempt that was on its way has ended by then."""
BATCH: Final = 500
"""Messages, and attempts, that one unit of work deletes."""


def find_overdue_schools(uow: UnitOfWork) -> set[SchoolId]:
    """Return the schools with messages or attempts that are past their retention."""
    with_old_messages = (
        school.id for school in schools.list_schools(uow) if _list_overdue(uow, school.id, 1)
    )
    old_attempts = uow.message_retention.list_schools_with_old_attempts(uow.now - ATTEMPT_SECONDS)
    return {*old_attempts, *with_old_messages}


def sweep(uow: UnitOfWork, school: SchoolId) -> list[SweptBatch]:
    """Delete some messages and attempts of a school, and return which."""
    overdue = _list_overdue(uow, school, BATCH)
    dead = _end_waiting(uow, school, overdue) if overdue else []
    dead_messages = {each.message for each in dead}
    ended = [message for message in overdue if message not in dead_messages]
    uow.message_retention.delete(ended)
    before = uow.now - ATTEMPT_SECONDS
    attempts = uow.message_retention.list_old_attempts(school, before, BATCH)
    uow.message_retention.delete_attempts(attempts)
    return [
        SweptBatch("dead_letters", [each.delivery for each in dead]),
        SweptBatch("messages", [*ended]),
        SweptBatch("attempts", attempts),
    ]


def _list_overdue(uow: UnitOfWork, school: SchoolId, limit: int) -> list[MessageId]:
    """Return the oldest messages of a school, as far as they are past their retention.

    A dead letter of the last day is not among them.
    """
    before = uow.now - MAX_AGE_SECONDS
    oldest = uow.message_retention.list_oldest(school, uow.now - DEAD_SECONDS, limit)
    return [message for message, _ in takewhile(lambda each: each[1] <= before, oldest)]


def _end_waiting(
    uow: UnitOfWork, school: SchoolId, overdue: Collection[MessageId]
) -> list[WaitingDelivery]:
    """Make dead letters of the messages that still wait, and return their deliveries."""
    uow.outbox_leases.lock(school)
    waiting = uow.message_retention.list_waiting(overdue)
    if waiting:
        ended = [EndedDelivery(each.delivery, DeliveryState.DEAD, DEAD_REASON) for each in waiting]
        uow.deliveries.end(ended, {each.lane for each in waiting}, uow.now)
    return waiting
