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
from homeroom.domain.retention import SweptSort
from homeroom.domain.viewers import ViewerKind
from homeroom.store.records import NewViewer
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import chat
from tests.support.given import Given

T = TypeVar("T")
TEACHER: Final = Author("Ms. Zhang", ChatRole.TEACHER)


def write(given: Given, use_case: Callable[[UnitOfWork], T]) -> T:
    return given.store.write(use_case, SchoolId(given.school.id))


def viewer(given: Given, lesson: LessonId, name: str = "小明") -> Author:
    """Return a viewer of a class, as the author of messages."""
    new = NewViewer(lesson, f"visitor:{name}", ViewerKind.VISITOR, name, "13812345678")
    return Author(name, viewer=write(given, lambda uow: uow.viewers.save(new, uow.now)).id)


def send(
    given: Given, lesson: LessonId, *texts: str, by: Author = TEACHER, nonce: str | None = None
) -> list[ChatEntry]:
    """Post each text as a message; return the stored messages."""
    wanted = [NewChatEntry(lesson, EntryKind.MESSAGE, by, text, nonce=nonce) for text in texts]
    entries = write(given, lambda uow: chat.post_messages(uow, wanted))
    return [entry for entry in entries if entry is not None]


def join(given: Given, lesson: LessonId, after: int = 0) -> chat.ChatHistory:
    return write(given, lambda uow: chat.load_history(uow, lesson, EntryId(after)))


def test_what_is_said_is_read_as_it_was_said(given: Given) -> None:
    lesson = given.lesson()
    author = viewer(given, lesson)

    (entry,) = send(given, lesson, "你好 <b>\n🎉", by=author, nonce="n1")

    assert entry.sent_at == given.now
    assert write(given, lambda uow: uow.chats.list_recent(lesson)) == [entry]
    assert write(given, lambda uow: uow.chats.get(lesson, entry.id)) == entry
    assert write(given, lambda uow: uow.chats.get_last_id(lesson)) == entry.id
    assert entry.new == NewChatEntry(lesson, EntryKind.MESSAGE, author, "你好 <b>\n🎉", nonce="n1")


def test_a_chat_in_which_nothing_happened(given: Given) -> None:
    lesson = given.lesson()
    assert join(given, lesson) == chat.ChatHistory(ChatState(), EntryId(0), [], is_complete=True)
    assert write(given, lambda uow: chat.post_messages(uow, [])) == []
    assert write(given, lambda uow: chat.list_entries_after(uow, {}, 10)) == []
    assert write(given, lambda uow: uow.chats.find_likes([])) == {}


def test_chats_do_not_see_one_another(given: Given) -> None:
    course = given.course()
    lesson, other = given.lesson(course), given.lesson(course)
    (mine,), (others,) = send(given, lesson, "a"), send(given, other, "b")
    assert write(given, lambda uow: uow.chats.list_recent(lesson)) == [mine]
    assert write(given, lambda uow: uow.chats.get(lesson, others.id)) is None
    with pytest.raises(OperatorError, match="no message"):
        write(given, lambda uow: chat.delete_message(uow, lesson, TEACHER, others.id))
    with pytest.raises(OperatorError, match="no message"):
        write(given, lambda uow: chat.pin_message(uow, lesson, TEACHER, others.id))


def test_a_message_sent_again_is_kept_once(given: Given) -> None:
    course = given.course()
    lesson, other = given.lesson(course), given.lesson(course)

    (first,) = send(given, lesson, "a", nonce="n")
    twice = send(given, lesson, "a", "a", nonce="n")
    both = send(given, lesson, "b", "b", nonce="m")
    (elsewhere,) = send(given, other, "a", nonce="n")
    unmarked = send(given, lesson, "c", "c")

    assert twice == [first, first]
    assert both[0] == both[1]
    assert elsewhere.id != first.id
    assert [entry.id for entry in join(given, lesson).entries] == [
        first.id,
        both[0].id,
        *(entry.id for entry in unmarked),
    ]


def test_who_joins_sees_the_last_messages_that_were_not_deleted(given: Given) -> None:
    lesson = given.lesson()
    entries = send(given, lesson, *(str(number) for number in range(MAX_RECENT_MESSAGES + 3)))
    gone = entries[-2]
    deleted = write(given, lambda uow: chat.delete_message(uow, lesson, TEACHER, gone.id))

    history = join(given, lesson)

    assert history.is_complete
    assert history.last_entry == deleted.id
    shown = [entry.new.text for entry in history.entries]
    assert shown == [
        str(number) for number in range(2, MAX_RECENT_MESSAGES + 3) if str(number) != gone.new.text
    ]


