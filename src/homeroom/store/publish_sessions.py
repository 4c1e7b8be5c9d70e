"""Publish sessions (pushes) of streams, and the rows that decide whether one is authorized."""

from collections.abc import Collection, Iterable

import msgspec
from sqlalchemy import bindparam, func, insert, or_, select, update

from homeroom.base.clock import Moment
from homeroom.base.ids import LessonId, SchoolId
from homeroom.base.values import Value
from homeroom.domain.streams import PublishSession, PublishTarget, StreamKind
from homeroom.store.engine import Row, Transaction
from homeroom.store.lesson_rows import COLUMNS as LESSON_COLUMNS
from homeroom.store.lesson_rows import read_lesson
from homeroom.store.schools import read_plan
from homeroom.store.statement import ListParameter, Statement
from homeroom.store.tables import courses, lessons, push_keys, pushes, schools, users

MAX_LISTED = 20
"""Most publish sessions of a class that are listed."""

_PUSH_COLUMNS = (
    pushes.c.id,
    pushes.c.kind,
    pushes.c.client_id,
    pushes.c.param,
    pushes.c.ip,
    pushes.c.started_at,
    pushes.c.ended_at,
    pushes.c.problem,
)
_STREAM_COLUMNS = (
    func.coalesce(push_keys.c.generation, 0),
    users.c.cancelled_at,
    schools.c.plan,
    *LESSON_COLUMNS,
)
_joined_stream = (
    lessons.join(courses, courses.c.id == lessons.c.course_id)
    .join(users, users.c.id == lessons.c.teacher_id)
    .join(schools, schools.c.id == lessons.c.school_id)
    .outerjoin(push_keys, push_keys.c.lesson_id == lessons.c.id)
)
_FIND_STREAM_BY_KEY = Statement(
    select(*_STREAM_COLUMNS).select_from(_joined_stream).where(lessons.c.key == bindparam("key"))
)
_GET_STREAM = Statement(
    select(*_STREAM_COLUMNS).select_from(_joined_stream).where(lessons.c.id == bindparam("lesson"))
)
_lesson_ids = ListParameter("lesson_ids")
_GET_STREAMS = Statement(
    select(*_STREAM_COLUMNS).select_from(_joined_stream).where(_lesson_ids.contains(lessons.c.id))
)
_is_running = (pushes.c.engine == bindparam("engine_id"), pushes.c.ended_at.is_(None))
_LIST_RUNNING = Statement(select(*_PUSH_COLUMNS).where(*_is_running).order_by(pushes.c.id))
_LIST_RUNNING_WITH_STREAMS = Statement(
    select(*_PUSH_COLUMNS, *_STREAM_COLUMNS)
    .select_from(_joined_stream.join(pushes, pushes.c.lesson_id == lessons.c.id))
    .where(*_is_running)
    .order_by(pushes.c.id)
)
_external_lesson_ids = ListParameter("external_lesson_ids")
_FIND_RUNNING_EXTERNAL = Statement(
    select(pushes.c.lesson_id, pushes.c.kind)
    .where(
        _external_lesson_ids.contains(pushes.c.lesson_id),
        pushes.c.engine == "",
        pushes.c.ended_at.is_(None),
    )
    .distinct()
)
_broadcast_lesson_ids = ListParameter("broadcast_lesson_ids")
_FIND_BROADCAST = Statement(
    select(pushes.c.lesson_id)
    .join(lessons, lessons.c.id == pushes.c.lesson_id)
    .where(
        _broadcast_lesson_ids.contains(pushes.c.lesson_id),
        or_(pushes.c.ended_at.is_(None), pushes.c.ended_at > lessons.c.begins_at),
    )
    .distinct()
)
_LIST_OF_LESSON = Statement(
    select(*_PUSH_COLUMNS)
    .where(pushes.c.lesson_id == bindparam("lesson"))
    .order_by(pushes.c.id.desc())
    .limit(MAX_LISTED)
)
_ADD = Statement(
    insert(pushes).values(
        {column: bindparam(column.name) for column in pushes.c if column.name != "id"}
    )
)
_END = Statement(
    update(pushes)
    .where(pushes.c.client_id == bindparam("client"), pushes.c.ended_at.is_(None))
    .values(ended_at=bindparam("moment"))
)
_LIST_SCHOOLS_WITH_OLD = Statement(
    select(lessons.c.school_id)
    .select_from(pushes.join(lessons, lessons.c.id == pushes.c.lesson_id))
    .where(pushes.c.started_at <= bindparam("until"))
    .distinct()
)
_LIST_OLD = Statement(
    select(pushes.c.id)
    .select_from(pushes.join(lessons, lessons.c.id == pushes.c.lesson_id))
    .where(lessons.c.school_id == bindparam("school"), pushes.c.started_at <= bindparam("until"))
    .limit(bindparam("limit"))
)
_ended = ListParameter("ended")
_ended_values = (
    select(
        _ended.integer(0).label("push_id"),
        _ended.integer(1).label("ended_at"),
        _ended.text(2).label("problem"),
    )
    .select_from(_ended.source)
    .subquery("settled_values")
)
_SAVE_ENDS = Statement(
    update(pushes)
    .where(pushes.c.id == _ended_values.c.push_id, pushes.c.ended_at.is_(None))
    .values(ended_at=_ended_values.c.ended_at, problem=_ended_values.c.problem)
)
_RENEW_KEY = Statement(
    lambda insert: (
        insert(push_keys)
        .values(lesson_id=bindparam("lesson"), generation=1)
        .on_conflict_do_update(
            index_elements=["lesson_id"], set_={"generation": push_keys.c.generation + 1}
        )
    )
)


