"""Lists as they travel: JSON in the text of a form field, with the tolerance of READINGS Q3."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from homeroom.contract.wire import (
    CUSTOM_COLUMN_LENGTH,
    BadList,
    BadParam,
    Reader,
    Unreadable,
    Wire,
    ident,
    text,
)

MAX_ENTRIES = 1000
MAX_DEPTH = 8

P = TypeVar("P", bound=Wire)

# No backslash: an escape that JSON does not know must not pass for the letters it is spelled with.
_LOOSE_ITEM = re.compile(r"""'([^'"\\\[\]{}]*)'|"([^'"\\\[\]{}]*)"|([^\s'",\\\[\]{}]+)""")


def json_list(raw: object) -> list[Any]:
    """Read a JSON list out of a text; raises `BadList` when it is empty or is not one."""
    values = _decoded(raw) if isinstance(raw, str) else raw
    if not isinstance(values, list):
        raise BadList("", "must be a JSON list")
    if not values:
        raise BadList("", "must not be an empty list")
    if len(values) > MAX_ENTRIES:
        raise Unreadable(f"must not have more than {MAX_ENTRIES} entries")
    _check_depth(values, MAX_DEPTH)
    return values


def _decoded(raw: str) -> object:
    try:
        return msgspec.json.decode(raw)
    except RecursionError:
        raise Unreadable(f"must not nest deeper than {MAX_DEPTH} levels") from None
    except (msgspec.DecodeError, UnicodeError):
        return _loosely_decoded(raw)


def _loosely_decoded(raw: str) -> list[str]:
    """Decode `['1001', 1002]`, the form of the seeds' own sample (READINGS Q3)."""
    given = raw.strip()
    if not (given.startswith("[") and given.endswith("]")):
        raise BadList("", "must be a JSON list")
    inside = given[1:-1].strip().removesuffix(",")
    items = []
    for piece in inside.split(",") if inside else ():
        item = _LOOSE_ITEM.fullmatch(piece.strip())
        if item is None:
            raise BadList("", "must be a JSON list")
        items.append(next(part for part in item.groups() if part is not None))
    return items


def _check_depth(value: object, left: int) -> None:
    """Refuse nesting that no entry of the API has, and the NUL that no database keeps."""
    if isinstance(value, str):
        if "\0" in value:
            raise Unreadable("must not contain NUL")
        return
    children: Sequence[object]
    if isinstance(value, dict):
        children = [*value, *value.values()]
    elif isinstance(value, list):
        children = value
    else:
        return
    if left == 0:
        raise Unreadable(f"must not nest deeper than {MAX_DEPTH} levels")
    for child in children:
        _check_depth(child, left - 1)


@dataclass(frozen=True, slots=True)
class BadEntry:
    """An entry of a list that is not in order, kept because the others of the list still count."""

    raw: Any
    why: str

    def value(self, *names: str) -> object:
        """Return what the entry holds under the first of some names, if it is an object."""
        if isinstance(self.raw, dict):
            return next((self.raw[name] for name in names if name in self.raw), None)
        return None

    @property
    def custom_column(self) -> str | None:
        """Return the caller's own tag, which comes back even so."""
        value = self.value("customColumn")
        is_tag = isinstance(value, str) or type(value) is int
        return str(value)[:CUSTOM_COLUMN_LENGTH] or None if is_tag else None


def entries(of: type[P]) -> Callable[[object], tuple[P, ...]]:
    """Return a reader of a list of objects; one that is not in order spoils the whole list."""
    reader = Reader(of)

    def read(raw: object) -> tuple[P, ...]:
        return tuple(reader.read(_object(entry)) for entry in json_list(raw))

    return read


def entries_each(of: type[P]) -> Callable[[object], tuple[P | BadEntry, ...]]:
    """Return a reader of a list of objects in which each entry is judged alone."""
    reader = Reader(of)

    def one(entry: object) -> P | BadEntry:
        try:
            return reader.read(_object(entry))
        except (BadParam, Unreadable) as error:
            return BadEntry(entry, str(error))

    def read(raw: object) -> tuple[P | BadEntry, ...]:
        return tuple(map(one, json_list(raw)))

    return read


def _object(entry: object) -> dict[str, Any]:
    if not isinstance(entry, dict):
        raise Unreadable("must be a list of objects")
    return {
        name.strip(): value.strip() if isinstance(value, str) else value
        for name, value in entry.items()
    }


def idents(raw: object) -> tuple[int, ...]:
    """Read a list of ids; an empty list is allowed."""
    try:
        return tuple(map(ident, json_list(raw)))
    except BadList as error:
        if "empty" in error.why:
            return ()
        raise Unreadable(error.why) from None


def idents_each(raw: object) -> tuple[int | BadEntry, ...]:
    """Read a list of ids in which each is judged alone."""

    def one(entry: object) -> int | BadEntry:
        try:
            return ident(entry.strip() if isinstance(entry, str) else entry)
        except Unreadable as error:
            return BadEntry(entry, str(error))

    return tuple(map(one, json_list(raw)))


def texts_each(raw: object) -> tuple[str | BadEntry, ...]:
    """Read a list of texts in which each is judged alone."""

    def one(entry: object) -> str | BadEntry:
        try:
            return text(entry)
        except Unreadable as error:
            return BadEntry(entry, str(error))

    return tuple(map(one, json_list(raw)))
