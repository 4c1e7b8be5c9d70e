"""Handlers of recordings."""

from msgspec import UNSET

from homeroom.contract.clips import (
    DeleteClassVideo,
    LessonRecordingEntry,
    LessonRecordingResult,
    LessonRecordingResults,
    SetClassVideoMultiple,
    UpdateClassLockStatus,
)
from homeroom.contract.results import EmptyResult, LiveAddresses, LiveInfo
from homeroom.domain.lessons import RecordingChange
from homeroom.domain.refusal import Refusal
from homeroom.domain.webcasts import StreamAddresses, build_lesson_addresses
from homeroom.partner.handlers.entries import get_errno, note_reasons
from homeroom.partner.routes import CallContext
from homeroom.usecases import clips
from homeroom.usecases.clips import LessonVideoChange


def delete_class_video(call: CallContext[None], params: DeleteClassVideo) -> EmptyResult:
    """Delete one clip of a class, or all of them."""
    clips.delete(call.uow, call.school, params.class_id, params.file_id)
    return EmptyResult()


def update_class_lock_status(call: CallContext[None], params: UpdateClassLockStatus) -> EmptyResult:
    """Lock or unlock the recordings of a class."""
    clips.lock(call.uow, call.school, params.class_id, locked=params.is_lock)
    return EmptyResult()


def set_class_video_multiple(
    call: CallContext[None], params: SetClassVideoMultiple
) -> LessonRecordingResults:
    """Switch recording, live and replay of classes, and return a result for each."""
    outcomes = clips.change_video_settings(
        call.uow, call.deps, call.school, params.course_id, list(map(_make_request, params.lessons))
    )
    results = []
    refusals = []
    for entry, outcome in zip(params.lessons, outcomes, strict=True):
        refusal = outcome if isinstance(outcome, Refusal) else None
        errno = get_errno(refusal)
        addresses = (
            StreamAddresses()
            if isinstance(outcome, Refusal)
            else build_lesson_addresses(outcome, call.hosts)
        )
        results.append(
            LessonRecordingResult(
                custom_column=UNSET if entry.custom_column is None else entry.custom_column,
                more_data=make_live_addresses(addresses),
                errno=errno.number,
                error=errno.zh,
            )
        )
        refusals.append(refusal)
    note_reasons(call.reasons, refusals)
    return LessonRecordingResults(data=results)


def make_live_addresses(addresses: StreamAddresses) -> LiveAddresses:
    """Return the addresses of a class as answers carry them (READINGS Q9)."""
    return LiveAddresses(
        live_url=addresses.live_url,
        live_info=LiveInfo(rtmp=addresses.rtmp, hls=addresses.hls, flv=addresses.flv),
    )


def make_recording_change(
    record: bool | None,  # noqa: FBT001  values, not modes
    scene: bool | None,  # noqa: FBT001  values, not modes
    live: bool | None,  # noqa: FBT001  values, not modes
    replay: bool | None,  # noqa: FBT001  values, not modes
) -> RecordingChange | None:
    """Return a change of the switches; record, live and replay count only together (Q30)."""
    if record is None or live is None or replay is None:
        return None
    return RecordingChange(record, live, replay, scene)


def _make_request(entry: LessonRecordingEntry) -> LessonVideoChange:
    return LessonVideoChange(
        entry.class_id,
        make_recording_change(entry.record, entry.record_scene, entry.live, entry.replay),
        entry.watch_by_login,
        entry.allow_unlogged_chat,
    )
