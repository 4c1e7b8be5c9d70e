"""Recordings on the wire."""

from typing import Annotated

from homeroom.base.ids import CourseId, LessonId
from homeroom.contract.action import Action
from homeroom.contract.errno import Errno
from homeroom.contract.lists import read_entries
from homeroom.contract.params import (
    CUSTOM_COLUMN,
    FLAG,
    ID,
    LOOSE_FLAG,
    TEXT,
    Params,
    ParamType,
    read_flag,
)

LOCK = ParamType(read_flag, "1 locked, anything else is not")


class LessonParams(Params, frozen=True, kw_only=True):
    """A class by id."""

    class_id: Annotated[LessonId, ID]


class DeleteClassVideo(LessonParams, frozen=True, kw_only=True):
    """The parameters of deleteClassVideo; no fileId means every clip."""

    file_id: Annotated[str | None, TEXT] = None


class UpdateClassLockStatus(LessonParams, frozen=True, kw_only=True):
    """The parameters of updateClassLockStatus; one published client says lockStatus."""

    is_lock: Annotated[bool, LOCK.with_names("isLock", "lockStatus")]


class LessonRecordingEntry(Params, frozen=True, kw_only=True):
    """The recording switches one class shall have."""

    custom_column: Annotated[str | None, CUSTOM_COLUMN] = None
    class_id: Annotated[LessonId, ID.with_names("classId", "classid")]
    record: Annotated[bool | None, FLAG] = None
    record_scene: Annotated[bool | None, FLAG] = None
    live: Annotated[bool | None, FLAG] = None
    replay: Annotated[bool | None, FLAG] = None
    watch_by_login: Annotated[bool | None, LOOSE_FLAG] = None
    allow_unlogged_chat: Annotated[bool | None, LOOSE_FLAG] = None


class SetClassVideoMultiple(Params, frozen=True, kw_only=True):
    """The parameters of setClassVideoMultiple."""

    course_id: Annotated[CourseId, ID]
    lessons: Annotated[
        tuple[LessonRecordingEntry, ...],
        ParamType(
            read_entries(LessonRecordingEntry), "JSON list of up to 1,000 classes", ("classJson",)
        ),
    ]


DELETE_CLASS_VIDEO = Action(
    name="deleteClassVideo",
    title="Delete recorded video of a class",
    params=DeleteClassVideo,
    refuses=(
        Errno.LESSON_NOT_IN_SCHOOL,
        Errno.KIND_NOT_SUPPORTED_FOR_VIDEO,
        Errno.LESSON_NOT_OVER,
        Errno.NOT_RECORDED,
        Errno.CLIPS_LOCKED,
        Errno.NO_CLIP_MADE,
        Errno.ALL_CLIPS_DELETED,
        Errno.NO_SUCH_CLIP,
        Errno.CLIP_DELETED,
    ),
    faults=(Errno.FAILED,),
    order=(
        "presence and format (100), not a class of the school (233), a course type without video "
        "(269, as the seed prints it; every other action says 369, READINGS Q5), not over, "
        "overtime included (384), recording off (254), locked (633), never any clip (631), all "
        "deleted (632, but 634 for a given clip that is known), no such clip (630), that clip "
        "deleted (634)"
    ),
)

UPDATE_CLASS_LOCK_STATUS = Action(
    name="updateClassLockStatus",
    title="Lock or unlock the recordings of a class",
    params=UpdateClassLockStatus,
    refuses=(Errno.LESSON_NOT_IN_SCHOOL, Errno.KIND_NOT_SUPPORTED, Errno.LOCK_NEEDS_END),
    faults=(Errno.FAILED,),
    order=(
        "presence and format (100), not a class of the school (233), a course type without video "
        "(369), not over, overtime included (391)"
    ),
)

SET_CLASS_VIDEO_MULTIPLE = Action(
    name="setClassVideoMultiple",
    title="Switch recording, live and replay for classes",
    params=SetClassVideoMultiple,
    refuses=(
        Errno.LIST_EMPTY,
        Errno.COURSE_NOT_IN_SCHOOL,
        Errno.COURSE_DELETED,
        Errno.KIND_NOT_SUPPORTED,
    ),
    entries=(
        Errno.NO_SUCH_LESSON,
        Errno.LESSON_NOT_IN_COURSE,
        Errno.LESSON_DELETED,
        Errno.LIVE_NEEDS_RECORDING,
        Errno.RECORDING_FROZEN,
        Errno.VIDEO_SERVICE_FAULT,
    ),
    answer=(
        "data: one entry per entry asked for, in order: {customColumn, more_data as in "
        "addCourseClass, errno, error}"
    ),
    order=(
        "presence and format (100), an empty list (155), the course (144 also when nobody has it, "
        "149, 369); then each class: 143, 142, 212, live or replay without recording (251), a "
        "change of recording or live later than 20 minutes before the start (252), recording that "
        "the video service cannot take because the school's storage is used up (253); record, live "
        "and replay count only together, recordScene only with them"
    ),
)
