"""Classes of courses.

A deleted class keeps its row. A class also counts as deleted when its course is deleted.
"""

from collections.abc import Iterable

import msgspec
from sqlalchemy import BigInteger, BindParameter, and_, bindparam, insert, select, update

from homeroom.base.clock import Moment
from homeroom.base.ids import CourseId, FolderId, LessonId, SchoolId, UserId
from homeroom.base.values import Value
from homeroom.domain.courses import Course
from homeroom.domain.lessons import (
    Hours,
    Lesson,
    NewLesson,
    Origin,
)
from homeroom.domain.lifecycle import OPEN_EARLY_SECONDS, OVERTIME_SECONDS
from homeroom.domain.schools import Plan
from homeroom.domain.stream_signatures import StreamSignature
from homeroom.store.courses import COLUMNS as COURSE_COLUMNS
from homeroom.store.courses import read_course
from homeroom.store.engine import SQLValue, Transaction
from homeroom.store.lesson_rows import COLUMNS, read_lesson, recording_values
from homeroom.store.schools import read_plan
from homeroom.store.statement import ListParameter, Statement
from homeroom.store.tables import (
    courses,
    folders,
    lessons,
    maintenance,
    schools,
)

_joined_course = lessons.join(courses, courses.c.id == lessons.c.course_id)
_lesson_ids = ListParameter("lesson_ids")
_GET_MANY = Statement(
    select(*COLUMNS)
    .select_from(_lesson_ids.source)
    .join(lessons, lessons.c.id == _lesson_ids.integer())
    .join(courses, courses.c.id == lessons.c.course_id)
)
_GET = Statement(
    select(*COLUMNS).select_from(_joined_course).where(lessons.c.id == bindparam("lesson"))
)
_overlaps_maintenance = (
    select(maintenance.c.id)
    .where(
        maintenance.c.begins_at < bindparam("end", type_=BigInteger()) + OVERTIME_SECONDS,
        maintenance.c.ends_at > bindparam("begin", type_=BigInteger()) - OPEN_EARLY_SECONDS,
    )
    .exists()
)
_IS_IN_MAINTENANCE = Statement(select(_overlaps_maintenance))
_GET_CONTEXT = Statement(
    select(
        schools.c.plan,
        lessons.c.id,
        folders.c.school_id,
        _overlaps_maintenance,
        *COURSE_COLUMNS,
    )
    .select_from(schools)
    .outerjoin(courses, courses.c.id == bindparam("course"))
    .outerjoin(folders, folders.c.id == bindparam("folder"))
    .outerjoin(
        lessons,
        and_(
            lessons.c.school_id == bindparam("school"),
            lessons.c.unique_identity == bindparam("identity"),
        ),
    )
    .where(schools.c.id == bindparam("school"))
)
_ADD = Statement(
    insert(lessons)
    .values({column: bindparam(column.name) for column in lessons.c if column.name != "id"})
    .returning(lessons.c.id)
)
_NEW_VALUES: dict[str, BindParameter[SQLValue]] = {
    name: bindparam(f"new_{name}")
    for name in (
        "name",
        "begins_at",
        "ends_at",
        "teacher_id",
        "folder_id",
        "is_smart",
        "is_broadcast",
        "enters_off_stage",
        "record",
        "record_scene",
        "live",
        "replay",
        "watch_by_login",
        "allow_unlogged_chat",
        "introduction",
        "stream_signature",
        "stream_expires_at",
    )
}
_SAVE = Statement(update(lessons).where(lessons.c.id == bindparam("lesson")).values(_NEW_VALUES))
_new_recordings = ListParameter("new_recordings")
_RECORDING_COLUMNS = (
    "record",
    "record_scene",
    "live",
    "replay",
    "watch_by_login",
    "allow_unlogged_chat",
    "stream_signature",
    "stream_expires_at",
)
_saved_values = (
    select(
        _new_recordings.integer(0).label("lesson_id"),
        *(
            (_new_recordings.text if name == "stream_signature" else _new_recordings.integer)(
                place
            ).label(name)
            for place, name in enumerate(_RECORDING_COLUMNS, 1)
        ),
    )
    .select_from(_new_recordings.source)
    .subquery("saved_values")
)
_SAVE_RECORDING = Statement(
    update(lessons)
    .where(lessons.c.id == _saved_values.c.lesson_id)
    .values({name: _saved_values.c[name] for name in _RECORDING_COLUMNS})
)
_SAVE_LOCK = Statement(
    update(lessons).where(lessons.c.id == bindparam("lesson")).values(is_locked=bindparam("lock"))
)
_CLOSE = Statement(
    update(lessons).where(lessons.c.id == bindparam("lesson")).values(closed_at=bindparam("moment"))
)
_SAVE_ORIGIN = Statement(
    update(lessons)
    .where(lessons.c.id == bindparam("lesson"))
    .values(origin=bindparam("new_origin"))
)
_DELETE = Statement(
    update(lessons)
    .where(lessons.c.id == bindparam("lesson"))
    .values(deleted_at=bindparam("moment"), unique_identity=bindparam("new_identity"))
)


class NewLessonContext(Value, frozen=True):
    """The rows that addCourseClass checks, except the teachers, read in one statement."""

    plan: Plan
    existing: LessonId | None
    """The class that has the same identity already."""
    folder_owner: SchoolId | None
    is_in_maintenance: bool
    course: Course | None


