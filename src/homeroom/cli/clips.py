"""`homeroom clip`."""

from pathlib import Path

import click

from homeroom.base.ids import LessonId
from homeroom.base.keys import KeyGenerator
from homeroom.base.mp4 import looks_like_mp4
from homeroom.cli.frame import ID, Facts, Place, as_json, at, on_data, tell, tell_all, warn
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
    help="What it shows: the class, or its scene.  [class]",
)
@as_json
@on_data
def add(place: Place, lesson: LessonId, file: Path, kind: str, *, as_json: bool) -> None:
    """Add a recorded file to a class; it is copied into the data folder."""
    with place.store() as store:
        store.read(lambda uow: operations.get_lesson(uow, lesson))
        files = LocalStorage(place.settings().data)
        now = store.clock.now()
        kept = import_clip(files, file, KeyGenerator().file_id(), now, StreamKind(kind))
        try:
            added = store.write(lambda uow: clips.add(uow, lesson, kept))
        except (Refusal, StoreError):
            # After any other failure the row may be there: then the file stays, and doctor tells.
            files.erase(kept.path)
            raise
        with files.open(kept.path).content as content:
            is_mp4 = looks_like_mp4(content)
        if not is_mp4:
            warn(f"{file} does not begin as an MP4 does; players may not play it")
    tell(
        {
            "clip": added.id,
            "classId": lesson,
            "fileId": kept.file_id,
            "kind": kept.kind.value,
            "durationMs": kept.duration_ms,
            "size": kept.size,
            "sha256": kept.sha256,
            "path": kept.path,
        },
        as_json=as_json,
    )


@clip.command("list")
@click.argument("lesson", metavar="CLASS_ID", type=ID)
@as_json
@on_data
def every(place: Place, lesson: LessonId, *, as_json: bool) -> None:
    """List the clips of a class, deleted ones too; --json with their hashes and addresses."""
    settings = place.settings()
    server = find_running_server(settings)
    pages = server.hosts.pages if server and server.hosts else settings.public_url

    def look(uow: UnitOfWork) -> list[Facts]:
        key, expires_at = secrets.find_clip_key(uow), uow.now + CLIP_URL_SECONDS

        def url(one: Clip) -> str | None:
            if not (pages and key) or one.deleted_at is not None:
                return None
            return sign_clip_url(pages, one.file.file_id, expires_at, key)

        return [
            _row(one) | ({"sha256": one.file.sha256, "url": url(one)} if as_json else {})
            for one in clips.list_clips(uow, lesson)
        ]

    tell_all(place.look(look), as_json=as_json, none="The class has no clips.")


def _row(clip: Clip) -> dict[str, object]:
    file = clip.file
    return {
        "clip": clip.id,
        "fileId": file.file_id,
        "name": file.name,
        "kind": file.kind.value,
        "startedAt": at(file.started_at),
        "durationMs": file.duration_ms,
        "size": file.size,
        "isFinished": file.is_finished,
        "added": at(clip.created_at),
        "deleted": at(clip.deleted_at),
    }
