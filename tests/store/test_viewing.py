"""Watching and teaching on the pages: authorization, expiry, and page content."""

from collections.abc import Callable
from typing import Final, TypeVar

import pytest

from homeroom.base.clock import DAY, HOUR, MINUTE
from homeroom.base.ids import LessonId, SchoolId, UserId
from homeroom.base.keys import md5_hex
from homeroom.domain.refusal import OperatorError
from homeroom.domain.streams import StreamKind
from homeroom.domain.viewers import TICKET_SECONDS, Ticket, ViewerKind, sign_ticket, verify_ticket
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import class_students, logins, operations, teaching, viewing
from homeroom.usecases.dependencies import Dependencies
from homeroom.usecases.page_content import Audience, PageContent, get_content
from homeroom.usecases.viewing import (
    LoginFreeLink,
    LoginRequiredError,
    NoSuchPageError,
    ViewerAccess,
)
from tests.support.given import Given
from tests.support.scheduled import Scheduled
from tests.support.wire import Value

T = TypeVar("T")
WATCHED: Final[dict[str, Value]] = {"record": 1, "live": 1, "replay": 1}
TELEPHONE: Final = "13812345678"


def write(given: Given, use_case: Callable[[UnitOfWork], T]) -> T:
    return given.store.write(use_case, SchoolId(given.school.id))


def deps(given: Given) -> Dependencies:
    return given.house.deps


# --- who may watch -------------------------------------------------------------------------------


def admit(given: Given, lesson: LessonId, ticket: str | None = None) -> ViewerAccess:
    key = given.seen(lesson).key
    return write(given, lambda uow: viewing.authorize_viewer(uow, deps(given), key, ticket))


def text(given: Given, ticket: Ticket) -> str:
    return sign_ticket(ticket, deps(given).ticket_key)


def log_in(given: Given, user: UserId) -> str:
    def unit(uow: UnitOfWork) -> str:
        held = uow.accounts.get(user)
        assert held is not None
        return logins.log_in(uow, deps(given), SchoolId(given.school.id), held)

    return write(given, unit)


def test_a_visitor_becomes_a_guest_with_the_same_ticket(given: Given) -> None:
    lesson = given.lesson(None, **WATCHED)
    key = given.seen(lesson).key
    visitor = admit(given, lesson)
    assert (visitor.viewer, visitor.chat_access, visitor.may_like) == (None, "guest", True)
    assert write(given, lambda uow: viewing.save_viewer(uow, visitor)) is None

    ticket = text(given, visitor.ticket)
    same = write(
        given, lambda uow: viewing.register_guest(uow, deps(given), key, ticket, TELEPHONE, "小明")
    )

    assert same == ticket
    guest = admit(given, lesson, ticket)
    assert guest.viewer is not None
    assert (guest.viewer.name, guest.viewer.telephone) == ("小明", TELEPHONE)
    assert guest.chat_access == "open"
    assert write(given, lambda uow: viewing.save_viewer(uow, guest)) == guest.viewer


def test_tickets_that_are_no_good_are_as_good_as_none(given: Given) -> None:
    course = given.course()
    lesson, other = given.lesson(course, **WATCHED), given.lesson(course, **WATCHED)
    visitor = admit(given, lesson).ticket
    forged = sign_ticket(visitor, "another key")
    for bad in ("", "nonsense", forged, forged.replace(".", ""), "é.é", text(given, visitor)[:-1]):
        assert admit(given, lesson, bad).ticket != visitor
    assert admit(given, other, text(given, visitor)).ticket != visitor
    assert admit(given, lesson, text(given, visitor)).ticket == visitor
    given.clock.advance(TICKET_SECONDS)
    assert admit(given, lesson, text(given, visitor)).ticket != visitor


def test_a_class_that_is_for_those_who_log_in(given: Given) -> None:
    lesson = given.lesson(None, **WATCHED)
    visitor = text(given, admit(given, lesson).ticket)
    given.done("setClassVideoMultiple", **recording_form(given, lesson, watchByLogin=1))
    user = given.student()

    for ticket in (None, visitor):
        with pytest.raises(LoginRequiredError):
            admit(given, lesson, ticket)
    logged_in = admit(given, lesson, log_in(given, user))
    entered = write(given, lambda uow: viewing.save_viewer(uow, logged_in))

    assert logged_in.chat_access == "open"
    assert entered is not None
    assert (entered.identity, entered.kind) == (f"user:{user}", ViewerKind.USER)
    with pytest.raises(LoginRequiredError):
        write(
            given,
            lambda uow: viewing.register_guest(
                uow, deps(given), logged_in.seen.lesson.key, None, TELEPHONE, "x"
            ),
        )


