"""`homeroom clip`."""

from pathlib import Path

import click

from homeroom.base.ids import LessonId
from homeroom.base.keys import Keys
from homeroom.cli.frame import ID, Place, as_json, at, on_data, tell, tell_all, warn
from homeroom.domain.refusal import Refused
from homeroom.store.engine import StoreFailed
from homeroom.store.files import Files, looks_like_mp4
from homeroom.usecases import clips, operations


@click.group()
def clip() -> None:
    """Manage the recorded files of classes."""


@clip.command()
@click.argument("lesson", metavar="CLASS_ID", type=ID)
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE.mp4")
@as_json
@on_data
def add(place: Place, lesson: LessonId, file: Path, *, as_json: bool) -> None:
    """Add a recorded file to a class; it is copied into the data folder."""
    with place.store() as store:
        store.look(lambda work: operations.lesson(work, lesson))
        files = Files(place.settings().data)
        kept = files.keep_clip(file, Keys().file_id())
        try:
            added = store.work(lambda work: clips.add(work, lesson, kept))
        except (Refused, StoreFailed):
            # After any other failure the row may be there: then the file stays, and doctor tells.
            files.erase(kept.path)
            raise
        if not looks_like_mp4(files.folder / kept.path):
            warn(f"{file} does not begin as an MP4 does; players may not play it")
    tell(
        {
            "clip": added.id,
            "classId": lesson,
            "fileId": kept.file_id,
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
    """List the clips of a class, deleted ones too."""
    rows = [
        {
            "clip": one.id,
            "fileId": one.file.file_id,
            "name": one.file.name,
            "size": one.file.size,
            "added": at(one.created_at),
            "deleted": at(one.deleted_at),
        }
        for one in place.look(lambda work: clips.every(work, lesson))
    ]
    tell_all(rows, as_json=as_json, none="The class has no clips.")
