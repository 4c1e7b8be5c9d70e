"""What travels: typed parameters, read from the texts of a form or the values of a JSON list.

The tolerance is the API's own and is written down once here: digits for numbers, `0/1/""` for
flags, an empty optional is an absent one, over-long text is cut, lists may be quoted with single
quotes (READINGS Q3).
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar, get_origin, get_type_hints

import msgspec

MAX_ENTRIES = 1000
MAX_DEPTH = 8
MAX_DIGITS = 18
"""Numbers of more digits than this fit no 64-bit column and are malformed."""


class BadParam(Exception):
    """A parameter that is missing or malformed: its wire name, and what was expected."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"{name}: {why}")
        self.name = name
        self.why = why


class BadList(BadParam):
    """A list that is empty or cannot be decoded: errno 155 where the action knows it."""


class _Unreadable(ValueError):
    """A value that is not of its kind; the message says what was expected."""


@dataclass(frozen=True, slots=True)
class Param:
    """How one parameter is read: from which spellings, by which rule, and in which words."""

    read: Callable[[Any], Any]
    words: str
    names: tuple[str, ...] = ()
    keeps_empty: bool = False
    """An empty value reaches `read` instead of standing for an absent one."""
    is_spelling: bool = False
    """The value is the spelling the caller used, not what it stood for."""

    def named(self, *names: str) -> "Param":
        """Return the same rule under other wire names; the first is the one in the docs."""
        return Param(self.read, self.words, names, self.keeps_empty, self.is_spelling)


class Wire(msgspec.Struct, frozen=True, kw_only=True):
    """A set of parameters."""

    def check(self) -> None:
        """Refuse combinations that no single parameter shows; raises `BadParam`."""


def camel(name: str) -> str:
    """Spell a Python name as the wire does: `class_name` is `className`."""
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)


P = TypeVar("P", bound=Wire)


@dataclass(frozen=True, slots=True)
class Slot:
    """One parameter of a set: where it goes, how it is read, whether it must be there."""

    attribute: str
    param: Param
    names: tuple[str, ...]
    required: bool
    default: object


class Reader(Generic[P]):
    """Reads one kind of parameter set; built once, used for every request."""

    def __init__(self, params: type[P]) -> None:
        self.params = params
        self.slots = tuple(_slots(params))

    def read(self, given: Mapping[str, Any]) -> P:
        """Return the typed parameters; raises `BadParam` for the first that is not in order."""
        values: dict[str, Any] = {}
        for slot in self.slots:
            for name in slot.names:
                raw = given.get(name)
                if raw is None or (raw == "" and not slot.param.keeps_empty):
                    continue
                if slot.param.is_spelling:
                    values[slot.attribute] = name
                    break
                try:
                    values[slot.attribute] = slot.param.read(raw)
                except _Unreadable as error:
                    raise BadParam(name, str(error)) from None
                except BadList as error:
                    raise BadList(name, error.why) from None
                except BadParam as error:
                    raise BadParam(f"{name}.{error.name}", error.why) from None
                break
            else:
                if slot.required:
                    raise BadParam(slot.names[0], "is missing or empty")
        params = self.params(**values)
        params.check()
        return params


def _slots(params: type[Wire]) -> list[Slot]:
    hints = get_type_hints(params, include_extras=True)
    slots = []
    for field in msgspec.structs.fields(params):
        hint = hints[field.name]
        if get_origin(hint) is not Annotated:
            message = f"{params.__name__}.{field.name} does not say how it is read"
            raise TypeError(message)
        param = next(extra for extra in hint.__metadata__ if isinstance(extra, Param))
        names = param.names or (camel(field.name),)
        slots.append(Slot(field.name, param, names, field.required, field.default))
    return slots


# --- the rules by which single values are read ---------------------------------------------


def whole(raw: object) -> int:
    """Read a whole number, negative ones too."""
    if type(raw) is int and abs(raw) < 10**MAX_DIGITS:
        return raw
    if isinstance(raw, str):
        text = raw.removeprefix("-")
        if text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS:
            return int(raw)
    raise _Unreadable("must be a whole number")


def ident(raw: object) -> int:
    """Read an id: a whole number above zero."""
    number = whole(raw)
    if number <= 0:
        raise _Unreadable("must be an id, a whole number above zero")
    return number


def optional_ident(raw: object) -> int | None:
    """Read an id that clients may send as 0 to mean none."""
    return None if whole(raw) == 0 else ident(raw)


def instant(raw: object) -> int:
    """Read seconds since 1970."""
    number = whole(raw)
    if number < 0:
        raise _Unreadable("must be seconds since 1970")
    return number


def flag(raw: object) -> bool:
    """Read a switch that only 1 turns on."""
    return raw in ("1", 1)


def loose_flag(raw: object) -> bool | None:
    """Read a switch whose bad values count as not sent."""
    return True if raw in ("1", 1) else False if raw in ("0", 0) else None


def strict_flag(raw: object) -> bool:
    """Read a switch that must be 0 or 1."""
    value = loose_flag(raw)
    if value is None:
        raise _Unreadable("must be 0 or 1")
    return value


def text(raw: object) -> str:
    """Read text; JSON numbers are taken as their digits, as clients send them."""
    if isinstance(raw, str):
        return raw.strip()
    if type(raw) is int:
        return str(raw)
    raise _Unreadable("must be text")


def cut(limit: int) -> Callable[[object], str]:
    """Return a reader of text that is cut at a number of characters, never refused for length."""

    def read(raw: object) -> str:
        return text(raw)[:limit]

    return read


