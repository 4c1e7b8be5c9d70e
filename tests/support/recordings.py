"""A class with recordings, without a server that works on them."""

from pathlib import Path

from homeroom.base.ids import LessonId
from homeroom.base.keys import KeyGenerator
from homeroom.domain.clips import Clip, NewClip, clip_path
from homeroom.domain.streams import StreamKind
from homeroom.store.local_storage import LocalStorage, scratch_folder
from homeroom.store.unit_of_work import Store
from homeroom.usecases import clips, demo
from homeroom.usecases.dependencies import Dependencies


class Recorded:
    """A data folder with a class whose recordings are reported."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store = store
        self.files = LocalStorage(folder)
        self.scratch = scratch_folder(folder)
        deps = Dependencies(KeyGenerator(), "pull key", 0)
        made = store.write(lambda uow: demo.find_or_create(uow, deps))
        self.lesson: LessonId = made.demo.lessons[0]

    def clip(self, content: bytes = b"a recording") -> Clip:
        """Take a recording in, as the hooks do."""
        file_id = KeyGenerator().file_id()
        path = self.files.locate(clip_path(file_id))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        file = NewClip(
            file_id=file_id,
            path=clip_path(file_id),
            name="recording.mp4",
            kind=StreamKind.CLASS,
            started_at=0,
            duration_ms=None,
            size=len(content),
            sha256=None,
            is_finished=False,
        )
        return self.store.write(lambda uow: clips.add(uow, self.lesson, file))

    def seen(self, clip: Clip) -> Clip:
        """Return a clip as it is now."""
        found = self.store.read(lambda uow: uow.clips.find_by_file_id(clip.file.file_id))
        assert found is not None
        return found

    def path(self, clip: Clip) -> Path:
        return self.files.locate(clip.file.path)

    def delete(self, clip: Clip) -> None:
        """Delete a clip and its bytes."""
        self.store.write(lambda uow: uow.clips.delete([clip], uow.now))
        self.files.erase(clip.file.path)

    def in_the_making(self) -> list[Path]:
        return list(self.scratch.glob("*.partial"))
