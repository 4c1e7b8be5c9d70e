"""`homeroom folder`."""

import click

from homeroom.base.ids import FolderId
from homeroom.cli.command import (
    ID,
    PAIR,
    CommandContext,
    get_single_value,
    json_option,
    print_fields,
    with_context,
)
from homeroom.usecases import operations

WRITABLE_VALUES = {"1": True, "0": False, "on": True, "off": False}


@click.group()
def folder() -> None:
    """Change a folder of the cloud drive as an operator."""


@folder.command("set")
@click.argument("folder", type=ID)
@click.argument("pairs", type=PAIR, nargs=-1, required=True)
@json_option
@with_context
def change_folder(
    context: CommandContext, folder: FolderId, pairs: tuple[tuple[str, str], ...], *, as_json: bool
) -> None:
    """Open a folder to changes by the partner API: writable=1; or close it: writable=0.

    A closed folder is not renamed or deleted, and neither files nor folders are put into it.
    """
    writable = WRITABLE_VALUES[get_single_value(pairs, "writable", list(WRITABLE_VALUES))]
    changed = context.write(lambda uow: operations.set_writable(uow, folder, writable=writable))
    print_fields({"folder": folder, "sid": changed.school, "writable": writable}, as_json=as_json)
