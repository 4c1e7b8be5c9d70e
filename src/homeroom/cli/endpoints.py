"""`homeroom endpoint`: where the messages of a school are sent."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import click

from homeroom.base.clock import SystemClock
from homeroom.base.ids import EndpointId, SchoolId
from homeroom.base.keys import KeyGenerator
from homeroom.bootstrap.messaging import build_guard
from homeroom.cli.command import (
    ID,
    CommandContext,
    format_time,
    json_option,
    print_fields,
    print_table,
    with_context,
)
from homeroom.domain.deliveries import AttemptOutcome, AttemptResult
from homeroom.domain.endpoints import (
    OPENING_SECONDS,
    Endpoint,
    EndpointFormat,
    EndpointOrdering,
)
from homeroom.domain.refusal import OperatorError
from homeroom.folder import has_sandbox
from homeroom.store.unit_of_work import Store
from homeroom.usecases import endpoints, schools

KEYS = KeyGenerator()
endpoint_argument = click.argument("endpoint", metavar="ID", type=ID)


@click.group()
def endpoint() -> None:
    """Manage where the messages of a school are sent."""


@endpoint.command("add")
@click.argument("sid", type=ID)
@click.argument("url")
@click.option(
    "--format",
    "format_name",
    type=click.Choice([each.value for each in EndpointFormat]),
    default=EndpointFormat.CLASSIN.value,
    show_default=True,
    help="The vendor's format, or Standard Webhooks.",
)
@click.option(
    "--ordering",
    type=click.Choice([each.value for each in EndpointOrdering]),
    help="Messages that wait for each other.  [school; standard: class]",
)
@click.option(
    "--kinds", metavar="NAMES", help="Only these messages: names or commands, with commas."
)
@json_option
@with_context
def add_endpoint(
    context: CommandContext,
    sid: SchoolId,
    url: str,
    format_name: str,
    ordering: str | None,
    kinds: str | None,
    *,
    as_json: bool,
) -> None:
    """Add an endpoint, and wait until it has acknowledged the test message."""
    names = [name.strip() for name in kinds.split(",") if name.strip()] if kinds else None
    with context.open_store() as store:
        added = store.write(
            lambda uow: endpoints.add(
                uow,
                KEYS,
                sid,
                url,
                EndpointFormat(format_name),
                EndpointOrdering(ordering) if ordering is not None else None,
                names,
            ),
            sid,
        )
        try:
            active = _activate(context, store, added)
        except OperatorError:
            store.write(lambda uow: endpoints.remove(uow, added.id), sid)
            raise
    # A secret is shown once more by `rotate` alone.
    fields = _to_fields(active) | ({"secret": active.secret} if active.secret else {})
    print_fields(fields, as_json=as_json)


@endpoint.command("list")
@click.option("--school", type=ID, metavar="SID", help="Only those of this school.")
@json_option
@with_context
def list_endpoints(context: CommandContext, school: SchoolId | None, *, as_json: bool) -> None:
    """List endpoints."""
    rows = context.read(lambda uow: endpoints.list_endpoints(uow, school))
    table = [_to_row(each) for each in rows]
    print_table(table, as_json=as_json, if_empty="There are no endpoints.")


@endpoint.command("show")
@endpoint_argument
@json_option
@with_context
def show_endpoint(context: CommandContext, endpoint: EndpointId, *, as_json: bool) -> None:
    """Show an endpoint."""
    present = context.read(lambda uow: endpoints.get(uow, endpoint))
    print_fields(_to_fields(present), as_json=as_json)


@endpoint.command("test")
@endpoint_argument
@json_option
@with_context
def test_endpoint(context: CommandContext, endpoint: EndpointId, *, as_json: bool) -> None:
    """Send the test message, and activate the endpoint if it was pending."""
    with context.open_store() as store:
        present = store.read(lambda uow: endpoints.get(uow, endpoint))
        active = _activate(context, store, present)
    print_fields(_to_fields(active), as_json=as_json)


@endpoint.command("move")
@endpoint_argument
@click.argument("url")
@json_option
@with_context
def move_endpoint(
    context: CommandContext, endpoint: EndpointId, url: str, *, as_json: bool
) -> None:
    """Give an endpoint a new address, once the test message was acknowledged there."""
    with context.open_store() as store:
        changed = store.write(lambda uow: endpoints.change_url(uow, endpoint, url))
        active = _activate(context, store, changed)
    print_fields(_to_fields(active), as_json=as_json)


@endpoint.command("pause")
@endpoint_argument
@json_option
@with_context
def pause_endpoint(context: CommandContext, endpoint: EndpointId, *, as_json: bool) -> None:
    """Stop sending to an endpoint; its messages wait."""
    changed = context.write(lambda uow: endpoints.pause(uow, endpoint))
    print_fields(_to_fields(changed), as_json=as_json)


@endpoint.command("resume")
@endpoint_argument
@click.option("--from-now", is_flag=True, help="Skip what waits.")
@json_option
@with_context
def resume_endpoint(
    context: CommandContext, endpoint: EndpointId, *, from_now: bool, as_json: bool
) -> None:
    """Send again to an endpoint that was paused or disabled; what waits is sent first."""
    changed = context.write(lambda uow: endpoints.resume(uow, endpoint, from_now=from_now))
    print_fields(_to_fields(changed), as_json=as_json)


@endpoint.command("skip")
@endpoint_argument
@json_option
@with_context
def skip_messages(context: CommandContext, endpoint: EndpointId, *, as_json: bool) -> None:
    """Skip the first message of each queue that fails; it can be sent again by hand."""
    count = context.write(lambda uow: endpoints.skip_head(uow, endpoint))
    print_fields({"endpoint": endpoint, "skipped": count}, as_json=as_json)


@endpoint.command("alert")
@endpoint_argument
@click.argument("addresses", metavar="[ADDRESS]...", nargs=-1)
@json_option
@with_context
def set_alert_addresses(
    context: CommandContext, endpoint: EndpointId, addresses: tuple[str, ...], *, as_json: bool
) -> None:
    """Set who gets a mail every hour while an endpoint is stuck; no mail without an address.

    The mail server is the setting smtp_url.
    """
    changed = context.write(lambda uow: endpoints.set_alert_addresses(uow, endpoint, addresses))
    print_fields(_to_fields(changed), as_json=as_json)


@endpoint.command("rotate")
@endpoint_argument
@json_option
@with_context
def rotate_endpoint_secret(context: CommandContext, endpoint: EndpointId, *, as_json: bool) -> None:
    """Give an endpoint a new secret; the former one signs too for a day."""
    changed = context.write(lambda uow: endpoints.rotate(uow, KEYS, endpoint))
    print_fields(_to_fields(changed) | {"secret": changed.secret}, as_json=as_json)


@endpoint.command("remove")
@endpoint_argument
@json_option
@with_context
def remove_endpoint(context: CommandContext, endpoint: EndpointId, *, as_json: bool) -> None:
    """Remove an endpoint, and drop what waits for it."""
    context.write(lambda uow: endpoints.remove(uow, endpoint))
    print_fields({"endpoint": endpoint, "removed": True}, as_json=as_json)


def _activate(context: CommandContext, store: Store, endpoint: Endpoint) -> Endpoint:
    """Send the test message, and activate what has acknowledged it."""
    result = _send_test(context, store, endpoint)
    if endpoint.start_after_id is None:
        store.write(lambda uow: endpoints.open_endpoint(uow, endpoint.id, result), endpoint.school)
        # Until then, a running server may not know that the school has a receiver.
        time.sleep(OPENING_SECONDS)
    elif result.outcome is not AttemptOutcome.ACKNOWLEDGED:
        raise OperatorError(endpoints.describe_failure(endpoint, result))
    return store.write(lambda uow: endpoints.activate(uow, endpoint.id), endpoint.school)


def _send_test(context: CommandContext, store: Store, endpoint: Endpoint) -> AttemptResult:
    from homeroom.messages.client import MessageClient  # noqa: PLC0415  aiohttp takes 0.2 s to import

    settings = context.load_settings(sandbox=has_sandbox(store))
    secret = store.read(lambda uow: schools.get(uow, endpoint.school).secret)

    async def find_secret(_school: SchoolId) -> str:
        return secret

    async def send() -> AttemptResult:
        client = MessageClient(
            store.clock, SystemClock(), build_guard(settings), find_secret, lambda path, _: path
        )
        try:
            return await client.send_test(endpoint)
        finally:
            await client.close()

    return asyncio.run(send())


def _to_row(endpoint: Endpoint) -> dict[str, Any]:
    return {
        "id": endpoint.id,
        "sid": endpoint.school,
        "url": endpoint.url,
        "format": endpoint.format.value,
        "ordering": endpoint.ordering.value,
        "state": endpoint.state.value,
    }


def _to_fields(endpoint: Endpoint) -> dict[str, Any]:
    return _to_row(endpoint) | {
        "new_url": endpoint.new_url,
        "kinds": _join(endpoint.kinds),
        "alert": _join(endpoint.alert_addresses),
        "reason": endpoint.state_reason,
        "activated": format_time(endpoint.activated_at),
        "last_success": format_time(endpoint.last_success_at),
    }


def _join(names: Sequence[str] | None) -> str | None:
    return ",".join(names) if names is not None else None
