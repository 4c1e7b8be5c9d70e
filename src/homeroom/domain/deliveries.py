"""Deliveries: what came of an attempt to send a message, and when the next one is due."""

from enum import StrEnum
from typing import Final

from homeroom.base.clock import DAY, HOUR, MINUTE, Moment
from homeroom.base.ids import DeliveryId, EndpointId, LaneId, LessonId, MessageId, SchoolId
from homeroom.base.values import Value
from homeroom.contract.messages.kinds import MessageKind
from homeroom.domain.endpoints import EndpointFormat

MAX_AGE_SECONDS: Final = 90 * DAY
"""Age from which on a message that was not acknowledged is a dead letter (Q92)."""
DEAD_REASON: Final = "not acknowledged for 90 days"
CLASSIN_RETRY_SECONDS: Final = 10
STANDARD_RETRY_SECONDS: Final = (
    5,
    5 * MINUTE,
    30 * MINUTE,
    2 * HOUR,
    5 * HOUR,
    10 * HOUR,
    14 * HOUR,
    20 * HOUR,
    24 * HOUR,
)
"""Seconds before each attempt after the first one; the last repeats (Q92)."""
JITTER: Final = 0.1
"""Part of the time before an attempt that is added to it, more or less of it for each message."""


class AttemptOutcome(StrEnum):
    """The end of an attempt (Q91)."""

    ACKNOWLEDGED = "acknowledged"
    WRONG_ERRNO = "wrong_errno"
    NOT_JSON = "not_json"
    TIMEOUT = "timeout"
    CONNECT = "connect"
    TLS = "tls"
    DROPPED = "dropped"
    REDIRECT = "redirect"
    STATUS = "status"
    TOO_LARGE = "too_large"
    BLOCKED_ADDRESS = "blocked_address"


class DeliveryState(StrEnum):
    """The state of a message at an endpoint."""

    WAITING = "waiting"
    ACKNOWLEDGED = "acknowledged"
    DEAD = "dead"
    SKIPPED = "skipped"


class StoredMessage(Value, frozen=True):
    """A message as it is stored."""

    id: MessageId
    school: SchoolId
    kind: MessageKind
    stream: str
    body: str
    """JSON: all that is sent, but what is made by each attempt."""
    file_path: str | None
    is_simulated: bool
    created_at: Moment


class Delivery(Value, frozen=True):
    """A message that waits at an endpoint."""

    id: DeliveryId
    endpoint: EndpointId
    lane: LaneId
    message: StoredMessage
    is_resend: bool


class MessageDelivery(Value, frozen=True):
    """The state of a message at one endpoint; a message that is sent again has two of them."""

    message: MessageId
    endpoint: EndpointId
    state: DeliveryState
    reason: str | None
    """Why it was set aside."""
    is_resend: bool
    ended_at: Moment | None


class MessageFilter(Value, frozen=True):
    """The messages of a list; None: all."""

    limit: int
    before: MessageId | None = None
    """Only messages that are older than this one."""
    school: SchoolId | None = None
    kind: MessageKind | None = None
    lesson: LessonId | None = None
    endpoint: EndpointId | None = None
    state: DeliveryState | None = None
    """The state at the endpoint, or at any of them."""


class AttemptResult(Value, frozen=True):
    """The result of one attempt, with the facts for the log of deliveries."""

    outcome: AttemptOutcome
    status: int | None = None
    """The HTTP status, if there was one."""
    duration_ms: int = 0
    answer: str | None = None
    """The first part of the answer."""
    safe_key: str | None = None
    """The signature as it was sent, but for its first and last characters."""
    retry_after: int | None = None
    """Seconds that the receiver asked for (format `standard`)."""


def find_retry_seconds(
    endpoint_format: EndpointFormat, failures: int, retry_after: int | None, spread: float
) -> int:
    """Return the seconds before the attempt that follows some failed ones, from 1 on.

    `spread` is a number from 0 to 1 for the jitter. A receiver may ask for more time, up to a day.
    """
    if endpoint_format is EndpointFormat.CLASSIN:
        return CLASSIN_RETRY_SECONDS
    step = STANDARD_RETRY_SECONDS[min(failures, len(STANDARD_RETRY_SECONDS)) - 1]
    seconds = round(step * (1 + JITTER * spread))
    return max(seconds, min(retry_after or 0, DAY))