def recording_form(given: Given, lesson: LessonId, **fields: Value) -> dict[str, Value]:
    """Return the form of setClassVideoMultiple for one class."""
    course = given.seen(lesson).course
    return {"courseId": course, "classJson": [{"classId": lesson, **fields}]}


def test_a_chat_for_those_who_log_in(given: Given) -> None:
    lesson = given.lesson(None, **WATCHED, allowUnloggedChat=0)
    visitor = admit(given, lesson)
    assert (visitor.chat_access, visitor.may_like) == ("login", False)
    assert admit(given, lesson, log_in(given, given.student())).chat_access == "open"


def test_a_session_ends_by_logging_out_expiry_and_cancellation(given: Given) -> None:
    lesson, user = given.lesson(None, **WATCHED), given.student()

    def is_in(ticket: str) -> bool:
        return admit(given, lesson, ticket).ticket.kind is ViewerKind.USER

    first, second = log_in(given, user), log_in(given, user)
    assert is_in(first)
    write(given, lambda uow: logins.log_out(uow, deps(given), first))
    write(given, lambda uow: logins.log_out(uow, deps(given), "nonsense"))
    assert (is_in(first), is_in(second)) == (False, True)
    given.cancelled(user)
    assert not is_in(second)
    third = log_in(given, given.student())
    given.clock.advance(TICKET_SECONDS - 1)
    assert is_in(third)
    given.clock.advance(1)
    assert not is_in(third)


def test_a_login_of_another_school_is_none_here(given: Given) -> None:
    lesson = given.lesson(None, **WATCHED)
    ticket = log_in(given.other(), given.other().student())
    assert admit(given, lesson, ticket).ticket.kind is ViewerKind.VISITOR


def test_an_account_is_found_with_its_password(given: Given) -> None:
    telephone = given.telephone()
    user = given.user(telephone=telephone)
    mail = f"Somebody{telephone}@Example.com"
    by_mail = UserId(given.done("register", email=mail, password="secret-12").data)

    school = SchoolId(given.school.id)

    def known(account: str) -> UserId | None:
        found = write(given, lambda uow: logins.find_account(uow, school, account))
        return None if found is None else found.user.id

    assert (known(telephone), known(mail), known(mail.upper())) == (user, by_mail, by_mail)
    assert (known("13"), known(f"{telephone}\0")) == (None, None)
    given.cancelled(user)
    assert known(telephone) is None


def test_outcasts_are_those_who_may_no_longer_watch(given: Given) -> None:
    lesson = given.lesson(None, **WATCHED)
    visitor = admit(given, lesson).ticket
    users = [verify_ticket(log_in(given, given.student()), deps(given).ticket_key, given.now)]
    ended = log_in(given, given.student())
    users.append(verify_ticket(ended, deps(given).ticket_key, given.now))
    everybody = {visitor, *users}

    def outcasts() -> set[Ticket]:
        seen = given.seen(lesson)
        return write(given, lambda uow: viewing.find_revoked_tickets(uow, [(seen, everybody)]))

    assert outcasts() == set()
    write(given, lambda uow: logins.log_out(uow, deps(given), ended))
    assert outcasts() == {users[1]}
    given.done("setClassVideoMultiple", **recording_form(given, lesson, watchByLogin=1))
    assert outcasts() == {users[1], visitor}
    given.clock.advance(TICKET_SECONDS)
    assert outcasts() == everybody


