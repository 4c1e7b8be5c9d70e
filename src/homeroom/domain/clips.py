"""Clips: the recorded files of a class, and when they may be deleted."""

from dataclasses import dataclass

from homeroom.base.clock import Moment
from homeroom.base.ids import ClipId, LessonId
from homeroom.contract.errno import Errno
from homeroom.domain.lessons import Lesson
from homeroom.domain.refusal import Refused


@dataclass(frozen=True, slots=True)
class NewClip:
    """A file that has been put into the data folder."""

    file_id: str
    path: str
    """Relative to the data folder."""
    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Clip:
    """One recorded file of a class; a deleted one keeps its row and loses its bytes."""

    id: ClipId
    lesson: LessonId
    file: NewClip
    created_at: Moment
    deleted_at: Moment | None


def chosen(lesson: Lesson, clips: list[Clip], file_id: str | None, now: Moment) -> list[Clip]:
    """Return the clips that deleteClassVideo deletes, or refuse in the order of READINGS Q6."""
    if not lesson.is_over(now):
        raise Refused(Errno.LESSON_NOT_OVER)
    if not lesson.switches.record and not clips:
        raise Refused(Errno.NOT_RECORDED)
    if lesson.is_locked:
        raise Refused(Errno.CLIPS_LOCKED)
    if not clips:
        raise Refused(Errno.NO_CLIP_MADE)
    living = [clip for clip in clips if clip.deleted_at is None]
    named = next((clip for clip in clips if clip.file.file_id == file_id), None)
    if not living and named is None:
        raise Refused(Errno.ALL_CLIPS_DELETED)
    if not file_id:
        return living
    if named is None:
        raise Refused(Errno.NO_SUCH_CLIP, "the class has no clip of that fileId")
    if named.deleted_at is not None:
        raise Refused(Errno.CLIP_DELETED)
    return [named]
