"""`homeroom stream` and `homeroom media`."""

import click

from homeroom.base.ids import LessonId
from homeroom.bootstrap.dependencies import build_dependencies, find_hosts
from homeroom.cli.command import (
    ID,
    CommandContext,
    OutputFields,
    format_time,
    json_option,
    print_fields,
    with_context,
)
from homeroom.domain.webcasts import StreamAddresses
from homeroom.folder import find_running_server
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import secrets, streams


@click.command()
@click.argument("lesson", metavar="CLASS_ID", type=ID)
@click.option("--new-key", is_flag=True, help="Invalidate all earlier push addresses.")
@json_option
@with_context
def stream(context: CommandContext, lesson: LessonId, *, new_key: bool, as_json: bool) -> None:
    """Show the push and pull addresses of a class, and when it opens and closes.

    Push addresses and the teacher's page are secrets: anyone with one can publish. Give them
    only to the teacher.
    """
    settings = context.load_settings()

    def read_streams(uow: UnitOfWork) -> streams.LessonStreams:
        if new_key:
            streams.renew_key(uow, lesson)
        deps = build_dependencies(settings, secrets.load_or_create(uow))
        return streams.get_streams(uow, deps, find_hosts(settings), lesson)

    addresses = context.write(read_streams)
    print_fields(
        {
            "class": lesson,
            "opens_at": format_time(addresses.opens_at),
            "closes_at": format_time(addresses.closes_at),
            "teach_url": addresses.teach_url,
            **_format_stream("", addresses.room),
            **_format_stream("scene_", addresses.scene),
        },
        as_json=as_json,
    )


@click.group()
def media() -> None:
    """Show the values that the configuration of an external media server needs."""


@media.command("hooks")
@json_option
@with_context
def hooks(context: CommandContext, *, as_json: bool) -> None:
    """Show the address of the hooks; it contains a secret.

    If the media server runs on another machine, replace 127.0.0.1 by the address of this one.
    """
    settings = context.load_settings()
    running = find_running_server(settings)
    served_at = (running and running.url) or f"http://{settings.host}:{settings.port}"
    secret = context.write(secrets.load_or_create).hooks
    print_fields({"hooks_url": f"{served_at}/media/hooks?secret={secret}"}, as_json=as_json)


@media.command("keys")
@json_option
@with_context
def keys(context: CommandContext, *, as_json: bool) -> None:
    """Show the key with which a CDN can check pull addresses; it is a secret."""
    print_fields({"pull_key": context.write(secrets.load_or_create).pull}, as_json=as_json)


def _format_stream(prefix: str, info: streams.StreamInfo | None) -> OutputFields:
    pull = (info and info.pull_urls) or StreamAddresses()
    return {
        f"{prefix}push_url": info and info.push_url,
        f"{prefix}rtmp_url": pull.rtmp or None,
        f"{prefix}hls_url": pull.hls or None,
        f"{prefix}flv_url": pull.flv or None,
    }
