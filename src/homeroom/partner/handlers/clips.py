"""Recordings: wire to use case and back."""

from homeroom.contract.clips import (
    DeleteClassVideo,
    LessonRecordingEntry,
    SetClassVideoMultiple,
    UpdateClassLockStatus,
)
from homeroom.domain.lessons import RecordingChange
from homeroom.domain.refusal import Refusal
from homeroom.domain.webcasts import StreamAddresses, build_lesson_addresses
from homeroom.partner.response import PartnerResponse, entry, more_data, summarize_refusals
from homeroom.partner.routes import CallContext
from homeroom.usecases import clips
from homeroom.usecases.clips import LessonVideoChange


def delete_class_video(call: CallContext, params: DeleteClassVideo) -> PartnerResponse:
    """Serve deleteClassVideo."""
    clips.delete(call.uow, call.school, params.class_id, params.file_id)
    return PartnerResponse()


def update_class_lock_status(call: CallContext, params: UpdateClassLockStatus) -> PartnerResponse:
    """Serve updateClassLockStatus."""
    clips.lock(call.uow, call.school, params.class_id, locked=params.is_lock)
    return PartnerResponse()


def set_class_video_multiple(call: CallContext, params: SetClassVideoMultiple) -> PartnerResponse:
    """Serve setClassVideoMultiple."""
    results = clips.change_video_settings(
        call.uow, call.deps, call.school, params.course_id, list(map(_params, params.lessons))
    )
    entries = []
    refusals = []
    for one, result in zip(params.lessons, results, strict=True):
        refusal = result if isinstance(result, Refusal) else None
        where = (
            StreamAddresses()
            if isinstance(result, Refusal)
            else build_lesson_addresses(result, call.hosts)
        )
        more = more_data(where)
        entries.append(entry(refusal, customColumn=one.custom_column, more_data=more))
        refusals.append(refusal)
    return PartnerResponse(data=entries, reason=summarize_refusals(refusals))


def make_recording_change(
    record: bool | None,  # noqa: FBT001  values, not modes
    scene: bool | None,  # noqa: FBT001  values, not modes
    live: bool | None,  # noqa: FBT001  values, not modes
    replay: bool | None,  # noqa: FBT001  values, not modes
) -> RecordingChange | None:
    """Return the switches params for; record, live and replay count only together (Q30)."""
    if record is None or live is None or replay is None:
        return None
    return RecordingChange(record, live, replay, scene)


def _params(one: LessonRecordingEntry) -> LessonVideoChange:
    return LessonVideoChange(
        one.class_id,
        make_recording_change(one.record, one.record_scene, one.live, one.replay),
        one.watch_by_login,
        one.allow_unlogged_chat,
    )
