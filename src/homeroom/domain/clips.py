"""Clips: the recorded files of a class, and when they may be deleted."""

from homeroom.base.clock import HOUR, Moment
from homeroom.base.ids import ClipId, LessonId
from homeroom.base.values import Value
from homeroom.contract.errno import Errno
from homeroom.domain.lessons import Lesson, describe_open
from homeroom.domain.refusal import Refusal
from homeroom.domain.signed_urls import sign_url
from homeroom.domain.streams import StreamKind

CLIP_URL_SECONDS = 6 * HOUR
"""Seconds for which the URL of a clip is valid."""


class NewClip(Value, frozen=True):
    """A recorded file in the storage, to be added to a class."""

    file_id: str
    path: str
    """Path of the file in the storage."""
    name: str
    """File name of a download."""
    kind: StreamKind
    started_at: Moment
    duration_ms: int | None
    """Milliseconds; none where the file does not say."""
    size: int
    sha256: str | None
    """None until it is finished."""
    is_finished: bool
    """False while the file is still as the media engine wrote it; it can be played already."""
    storage: str | None = None
    """The id of the storage that has the file; none if that is unknown."""


class Clip(Value, frozen=True):
    """One recorded file of a class; when it is deleted, its row stays and its bytes are erased."""

    id: ClipId
    lesson: LessonId
    file: NewClip
    created_at: Moment
    deleted_at: Moment | None
    erase_after: Moment | None = None
    """When the file of a deleted clip will be erased; none if that was started already."""
    swept_at: Moment | None = None
    """When the retention deleted it."""

    @property
    def is_restorable(self) -> bool:
        """Whether it is deleted and its file still exists."""
        return self.deleted_at is not None and self.erase_after is not None


def clip_path(file_id: str) -> str:
    """Return the path of a clip in the storage."""
    return f"clips/{file_id[:2]}/{file_id}.mp4"


def sign_clip_url(pages_url: str, file_id: str, expires_at: Moment, key: str) -> str:
    """Return a URL that serves a clip until a moment."""
    return sign_url(f"{pages_url}/clips/{file_id}.mp4", file_id, expires_at, key)


def select_clips_to_delete(
    lesson: Lesson, clips: list[Clip], file_id: str | None, now: Moment
) -> list[Clip]:
    """Return the clips that deleteClassVideo deletes, or refuse in the order of READINGS Q6."""
    if not lesson.is_over(now):
        raise Refusal(Errno.LESSON_NOT_OVER, describe_open(lesson))
    if not lesson.recording.record and not clips:
        raise Refusal(Errno.NOT_RECORDED)
    if lesson.is_locked:
        raise Refusal(Errno.CLIPS_LOCKED)
    if not clips:
        raise Refusal(Errno.NO_CLIP_MADE)
    existing = [row for row in clips if row.deleted_at is None]
    clip = next((row for row in clips if row.file.file_id == file_id), None)
    if not existing and clip is None:
        raise Refusal(Errno.ALL_CLIPS_DELETED)
    if not file_id:
        return existing
    if clip is None:
        raise Refusal(Errno.NO_SUCH_CLIP, "the class has no clip of that fileId")
    if clip.deleted_at is not None:
        raise Refusal(Errno.CLIP_DELETED)
    return [clip]
