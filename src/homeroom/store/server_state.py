"""Values that the server keeps for itself by name.

They are the key that signs the URLs of clips, the offset of the sandbox's clock, the last moment of
a trusted clock, and the ids of the demo school.
"""

from sqlalchemy import bindparam, func, select, union_all

from homeroom.base.clock import Moment
from homeroom.store.engine import Transaction
from homeroom.store.statement import Statement
from homeroom.store.tables import (
    chat_entries,
    clips,
    lessons,
    pushes,
    schools,
    server_state,
    sessions,
    viewers,
)

_GET = Statement(select(server_state.c.value).where(server_state.c.name == bindparam("state_name")))
_SAVE = Statement(
    lambda insert: (
        insert(server_state)
        .values(name=bindparam("state_name"), value=bindparam("state_value"))
        .on_conflict_do_update(index_elements=["name"], set_={"value": bindparam("state_value")})
    )
)
_ADD = Statement(
    lambda insert: (
        insert(server_state)
        .values(name=bindparam("state_name"), value=bindparam("state_value"))
        .on_conflict_do_nothing()
    )
)
_newest_moments = union_all(
    *(
        select(func.max(column).label("moment"))
        for column in (
            schools.c.created_at,
            lessons.c.created_at,
            clips.c.created_at,
            pushes.c.started_at,
            sessions.c.created_at,
            viewers.c.last_seen_at,
            chat_entries.c.sent_at,
        )
    )
).subquery("newest_moments")
_FIND_NEWEST_MOMENT = Statement(select(func.max(_newest_moments.c.moment)))


class ServerState:
    """Repository of the server's own values."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def get(self, name: str) -> str | None:
        """Return the value of a name, or None."""
        rows = self._tx.fetch_all(_GET, {"state_name": name})
        return rows[0][0] if rows else None

    def get_or_add(self, name: str, value: str) -> str:
        """Return the value of a name; add the new value first if the name has none.

        If two servers start at the same time, both return the value that was added first.
        """
        existing = self.get(name)
        if existing is None:
            self._tx.execute(_ADD, {"state_name": name, "state_value": value})
            existing = self.get(name)
        return existing if existing is not None else value

    def save(self, name: str, value: str) -> None:
        """Set the value of a name."""
        self._tx.execute(_SAVE, {"state_name": name, "state_value": value})

    def find_newest_moment(self) -> Moment | None:
        """Return when the newest row was written, or None; it may read whole tables."""
        moment: Moment | None = self._tx.fetch_all(_FIND_NEWEST_MOMENT, {})[0][0]
        return moment
