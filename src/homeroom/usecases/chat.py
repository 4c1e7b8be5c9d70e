"""The chat of a class: messages, likes and moderation."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import zip_longest

from homeroom.base.ids import EntryId, LessonId, ViewerId
from homeroom.base.values import Value
from homeroom.domain.chat import Author, ChatEntry, ChatState, EntryKind, NewChatEntry
from homeroom.domain.refusal import OperatorError
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import viewer_messages
from homeroom.usecases.viewer_messages import Like, PageVisitor

MAX_MISSED_ENTRIES = 1000
"""Missed entries that a returning viewer receives; after more they receive the recent history."""


class ChatHistory(Value, frozen=True):
    """The part of a chat that a participant receives on joining."""

    state: ChatState
    last_entry: EntryId
    """The id of the last entry, of any kind."""
    entries: list[ChatEntry]
    is_complete: bool
    """True if the entries are the recent history, False if only the missed ones."""


def load_history(uow: UnitOfWork, lesson: LessonId, after: EntryId) -> ChatHistory:
    """Return the chat entries after `after` for a participant; 0 means the recent ones."""
    state, last = uow.chats.get_state(lesson), uow.chats.get_last_id(lesson)
    if 0 < after <= last:
        missed = uow.chats.list_since({lesson: after}, MAX_MISSED_ENTRIES + 1)
        if len(missed) <= MAX_MISSED_ENTRIES:
            return ChatHistory(state, last, missed, is_complete=False)
    return ChatHistory(state, last, uow.chats.list_recent(lesson), is_complete=True)


def post_messages(
    uow: UnitOfWork,
    messages: Iterable[NewChatEntry],
    visitors: Sequence[PageVisitor | None] = (),
) -> list[ChatEntry | None]:
    """Write messages in order and return them; None for a message whose author is muted.

    `visitors` are their authors, None for a teacher. A message whose idempotency key (nonce)
    exists already is not written again.
    """
    new_entries = list(messages)
    nonces = [(new.lesson, new.nonce) for new in new_entries if new.nonce is not None]
    existing = uow.chats.find_by_nonces(nonces) if nonces else {}
    authors = {new.author.viewer for new in new_entries if new.author.viewer is not None}
    muted = uow.viewers.find_muted(authors)
    entries: list[ChatEntry | None] = []
    added: list[ChatEntry] = []
    of_viewers: list[tuple[ChatEntry, PageVisitor]] = []
    for new, visitor in zip_longest(new_entries, visitors):
        nonce = (new.lesson, new.nonce or "")
        entry = existing.get(nonce)
        if entry is None and new.author.viewer not in muted:
            entry = uow.chats.add(new, uow.now)
            added.append(entry)
            if visitor is not None:
                of_viewers.append((entry, visitor))
            if new.nonce is not None:
                existing[nonce] = entry
        entries.append(entry)
    if added:
        uow.open_classrooms.open({entry.new.lesson for entry in added})
    uow.chats.announce(added)
    viewer_messages.emit_chat(uow, of_viewers)
    return entries


def list_entries_after(
    uow: UnitOfWork, after: Mapping[LessonId, EntryId], limit: int
) -> list[ChatEntry]:
    """Return the entries of several chats after an entry of each, in order."""
    return uow.chats.list_since(after, limit)


def get_state(uow: UnitOfWork, lesson: LessonId) -> ChatState:
    """Return the state of a chat: paused or not, the pinned message, the likes."""
    return uow.chats.get_state(lesson)


def get_states(uow: UnitOfWork, lessons: Collection[LessonId]) -> dict[LessonId, ChatState]:
    """Return the states of several chats."""
    return uow.chats.find_states(lessons)


def list_recent(uow: UnitOfWork, lesson: LessonId) -> list[ChatEntry]:
    """Return the most recent messages of a chat, the oldest first."""
    return uow.chats.list_recent(lesson)


def delete_message(uow: UnitOfWork, lesson: LessonId, by: Author, message: EntryId) -> ChatEntry:
    """Delete a message; raises `OperatorError` if it does not exist."""
    _check_message(uow, lesson, message)
    uow.chats.delete(message, uow.now)
    state = uow.chats.get_state(lesson)
    uow.chats.save_state(
        lesson,
        is_paused=state.is_paused,
        pinned=state.pinned.id if state.pinned is not None else None,
    )
    return _add_entry(uow, NewChatEntry(lesson, EntryKind.DELETE, by, target=message))


def pin_message(
    uow: UnitOfWork, lesson: LessonId, by: Author, message: EntryId | None
) -> ChatEntry:
    """Pin a message, or unpin with None; raises `OperatorError` if it does not exist."""
    if message is not None:
        _check_message(uow, lesson, message)
    is_paused = uow.chats.get_state(lesson).is_paused
    uow.chats.save_state(lesson, is_paused=is_paused, pinned=message)
    kind = EntryKind.PIN if message is not None else EntryKind.UNPIN
    return _add_entry(uow, NewChatEntry(lesson, kind, by, target=message))


def pause(uow: UnitOfWork, lesson: LessonId, by: Author, *, is_paused: bool) -> ChatEntry:
    """Pause the chat for everyone but the teacher, or resume it."""
    pinned = uow.chats.get_state(lesson).pinned
    uow.chats.save_state(
        lesson, is_paused=is_paused, pinned=pinned.id if pinned is not None else None
    )
    kind = EntryKind.PAUSE if is_paused else EntryKind.RESUME
    return _add_entry(uow, NewChatEntry(lesson, kind, by))


def mute(
    uow: UnitOfWork, lesson: LessonId, by: Author, viewer: ViewerId, *, is_muted: bool
) -> ChatEntry:
    """Mute a viewer, or unmute them; raises `OperatorError` if there is no such viewer."""
    if not uow.viewers.mute(lesson, viewer, uow.now if is_muted else None):
        raise OperatorError(f"class {lesson} has no viewer {viewer}")
    kind = EntryKind.MUTE if is_muted else EntryKind.UNMUTE
    return _add_entry(uow, NewChatEntry(lesson, kind, by, target=viewer))


def add_likes(
    uow: UnitOfWork, likes: Mapping[LessonId, int], of_viewers: Iterable[Like] = ()
) -> dict[LessonId, int]:
    """Add likes to several classes, and return the new totals; those of viewers cause messages."""
    uow.chats.add_likes(likes)
    viewer_messages.emit_likes(uow, of_viewers)
    return uow.chats.find_likes(list(likes))


def _add_entry(uow: UnitOfWork, new: NewChatEntry) -> ChatEntry:
    entry = uow.chats.add(new, uow.now)
    uow.chats.announce([entry])
    return entry


def _check_message(uow: UnitOfWork, lesson: LessonId, message: EntryId) -> ChatEntry:
    entry = uow.chats.get(lesson, message)
    if entry is None or entry.new.kind is not EntryKind.MESSAGE or entry.is_deleted:
        raise OperatorError(f"class {lesson} has no message {message}")
    return entry
