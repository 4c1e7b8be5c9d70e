"""Chats in the database: messages, moderation, and what participants see."""

from collections.abc import Callable
from functools import partial
from typing import Final, TypeVar

import pytest

from homeroom.base.clock import DAY, MINUTE
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
from homeroom.domain.refusal import OperatorError
from homeroom.domain.viewers import ViewerKind
from homeroom.store.records import NewViewer
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import chat
from tests.support.given import Given

T = TypeVar("T")
TEACHER: Final = Author("Ms. Zhang", ChatRole.TEACHER)


def did(given: Given, use_case: Callable[[UnitOfWork], T]) -> T:
    return given.store.write(use_case, SchoolId(given.school.id))


def viewer(given: Given, lesson: LessonId, name: str = "小明") -> Author:
    """Return a viewer of a class, as the author of messages."""
    new = NewViewer(lesson, f"visitor:{name}", ViewerKind.VISITOR, name, "13812345678")
    return Author(name, viewer=did(given, lambda uow: uow.viewers.save(new, uow.now)).id)


def said(
    given: Given, lesson: LessonId, *texts: str, by: Author = TEACHER, nonce: str | None = None
) -> list[ChatEntry]:
    """Say something in a class, each text a message, and return those that were written."""
    wanted = [NewChatEntry(lesson, EntryKind.MESSAGE, by, text, nonce=nonce) for text in texts]
    entries = did(given, lambda uow: chat.post_messages(uow, wanted))
    return [entry for entry in entries if entry is not None]


def joined(given: Given, lesson: LessonId, after: int = 0) -> chat.ChatHistory:
    return did(given, lambda uow: chat.load_history(uow, lesson, EntryId(after)))


def test_what_is_said_is_read_as_it_was_said(given: Given) -> None:
    lesson = given.lesson()
    author = viewer(given, lesson)

    (entry,) = said(given, lesson, "你好 <b>\n🎉", by=author, nonce="n1")

    assert entry.sent_at == given.now
    assert did(given, lambda uow: uow.chats.list_recent(lesson)) == [entry]
    assert did(given, lambda uow: uow.chats.get(lesson, entry.id)) == entry
    assert did(given, lambda uow: uow.chats.get_last_id(lesson)) == entry.id
    assert entry.new == NewChatEntry(lesson, EntryKind.MESSAGE, author, "你好 <b>\n🎉", nonce="n1")


def test_a_chat_in_which_nothing_happened(given: Given) -> None:
    lesson = given.lesson()
    assert joined(given, lesson) == chat.ChatHistory(ChatState(), EntryId(0), [], is_complete=True)
    assert did(given, lambda uow: chat.post_messages(uow, [])) == []
    assert did(given, lambda uow: chat.list_entries_after(uow, {}, 10)) == []
    assert did(given, lambda uow: uow.chats.find_likes([])) == {}


def test_chats_do_not_see_one_another(given: Given) -> None:
    course = given.course()
    lesson, other = given.lesson(course), given.lesson(course)
    (mine,), (others,) = said(given, lesson, "a"), said(given, other, "b")
    assert did(given, lambda uow: uow.chats.list_recent(lesson)) == [mine]
    assert did(given, lambda uow: uow.chats.get(lesson, others.id)) is None
    with pytest.raises(OperatorError, match="no message"):
        did(given, lambda uow: chat.delete_message(uow, lesson, TEACHER, others.id))
    with pytest.raises(OperatorError, match="no message"):
        did(given, lambda uow: chat.pin_message(uow, lesson, TEACHER, others.id))


def test_a_message_sent_again_is_kept_once(given: Given) -> None:
    course = given.course()
    lesson, other = given.lesson(course), given.lesson(course)

    (first,) = said(given, lesson, "a", nonce="n")
    twice = said(given, lesson, "a", "a", nonce="n")
    both = said(given, lesson, "b", "b", nonce="m")
    (elsewhere,) = said(given, other, "a", nonce="n")
    unmarked = said(given, lesson, "c", "c")

    assert twice == [first, first]
    assert both[0] == both[1]
    assert elsewhere.id != first.id
    assert [entry.id for entry in joined(given, lesson).entries] == [
        first.id,
        both[0].id,
        *(entry.id for entry in unmarked),
    ]


