"""Classes in batches: one statement of PostgreSQL checks and adds all that queued meanwhile."""

import asyncio
import json
from typing import Any, Final, LiteralString

import psycopg

from bench.yardsticks.recipe import KEY, SIGNATURE, Recipe

MAX_BATCH: Final = 128
STATEMENT: Final[LiteralString] = """
WITH calls AS MATERIALIZED (
  SELECT * FROM jsonb_to_recordset(%(calls)s::jsonb) AS call(
    course bigint, teacher bigint, begin_at bigint, end_at bigint, seats bigint, name text,
    introduction text, identity text, key text, signature text)
), checked AS MATERIALIZED (
  SELECT calls.*, existing.id AS existing_id, schools.plan, courses.kind, courses.head_teacher_id,
    courses.expires_at, courses.ended_at, courses.deleted_at, users.cancelled_at, teachers.state,
    course_members.role, course_teachers.user_id AS course_teacher_id,
    EXISTS (SELECT FROM maintenance WHERE maintenance.begins_at < calls.end_at + 1200
      AND maintenance.ends_at > calls.begin_at - 1200) AS is_in_maintenance
  FROM calls
  JOIN schools ON schools.id = %(school)s
  JOIN courses ON courses.id = calls.course AND courses.school_id = schools.id
  JOIN users ON users.id = calls.teacher
  JOIN teachers ON teachers.school_id = schools.id AND teachers.user_id = users.id
  LEFT JOIN course_members
    ON course_members.course_id = courses.id AND course_members.user_id = users.id
  LEFT JOIN course_teachers
    ON course_teachers.course_id = courses.id AND course_teachers.user_id = users.id
  LEFT JOIN lessons AS existing
    ON existing.school_id = schools.id AND existing.unique_identity = calls.identity
), added AS (
  INSERT INTO lessons (school_id, course_id, name, begins_at, ends_at, teacher_id, seats,
    resolution, has_two_cameras, is_smart, is_broadcast, enters_off_stage, record, record_scene,
    live, replay, watch_by_login, allow_unlogged_chat, is_locked, introduction, unique_identity,
    key, stream_signature, stream_expires_at, origin, created_at)
  SELECT %(school)s, course, name, begin_at, end_at, teacher, seats, 0, 0, 0, 0, 1, 1, 0, 1, 1, 0,
    1, 0, introduction, identity, key, signature, end_at + 315360000, 'v1', %(now)s
  FROM checked
  WHERE existing_id IS NULL AND NOT is_in_maintenance AND role IS NULL AND cancelled_at IS NULL
    AND ended_at IS NULL AND deleted_at IS NULL AND state = 'active'
  ORDER BY identity
  RETURNING id, key
)
SELECT key, id FROM added
"""


class PostgresBatches:
    """A queue of addCourseClass calls, which one connection writes by the batch."""

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe
        self._waiting: list[tuple[dict[str, str], asyncio.Future[int]]] = []
        self._arrived = asyncio.Event()

    async def open(self) -> None:
        self._connection = await psycopg.AsyncConnection.connect(
            self._recipe.database, autocommit=True
        )
        self._connection.prepare_threshold = None if self._recipe.has_pool else 0
        self._task = asyncio.create_task(self._run())

    async def execute(self, action: str, form: dict[str, str]) -> int:
        assert action == "addCourseClass", "the others are not written in batches"
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting.append((form, future))
        self._arrived.set()
        return await future

    async def _run(self) -> None:
        while True:
            await self._arrived.wait()
            batch, self._waiting = self._waiting[:MAX_BATCH], self._waiting[MAX_BATCH:]
            if not self._waiting:
                self._arrived.clear()
            calls = json.dumps([_describe(form) for form, _ in batch])
            values: dict[str, Any] = {
                "calls": calls,
                "school": self._recipe.sid,
                "now": int(batch[0][0]["timeStamp"]),
            }
            cursor = await self._connection.execute(STATEMENT, values)
            added: dict[str, int] = dict(await cursor.fetchall())
            for form, future in batch:
                if not future.cancelled():
                    future.set_result(added[form[KEY]])


def _describe(form: dict[str, str]) -> dict[str, object]:
    return {
        "course": int(form["courseId"]),
        "teacher": int(form["teacherUid"]),
        "begin_at": int(form["beginTime"]),
        "end_at": int(form["endTime"]),
        "seats": int(form["seatNum"]),
        "name": form["className"],
        "introduction": form["classIntroduce"],
        "identity": form["courseUniqueIdentity"],
        "key": form[KEY],
        "signature": form[SIGNATURE],
    }