def test_who_comes_back_is_told_what_they_missed(given: Given) -> None:
    lesson = given.lesson()
    first, second = send(given, lesson, "a", "b")
    deleted = write(given, lambda uow: chat.delete_message(uow, lesson, TEACHER, first.id))
    (third,) = send(given, lesson, "c")

    missed = join(given, lesson, first.id)

    assert not missed.is_complete
    assert [entry.id for entry in missed.entries] == [second.id, deleted.id, third.id]
    assert (missed.entries[1].new.kind, missed.entries[1].new.target) == (
        EntryKind.DELETE,
        first.id,
    )
    assert join(given, lesson, third.id).entries == []
    # An id of another database, or of a purged chat: the client gets the whole history.
    assert join(given, lesson, third.id + 1).is_complete


def test_who_missed_too_much_begins_anew(given: Given, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chat, "MAX_MISSED_ENTRIES", 2)
    lesson = given.lesson()
    entries = send(given, lesson, "a", "b", "c", "d")
    assert not join(given, lesson, entries[1].id).is_complete
    history = join(given, lesson, entries[0].id)
    assert history.is_complete
    assert history.entries == entries


def test_a_look_at_several_chats(given: Given) -> None:
    course = given.course()
    lesson, other, quiet = (given.lesson(course) for _ in range(3))
    (first,) = send(given, lesson, "a")
    (second,) = send(given, other, "b")
    (third,) = send(given, lesson, "c")

    def since(after: dict[LessonId, int], limit: int = 10) -> list[EntryId]:
        asked = {one: EntryId(entry) for one, entry in after.items()}
        found = write(given, lambda uow: chat.list_entries_after(uow, asked, limit))
        return [entry.id for entry in found]

    assert since({lesson: 0, other: 0, quiet: 0}) == [first.id, second.id, third.id]
    assert since({lesson: first.id, other: second.id}) == [third.id]
    assert since({lesson: 0, other: 0}, 2) == [first.id, second.id]


def test_a_message_is_deleted_once(given: Given) -> None:
    lesson = given.lesson()
    (entry,) = send(given, lesson, "a")
    write(given, lambda uow: chat.delete_message(uow, lesson, TEACHER, entry.id))
    held = write(given, lambda uow: uow.chats.get(lesson, entry.id))
    assert held is not None
    assert held.is_deleted
    with pytest.raises(OperatorError, match="no message"):
        write(given, lambda uow: chat.delete_message(uow, lesson, TEACHER, entry.id))
    assert write(given, lambda uow: uow.chats.delete(entry.id, uow.now)) is False


def test_what_is_no_message_is_neither_deleted_nor_pinned(given: Given) -> None:
    lesson = given.lesson()
    paused = write(given, lambda uow: chat.pause(uow, lesson, TEACHER, is_paused=True))
    for act in (chat.delete_message, chat.pin_message):
        with pytest.raises(OperatorError, match="no message"):
            write(given, partial(act, lesson=lesson, by=TEACHER, message=paused.id))


def test_pinning_and_pausing_leave_one_another_alone(given: Given) -> None:
    lesson = given.lesson()
    first, second = send(given, lesson, "a", "b")
    write(given, lambda uow: chat.add_likes(uow, {lesson: 3}))

    def standing() -> tuple[bool, EntryId | None, int]:
        held = write(given, lambda uow: uow.chats.get_state(lesson))
        return held.is_paused, held.pinned.id if held.pinned else None, held.likes

    def pin(message: EntryId | None) -> EntryKind:
        return write(given, lambda uow: chat.pin_message(uow, lesson, TEACHER, message)).new.kind

    def pause(*, is_paused: bool) -> EntryKind:
        entry = write(given, lambda uow: chat.pause(uow, lesson, TEACHER, is_paused=is_paused))
        return entry.new.kind

    assert (pin(first.id), standing()) == (EntryKind.PIN, (False, first.id, 3))
    assert (pause(is_paused=True), standing()) == (EntryKind.PAUSE, (True, first.id, 3))
    assert (pin(second.id), standing()) == (EntryKind.PIN, (True, second.id, 3))
    assert (pause(is_paused=False), standing()) == (EntryKind.RESUME, (False, second.id, 3))
    pause(is_paused=True)
    write(given, lambda uow: chat.delete_message(uow, lesson, TEACHER, second.id))
    assert standing() == (True, None, 3)
    pin(first.id)
    assert (pin(None), standing()) == (EntryKind.UNPIN, (True, None, 3))


