"""Clips in the database."""

from collections.abc import Collection

import msgspec
from sqlalchemy import bindparam, insert, or_, select, update

from homeroom.base.clock import Moment
from homeroom.base.ids import ClipId, LessonId, SchoolId
from homeroom.domain.clips import Clip, NewClip
from homeroom.domain.lessons import MARGIN
from homeroom.domain.streams import StreamKind
from homeroom.store.engine import Row, Tx
from homeroom.store.statement import Rows, Statement
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
_OF_LESSON = Statement(
    select(*_COLUMNS).where(clips.c.lesson_id == bindparam("lesson")).order_by(clips.c.id)
)
_kept_lessons = Rows("kept_lessons")
_KEPT = Statement(
    select(*_COLUMNS)
    .where(_kept_lessons.hold(clips.c.lesson_id), clips.c.deleted_at.is_(None))
    .order_by(clips.c.id)
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
_NAMED = Statement(select(*_COLUMNS).where(clips.c.file_id == bindparam("file")))
_UNFINISHED = Statement(
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
# A class may have been given a recording long after it was over: that counts from then.
_OVERDUE = Statement(
    select(*_COLUMNS)
    .select_from(clips.join(lessons, lessons.c.id == clips.c.lesson_id))
    .where(
        lessons.c.school_id == bindparam("school"),
        lessons.c.is_locked == 0,
        or_(
            lessons.c.closed_at <= bindparam("over_by"),
            lessons.c.ends_at + MARGIN <= bindparam("over_by"),
        ),
        clips.c.deleted_at.is_(None),
        clips.c.created_at <= bindparam("over_by"),
    )
    .limit(bindparam("limit"))
)
_gone = Rows("gone")
_DELETE = Statement(
    update(clips).where(_gone.hold(clips.c.id)).values(deleted_at=bindparam("moment"))
)


def _clip(row: Row) -> Clip:
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
    """Clips in one transaction."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    def of_lesson(self, lesson: LessonId) -> list[Clip]:
        """Return every clip a class ever had, deleted ones too."""
        return [_clip(row) for row in self._tx.all(_OF_LESSON, {"lesson": lesson})]

    def kept(self, asked: Collection[LessonId]) -> dict[LessonId, list[Clip]]:
        """Return the clips of several classes that were not deleted."""
        if not asked:
            return {}
        given = {"kept_lessons": msgspec.json.encode(list(asked)).decode()}
        found: dict[LessonId, list[Clip]] = {}
        for clip in map(_clip, self._tx.all(_KEPT, given)):
            found.setdefault(clip.lesson, []).append(clip)
        return found

    def add(self, lesson: LessonId, file: NewClip, now: Moment) -> Clip:
        """Write a clip and return it."""
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
        return Clip(ClipId(self._tx.all(_ADD, values)[0][0]), lesson, file, now, None)

    def named(self, file_id: str) -> Clip | None:
        """Return a clip by its fileId, a deleted one too, or none."""
        rows = self._tx.all(_NAMED, {"file": file_id})
        return _clip(rows[0]) if rows else None

    def unfinished(self, after: int) -> Clip | None:
        """Return the next clip, above an id, that is not finished."""
        rows = self._tx.all(_UNFINISHED, {"after": after})
        return _clip(rows[0]) if rows else None

    def finish(self, clip: ClipId, duration: int | None, size: int, sha256: str) -> bool:
        """Write what a finished file is; tells whether the clip is still kept."""
        values = {
            "clip": clip,
            "new_duration": duration,
            "new_size": size,
            "new_sha256": sha256,
        }
        return self._tx.run(_FINISH, values) > 0

    def overdue(self, school: SchoolId, over_by: Moment, limit: int) -> list[Clip]:
        """Return clips a school keeps, unlocked, that were there and over by a moment."""
        values = {"school": school, "over_by": over_by, "limit": limit}
        return [_clip(row) for row in self._tx.all(_OVERDUE, values)]

    def page(self, after: int, limit: int) -> list[Clip]:
        """Return some clips in order of their ids, those above a given one, deleted ones too."""
        return [_clip(row) for row in self._tx.all(_PAGE, {"after": after, "limit": limit})]

    def delete(self, gone: list[Clip], now: Moment) -> None:
        """Mark clips deleted; their bytes are another's business."""
        text = msgspec.json.encode([clip.id for clip in gone]).decode()
        self._tx.run(_DELETE, {"gone": text, "moment": now})
