"""Logins of viewers: find the account, begin a session and end it."""

from homeroom.base.ids import SchoolId
from homeroom.base.values import Value
from homeroom.domain.accounts import User
from homeroom.domain.lessons import Lesson
from homeroom.domain.refusal import OperatorError
from homeroom.domain.viewers import TICKET_SECONDS, Ticket, ViewerKind, sign_ticket, verify_ticket
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import viewer_messages
from homeroom.usecases.dependencies import Dependencies


class LoginAccount(Value, frozen=True):
    """An account that logs in on the pages of a school, and the passwords that count there."""

    user: User
    password_hashes: tuple[str, ...]


def find_account(uow: UnitOfWork, school: SchoolId, account: str) -> LoginAccount | None:
    """Return the account of a telephone number or e-mail address.

    Any school can register any number. So only a password counts that the school of the page set
    itself, or the operator.
    """
    if "\0" in account:  # which PostgreSQL does not take
        return None
    found_account = uow.accounts.find_with_password_hash(
        account.lower() if "@" in account else account
    )
    if found_account is None:
        return None
    user, operator_hash = found_account
    school_hash = uow.school_accounts.get_password_hash(school, user.id)
    hashes = (school_hash, operator_hash)
    return LoginAccount(user, tuple(text for text in hashes if text is not None))


def log_in_on_page(
    uow: UnitOfWork, deps: Dependencies, lesson: Lesson, user: User, account: str
) -> str:
    """Log a viewer in by an account on the page of a class, and return the ticket."""
    nickname = get_viewer_name(uow, lesson.school, user)
    viewer_messages.emit_login(uow, lesson, account, nickname)
    return log_in(uow, deps, lesson.school, user)


def log_in(uow: UnitOfWork, deps: Dependencies, school: SchoolId, user: User) -> str:
    """Begin a session and return its ticket; the caller has checked the password."""
    until = uow.now + TICKET_SECONDS
    ticket = Ticket(
        kind=ViewerKind.USER,
        subject=str(user.id),
        name=get_viewer_name(uow, school, user),
        school=school,
        expires_at=until,
        session=uow.sessions.add(school, user.id, uow.now, until),
    )
    return sign_ticket(ticket, deps.ticket_key)


def get_viewer_name(uow: UnitOfWork, school: SchoolId, user: User) -> str:
    """Return how the school calls a user, as far as that is not their account; else the UID."""
    if uow.accounts.is_registered_by(user.id, school):
        name: str | None = user.nickname
    else:
        name = uow.school_accounts.get_list_name(school, user.id)
    return str(user.id) if name in (None, user.telephone, user.email) else name


def has_session(deps: Dependencies, text: str) -> bool:
    """Tell whether a text is a signed ticket with a session; reads no database."""
    try:
        # An expired one is ended as well: that does no harm.
        return verify_ticket(text, deps.ticket_key, now=0).session is not None
    except OperatorError:
        return False


def log_out(uow: UnitOfWork, deps: Dependencies, text: str) -> None:
    """End the session of a ticket, if it has one."""
    try:
        ticket = verify_ticket(text, deps.ticket_key, uow.now)
    except OperatorError:
        return
    if ticket.session is not None:
        uow.sessions.end(ticket.session, uow.now)