def test_who_joins_sees_the_last_messages_that_were_not_deleted(given: Given) -> None:
    lesson = given.lesson()
    entries = said(given, lesson, *(str(number) for number in range(MAX_RECENT_MESSAGES + 3)))
    gone = entries[-2]
    deleted = did(given, lambda uow: chat.delete_message(uow, lesson, TEACHER, gone.id))

    history = joined(given, lesson)

    assert history.is_complete
    assert history.last_entry == deleted.id
    shown = [entry.new.text for entry in history.entries]
    assert shown == [
        str(number) for number in range(2, MAX_RECENT_MESSAGES + 3) if str(number) != gone.new.text
    ]


def test_who_comes_back_is_told_what_they_missed(given: Given) -> None:
    lesson = given.lesson()
    first, second = said(given, lesson, "a", "b")
    deleted = did(given, lambda uow: chat.delete_message(uow, lesson, TEACHER, first.id))
    (third,) = said(given, lesson, "c")

    missed = joined(given, lesson, first.id)

    assert not missed.is_complete
    assert [entry.id for entry in missed.entries] == [second.id, deleted.id, third.id]
    assert (missed.entries[1].new.kind, missed.entries[1].new.target) == (
        EntryKind.DELETE,
        first.id,
    )
    assert joined(given, lesson, third.id).entries == []
    # An id of another database, or of a chat whose time was over: they begin anew.
    assert joined(given, lesson, third.id + 1).is_complete


def test_who_missed_too_much_begins_anew(given: Given, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chat, "MAX_MISSED_ENTRIES", 2)
    lesson = given.lesson()
    entries = said(given, lesson, "a", "b", "c", "d")
    assert not joined(given, lesson, entries[1].id).is_complete
    anew = joined(given, lesson, entries[0].id)
    assert anew.is_complete
    assert anew.entries == entries


def test_a_look_at_several_chats(given: Given) -> None:
    course = given.course()
    lesson, other, quiet = (given.lesson(course) for _ in range(3))
    (first,) = said(given, lesson, "a")
    (second,) = said(given, other, "b")
    (third,) = said(given, lesson, "c")

    def since(after: dict[LessonId, int], limit: int = 10) -> list[EntryId]:
        asked = {one: EntryId(entry) for one, entry in after.items()}
        found = did(given, lambda uow: chat.list_entries_after(uow, asked, limit))
        return [entry.id for entry in found]

    assert since({lesson: 0, other: 0, quiet: 0}) == [first.id, second.id, third.id]
    assert since({lesson: first.id, other: second.id}) == [third.id]
    assert since({lesson: 0, other: 0}, 2) == [first.id, second.id]


def test_a_message_is_deleted_once(given: Given) -> None:
    lesson = given.lesson()
    (entry,) = said(given, lesson, "a")
    did(given, lambda uow: chat.delete_message(uow, lesson, TEACHER, entry.id))
    held = did(given, lambda uow: uow.chats.get(lesson, entry.id))
    assert held is not None
    assert held.is_deleted
    with pytest.raises(OperatorError, match="no message"):
        did(given, lambda uow: chat.delete_message(uow, lesson, TEACHER, entry.id))
    assert did(given, lambda uow: uow.chats.delete(entry.id, uow.now)) is False


def test_what_is_no_message_is_neither_deleted_nor_pinned(given: Given) -> None:
    lesson = given.lesson()
    paused = did(given, lambda uow: chat.pause(uow, lesson, TEACHER, is_paused=True))
    for act in (chat.delete_message, chat.pin_message):
        with pytest.raises(OperatorError, match="no message"):
            did(given, partial(act, lesson=lesson, by=TEACHER, message=paused.id))


def test_pinning_and_pausing_leave_one_another_alone(given: Given) -> None:
    lesson = given.lesson()
    first, second = said(given, lesson, "a", "b")
    did(given, lambda uow: chat.add_likes(uow, {lesson: 3}))

    def standing() -> tuple[bool, EntryId | None, int]:
        held = did(given, lambda uow: uow.chats.get_state(lesson))
        return held.is_paused, held.pinned.id if held.pinned else None, held.likes

    def pin(message: EntryId | None) -> EntryKind:
        return did(given, lambda uow: chat.pin_message(uow, lesson, TEACHER, message)).new.kind

    def pause(*, is_paused: bool) -> EntryKind:
        entry = did(given, lambda uow: chat.pause(uow, lesson, TEACHER, is_paused=is_paused))
        return entry.new.kind

    assert (pin(first.id), standing()) == (EntryKind.PIN, (False, first.id, 3))
    assert (pause(is_paused=True), standing()) == (EntryKind.PAUSE, (True, first.id, 3))
    assert (pin(second.id), standing()) == (EntryKind.PIN, (True, second.id, 3))
    assert (pause(is_paused=False), standing()) == (EntryKind.RESUME, (False, second.id, 3))
    pause(is_paused=True)
    did(given, lambda uow: chat.delete_message(uow, lesson, TEACHER, second.id))
    assert standing() == (True, None, 3)
    pin(first.id)
    assert (pin(None), standing()) == (EntryKind.UNPIN, (True, None, 3))


