"""Messages about recordings: when one starts, when its file is ready, and uploads (Q97)."""

from typing import Final
from urllib.parse import urlsplit

from homeroom.contract.messages.body import MessageBody
from homeroom.contract.messages.recordings import (
    RecorderSettings,
    RecordingReady,
    RecordingStarted,
    ReplayUploaded,
)
from homeroom.domain.clips import Clip
from homeroom.domain.events import Event
from homeroom.domain.lessons import Lesson
from homeroom.domain.streams import StreamKind
from homeroom.store.unit_of_work import UnitOfWork

FULL_HD: Final = 2
"""The resolution of full HD classes."""
_SECOND_MS: Final = 1000
_CAMERAS: Final = {StreamKind.CLASS: "ClassRoom", StreamKind.SCENE: "Camera.3"}


def send_start(uow: UnitOfWork, lesson: Lesson, push_url: str) -> None:
    """Send that a push of a recorded class begins; its scene is pushed and recorded too."""
    is_full_hd = lesson.classroom.resolution >= FULL_HD
    settings = RecorderSettings(
        push_host=urlsplit(push_url).hostname or "",
        size="FHD(1920*1080)" if is_full_hd else "HD(1280*720)",
    )
    _send(uow, lesson, RecordingStarted(data=settings))


def send_file(uow: UnitOfWork, clip: Clip) -> None:
    """Send that the file of a recording is ready."""
    lesson = uow.lessons.get(clip.lesson)
    if lesson is None:
        return
    file = clip.file
    seconds = round((file.duration_ms or 0) / _SECOND_MS)
    body = RecordingReady(
        starts_at=file.started_at,
        ends_at=file.started_at + seconds,
        duration=seconds,
        file_id=file.file_id,
        size=file.size,
        camera=_CAMERAS[file.kind],
    )
    _send(uow, lesson, body, file.path)


def send_upload(uow: UnitOfWork, lesson: Lesson, clip: Clip) -> None:
    """Send that a clip was added by hand."""
    file = clip.file
    body = ReplayUploaded(
        duration=round((file.duration_ms or 0) / _SECOND_MS), file_id=file.file_id, size=file.size
    )
    _send(uow, lesson, body, file.path)


def _send(uow: UnitOfWork, lesson: Lesson, body: MessageBody, path: str | None = None) -> None:
    event = Event(
        school=lesson.school,
        course=lesson.course,
        lesson=lesson.id,
        at=uow.now,
        body=body,
        file_path=path,
    )
    uow.emit(event)
