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
from homeroom.contract.errno import Errno
from homeroom.contract.lessons import DelCourseClass
from homeroom.contract.results import EmptyResult
from homeroom.contract.switches import list_missing_switches
from homeroom.domain.refusal import Refusal
from homeroom.domain.webcasts import StreamAddresses, build_lesson_addresses
from homeroom.partner.handlers.entries import get_errno, note_reasons, refuse_faulty
from homeroom.partner.handlers.lessons import (
    describe_missing_switches,
    make_live_addresses,
    make_recording_change,
)
from homeroom.partner.routes import CallContext
from homeroom.usecases import clips
from homeroom.usecases.clips import LessonVideoChange


def delete_class_video(call: CallContext[None], params: DeleteClassVideo) -> EmptyResult:
    """Delete one clip of a class, or all of them."""
    clips.delete(call.uow, call.school, params.class_id, params.file_id)
    return EmptyResult()


def del_end_course_class(call: CallContext[None], params: DelCourseClass) -> EmptyResult:
    """Delete a class that is over, with its recordings."""
    clips.delete_with_lesson(call.uow, call.school, params.course_id, params.class_id)
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
        call.uow,
        call.deps,
        call.school,
        params.course_id,
        refuse_faulty(call, map(_make_request, params.lessons)),
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
                custom_column=entry.custom_column if entry.custom_column is not None else UNSET,
                more_data=make_live_addresses(addresses),
                errno=errno.number,
                error=errno.zh,
            )
        )
        refusals.append(refusal)
    note_reasons(call.reasons, refusals)
    return LessonRecordingResults(data=results)


def _make_request(entry: LessonRecordingEntry) -> LessonVideoChange | Refusal:
    if missing := list_missing_switches(entry):
        return Refusal(Errno.BAD_PARAMS, describe_missing_switches(missing))
    return LessonVideoChange(
        entry.class_id,
        make_recording_change(entry),
        entry.watch_by_login,
        entry.allow_unlogged_chat,
    )