def test_a_student_transferred_out_of_a_class_watches_the_others(given: Given) -> None:
    course = given.course()
    lesson, other = given.lesson(course, **WATCHED), given.lesson(course, **WATCHED)
    for each in (lesson, other):
        given.done("setClassVideoMultiple", **recording_form(given, each, watchByLogin=1))
    student, guest = given.member(course), given.guest(lesson, given.student())
    texts = [log_in(given, student), log_in(given, student), log_in(given, guest)]
    tickets = {verify_ticket(text, deps(given).ticket_key, given.now) for text in texts}

    def outcasts() -> set[tuple[LessonId, Ticket]]:
        watching = dict.fromkeys((lesson, other), tickets)
        return write(given, lambda uow: class_students.find_transferred_out(uow, watching))

    form: dict[str, Value] = {"courseId": course, "classId": lesson}
    assert outcasts() == set()
    given.done("delClassStudentMultiple", **form, identity=1, studentUidJson=[student])
    assert outcasts() == {(lesson, ticket) for ticket in tickets if ticket.subject == str(student)}
    for text in texts[:2]:
        with pytest.raises(LoginRequiredError):
            admit(given, lesson, text)
        assert admit(given, other, text).ticket.kind is ViewerKind.USER
    assert admit(given, lesson, texts[2]).ticket.kind is ViewerKind.USER
    given.done("addClassStudentMultiple", **form, studentJson=[{"uid": student}])
    assert outcasts() == set()
    assert admit(given, lesson, texts[0]).ticket.kind is ViewerKind.USER


def test_deleted_classes_and_suspended_schools_admit_nobody(given: Given) -> None:
    held = Scheduled(given, **WATCHED)
    given.plan(suspended=True)
    with pytest.raises(NoSuchPageError):
        admit(given, held.lesson)
    given.plan(suspended=False)
    admit(given, held.lesson)
    held.delete()
    with pytest.raises(NoSuchPageError):
        admit(given, held.lesson)


# --- login-free links ----------------------------------------------------------------------------


def open_link(given: Given, key: str, account: str, nickname: str, code: str) -> str | None:
    link = LoginFreeLink(account, nickname, code)

    def unit(uow: UnitOfWork) -> str | None:
        ticket = viewing.issue_link_ticket(uow, key, link)
        return sign_ticket(ticket, deps(given).ticket_key) if ticket is not None else None

    return write(given, unit)


def test_a_link_of_a_class_admits_to_it_alone(given: Given) -> None:
    course = given.course()
    lesson, other = given.lesson(course, **WATCHED), given.lesson(course, **WATCHED)
    given.done("setClassVideoMultiple", **recording_form(given, lesson, watchByLogin=1))
    key = given.seen(lesson).key
    code = md5_hex(f"{given.school.secret}{key}stu-1小明")

    ticket = open_link(given, key, "stu-1", "小明", code)

    assert ticket is not None
    admitted = admit(given, lesson, ticket)
    assert (admitted.ticket.kind, admitted.ticket.identity) == (ViewerKind.LINK, "link:stu-1")
    assert admitted.chat_access == "open"
    assert admit(given, other, ticket).ticket.kind is ViewerKind.VISITOR
    assert open_link(given, key, "stu-1", "小红", code) is None
    assert open_link(given, given.seen(other).key, "stu-1", "小明", code) is None
    for no_key in ("no key", "0" * 16, f"{key[:-1]}\0"):
        wrong = md5_hex(f"{given.school.secret}{no_key}stu-1小明")
        assert open_link(given, no_key, "stu-1", "小明", wrong) is None


def test_a_link_of_a_course_admits_to_all_its_classes(given: Given) -> None:
    course = given.course()
    lessons = [given.lesson(course, **WATCHED) for _ in range(2)]
    elsewhere = given.lesson(None, **WATCHED)
    key = write(given, lambda uow: viewing.get_page_lessons(uow, lessons))[lessons[0]].course_key
    code = md5_hex(f"{given.school.secret}{key}stu-1小明")

    ticket = open_link(given, key, "stu-1", "小明", code)

    kinds = [admit(given, lesson, ticket).ticket.kind for lesson in [*lessons, elsewhere]]
    assert kinds == [ViewerKind.LINK, ViewerKind.LINK, ViewerKind.VISITOR]


# --- what is shown -------------------------------------------------------------------------------


def page_content(
    given: Given, lesson: LessonId, audience: Audience = Audience.VIEWERS
) -> PageContent:
    def unit(uow: UnitOfWork) -> PageContent:
        page = viewing.get_page_lessons(uow, [lesson])[lesson]
        return get_content(uow, deps(given), given.house.hosts, page, audience)

    return write(given, unit)


