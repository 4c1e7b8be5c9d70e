"""Clips: the recordings of classes, and the files that hold them.

A deleted clip keeps its row, because the API still reports it. Its file is erased by a job, at once
or, so that an operator can restore the clip, some days later.
"""

from collections.abc import Collection

import msgspec
from sqlalchemy import bindparam, func, insert, null, or_, select, update

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
    clips.c.erase_after,
    clips.c.swept_at,
    clips.c.storage_id,
)
_HAS_FILE = or_(clips.c.deleted_at.is_(None), clips.c.erase_after.is_not(None))
_IS_RESTORABLE = clips.c.erase_after.is_not(None)
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
_GET = Statement(select(*_COLUMNS).where(clips.c.id == bindparam("clip")))
_FIND_UNFINISHED = Statement(
    select(*_COLUMNS)
    .where(
        clips.c.is_finished == 0,
        clips.c.deleted_at.is_(None),
        clips.c.id > bindparam("after"),
        or_(clips.c.storage_id.is_(None), clips.c.storage_id == bindparam("storage")),
    )
    .order_by(clips.c.id)
    .limit(1)
)
_FINISH = Statement(
    update(clips)
    .where(clips.c.id == bindparam("clip"), _HAS_FILE)
    .values(
        duration=bindparam("new_duration"),
        size=bindparam("new_size"),
        sha256=bindparam("new_sha256"),
        is_finished=1,
    )
)
# A clip may be added or restored long after its class is over: its retention begins then.
_LIST_OVERDUE = Statement(
    select(*_COLUMNS)
    .select_from(clips.join(lessons, lessons.c.id == clips.c.lesson_id))
    .where(
        lessons.c.school_id == bindparam("school"),
        lessons.c.is_locked == 0,
        LIFECYCLE.is_over(bindparam("over_by")),
        clips.c.deleted_at.is_(None),
        func.coalesce(clips.c.restored_at, clips.c.created_at) <= bindparam("over_by"),
    )
    .limit(bindparam("limit"))
)
_clip_ids = ListParameter("clip_ids")
_DELETE = Statement(
    update(clips)
    .where(_clip_ids.contains(clips.c.id))
    .values(
        deleted_at=bindparam("moment"),
        erase_after=bindparam("new_erase_after"),
        swept_at=bindparam("new_swept_at"),
    )
)
_RESTORE = Statement(
    update(clips)
    .where(_clip_ids.contains(clips.c.id), _IS_RESTORABLE)
    .values(deleted_at=null(), erase_after=null(), swept_at=null(), restored_at=bindparam("moment"))
)
_FORGET_FILES = Statement(
    update(clips).where(_clip_ids.contains(clips.c.id)).values(erase_after=null())
)
_LIST_SCHOOLS_TO_ERASE = Statement(
    select(lessons.c.school_id)
    .select_from(clips.join(lessons, lessons.c.id == clips.c.lesson_id))
    .where(clips.c.erase_after <= bindparam("now"))
    .distinct()
)
_is_of_school = (
    select(lessons.c.id)
    .where(lessons.c.id == clips.c.lesson_id, lessons.c.school_id == bindparam("school"))
    .exists()
)
_LIST_TO_ERASE = Statement(
    select(*_COLUMNS)
    # Not a join: without statistics, SQLite would begin with all classes of the school.
    .where(clips.c.erase_after <= bindparam("now"), _is_of_school)
    .order_by(clips.c.erase_after)
    .limit(bindparam("limit"))
)
_LIST_SWEPT_SINCE = Statement(
    select(*_COLUMNS)
    .where(_IS_RESTORABLE, clips.c.swept_at >= bindparam("since"), clips.c.id > bindparam("after"))
    .order_by(clips.c.id)
    .limit(bindparam("limit"))
)
_file_ids = ListParameter("file_ids")
_has_listed_file_id = clips.c.file_id.in_(select(_file_ids.text()).select_from(_file_ids.source))
_ADOPT = Statement(
    update(clips)
    .where(_has_listed_file_id, clips.c.storage_id.is_(None), _HAS_FILE)
    .values(storage_id=bindparam("storage"))
)
_LIST_WITHOUT_FILE = Statement(
    select(clips.c.path).where(
        _has_listed_file_id, clips.c.deleted_at.is_not(None), clips.c.erase_after.is_(None)
    )
)
_FORGET_STORAGE = Statement(
    update(clips).where(clips.c.storage_id == bindparam("storage")).values(storage_id=null())
)
_COUNT_BY_STORAGE = Statement(
    select(clips.c.storage_id, func.count()).where(_HAS_FILE).group_by(clips.c.storage_id)
)


