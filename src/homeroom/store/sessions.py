"""Who is logged in to the pages of a school, in the database."""

from collections.abc import Collection

import msgspec
from sqlalchemy import bindparam, delete, insert, select, update

from homeroom.base.clock import Moment
from homeroom.base.ids import SchoolId, SessionId, UserId
from homeroom.store.engine import Tx
from homeroom.store.statement import Rows, Statement
from homeroom.store.tables import sessions, users

_LOG_IN = Statement(
    insert(sessions)
    .values(
        school_id=bindparam("school"),
        user_id=bindparam("user"),
        created_at=bindparam("moment"),
        expires_at=bindparam("until"),
    )
    .returning(sessions.c.id)
)
_sessions = Rows("asked_sessions")
_LIVING = Statement(
    select(sessions.c.id)
    .select_from(sessions.join(users, users.c.id == sessions.c.user_id))
    .where(
        _sessions.hold(sessions.c.id),
        sessions.c.ended_at.is_(None),
        sessions.c.expires_at > bindparam("now"),
        users.c.cancelled_at.is_(None),
    )
)
_LOG_OUT = Statement(
    update(sessions)
    .where(sessions.c.id == bindparam("session"), sessions.c.ended_at.is_(None))
    .values(ended_at=bindparam("moment"))
)
_is_expired = sessions.c.expires_at <= bindparam("now")
_EXPIRED = Statement(select(sessions.c.school_id).where(_is_expired))
_SWEEP = Statement(delete(sessions).where(sessions.c.school_id == bindparam("school"), _is_expired))


class Sessions:
    """Sessions in one transaction."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    def log_in(self, school: SchoolId, user: UserId, now: Moment, until: Moment) -> SessionId:
        """Begin a session of a user on the pages of a school."""
        values = {"school": school, "user": user, "moment": now, "until": until}
        return SessionId(self._tx.all(_LOG_IN, values)[0][0])

    def living(self, asked: Collection[SessionId], now: Moment) -> set[SessionId]:
        """Return which of some sessions are neither ended nor of a cancelled account."""
        if not asked:
            return set()
        given = {"asked_sessions": msgspec.json.encode(list(asked)).decode(), "now": now}
        return {SessionId(row[0]) for row in self._tx.all(_LIVING, given)}

    def log_out(self, session: SessionId, now: Moment) -> None:
        """End a session."""
        self._tx.run(_LOG_OUT, {"session": session, "moment": now})

    def expired(self, now: Moment) -> set[SchoolId]:
        """Return the schools that have sessions which expired."""
        return {SchoolId(row[0]) for row in self._tx.all(_EXPIRED, {"now": now})}

    def sweep(self, school: SchoolId, now: Moment) -> int:
        """Remove the sessions of a school which expired; tells how many."""
        return self._tx.run(_SWEEP, {"school": school, "now": now})