def test_a_viewer_is_muted_and_heard_again(given: Given) -> None:
    course = given.course()
    lesson, other = given.lesson(course), given.lesson(course)
    author = viewer(given, lesson)
    assert author.viewer is not None

    def mute(where: LessonId, who: ViewerId, *, is_muted: bool) -> ChatEntry:
        return write(given, lambda uow: chat.mute(uow, where, TEACHER, who, is_muted=is_muted))

    (kept,) = send(given, lesson, "a", by=author, nonce="n")
    entry = mute(lesson, author.viewer, is_muted=True)
    # The author may have been read before the mute: a muted viewer still posts nothing.
    assert send(given, lesson, "b", by=author) == []
    assert send(given, lesson, "a", by=author, nonce="n") == [kept]
    assert len(send(given, lesson, "c")) == 1
    assert (entry.new.kind, entry.new.target) == (EntryKind.MUTE, author.viewer)
    held = write(given, lambda uow: uow.viewers.find(lesson, "visitor:小明"))
    assert held is not None
    assert held.is_muted
    assert mute(lesson, author.viewer, is_muted=False).new.kind is EntryKind.UNMUTE
    assert len(send(given, lesson, "d", by=author)) == 1
    with pytest.raises(OperatorError, match="no viewer"):
        mute(other, author.viewer, is_muted=True)


def test_likes_add_up(given: Given) -> None:
    course = given.course()
    lesson, other = given.lesson(course), given.lesson(course)
    gone = LessonId(2**40)

    def add(likes: dict[LessonId, int]) -> dict[LessonId, int]:
        return write(given, lambda uow: chat.add_likes(uow, likes))

    assert add({}) == {}
    assert add({lesson: 2, other: 5, gone: 1}) == {lesson: 2, other: 5}
    assert add({lesson: 3}) == {lesson: 5}
    write(given, lambda uow: chat.pause(uow, lesson, TEACHER, is_paused=True))
    assert add({lesson: 1}) == {lesson: 6}
    assert write(given, lambda uow: uow.chats.get_state(lesson)).is_paused
    assert write(given, lambda uow: uow.chats.get_state(other)) == ChatState(likes=5)


def test_entries_are_overdue_some_time_after_the_class(given: Given) -> None:
    lesson, school = given.lesson(), SchoolId(given.school.id)
    (entry,) = send(given, lesson, "a")
    end = given.seen(lesson).hours.end + 20 * MINUTE
    given.until(end + DAY)
    (late,) = send(given, lesson, "b")
    send(given.other(), given.other().lesson(), "c")

    def overdue(moment: int) -> list[EntryId]:
        return sorted(write(given, lambda uow: uow.chats.list_overdue(school, moment, 10)))

    assert overdue(end - 1) == []
    assert overdue(end) == [entry.id]
    assert overdue(end + DAY) == [entry.id, late.id]
    write(given, lambda uow: chat.pin_message(uow, lesson, TEACHER, entry.id))
    write(given, lambda uow: uow.swept_rows.sweep(SweptSort.CHATS, [entry.id], end, end))
    assert write(given, lambda uow: uow.chats.get_state(lesson)) == ChatState()
    assert overdue(end) == []


def test_what_forgotten_viewers_said_stays(given: Given) -> None:
    lesson = given.lesson()
    author = viewer(given, lesson)
    assert author.viewer is not None
    (entry,) = send(given, lesson, "a", by=author)

    swept = [author.viewer]
    write(given, lambda uow: uow.swept_rows.sweep(SweptSort.VIEWERS, swept, uow.now, uow.now))

    (kept,) = write(given, lambda uow: uow.chats.list_recent(lesson))
    assert (kept.id, kept.new.author) == (entry.id, Author("小明"))
    assert write(given, lambda uow: uow.viewers.get(ViewerId(author.viewer or 0))) is None
