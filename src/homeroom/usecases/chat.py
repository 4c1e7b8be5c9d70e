"""The chat of a class: what is said, and how the teacher keeps it in order."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from homeroom.base.ids import EntryId, LessonId, ViewerId
from homeroom.domain.chat import Author, ChatEntry, ChatState, EntryKind, NewChatEntry
from homeroom.domain.refusal import OperatorError
from homeroom.store.unit_of_work import UnitOfWork

CAUGHT_UP = 1000
"""Entries that a viewer who was away is told of one by one; after more they begin anew."""


@dataclass(frozen=True, slots=True)
class History:
    """A chat as somebody sees it who joins."""

    standing: ChatState
    last: EntryId
    """What happened last, shown or not."""
    entries: list[ChatEntry]
    is_fresh: bool
    """Whether the entries are all there is to see, not only what was missed."""


def joined(uow: UnitOfWork, lesson: LessonId, after: EntryId) -> History:
    """Return a chat for somebody who knows it up to an entry, or not at all (0)."""
    standing, last = uow.chats.get_state(lesson), uow.chats.get_last_id(lesson)
    if 0 < after <= last:
        missed = uow.chats.list_since({lesson: after}, CAUGHT_UP + 1)
        if len(missed) <= CAUGHT_UP:
            return History(standing, last, missed, is_fresh=False)
    return History(standing, last, uow.chats.list_recent(lesson), is_fresh=True)


def say(uow: UnitOfWork, messages: Iterable[NewChatEntry]) -> list[ChatEntry | None]:
    """Write messages in order and return them, none for one whose author is muted by now.

    One that was kept already is not written again.
    """
    wanted = list(messages)
    marks = [(one.lesson, one.nonce) for one in wanted if one.nonce is not None]
    kept = uow.chats.find_by_nonces(marks) if marks else {}
    authors = {one.author.viewer for one in wanted if one.author.viewer is not None}
    muted = uow.viewers.find_muted(authors)
    entries: list[ChatEntry | None] = []
    for one in wanted:
        mark = (one.lesson, one.nonce or "")
        entry = kept.get(mark)
        if entry is None and one.author.viewer not in muted:
            entry = uow.chats.add(one, uow.now)
            if one.nonce is not None:
                kept[mark] = entry
        entries.append(entry)
    return entries


def since(uow: UnitOfWork, after: Mapping[LessonId, EntryId], limit: int) -> list[ChatEntry]:
    """Return what happened in several chats after an entry of each, in order."""
    return uow.chats.list_since(after, limit)


def delete(uow: UnitOfWork, lesson: LessonId, by: Author, message: EntryId) -> ChatEntry:
    """Delete a message; raises `OperatorError` where there is none."""
    _message(uow, lesson, message)
    uow.chats.delete(message, uow.now)
    standing = uow.chats.get_state(lesson)
    uow.chats.save_state(
        lesson,
        is_paused=standing.is_paused,
        pinned=None if standing.pinned is None else standing.pinned.id,
    )
    return uow.chats.add(NewChatEntry(lesson, EntryKind.DELETE, by, target=message), uow.now)


def pin(uow: UnitOfWork, lesson: LessonId, by: Author, message: EntryId | None) -> ChatEntry:
    """Show a message above all others, or with none no longer any; raises `OperatorError`."""
    if message is not None:
        _message(uow, lesson, message)
    is_paused = uow.chats.get_state(lesson).is_paused
    uow.chats.save_state(lesson, is_paused=is_paused, pinned=message)
    kind = EntryKind.UNPIN if message is None else EntryKind.PIN
    return uow.chats.add(NewChatEntry(lesson, kind, by, target=message), uow.now)


def pause(uow: UnitOfWork, lesson: LessonId, by: Author, *, is_paused: bool) -> ChatEntry:
    """Let nobody but the teacher speak, or everybody again."""
    pinned = uow.chats.get_state(lesson).pinned
    uow.chats.save_state(lesson, is_paused=is_paused, pinned=None if pinned is None else pinned.id)
    kind = EntryKind.PAUSE if is_paused else EntryKind.RESUME
    return uow.chats.add(NewChatEntry(lesson, kind, by), uow.now)


def mute(
    uow: UnitOfWork, lesson: LessonId, by: Author, viewer: ViewerId, *, is_muted: bool
) -> ChatEntry:
    """Let a viewer no longer speak, or again; raises `OperatorError` where there is none."""
    if not uow.viewers.mute(lesson, viewer, uow.now if is_muted else None):
        raise OperatorError(f"class {lesson} has no viewer {viewer}")
    kind = EntryKind.MUTE if is_muted else EntryKind.UNMUTE
    return uow.chats.add(NewChatEntry(lesson, kind, by, target=viewer), uow.now)


def add_likes(uow: UnitOfWork, likes: Mapping[LessonId, int]) -> dict[LessonId, int]:
    """Add to the likes of several classes, and return them."""
    uow.chats.add_likes(likes)
    return uow.chats.find_likes(list(likes))


def _message(uow: UnitOfWork, lesson: LessonId, message: EntryId) -> ChatEntry:
    entry = uow.chats.get(lesson, message)
    if entry is None or entry.new.kind is not EntryKind.MESSAGE or entry.is_deleted:
        raise OperatorError(f"class {lesson} has no message {message}")
    return entry
