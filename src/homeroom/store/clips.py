"""Clips in the database."""

import msgspec
from sqlalchemy import bindparam, insert, select, update

from homeroom.base.clock import Moment
from homeroom.base.ids import ClipId, LessonId
from homeroom.domain.clips import Clip, NewClip
from homeroom.store.engine import Row, Tx
from homeroom.store.statement import Rows, Statement
from homeroom.store.tables import clips

_COLUMNS = (
    clips.c.id,
    clips.c.lesson_id,
    clips.c.file_id,
    clips.c.path,
    clips.c.name,
    clips.c.size,
    clips.c.sha256,
    clips.c.created_at,
    clips.c.deleted_at,
)
_OF_LESSON = Statement(
    select(*_COLUMNS).where(clips.c.lesson_id == bindparam("lesson")).order_by(clips.c.id)
)
_ADD = Statement(
    insert(clips)
    .values({column: bindparam(column.name) for column in clips.c if column.name != "id"})
    .returning(clips.c.id)
)
_PAGE = Statement(
    select(*_COLUMNS)
    .where(clips.c.id > bindparam("after"))
    .order_by(clips.c.id)
    .limit(bindparam("limit"))
)
_gone = Rows("gone")
_DELETE = Statement(
    update(clips).where(_gone.hold(clips.c.id)).values(deleted_at=bindparam("moment"))
)


def _clip(row: Row) -> Clip:
    number, lesson, file_id, path, name, size, sha256, created_at, deleted_at = row
    file = NewClip(file_id, path, name, size, sha256)
    return Clip(ClipId(number), LessonId(lesson), file, created_at, deleted_at)


class Clips:
    """Clips in one transaction."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    def of_lesson(self, lesson: LessonId) -> list[Clip]:
        """Return every clip a class ever had, deleted ones too."""
        return [_clip(row) for row in self._tx.all(_OF_LESSON, {"lesson": lesson})]

    def add(self, lesson: LessonId, file: NewClip, now: Moment) -> Clip:
        """Write a clip and return it."""
        values = {
            "lesson_id": lesson,
            "file_id": file.file_id,
            "path": file.path,
            "name": file.name,
            "size": file.size,
            "sha256": file.sha256,
            "created_at": now,
            "deleted_at": None,
        }
        return Clip(ClipId(self._tx.all(_ADD, values)[0][0]), lesson, file, now, None)

    def page(self, after: int, limit: int) -> list[Clip]:
        """Return some clips in order of their ids, those above a given one, deleted ones too."""
        return [_clip(row) for row in self._tx.all(_PAGE, {"after": after, "limit": limit})]

    def delete(self, gone: list[Clip], now: Moment) -> None:
        """Mark clips deleted; their bytes are another's business."""
        text = msgspec.json.encode([clip.id for clip in gone]).decode()
        self._tx.run(_DELETE, {"gone": text, "moment": now})
