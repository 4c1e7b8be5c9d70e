"""Public pages: authorize viewers, read content, save viewers and watch time."""

from collections.abc import Collection, Iterable

from homeroom.base.clock import Moment
from homeroom.base.errors import HomeroomError
from homeroom.base.ids import LessonId, UserId
from homeroom.base.keys import is_public_key
from homeroom.base.values import Value
from homeroom.domain.chat import ChatAccess
from homeroom.domain.lessons import Lesson
from homeroom.domain.refusal import OperatorError
from homeroom.domain.schools import School
from homeroom.domain.viewers import (
    TICKET_SECONDS,
    Ticket,
    ViewerKind,
    is_link_valid,
    name_guest,
    normalize_nickname,
    resolve_watch_policy,
    sign_ticket,
    verify_ticket,
)
from homeroom.store.records import NewViewer, PublicCourse, PublicLesson, Viewer, WatchTime
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases.class_students import find_transferred_out
from homeroom.usecases.dependencies import Dependencies
from homeroom.usecases.main_recordings import adopt_recordings
from homeroom.usecases.page_content import Audience, choose_audience

MAX_LISTED_LESSONS = 200
"""Classes that the page of a course lists."""


class LoginRequiredError(HomeroomError):
    """The class can be watched only after a login."""


class NoSuchPageError(HomeroomError):
    """No class or course with this key can be shown."""


class ViewerAccess(Value, frozen=True):
    """The access of a viewer who may watch a class."""

    seen: PublicLesson
    ticket: Ticket
    viewer: Viewer | None
    """None for a visitor without a name."""
    chat_access: ChatAccess
    audience: Audience
    account: str
    """Who they are in messages: account or telephone number, or a name for a guest (Q96)."""

    @property
    def may_like(self) -> bool:
        """Tell whether likes of the viewer count."""
        return self.chat_access in (ChatAccess.OPEN, ChatAccess.GUEST)

    @property
    def needs_saving(self) -> bool:
        """Tell whether the viewer, or their new name, is not saved yet."""
        is_saved = self.viewer is not None and self.viewer.name == self.ticket.name
        return self.ticket.kind is not ViewerKind.VISITOR and not is_saved


def get_page_lesson(uow: UnitOfWork, key: str) -> PublicLesson:
    """Return the class of a page's key, a deleted one too; raises `NoSuchPageError`."""
    page = uow.pages.find_lesson(key) if is_public_key(key) else None
    if page is None:
        raise NoSuchPageError
    return adopt_recordings(uow, [page])[0]


def get_course_page(uow: UnitOfWork, key: str) -> tuple[PublicCourse, School, list[PublicLesson]]:
    """Return a course, its school and the listed classes; raises `NoSuchPageError`."""
    course = uow.pages.find_course(key) if is_public_key(key) else None
    school = uow.schools.get(course.school) if course is not None else None
    if course is None or school is None:
        raise NoSuchPageError
    lessons = uow.pages.list_lessons_of_course(key, uow.now, MAX_LISTED_LESSONS)
    recorded = [page for page in adopt_recordings(uow, lessons) if page.lesson.recording.record]
    return course, school, recorded


# --- tickets -------------------------------------------------------------------------------------


class LoginFreeLink(Value, frozen=True):
    """The parameters of a login-free link."""

    account: str
    nickname: str
    code: str


def issue_link_ticket(uow: UnitOfWork, key: str, link: LoginFreeLink) -> Ticket | None:
    """Return the ticket of a login-free link to a class or a course; None if it is wrong.

    READINGS Q40: the person need not be a student of the school.
    """
    if not is_public_key(key):
        return None
    page = uow.pages.find_lesson(key)
    course = None if page is not None else uow.pages.find_course(key)
    owner = page.lesson.school if page is not None else course.school if course else None
    school = uow.schools.get(owner) if owner is not None else None
    if school is None or not is_link_valid(school, key, link.account, link.nickname, link.code):
        return None
    try:
        name = normalize_nickname(link.nickname)
    except OperatorError:
        return None
    return Ticket(
        kind=ViewerKind.LINK,
        subject=link.account,
        name=name,
        school=school.id,
        expires_at=uow.now + TICKET_SECONDS,
        course=course.id if course is not None else None,
        lesson=page.lesson.id if page is not None else None,
    )


def issue_visitor_ticket(deps: Dependencies, lesson: Lesson, now: Moment) -> Ticket:
    """Return a new ticket for an anonymous visitor."""
    return Ticket(
        kind=ViewerKind.VISITOR,
        subject=deps.keys.public_key(),
        name="",
        school=lesson.school,
        expires_at=now + TICKET_SECONDS,
        lesson=lesson.id,
    )


def register_guest(
    uow: UnitOfWork, deps: Dependencies, key: str, text: str | None, telephone: str, name: str
) -> str:
    """Save a visitor's telephone number and nickname, both checked already, and return a ticket.

    Raises `NoSuchPageError`, and `LoginRequiredError` if guests may not watch or chat. A viewer
    with a link or a login stays who they are.
    """
    access = authorize_viewer(uow, deps, key, text)
    ticket, lesson = access.ticket, access.seen.lesson
    if ticket.kind is ViewerKind.VISITOR:
        if not resolve_watch_policy(lesson).allow_unlogged_chat:
            raise LoginRequiredError
        new = NewViewer(lesson.id, ticket.identity, ticket.kind, name, telephone)
        guest = uow.viewers.save(new, uow.now)
        muted_at = uow.viewers.get_mute_time(lesson.id, telephone)
        if muted_at is not None:
            uow.viewers.mute(lesson.id, guest.id, muted_at)
    return sign_ticket(ticket, deps.ticket_key)


