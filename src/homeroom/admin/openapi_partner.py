"""The partner API in OpenAPI: one operation an action, all from the contract.

OpenAPI tells operations apart by path, the partner API by the parameter `action`; the path of each
operation therefore holds its action, which is also how clients send it.
"""

from collections.abc import Iterable
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec

from homeroom.contract.action import Action, APIPath, Check
from homeroom.contract.catalogue import ACTIONS
from homeroom.contract.errno import Errno
from homeroom.contract.lists import MAX_ENTRIES, InvalidEntry
from homeroom.contract.params import ParamField, Params, ParamsReader
from homeroom.contract.results import Result
from homeroom.contract.upload import Upload

Schema = dict[str, Any]

TAGS = {
    APIPath.COURSE: "Partner API: courses and classes",
    APIPath.CLOUD: "Partner API: cloud drive",
}
CREDENTIALS: Schema = {
    "SID": {"type": "integer", "description": "The school.", "examples": [1]},
    "safeKey": {
        "type": "string",
        "description": "md5(SECRET + timeStamp), 32 hexadecimal digits.",
        "pattern": "^[0-9a-fA-F]{32}$",
    },
    "timeStamp": {
        "type": "integer",
        "description": "Seconds since 1970 UTC, at most 20 minutes away from the server's clock. "
        "`homeroom sign --sid N` prints all three.",
    },
}


def _schemas(*types: type[Result]) -> tuple[tuple[Schema, ...], Schema]:
    return msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")


def _schemas_of_results() -> Schema:
    """Return the schemas of what stands within results, by name."""
    results = {action.result for action in ACTIONS}
    _, components = _schemas(*results)
    outer = {result.__name__ for result in results}
    return {name: schema for name, schema in sorted(components.items()) if name not in outer}


SCHEMAS: Schema = {
    "ErrorInfo": {
        "type": "object",
        "description": "How it went; 1 is done.",
        "required": ["errno", "error"],
        "properties": {"errno": {"type": "integer"}, "error": {"type": "string"}},
        "examples": [{"errno": Errno.DONE.number, "error": Errno.DONE.zh}],
    },
    **_schemas_of_results(),
}
ORIGIN = ("refused", "warning", "entry", "fault")


def paths() -> dict[str, Any]:
    """Return a path for each action."""
    return {
        f"{action.v1.path}?action={action.name}": {"post": _operation(action)} for action in ACTIONS
    }


def _operation(action: Action[Any, Any]) -> Schema:
    body = _object(action.reader(), CREDENTIALS)
    encoding = {
        name: {"contentType": "application/json"}
        for name, schema in body["properties"].items()
        if schema.get("type") == "array"
    }
    form = {"schema": body, **({"encoding": encoding} if encoding else {})}
    kinds = ["application/x-www-form-urlencoded", "multipart/form-data"]
    if action.v1.takes_file:
        kinds.reverse()
    return {
        "operationId": action.name,
        "tags": [TAGS[action.v1.path]],
        "summary": action.title,
        "description": _about(action),
        "requestBody": {"required": True, "content": dict.fromkeys(kinds, form)},
        "responses": {
            "200": {
                "description": "Every business answer; the number says how it went.",
                "headers": {
                    "X-Homeroom-Reason": {
                        "description": "Why, in plain English; absent when done.",
                        "schema": {"type": "string"},
                    },
                    "X-Request-Id": {
                        "description": "Names the request in the log.",
                        "schema": {"type": "string"},
                    },
                },
                "content": {"application/json": {"schema": _envelope(action)}},
            },
            "413": {"description": "The body is too large."},
        },
    }


def _about(action: Action[Any, Any]) -> str:
    lines = ["**Checks, in their order.** The first one that fails is answered.", ""]
    lines += _listed(action.ordered_checks)
    if action.entry_checks:
        lines += ["", "**Checks of each entry, in their order.**", ""]
        lines += _listed(action.entry_checks)
    if action.warnings:
        lines += ["", "**Warnings.** The call is done; of several the first is answered.", ""]
        lines += _listed(action.warnings)
    lines += ["", "| errno | how | meaning |", "|---|---|---|"]
    for errno in action.errnos:
        lines.append(f"| {errno.number} | {_how(action, errno)} | {errno.en} |")
    return "\n".join(lines)


def _listed(checks: Iterable[Check]) -> list[str]:
    return [f"1. `{check.errno.number}` {check.when}" for check in checks]


def _how(action: Action[Any, Any], errno: Errno) -> str:
    if errno is Errno.DONE:
        return "done"
    origins = (action.refusals, action.warning_errnos, action.entry_errnos, action.faults)
    return ", ".join(word for word, errnos in zip(ORIGIN, origins, strict=True) if errno in errnos)


def _envelope(action: Action[Any, Any]) -> Schema:
    top = (Errno.DONE, *action.refusals, *action.warning_errnos, *action.faults)
    info = {
        "$ref": "#/components/schemas/ErrorInfo",
        "description": "One of "
        + ", ".join(str(errno.number) for errno in dict.fromkeys(top))
        + ".",
    }
    _, components = _schemas(action.result)
    return {
        "type": "object",
        "required": ["error_info"],
        "properties": {**components[action.result.__name__]["properties"], "error_info": info},
    }


def _object(reader: ParamsReader[Any], more: Schema) -> Schema:
    slots = [slot for slot in reader.fields if not slot.param.is_spelling]
    required = [*more, *(slot.names[0] for slot in slots if slot.required)]
    schema: Schema = {
        "type": "object",
        "properties": {
            **more,
            **{slot.names[0]: described(reader.params, slot) for slot in slots},
        },
    }
    return schema | ({"required": required} if required else {})


def described(params: type[Params], slot: ParamField) -> Schema:
    """Describe one parameter; a list of objects shows what stands in an entry."""
    words = slot.param.description
    if len(slot.names) > 1:
        words += "; also spelled " + ", ".join(slot.names[1:])
    schema: Schema = {"description": words}
    kinds = _parts(get_type_hints(params)[slot.attribute])
    several = next((kind for kind in kinds if get_origin(kind) is tuple), None)
    if several is None:
        return schema | _type(set(kinds))
    members = [one for one in _parts(get_args(several)[0]) if one is not InvalidEntry]
    item = _item(members[0])
    # A parameter that holds one id is a list of one inside.
    if not words.startswith("JSON list"):
        return schema | item
    if "properties" in item:
        # Viewers show a list in a form by its description alone.
        needed = item.get("required", ())
        fields = (f"{name} (required)" if name in needed else name for name in item["properties"])
        schema["description"] += "; each an object of " + ", ".join(fields)
    return {"type": "array", "items": item, "maxItems": MAX_ENTRIES, **schema}


def _item(kind: Any) -> Schema:  # noqa: ANN401  any type there is
    if isinstance(kind, type) and issubclass(kind, Params):
        return _object(ParamsReader(kind), {})
    return _type({kind})


def _type(kinds: set[Any]) -> Schema:
    if Upload in kinds:
        return {"type": "string", "contentMediaType": "application/octet-stream"}
    if bool in kinds:
        return {"type": "integer", "enum": [0, 1]}
    if str in kinds:
        return {"type": "string"}
    return {"type": "integer"}


def _parts(hint: Any) -> tuple[Any, ...]:  # noqa: ANN401  any type there is
    """Return what a union may be, none left out of account."""
    if get_origin(hint) in (Union, UnionType):
        return tuple(part for part in get_args(hint) if part is not NoneType)
    return (hint,)
