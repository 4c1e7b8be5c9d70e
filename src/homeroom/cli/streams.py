"""`homeroom stream` and `homeroom media`."""

import click

from homeroom.base.ids import LessonId
from homeroom.bootstrap import build_dependencies, find_hosts
from homeroom.cli.frame import ID, Facts, Place, as_json, at, on_data, tell
from homeroom.domain.webcasts import StreamAddresses
from homeroom.folder import find_running_server
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import secrets, streams


@click.command()
@click.argument("lesson", metavar="CLASS_ID", type=ID)
@click.option("--new-key", is_flag=True, help="Make the push addresses given out before worthless.")
@as_json
@on_data
def stream(place: Place, lesson: LessonId, *, new_key: bool, as_json: bool) -> None:
    """Show where a class is pushed and pulled, and when.

    Push addresses and the teacher's page are secrets: whoever has one may push. Give them to the
    teacher alone.
    """
    settings = place.settings()

    def unit(uow: UnitOfWork) -> streams.LessonStreams:
        if new_key:
            streams.renew_key(uow, lesson)
        deps = build_dependencies(settings, secrets.load_or_create(uow))
        return streams.get_streams(uow, deps, find_hosts(settings), lesson)

    shown = place.work(unit)
    tell(
        {
            "class": lesson,
            "opens_at": at(shown.opens_at),
            "closes_at": at(shown.closes_at),
            "teach_url": shown.teach_url,
            **_told("", shown.room),
            **_told("scene_", shown.scene),
        },
        as_json=as_json,
    )


@click.group()
def media() -> None:
    """Show what another media server has to know: its configuration wants it."""


@media.command("hooks")
@as_json
@on_data
def hooks(place: Place, *, as_json: bool) -> None:
    """Show the address of the hooks; it holds a secret.

    On another machine, put the address of this one in place of 127.0.0.1.
    """
    settings = place.settings()
    running = find_running_server(settings)
    served_at = (running and running.url) or f"http://{settings.host}:{settings.port}"
    secret = place.work(secrets.load_or_create).hooks
    tell({"hooks_url": f"{served_at}/media/hooks?secret={secret}"}, as_json=as_json)


@media.command("keys")
@as_json
@on_data
def keys(place: Place, *, as_json: bool) -> None:
    """Show the key of pull addresses, by which a CDN can check them; it is a secret."""
    tell({"pull_key": place.work(secrets.load_or_create).pull}, as_json=as_json)


def _told(prefix: str, shown: streams.StreamInfo | None) -> Facts:
    pull = (shown and shown.pull_urls) or StreamAddresses()
    return {
        f"{prefix}push_url": shown and shown.push_url,
        f"{prefix}rtmp_url": pull.rtmp or None,
        f"{prefix}hls_url": pull.hls or None,
        f"{prefix}flv_url": pull.flv or None,
    }
