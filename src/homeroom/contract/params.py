"""Typed parameters of a request, read from the texts of a form or the values of a JSON list.

Values are read as tolerantly as the API reads them: digits for numbers, `0/1/""` for
flags, an empty optional is an absent one, over-long text is cut, lists may be quoted with single
quotes (READINGS Q3).
"""

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Generic, TypeVar, get_origin, get_type_hints

import msgspec

from homeroom.base.errors import HomeroomError
from homeroom.base.values import Value, replace
from homeroom.contract.near_names import is_near_miss

MAX_CUSTOM_COLUMN_LENGTH = 50
MAX_DIGITS = 18
"""Numbers of more digits than this fit no 64-bit column and are malformed."""


class ParamError(HomeroomError):
    """A parameter is missing or malformed; the message has its wire name and the expectation."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"{name}: {why}")
        self.name = name
        self.reason = why


class MissingParamError(ParamError):
    """A mandatory parameter is missing or empty, or a call asks for nothing."""


class IncompleteGroupError(ParamError):
    """Some parameters of a group are sent and not all: `Errno.BAD_PARAMS` on either wire."""


class ParamListError(ParamError):
    """A list cannot be decoded: `Errno.LIST_EMPTY` in the actions that have it."""


class EmptyListError(ParamListError):
    """A list is empty: `Errno.LIST_EMPTY` in the actions that have it."""


class InvalidValueError(HomeroomError):
    """A value is not of its type; the message says which values are."""


class ParamType(Value, frozen=True):
    """The type of a parameter: its reader, its description, and its names on the wire."""

    read: Callable[[Any], Any]
    description: str
    names: tuple[str, ...] = ()
    keeps_empty: bool = False
    """An empty value reaches `read` instead of standing for an absent one."""
    keeps_blanks: bool = False
    """The blanks around a text in a JSON list are a part of it."""
    is_spelling: bool = False
    """The value is the spelling the caller used, not what it stood for."""
    zero_is_absent: bool = False
    """A client that sends every optional sends 0 where it means none."""
    guard_words: tuple[str, ...] = ()
    """Set where the absence of this parameter means all: it narrows what is destroyed. A near miss
    of its names, and any unknown name that contains one of these words, is then refused."""

    def with_names(self, *names: str) -> "ParamType":
        """Return the same rule under other wire names; the first is the one in the docs."""
        return replace(self, names=names)

    def with_guard(self, *words: str) -> "ParamType":
        """Return the same rule for a parameter that narrows what is destroyed."""
        return replace(self, guard_words=words)

    def may_mean(self, unknown: str, documented: str) -> bool:
        """Tell whether an unknown name may stand for this parameter, by its documented name."""
        spelled = unknown.casefold()
        return is_near_miss(unknown, documented) or any(
            word in spelled for word in self.guard_words
        )

    def is_absent(self, raw: object) -> bool:
        """Tell whether a value stands for none."""
        if raw is None or (raw == "" and not self.keeps_empty):
            return True
        return self.zero_is_absent and raw in ("0", 0)


class Params(msgspec.Struct, frozen=True, kw_only=True):
    """A set of parameters."""

    def validate(self) -> None:
        """Refuse combinations that no single parameter shows; raises `ParamError`."""


def to_camel_case(name: str) -> str:
    """Spell a Python name as the wire does: `class_name` is `className`."""
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)


P = TypeVar("P", bound=Params)
T = TypeVar("T")


class ParamField(Value, frozen=True):
    """One parameter of a set: where it goes, how it is read, whether it must be there."""

    attribute: str
    param: ParamType
    names: tuple[str, ...]
    required: bool
    default: object


class ParamsReader(Generic[P]):
    """Reads one kind of parameter set; built once, used for every request."""

    def __init__(self, params: type[P]) -> None:
        self.params = params
        self.fields = tuple(_slots(params))
        self.names = frozenset(name for slot in self.fields for name in slot.names)
        self.names_with_blanks = frozenset(
            name for slot in self.fields if slot.param.keeps_blanks for name in slot.names
        )
        """Names whose values keep the blanks around them."""
        self._guarded = tuple(slot for slot in self.fields if slot.param.guard_words)

    def read(self, raw_params: Mapping[str, Any]) -> P:
        """Return the typed parameters; raises `ParamError` for the first invalid one."""
        if self._guarded:
            self._refuse_near_misses(raw_params)
        values: dict[str, Any] = {}
        for slot in self.fields:
            for name in slot.names:
                raw = raw_params.get(name)
                # Most values are neither empty nor of a kind in which 0 means none.
                if (not raw or slot.param.zero_is_absent) and slot.param.is_absent(raw):
                    continue
                if slot.param.is_spelling:
                    values[slot.attribute] = name
                    break
                try:
                    values[slot.attribute] = slot.param.read(raw)
                except InvalidValueError as error:
                    raise ParamError(name, str(error)) from None
                except ParamListError as error:
                    raise type(error)(name, error.reason) from None
                except ParamError as error:
                    place = error.name if error.name.startswith("[") else f".{error.name}"
                    raise ParamError(name + place, error.reason) from None
                break
            else:
                if slot.required:
                    raise MissingParamError(slot.names[0], "is missing or empty")
        params = self.params(**values)
        params.validate()
        return params

    def find_missing(self, raw_params: Mapping[str, Any]) -> str | None:
        """Return the first mandatory parameter that is absent or an empty list."""
        for slot in self.fields:
            values = [raw_params.get(name) for name in slot.names]
            if slot.required and all(raw == [] or slot.param.is_absent(raw) for raw in values):
                return slot.names[0]
        return None

    def _refuse_near_misses(self, raw_params: Mapping[str, Any]) -> None:
        """Refuse a name that may be meant for a parameter that narrows what is destroyed."""
        for name in raw_params:
            if name in self.names:
                continue
            for slot in self._guarded:
                if slot.param.may_mean(name, slot.names[0]):
                    raise ParamError(name, f"send {slot.names[0]}")


def _slots(params: type[Params]) -> list[ParamField]:
    hints = get_type_hints(params, include_extras=True)
    slots = []
    for field in msgspec.structs.fields(params):
        hint = hints[field.name]
        if get_origin(hint) is not Annotated:
            message = f"{params.__name__}.{field.name} does not say how it is read"
            raise TypeError(message)
        param = next(extra for extra in hint.__metadata__ if isinstance(extra, ParamType))
        names = param.names or (to_camel_case(field.name),)
        slots.append(ParamField(field.name, param, names, field.required, field.default))
    return slots


# --- the rules by which single values are read ---------------------------------------------


def read_whole_number(raw: object) -> int:
    """Read a whole number, negative ones too."""
    if type(raw) is int and abs(raw) < 10**MAX_DIGITS:
        return raw
    if isinstance(raw, str):
        text = raw.removeprefix("-")
        if text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS:
            return int(raw)
    raise InvalidValueError("must be a whole number")


def read_id(raw: object) -> int:
    """Read an id: a whole number above zero."""
    number = read_whole_number(raw)
    if number <= 0:
        raise InvalidValueError("must be an id, a whole number above zero")
    return number


def read_optional_id(raw: object) -> int | None:
    """Read an id that clients may send as 0 to mean none."""
    return None if read_whole_number(raw) == 0 else read_id(raw)


def read_timestamp(raw: object) -> int:
    """Read seconds since 1970."""
    number = read_whole_number(raw)
    if number < 0:
        raise InvalidValueError("must be seconds since 1970")
    return number


def read_flag(raw: object) -> bool:
    """Read a switch that only 1 turns on."""
    return raw in ("1", 1)


def read_loose_flag(raw: object) -> bool | None:
    """Read a switch whose bad values count as not sent."""
    return True if raw in ("1", 1) else False if raw in ("0", 0) else None


def read_strict_flag(raw: object) -> bool:
    """Read a switch that must be 0 or 1."""
    value = read_loose_flag(raw)
    if value is None:
        raise InvalidValueError("must be 0 or 1")
    return value


def read_text(raw: object) -> str:
    """Read text; JSON numbers are taken as their digits, as clients send them."""
    if isinstance(raw, str):
        return raw.strip()
    if type(raw) is int:
        return str(raw)
    raise InvalidValueError("must be text")


def read_text_cut_to(limit: int) -> Callable[[object], str]:
    """Return a reader of text that is cut at a number of characters, never refused for length."""

    def read(raw: object) -> str:
        return read_text(raw)[:limit]

    return read


def read_custom_column(raw: object) -> str | None:
    """Read the caller's own tag, a text or a number; anything else counts as not sent (Q57)."""
    if isinstance(raw, str):
        return raw[:MAX_CUSTOM_COLUMN_LENGTH] or None
    if isinstance(raw, int | float) and not isinstance(raw, bool):
        return str(raw)[:MAX_CUSTOM_COLUMN_LENGTH]
    return None


