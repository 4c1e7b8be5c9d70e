"""Signatures of the pull addresses that classes are bound to."""

from typing import NamedTuple

from sqlalchemy import bindparam, select, update

from homeroom.base.clock import Moment
from homeroom.base.ids import LessonId
from homeroom.store.engine import Transaction
from homeroom.store.statement import Statement
from homeroom.store.tables import lessons

_LIST_PAGE = Statement(
    select(lessons.c.id, lessons.c.key, lessons.c.stream_expires_at)
    .where(lessons.c.stream_signature.is_not(None), lessons.c.id > bindparam("after"))
    .order_by(lessons.c.id)
    .limit(bindparam("limit"))
)
_SAVE = Statement(
    update(lessons)
    .where(lessons.c.id == bindparam("lesson"))
    .values(stream_signature=bindparam("new_signature"))
)


class BoundStream(NamedTuple):
    """The facts that the pull address of a class is signed from."""

    lesson: LessonId
    name: str
    expires_at: Moment


class StreamSignatures:
    """Repository of the signatures."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def list_page(self, after: int, limit: int) -> list[BoundStream]:
        """Return bound streams in order of their classes, after a given class."""
        rows = self._tx.fetch_all(_LIST_PAGE, {"after": after, "limit": limit})
        return [BoundStream(LessonId(lesson), name, expires) for lesson, name, expires in rows]

    def save(self, lesson: LessonId, signature: str) -> None:
        """Save the signature of a class."""
        self._tx.execute(_SAVE, {"lesson": lesson, "new_signature": signature})
