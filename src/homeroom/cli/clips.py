"""`homeroom clip`."""

from pathlib import Path

import click

from homeroom.base.ids import LessonId
from homeroom.base.keys import KeyGenerator
from homeroom.base.mp4 import looks_like_mp4
from homeroom.cli.command import (
    ID,
    CommandContext,
    OutputFields,
    format_time,
    json_option,
    print_fields,
    print_table,
    print_warning,
    with_context,
)
from homeroom.domain.clips import CLIP_URL_SECONDS, Clip, sign_clip_url
from homeroom.domain.refusal import Refusal
from homeroom.domain.streams import StreamKind
from homeroom.folder import find_running_server
from homeroom.store.engine import StoreError
from homeroom.store.local_storage import LocalStorage
from homeroom.store.storage import import_clip
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import clips, operations, secrets


@click.group()
def clip() -> None:
    """Manage the recorded files of classes."""


@clip.command()
@click.argument("lesson", metavar="CLASS_ID", type=ID)
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE.mp4")
@click.option(
    "--kind",
    type=click.Choice([kind.value for kind in StreamKind]),
    default=StreamKind.CLASS.value,
    help="The stream that it records: the class, or its scene.  [class]",
)
@json_option
@with_context
def add(context: CommandContext, lesson: LessonId, file: Path, kind: str, *, as_json: bool) -> None:
    """Add a recorded file to a class; it is copied into the data folder."""
    with context.open_store() as store:
        store.read(lambda uow: operations.get_lesson(uow, lesson))
        storage = LocalStorage(context.load_settings().data)
        now = store.clock.now()
        clip_file = import_clip(storage, file, KeyGenerator().file_id(), now, StreamKind(kind))
        try:
            added = store.write(lambda uow: clips.add(uow, lesson, clip_file))
        except (Refusal, StoreError):
            # After any other failure the row may exist: keep the file; doctor reports strays.
            storage.erase(clip_file.path)
            raise
        with storage.open(clip_file.path).content as content:
            is_mp4 = looks_like_mp4(content)
        if not is_mp4:
            print_warning(f"{file} does not begin like an MP4 file; players may not play it")
    print_fields(
        {
            "clip": added.id,
            "classId": lesson,
            "fileId": clip_file.file_id,
            "kind": clip_file.kind.value,
            "durationMs": clip_file.duration_ms,
            "size": clip_file.size,
            "sha256": clip_file.sha256,
            "path": clip_file.path,
        },
        as_json=as_json,
    )


@clip.command("list")
@click.argument("lesson", metavar="CLASS_ID", type=ID)
@json_option
@with_context
def list_clips(context: CommandContext, lesson: LessonId, *, as_json: bool) -> None:
    """List the clips of a class with deleted ones; --json adds their hashes and URLs."""
    settings = context.load_settings()
    server = find_running_server(settings)
    pages = server.hosts.pages if server and server.hosts else settings.public_url

    def read_clips(uow: UnitOfWork) -> list[OutputFields]:
        key, expires_at = secrets.find_clip_key(uow), uow.now + CLIP_URL_SECONDS

        def build_url(clip: Clip) -> str | None:
            if not (pages and key) or clip.deleted_at is not None:
                return None
            return sign_clip_url(pages, clip.file.file_id, expires_at, key)

        return [
            _format_clip(clip)
            | ({"sha256": clip.file.sha256, "url": build_url(clip)} if as_json else {})
            for clip in clips.list_clips(uow, lesson)
        ]

    print_table(context.read(read_clips), as_json=as_json, if_empty="The class has no clips.")


def _format_clip(clip: Clip) -> dict[str, object]:
    file = clip.file
    return {
        "clip": clip.id,
        "fileId": file.file_id,
        "name": file.name,
        "kind": file.kind.value,
        "startedAt": format_time(file.started_at),
        "durationMs": file.duration_ms,
        "size": file.size,
        "isFinished": file.is_finished,
        "added": format_time(clip.created_at),
        "deleted": format_time(clip.deleted_at),
    }
