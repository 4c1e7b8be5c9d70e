"""Changes of the recording options of a class: what is possible, and until when."""

from enum import Enum

from homeroom.base.clock import Moment
from homeroom.domain.lessons import Lesson, RecordingOptions


class RecordingVerdict(Enum):
    """The result of checking a change of the recording options."""

    CHANGED = "changed"
    LACKS_RECORDING = "live or replay without recording"
    FROZEN = "later than 20 minutes before the start"
    NO_SERVICE = "the video service does not work, or has no room left"


def judge_recording(
    lesson: Lesson, requested: RecordingOptions, now: Moment, *, can_record: bool
) -> RecordingVerdict:
    """Check a change of the recording options; once they are frozen, only replay may change."""
    if requested.lacks_recording:
        return RecordingVerdict.LACKS_RECORDING
    old, new = lesson.recording, requested.effective()
    frozen_parts_differ = (old.record, old.scene, old.live) != (new.record, new.scene, new.live)
    if frozen_parts_differ and (lesson.lifecycle.is_frozen(now) or lesson.is_over(now)):
        return RecordingVerdict.FROZEN
    if new.record and not old.record and not can_record:
        return RecordingVerdict.NO_SERVICE
    return RecordingVerdict.CHANGED
