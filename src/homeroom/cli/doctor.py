"""`homeroom doctor`."""

import os
import sys
from collections.abc import Iterator

import click

from homeroom.base.settings import Settings
from homeroom.cli.checks.clock import check_clock
from homeroom.cli.checks.database import (
    check_backlog,
    check_database,
    check_integrity,
    check_tables,
    check_writes,
)
from homeroom.cli.checks.folder import check_folder, check_space
from homeroom.cli.checks.key_file import check_key_file
from homeroom.cli.checks.media import check_media
from homeroom.cli.checks.modes import check_modes
from homeroom.cli.checks.result import CheckResult, CheckStatus
from homeroom.cli.checks.server import check_server
from homeroom.cli.checks.storages import check_storages
from homeroom.cli.checks.store import check_jobs, check_schools
from homeroom.cli.checks.stored_files import check_clips, check_drive_files
from homeroom.cli.command import CommandContext, json_option, to_json, with_context
from homeroom.folder import open_store
from homeroom.store.engine import StoreError
from homeroom.store.key_file import KeyFileError


@click.command()
@click.option("--fix", is_flag=True, help="Close files that are open to other users.")
@json_option
@with_context
def doctor(context: CommandContext, *, fix: bool, as_json: bool) -> None:
    """Check the data folder, the database, the clock, jobs, clips and the server.

    A line a check: ok, warn or fail; ends with 1 if one fails. Changes nothing without --fix, but
    for a row that it writes to learn whether it can.
    """
    results = list(_run_checks(context.load_settings(), fix=fix))
    if as_json:
        click.echo(to_json(results))
    else:
        width = max(len(result.check) for result in results)
        for result in results:
            click.echo(f"{result.state.value:<4}  {result.check:<{width}}  {result.message}")
    if any(result.state is CheckStatus.FAIL for result in results):
        sys.exit(1)


def _run_checks(settings: Settings, *, fix: bool) -> Iterator[CheckResult]:
    yield check_folder(settings.data)
    if settings.data.is_dir() and not os.access(settings.data, os.R_OK | os.X_OK):
        return  # nothing else can be checked
    if settings.data.is_dir():
        yield check_space("disk space", settings.data)
        yield check_modes(settings, fix=fix)
    database = check_database(settings)
    yield database
    if database.state is not CheckStatus.FAIL:
        try:
            yield from _check_store(settings)
        except KeyFileError as failure:
            yield CheckResult("key file", CheckStatus.FAIL, str(failure))
        except StoreError as failure:
            yield CheckResult("store", CheckStatus.FAIL, str(failure))
    if settings.media != "none":
        yield from check_media(settings)
    yield check_server(settings)


def _check_store(settings: Settings) -> Iterator[CheckResult]:
    tables = check_tables(settings)
    yield tables
    if tables.state is not CheckStatus.OK:
        return
    yield check_integrity(settings)
    with open_store(settings) as store:
        yield check_key_file(settings)
        yield check_writes(store)
        yield check_backlog(settings)
        yield check_clock(store)
        yield check_jobs(store)
        yield from check_clips(store, settings.data)
        yield from check_drive_files(store, settings.data)
        yield check_storages(store)
        yield check_schools(store)
