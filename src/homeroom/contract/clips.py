"""Recordings on the wire."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta

from homeroom.base.ids import CourseId, LessonId
from homeroom.contract.action import Action, APIPath, Check, V1Form
from homeroom.contract.checks import (
    COURSE_KIND,
    COURSE_NOT_DELETED,
    LESSON_OF_COURSE,
    LIST_CHECK,
    OWN_COURSE,
)
from homeroom.contract.errno import Errno
from homeroom.contract.lessons import IDENTITY_WARNING, DelCourseClass
from homeroom.contract.lists import EntriesReader
from homeroom.contract.params import (
    CUSTOM_COLUMN,
    ID,
    LOOSE_FLAG,
    TEXT,
    Params,
    ParamType,
    read_flag,
)
from homeroom.contract.results import (
    CustomColumn,
    EmptyResult,
    Entry,
    EntryErrno,
    EntryError,
    LiveAddresses,
    Result,
)
from homeroom.contract.switches import SceneSwitch, Switch

LOCK = ParamType(read_flag, "1 locked, anything else is not")


class LessonParams(Params, frozen=True, kw_only=True):
    """A class by id."""

    class_id: Annotated[LessonId, ID]


class DeleteClassVideo(LessonParams, frozen=True, kw_only=True):
    """The parameters of deleteClassVideo; no fileId means every clip."""

    file_id: Annotated[str | None, TEXT.with_guard("file", "clip", "video")] = None


class UpdateClassLockStatus(LessonParams, frozen=True, kw_only=True):
    """The parameters of updateClassLockStatus; one published client says lockStatus."""

    is_lock: Annotated[bool, LOCK.with_names("isLock", "lockStatus")]


class LessonRecordingEntry(Params, frozen=True, kw_only=True):
    """The new recording options of one class."""

    custom_column: Annotated[str | None, CUSTOM_COLUMN] = None
    class_id: Annotated[LessonId, ID.with_names("classId", "classid")]
    record: Switch = UNSET
    record_scene: SceneSwitch = None
    live: Switch = UNSET
    replay: Switch = UNSET
    watch_by_login: Annotated[bool | None, LOOSE_FLAG] = None
    allow_unlogged_chat: Annotated[bool | None, LOOSE_FLAG] = None


class SetClassVideoMultiple(Params, frozen=True, kw_only=True):
    """The parameters of setClassVideoMultiple."""

    course_id: Annotated[CourseId, ID]
    lessons: Annotated[
        tuple[LessonRecordingEntry, ...],
        ParamType(
            EntriesReader(LessonRecordingEntry), "JSON list of up to 1,000 classes", ("classJson",)
        ),
    ]


class LessonRecordingResult(Entry, frozen=True, kw_only=True):
    """Result of one entry of setClassVideoMultiple."""

    custom_column: CustomColumn = UNSET
    more_data: Annotated[
        LiveAddresses,
        Meta(description="The addresses of the class; empty texts where it was refused."),
    ] = msgspec.field(name="more_data")
    errno: EntryErrno
    error: EntryError


class LessonRecordingResults(Result, frozen=True, kw_only=True):
    """Result of setClassVideoMultiple."""

    data: Annotated[
        list[LessonRecordingResult], Meta(description="One result for each class, in their order.")
    ]


OWN_LESSON = Check(Errno.LESSON_NOT_IN_SCHOOL, "the school has no such class, or it was deleted")

DELETE_CLASS_VIDEO = Action(
    name="deleteClassVideo",
    title="Delete recorded video of a class",
    params=DeleteClassVideo,
    result=EmptyResult,
    bindings=(V1Form(APIPath.COURSE),),
    checks=(
        OWN_LESSON,
        Check(
            Errno.KIND_NOT_SUPPORTED_FOR_VIDEO,
            "the course is public or dual-teacher; other actions have another number for this",
        ),
        Check(Errno.LESSON_NOT_OVER, "the class is not over, its 20 minutes of overtime included"),
        Check(Errno.NOT_RECORDED, "recording is off and there was never a clip"),
        Check(Errno.CLIPS_LOCKED, "the recordings of the class are locked"),
        Check(Errno.NO_CLIP_MADE, "the class never had a clip"),
        Check(Errno.CLIP_DELETED, "the clip named by fileId was deleted before"),
        Check(Errno.ALL_CLIPS_DELETED, "all clips of the class were deleted before"),
        Check(Errno.NO_SUCH_CLIP, "the class has no clip of this fileId"),
    ),
    faults=(Errno.FAILED,),
)

UPDATE_CLASS_LOCK_STATUS = Action(
    name="updateClassLockStatus",
    title="Lock or unlock the recordings of a class",
    params=UpdateClassLockStatus,
    result=EmptyResult,
    bindings=(V1Form(APIPath.COURSE),),
    checks=(
        OWN_LESSON,
        COURSE_KIND,
        Check(Errno.LOCK_NEEDS_END, "the class is not over, its 20 minutes of overtime included"),
    ),
    faults=(Errno.FAILED,),
)

DEL_END_COURSE_CLASS = Action(
    name="delEndCourseClass",
    title="Delete a finished class",
    params=DelCourseClass,
    result=EmptyResult,
    bindings=(V1Form(APIPath.COURSE),),
    checks=(
        OWN_COURSE,
        Check(
            Errno.KIND_NOT_SUPPORTED,
            "the course is public or dual-teacher; or, once the class was looked up, the class was "
            "made by a client or by the LMS calls",
        ),
        *LESSON_OF_COURSE,
        Check(Errno.LESSON_IS_RUNNING, "the class is running, its 20 minutes of overtime included"),
        Check(Errno.FAILED, "the class has not begun; delCourseClass deletes it"),
        Check(Errno.LESSON_IS_OVER, "the recordings of the class are locked"),
    ),
    warnings=(IDENTITY_WARNING,),
    faults=(Errno.SERVER_FAULT,),
)

SET_CLASS_VIDEO_MULTIPLE = Action(
    name="setClassVideoMultiple",
    title="Switch recording, live and replay for classes",
    params=SetClassVideoMultiple,
    result=LessonRecordingResults,
    entry=LessonRecordingResult,
    bindings=(V1Form(APIPath.COURSE),),
    checks=(LIST_CHECK, OWN_COURSE, COURSE_NOT_DELETED, COURSE_KIND),
    entry_checks=(
        Check(
            Errno.BAD_PARAMS,
            "some of record, live and replay are sent and others not, or recordScene without them",
        ),
        *LESSON_OF_COURSE,
        Check(Errno.LIVE_NEEDS_RECORDING, "live or replay is on without recording"),
        Check(
            Errno.RECORDING_FROZEN,
            "recording or live changes later than 20 minutes before the start",
        ),
        Check(
            Errno.VIDEO_SERVICE_FAULT,
            "recording is to be switched on, and the school's storage is used up or the video "
            "service does not work",
        ),
    ),
)