class Lessons:
    """Repository of classes."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def get_context(
        self,
        school: SchoolId,
        course: CourseId,
        hours: Hours,
        folder: FolderId | None,
        identity: str | None,
    ) -> NewLessonContext:
        """Return what addCourseClass checks, read in one statement."""
        values = {
            "school": school,
            "course": course,
            "folder": folder,
            "identity": identity,
            "begin": hours.begin,
            "end": hours.end,
        }
        plan, existing, folder_owner, overlaps, *course_row = self._tx.fetch_all(
            _GET_CONTEXT, values
        )[0]
        found_course = read_course(tuple(course_row)) if course_row[0] is not None else None
        return NewLessonContext(
            read_plan(plan), existing, folder_owner, bool(overlaps), found_course
        )

    def get(self, lesson: LessonId) -> Lesson | None:
        """Return a class of any school, a deleted one too, or None."""
        rows = self._tx.fetch_all(_GET, {"lesson": lesson})
        return read_lesson(rows[0]) if rows else None

    def get_many(self, lesson_ids: Iterable[LessonId]) -> dict[LessonId, Lesson]:
        """Return the classes, of any school, that exist of some ids."""
        text = msgspec.json.encode(list(set(lesson_ids))).decode()
        rows = map(read_lesson, self._tx.fetch_all(_GET_MANY, {"lesson_ids": text}))
        return {lesson.id: lesson for lesson in rows}

    def is_in_maintenance(self, hours: Hours) -> bool:
        """Return whether a class would be open during a maintenance window, overtime included."""
        values = {"begin": hours.begin, "end": hours.end}
        return bool(self._tx.fetch_all(_IS_IN_MAINTENANCE, values)[0][0])

    def add(
        self,
        course: Course,
        teacher: UserId,
        new: NewLesson,
        key: str,
        stream: StreamSignature | None,
        now: Moment,
    ) -> Lesson:
        """Add a class and return it."""
        values: dict[str, SQLValue] = {
            "school_id": course.school,
            "course_id": course.id,
            "name": new.name,
            "begins_at": new.hours.begin,
            "ends_at": new.hours.end,
            "teacher_id": teacher,
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
            "key": key,
            "origin": new.origin.value,
            "created_at": now,
            "closed_at": None,
            "deleted_at": None,
            "allows_check": int(new.allows_check),
            "main_lesson_id": new.main,
            "uses_main_recording": int(new.uses_main_recording),
            **recording_values(new.recording, new.watch_policy, stream),
        }
        number = LessonId(self._tx.fetch_all(_ADD, values)[0][0])
        return Lesson(
            id=number,
            school=course.school,
            course=course.id,
            name=new.name,
            hours=new.hours,
            teacher=teacher,
            folder=new.folder,
            classroom=new.classroom,
            recording=new.recording,
            watch_policy=new.watch_policy,
            is_locked=False,
            introduction=new.introduction,
            identity=new.identity,
            key=key,
            stream=stream,
            origin=new.origin,
            closed_at=None,
            deleted_at=None,
            created_at=now,
            allows_check=new.allows_check,
            main=new.main,
            uses_main_recording=new.uses_main_recording,
        )

    def save(self, lesson: Lesson) -> None:
        """Save a changed class."""
        values: dict[str, SQLValue] = {
            "name": lesson.name,
            "begins_at": lesson.hours.begin,
            "ends_at": lesson.hours.end,
            "teacher_id": lesson.teacher,
            "folder_id": lesson.folder,
            "is_smart": int(lesson.classroom.is_smart),
            "is_broadcast": int(lesson.classroom.is_broadcast),
            "enters_off_stage": int(lesson.classroom.enters_off_stage),
            "introduction": lesson.introduction,
            **recording_values(lesson.recording, lesson.watch_policy, lesson.stream),
        }
        columns = {f"new_{name}": value for name, value in values.items()}
        self._tx.execute(_SAVE, {"lesson": lesson.id, **columns})

    def save_recording(self, changed_lessons: Iterable[Lesson]) -> None:
        """Save recording options, watch policy and stream of several classes, in one statement."""
        rows = []
        for lesson in changed_lessons:
            values = recording_values(lesson.recording, lesson.watch_policy, lesson.stream)
            rows.append([lesson.id, *(values[name] for name in _RECORDING_COLUMNS)])
        if rows:
            self._tx.execute(
                _SAVE_RECORDING, {"new_recordings": msgspec.json.encode(rows).decode()}
            )

    def save_lock(self, lesson: LessonId, *, locked: bool) -> None:
        """Save whether the recordings of a class are locked: retention does not delete them."""
        self._tx.execute(_SAVE_LOCK, {"lesson": lesson, "lock": int(locked)})

    def close(self, lesson: LessonId, now: Moment) -> None:
        """Save that a class was closed early."""
        self._tx.execute(_CLOSE, {"lesson": lesson, "moment": now})

    def save_origin(self, lesson: LessonId, origin: Origin) -> None:
        """Save the origin of a class."""
        self._tx.execute(_SAVE_ORIGIN, {"lesson": lesson, "new_origin": origin.value})

    def delete(self, lesson: Lesson, now: Moment, *, keeps_identity: bool) -> None:
        """Mark a class as deleted; its identity can be used again, unless it keeps it."""
        new_identity = lesson.identity if keeps_identity else None
        self._tx.execute(
            _DELETE, {"lesson": lesson.id, "moment": now, "new_identity": new_identity}
        )
