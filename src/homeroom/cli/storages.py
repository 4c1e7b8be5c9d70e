"""`homeroom storage`."""

import click

from homeroom.cli.command import (
    CommandContext,
    format_time,
    json_option,
    print_fields,
    print_table,
    with_context,
)
from homeroom.usecases import storages


@click.group()
def storage() -> None:
    """Manage the data folders that servers on one database keep files in."""


@storage.command("list")
@json_option
@with_context
def list_storages(context: CommandContext, *, as_json: bool) -> None:
    """List the storages, with the jobs that wait until a server with their files runs."""
    rows = [
        {
            "storage": state.record.id,
            "name": state.record.name,
            "seen": format_time(state.record.seen_at),
            "clips": state.clips,
            "files": state.files,
            "jobs": state.jobs,
            "here": state.is_here,
        }
        for state in context.read(storages.list_storages)
    ]
    print_table(rows, as_json=as_json, if_empty="No server has run yet.")


@storage.command()
@click.argument("storage_id", metavar="STORAGE")
@json_option
@with_context
def forget(context: CommandContext, storage_id: str, *, as_json: bool) -> None:
    """Forget a storage whose server is gone for good, with the jobs that wait for it.

    If its files were moved into another data folder, the server of that folder finds them.
    """
    forgotten = context.write(lambda uow: storages.forget(uow, storage_id))
    fields = {
        "forgotten": forgotten.record.id,
        "name": forgotten.record.name,
        "clips": forgotten.clips,
        "files": forgotten.files,
        "jobs": forgotten.jobs,
    }
    print_fields(fields, as_json=as_json)
