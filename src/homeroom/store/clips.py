"""Clips: the recordings of classes, and the files that hold them.

A deleted clip keeps its row, because the API still reports it. Its file is erased by a job.
"""

from collections.abc import Collection

import msgspec
from sqlalchemy import bindparam, insert, select, update

from homeroom.base.clock import Moment
from homeroom.base.ids import ClipId, LessonId, SchoolId
from homeroom.domain.clips import Clip, NewClip
from homeroom.domain.streams import StreamKind
from homeroom.store.engine import Row, Transaction
from homeroom.store.lifecycle import LIFECYCLE
from homeroom.store.statement import ListParameter, Statement
from homeroom.store.tables import clips, lessons

_COLUMNS = (
    clips.c.id,
    clips.c.lesson_id,
    clips.c.file_id,
    clips.c.path,
    clips.c.name,
    clips.c.kind,
    clips.c.started_at,
    clips.c.duration,
    clips.c.size,
    clips.c.sha256,
    clips.c.is_finished,
    clips.c.created_at,
    clips.c.deleted_at,
)
_LIST_OF_LESSON = Statement(
    select(*_COLUMNS).where(clips.c.lesson_id == bindparam("lesson")).order_by(clips.c.id)
)
_lesson_ids = ListParameter("lesson_ids")
_FIND_AVAILABLE = Statement(
    select(*_COLUMNS)
    .where(_lesson_ids.contains(clips.c.lesson_id), clips.c.deleted_at.is_(None))
    .order_by(clips.c.id)
)
_ADD = Statement(
    insert(clips)
    .values({column: bindparam(column.name) for column in clips.c if column.name != "id"})
    .returning(clips.c.id)
)
_LIST_PAGE = Statement(
    select(*_COLUMNS)
    .where(clips.c.id > bindparam("after"))
    .order_by(clips.c.id)
    .limit(bindparam("limit"))
)
_FIND_BY_FILE_ID = Statement(select(*_COLUMNS).where(clips.c.file_id == bindparam("file")))
_FIND_UNFINISHED = Statement(
    select(*_COLUMNS)
    .where(clips.c.is_finished == 0, clips.c.deleted_at.is_(None), clips.c.id > bindparam("after"))
    .order_by(clips.c.id)
    .limit(1)
)
_FINISH = Statement(
    update(clips)
    .where(clips.c.id == bindparam("clip"), clips.c.deleted_at.is_(None))
    .values(
        duration=bindparam("new_duration"),
        size=bindparam("new_size"),
        sha256=bindparam("new_sha256"),
        is_finished=1,
    )
)
# A clip may be added long after its class is over: its retention begins when it is added.
_LIST_OVERDUE = Statement(
    select(*_COLUMNS)
    .select_from(clips.join(lessons, lessons.c.id == clips.c.lesson_id))
    .where(
        lessons.c.school_id == bindparam("school"),
        lessons.c.is_locked == 0,
        LIFECYCLE.is_over(bindparam("over_by")),
        clips.c.deleted_at.is_(None),
        clips.c.created_at <= bindparam("over_by"),
    )
    .limit(bindparam("limit"))
)
_clip_ids = ListParameter("clip_ids")
_DELETE = Statement(
    update(clips).where(_clip_ids.contains(clips.c.id)).values(deleted_at=bindparam("moment"))
)


def _read_clip(row: Row) -> Clip:
    (
        number, lesson, file_id, path, name, kind, started_at, duration, size, sha256, is_finished,
        created_at, deleted_at,
    ) = row  # fmt: skip
    file = NewClip(
        file_id=file_id,
        path=path,
        name=name,
        kind=StreamKind(kind),
        started_at=started_at,
        duration_ms=duration,
        size=size,
        sha256=sha256,
        is_finished=bool(is_finished),
    )
    return Clip(ClipId(number), LessonId(lesson), file, created_at, deleted_at)


class Clips:
    """Repository of clips."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def list_of_lesson(self, lesson: LessonId) -> list[Clip]:
        """Return all clips of a class, deleted ones too."""
        return [_read_clip(row) for row in self._tx.fetch_all(_LIST_OF_LESSON, {"lesson": lesson})]

    def find_available(self, lessons: Collection[LessonId]) -> dict[LessonId, list[Clip]]:
        """Return the clips of several classes that are not deleted."""
        if not lessons:
            return {}
        values = {"lesson_ids": msgspec.json.encode(list(lessons)).decode()}
        clips_by_lesson: dict[LessonId, list[Clip]] = {}
        for clip in map(_read_clip, self._tx.fetch_all(_FIND_AVAILABLE, values)):
            clips_by_lesson.setdefault(clip.lesson, []).append(clip)
        return clips_by_lesson

    def add(self, lesson: LessonId, file: NewClip, now: Moment) -> Clip:
        """Add a clip and return it."""
        values = {
            "lesson_id": lesson,
            "file_id": file.file_id,
            "path": file.path,
            "name": file.name,
            "kind": file.kind.value,
            "started_at": file.started_at,
            "duration": file.duration_ms,
            "size": file.size,
            "sha256": file.sha256,
            "is_finished": int(file.is_finished),
            "created_at": now,
            "deleted_at": None,
        }
        return Clip(ClipId(self._tx.fetch_all(_ADD, values)[0][0]), lesson, file, now, None)

    def find_by_file_id(self, file_id: str) -> Clip | None:
        """Return a clip by its fileId, a deleted one too, or None."""
        rows = self._tx.fetch_all(_FIND_BY_FILE_ID, {"file": file_id})
        return _read_clip(rows[0]) if rows else None

    def find_unfinished(self, after: int) -> Clip | None:
        """Return the next clip after an id that is still being recorded, or None."""
        rows = self._tx.fetch_all(_FIND_UNFINISHED, {"after": after})
        return _read_clip(rows[0]) if rows else None

    def finish(self, clip: ClipId, duration: int | None, size: int, sha256: str) -> bool:
        """Save duration (ms), bytes and hash of a finished file; return False if it is deleted."""
        values = {
            "clip": clip,
            "new_duration": duration,
            "new_size": size,
            "new_sha256": sha256,
        }
        return self._tx.execute(_FINISH, values) > 0

    def list_overdue(self, school: SchoolId, over_by: Moment, limit: int) -> list[Clip]:
        """Return old, unlocked clips of classes that ended before a moment (retention)."""
        values = {"school": school, "over_by": over_by, "limit": limit}
        return [_read_clip(row) for row in self._tx.fetch_all(_LIST_OVERDUE, values)]

    def list_page(self, after: int, limit: int) -> list[Clip]:
        """Return clips in order of their ids after a given id, deleted ones too."""
        return [
            _read_clip(row)
            for row in self._tx.fetch_all(_LIST_PAGE, {"after": after, "limit": limit})
        ]

    def delete(self, clips: list[Clip], now: Moment) -> None:
        """Mark clips as deleted; the caller has their files erased."""
        text = msgspec.json.encode([clip.id for clip in clips]).decode()
        self._tx.execute(_DELETE, {"clip_ids": text, "moment": now})
