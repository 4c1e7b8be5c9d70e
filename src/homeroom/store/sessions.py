"""Login sessions on the public pages of a school."""

from collections.abc import Collection

import msgspec
from sqlalchemy import bindparam, delete, insert, select, update

from homeroom.base.clock import Moment
from homeroom.base.ids import SchoolId, SessionId, UserId
from homeroom.store.engine import Transaction
from homeroom.store.statement import ListParameter, Statement
from homeroom.store.tables import sessions, users

_ADD = Statement(
    insert(sessions)
    .values(
        school_id=bindparam("school"),
        user_id=bindparam("user"),
        created_at=bindparam("moment"),
        expires_at=bindparam("until"),
    )
    .returning(sessions.c.id)
)
_session_ids = ListParameter("session_ids")
_FIND_ACTIVE = Statement(
    select(sessions.c.id)
    .select_from(sessions.join(users, users.c.id == sessions.c.user_id))
    .where(
        _session_ids.contains(sessions.c.id),
        sessions.c.ended_at.is_(None),
        sessions.c.expires_at > bindparam("now"),
        users.c.cancelled_at.is_(None),
    )
)
_END = Statement(
    update(sessions)
    .where(sessions.c.id == bindparam("session"), sessions.c.ended_at.is_(None))
    .values(ended_at=bindparam("moment"))
)
_END_OF_USER = Statement(
    update(sessions)
    .where(sessions.c.user_id == bindparam("user"), sessions.c.ended_at.is_(None))
    .values(ended_at=bindparam("moment"))
)
_END_OF_USER_AT_SCHOOL = Statement(
    update(sessions)
    .where(
        sessions.c.user_id == bindparam("user"),
        sessions.c.school_id == bindparam("school"),
        sessions.c.ended_at.is_(None),
    )
    .values(ended_at=bindparam("moment"))
)
_is_expired = sessions.c.expires_at <= bindparam("now")
_LIST_SCHOOLS_TO_PURGE = Statement(select(sessions.c.school_id).where(_is_expired))
_PURGE = Statement(
    delete(sessions)
    .where(sessions.c.school_id == bindparam("school"), _is_expired)
    .returning(sessions.c.id)
)


class Sessions:
    """Repository of login sessions."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def add(self, school: SchoolId, user: UserId, now: Moment, until: Moment) -> SessionId:
        """Add a session of a user on the pages of a school; it expires at `until`."""
        values = {"school": school, "user": user, "moment": now, "until": until}
        return SessionId(self._tx.fetch_all(_ADD, values)[0][0])

    def find_active(self, session_ids: Collection[SessionId], now: Moment) -> set[SessionId]:
        """Return the active ones of some sessions: not ended or expired, account not cancelled."""
        if not session_ids:
            return set()
        values = {"session_ids": msgspec.json.encode(list(session_ids)).decode(), "now": now}
        return {SessionId(row[0]) for row in self._tx.fetch_all(_FIND_ACTIVE, values)}

    def end(self, session: SessionId, now: Moment) -> None:
        """End a session (log out)."""
        self._tx.execute(_END, {"session": session, "moment": now})

    def end_of_user(self, user: UserId, school: SchoolId | None, now: Moment) -> None:
        """End the sessions of a user on the pages of a school, or of all schools."""
        values = {"user": user, "moment": now}
        if school is None:
            self._tx.execute(_END_OF_USER, values)
        else:
            self._tx.execute(_END_OF_USER_AT_SCHOOL, {**values, "school": school})

    def list_schools_to_purge(self, now: Moment) -> set[SchoolId]:
        """Return the schools that have expired sessions."""
        return {
            SchoolId(row[0]) for row in self._tx.fetch_all(_LIST_SCHOOLS_TO_PURGE, {"now": now})
        }

    def purge(self, school: SchoolId, now: Moment) -> list[int]:
        """Remove, for good, the expired sessions of a school; return their ids."""
        return [row[0] for row in self._tx.fetch_all(_PURGE, {"school": school, "now": now})]