def one_of(*allowed: int) -> Callable[[object], int]:
    """Return a reader of a number out of a few."""

    def read(raw: object) -> int:
        number = whole(raw)
        if number not in allowed:
            raise _Unreadable("must be one of " + ", ".join(map(str, allowed)))
        return number

    return read


def one_of_or(default: int, *allowed: int) -> Callable[[object], int]:
    """Return a reader of a number out of a few, for which anything else means the default."""

    def read(raw: object) -> int:
        try:
            number = whole(raw)
        except _Unreadable:
            return default
        return number if number in allowed else default

    return read


def sized(low: int, high: int) -> Callable[[object], str]:
    """Return a reader of text that must have a length between two numbers of characters."""

    def read(raw: object) -> str:
        value = text(raw)
        if not low <= len(value) <= high:
            raise _Unreadable(f"must have {low} to {high} characters")
        return value

    return read


_MD5 = re.compile(r"[0-9a-fA-F]{32}")


def md5_text(raw: object) -> str:
    """Read an md5 in hexadecimal; returned in lower case."""
    value = text(raw)
    if not _MD5.fullmatch(value):
        raise _Unreadable("must be an md5, 32 hexadecimal digits")
    return value.lower()


# --- lists ----------------------------------------------------------------------------------

_LOOSE_LIST = re.compile(r"\[\s*(.*?)\s*,?\s*\]", re.DOTALL)
_LOOSE_ITEM = re.compile(r"""'([^'"\[\]{}]*)'|"([^'"\[\]{}]*)"|([^\s'",\[\]{}]+)""")


def json_list(raw: object) -> list[Any]:
    """Read a JSON list out of a text; raises `BadList` when it is empty or is not one."""
    values = _decoded(raw) if isinstance(raw, str) else raw
    if not isinstance(values, list):
        raise BadList("", "must be a JSON list")
    if not values:
        raise BadList("", "must not be an empty list")
    if len(values) > MAX_ENTRIES:
        raise _Unreadable(f"must not have more than {MAX_ENTRIES} entries")
    _check_depth(values, MAX_DEPTH)
    return values


def _decoded(raw: str) -> object:
    try:
        return msgspec.json.decode(raw)
    except RecursionError:
        raise _Unreadable(f"must not nest deeper than {MAX_DEPTH} levels") from None
    except (msgspec.DecodeError, UnicodeError):
        return _loosely_decoded(raw)


def _loosely_decoded(raw: str) -> list[str]:
    """Decode `['1001', 1002]`, the form of the seeds' own sample (READINGS Q3)."""
    inside = _LOOSE_LIST.fullmatch(raw.strip())
    if inside is None:
        raise BadList("", "must be a JSON list")
    items = []
    for piece in inside[1].split(",") if inside[1] else ():
        item = _LOOSE_ITEM.fullmatch(piece.strip())
        if item is None:
            raise BadList("", "must be a JSON list")
        items.append(next(part for part in item.groups() if part is not None))
    return items


def _check_depth(value: object, left: int) -> None:
    """Refuse nesting that no entry of the API has, and the NUL that no database keeps."""
    if isinstance(value, str):
        if "\0" in value:
            raise _Unreadable("must not contain NUL")
        return
    children: Sequence[object]
    if isinstance(value, dict):
        children = [*value, *value.values()]
    elif isinstance(value, list):
        children = value
    else:
        return
    if left == 0:
        raise _Unreadable(f"must not nest deeper than {MAX_DEPTH} levels")
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
        except (BadParam, _Unreadable) as error:
            return BadEntry(entry, str(error))

    def read(raw: object) -> tuple[P | BadEntry, ...]:
        return tuple(map(one, json_list(raw)))

    return read


def _object(entry: object) -> dict[str, Any]:
    if not isinstance(entry, dict):
        raise _Unreadable("must be a list of objects")
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
        raise _Unreadable(error.why) from None


def idents_each(raw: object) -> tuple[int | BadEntry, ...]:
    """Read a list of ids in which each is judged alone."""

    def one(entry: object) -> int | BadEntry:
        try:
            return ident(entry.strip() if isinstance(entry, str) else entry)
        except _Unreadable as error:
            return BadEntry(entry, str(error))

    return tuple(map(one, json_list(raw)))


def texts(raw: object) -> tuple[str, ...]:
    """Read a list of texts."""
    return tuple(map(text, json_list(raw)))


# --- the parameters that many actions share --------------------------------------------------

IDENT = Param(ident, "id")
OPTIONAL_IDENT = Param(optional_ident, "id; 0 means none")
INSTANT = Param(instant, "seconds since 1970 UTC")
FLAG = Param(flag, "1 is on, anything else is off")
LOOSE_FLAG = Param(loose_flag, "0 or 1; anything else counts as not sent")
STRICT_FLAG = Param(strict_flag, "0 or 1")
WHOLE = Param(whole, "whole number")
TEXT = Param(text, "text")
IDENTITY = Param(sized(1, 32), "text of 1 to 32 characters")
ROLE = Param(one_of(1, 2), "1 student, 2 auditor")
NAME = Param(cut(24), "text, cut to 24 characters")
INTRODUCTION = Param(cut(1000), "text, cut to 1000 characters")
CUSTOM_COLUMN = Param(cut(50), "text, cut to 50 characters, comes back unchanged")
IDENTS = Param(idents, "JSON list of ids", keeps_empty=False)
