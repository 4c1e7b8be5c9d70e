"""Presence of viewers, as each server writes it for the others."""

from homeroom.base.ids import LessonId, ViewerId
from homeroom.domain.presence import RoomPresence, ViewerPresence
from tests.support.given import Given


def room(lesson: int, server: str, beat: int, *keys: int) -> RoomPresence:
    viewers = tuple(ViewerPresence(key, ViewerId(key), is_playing=True) for key in keys)
    return RoomPresence(LessonId(lesson), server, beat, viewers)


def test_a_server_reads_what_others_wrote_last(given: Given) -> None:
    store, lesson = given.store, given.lesson(None)
    mine, theirs = room(lesson, "a", 1, 11), room(lesson, "b", 1, 11, 2**55)
    store.write(lambda uow: uow.presences.save([mine, theirs], uow.now))
    assert store.read(lambda uow: uow.presences.list_elsewhere("a", [lesson])) == [theirs]

    theirs = room(lesson, "b", 2)
    store.write(lambda uow: uow.presences.save([theirs], uow.now))
    assert store.read(lambda uow: uow.presences.list_elsewhere("a", [lesson])) == [theirs]
    assert store.read(lambda uow: uow.presences.list_elsewhere("b", [lesson])) == [mine]
    assert store.read(lambda uow: uow.presences.list_elsewhere("a", [LessonId(lesson + 1)])) == []


def test_only_what_stands_still_is_deleted(given: Given) -> None:
    store, lesson = given.store, given.lesson(None)
    former, later, still = room(lesson, "a", 1, 1), room(lesson, "a", 2, 1), room(lesson, "b", 1, 2)
    store.write(lambda uow: uow.presences.save([later, still], uow.now))

    store.write(lambda uow: uow.presences.delete([former, still]))

    assert store.read(lambda uow: uow.presences.list_elsewhere("c", [lesson])) == [later]
    store.write(lambda uow: uow.presences.delete_old(uow.now + 1))
    assert store.read(lambda uow: uow.presences.list_elsewhere("c", [lesson])) == []
