"""Pushes in the database, and what decides whether one may run."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

import msgspec
from sqlalchemy import bindparam, delete, func, insert, select, update

from homeroom.base.clock import Moment
from homeroom.base.ids import LessonId
from homeroom.domain.streams import PublishSession, PublishTarget, StreamKind
from homeroom.store.engine import Row, Tx
from homeroom.store.lessons import COLUMNS as LESSON_COLUMNS
from homeroom.store.lessons import lesson_from
from homeroom.store.schools import read_plan
from homeroom.store.statement import Rows, Statement
from homeroom.store.tables import courses, lessons, push_keys, pushes, schools, users

SHOWN = 20
"""Pushes of a class that are told of, the newest."""

_PUSH = (
    pushes.c.id,
    pushes.c.kind,
    pushes.c.client_id,
    pushes.c.param,
    pushes.c.ip,
    pushes.c.started_at,
    pushes.c.ended_at,
    pushes.c.problem,
)
_STREAMED = (
    func.coalesce(push_keys.c.generation, 0),
    users.c.cancelled_at,
    schools.c.plan,
    *LESSON_COLUMNS,
)
_streamed = (
    lessons.join(courses, courses.c.id == lessons.c.course_id)
    .join(users, users.c.id == lessons.c.teacher_id)
    .join(schools, schools.c.id == lessons.c.school_id)
    .outerjoin(push_keys, push_keys.c.lesson_id == lessons.c.id)
)
_KEYED = Statement(
    select(*_STREAMED).select_from(_streamed).where(lessons.c.key == bindparam("key"))
)
_GET = Statement(
    select(*_STREAMED).select_from(_streamed).where(lessons.c.id == bindparam("lesson"))
)
_streamed_several = Rows("streamed_lessons")
_SEVERAL = Statement(
    select(*_STREAMED).select_from(_streamed).where(_streamed_several.hold(lessons.c.id))
)
_is_running = (pushes.c.engine == bindparam("its_engine"), pushes.c.ended_at.is_(None))
_RUNNING = Statement(select(*_PUSH).where(*_is_running).order_by(pushes.c.id))
_RUNNING_WITH_LESSONS = Statement(
    select(*_PUSH, *_STREAMED)
    .select_from(_streamed.join(pushes, pushes.c.lesson_id == lessons.c.id))
    .where(*_is_running)
    .order_by(pushes.c.id)
)
_elsewhere = Rows("elsewhere")
_RUNNING_ELSEWHERE = Statement(
    select(pushes.c.lesson_id, pushes.c.kind)
    .where(
        _elsewhere.hold(pushes.c.lesson_id),
        pushes.c.engine == "",
        pushes.c.ended_at.is_(None),
    )
    .distinct()
)
_NEWEST = Statement(
    select(*_PUSH)
    .where(pushes.c.lesson_id == bindparam("lesson"))
    .order_by(pushes.c.id.desc())
    .limit(SHOWN)
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
_FORGET = Statement(delete(pushes).where(pushes.c.started_at <= bindparam("until")))
_settled = Rows("settled")
_settled_values = (
    select(
        _settled.whole(0).label("push_id"),
        _settled.whole(1).label("ended_at"),
        _settled.text(2).label("problem"),
    )
    .select_from(_settled.source)
    .subquery("settled_values")
)
_SETTLE = Statement(
    update(pushes)
    .where(pushes.c.id == _settled_values.c.push_id, pushes.c.ended_at.is_(None))
    .values(ended_at=_settled_values.c.ended_at, problem=_settled_values.c.problem)
)
_RENEW = Statement(
    lambda insert: (
        insert(push_keys)
        .values(lesson_id=bindparam("lesson"), generation=1)
        .on_conflict_do_update(
            index_elements=["lesson_id"], set_={"generation": push_keys.c.generation + 1}
        )
    )
)


@dataclass(frozen=True, slots=True)
class NewPush:
    """A push that is let in."""

    lesson: LessonId
    kind: StreamKind
    engine: str
    """The id of the media engine that carries it; empty: an external one."""
    client_id: str
    param: str
    """The signature it was let in by."""
    ip: str


def _push(row: Row) -> PublishSession:
    number, kind, client_id, param, ip, started_at, ended_at, problem = row
    return PublishSession(
        number, StreamKind(kind), client_id, param, ip, started_at, ended_at, problem
    )


def _streamed_from(row: Row) -> PublishTarget:
    generation, cancelled_at, plan, *lesson = row
    return PublishTarget(
        lesson_from(tuple(lesson)),
        generation,
        teacher_is_cancelled=cancelled_at is not None,
        school_is_suspended=read_plan(plan).suspended,
    )


class PublishSessions:
    """Pushes in one transaction."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    def keyed(self, key: str) -> PublishTarget | None:
        """Return the class of a key with what else decides, deleted ones too, or none."""
        rows = self._tx.all(_KEYED, {"key": key})
        return _streamed_from(rows[0]) if rows else None

    def get(self, lesson: LessonId) -> PublishTarget | None:
        """Return a class with what else decides, deleted ones too, or none."""
        rows = self._tx.all(_GET, {"lesson": lesson})
        return _streamed_from(rows[0]) if rows else None

    def several(self, asked: Collection[LessonId]) -> list[PublishTarget]:
        """Return classes with what else decides, deleted ones too."""
        if not asked:
            return []
        given = {"streamed_lessons": msgspec.json.encode(list(asked)).decode()}
        return [_streamed_from(row) for row in self._tx.all(_SEVERAL, given)]

    def running(self, engine: str) -> list[PublishSession]:
        """Return every push that runs at an engine."""
        return [_push(row) for row in self._tx.all(_RUNNING, {"its_engine": engine})]

    def running_with_lessons(self, engine: str) -> list[tuple[PublishSession, PublishTarget]]:
        """Return every push that runs at an engine, with its class and what else decides."""
        return [
            (_push(row[: len(_PUSH)]), _streamed_from(row[len(_PUSH) :]))
            for row in self._tx.all(_RUNNING_WITH_LESSONS, {"its_engine": engine})
        ]

    def running_elsewhere(self, asked: Collection[LessonId]) -> dict[LessonId, set[StreamKind]]:
        """Return what of some classes is pushed at an engine that is not ours."""
        if not asked:
            return {}
        given = {"elsewhere": msgspec.json.encode(list(asked)).decode()}
        found: dict[LessonId, set[StreamKind]] = {}
        for lesson, kind in self._tx.all(_RUNNING_ELSEWHERE, given):
            found.setdefault(LessonId(lesson), set()).add(StreamKind(kind))
        return found

    def of_lesson(self, lesson: LessonId) -> list[PublishSession]:
        """Return the pushes of a class, the newest first, a few."""
        return [_push(row) for row in self._tx.all(_NEWEST, {"lesson": lesson})]

    def add(self, new: NewPush, now: Moment) -> None:
        """Write a push that begins."""
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
        self._tx.run(_ADD, values)

    def end(self, client_id: str, now: Moment) -> None:
        """Write that a client's push has ended."""
        self._tx.run(_END, {"client": client_id, "moment": now})

    def forget(self, until: Moment) -> None:
        """Remove the pushes that began by a moment."""
        self._tx.run(_FORGET, {"until": until})

    def settle(self, changed: Iterable[PublishSession]) -> None:
        """Write when several pushes ended, and their problems."""
        rows = [[push.id, push.ended_at, push.problem] for push in changed]
        if rows:
            self._tx.run(_SETTLE, {"settled": msgspec.json.encode(rows).decode()})

    def renew_key(self, lesson: LessonId) -> None:
        """Have the push addresses of a class signed with another key from now on."""
        self._tx.run(_RENEW, {"lesson": lesson})
