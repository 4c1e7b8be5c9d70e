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
from homeroom.contract.params import InvalidValueError, Params, ParamsReader, ParamType
from homeroom.partner.authenticator import HEADERS_WINDOW_SECONDS
from homeroom.partner.signatures import MAX_SIGNED_BYTES
from homeroom.partner.wires.json_body import MAX_JSON_BYTES

JSON_TYPES: Final = {
    "integer": "whole number",
    "string": "text",
    "array": "list",
    "object": "object",
}
ERROR_INFO: Final = (
    "`error_info` is {errno, error}. `X-Homeroom-Reason` gives the reason in English.\n"
)
V2_WIRE: Final = f"""\
Each call is an HTTP POST of a JSON object of at most {MAX_JSON_BYTES // 1024} KiB, with three \
headers: `X-EEO-UID` is the SID, `X-EEO-TS` seconds since 1970, at most {HEADERS_WINDOW_SECONDS} s \
away from the server's clock, and `X-EEO-SIGN` the signature.

The signature is made of the members of the object that are neither lists nor objects and not \
longer than {MAX_SIGNED_BYTES} bytes, together with `sid` and `timeStamp`, which are the values of \
the headers. Sort them by name, join them as `name=value` with `&`, append `&key=SECRET`, and take \
the md5 in lowercase hexadecimal digits. Numbers stand as in the JSON text, texts without quotes \
and escapes, in UTF-8.

The published clients differ from this, and the server accepts their ways too: true as `True` or \
`1`, false as `False`, `0` or nothing, null as `None` or nothing, or all three left out; numbers \
with a fraction in their shortest form, with 14 digits as in PHP, or left out; a limit of \
{MAX_SIGNED_BYTES - 1} bytes, or of characters instead of bytes; whole pairs sorted instead of \
names.

**What is not signed.** Whoever can change a request on its way can change these without being \
noticed, so use HTTPS:

- the path, and with it the action: a signed body passes for another call with equal members;
- lists and objects, and values over {MAX_SIGNED_BYTES} bytes;
- whether a value is a text or a number (`"1"` and `1`), and where one member ends: `&b=2` at the \
end of a text passes for a member `b`;
- members named `sid` or `timeStamp`, for which the headers count; of a name sent twice, all but \
the last;
- values that the client leaves out, such as true and null in the Go sample;
- the time within five minutes: the same request can be sent again.

"""


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
        Reading(title, re.findall(r"[\w.]+", actions), " ".join(body.split()))
        for title, actions, body in readings
    ]


def slug(title: str) -> str:
    """Return the anchor of a heading."""
    return re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")


def list_of_actions() -> str:
    """Return the page that lists all actions."""

    def list_actions(*, is_v2: bool) -> str:
        rows = (
            (f"[{action.name}]({action.name}.md)", action.title, action.binding.path)
            for action in ACTIONS
            if action.is_v2 is is_v2
        )
        return table(("action", "what it does", "address"), rows)

    return (
        f"# Actions\n\n{NOTICE}"
        "## Signed forms (v1)\n\n"
        "Each call is an HTTP POST of a form. `SID`, `timeStamp` (seconds since 1970) and "
        "`safeKey` = md5(SECRET + timeStamp) sign it. `action` is in the query or in the form.\n\n"
        + list_actions(is_v2=False)
        + f"\n## Signed JSON (v2)\n\n{V2_WIRE}"
        + list_actions(is_v2=True)
    )


def action_page(action: Action[Any, Any], seen: Seen, readings: list[Reading]) -> str:
    """Return the page of one action."""
    parts = [
        f"# {action.name}\n\n{NOTICE}{action.title}.\n\n",
        _describe_request(action),
        *_parameters(action.params),
        "\n## Answer\n\n",
        *(_data(action) if action.is_v2 else _result(action)),
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
            f"- [{reading.title}](../../readings.md#{slug(reading.title)}). {reading.text}\n"
            for reading in own_readings
        ]
    return "".join(parts)


def _describe_request(action: Action[Any, Any]) -> str:
    """Describe what every request of the action's wire has."""
    if action.is_v2:
        return (
            f"`POST {action.v2.path}` with a JSON object, "
            "[signed](README.md#signed-json-v2) by `X-EEO-SIGN`, `X-EEO-UID` and `X-EEO-TS`\n\n"
            "## Parameters\n\n"
            "Null, or an empty text, means that the parameter was not sent, unless the table says "
            "otherwise.\n\n"
        )
    return (
        f"`POST {action.v1.path}?action={action.name}`\n\n## Parameters\n\n"
        "In addition to `SID`, `safeKey` and `timeStamp`. An empty value means that the "
        "parameter was not sent, unless the table says otherwise.\n\n"
    )


def _data(action: Action[Any, Any]) -> Iterator[str]:
    """Describe the result of an action of the v2 wire by its type."""
    yield "{code, msg, data}. `X-Homeroom-Reason` gives the reason in English.\n\n"
    rows = _list_result_fields(action)
    if not rows:
        yield "`data` is null.\n"
        return
    yield "`data` is null when nothing was done:\n\n"
    yield table(("key", "value", "meaning"), rows)
    yield _describe_existing(action)


def _describe_existing(action: Action[Any, Any]) -> str:
    """Name the refusals that carry a result."""
    if not action.refusals_with_result:
        return ""
    numbers = " and ".join(str(errno.number) for errno in action.refusals_with_result)
    return f"\nThe refusal {numbers} carries them too, about what exists already.\n"


def _list_result_fields(action: Action[Any, Any]) -> list[tuple[str, str, str]]:
    _, components = msgspec.json.schema_components([action.result], ref_template="{name}")
    return list(_fields(components, action.result.__name__, ""))


def _result(action: Action[Any, Any]) -> Iterator[str]:
    """Describe the result of an action of the v1 wire by its type."""
    rows = _list_result_fields(action)
    if not rows:
        yield "Only `error_info`.\n\n"
        yield ERROR_INFO
        return
    yield "In addition to `error_info`, when the call succeeds or gives a warning:\n\n"
    yield table(("key", "value", "meaning"), rows)
    yield _describe_existing(action)
    yield "\n"
    yield ERROR_INFO


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


def _meaning_of_empty(param: ParamType) -> str:
    if not param.keeps_empty:
        return ""
    try:
        value = param.read("")
    except InvalidValueError:
        return "; an empty value is a wrong one"
    return ", an empty value is an empty " + ("text" if value == "" else "list")


def _parameters(params: type[Params]) -> Iterator[str]:
    rows = []
    nested: list[tuple[str, type[Params]]] = []
    hints = get_type_hints(params)
    for slot in ParamsReader(params).fields:
        if slot.param.is_spelling:
            continue
        name, *others = slot.names
        nested += [(name, kind) for kind in _wires(hints[slot.attribute])]
        words = slot.param.description + _meaning_of_empty(slot.param)
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
