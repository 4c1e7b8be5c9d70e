"""`homeroom folder`."""

import click

from homeroom.base.ids import FolderId
from homeroom.cli.frame import ID, PAIR, Place, as_json, on_data, one_key, tell
from homeroom.usecases import operations

WRITABLE = {"1": True, "0": False, "on": True, "off": False}


@click.group()
def folder() -> None:
    """Do to a folder of the cloud drive what only an operator does."""


@folder.command("set")
@click.argument("folder", type=ID)
@click.argument("pairs", type=PAIR, nargs=-1, required=True)
@as_json
@on_data
def change(
    place: Place, folder: FolderId, pairs: tuple[tuple[str, str], ...], *, as_json: bool
) -> None:
    """Let the partner API put folders into a folder: writable=1, or writable=0 (errno 196)."""
    writable = WRITABLE[one_key(pairs, "writable", list(WRITABLE))]
    held = place.work(lambda uow: operations.set_writable(uow, folder, writable=writable))
    tell({"folder": folder, "sid": held.school, "writable": writable}, as_json=as_json)
