"""Chats of classes: the entries of each chat in order, its state, and its likes.

A deleted message keeps its row, marked as deleted.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import msgspec
from sqlalchemy import ClauseElement, bindparam, insert, literal, select, update

from homeroom.base.clock import Moment
from homeroom.base.ids import EntryId, LessonId, SchoolId, ViewerId
from homeroom.domain.chat import (
    MAX_RECENT_MESSAGES,
    Author,
    ChatEntry,
    ChatRole,
    ChatState,
    EntryKind,
    NewChatEntry,
)
from homeroom.store.announcements import CHAT_CHANNEL, Announcement
from homeroom.store.engine import Row, Transaction
from homeroom.store.lifecycle import LIFECYCLE
from homeroom.store.statement import ListParameter, Statement
from homeroom.store.tables import chat_entries, chats, lessons

_COLUMNS = (
    chat_entries.c.id,
    chat_entries.c.lesson_id,
    chat_entries.c.kind,
    chat_entries.c.viewer_id,
    chat_entries.c.name,
    chat_entries.c.role,
    chat_entries.c.text,
    chat_entries.c.target_id,
    chat_entries.c.nonce,
    chat_entries.c.sent_at,
    chat_entries.c.deleted_at,
)
_LIST_RECENT = Statement(
    select(*_COLUMNS)
    .where(
        chat_entries.c.lesson_id == bindparam("lesson"),
        chat_entries.c.kind == EntryKind.MESSAGE.value,
        chat_entries.c.deleted_at.is_(None),
    )
    .order_by(chat_entries.c.id.desc())
    .limit(MAX_RECENT_MESSAGES)
)
_GET_LAST_ID = Statement(
    select(chat_entries.c.id)
    .where(chat_entries.c.lesson_id == bindparam("lesson"))
    .order_by(chat_entries.c.id.desc())
    .limit(1)
)
_after = ListParameter("after_ids")
_LIST_SINCE = Statement(
    select(*_COLUMNS)
    .select_from(_after.source)
    .join(chat_entries, chat_entries.c.lesson_id == _after.integer(0))
    .where(chat_entries.c.id > _after.integer(1))
    .order_by(chat_entries.c.id)
    .limit(bindparam("limit"))
)
_GET = Statement(
    select(*_COLUMNS).where(
        chat_entries.c.lesson_id == bindparam("lesson"), chat_entries.c.id == bindparam("entry")
    )
)
_nonces = ListParameter("nonces")
_FIND_BY_NONCES = Statement(
    select(*_COLUMNS)
    .select_from(_nonces.source)
    .join(
        chat_entries,
        (chat_entries.c.lesson_id == _nonces.integer(0))
        & (chat_entries.c.nonce == _nonces.text(1)),
    )
)
_ADD = Statement(
    insert(chat_entries)
    .values({column: bindparam(column.name) for column in chat_entries.c if column.name != "id"})
    .returning(chat_entries.c.id)
)
_DELETE = Statement(
    update(chat_entries)
    .where(chat_entries.c.id == bindparam("entry"), chat_entries.c.deleted_at.is_(None))
    .values(deleted_at=bindparam("moment"))
)
_lesson_ids = ListParameter("lesson_ids")
_is_pinned = (
    (chat_entries.c.lesson_id == chats.c.lesson_id)
    & (chat_entries.c.id == chats.c.pinned_id)
    & chat_entries.c.deleted_at.is_(None)
)
_FIND_STATES = Statement(
    select(chats.c.lesson_id, chats.c.is_paused, chats.c.likes, *_COLUMNS)
    .select_from(chats.outerjoin(chat_entries, _is_pinned))
    .where(_lesson_ids.contains(chats.c.lesson_id))
)
_SAVE_STATE = Statement(
    update(chats)
    .where(chats.c.lesson_id == bindparam("lesson"))
    .values(is_paused=bindparam("paused"), pinned_id=bindparam("pinned"))
)
_ADD_STATE = Statement(
    lambda insert: (
        insert(chats)
        .values(lesson_id=bindparam("lesson"), is_paused=0, likes=0)
        .on_conflict_do_nothing()
    )
)
_new_likes = ListParameter("new_likes")


def _add_likes(insert: Any) -> ClauseElement:  # noqa: ANN401  the insert of either dialect
    new = insert(chats).from_select(
        ["lesson_id", "is_paused", "likes"],
        select(lessons.c.id, literal(0), _new_likes.integer(1))
        .select_from(_new_likes.source)
        .join(lessons, lessons.c.id == _new_likes.integer(0))
        .where(_new_likes.integer(1) > 0)
        .order_by(lessons.c.id),
    )
    upsert: ClauseElement = new.on_conflict_do_update(
        index_elements=["lesson_id"], set_={"likes": chats.c.likes + new.excluded.likes}
    )
    return upsert


_ADD_LIKES = Statement(_add_likes)
_FIND_LIKES = Statement(
    select(chats.c.lesson_id, chats.c.likes)
    .select_from(_new_likes.source)
    .join(chats, chats.c.lesson_id == _new_likes.integer())
)
_news = ListParameter("news")
_ANNOUNCE = Statement(select(Announcement(CHAT_CHANNEL, _news.text())).select_from(_news.source))
_overdue_lessons = select(lessons.c.id).where(
    lessons.c.school_id == bindparam("school"),
    LIFECYCLE.is_over(bindparam("over_by")),
)
_LIST_OVERDUE = Statement(
    select(chat_entries.c.id)
    .where(
        chat_entries.c.lesson_id.in_(_overdue_lessons),
        chat_entries.c.sent_at <= bindparam("over_by"),
    )
    .limit(bindparam("limit"))
)


def _read_entry(row: Row) -> ChatEntry:
    (
        number, lesson, kind, viewer, name, role, text, target, nonce, sent_at, deleted_at,
    ) = row  # fmt: skip
    author = Author(name, ChatRole(role), ViewerId(viewer) if viewer is not None else None)
    new = NewChatEntry(LessonId(lesson), EntryKind(kind), author, text, target, nonce)
    return ChatEntry(EntryId(number), new, sent_at, is_deleted=deleted_at is not None)


class Chats:
    """Repository of chats."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def list_recent(self, lesson: LessonId) -> list[ChatEntry]:
        """Return the latest messages that are not deleted, oldest first."""
        return [
            _read_entry(row)
            for row in reversed(self._tx.fetch_all(_LIST_RECENT, {"lesson": lesson}))
        ]

    def get_last_id(self, lesson: LessonId) -> EntryId:
        """Return the id of the latest entry, 0 for a chat without entries."""
        rows = self._tx.fetch_all(_GET_LAST_ID, {"lesson": lesson})
        return EntryId(rows[0][0] if rows else 0)

    def list_since(self, after: Mapping[LessonId, EntryId], limit: int) -> list[ChatEntry]:
        """Return the entries of several chats that follow a given entry of each, oldest first."""
        if not after:
            return []
        values = {"after_ids": msgspec.json.encode(list(after.items())).decode(), "limit": limit}
        return [_read_entry(row) for row in self._tx.fetch_all(_LIST_SINCE, values)]

    def get(self, lesson: LessonId, entry: EntryId) -> ChatEntry | None:
        """Return an entry of the chat of a class, or None."""
        rows = self._tx.fetch_all(_GET, {"lesson": lesson, "entry": entry})
        return _read_entry(rows[0]) if rows else None

    def find_by_nonces(
        self, nonces: Iterable[tuple[LessonId, str]]
    ) -> dict[tuple[int, str], ChatEntry]:
        """Return the stored messages of some nonces, by class and nonce (the idempotency key)."""
        text = msgspec.json.encode(list(nonces)).decode()
        entries = [
            _read_entry(row) for row in self._tx.fetch_all(_FIND_BY_NONCES, {"nonces": text})
        ]
        return {(entry.new.lesson, entry.new.nonce or ""): entry for entry in entries}

    def add(self, new: NewChatEntry, now: Moment) -> ChatEntry:
        """Add an entry and return it with its id."""
        values = {
            "lesson_id": new.lesson,
            "kind": new.kind.value,
            "viewer_id": new.author.viewer,
            "name": new.author.name,
            "role": new.author.role.value,
            "text": new.text,
            "target_id": new.target,
            "nonce": new.nonce,
            "sent_at": now,
            "deleted_at": None,
        }
        number = EntryId(self._tx.fetch_all(_ADD, values)[0][0])
        return ChatEntry(number, new, now, is_deleted=False)

    def announce(self, entries: Iterable[ChatEntry]) -> None:
        """Tell other servers of the last of some new entries in each chat, at the commit."""
        last = {entry.new.lesson: entry.id for entry in entries}
        if last:
            news = [f"{lesson} {entry}" for lesson, entry in last.items()]
            self._tx.fetch_all(_ANNOUNCE, {"news": msgspec.json.encode(news).decode()})

    def delete(self, entry: EntryId, now: Moment) -> bool:
        """Mark a message as deleted; return False if there was none to delete."""
        return self._tx.execute(_DELETE, {"entry": entry, "moment": now}) > 0

    def get_state(self, lesson: LessonId) -> ChatState:
        """Return the state of a chat."""
        return self.find_states([lesson]).get(lesson, ChatState())

    def find_states(self, lessons: Collection[LessonId]) -> dict[LessonId, ChatState]:
        """Return the states of several chats; chats without a row have the initial state."""
        if not lessons:
            return {}
        rows = self._tx.fetch_all(
            _FIND_STATES, {"lesson_ids": msgspec.json.encode(list(lessons)).decode()}
        )
        return {
            LessonId(lesson): ChatState(
                bool(is_paused),
                _read_entry(tuple(pinned)) if pinned[0] is not None else None,
                likes,
            )
            for lesson, is_paused, likes, *pinned in rows
        }

    def save_state(self, lesson: LessonId, *, is_paused: bool, pinned: EntryId | None) -> None:
        """Save whether a chat is paused, and its pinned message."""
        self._tx.execute(_ADD_STATE, {"lesson": lesson})
        self._tx.execute(
            _SAVE_STATE, {"lesson": lesson, "paused": int(is_paused), "pinned": pinned}
        )

    def add_likes(self, likes: Mapping[LessonId, int]) -> None:
        """Add to the likes of several classes."""
        if likes:
            self._tx.execute(
                _ADD_LIKES, {"new_likes": msgspec.json.encode(list(likes.items())).decode()}
            )

    def find_likes(self, lessons: Collection[LessonId]) -> dict[LessonId, int]:
        """Return the likes of several classes."""
        if not lessons:
            return {}
        rows = self._tx.fetch_all(
            _FIND_LIKES, {"new_likes": msgspec.json.encode(list(lessons)).decode()}
        )
        return {LessonId(lesson): likes for lesson, likes in rows}

    def list_overdue(self, school: SchoolId, over_by: Moment, limit: int) -> list[EntryId]:
        """Return the ids of entries to sweep: old ones, of classes that ended before a moment."""
        values = {"school": school, "over_by": over_by, "limit": limit}
        return [EntryId(row[0]) for row in self._tx.fetch_all(_LIST_OVERDUE, values)]
