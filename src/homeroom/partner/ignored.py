"""Fields that have no effect: names that no parameter has, and texts where a file belongs."""

from collections.abc import Iterator, Mapping
from itertools import chain, islice
from typing import Any

from homeroom.contract.lists import read_json_list
from homeroom.contract.near_names import find_near_miss
from homeroom.contract.params import InvalidValueError, ParamError, ParamsReader
from homeroom.contract.upload import FILE
from homeroom.partner.routes import ActionRoute

MAX_IGNORED = 20
"""Names that are reported of one request."""
MAX_NAME = 50
"""Characters of a name that are reported."""


def list_ignored(
    route: ActionRoute[Any, Any, Any], fields: Mapping[str, object]
) -> tuple[str, ...]:
    """Return the names that an action does not know, with the documented one that is near (Q53)."""
    names = _list_unknown(route.reader, fields, route.action.unused_names)
    return tuple(islice(chain(names, _list_in_entries(route, fields)), MAX_IGNORED))


def describe_texts_for_files(
    route: ActionRoute[Any, Any, Any], fields: Mapping[str, object]
) -> str:
    """Return the reason why a text in the place of a file had no effect (READINGS Q56)."""
    texts = [
        name
        for slot in route.reader.fields
        if slot.param.read is FILE.read
        for name in slot.names
        if isinstance(fields.get(name), str) and fields[name]
    ]
    return f"{', '.join(texts)}: a text is no file, and had no effect" if texts else ""


def _list_in_entries(
    route: ActionRoute[Any, Any, Any], fields: Mapping[str, object]
) -> Iterator[str]:
    """List the unknown names in the entries of lists, as `classJson[2].liv`."""
    for names, reader in route.entry_lists.items():
        name = next((name for name in names if fields.get(name)), None)
        if name is None:
            continue
        try:
            entries = read_json_list(fields[name])
        except (ParamError, InvalidValueError):
            continue
        for place, entry in enumerate(entries, 1):
            if isinstance(entry, dict):
                for unknown in _list_unknown(reader, entry, route.action.unused_names):
                    yield f"{name}[{place}].{unknown}"


def _list_unknown(
    reader: ParamsReader[Any], fields: Mapping[str, object], unused: tuple[str, ...]
) -> list[str]:
    unknown = [name for name in fields if name not in reader.names and name not in unused]
    return [_describe(name.strip(), reader) for name in unknown if name.strip() not in reader.names]


def _describe(name: str, reader: ParamsReader[Any]) -> str:
    near = find_near_miss(name, (slot.names[0] for slot in reader.fields))
    return f"{name[:MAX_NAME]} ({near})" if near is not None else name[:MAX_NAME]
