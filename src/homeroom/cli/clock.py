"""`homeroom clock`."""

import click

from homeroom.base.clock import SystemClock
from homeroom.cli.command import (
    CommandContext,
    format_time,
    json_option,
    print_fields,
    with_context,
)
from homeroom.usecases import clock as clocks


@click.group()
def clock() -> None:
    """Tell servers that the clock of this machine is right."""


@clock.command()
@json_option
@with_context
def accept(context: CommandContext, *, as_json: bool) -> None:
    """Accept the time of this machine, so that servers delete by age again.

    They stop that when their clock jumps by more than an hour, or is more than 30 days after the
    last write when they start. Look at the clock first. They continue within two seconds.
    """
    now = SystemClock().now()
    context.write(lambda uow: clocks.accept(uow, now))
    print_fields({"accepted": format_time(now)}, as_json=as_json)
