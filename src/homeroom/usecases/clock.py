"""The moments by which a server and the doctor judge the clock of the machine."""

from homeroom.base.clock import Moment
from homeroom.store.unit_of_work import UnitOfWork

WRITTEN_KEY = "clock_written_at"
"""The last moment at which a server with a trusted clock ran."""
ACCEPTED_KEY = "clock_accepted_at"
"""The moment at which an operator last accepted the clock."""


def get_written_at(uow: UnitOfWork) -> Moment | None:
    """Return the last moment that was written by a trusted clock, or None in a new database.

    A database of an earlier version has no such moment: then its newest row counts.
    """
    text = uow.server_state.get(WRITTEN_KEY)
    return int(text) if text is not None else uow.server_state.find_newest_moment()


def get_accepted_at(uow: UnitOfWork) -> Moment | None:
    """Return the moment that an operator accepted last, or None."""
    text = uow.server_state.get(ACCEPTED_KEY)
    return int(text) if text is not None else None


def save_written_at(uow: UnitOfWork, moment: Moment) -> None:
    """Save the present moment of a trusted clock."""
    uow.server_state.save(WRITTEN_KEY, str(moment))


def accept(uow: UnitOfWork, moment: Moment) -> None:
    """Accept a moment as the present one, for servers that run and for the next start."""
    uow.server_state.save(ACCEPTED_KEY, str(moment))
    save_written_at(uow, moment)
