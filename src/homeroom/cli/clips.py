"""`homeroom clip`."""

from collections.abc import Callable
from pathlib import Path

import click

from homeroom.base.clock import Moment
from homeroom.base.ids import LessonId
from homeroom.base.keys import KeyGenerator
from homeroom.base.mp4 import looks_like_mp4
from homeroom.cli.command import (
    ID,
    MOMENT,
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
from homeroom.domain.refusal import OperatorError, Refusal
from homeroom.domain.streams import StreamKind
from homeroom.folder import find_running_server, open_storage
from homeroom.store.engine import StoreError
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
        storage = open_storage(context.load_settings(), store)
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
            "storage": clip_file.storage,
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


file_ids_argument = click.argument("file_ids", metavar="[FILE_ID]...", nargs=-1)
lesson_option = click.option(
    "--class", "lesson", metavar="CLASS_ID", type=ID, help="All that can be restored of a class."
)


@clip.command()
@file_ids_argument
@lesson_option
@click.option(
    "--swept-since",
    metavar="TIME",
    type=MOMENT,
    help="What the retention has deleted since then, of the class or of all schools.",
)
@json_option
@with_context
def restore(
    context: CommandContext,
    file_ids: tuple[str, ...],
    lesson: LessonId | None,
    swept_since: Moment | None,
    *,
    as_json: bool,
) -> None:
    """Restore deleted clips whose files are not erased yet.

    What the retention deletes can be restored for 7 days, what deleteClassVideo deletes for
    `undelete_days` of the school's plan. The days of the retention count again from now.
    """
    _change_deleted(context, clips.restore, file_ids, lesson, swept_since, as_json=as_json)


@clip.command()
@file_ids_argument
@lesson_option
@json_option
@with_context
def purge(
    context: CommandContext,
    file_ids: tuple[str, ...],
    lesson: LessonId | None,
    *,
    as_json: bool,
) -> None:
    """Erase the files of deleted clips now, where they could still be restored."""
    _change_deleted(context, clips.purge, file_ids, lesson, None, as_json=as_json)


def _change_deleted(
    context: CommandContext,
    change: Callable[[UnitOfWork, list[Clip]], None],
    file_ids: tuple[str, ...],
    lesson: LessonId | None,
    swept_since: Moment | None,
    *,
    as_json: bool,
) -> None:
    if bool(file_ids) == (lesson is not None or swept_since is not None):
        raise OperatorError("name clips by their fileId, or choose them by an option")

    def apply(uow: UnitOfWork) -> list[OutputFields]:
        if file_ids:
            selected = [clips.get_by_file_id(uow, file_id) for file_id in file_ids]
        else:
            selected = clips.list_restorable(uow, lesson, swept_since)
        change(uow, selected)
        return [
            {"clip": clip.id, "classId": clip.lesson, "fileId": clip.file.file_id}
            for clip in selected
        ]

    print_table(
        context.write(apply), as_json=as_json, if_empty="There is no such clip to restore or erase."
    )


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
        "restorableUntil": format_time(clip.erase_after),
    }
