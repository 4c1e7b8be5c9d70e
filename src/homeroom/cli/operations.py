"""`homeroom maintenance`, `homeroom token` and `homeroom migrate`."""

from collections.abc import Sequence

import click

from homeroom.base.clock import Moment
from homeroom.base.ids import SchoolId, TokenId, WindowId
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
from homeroom.cli.schools import DEPENDENCIES
from homeroom.domain.tokens import TokenScope
from homeroom.folder import migrate_if_needed
from homeroom.usecases import operations


@click.group()
def maintenance() -> None:
    """Manage maintenance windows; no class may overlap one."""


@maintenance.command("add")
@click.option("--from", "begin", type=MOMENT, required=True, help="Time at which it begins.")
@click.option("--to", "end", type=MOMENT, required=True, help="Time at which it ends.")
@click.option(
    "--block", is_flag=True, help="Refuse every call of the partner API during the window."
)
@json_option
@with_context
def add_window(
    context: CommandContext, begin: Moment, end: Moment, *, block: bool, as_json: bool
) -> None:
    """Add a maintenance window.

    Times are epoch seconds, or ISO 8601 (2026-12-24T22:00+08:00); without an offset they are UTC.
    """
    number = context.write(lambda uow: operations.add_window(uow, begin, end, blocks=block))
    print_fields(
        {"window": number, "from": format_time(begin), "to": format_time(end), "block": block},
        as_json=as_json,
    )


@maintenance.command("list")
@json_option
@with_context
def list_windows(context: CommandContext, *, as_json: bool) -> None:
    """List the maintenance windows."""
    rows = [
        {
            "window": window.id,
            "from": format_time(window.begin),
            "to": format_time(window.end),
            "block": window.blocks,
        }
        for window in context.read(operations.list_windows)
    ]
    print_table(rows, as_json=as_json, if_empty="There are no maintenance windows.")


@maintenance.command("remove")
@click.argument("window", type=ID)
@json_option
@with_context
def remove_window(context: CommandContext, window: WindowId, *, as_json: bool) -> None:
    """Remove a maintenance window; classes may be at that time again."""
    context.write(lambda uow: operations.remove_window(uow, window))
    print_fields({"window": window, "removed": True}, as_json=as_json)


@click.group()
def token() -> None:
    """Manage bearer tokens for /admin/v1 and, from another machine, for the sandbox."""


@token.command("create")
@click.option(
    "--school",
    type=ID,
    metavar="SID",
    help="Limit the token to this school; without it, it is the operator's.",
)
@click.option("--name", default="cli", show_default=True, help="Name of the token in the list.")
@click.option(
    "--scope",
    "scopes",
    type=click.Choice([each.value for each in TokenScope]),
    multiple=True,
    default=[TokenScope.READ.value],
    show_default=True,
    help="What it is for; can be given several times. messages: send messages, pause, resume, skip"
    " and test endpoints. admin: create, change and remove endpoints.",
)
@click.option(
    "--expires", type=MOMENT, metavar="TIME", help="Time from which on it is not in force."
)
@json_option
@with_context
def create_token(
    context: CommandContext,
    school: SchoolId | None,
    name: str,
    scopes: Sequence[str],
    expires: Moment | None,
    *,
    as_json: bool,
) -> None:
    """Create a bearer token and print it; only now, for only its fingerprint is stored."""
    chosen = [TokenScope(scope) for scope in scopes]
    number, secret = context.write(
        lambda uow: operations.issue_token(uow, DEPENDENCIES, school, name, chosen, expires),
        create=True,
    )
    fields = {
        "id": number,
        "school": school,
        "name": name,
        "scopes": list(scopes),
        "expires": format_time(expires),
        "token": secret,
    }
    print_fields(fields, as_json=as_json)


@token.command("list")
@json_option
@with_context
def list_tokens(context: CommandContext, *, as_json: bool) -> None:
    """List the bearer tokens with revoked ones."""
    rows = [
        {
            "id": token.id,
            "school": token.school,
            "name": token.name,
            "scopes": [scope.value for scope in token.scopes],
            "expires": format_time(token.expires_at),
            "created": format_time(token.created_at),
            "revoked": format_time(token.revoked_at),
        }
        for token in context.read(operations.list_tokens)
    ]
    print_table(rows, as_json=as_json, if_empty="There are no tokens.")


@token.command()
@click.argument("token", metavar="ID", type=ID)
@json_option
@with_context
def revoke(context: CommandContext, token: TokenId, *, as_json: bool) -> None:
    """Revoke a bearer token by its id."""
    context.write(lambda uow: operations.revoke_token(uow, token))
    print_fields({"id": token, "revoked": True}, as_json=as_json)


@click.command()
@json_option
@with_context
def migrate(context: CommandContext, *, as_json: bool) -> None:
    """Migrate the database to this version; other commands do so automatically."""
    changed = migrate_if_needed(context.load_settings())
    if changed:
        context.write(lambda _uow: None)
    if as_json:
        print_fields({"changed": changed}, as_json=True)
    else:
        click.echo("The tables were brought up to date." if changed else "The tables are current.")
