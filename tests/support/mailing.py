"""Messages, endpoints and senders for tests of the delivery loop, over a store of their own."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

import msgspec
from sqlalchemy import insert, select

from homeroom.async_store import AsyncStore
from homeroom.base.ids import EndpointId, SchoolId
from homeroom.base.keys import KeyGenerator
from homeroom.contract.messages.kinds import MessageKind
from homeroom.domain.deliveries import AttemptOutcome, AttemptResult, StoredMessage
from homeroom.domain.endpoints import Endpoint, EndpointFormat, EndpointOrdering, EndpointState
from homeroom.messages.dispatcher import MessageDispatcher
from homeroom.messages.sender import Sender
from homeroom.store.engine import Row
from homeroom.store.statement import Statement
from homeroom.store.tables import messages
from homeroom.store.unit_of_work import Store
from homeroom.testing.clock import ManualClock
from homeroom.usecases import schools
from homeroom.usecases.dependencies import Dependencies

PATIENCE: Final = 20.0
ENDPOINT: Final = Endpoint(
    id=EndpointId(0),
    school=SchoolId(0),
    url="http://127.0.0.1:9/",
    new_url=None,
    format=EndpointFormat.CLASSIN,
    ordering=EndpointOrdering.SCHOOL,
    kinds=None,
    state=EndpointState.ACTIVE,
    state_reason=None,
    secret=None,
    former_secret=None,
    former_until=None,
    timeout_seconds=10,
    alert_addresses=(),
    start_after_id=0,
    activated_at=0,
    last_success_at=None,
    created_at=0,
)


class PostOffice:
    """A store with a school, and what its endpoints got."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.clock = store.clock
        assert isinstance(self.clock, ManualClock)
        deps = Dependencies(KeyGenerator(), "", 0)
        self.school = SchoolId(store.write(lambda uow: schools.create(uow, deps, "Post")).id)

    def endpoint(self, **changes: Any) -> EndpointId:  # noqa: ANN401  of any field
        """Add an endpoint."""
        endpoint = msgspec.structs.replace(ENDPOINT, school=self.school, **changes)
        return self.store.write(lambda uow: uow.endpoints.add(endpoint))

    def message(
        self, stream: str = "course:1", kind: MessageKind = MessageKind.COURSE_CHANGED
    ) -> int:
        """Add a message, as a unit of work that emits it does; return its id."""
        row = {
            "school_id": self.school,
            "kind": kind.value,
            "stream": stream,
            "body": '{"SID":1}',
            "is_simulated": 0,
            "created_at": self.store.clock.now(),
        }
        statement = Statement(insert(messages).values(row).returning(messages.c.id))
        rows = self.store.write(lambda uow: uow.schools._tx.fetch_all(statement, {}))  # noqa: SLF001  the way in
        return int(rows[0][0])

    def rows(self, *columns: Any) -> list[Row]:  # noqa: ANN401  any columns
        """Return all rows of some columns, in order."""
        statement = Statement(select(*columns).order_by(columns[0]))
        return self.store.read(lambda uow: uow.schools._tx.fetch_all(statement, {}))  # noqa: SLF001  the way in


class FakeSender:
    """A sender that keeps what is sent, and answers as a test wants."""

    def __init__(
        self,
        decide: Callable[[EndpointId, StoredMessage], AttemptOutcome | None] | None = None,
    ) -> None:
        self._decide = decide or (lambda _endpoint, _message: AttemptOutcome.ACKNOWLEDGED)
        self.begun: list[tuple[EndpointId, int]] = []
        self.ended: list[tuple[EndpointId, int, str]] = []
        self.resent: list[int] = []
        self.status: int | None = 200
        self.gate = asyncio.Event()
        """Attempts wait for it."""
        self.gate.set()
        self.changed = asyncio.Event()

    async def send(
        self,
        endpoint: Endpoint,
        message: StoredMessage,
        *,
        is_resend: bool,
        may_send: Callable[[], bool],
    ) -> AttemptResult | None:
        """Keep the message, and return the outcome that the test decides on."""
        if not may_send():
            return None
        self.begun.append((endpoint.id, message.id))
        if is_resend:
            self.resent.append(message.id)
        self.changed.set()
        await self.gate.wait()
        outcome = self._decide(endpoint.id, message) or AttemptOutcome.TIMEOUT
        self.ended.append((endpoint.id, message.id, outcome.value))
        self.changed.set()
        return AttemptResult(outcome, self.status)

    async def close(self) -> None:
        """Close nothing."""

    def acknowledged(self, endpoint: EndpointId) -> list[int]:
        """Return the messages that an endpoint acknowledged, in order."""
        done = AttemptOutcome.ACKNOWLEDGED.value
        return [
            message for each, message, outcome in self.ended if (each, outcome) == (endpoint, done)
        ]

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds, looked at after each attempt and now and then."""
        begun = time.monotonic()
        while not holds():
            assert time.monotonic() - begun < PATIENCE, (self.begun, self.ended)
            self.changed.clear()
            try:
                async with asyncio.timeout(0.05):
                    await self.changed.wait()
            except TimeoutError:
                continue


@asynccontextmanager
async def delivering(
    office: PostOffice,
    sender: Sender,
    owner: str = "server",
    **options: Any,  # noqa: ANN401  of the dispatcher
) -> AsyncIterator[MessageDispatcher]:
    """Run a delivery loop."""

    async def make_sender() -> Sender:
        return sender

    real = options.pop("real", office.clock)
    dispatcher = MessageDispatcher(
        AsyncStore(office.store), office.clock, real, make_sender, owner, **options
    )
    office.store.on_messages = dispatcher.nudge
    task = asyncio.create_task(dispatcher.run())
    try:
        yield dispatcher
    finally:
        office.store.on_messages = None
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