# --- permissions ---------------------------------------------------------------------------------


def authorize_viewer(
    uow: UnitOfWork, deps: Dependencies, key: str, text: str | None
) -> ViewerAccess:
    """Authorize a viewer to watch a class, with a ticket or without.

    Raises `NoSuchPageError` and `LoginRequiredError`.

    A ticket that is forged, expired, ended or for another class is ignored, and so is that of a
    student who was transferred out of the class.
    """
    page = get_page_lesson(uow, key)
    lesson = page.lesson
    if lesson.deleted_at is not None or page.plan.suspended:
        raise NoSuchPageError
    ticket = _find_valid_ticket(uow, deps, lesson, text)
    policy = resolve_watch_policy(lesson)
    if ticket is None and policy.watch_by_login:
        raise LoginRequiredError
    if ticket is None:
        ticket = issue_visitor_ticket(deps, lesson, uow.now)
    if ticket.kind is ViewerKind.VISITOR and policy.watch_by_login:
        raise LoginRequiredError
    viewer = uow.viewers.find(lesson.id, ticket.identity)
    return ViewerAccess(
        page,
        ticket,
        viewer,
        get_chat_access(ticket, viewer, policy.allow_unlogged_chat),
        choose_audience(uow, page, ticket),
        _find_account(uow, deps, lesson, ticket, viewer),
    )


def _find_account(
    uow: UnitOfWork, deps: Dependencies, lesson: Lesson, ticket: Ticket, viewer: Viewer | None
) -> str:
    """Return the account of a viewer, the telephone number of a guest, or a name for neither."""
    account: str | None = None
    if ticket.kind is ViewerKind.LINK:
        account = ticket.subject
    elif ticket.kind is ViewerKind.USER:
        user = uow.accounts.get(UserId(int(ticket.subject)))
        account = user.telephone or user.email if user is not None else None
    elif viewer is not None:
        account = viewer.telephone
    return account or name_guest(deps.ticket_key, lesson.id, ticket.identity)


def save_viewer(uow: UnitOfWork, access: ViewerAccess) -> Viewer | None:
    """Save a viewer with a name and return them; None for an anonymous visitor."""
    return uow.viewers.save(build_viewer(access), uow.now) if access.needs_saving else access.viewer


def build_viewer(access: ViewerAccess) -> NewViewer:
    """Return the viewer to save."""
    ticket, viewer = access.ticket, access.viewer
    name = ticket.name
    if ticket.kind is ViewerKind.VISITOR and viewer is not None:
        name = viewer.name
    user = UserId(int(ticket.subject)) if ticket.kind is ViewerKind.USER else None
    return NewViewer(
        access.seen.lesson.id, ticket.identity, ticket.kind, name, telephone=None, user=user
    )


def find_revoked_tickets(
    uow: UnitOfWork, watching: Collection[tuple[Lesson, set[Ticket]]]
) -> set[Ticket]:
    """Return the tickets that no longer allow watching their class."""
    all_tickets = {ticket for _, tickets in watching for ticket in tickets}
    sessions = {ticket.session for ticket in all_tickets if ticket.session is not None}
    valid_sessions = uow.sessions.find_active(sessions, uow.now)
    revoked = {
        ticket
        for ticket in all_tickets
        if ticket.expires_at <= uow.now
        or (ticket.session is not None and ticket.session not in valid_sessions)
    }
    for lesson, tickets in watching:
        if resolve_watch_policy(
            lesson
        ).watch_by_login:  # and the ticket of a visitor is for one class
            revoked |= {ticket for ticket in tickets if ticket.kind is ViewerKind.VISITOR}
    return revoked


def add_watch_time(uow: UnitOfWork, watched: Iterable[WatchTime]) -> None:
    """Add to the watch time of viewers."""
    uow.viewers.add_watch_time(watched, uow.now)


def _find_valid_ticket(
    uow: UnitOfWork, deps: Dependencies, lesson: Lesson, text: str | None
) -> Ticket | None:
    if not text:
        return None
    try:
        ticket = verify_ticket(text, deps.ticket_key, uow.now)
    except OperatorError:
        return None
    if not ticket.is_valid_for(lesson):
        return None
    if ticket.session is not None and not uow.sessions.find_active([ticket.session], uow.now):
        return None
    return ticket if not find_transferred_out(uow, {lesson.id: {ticket}}) else None


def get_chat_access(ticket: Ticket, viewer: Viewer | None, allows_unlogged: bool) -> ChatAccess:  # noqa: FBT001  a value, not a mode
    """Return what a viewer may do in the chat."""
    if viewer is not None and viewer.is_muted:
        return ChatAccess.MUTED
    if ticket.kind is not ViewerKind.VISITOR:
        return ChatAccess.OPEN
    if not allows_unlogged:
        return ChatAccess.LOGIN
    is_guest = viewer is not None and viewer.telephone is not None
    return ChatAccess.OPEN if is_guest else ChatAccess.GUEST


def get_page_lessons(
    uow: UnitOfWork, lessons: Collection[LessonId]
) -> dict[LessonId, PublicLesson]:
    """Return classes as their pages show them."""
    pages = uow.pages.get_lessons(lessons).values()
    return {page.lesson.id: page for page in adopt_recordings(uow, pages)}