def test_a_viewer_is_muted_and_heard_again(given: Given) -> None:
    course = given.course()
    lesson, other = given.lesson(course), given.lesson(course)
    author = viewer(given, lesson)
    assert author.viewer is not None

    def mute(where: LessonId, who: ViewerId, *, is_muted: bool) -> ChatEntry:
        return did(given, lambda uow: chat.mute(uow, where, TEACHER, who, is_muted=is_muted))

    (kept,) = said(given, lesson, "a", by=author, nonce="n")
    entry = mute(lesson, author.viewer, is_muted=True)
    # Whatever who wrote it down took them for: a muted viewer says nothing new.
    assert said(given, lesson, "b", by=author) == []
    assert said(given, lesson, "a", by=author, nonce="n") == [kept]
    assert len(said(given, lesson, "c")) == 1
    assert (entry.new.kind, entry.new.target) == (EntryKind.MUTE, author.viewer)
    held = did(given, lambda uow: uow.viewers.find(lesson, "visitor:小明"))
    assert held is not None
    assert held.is_muted
    assert mute(lesson, author.viewer, is_muted=False).new.kind is EntryKind.UNMUTE
    assert len(said(given, lesson, "d", by=author)) == 1
    with pytest.raises(OperatorError, match="no viewer"):
        mute(other, author.viewer, is_muted=True)


def test_likes_add_up(given: Given) -> None:
    course = given.course()
    lesson, other = given.lesson(course), given.lesson(course)
    gone = LessonId(2**40)

    def add(likes: dict[LessonId, int]) -> dict[LessonId, int]:
        return did(given, lambda uow: chat.add_likes(uow, likes))

    assert add({}) == {}
    assert add({lesson: 2, other: 5, gone: 1}) == {lesson: 2, other: 5}
    assert add({lesson: 3}) == {lesson: 5}
    did(given, lambda uow: chat.pause(uow, lesson, TEACHER, is_paused=True))
    assert add({lesson: 1}) == {lesson: 6}
    assert did(given, lambda uow: uow.chats.get_state(lesson)).is_paused
    assert did(given, lambda uow: uow.chats.get_state(other)) == ChatState(likes=5)


def test_entries_are_overdue_some_time_after_the_class(given: Given) -> None:
    lesson, school = given.lesson(), SchoolId(given.school.id)
    (entry,) = said(given, lesson, "a")
    end = given.seen(lesson).hours.end + 20 * MINUTE
    given.until(end + DAY)
    (late,) = said(given, lesson, "b")
    said(given.other(), given.other().lesson(), "c")

    def overdue(moment: int) -> list[EntryId]:
        return sorted(did(given, lambda uow: uow.chats.list_overdue(school, moment, 10)))

    assert overdue(end - 1) == []
    assert overdue(end) == [entry.id]
    assert overdue(end + DAY) == [entry.id, late.id]
    did(given, lambda uow: chat.pin_message(uow, lesson, TEACHER, entry.id))
    did(given, lambda uow: uow.chats.purge([entry.id]))
    assert did(given, lambda uow: uow.chats.get_state(lesson)) == ChatState()
    assert overdue(end) == []


def test_what_forgotten_viewers_said_stays(given: Given) -> None:
    lesson = given.lesson()
    author = viewer(given, lesson)
    assert author.viewer is not None
    (entry,) = said(given, lesson, "a", by=author)

    did(given, lambda uow: uow.viewers.purge([author.viewer or ViewerId(0)]))

    (kept,) = did(given, lambda uow: uow.chats.list_recent(lesson))
    assert (kept.id, kept.new.author) == (entry.id, Author("小明"))
    assert did(given, lambda uow: uow.viewers.get(ViewerId(author.viewer or 0))) is None
