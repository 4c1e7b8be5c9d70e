"""Bearer tokens of the read-back API and of the operators' API.

The table holds a fingerprint of each token, never the token itself. A revoked token keeps its row.
"""

from collections.abc import Collection

from sqlalchemy import bindparam, insert, select, update

from homeroom.base.clock import Moment
from homeroom.base.ids import SchoolId, TokenId
from homeroom.domain.tokens import TokenScope
from homeroom.store.engine import Row, Transaction
from homeroom.store.records import Token
from homeroom.store.statement import Statement
from homeroom.store.tables import tokens

_COLUMNS = (
    tokens.c.id,
    tokens.c.school_id,
    tokens.c.name,
    tokens.c.created_at,
    tokens.c.revoked_at,
    tokens.c.scopes,
    tokens.c.expires_at,
)
_ADD = Statement(
    insert(tokens)
    .values({column: bindparam(column.name) for column in tokens.c if column.name != "id"})
    .returning(tokens.c.id)
)
_LIST_ALL = Statement(select(*_COLUMNS).order_by(tokens.c.id).limit(1000))
_FIND_BY_FINGERPRINT = Statement(
    select(*_COLUMNS).where(tokens.c.fingerprint == bindparam("print"))
)
_REVOKE = Statement(
    update(tokens)
    .where(tokens.c.id == bindparam("token"), tokens.c.revoked_at.is_(None))
    .values(revoked_at=bindparam("moment"))
)


class Tokens:
    """Repository of bearer tokens."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def add(
        self,
        school: SchoolId | None,
        name: str,
        fingerprint: str,
        now: Moment,
        scopes: Collection[TokenScope] = (TokenScope.READ,),
        expires_at: Moment | None = None,
    ) -> TokenId:
        """Add a token by its fingerprint and return its id."""
        values = {
            "school_id": school,
            "name": name,
            "fingerprint": fingerprint,
            "created_at": now,
            "revoked_at": None,
            "scopes": " ".join(scopes),
            "expires_at": expires_at,
        }
        return TokenId(self._tx.fetch_all(_ADD, values)[0][0])

    def list_all(self) -> list[Token]:
        """Return the tokens in order of their ids, at most 1,000, revoked ones too."""
        return [_read(row) for row in self._tx.fetch_all(_LIST_ALL, {})]

    def find_by_fingerprint(self, fingerprint: str) -> Token | None:
        """Return the token of a fingerprint, or None if it is missing or revoked."""
        rows = self._tx.fetch_all(_FIND_BY_FINGERPRINT, {"print": fingerprint})
        token = _read(rows[0]) if rows else None
        return token if token is not None and token.revoked_at is None else None

    def revoke(self, token: TokenId, now: Moment) -> bool:
        """Revoke a token; return False if it does not exist or is revoked already."""
        return self._tx.execute(_REVOKE, {"token": token, "moment": now}) > 0


def _read(row: Row) -> Token:
    number, school, name, created_at, revoked_at, scopes, expires_at = row
    rights = tuple(TokenScope(scope) for scope in scopes.split())
    return Token(number, school, name, created_at, revoked_at, rights, expires_at)
