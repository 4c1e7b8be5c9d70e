"""`homeroom key`."""

from functools import partial

import click

from homeroom.cli.command import (
    CommandContext,
    json_option,
    print_fields,
    print_warning,
    with_context,
)
from homeroom.domain.server_keys import INVALIDATED, KeyRotation
from homeroom.folder import (
    find_key_file,
    find_running_server,
    get_master_key,
    rotate_master_key,
)
from homeroom.store.unit_of_work import Store
from homeroom.usecases import secrets


@click.group()
def key() -> None:
    """Manage the key that encrypts secrets in the database, and the server's own keys."""


@key.command()
@json_option
@with_context
def show(context: CommandContext, *, as_json: bool) -> None:
    """Show which key encrypts the secrets in the database, and its file; not the key itself."""
    settings = context.load_settings()
    with context.open_store() as store:
        key_id = get_master_key(store).id
    print_fields({"id": key_id, "file": str(find_key_file(settings).path)}, as_json=as_json)


@key.command()
@click.argument(
    "name",
    type=click.Choice([rotation.value for rotation in KeyRotation]),
    default=KeyRotation.MASTER.value,
    metavar="NAME",
)
@json_option
@with_context
def rotate(context: CommandContext, name: str, *, as_json: bool) -> None:
    """Replace a key by a new one, and say what becomes invalid.

    Without a name it is the master key, which encrypts the secrets in the database. Servers that
    run with the same key file continue; a server with a copy of it needs the new one. The other
    keys are the server's own: running servers use a new one when they start again.
    """
    rotation = KeyRotation(name)
    settings = context.load_settings()
    with context.open_store() as store:
        if rotation is KeyRotation.MASTER:
            rotate_master_key(store, settings)
        else:
            store.write(lambda uow: secrets.rotate(uow, rotation))
            if rotation is KeyRotation.PULL:
                _sign_pull_addresses(store)
    print_fields({"key": name, "rotated": True, "invalid": INVALIDATED[rotation]}, as_json=as_json)
    if rotation is not KeyRotation.MASTER and find_running_server(settings) is not None:
        print_warning("a server runs with the former key: start it again")


def _sign_pull_addresses(store: Store) -> None:
    last: int | None = 0
    while last is not None:
        last = store.write(partial(secrets.sign_pull_addresses, after=last))
