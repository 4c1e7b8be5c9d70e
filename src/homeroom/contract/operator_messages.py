"""Operators' API of messages: endpoints, and the messages that are sent to them."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from homeroom.base.clock import Moment
from homeroom.base.ids import EndpointId, LessonId
from homeroom.contract.messages.kinds import MessageKind
from homeroom.contract.paged import ReadBack, SchoolsQuery
from homeroom.contract.params import ID, ParamType, read_word
from homeroom.contract.rows import IdNumber, ReadBackRow, Switch, Timestamp, describe_choice

MAX_NUMBER = 2**63 - 1
KIND = ParamType(read_word(*(kind.value for kind in MessageKind)), "the name of a kind")
STATES = ("waiting", "acknowledged", "dead", "skipped")
ENDPOINT_STATES = ("pending", "active", "paused", "disabled")
STATE = ParamType(read_word(*STATES), f"the state at the endpoint, or at any: {', '.join(STATES)}")
StateName = Annotated[str, describe_choice("dead: not acknowledged for 90 days.", *STATES)]
Format = Literal["classin", "standard"]
Ordering = Literal["school", "class", "none"]


class OutboxMessagesQuery(SchoolsQuery, frozen=True, kw_only=True):
    """Which messages."""

    kind: Annotated[str | None, KIND] = None
    class_id: Annotated[LessonId | None, ID] = None
    endpoint_id: Annotated[EndpointId | None, ID] = None
    state: Annotated[str | None, STATE] = None


class EndpointRow(ReadBackRow, frozen=True, kw_only=True):
    """An address that the messages of a school are sent to."""

    endpoint_id: IdNumber
    sid: IdNumber = msgspec.field(name="SID")
    url: str
    new_url: Annotated[
        str | None, Meta(description="Replaces url once it has acknowledged a test message.")
    ]
    format: Format
    ordering: Annotated[Ordering, Meta(description="Messages that wait for each other.")]
    kinds: Annotated[list[str] | None, Meta(description="Names and commands of kinds; null: all.")]
    state: Annotated[
        str, describe_choice("pending: no test message was acknowledged.", *ENDPOINT_STATES)
    ]
    reason: Annotated[str | None, Meta(description="Why it is paused or disabled.")]
    created_time: Timestamp
    activated_time: Annotated[Timestamp | None, Meta(description="null: never.")]
    last_success_time: Annotated[Timestamp | None, Meta(description="To the minute.")]


class EndpointWithSecret(EndpointRow, frozen=True, kw_only=True):
    """An endpoint whose secret is new."""

    secret: Annotated[
        str | None,
        Meta(description="Of the format standard, only now; null: the SECRET of the school signs."),
    ]


class OutboxMessageRow(ReadBackRow, frozen=True, kw_only=True):
    """A message and its state at each endpoint."""

    message_id: IdNumber
    name: Annotated[str, Meta(description="On the wire.")] = msgspec.field(name="_id")
    sid: IdNumber = msgspec.field(name="SID")
    kind: str
    stream: Annotated[str, Meta(description="Messages of one stream keep their order.")]
    course_id: int | None
    class_id: int | None
    is_simulated: Annotated[Switch, Meta(description="1: by a request or a rehearsal.")]
    created_time: Timestamp
    states: Annotated[
        dict[str, StateName], Meta(description="By the id of the endpoint; of the last delivery.")
    ]


class DeliveryRow(ReadBackRow, frozen=True, kw_only=True):
    """A message at an endpoint."""

    endpoint_id: IdNumber
    state: StateName
    reason: str | None
    is_resend: Annotated[Switch, Meta(description="1: a person sent it again.")]
    ended_time: Timestamp | None


class AttemptRow(ReadBackRow, frozen=True, kw_only=True):
    """An attempt to deliver a message."""

    endpoint_id: IdNumber
    time: Timestamp
    outcome: str
    status: Annotated[int | None, Meta(description="HTTP status.")]
    milliseconds: int
    answer: Annotated[str | None, Meta(description="The first part of it.")]
    is_resend: Switch


class OutboxMessageDetails(OutboxMessageRow, frozen=True, kw_only=True):
    """A message with its body and all attempts that are kept."""

    body: Annotated[
        dict[str, Any], Meta(description="But for what each attempt makes: time and signature.")
    ]
    deliveries: list[DeliveryRow]
    attempts: list[AttemptRow]


ENDPOINTS = ReadBack(
    "listEndpoints",
    "/endpoints",
    "Addresses that messages are sent to",
    SchoolsQuery,
    EndpointRow,
    "by endpointId",
)
ENDPOINT = ReadBack(
    "getEndpoint", "/endpoints/{endpointId}", "One endpoint", SchoolsQuery, EndpointRow
)
OUTBOX_MESSAGES = ReadBack(
    "listOutboxMessages",
    "/messages",
    "Messages to the receivers of schools",
    OutboxMessagesQuery,
    OutboxMessageRow,
    "from the newest one on",
)
OUTBOX_MESSAGE = ReadBack(
    "getOutboxMessage",
    "/messages/{messageId}",
    "One message with its attempts",
    SchoolsQuery,
    OutboxMessageDetails,
)

# --- requests --------------------------------------------------------------------------------

Number = Annotated[int, Meta(ge=1, le=MAX_NUMBER)]


class OperatorRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """The JSON body of a request that changes something."""


class NewEndpointRequest(OperatorRequest, frozen=True, kw_only=True):
    """Add an endpoint; it must acknowledge a test message at once."""

    sid: Number = msgspec.field(name="SID")
    url: str
    format: Format = "classin"
    ordering: Ordering | None = None
    kinds: list[str] | None = None


class MoveRequest(OperatorRequest, frozen=True, kw_only=True):
    """Give an endpoint a new address."""

    url: str


class ResumeRequest(OperatorRequest, frozen=True, kw_only=True):
    """Send again to an endpoint; `fromNow` skips what waits."""

    from_now: bool = False


class ResendRequest(OperatorRequest, frozen=True, kw_only=True):
    """Send a message again to an endpoint."""

    endpoint_id: Number


class RedeliverRequest(OperatorRequest, frozen=True, kw_only=True):
    """Send an endpoint again all that was written since a time."""

    endpoint_id: Number
    since: Annotated[Moment, Meta(ge=0, le=MAX_NUMBER, description="Seconds since 1970 UTC.")]


class NewMessageRequest(OperatorRequest, frozen=True, kw_only=True):
    """Send a message of a kind; fields that are not sent get default values."""

    sid: Number = msgspec.field(name="SID")
    kind: MessageKind
    class_id: Number | None = None
    course_id: Number | None = None
    activity_id: Number | None = None
    uid: Number | None = None
    fields: dict[str, Any] = {}


class SkippedRow(ReadBackRow, frozen=True, kw_only=True):
    """The number of messages that were skipped."""

    endpoint_id: IdNumber
    skipped: int


class ResentRow(ReadBackRow, frozen=True, kw_only=True):
    """The number of messages that are sent again."""

    endpoint_id: IdNumber
    resent: int


class EmittedRow(ReadBackRow, frozen=True, kw_only=True):
    """The kind of a message that is sent."""

    sid: IdNumber = msgspec.field(name="SID")
    kind: str


class RemovedRow(ReadBackRow, frozen=True, kw_only=True):
    """The endpoint that was removed."""

    endpoint_id: IdNumber
