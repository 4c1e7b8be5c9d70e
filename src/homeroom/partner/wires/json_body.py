"""JSON bodies of the v2 wire: the values of the parameters, and the text that was signed."""

from typing import Any

import msgspec

from homeroom.base.errors import HomeroomError
from homeroom.base.values import Value
from homeroom.partner.signatures import Scalar, read_scalars

MAX_JSON_BYTES = 1024 * 1024
MAX_MEMBERS = 1000
"""Members of the object; no action has a twentieth of them, and each one costs a signature time."""


class JSONBodyError(HomeroomError):
    """A body is no JSON object; the message is for the client."""


class JSONBody(Value, frozen=True):
    """An object; of a key sent twice the last member counts (READINGS Q75)."""

    values: dict[str, Any]
    """The members as parameters: whole numbers are integers (READINGS Q77)."""
    scalars: dict[str, Scalar]
    """The members that may be signed, as they were written."""


def read_json_body(body: bytes) -> JSONBody:
    """Read a body; raises `JSONBodyError`."""
    try:
        members = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
        if len(members) > MAX_MEMBERS:
            raise JSONBodyError(f"the object must not have more than {MAX_MEMBERS} members")
        values = {name: _simplify(msgspec.json.decode(raw)) for name, raw in members.items()}
        return JSONBody(values, read_scalars(members))
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise JSONBodyError("the body must be a JSON object in UTF-8") from None
    except RecursionError:
        raise JSONBodyError("the body nests too deep") from None


def _simplify(value: Any) -> Any:  # noqa: ANN401  any JSON value
    """Return a value in which 12.0 is 12."""
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    if isinstance(value, list):
        return [_simplify(item) for item in value]
    if isinstance(value, dict):
        return {name: _simplify(item) for name, item in value.items()}
    return value
