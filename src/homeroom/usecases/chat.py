"""The chat of a class: what is said, and how the teacher keeps it in order."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from homeroom.base.ids import EntryId, LessonId, ViewerId
from homeroom.domain.chat import Author, Entry, EntryKind, NewEntry, Standing
from homeroom.domain.refusal import Declined
from homeroom.store.work import Work

CAUGHT_UP = 1000
"""Entries that a viewer who was away is told of one by one; after more they begin anew."""


@dataclass(frozen=True, slots=True)
class History:
    """A chat as somebody sees it who joins."""

    standing: Standing
    last: EntryId
    """What happened last, shown or not."""
    entries: list[Entry]
    is_fresh: bool
    """Whether the entries are all there is to see, not only what was missed."""


def joined(work: Work, lesson: LessonId, after: EntryId) -> History:
    """Return a chat for somebody who knows it up to an entry, or not at all (0)."""
    standing, last = work.chats.standing(lesson), work.chats.last(lesson)
    if 0 < after <= last:
        missed = work.chats.since({lesson: after}, CAUGHT_UP + 1)
        if len(missed) <= CAUGHT_UP:
            return History(standing, last, missed, is_fresh=False)
    return History(standing, last, work.chats.recent(lesson), is_fresh=True)


def say(work: Work, messages: Iterable[NewEntry]) -> list[Entry | None]:
    """Write messages in order and return them, none for one whose author is muted by now.

    One that was kept already is not written again.
    """
    wanted = list(messages)
    marks = [(one.lesson, one.nonce) for one in wanted if one.nonce is not None]
    kept = work.chats.with_nonces(marks) if marks else {}
    authors = {one.author.viewer for one in wanted if one.author.viewer is not None}
    muted = work.viewers.muted(authors)
    entries: list[Entry | None] = []
    for one in wanted:
        mark = (one.lesson, one.nonce or "")
        entry = kept.get(mark)
        if entry is None and one.author.viewer not in muted:
            entry = work.chats.add(one, work.now)
            if one.nonce is not None:
                kept[mark] = entry
        entries.append(entry)
    return entries


def since(work: Work, after: Mapping[LessonId, EntryId], limit: int) -> list[Entry]:
    """Return what happened in several chats after an entry of each, in order."""
    return work.chats.since(after, limit)


def delete(work: Work, lesson: LessonId, by: Author, message: EntryId) -> Entry:
    """Delete a message; raises `Declined` where there is none."""
    _message(work, lesson, message)
    work.chats.delete(message, work.now)
    standing = work.chats.standing(lesson)
    work.chats.stand(
        lesson,
        is_paused=standing.is_paused,
        pinned=None if standing.pinned is None else standing.pinned.id,
    )
    return work.chats.add(NewEntry(lesson, EntryKind.DELETE, by, target=message), work.now)


def pin(work: Work, lesson: LessonId, by: Author, message: EntryId | None) -> Entry:
    """Show a message above all others, or with none no longer any; raises `Declined`."""
    if message is not None:
        _message(work, lesson, message)
    is_paused = work.chats.standing(lesson).is_paused
    work.chats.stand(lesson, is_paused=is_paused, pinned=message)
    kind = EntryKind.UNPIN if message is None else EntryKind.PIN
    return work.chats.add(NewEntry(lesson, kind, by, target=message), work.now)


def pause(work: Work, lesson: LessonId, by: Author, *, is_paused: bool) -> Entry:
    """Let nobody but the teacher speak, or everybody again."""
    pinned = work.chats.standing(lesson).pinned
    work.chats.stand(lesson, is_paused=is_paused, pinned=None if pinned is None else pinned.id)
    kind = EntryKind.PAUSE if is_paused else EntryKind.RESUME
    return work.chats.add(NewEntry(lesson, kind, by), work.now)


def mute(work: Work, lesson: LessonId, by: Author, viewer: ViewerId, *, is_muted: bool) -> Entry:
    """Let a viewer no longer speak, or again; raises `Declined` where there is none."""
    if not work.viewers.mute(lesson, viewer, work.now if is_muted else None):
        raise Declined(f"class {lesson} has no viewer {viewer}")
    kind = EntryKind.MUTE if is_muted else EntryKind.UNMUTE
    return work.chats.add(NewEntry(lesson, kind, by, target=viewer), work.now)


def add_likes(work: Work, likes: Mapping[LessonId, int]) -> dict[LessonId, int]:
    """Add to the likes of several classes, and return them."""
    work.chats.add_likes(likes)
    return work.chats.likes(list(likes))


def _message(work: Work, lesson: LessonId, message: EntryId) -> Entry:
    entry = work.chats.get(lesson, message)
    if entry is None or entry.new.kind is not EntryKind.MESSAGE or entry.is_deleted:
        raise Declined(f"class {lesson} has no message {message}")
    return entry
