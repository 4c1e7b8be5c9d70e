"""Schools with endpoints on a database of their own, and servers that deliver their messages."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

import msgspec
from sqlalchemy import ClauseElement, select

from homeroom.async_store import AsyncStore
from homeroom.base.ids import CourseId, EndpointId, LessonId, SchoolId
from homeroom.base.keys import KeyGenerator
from homeroom.contract.messages.body import MessageBody
from homeroom.contract.messages.kinds import MessageKind
from homeroom.domain.deliveries import DeliveryState
from homeroom.domain.endpoints import Endpoint, EndpointFormat, EndpointOrdering, EndpointState
from homeroom.domain.events import Event
from homeroom.domain.refusal import OverloadedError
from homeroom.messages.dispatcher import MessageDispatcher
from homeroom.store.engine import UnavailableError
from homeroom.store.outages import OutageCause
from homeroom.store.statement import Statement
from homeroom.store.tables import deliveries, messages
from homeroom.store.unit_of_work import Store, UnitOfWork
from homeroom.testing.clock import START, ManualClock
from homeroom.usecases import deliveries as deliveries_usecases
from homeroom.usecases import messages as messages_usecases
from homeroom.usecases import schools
from homeroom.usecases.dependencies import Dependencies
from tests.support.deliveries import ReceivedAttempt, Receivers, ScriptedSender

SETTLE_SECONDS: Final = 30.0
NEW: Final = Endpoint(
    id=EndpointId(0),
    school=SchoolId(0),
    url="http://127.0.0.1:9/",
    new_url=None,
    format=EndpointFormat.CLASSIN,
    ordering=EndpointOrdering.CLASS,
    kinds=None,
    state=EndpointState.ACTIVE,
    state_reason=None,
    secret=None,
    former_secret=None,
    former_until=None,
    timeout_seconds=10,
    alert_addresses=(),
    start_after_id=0,
    activated_at=START,
    last_success_at=None,
    created_at=START,
)


class RaisedHand(MessageBody, frozen=True, kw_only=True, rename="pascal"):
    """The body of a message of a class."""

    kind: ClassVar[MessageKind] = MessageKind.HAND_RAISE

    number: int


class RolledBackError(Exception):
    """A use case that fails after it has emitted a message."""


@dataclass
class Outboxes:
    """A school on a database, its clocks, and all that came to its receivers."""

    store: Store
    clock: ManualClock = field(default_factory=ManualClock)
    """Of the sandbox: what is sent, and how old it is."""
    real: ManualClock = field(default_factory=ManualClock)
    receivers: Receivers = field(default_factory=Receivers)
    emitted: list[int] = field(default_factory=list)
    """Numbers of the messages that were committed."""

    def __post_init__(self) -> None:
        """Create the school."""
        deps = Dependencies(KeyGenerator(), "", 0)
        self.store.clock = self.clock
        self.sid = self.store.write(lambda uow: schools.create(uow, deps, "School")).id
        self._numbers = 0

    def add_endpoint(self, **changes: Any) -> Endpoint:  # noqa: ANN401  fields of an endpoint
        """Add an endpoint that is active, with an order for each class unless it is changed."""
        new = msgspec.structs.replace(NEW, school=self.sid, **changes)
        number = self.store.write(lambda uow: uow.endpoints.add(new))
        self.store.subscribed.forget()
        return self.endpoint(number)

    def endpoint(self, number: EndpointId) -> Endpoint:
        """Return an endpoint as it is now."""
        endpoint = self.store.read(lambda uow: uow.endpoints.get(number))
        assert endpoint is not None
        return endpoint

    def emit(self, lesson: int = 1, *, is_refused: bool = False) -> int:
        """Emit a message about a class; a refused unit emits it too, and is rolled back."""
        self._numbers += 1
        number = self._numbers
        event = Event(
            school=self.sid,
            body=RaisedHand(number=number),
            at=self.clock.now(),
            course=CourseId(1),
            lesson=LessonId(lesson),
        )

        def act(uow: UnitOfWork) -> None:
            uow.emit(event)
            if is_refused:
                raise RolledBackError

        try:
            self.store.write(act, self.sid)
        except RolledBackError:
            return number
        self.emitted.append(number)
        return number

    def rows(self, query: ClauseElement) -> Sequence[tuple[Any, ...]]:
        """Return the rows of a query."""
        statement = Statement(query)
        return self.store.read(lambda uow: uow._tx.fetch_all(statement, {}))  # noqa: SLF001  of a test

    def stored(self) -> list[int]:
        """Return the numbers of the messages in the database, in order of their positions."""
        of_school = messages.c.school_id == self.sid
        query = select(messages.c.body).where(of_school).order_by(messages.c.position)
        return [msgspec.json.decode(row[0])["Number"] for row in self.rows(query)]

    def states(self, endpoint: Endpoint, resent: int = 0) -> list[str]:
        """Return the states of deliveries at an endpoint, in order of the messages.

        Those that a person caused (1), or all others.
        """
        query = (
            select(deliveries.c.state)
            .where(deliveries.c.endpoint_id == endpoint.id, deliveries.c.is_resend == resent)
            .order_by(deliveries.c.message_id)
        )
        return [row[0] for row in self.rows(query)]

    def ended(self) -> set[tuple[int, int]]:
        """Return the endpoints and messages of deliveries that are dead or skipped."""
        states = (DeliveryState.DEAD.value, DeliveryState.SKIPPED.value)
        query = select(deliveries.c.endpoint_id, deliveries.c.message_id)
        return {(row[0], row[1]) for row in self.rows(query.where(deliveries.c.state.in_(states)))}

    def numbers(self, endpoint: Endpoint | None = None) -> list[int]:
        """Return the numbers of the messages that came to an endpoint, or to all of them."""
        return [
            msgspec.json.decode(attempt.message.body)["Number"]
            for attempt in self.attempts
            if endpoint is None or attempt.endpoint.id == endpoint.id
        ]

    @property
    def attempts(self) -> list[ReceivedAttempt]:
        """The attempts of this school: others in the database have theirs."""
        return [each for each in self.receivers.attempts if each.message.school == self.sid]

    def advance(self, seconds: int) -> None:
        """Let time pass for both clocks."""
        self.clock.advance(seconds)
        self.real.advance(seconds)


class MortalStore(AsyncStore):
    """The store of a server that may be killed: then it changes nothing any more."""

    is_dead = False

    async def write(self, *values: Any, **options: Any) -> Any:  # noqa: ANN401  passed through
        """Do a unit of work."""
        if self.is_dead:
            raise outage()
        return await super().write(*values, **options)


class DeliveringServer:
    """A server that delivers, in the event loop of a test."""

    def __init__(self, outboxes: Outboxes, name: str = "one") -> None:
        self.name = name
        self.sender = ScriptedSender(outboxes.receivers, name)
        self.store = MortalStore(outboxes.store)

        async def get_sender() -> ScriptedSender:
            return self.sender

        self.dispatcher = MessageDispatcher(
            self.store, outboxes.clock, outboxes.real, get_sender, name
        )

    async def start(self) -> None:
        """Give back the leases that an earlier life of this server left."""
        await self.store.write(lambda uow: deliveries_usecases.release_all(uow, self.name))

    async def settle(self, seconds: float = SETTLE_SECONDS) -> None:
        """Make all attempts that are due."""
        assert await self.dispatcher.settle(seconds), "attempts did not end"

    async def kill(self) -> None:
        """End all at once: nothing is saved and no lease is given back."""
        self.store.is_dead = True
        boxes = list(self.dispatcher._outboxes.values())  # noqa: SLF001  as a kill does it
        for box in boxes:
            box.task.cancel()
        await asyncio.gather(*(box.task for box in boxes), return_exceptions=True)


def redeliver(store: Store, endpoint: EndpointId, since: int) -> int:
    """Send all messages again that were written from a moment on; return how many."""
    state = store.read(lambda uow: messages_usecases.begin_redelivery(uow, endpoint, since))
    while state.has_more:
        done = state
        state = store.write(lambda uow: messages_usecases.continue_redelivery(uow, done))  # noqa: B023  runs at once
    return state.count


def outage() -> OverloadedError:
    """Return the error of a database that does not answer."""
    return UnavailableError(OutageCause.TIMEOUT)
