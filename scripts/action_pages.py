"""Reference pages of the actions, each from its typed contract."""

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final, get_args, get_type_hints

import msgspec
from markdown import DOCS, NOTICE, table
from observed import Seen

from homeroom.contract.action import Action, Check
from homeroom.contract.catalogue import ACTIONS
from homeroom.contract.errno import Errno, Outcome
from homeroom.contract.params import Params, ParamsReader

JSON_TYPES: Final = {
    "integer": "whole number",
    "string": "text",
    "array": "list",
    "object": "object",
}


class Reading(msgspec.Struct):
    """A reading of docs/readings.md and the actions that it is about."""

    title: str
    actions: list[str]
    text: str


def read_readings() -> list[Reading]:
    """Return the readings of docs/readings.md that name the actions they are about."""
    text = (DOCS / "readings.md").read_text()
    readings = re.findall(r"^### (.+)\n\nActions: (.+)\n\n((?:.+\n)+)", text, re.MULTILINE)
    return [
        Reading(title, re.findall(r"\w+", actions), " ".join(body.split()))
        for title, actions, body in readings
    ]


def _slug(title: str) -> str:
    return re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")


def list_of_actions() -> str:
    """Return the page that lists all actions."""
    rows = (
        (f"[{action.name}]({action.name}.md)", action.title, action.v1.path) for action in ACTIONS
    )
    return (
        f"# Actions\n\n{NOTICE}"
        "Each call is an HTTP POST of a form. `SID`, `timeStamp` (seconds since 1970) and "
        "`safeKey` = md5(SECRET + timeStamp) sign it. `action` is in the query or in the form.\n\n"
        + table(("action", "what it does", "address"), rows)
    )


def action_page(action: Action[Any, Any], seen: Seen, readings: list[Reading]) -> str:
    """Return the page of one action."""
    parts = [
        f"# {action.name}\n\n{NOTICE}{action.title}.\n\n",
        f"`POST {action.v1.path}?action={action.name}`\n\n## Parameters\n\n",
        (
            "In addition to `SID`, `safeKey` and `timeStamp`. An empty value means that the "
            "parameter was not sent, unless the table says otherwise.\n\n"
        ),
        *_parameters(action.params),
        "\n## Answer\n\n",
        *_result(action),
        "`error_info` is {errno, error}. `X-Homeroom-Reason` gives the reason in English.\n",
        "\n## Order of the checks\n\n",
        "The first check that fails is the answer, and nothing is changed.\n\n",
        *_numbered(action.ordered_checks),
        *_more_checks(action),
        "\n## Errnos\n\n",
        table(
            ("errno", "label", "meaning", "where", "arises"),
            (
                (
                    errno.number,
                    errno.zh,
                    errno.en,
                    _where(action, errno),
                    seen.get((action.name, errno.number), "not seen"),
                )
                for errno in action.errnos
            ),
        ),
    ]
    own_readings = [reading for reading in readings if action.name in reading.actions]
    if own_readings:
        parts.append("\n## Readings\n\n")
        parts += [
            f"- [{reading.title}](../../readings.md#{_slug(reading.title)}). {reading.text}\n"
            for reading in own_readings
        ]
    return "".join(parts)


def _result(action: Action[Any, Any]) -> Iterator[str]:
    """Describe the result of an action by its type."""
    _, components = msgspec.json.schema_components([action.result], ref_template="{name}")
    rows = list(_fields(components, action.result.__name__, ""))
    if not rows:
        yield "Only `error_info`.\n\n"
        return
    yield "In addition to `error_info`, when the call succeeds or gives a warning:\n\n"
    yield table(("key", "value", "meaning"), rows)
    if action.refusals_with_result:
        numbers = " and ".join(str(errno.number) for errno in action.refusals_with_result)
        yield f"\nThe refusal {numbers} carries them too, about what exists already.\n"
    yield "\n"


def _fields(components: dict[str, Any], struct: str, prefix: str) -> Iterator[tuple[str, str, str]]:
    """Yield a row for each field of a struct, those of the structs within it included."""
    for name, schema in components[struct]["properties"].items():
        inner = schema.get("items", schema)
        need = "" if name in components[struct].get("required", ()) else ", or absent"
        kinds = [part.get("type", "object") for part in schema.get("anyOf", [schema])]
        words = " or ".join(JSON_TYPES[kind] for kind in kinds)
        yield f"`{prefix}{name}`", words + need, schema.get("description", "")
        reference = inner.get("$ref")
        if reference:
            mark = "[]." if "items" in schema else "."
            yield from _fields(components, reference, f"{prefix}{name}{mark}")


def _more_checks(action: Action[Any, Any]) -> Iterator[str]:
    """Describe the checks of entries, and the warnings."""
    if action.entry_checks:
        yield "\nThen each entry is checked alone. The first check that fails is its errno:\n\n"
        yield from _numbered(action.entry_checks)
    if action.warnings:
        yield "\nWarnings: the call succeeds. If several apply, the first is the answer.\n\n"
        yield from _numbered(action.warnings)


def _numbered(checks: Iterable[Check]) -> Iterator[str]:
    for place, check in enumerate(checks, 1):
        yield f"{place}. {check.errno.number}: {check.when}\n"


def _where(action: Action[Any, Any], errno: Errno) -> str:
    if errno in action.faults:
        return "fault"
    if errno in action.entry_faults:
        return "fault in an entry"
    is_of_entry = errno in action.entry_errnos
    is_at_top = not is_of_entry or errno in action.refusals
    places = ["top"] * is_at_top + ["entry"] * is_of_entry
    suffix = ", the work is kept" if errno.outcome is Outcome.WARNING else ""
    return " and ".join(places) + suffix


def _parameters(params: type[Params]) -> Iterator[str]:
    rows = []
    nested: list[tuple[str, type[Params]]] = []
    hints = get_type_hints(params)
    for slot in ParamsReader(params).fields:
        if slot.param.is_spelling:
            continue
        name, *others = slot.names
        nested += [(name, kind) for kind in _wires(hints[slot.attribute])]
        words = slot.param.description + (
            ", an empty value is an empty list" if slot.param.keeps_empty else ""
        )
        spelling = f"`{name}`" + "".join(f" or `{other}`" for other in others)
        need = "yes" if slot.required else "no"
        rows.append((spelling, need, words, _default(slot.default)))
    yield table(("name", "required", "value", "default"), rows) if rows else "None.\n"
    if params.validate is not Params.validate:
        yield f"\nChecked together: {' '.join((params.validate.__doc__ or '').split())}\n"
    for name, kind in nested:
        yield f"\nEach entry of `{name}`:\n\n"
        yield from _parameters(kind)


def _wires(hint: object) -> Iterator[type[Params]]:
    """Find the parameter sets that a list holds."""
    if isinstance(hint, type) and issubclass(hint, Params):
        yield hint
    for part in get_args(hint):
        yield from _wires(part)


def _default(value: object) -> str:
    if isinstance(value, bool):
        return str(int(value))
    return str(value) if isinstance(value, int | str) else ""
