"""Comments on the students of classes: the last one on each."""

from collections.abc import Iterable
from typing import Any

import msgspec
from sqlalchemy import BigInteger, ClauseElement, bindparam, select

from homeroom.base.clock import Moment
from homeroom.base.ids import LessonId, SchoolId, UserId
from homeroom.base.values import Value
from homeroom.store.engine import Transaction
from homeroom.store.paging import Filters, Page, PageRequest, fetch_page
from homeroom.store.readback_comments import COMMENTS
from homeroom.store.readback_records import CommentRecord
from homeroom.store.statement import ListParameter, Statement
from homeroom.store.tables import comments

_new_comments = ListParameter("new_comments")
_now = bindparam("now", type_=BigInteger())


def _build_save(insert: Any) -> ClauseElement:  # noqa: ANN401  the insert of either dialect
    new = insert(comments).from_select(
        ["school_id", "lesson_id", "user_id", "stars", "text", "created_at", "changed_at"],
        select(
            bindparam("school", type_=BigInteger()),
            bindparam("lesson", type_=BigInteger()),
            _new_comments.integer(0),
            _new_comments.integer(1),
            _new_comments.text(2),
            _now,
            _now,
        )
        .select_from(_new_comments.source)
        # Without a WHERE, SQLite would read the ON of ON CONFLICT as the condition of a join.
        .where(_new_comments.integer(0) > 0)
        .order_by(_new_comments.integer(0)),
    )
    upsert: ClauseElement = new.on_conflict_do_update(
        index_elements=["lesson_id", "user_id"],
        set_={name: new.excluded[name] for name in ("stars", "text", "changed_at")},
    )
    return upsert


_SAVE = Statement(_build_save)


class NewComment(Value, frozen=True):
    """A comment to save in place of an earlier one."""

    student: UserId
    stars: int
    text: str


class Comments:
    """Repository of comments."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def save(
        self, school: SchoolId, lesson: LessonId, new: Iterable[NewComment], now: Moment
    ) -> None:
        """Save comments on different students of a class, in place of the earlier ones."""
        rows = [(comment.student, comment.stars, comment.text) for comment in new]
        if rows:
            text = msgspec.json.encode(rows).decode()
            values = {"school": school, "lesson": lesson, "new_comments": text, "now": now}
            self._tx.execute(_SAVE, values)

    def list_page(self, filters: Filters, request: PageRequest) -> Page[CommentRecord]:
        """Return a page of comments."""
        return fetch_page(self._tx, COMMENTS, filters, request)