def read_choice(*allowed: int) -> Callable[[object], int]:
    """Return a reader of a number out of a few."""

    def read(raw: object) -> int:
        number = read_whole_number(raw)
        if number not in allowed:
            raise InvalidValueError("must be one of " + ", ".join(map(str, allowed)))
        return number

    return read


def read_choice_or_default(default: int, *allowed: int) -> Callable[[object], int]:
    """Return a reader of a number out of a few, for which anything else means the default."""

    def read(raw: object) -> int:
        try:
            number = read_whole_number(raw)
        except InvalidValueError:
            return default
        return number if number in allowed else default

    return read


def read_text_of_length(low: int, high: int) -> Callable[[object], str]:
    """Return a reader of text that must have a length between two numbers of characters."""

    def read(raw: object) -> str:
        value = read_text(raw)
        if not low <= len(value) <= high:
            raise InvalidValueError(f"must have {low} to {high} characters")
        return value

    return read


def read_number_between(low: int, high: int) -> Callable[[object], int]:
    """Return a reader of a number that must lie between two."""

    def read(raw: object) -> int:
        number = read_whole_number(raw)
        if not low <= number <= high:
            raise InvalidValueError(f"must be a number from {low} to {high}")
        return number

    return read


def read_word(*allowed: str) -> Callable[[object], str]:
    """Return a reader of a word out of a few."""

    def read(raw: object) -> str:
        if raw not in allowed:
            raise InvalidValueError("must be one of " + ", ".join(allowed))
        return str(raw)

    return read


