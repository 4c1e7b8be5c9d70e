"""Receivers of messages as a test plays them, and the rules of Q93 over what they received."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from random import Random
from typing import Final, NamedTuple

from homeroom.domain.deliveries import AttemptOutcome, AttemptResult, StoredMessage
from homeroom.domain.endpoints import Endpoint, EndpointOrdering

ACKNOWLEDGED: Final = AttemptOutcome.ACKNOWLEDGED
Answer = AttemptOutcome | AttemptResult
Decide = Callable[[Endpoint, StoredMessage], Answer]


class LaneName(NamedTuple):
    """Messages that must keep their order at an endpoint."""

    endpoint: int
    name: str


@dataclass
class ReceivedAttempt:
    """A message as a receiver got it."""

    endpoint: Endpoint
    message: StoredMessage
    is_resend: bool
    server: str
    began: int
    """The place of its begin among all begins and ends of attempts."""
    ended: int | None = None
    """The place of its end; None while it runs, and if its sender was killed."""
    outcome: AttemptOutcome | None = None

    @property
    def lane(self) -> LaneName:
        """The lane that it belongs to, by the ordering of its endpoint."""
        ordering = self.endpoint.ordering
        if ordering is EndpointOrdering.SCHOOL:
            return LaneName(self.endpoint.id, "")
        name = self.message.stream if ordering is EndpointOrdering.CLASS else str(self.message.id)
        return LaneName(self.endpoint.id, name)


def acknowledge(_endpoint: Endpoint, _message: StoredMessage) -> Answer:
    """Acknowledge every message."""
    return ACKNOWLEDGED


@dataclass
class Receivers:
    """All receivers of a test: what came to them, in the order of time."""

    decide: Decide = acknowledge
    attempts: list[ReceivedAttempt] = field(default_factory=list)
    random: Random = field(default_factory=lambda: Random(0))
    max_turns: int = 0
    """Turns of the event loop that an answer takes at most."""
    places: int = 0
    """Begins and ends of attempts so far."""

    def place(self) -> int:
        """Return the next place in the order of time."""
        self.places += 1
        return self.places

    def messages(self, endpoint: int | None = None) -> list[int]:
        """Return the ids of the messages that came, also again."""
        return [
            attempt.message.id
            for attempt in self.attempts
            if endpoint in (None, attempt.endpoint.id)
        ]


class ScriptedSender:
    """The sender of a server, which reaches the receivers of the test."""

    def __init__(self, receivers: Receivers, server: str = "one") -> None:
        self._receivers = receivers
        self._server = server
        self.gate = asyncio.Event()
        """While it is not set, requests wait before they are sent, as behind a slow connection."""
        self.gate.set()
        self.has_begun = asyncio.Event()
        self.has_ended = asyncio.Event()
        self.running = 0
        self.most_running = 0

    async def send(
        self,
        endpoint: Endpoint,
        message: StoredMessage,
        *,
        is_resend: bool,
        may_send: Callable[[], bool],
    ) -> AttemptResult | None:
        """Let the receiver decide on the message."""
        self.running += 1
        self.most_running = max(self.running, self.most_running)
        self.has_begun.set()
        try:
            await self.gate.wait()
            if not may_send():
                return None
            return await self._send(endpoint, message, is_resend=is_resend)
        finally:
            self.running -= 1
            self.has_ended.set()

    async def close(self) -> None:
        """Close nothing: there are no connections."""

    async def _send(
        self, endpoint: Endpoint, message: StoredMessage, *, is_resend: bool
    ) -> AttemptResult:
        receivers = self._receivers
        attempt = ReceivedAttempt(endpoint, message, is_resend, self._server, receivers.place())
        receivers.attempts.append(attempt)
        if receivers.max_turns:
            for _ in range(receivers.random.randrange(receivers.max_turns)):
                await asyncio.sleep(0)
        answer = receivers.decide(endpoint, message)
        result = answer if isinstance(answer, AttemptResult) else AttemptResult(answer)
        # From here on the receiver has it: a sender that is killed now does not know.
        attempt.ended, attempt.outcome = receivers.place(), result.outcome
        if receivers.max_turns:
            await asyncio.sleep(0)
        return result


def by_lane(attempts: Iterable[ReceivedAttempt]) -> dict[LaneName, list[ReceivedAttempt]]:
    """Return the attempts of each lane in order, without those that a person caused."""
    lanes: dict[LaneName, list[ReceivedAttempt]] = defaultdict(list)
    for attempt in attempts:
        if not attempt.is_resend:
            lanes[attempt.lane].append(attempt)
    return lanes


def check_order(attempts: Iterable[ReceivedAttempt], ended: Collection[tuple[int, int]]) -> None:
    """Check the order of each lane: A A B may be, B before the end of A and A B A may not.

    `ended` are endpoints and messages that are dead or skipped, which need no acknowledgement.
    """
    for lane, of_lane in by_lane(attempts).items():
        order = [
            attempt.message.id
            for place, attempt in enumerate(of_lane)
            if not place or of_lane[place - 1].message.id != attempt.message.id
        ]
        assert len(order) == len(set(order)), f"{lane}: a message came after a newer one: {order}"
        for before, after in pairwise(of_lane):
            if before.message.id == after.message.id:
                continue
            has_ended = (lane.endpoint, before.message.id) in ended
            assert before.outcome is ACKNOWLEDGED or has_ended, f"{lane}: {before} before {after}"
            assert before.ended is not None or has_ended
            assert before.ended is None or before.ended < after.began, f"{lane}: two at once"


def check_same_order(attempts: Iterable[ReceivedAttempt]) -> None:
    """Check that the messages of a stream have the same order at all endpoints."""
    orders: dict[str, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
    for attempt in attempts:
        if attempt.is_resend or attempt.endpoint.ordering is EndpointOrdering.NONE:
            continue
        order = orders[attempt.message.stream][attempt.endpoint.id]
        if attempt.message.id not in order:
            order.append(attempt.message.id)
    for stream, by_endpoint in orders.items():
        first, *others = by_endpoint.values()
        for other in others:
            both = set(first) & set(other)
            assert [each for each in first if each in both] == [
                each for each in other if each in both
            ], stream
