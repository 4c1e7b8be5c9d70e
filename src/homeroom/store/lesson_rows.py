"""Columns of a class, and how a row of them is read and written."""

from sqlalchemy import func, or_, select

from homeroom.base.clock import Moment
from homeroom.base.ids import CourseId, LessonId, SchoolId, UserId
from homeroom.base.values import Value
from homeroom.domain.courses import Course
from homeroom.domain.lessons import (
    ClassroomSettings,
    Hours,
    Lesson,
    NewLesson,
    Origin,
    RecordingOptions,
    WatchPolicy,
)
from homeroom.domain.stream_signatures import StreamSignature
from homeroom.store.engine import Row, SQLValue
from homeroom.store.tables import courses, lessons

_subs = lessons.alias("sub_lessons")
_sub_courses = courses.alias("sub_courses")
_sub_is_bound = or_(
    func.coalesce(_subs.c.deleted_at, _sub_courses.c.deleted_at).is_(None),
    _subs.c.deleted_at == lessons.c.deleted_at,  # deleted together with its main class
)
HAS_SUBS = (
    select(_subs.c.id)
    .join(_sub_courses, _sub_courses.c.id == _subs.c.course_id)
    .where(_subs.c.main_lesson_id == lessons.c.id, _sub_is_bound)
    .correlate(lessons)
    .exists()
)
"""The condition that sub classes are bound to a class."""
COLUMNS = (
    # Columns of a class joined to its course, in the order that `read_lesson` expects.
    lessons.c.id,
    lessons.c.school_id,
    lessons.c.course_id,
    lessons.c.name,
    lessons.c.begins_at,
    lessons.c.ends_at,
    lessons.c.teacher_id,
    lessons.c.folder_id,
    lessons.c.seats,
    lessons.c.resolution,
    lessons.c.has_two_cameras,
    lessons.c.is_smart,
    lessons.c.is_broadcast,
    lessons.c.enters_off_stage,
    lessons.c.record,
    lessons.c.record_scene,
    lessons.c.live,
    lessons.c.replay,
    lessons.c.watch_by_login,
    lessons.c.allow_unlogged_chat,
    lessons.c.is_locked,
    lessons.c.introduction,
    lessons.c.unique_identity,
    lessons.c.key,
    lessons.c.stream_signature,
    lessons.c.stream_expires_at,
    lessons.c.origin,
    lessons.c.closed_at,
    func.coalesce(lessons.c.deleted_at, courses.c.deleted_at),
    lessons.c.created_at,
    lessons.c.allows_check,
    lessons.c.main_lesson_id,
    lessons.c.uses_main_recording,
    HAS_SUBS,
)


class NewLessonRow(Value, frozen=True):
    """A class as it is written, with its teacher, its key and its pull signature."""

    new: NewLesson
    teacher: UserId
    key: str
    stream: StreamSignature | None


def read_lesson(row: Row) -> Lesson:
    """Return the class of a row of `COLUMNS`."""
    (
        number, school, course, name, begins_at, ends_at, teacher, folder,
        seats, resolution, two_cameras, smart, broadcast, off_stage,
        record, scene, live, replay, by_login, unlogged_chat, locked,
        introduction, identity, key, signature, stream_expires_at,
        origin, closed_at, deleted_at, created_at, allows_check, main, uses_main_recording,
        has_subs,
    ) = row  # fmt: skip
    return Lesson(
        id=LessonId(number),
        school=SchoolId(school),
        course=CourseId(course),
        name=name,
        hours=Hours(begins_at, ends_at),
        teacher=UserId(teacher),
        folder=folder,
        classroom=ClassroomSettings(
            seats, resolution, bool(two_cameras), bool(smart), bool(broadcast), bool(off_stage)
        ),
        recording=RecordingOptions(bool(record), bool(scene), bool(live), bool(replay)),
        watch_policy=WatchPolicy(bool(by_login), bool(unlogged_chat)),
        is_locked=bool(locked),
        introduction=introduction,
        identity=identity,
        key=key,
        stream=StreamSignature(signature, f"{stream_expires_at:x}")
        if signature is not None
        else None,
        origin=Origin(origin),
        closed_at=closed_at,
        deleted_at=deleted_at,
        created_at=created_at,
        allows_check=bool(allows_check),
        main=main,
        uses_main_recording=bool(uses_main_recording),
        has_subs=bool(has_subs),
    )


def recording_values(
    recording: RecordingOptions, watch_policy: WatchPolicy, stream: StreamSignature | None
) -> dict[str, SQLValue]:
    """Return the columns of recording options, watch policy and stream."""
    return {
        "record": int(recording.record),
        "record_scene": int(recording.scene),
        "live": int(recording.live),
        "replay": int(recording.replay),
        "watch_by_login": int(watch_policy.watch_by_login),
        "allow_unlogged_chat": int(watch_policy.allow_unlogged_chat),
        "stream_signature": stream.signature if stream is not None else None,
        "stream_expires_at": stream.expires_at if stream is not None else None,
    }


def new_lesson_values(course: Course, row: NewLessonRow, now: Moment) -> dict[str, SQLValue]:
    """Return all columns of a class to add, except its id."""
    new = row.new
    return {
        "school_id": course.school,
        "course_id": course.id,
        "name": new.name,
        "begins_at": new.hours.begin,
        "ends_at": new.hours.end,
        "teacher_id": row.teacher,
        "folder_id": new.folder,
        "seats": new.classroom.seats,
        "resolution": new.classroom.resolution,
        "has_two_cameras": int(new.classroom.has_two_cameras),
        "is_smart": int(new.classroom.is_smart),
        "is_broadcast": int(new.classroom.is_broadcast),
        "enters_off_stage": int(new.classroom.enters_off_stage),
        "is_locked": 0,
        "introduction": new.introduction,
        "unique_identity": new.identity,
        "key": row.key,
        "origin": new.origin.value,
        "created_at": now,
        "closed_at": None,
        "deleted_at": None,
        "allows_check": int(new.allows_check),
        "main_lesson_id": new.main,
        "uses_main_recording": int(new.uses_main_recording),
        **recording_values(new.recording, new.watch_policy, row.stream),
    }


def build_lesson(number: LessonId, course: Course, row: NewLessonRow, now: Moment) -> Lesson:
    """Return a class that was just added."""
    new = row.new
    return Lesson(
        id=number,
        school=course.school,
        course=course.id,
        name=new.name,
        hours=new.hours,
        teacher=row.teacher,
        folder=new.folder,
        classroom=new.classroom,
        recording=new.recording,
        watch_policy=new.watch_policy,
        is_locked=False,
        introduction=new.introduction,
        identity=new.identity,
        key=row.key,
        stream=row.stream,
        origin=new.origin,
        closed_at=None,
        deleted_at=None,
        created_at=now,
        allows_check=new.allows_check,
        main=new.main,
        uses_main_recording=new.uses_main_recording,
        has_subs=False,
    )
