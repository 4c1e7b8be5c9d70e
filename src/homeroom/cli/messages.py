"""`homeroom message`: the messages of schools, where each one is, and sending it again."""

from typing import Any

import click
import msgspec

from homeroom.base.clock import Moment
from homeroom.base.ids import (
    ActivityId,
    CourseId,
    EndpointId,
    LessonId,
    MessageId,
    SchoolId,
    UserId,
)
from homeroom.cli.command import (
    ID,
    MOMENT,
    CommandContext,
    format_time,
    json_option,
    print_fields,
    print_table,
    with_context,
)
from homeroom.domain.deliveries import DeliveryState, MessageFilter
from homeroom.domain.refusal import OperatorError
from homeroom.messages.rendering import name_message
from homeroom.store.unit_of_work import Store
from homeroom.usecases import message_requests, messages
from homeroom.usecases.message_requests import MessageRequest
from homeroom.usecases.messages import ListedMessage, Redelivery

message_argument = click.argument("message", metavar="ID", type=ID)


@click.group()
def message() -> None:
    """Look at the messages of schools, and send them again."""


@message.command("list")
@click.option("--school", type=ID, metavar="SID", help="Only those of this school.")
@click.option("--kind", metavar="NAME", help="Only those of this kind, as class_summary.")
@click.option("--class", "lesson", type=ID, metavar="ID", help="Only those about this class.")
@click.option("--endpoint", type=ID, metavar="ID", help="Only those for this endpoint.")
@click.option(
    "--state",
    type=click.Choice([each.value for each in DeliveryState]),
    help="Only those in this state at the endpoint, or at any; dead ones were given up.",
)
@click.option("--before", type=ID, metavar="ID", help="Only those that are older than this one.")
@click.option("--limit", type=int, default=50, show_default=True, help="How many, at most 1,000.")
@json_option
@with_context
def list_messages(
    context: CommandContext,
    school: SchoolId | None,
    kind: str | None,
    lesson: LessonId | None,
    endpoint: EndpointId | None,
    state: str | None,
    before: MessageId | None,
    limit: int,
    *,
    as_json: bool,
) -> None:
    """List messages with their states, the newest first."""
    query = MessageFilter(
        limit=limit,
        before=before,
        school=school,
        kind=message_requests.parse_kind(kind) if kind is not None else None,
        lesson=lesson,
        endpoint=endpoint,
        state=DeliveryState(state) if state is not None else None,
    )
    page = context.read(lambda uow: messages.list_messages(uow, query))
    table = [_to_row(each) for each in page.rows]
    print_table(table, as_json=as_json, if_empty="There are no messages.")


@message.command("show")
@message_argument
@json_option
@with_context
def show_message(context: CommandContext, message: MessageId, *, as_json: bool) -> None:
    """Show a message with its body, its states and the attempts to deliver it."""
    entry, attempts = context.read(
        lambda uow: (messages.get(uow, message), messages.list_attempts(uow, message))
    )
    stored = entry.logged.message
    fields = {
        "id": stored.id,
        "_id": name_message(stored),
        "sid": stored.school,
        "kind": stored.kind.value,
        "stream": stored.stream,
        "created": format_time(stored.created_at),
        "simulated": stored.is_simulated,
        "body": msgspec.json.decode(stored.body) if as_json else stored.body,
        "deliveries": [
            {
                "endpoint": each.endpoint,
                "state": each.state.value,
                "reason": each.reason,
                "resend": each.is_resend,
                "ended": format_time(each.ended_at),
            }
            for each in entry.deliveries
        ],
        "attempts": [
            {
                "endpoint": each.endpoint,
                "at": format_time(each.at),
                "outcome": each.outcome,
                "status": each.status,
                "milliseconds": each.duration_ms,
                "answer": each.answer,
                "safe_key": each.safe_key,
                "resend": each.is_resend,
            }
            for each in attempts
        ],
    }
    print_fields(fields, as_json=as_json)


@message.command("resend")
@click.argument("message", metavar="[ID]", type=ID, required=False)
@click.option("--endpoint", type=ID, metavar="ID", required=True, help="Where to send it.")
@click.option(
    "--since", type=MOMENT, metavar="TIME", help="Instead of one: all that was written since then."
)
@json_option
@with_context
def resend_message(
    context: CommandContext,
    message: MessageId | None,
    endpoint: EndpointId,
    since: Moment | None,
    *,
    as_json: bool,
) -> None:
    """Send a message again to an endpoint, or all messages from a time on.

    They carry the header Homeroom-Resend: 1, and delay no other message.
    """
    if (message is None) == (since is None):
        raise click.UsageError("name one message, or --since a time")
    if message is not None:
        number = message
        context.write(lambda uow: messages.resend(uow, number, endpoint))
        count = 1
    else:
        with context.open_store() as store:
            count = _redeliver(store, endpoint, since or 0).count
    print_fields({"endpoint": endpoint, "resent": count}, as_json=as_json)


@message.command("emit")
@click.argument("sid", type=ID)
@click.argument("kind")
@click.option("--class", "lesson", type=ID, metavar="ID", help="The class that it is about.")
@click.option("--course", type=ID, metavar="ID", help="The course that it is about.")
@click.option("--activity", type=ID, metavar="ID", help="The activity that it is about.")
@click.option("--user", type=ID, metavar="UID", help="The person that it is about.")
@click.option("--fields", metavar="JSON", help="Fields of the body; the others have defaults.")
@json_option
@with_context
def emit_message(
    context: CommandContext,
    sid: SchoolId,
    kind: str,
    lesson: LessonId | None,
    course: CourseId | None,
    activity: ActivityId | None,
    user: UserId | None,
    fields: str | None,
    *,
    as_json: bool,
) -> None:
    """Send a message of a kind to all endpoints of a school, as if its cause had happened."""
    request = MessageRequest(
        kind=message_requests.parse_kind(kind),
        school=sid,
        lesson=lesson,
        course=course,
        activity=activity,
        person=user,
        fields=_parse_fields(fields),
    )
    context.write(lambda uow: message_requests.emit(uow, request), sid)
    print_fields({"sid": sid, "kind": request.kind.value}, as_json=as_json)


def _redeliver(store: Store, endpoint: EndpointId, since: Moment) -> Redelivery:
    """Queue all messages in units that keep no call waiting for long."""
    state = store.read(lambda uow: messages.begin_redelivery(uow, endpoint, since))
    while state.has_more:
        done = state
        state = store.write(lambda uow: messages.continue_redelivery(uow, done))  # noqa: B023  runs at once
    return state


def _parse_fields(text: str | None) -> dict[str, Any]:
    if text is None:
        return {}
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise OperatorError(f"--fields is a JSON object: {error}") from None


def _to_row(entry: ListedMessage) -> dict[str, Any]:
    stored = entry.logged.message
    return {
        "id": stored.id,
        "sid": stored.school,
        "kind": stored.kind.value,
        "course": entry.logged.course,
        "class": entry.logged.lesson,
        "created": format_time(stored.created_at),
        "states": messages.describe_states(entry.deliveries),
    }