def test_streams_are_shown_while_the_class_is_open(given: Given) -> None:
    held = Scheduled(given, **WATCHED)
    assert (page_content(given, held.lesson).phase, page_content(given, held.lesson).streams) == (
        "before",
        {},
    )
    given.until(held.begin - 20 * MINUTE)
    soon = page_content(given, held.lesson)
    assert (soon.phase, set(soon.streams)) == ("open_early", {StreamKind.CLASS})
    assert (soon.opens_at, soon.closes_at) == (given.now, held.begin + HOUR + 20 * MINUTE)
    assert soon.streams[StreamKind.CLASS].flv.endswith(f"&txTime={soon.closes_at:x}")
    held.running()
    assert page_content(given, held.lesson).phase == "running"
    held.over()
    over = page_content(given, held.lesson)
    assert (over.phase, over.streams, over.clips) == ("over", {}, [])


def test_what_is_not_live_is_shown_to_its_teacher(given: Given) -> None:
    held = Scheduled(given, record=1, live=0, replay=0).running()
    assert page_content(given, held.lesson).streams == {}
    assert set(page_content(given, held.lesson, Audience.TEACHERS).streams) == {StreamKind.CLASS}
    held.over()
    clip = given.clip(held.lesson)
    assert page_content(given, held.lesson).clips == []
    assert [one for one, _ in page_content(given, held.lesson, Audience.TEACHERS).clips] == [clip]


def test_the_replay_shows_what_is_kept(given: Given) -> None:
    lesson = given.held_lesson(None, **WATCHED)
    gone, kept = given.clip(lesson), given.clip(lesson)
    given.done("deleteClassVideo", classId=lesson, fileId=gone.file.file_id)
    ((clip, url),) = page_content(given, lesson).clips
    assert clip == kept
    assert kept.file.file_id in url


# --- the teacher's page --------------------------------------------------------------------------


def token(given: Given, lesson: LessonId) -> str:
    def look(uow: UnitOfWork) -> str:
        held = uow.publish_sessions.get_stream(lesson)
        assert held is not None
        return teaching.sign_token(held, deps(given).push_key)

    return write(given, look)


def can_open(given: Given, path: str) -> bool:
    try:
        write(given, lambda uow: teaching.open_page(uow, deps(given), path))
    except OperatorError:
        return False
    return True


def test_a_token_opens_the_page_of_its_class(given: Given) -> None:
    lesson, other = given.lesson(None, **WATCHED), given.lesson(None, **WATCHED)
    mine, others = token(given, lesson), token(given, other)

    taught = write(given, lambda uow: teaching.open_page(uow, deps(given), mine))

    assert taught.seen.lesson == given.seen(lesson)
    assert not taught.is_over
    assert can_open(given, others)
    for wrong in ("", mine[:-1], mine + "0", mine[:16] + others[16:], "é" * 48, mine.upper()):
        assert not can_open(given, wrong)


def test_a_token_is_worthless_after_a_new_key_or_without_the_class(given: Given) -> None:
    held = Scheduled(given, **WATCHED)
    first = token(given, held.lesson)
    write(given, lambda uow: uow.publish_sessions.renew_key(held.lesson))
    assert not can_open(given, first)
    assert can_open(given, token(given, held.lesson))
    given.plan(suspended=True)
    assert not can_open(given, token(given, held.lesson))
    given.plan(suspended=False)
    last = token(given, held.lesson)
    held.delete()
    assert not can_open(given, last)


def test_a_class_is_ended_from_its_page_and_its_clips_are_shown_for_a_week(given: Given) -> None:
    held = Scheduled(given, **WATCHED).running()
    mine = token(given, held.lesson)

    assert write(given, lambda uow: teaching.end_lesson(uow, deps(given), mine)) == held.lesson

    taught = write(given, lambda uow: teaching.open_page(uow, deps(given), mine))
    assert taught.is_over
    assert held.seen.closed_at == given.now
    with pytest.raises(OperatorError, match="over already"):
        write(given, lambda uow: teaching.end_lesson(uow, deps(given), mine))
    given.clock.advance(7 * DAY - 1)
    assert can_open(given, mine)
    given.clock.advance(1)
    assert not can_open(given, mine)


def test_a_class_closed_by_its_operator_is_over_on_the_pages(given: Given) -> None:
    held = Scheduled(given, **WATCHED).running()
    write(given, lambda uow: operations.close_lesson(uow, held.lesson))
    assert page_content(given, held.lesson).phase == "closed_early"
