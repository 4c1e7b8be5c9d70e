"""Logins of viewers: find the account, begin a session and end it."""

from homeroom.base.ids import SchoolId
from homeroom.domain.accounts import User
from homeroom.domain.refusal import OperatorError
from homeroom.domain.viewers import TICKET_SECONDS, Ticket, ViewerKind, sign_ticket, verify_ticket
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases.dependencies import Dependencies


def find_account(uow: UnitOfWork, account: str) -> tuple[User, str] | None:
    """Return the user of a telephone number or e-mail address, and the hash of their password."""
    if "\0" in account:  # which PostgreSQL does not take
        return None
    name = account.lower() if "@" in account else account
    return uow.accounts.find_with_password_hash(name)


def log_in(uow: UnitOfWork, deps: Dependencies, school: SchoolId, user: User) -> str:
    """Begin a session and return its ticket; the caller has checked the password."""
    until = uow.now + TICKET_SECONDS
    ticket = Ticket(
        kind=ViewerKind.USER,
        subject=str(user.id),
        # The nickname of a user without a name is their account, which is private.
        name=str(user.id) if user.nickname in (user.telephone, user.email) else user.nickname,
        school=school,
        expires_at=until,
        session=uow.sessions.add(school, user.id, uow.now, until),
    )
    return sign_ticket(ticket, deps.ticket_key)


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
