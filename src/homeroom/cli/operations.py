"""`homeroom maintenance`, `homeroom token` and `homeroom migrate`."""

import click

from homeroom.base.clock import Moment
from homeroom.base.ids import SchoolId, TokenId, WindowId
from homeroom.cli.frame import ID, MOMENT, Place, as_json, at, on_data, tell, tell_all
from homeroom.cli.schools import MEANS
from homeroom.folder import migrate_if_needed
from homeroom.usecases import operations


@click.group()
def maintenance() -> None:
    """Manage maintenance windows, which no class may touch (errno 454)."""


@maintenance.command("add")
@click.option("--from", "begin", type=MOMENT, required=True, help="When it begins.")
@click.option("--to", "end", type=MOMENT, required=True, help="When it ends.")
@click.option("--block", is_flag=True, help="The partner API answers 901 meanwhile.")
@as_json
@on_data
def add_window(place: Place, begin: Moment, end: Moment, *, block: bool, as_json: bool) -> None:
    """Add a maintenance window.

    Times are epoch seconds, or ISO 8601 as 2026-12-24T22:00+08:00; without an offset they are UTC.
    """
    number = place.work(lambda uow: operations.add_window(uow, begin, end, blocks=block))
    tell({"window": number, "from": at(begin), "to": at(end), "block": block}, as_json=as_json)


@maintenance.command("list")
@as_json
@on_data
def every_window(place: Place, *, as_json: bool) -> None:
    """List the maintenance windows."""
    rows = [
        {"window": one.id, "from": at(one.begin), "to": at(one.end), "block": one.blocks}
        for one in place.look(operations.list_windows)
    ]
    tell_all(rows, as_json=as_json, none="There are no maintenance windows.")


@maintenance.command("remove")
@click.argument("window", type=ID)
@as_json
@on_data
def remove_window(place: Place, window: WindowId, *, as_json: bool) -> None:
    """Remove a maintenance window; classes may be there again."""
    place.work(lambda uow: operations.remove_window(uow, window))
    tell({"window": window, "removed": True}, as_json=as_json)


@click.group()
def token() -> None:
    """Manage bearer tokens, which open /admin/v1 and, from elsewhere, the sandbox."""


@token.command("create")
@click.option("--school", type=ID, metavar="SID", help="Of one school; without it, the operator's.")
@click.option("--name", default="cli", show_default=True, help="What the list shows it as.")
@as_json
@on_data
def create_token(place: Place, school: SchoolId | None, name: str, *, as_json: bool) -> None:
    """Make a bearer token and print it; it is shown only now, and kept only as a fingerprint."""
    number, secret = place.work(
        lambda uow: operations.issue_token(uow, MEANS, school, name), makes=True
    )
    tell({"id": number, "school": school, "name": name, "token": secret}, as_json=as_json)


@token.command("list")
@as_json
@on_data
def every_token(place: Place, *, as_json: bool) -> None:
    """List the bearer tokens, revoked ones too."""
    rows = [
        {
            "id": one.id,
            "school": one.school,
            "name": one.name,
            "created": at(one.created_at),
            "revoked": at(one.revoked_at),
        }
        for one in place.look(operations.list_tokens)
    ]
    tell_all(rows, as_json=as_json, none="There are no tokens.")


@token.command()
@click.argument("token", metavar="ID", type=ID)
@as_json
@on_data
def revoke(place: Place, token: TokenId, *, as_json: bool) -> None:
    """Revoke a bearer token by its id."""
    place.work(lambda uow: operations.revoke_token(uow, token))
    tell({"id": token, "revoked": True}, as_json=as_json)


@click.command()
@as_json
@on_data
def migrate(place: Place, *, as_json: bool) -> None:
    """Bring the database to the tables of this version; other commands do so by themselves."""
    changed = migrate_if_needed(place.settings())
    if as_json:
        tell({"changed": changed}, as_json=True)
    else:
        click.echo("The tables were brought up to date." if changed else "The tables are current.")
