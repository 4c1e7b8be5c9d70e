"""The queries of the open rooms, every second."""

from typing import Final

from homeroom.base.ids import EntryId, LessonId, SchoolId
from homeroom.domain.chat import Author, ChatRole, EntryKind, NewChatEntry
from homeroom.domain.streams import StreamKind
from homeroom.domain.viewers import verify_ticket
from homeroom.player import room_queries
from homeroom.player.room_queries import RoomQuery, RoomUpdates
from homeroom.store.publish_sessions import NewPublishSession
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import chat, logins, teaching, viewing
from homeroom.usecases.page_content import Audience
from tests.support.given import Given
from tests.support.scheduled import Scheduled
from tests.support.tracing import traced

WATCHED: Final = {"record": 1, "live": 1, "replay": 1}
TEACHER: Final = Author("Ms. Zhang", ChatRole.TEACHER)


def add_live_lesson(given: Given) -> LessonId:
    """Add a class with an external publish session, a clip, and a pinned message."""
    lesson = given.lesson(None, **WATCHED)
    given.clip(lesson)

    def unit(uow: UnitOfWork) -> None:
        push = NewPublishSession(lesson, StreamKind.CLASS, "", f"client-{lesson}", "", "192.0.2.1")
        uow.publish_sessions.add(push, uow.now)
        (said,) = chat.post_messages(
            uow, [NewChatEntry(lesson, EntryKind.MESSAGE, TEACHER, "read this")]
        )
        assert said is not None
        chat.pin_message(uow, lesson, TEACHER, said.id)

    given.store.write(unit, SchoolId(given.school.id))
    return lesson


def query(given: Given, lesson: LessonId) -> RoomQuery:
    """Query a visitor, a logged-in user, and the teacher."""
    deps, student = given.house.deps, given.student()

    def unit(uow: UnitOfWork) -> RoomQuery:
        held, user = uow.publish_sessions.get_stream(lesson), uow.accounts.get(student)
        assert held is not None
        assert user is not None
        text = logins.log_in(uow, deps, held.lesson.school, user)
        tickets = {
            viewing.issue_visitor_ticket(deps, held.lesson, uow.now),
            verify_ticket(text, deps.ticket_key, uow.now),
        }
        return RoomQuery(EntryId(0), tickets, {teaching.sign_token(held, deps.push_key)})

    return given.store.write(unit, SchoolId(given.school.id))


def run_queries(given: Given, rooms: dict[LessonId, RoomQuery]) -> tuple[RoomUpdates, int]:
    """Run the queries; return the updates and the number of statements."""
    server = given.house.services

    def unit(uow: UnitOfWork) -> RoomUpdates:
        return room_queries.load_room_updates(uow, server.deps, server.hosts, rooms)

    with traced(given) as issued:
        found = given.store.write(unit, SchoolId(given.school.id))
    return found, len([one for one in issued if "SELECT" in one])


def test_a_look_at_many_rooms_takes_no_more_statements_than_one_at_a_single_room(
    given: Given,
) -> None:
    rooms = {lesson: query(given, lesson) for lesson in [add_live_lesson(given) for _ in range(4)]}
    for lesson in list(rooms)[:2]:
        given.closed_early(lesson)
    singles = [run_queries(given, {lesson: question}) for lesson, question in rooms.items()]

    together, statements = run_queries(given, rooms)

    assert statements == max(number for _, number in singles)
    for (single, _), lesson in zip(singles, rooms, strict=True):
        sight = together.snapshots[lesson]
        assert single.snapshots == {lesson: sight}
        assert sight.chat.pinned is not None
        assert sight.chat.pinned.new.text == "read this"
        assert sight.contents[Audience.VIEWERS].running_elsewhere == {StreamKind.CLASS}
        assert [clip.lesson for clip, _ in sight.contents[Audience.VIEWERS].clips] == (
            [lesson] if sight.contents[Audience.VIEWERS].phase.is_over else []
        )
    assert [one.contents[Audience.VIEWERS].phase for one in together.snapshots.values()] == [
        "closed_early"
    ] * 2 + ["before"] * 2
    assert together.revoked == set()


def test_a_look_finds_who_may_stay_no_longer(given: Given) -> None:
    held = Scheduled(given, **WATCHED)
    other = add_live_lesson(given)
    mine, others = query(given, held.lesson), query(given, other)
    (user,) = {ticket for ticket in mine.tickets if ticket.session is not None}
    session = user.session
    assert session is not None
    given.store.write(lambda uow: uow.sessions.end(session, uow.now))
    given.store.write(lambda uow: uow.publish_sessions.renew_key(other))

    found, _ = run_queries(given, {held.lesson: mine, other: others})

    assert found.revoked == {user} | others.tokens
    assert found.removed == set()
    held.delete()
    found, _ = run_queries(given, {held.lesson: mine, other: others})
    assert found.removed == {held.lesson}
    assert found.revoked == {user} | others.tokens | mine.tokens