_MD5 = re.compile(r"[0-9a-fA-F]{32}")


def read_md5(raw: object) -> str:
    """Read an md5 in hexadecimal; returned in lower case."""
    value = read_text(raw)
    if not _MD5.fullmatch(value):
        raise InvalidValueError("must be an md5, 32 hexadecimal digits")
    return value.lower()


def defer_errors(name: str, read: Callable[[object], T]) -> Callable[[object], T | ParamError]:
    """Return a reader that returns its error, for a parameter that the action may ignore."""

    def reader(raw: object) -> T | ParamError:
        try:
            return read(raw)
        except InvalidValueError as error:
            return ParamError(name, str(error))
        except ParamListError as error:
            return type(error)(name, error.reason)

    return reader


# --- the parameters that many actions share --------------------------------------------------

ID = ParamType(read_id, "id")
OPTIONAL_ID = ParamType(read_optional_id, "id; 0 means none")
TIMESTAMP = ParamType(read_timestamp, "seconds since 1970 UTC")
FLAG = ParamType(read_flag, "1 is on, anything else is off")
LOOSE_FLAG = ParamType(read_loose_flag, "0 or 1; anything else counts as not sent")
STRICT_FLAG = ParamType(read_strict_flag, "0 or 1")
TEXT = ParamType(read_text, "text")
IDENTITY = ParamType(read_text_of_length(1, 32), "text of 1 to 32 characters")
ROLE = ParamType(read_choice(1, 2), "1 student, 2 auditor")
OPTIONAL_ROLE = ParamType(read_choice(1, 2), "1 student, 2 auditor", zero_is_absent=True)
NAME = ParamType(read_text_cut_to(24), "text, cut to 24 characters")
INTRODUCTION = ParamType(read_text_cut_to(1000), "text, cut to 1000 characters")
CUSTOM_COLUMN = ParamType(
    read_custom_column, "text, cut to 50 characters, comes back unchanged", keeps_blanks=True
)
