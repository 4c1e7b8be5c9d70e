"""Endpoints of schools: where their messages are sent."""

from typing import Any

import msgspec
from sqlalchemy import bindparam, delete, insert, select, update

from homeroom.base.clock import Moment
from homeroom.base.ids import EndpointId, SchoolId
from homeroom.domain.endpoints import Endpoint, EndpointState
from homeroom.store.cipher import Keyring
from homeroom.store.engine import Row, Transaction
from homeroom.store.server_keys import encrypt
from homeroom.store.statement import Statement
from homeroom.store.tables import attempts, deliveries, endpoints, lanes, messages

MAX_LISTED = 1000
_COLUMNS = tuple(endpoints.c[name] for name in Endpoint.__struct_fields__ if name != "school")
_GET = Statement(
    select(endpoints.c.school_id, *_COLUMNS).where(endpoints.c.id == bindparam("endpoint"))
)
_LIST = Statement(
    select(endpoints.c.school_id, *_COLUMNS)
    .where(endpoints.c.school_id == bindparam("school"))
    .order_by(endpoints.c.id)
    .limit(MAX_LISTED)
)
_LIST_ALL = Statement(
    select(endpoints.c.school_id, *_COLUMNS).order_by(endpoints.c.id).limit(MAX_LISTED)
)
_ADD = Statement(
    insert(endpoints)
    .values(
        {
            column: bindparam(column.name)
            for column in endpoints.c
            if column.name not in {"id", "alarmed_at"}
        }
    )
    .returning(endpoints.c.id)
)
_SAVE = Statement(
    update(endpoints)
    .where(endpoints.c.id == bindparam("endpoint"))
    .values(
        {
            column: bindparam(f"new_{column.name}")
            for column in endpoints.c
            if column.name not in {"id", "school_id", "created_at", "alarmed_at"}
        }
    )
)
_MAX_MESSAGE = Statement(
    select(messages.c.id)
    .where(messages.c.school_id == bindparam("school"), messages.c.id > 0)
    .order_by(messages.c.id.desc())
    .limit(1)
)
_REMOVE = tuple(
    Statement(delete(table).where(table.c.endpoint_id == bindparam("endpoint")))
    for table in (attempts, deliveries, lanes)
)
_DELETE = Statement(delete(endpoints).where(endpoints.c.id == bindparam("endpoint")))
_NOTE_SUCCESS = Statement(
    update(endpoints)
    .where(endpoints.c.id == bindparam("endpoint"))
    .values(last_success_at=bindparam("moment"))
)
_SET_STATE = Statement(
    update(endpoints)
    .where(endpoints.c.id == bindparam("endpoint"))
    .values(state=bindparam("new_state"), state_reason=bindparam("reason"))
)


def place_of_secret(endpoint: EndpointId, name: str) -> str:
    """Return the place of a secret of an endpoint, to which its encryption is bound."""
    return f"endpoints/{endpoint}/{name}"


class Endpoints:
    """Repository of endpoints."""

    def __init__(self, tx: Transaction, keyring: Keyring) -> None:
        self._tx = tx
        self._keyring = keyring

    def add(self, endpoint: Endpoint) -> EndpointId:
        """Add an endpoint and return its id."""
        values = self._to_values(endpoint, endpoint.id) | {
            "school_id": endpoint.school,
            "created_at": endpoint.created_at,
            "secret": None,
            "former_secret": None,
        }
        number = EndpointId(self._tx.fetch_all(_ADD, values)[0][0])
        # The encryption of a secret is bound to the id of its row.
        self.save(msgspec.structs.replace(endpoint, id=number))
        return number

    def save(self, endpoint: Endpoint) -> None:
        """Save all that can change of an endpoint."""
        values = self._to_values(endpoint, endpoint.id)
        self._tx.execute(
            _SAVE,
            {"endpoint": endpoint.id} | {f"new_{name}": value for name, value in values.items()},
        )

    def get(self, endpoint: EndpointId) -> Endpoint | None:
        """Return an endpoint, or None."""
        rows = self._tx.fetch_all(_GET, {"endpoint": endpoint})
        return self._read(rows[0]) if rows else None

    def list_of_school(self, school: SchoolId) -> list[Endpoint]:
        """Return the endpoints of a school in order of their ids, at most 1,000."""
        return [self._read(row) for row in self._tx.fetch_all(_LIST, {"school": school})]

    def list_all(self) -> list[Endpoint]:
        """Return the endpoints of all schools in order of their ids, at most 1,000."""
        return [self._read(row) for row in self._tx.fetch_all(_LIST_ALL, {})]

    def find_newest_message(self, school: SchoolId) -> int:
        """Return the greatest id of a message of a school, 0 without one."""
        rows = self._tx.fetch_all(_MAX_MESSAGE, {"school": school})
        return int(rows[0][0]) if rows else 0

    def set_state(self, endpoint: EndpointId, state: EndpointState, reason: str | None) -> None:
        """Change the state of an endpoint."""
        values = {"endpoint": endpoint, "new_state": state.value, "reason": reason}
        self._tx.execute(_SET_STATE, values)

    def note_success(self, endpoint: EndpointId, moment: Moment) -> None:
        """Save when a message was acknowledged last."""
        self._tx.execute(_NOTE_SUCCESS, {"endpoint": endpoint, "moment": moment})

    def remove(self, endpoint: EndpointId) -> None:
        """Delete an endpoint with all that waits for it, and its log."""
        for statement in (*_REMOVE, _DELETE):
            self._tx.execute(statement, {"endpoint": endpoint})

    def _to_values(self, endpoint: Endpoint, number: EndpointId) -> dict[str, Any]:
        return {
            "url": endpoint.url,
            "new_url": endpoint.new_url,
            "format": endpoint.format.value,
            "ordering": endpoint.ordering.value,
            "kinds": _encode(endpoint.kinds) if endpoint.kinds is not None else None,
            "state": endpoint.state.value,
            "state_reason": endpoint.state_reason,
            "secret": self._encrypt(endpoint.secret, number, "secret"),
            "former_secret": self._encrypt(endpoint.former_secret, number, "former_secret"),
            "former_until": endpoint.former_until,
            "timeout_seconds": endpoint.timeout_seconds,
            "alert_addresses": _encode(endpoint.alert_addresses),
            "start_after_id": endpoint.start_after_id,
            "activated_at": endpoint.activated_at,
            "last_success_at": endpoint.last_success_at,
        }

    def _encrypt(self, text: str | None, number: EndpointId, name: str) -> str | None:
        return text and encrypt(self._tx, self._keyring, text, place_of_secret(number, name))

    def _read(self, row: Row) -> Endpoint:
        school, *values = row
        names = (name for name in Endpoint.__struct_fields__ if name != "school")
        fields = dict(zip(names, values, strict=True)) | {"school": school}
        for name in ("kinds", "alert_addresses"):
            if fields[name] is not None:
                fields[name] = msgspec.json.decode(fields[name])
        for name in ("secret", "former_secret"):
            if fields[name] is not None:
                place = place_of_secret(fields["id"], name)
                fields[name] = self._keyring.decrypt(fields[name], place)
        return msgspec.convert(fields, Endpoint)


def _encode(texts: tuple[str, ...]) -> str:
    return msgspec.json.encode(texts).decode()
