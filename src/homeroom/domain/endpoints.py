"""Endpoints: where the messages of a school are sent, in which format and in which order."""

from enum import StrEnum
from typing import Final

from homeroom.base.clock import DAY, Moment
from homeroom.base.ids import EndpointId, SchoolId
from homeroom.base.values import Value
from homeroom.contract.messages.kinds import KINDS, MessageKind

OPENING_SECONDS: Final = 1.0
"""Real seconds between the opening of an endpoint and its activation.

Each process reads the list of schools with receivers again when it is older. So when an endpoint is
active, every process writes the messages of its school.
"""
DEFAULT_TIMEOUT_SECONDS: Final = 10
"""Longest time in which a receiver acknowledges a message (Q91)."""


RESEND_LANE: Final = "resend:"
"""Begins the names of queues of messages that a person sends again."""


class EndpointFormat(StrEnum):
    """The format of messages: how they are signed and acknowledged (Q89)."""

    CLASSIN = "classin"
    """SafeKey in the body; the answer is JSON with `error_info.errno` 1."""
    STANDARD = "standard"
    """Standard Webhooks: the signature in headers; any 2xx acknowledges."""


class EndpointOrdering(StrEnum):
    """The order of messages: which ones wait for each other (Q92)."""

    SCHOOL = "school"
    CLASS = "class"
    """Those of one stream: of a class, a course, a person or the school itself."""
    NONE = "none"


class EndpointState(StrEnum):
    """The state of an endpoint: whether messages are sent (Q89)."""

    PENDING = "pending"
    """The test message was not acknowledged yet."""
    ACTIVE = "active"
    PAUSED = "paused"
    DISABLED = "disabled"
    """The receiver said 410 Gone, or failed for five days."""


class Endpoint(Value, frozen=True):
    """An endpoint of a school."""

    id: EndpointId
    school: SchoolId
    url: str
    new_url: str | None
    """The address that replaces it once a test message is acknowledged there."""
    format: EndpointFormat
    ordering: EndpointOrdering
    kinds: tuple[str, ...] | None
    """Commands and names of kinds that are sent; None: all."""
    state: EndpointState
    state_reason: str | None
    secret: str | None
    """Of the format `standard`; `classin` is signed with the secret of the school."""
    former_secret: str | None
    former_until: Moment | None
    """Until when the former secret signs too, after a rotation."""
    timeout_seconds: int
    alert_addresses: tuple[str, ...]
    start_after_id: int | None
    """Messages with a greater id are sent; None until it opens."""
    activated_at: Moment | None
    last_success_at: Moment | None
    created_at: Moment


STANDARD_PATIENCE_SECONDS: Final = 5 * DAY
"""Time without one success after which an endpoint of the format `standard` is disabled (Q89)."""


def wants(endpoint: Endpoint, kind: MessageKind, message: int) -> bool:
    """Return whether an endpoint gets a message of a kind, by the id of the message.

    It does so also while it is paused or disabled: its messages wait.
    """
    if endpoint.start_after_id is None or message <= endpoint.start_after_id:
        return False
    if endpoint.state is EndpointState.PENDING:
        return False
    return subscribes_to(endpoint, kind)


def may_send_again(endpoint: Endpoint, kind: MessageKind, message: int, created_at: Moment) -> bool:
    """Return whether an endpoint may get a message again: not one from before its activation."""
    if endpoint.start_after_id is None or endpoint.activated_at is None:
        return False
    # After it was resumed from now, only the time says that it was active before.
    is_after = message > endpoint.start_after_id or created_at > endpoint.activated_at
    return is_after and subscribes_to(endpoint, kind)


def subscribes_to(endpoint: Endpoint, kind: MessageKind) -> bool:
    """Return whether an endpoint gets messages of a kind."""
    if endpoint.kinds is None:
        return True
    return kind.value in endpoint.kinds or str(KINDS[kind].command) in endpoint.kinds


def name_resend_lane(endpoint: Endpoint, stream: str, message: int) -> str:
    """Return the queue of messages that are sent again: they keep their order among themselves.

    No other queue has them, so that they delay nothing (Q93).
    """
    return f"{RESEND_LANE}{name_lane(endpoint, stream, message)}"


def name_lane(endpoint: Endpoint, stream: str, message: int) -> str:
    """Return the name of the queue in which a message waits at an endpoint (Q92)."""
    match endpoint.ordering:
        case EndpointOrdering.SCHOOL:
            return ""
        case EndpointOrdering.CLASS:
            return stream
        case EndpointOrdering.NONE:
            return str(message)