def _read_clip(row: Row) -> Clip:
    (
        number, lesson, file_id, path, name, kind, started_at, duration, size, sha256, is_finished,
        created_at, deleted_at, erase_after, swept_at, storage,
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
        storage=storage,
    )
    return Clip(
        ClipId(number), LessonId(lesson), file, created_at, deleted_at, erase_after, swept_at
    )


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
            "erase_after": None,
            "swept_at": None,
            "restored_at": None,
            "storage_id": file.storage,
        }
        return Clip(ClipId(self._tx.fetch_all(_ADD, values)[0][0]), lesson, file, now, None)

    def get(self, clip: ClipId) -> Clip | None:
        """Return a clip by its id, a deleted one too, or None."""
        rows = self._tx.fetch_all(_GET, {"clip": clip})
        return _read_clip(rows[0]) if rows else None

    def find_by_file_id(self, file_id: str) -> Clip | None:
        """Return a clip by its fileId, a deleted one too, or None."""
        rows = self._tx.fetch_all(_FIND_BY_FILE_ID, {"file": file_id})
        return _read_clip(rows[0]) if rows else None

    def find_unfinished(self, after: int, storage: str | None) -> Clip | None:
        """Return the next unfinished clip after an id whose file may be in a storage, or None."""
        rows = self._tx.fetch_all(_FIND_UNFINISHED, {"after": after, "storage": storage})
        return _read_clip(rows[0]) if rows else None

    def finish(self, clip: ClipId, duration: int | None, size: int, sha256: str) -> bool:
        """Save duration (ms), bytes and hash of a finished file; return False if it is erased."""
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

    def delete(
        self,
        clips: Collection[Clip],
        now: Moment,
        *,
        erase_after: Moment | None = None,
        is_swept: bool = False,
    ) -> None:
        """Mark clips as deleted; they can be restored until their files are erased.

        Without a moment to erase them, the caller has the files erased now.
        """
        values = {
            "clip_ids": _encode_ids(clips),
            "moment": now,
            "new_erase_after": erase_after,
            "new_swept_at": now if is_swept else None,
        }
        self._tx.execute(_DELETE, values)

    def restore(self, clips: Collection[Clip], now: Moment) -> int:
        """Restore deleted clips whose files exist, and return their number."""
        return self._tx.execute(_RESTORE, {"clip_ids": _encode_ids(clips), "moment": now})

    def forget_files(self, clips: Collection[Clip]) -> None:
        """Save that deleted clips cannot be restored any more; the caller erases their files."""
        self._tx.execute(_FORGET_FILES, {"clip_ids": _encode_ids(clips)})

    def list_schools_to_erase(self, now: Moment) -> list[SchoolId]:
        """Return the schools with deleted clips whose files are to be erased by now."""
        return [
            SchoolId(row[0]) for row in self._tx.fetch_all(_LIST_SCHOOLS_TO_ERASE, {"now": now})
        ]

    def list_to_erase(self, school: SchoolId, now: Moment, limit: int) -> list[Clip]:
        """Return deleted clips of a school whose files are to be erased by now."""
        values = {"school": school, "now": now, "limit": limit}
        return [_read_clip(row) for row in self._tx.fetch_all(_LIST_TO_ERASE, values)]

    def list_swept_since(self, since: Moment, after: int, limit: int) -> list[Clip]:
        """Return clips that the retention deleted from a moment on and that can be restored."""
        values = {"since": since, "after": after, "limit": limit}
        return [_read_clip(row) for row in self._tx.fetch_all(_LIST_SWEPT_SINCE, values)]

    def adopt(self, file_ids: Collection[str], storage: str) -> list[str]:
        """Save that a storage has some files, where that was unknown.

        Return the paths of those whose clips are deleted and cannot be restored.
        """
        values = {"file_ids": msgspec.json.encode(list(file_ids)).decode()}
        self._tx.execute(_ADOPT, {**values, "storage": storage})
        return [row[0] for row in self._tx.fetch_all(_LIST_WITHOUT_FILE, values)]

    def forget_storage(self, storage: str) -> int:
        """Save that it is unknown where the files of a storage are; return their number."""
        return self._tx.execute(_FORGET_STORAGE, {"storage": storage})

    def count_by_storage(self) -> dict[str | None, int]:
        """Return the number of clips with a file by storage; None is an unknown storage."""
        return dict(self._tx.fetch_all(_COUNT_BY_STORAGE, {}))


def _encode_ids(clips: Collection[Clip]) -> str:
    return msgspec.json.encode([clip.id for clip in clips]).decode()
