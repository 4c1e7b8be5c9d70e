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
from homeroom.partner.answers import Answer, entry, more_data, told
from homeroom.partner.routes import CallContext
from homeroom.usecases import clips
from homeroom.usecases.clips import SwitchesAsked


def delete_class_video(call: CallContext, asked: DeleteClassVideo) -> Answer:
    """Serve deleteClassVideo."""
    clips.delete(call.uow, call.school, asked.class_id, asked.file_id)
    return Answer()


def update_class_lock_status(call: CallContext, asked: UpdateClassLockStatus) -> Answer:
    """Serve updateClassLockStatus."""
    clips.lock(call.uow, call.school, asked.class_id, locked=asked.is_lock)
    return Answer()


def set_class_video_multiple(call: CallContext, asked: SetClassVideoMultiple) -> Answer:
    """Serve setClassVideoMultiple."""
    results = clips.set_switches(
        call.uow, call.deps, call.school, asked.course_id, list(map(_asked, asked.lessons))
    )
    entries = []
    refusals = []
    for one, result in zip(asked.lessons, results, strict=True):
        refusal = result if isinstance(result, Refusal) else None
        where = (
            StreamAddresses()
            if isinstance(result, Refusal)
            else build_lesson_addresses(result, call.hosts)
        )
        more = more_data(where)
        entries.append(entry(refusal, customColumn=one.custom_column, more_data=more))
        refusals.append(refusal)
    return Answer(data=entries, reason=told(refusals))


def switches_of(
    record: bool | None,  # noqa: FBT001  values, not modes
    scene: bool | None,  # noqa: FBT001  values, not modes
    live: bool | None,  # noqa: FBT001  values, not modes
    replay: bool | None,  # noqa: FBT001  values, not modes
) -> RecordingChange | None:
    """Return the switches asked for; record, live and replay count only together (Q30)."""
    if record is None or live is None or replay is None:
        return None
    return RecordingChange(record, live, replay, scene)


def _asked(one: LessonRecordingEntry) -> SwitchesAsked:
    return SwitchesAsked(
        one.class_id,
        switches_of(one.record, one.record_scene, one.live, one.replay),
        one.watch_by_login,
        one.allow_unlogged_chat,
    )
