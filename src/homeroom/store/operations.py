"""What only an operator sees: maintenance windows, tokens, and what the server keeps for itself."""

from dataclasses import dataclass

from sqlalchemy import bindparam, delete, insert, select, update

from homeroom.base.clock import Moment
from homeroom.base.ids import SchoolId, TokenId, WindowId
from homeroom.store.engine import Transaction
from homeroom.store.statement import Statement
from homeroom.store.tables import maintenance, server_state, tokens

_ADD_WINDOW = Statement(
    insert(maintenance)
    .values(
        begins_at=bindparam("begins"), ends_at=bindparam("ends"), blocks=bindparam("blocks_calls")
    )
    .returning(maintenance.c.id)
)
_WINDOWS = Statement(
    select(maintenance.c.id, maintenance.c.begins_at, maintenance.c.ends_at, maintenance.c.blocks)
    .order_by(maintenance.c.begins_at, maintenance.c.id)
    .limit(1000)
)
_REMOVE_WINDOW = Statement(delete(maintenance).where(maintenance.c.id == bindparam("window")))
_ADD_TOKEN = Statement(
    insert(tokens)
    .values({column: bindparam(column.name) for column in tokens.c if column.name != "id"})
    .returning(tokens.c.id)
)
_TOKENS = Statement(
    select(tokens.c.id, tokens.c.school_id, tokens.c.name, tokens.c.created_at, tokens.c.revoked_at)
    .order_by(tokens.c.id)
    .limit(1000)
)
_TOKEN = Statement(
    select(
        tokens.c.id, tokens.c.school_id, tokens.c.name, tokens.c.created_at, tokens.c.revoked_at
    ).where(tokens.c.fingerprint == bindparam("print"))
)
_REVOKE = Statement(
    update(tokens)
    .where(tokens.c.id == bindparam("token"), tokens.c.revoked_at.is_(None))
    .values(revoked_at=bindparam("moment"))
)
_KEPT = Statement(select(server_state.c.value).where(server_state.c.name == bindparam("kept_name")))
_KEEP = Statement(
    lambda insert: (
        insert(server_state)
        .values(name=bindparam("kept_name"), value=bindparam("kept_value"))
        .on_conflict_do_update(index_elements=["name"], set_={"value": bindparam("kept_value")})
    )
)
_KEEP_NEW = Statement(
    lambda insert: (
        insert(server_state)
        .values(name=bindparam("kept_name"), value=bindparam("kept_value"))
        .on_conflict_do_nothing()
    )
)


@dataclass(frozen=True, slots=True)
class Window:
    """A maintenance window; one that blocks also closes the partner API (errno 901)."""

    id: WindowId
    begin: Moment
    end: Moment
    blocks: bool


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token of one school, or of the operator when it has none."""

    id: TokenId
    school: SchoolId | None
    name: str
    created_at: Moment
    revoked_at: Moment | None


class Operations:
    """The operator's own rows in one transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def add_window(self, begin: Moment, end: Moment, *, blocks: bool) -> WindowId:
        """Write a maintenance window and return its id."""
        values = {"begins": begin, "ends": end, "blocks_calls": int(blocks)}
        return WindowId(self._tx.fetch_all(_ADD_WINDOW, values)[0][0])

    def windows(self) -> list[Window]:
        """Return the maintenance windows, the first thousand."""
        return [
            Window(WindowId(number), begin, end, bool(blocks))
            for number, begin, end, blocks in self._tx.fetch_all(_WINDOWS, {})
        ]

    def remove_window(self, window: WindowId) -> bool:
        """Remove a maintenance window; tells whether there was one."""
        return self._tx.execute(_REMOVE_WINDOW, {"window": window}) > 0

    def add_token(
        self, school: SchoolId | None, name: str, fingerprint: str, now: Moment
    ) -> TokenId:
        """Write a token by its fingerprint and return its id."""
        values = {
            "school_id": school,
            "name": name,
            "fingerprint": fingerprint,
            "created_at": now,
            "revoked_at": None,
        }
        return TokenId(self._tx.fetch_all(_ADD_TOKEN, values)[0][0])

    def tokens(self) -> list[Token]:
        """Return the tokens, the first thousand."""
        return [Token(*row) for row in self._tx.fetch_all(_TOKENS, {})]

    def token(self, fingerprint: str) -> Token | None:
        """Return the token of a fingerprint that is not revoked, or none."""
        rows = self._tx.fetch_all(_TOKEN, {"print": fingerprint})
        token = Token(*rows[0]) if rows else None
        return token if token is not None and token.revoked_at is None else None

    def revoke(self, token: TokenId, now: Moment) -> bool:
        """Revoke a token; tells whether it was in force."""
        return self._tx.execute(_REVOKE, {"token": token, "moment": now}) > 0

    def kept(self, name: str) -> str | None:
        """Return what the server keeps under a name, or none."""
        rows = self._tx.fetch_all(_KEPT, {"kept_name": name})
        return rows[0][0] if rows else None

    def kept_or_new(self, name: str, value: str) -> str:
        """Return what is kept under a name, the new value where there was none.

        Of two servers that start at once, both return the value of the first.
        """
        known = self.kept(name)
        if known is None:
            self._tx.execute(_KEEP_NEW, {"kept_name": name, "kept_value": value})
            known = self.kept(name)
        return value if known is None else known

    def keep(self, name: str, value: str) -> None:
        """Keep something for the server itself."""
        self._tx.execute(_KEEP, {"kept_name": name, "kept_value": value})
