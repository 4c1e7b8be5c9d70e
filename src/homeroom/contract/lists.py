"""Lists as they travel: JSON in the text of a form field, with the tolerance of READINGS Q3."""

import re
from typing import Any, Generic, TypeVar

import msgspec

from homeroom.base.values import Value
from homeroom.contract.params import (
    EmptyListError,
    InvalidValueError,
    ParamError,
    ParamListError,
    Params,
    ParamsReader,
    read_custom_column,
    read_id,
    read_text,
)

MAX_ENTRIES = 1000
MAX_DEPTH = 8

P = TypeVar("P", bound=Params)

# No backslash: an escape that JSON does not know must not pass for the letters it is spelled with.
_LOOSE_ITEM = re.compile(r"""'([^'"\\\[\]{}]*)'|"([^'"\\\[\]{}]*)"|([^\s'",\\\[\]{}]+)""")


def read_json_list(raw: object) -> list[Any]:
    """Read a JSON list out of a text; raises `ParamListError` if it is empty or no list."""
    values = _decode(raw) if isinstance(raw, str) else raw
    if not isinstance(values, list):
        raise ParamListError("", "must be a JSON list")
    if not values:
        raise EmptyListError("", "must not be an empty list")
    if len(values) > MAX_ENTRIES:
        raise InvalidValueError(f"must not have more than {MAX_ENTRIES} entries")
    _check_depth(values, MAX_DEPTH)
    return values


def _decode(raw: str) -> object:
    try:
        return msgspec.json.decode(raw)
    except RecursionError:
        raise InvalidValueError(f"must not nest deeper than {MAX_DEPTH} levels") from None
    except (msgspec.DecodeError, UnicodeError):
        return _decode_loosely(raw)


def _decode_loosely(raw: str) -> list[str]:
    """Decode `['1001', 1002]`, the form of the seeds' own sample (READINGS Q3)."""
    text = raw.strip()
    if not (text.startswith("[") and text.endswith("]")):
        raise ParamListError("", "must be a JSON list")
    inside = text[1:-1].strip().removesuffix(",")
    items = []
    for piece in inside.split(",") if inside else ():
        item = _LOOSE_ITEM.fullmatch(piece.strip())
        if item is None:
            raise ParamListError("", "must be a JSON list")
        items.append(next(part for part in item.groups() if part is not None))
    return items


def _check_depth(value: object, left: int) -> None:
    """Refuse nesting that no entry of the API has, and the NUL that no database keeps."""
    if isinstance(value, str):
        if "\0" in value:
            raise InvalidValueError("must not contain NUL")
        return
    children: list[Any]
    if isinstance(value, dict):
        children = [*value, *value.values()]
    elif isinstance(value, list):
        children = value
    else:
        return
    if left == 0:
        raise InvalidValueError(f"must not nest deeper than {MAX_DEPTH} levels")
    for child in children:
        _check_depth(child, left - 1)


class InvalidEntry(Value, frozen=True):
    """An invalid entry of a list; the other entries of the list still count."""

    raw: Any
    reason: str

    def get_value(self, *names: str) -> object:
        """Return what the entry holds under the first of some names, if it is an object."""
        if isinstance(self.raw, dict):
            return next((self.raw[name] for name in names if name in self.raw), None)
        return None

    @property
    def custom_column(self) -> str | None:
        """Return the caller's own tag, which comes back even so."""
        return read_custom_column(self.get_value("customColumn"))


class EntriesReader(Generic[P]):
    """Reads a list of objects; an invalid one makes the whole list invalid."""

    def __init__(self, of: type[P]) -> None:
        self.reader = ParamsReader(of)
        """The reader of one entry."""

    def __call__(self, raw: object) -> tuple[P | InvalidEntry, ...]:
        """Return the entries; raises `ParamError` for the first invalid one, with its place."""
        return tuple(
            self._read_at(place, entry) for place, entry in enumerate(read_json_list(raw), 1)
        )

    def _read_at(self, place: int, entry: object) -> P:
        try:
            return self._read(entry)
        except InvalidValueError as error:
            raise ParamError(f"[{place}]", str(error)) from None
        except ParamError as error:
            raise ParamError(f"[{place}].{error.name}", error.reason) from None

    def _read(self, entry: object) -> P:
        return self.reader.read(read_object(entry, self.reader))


class SeparateEntriesReader(EntriesReader[P]):
    """Reads a list of objects in which each entry is checked separately."""

    def __call__(self, raw: object) -> tuple[P | InvalidEntry, ...]:
        """Return the entries, and an `InvalidEntry` in the place of each invalid one."""
        return tuple(map(self._try_read, read_json_list(raw)))

    def _try_read(self, entry: object) -> P | InvalidEntry:
        try:
            return self._read(entry)
        except (ParamError, InvalidValueError) as error:
            return InvalidEntry(entry, str(error))


class FirstEntries(tuple[Any, ...]):  # noqa: SLOT001  a tuple can have no slots
    """The first entries of a list, and how many more there were."""

    dropped: int = 0


class FirstEntriesReader(SeparateEntriesReader[P]):
    """Reads the first objects of a list, of which each is checked separately."""

    def __init__(self, of: type[P], limit: int) -> None:
        super().__init__(of)
        self._limit = limit

    def __call__(self, raw: object) -> FirstEntries:
        """Return the first entries; the others are not even read."""
        values = read_json_list(raw)
        entries = FirstEntries(map(self._try_read, values[: self._limit]))
        entries.dropped = len(values) - len(entries)
        return entries


def find_entry_lists(reader: ParamsReader[Any]) -> dict[tuple[str, ...], ParamsReader[Any]]:
    """Return the lists of objects among parameters: their names, and the reader of an entry."""
    return {
        field.names: field.param.read.reader
        for field in reader.fields
        if isinstance(field.param.read, EntriesReader)
    }


def read_object(entry: object, reader: ParamsReader[Any]) -> dict[str, Any]:
    """Read an object of a list; most blanks around its names and texts do not count."""
    if not isinstance(entry, dict):
        raise InvalidValueError("must be an object")
    return {
        name.strip(): value.strip()
        if isinstance(value, str) and name not in reader.names_with_blanks
        else value
        for name, value in entry.items()
    }


def read_ids(raw: object) -> tuple[int, ...]:
    """Read a list of ids; an empty list is allowed."""
    try:
        return tuple(map(read_id, read_json_list(raw)))
    except EmptyListError:
        return ()
    except ParamListError as error:
        raise InvalidValueError(error.reason) from None


def read_all_ids(raw: object) -> tuple[int, ...]:
    """Read a list of ids that has at least one; the first invalid one is named by its place."""
    ids = []
    for place, value in enumerate(read_json_list(raw), 1):
        try:
            ids.append(read_id(value))
        except InvalidValueError as error:
            raise InvalidValueError(f"entry {place} {error}") from None
    return tuple(ids)


def read_ids_separately(raw: object) -> tuple[int | InvalidEntry, ...]:
    """Read a list of ids, each checked separately."""

    def read_entry(entry: object) -> int | InvalidEntry:
        try:
            return read_id(entry.strip() if isinstance(entry, str) else entry)
        except InvalidValueError as error:
            return InvalidEntry(entry, str(error))

    return tuple(map(read_entry, read_json_list(raw)))


def read_texts_separately(raw: object) -> tuple[str | InvalidEntry, ...]:
    """Read a list of texts, each checked separately."""

    def read_entry(entry: object) -> str | InvalidEntry:
        try:
            return read_text(entry)
        except InvalidValueError as error:
            return InvalidEntry(entry, str(error))

    return tuple(map(read_entry, read_json_list(raw)))
