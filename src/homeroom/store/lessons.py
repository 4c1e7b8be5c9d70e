"""Classes of courses.

A deleted class keeps its row. A class also counts as deleted when its course is deleted.
"""

from collections.abc import Iterable, Sequence
from functools import cache

import msgspec
from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    and_,
    bindparam,
    insert,
    select,
    update,
)

from homeroom.base.clock import Moment
from homeroom.base.ids import CourseId, LessonId, SchoolId, UserId
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
from homeroom.store.courses import COLUMNS as COURSE_COLUMNS
from homeroom.store.courses import read_course
from homeroom.store.engine import SQLValue, Transaction
from homeroom.store.lesson_rows import (
    COLUMNS,
    NewLessonRow,
    build_lesson,
    new_lesson_values,
    read_lesson,
    recording_values,
)
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


def _overlaps_maintenance(
    begin: ColumnElement[int], end: ColumnElement[int]
) -> ColumnElement[bool]:
    """Return the condition that a class would be open during a maintenance window."""
    return (
        select(maintenance.c.id)
        .where(
            maintenance.c.begins_at < end + OVERTIME_SECONDS,
            maintenance.c.ends_at > begin - OPEN_EARLY_SECONDS,
        )
        .exists()
    )


_overlaps = _overlaps_maintenance(
    bindparam("begin", type_=BigInteger()), bindparam("end", type_=BigInteger())
)
_IS_IN_MAINTENANCE = Statement(select(_overlaps))
_GET_CONTEXT = Statement(
    select(
        schools.c.plan,
        lessons.c.id,
        folders.c.school_id,
        _overlaps,
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
_requested = ListParameter("requested")
_LIST_FACTS = Statement(
    select(
        lessons.c.id,
        folders.c.school_id,
        _overlaps_maintenance(_requested.integer(1), _requested.integer(2)),
    )
    .select_from(_requested.source)
    .outerjoin(folders, folders.c.id == _requested.integer(3))
    .outerjoin(
        lessons,
        and_(
            lessons.c.school_id == bindparam("school"),
            lessons.c.unique_identity == _requested.text(4),
        ),
    )
    .order_by(_requested.integer(0))
)
_NEW_COLUMNS = tuple(column for column in lessons.c if column.name != "id")
_ADD = Statement(
    insert(lessons)
    .values({column: bindparam(column.name) for column in _NEW_COLUMNS})
    .returning(lessons.c.id)
)


@cache
def build_add_all(count: int) -> Statement:
    """Return the statement that adds a number of classes.

    Each value is a parameter of its own: to extract 33 values of each class from a list takes
    SQLite longer than to insert them.
    """
    rows: list[dict[str, BindParameter[SQLValue]]] = [
        {column.name: bindparam(f"{column.name}_{place}") for column in _NEW_COLUMNS}
        for place in range(count)
    ]
    # The order of RETURNING is not promised: by its key each class finds its id.
    return Statement(insert(lessons).values(rows).returning(lessons.c.key, lessons.c.id))


_NEW_VALUES: dict[str, BindParameter[SQLValue]] = {
    name: bindparam(f"new_{name}")
    for name in (
        "name",
        "begins_at",
        "ends_at",
        "teacher_id",
        "folder_id",
        "seats",
        "resolution",
        "has_two_cameras",
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
        "allows_check",
        "stream_signature",
        "stream_expires_at",
        "uses_main_recording",
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
_SAVE_TEACHER = Statement(
    update(lessons)
    .where(_lesson_ids.contains(lessons.c.id))
    .values(teacher_id=bindparam("new_teacher"))
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


class NewLessonFacts(Value, frozen=True):
    """The rows that the checks of a class to add depend on."""

    existing: LessonId | None
    """The class that has the same identity already."""
    folder_owner: SchoolId | None
    is_in_maintenance: bool


class NewLessonContext(Value, frozen=True):
    """The rows that addCourseClass checks, except the teachers, read in one statement."""

    plan: Plan
    course: Course | None
    facts: NewLessonFacts


class Lessons:
    """Repository of classes."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def get_context(self, school: SchoolId, course: CourseId, new: NewLesson) -> NewLessonContext:
        """Return what addCourseClass checks, read in one statement."""
        values = {
            "school": school,
            "course": course,
            "folder": new.folder,
            "identity": new.identity,
            "begin": new.hours.begin,
            "end": new.hours.end,
        }
        plan, existing, folder_owner, overlaps, *course_row = self._tx.fetch_all(
            _GET_CONTEXT, values
        )[0]
        return NewLessonContext(
            read_plan(plan),
            read_course(tuple(course_row)) if course_row[0] is not None else None,
            NewLessonFacts(existing, folder_owner, bool(overlaps)),
        )

    def list_facts(
        self, school: SchoolId, new_lessons: Sequence[NewLesson]
    ) -> list[NewLessonFacts]:
        """Return what the checks of several classes depend on, read in one statement."""
        rows = [
            (place, new.hours.begin, new.hours.end, new.folder, new.identity)
            for place, new in enumerate(new_lessons)
        ]
        values = {"school": school, "requested": msgspec.json.encode(rows).decode()}
        return [
            NewLessonFacts(existing, folder_owner, bool(overlaps))
            for existing, folder_owner, overlaps in self._tx.fetch_all(_LIST_FACTS, values)
        ]

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

    def add(self, course: Course, row: NewLessonRow, now: Moment) -> Lesson:
        """Add a class and return it."""
        number = self._tx.fetch_all(_ADD, new_lesson_values(course, row, now))[0][0]
        return build_lesson(LessonId(number), course, row, now)

    def add_all(
        self, new_lessons: Sequence[tuple[Course, NewLessonRow]], now: Moment
    ) -> list[Lesson]:
        """Add classes to courses, in one statement, and return them in their order."""
        values = {
            f"{name}_{place}": value
            for place, (course, row) in enumerate(new_lessons)
            for name, value in new_lesson_values(course, row, now).items()
        }
        statement = build_add_all(len(new_lessons))
        ids: dict[str, int] = dict(self._tx.fetch_all(statement, values))
        return [
            build_lesson(LessonId(ids[row.key]), course, row, now) for course, row in new_lessons
        ]

    def save(self, lesson: Lesson) -> None:
        """Save a changed class."""
        values: dict[str, SQLValue] = {
            "name": lesson.name,
            "begins_at": lesson.hours.begin,
            "ends_at": lesson.hours.end,
            "teacher_id": lesson.teacher,
            "folder_id": lesson.folder,
            "seats": lesson.classroom.seats,
            "resolution": lesson.classroom.resolution,
            "has_two_cameras": int(lesson.classroom.has_two_cameras),
            "is_smart": int(lesson.classroom.is_smart),
            "is_broadcast": int(lesson.classroom.is_broadcast),
            "enters_off_stage": int(lesson.classroom.enters_off_stage),
            "introduction": lesson.introduction,
            "allows_check": int(lesson.allows_check),
            "uses_main_recording": int(lesson.uses_main_recording),
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

    def save_teacher(self, lesson_ids: Iterable[LessonId], teacher: UserId) -> None:
        """Save the teacher of several classes, in one statement."""
        text = msgspec.json.encode(list(lesson_ids)).decode()
        self._tx.execute(_SAVE_TEACHER, {"lesson_ids": text, "new_teacher": teacher})

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