class NewPublishSession(Value, frozen=True):
    """A publish session to add."""

    lesson: LessonId
    kind: StreamKind
    engine: str
    """The id of the media engine that receives the stream; empty for an external engine."""
    client_id: str
    param: str
    """The signature that authorized it."""
    ip: str


def _read_push(row: Row) -> PublishSession:
    number, kind, client_id, param, ip, started_at, ended_at, problem = row
    return PublishSession(
        number, StreamKind(kind), client_id, param, ip, started_at, ended_at, problem
    )


def _read_stream(row: Row) -> PublishTarget:
    generation, cancelled_at, plan, *lesson = row
    return PublishTarget(
        read_lesson(tuple(lesson)),
        generation,
        teacher_is_cancelled=cancelled_at is not None,
        school_is_suspended=read_plan(plan).suspended,
    )


class PublishSessions:
    """Repository of publish sessions."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def find_stream_by_key(self, key: str) -> PublishTarget | None:
        """Return the stream of a key, of a deleted class too, or None."""
        rows = self._tx.fetch_all(_FIND_STREAM_BY_KEY, {"key": key})
        return _read_stream(rows[0]) if rows else None

    def get_stream(self, lesson: LessonId) -> PublishTarget | None:
        """Return the stream of a class, of a deleted one too, or None."""
        rows = self._tx.fetch_all(_GET_STREAM, {"lesson": lesson})
        return _read_stream(rows[0]) if rows else None

    def get_streams(self, lesson_ids: Collection[LessonId]) -> list[PublishTarget]:
        """Return the streams of several classes, of deleted ones too."""
        if not lesson_ids:
            return []
        values = {"lesson_ids": msgspec.json.encode(list(lesson_ids)).decode()}
        return [_read_stream(row) for row in self._tx.fetch_all(_GET_STREAMS, values)]

    def list_running(self, engine: str) -> list[PublishSession]:
        """Return all publish sessions that run at an engine."""
        return [_read_push(row) for row in self._tx.fetch_all(_LIST_RUNNING, {"engine_id": engine})]

    def list_running_with_streams(self, engine: str) -> list[tuple[PublishSession, PublishTarget]]:
        """Return all publish sessions that run at an engine, each with its stream."""
        return [
            (_read_push(row[: len(_PUSH_COLUMNS)]), _read_stream(row[len(_PUSH_COLUMNS) :]))
            for row in self._tx.fetch_all(_LIST_RUNNING_WITH_STREAMS, {"engine_id": engine})
        ]

    def find_broadcast(self, lesson_ids: Collection[LessonId]) -> set[LessonId]:
        """Return which of some classes were on the air at any moment since their start."""
        if not lesson_ids:
            return set()
        values = {"broadcast_lesson_ids": msgspec.json.encode(list(lesson_ids)).decode()}
        return {LessonId(row[0]) for row in self._tx.fetch_all(_FIND_BROADCAST, values)}

    def find_running_external(
        self, lesson_ids: Collection[LessonId]
    ) -> dict[LessonId, set[StreamKind]]:
        """Return, for several classes, the kinds of stream that run at an external engine."""
        if not lesson_ids:
            return {}
        values = {"external_lesson_ids": msgspec.json.encode(list(lesson_ids)).decode()}
        kinds_by_lesson: dict[LessonId, set[StreamKind]] = {}
        for lesson, kind in self._tx.fetch_all(_FIND_RUNNING_EXTERNAL, values):
            kinds_by_lesson.setdefault(LessonId(lesson), set()).add(StreamKind(kind))
        return kinds_by_lesson

    def list_of_lesson(self, lesson: LessonId) -> list[PublishSession]:
        """Return the latest publish sessions of a class, newest first."""
        return [_read_push(row) for row in self._tx.fetch_all(_LIST_OF_LESSON, {"lesson": lesson})]

    def add(self, new: NewPublishSession, now: Moment) -> None:
        """Add a publish session that starts now."""
        values = {
            "lesson_id": new.lesson,
            "kind": new.kind.value,
            "engine": new.engine,
            "client_id": new.client_id,
            "param": new.param,
            "ip": new.ip,
            "started_at": now,
            "ended_at": None,
            "problem": None,
        }
        self._tx.execute(_ADD, values)

    def end(self, client_id: str, now: Moment) -> None:
        """Save that the publish session of a client has ended."""
        self._tx.execute(_END, {"client": client_id, "moment": now})

    def list_schools_with_old(self, until: Moment) -> list[SchoolId]:
        """Return the schools with sessions that began before a moment."""
        rows = self._tx.fetch_all(_LIST_SCHOOLS_WITH_OLD, {"until": until})
        return [SchoolId(row[0]) for row in rows]

    def list_old(self, school: SchoolId, until: Moment, limit: int) -> list[int]:
        """Return the ids of sessions of a school that began before a moment."""
        values = {"school": school, "until": until, "limit": limit}
        return [row[0] for row in self._tx.fetch_all(_LIST_OLD, values)]

    def save_ends(self, ended: Iterable[PublishSession]) -> None:
        """Save the ends and the problems of several publish sessions, in one statement."""
        rows = [[push.id, push.ended_at, push.problem] for push in ended]
        if rows:
            self._tx.execute(_SAVE_ENDS, {"ended": msgspec.json.encode(rows).decode()})

    def renew_key(self, lesson: LessonId) -> None:
        """Renew the key of a class: publish URLs signed before are no longer valid."""
        self._tx.execute(_RENEW_KEY, {"lesson": lesson})
