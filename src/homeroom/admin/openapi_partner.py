"""The partner API in OpenAPI: one operation an action, all from the contract.

OpenAPI tells operations apart by path, the partner API by the parameter `action`; the path of each
operation therefore holds its action, which is also how clients send it.
"""

import re
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from homeroom.contract.action import ALWAYS, Action, APIPath
from homeroom.contract.catalogue import ACTIONS
from homeroom.contract.errno import Errno
from homeroom.contract.lists import MAX_ENTRIES, InvalidEntry
from homeroom.contract.params import ParamField, Params, ParamsReader
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
SCHEMAS: Schema = {
    "ErrorInfo": {
        "type": "object",
        "description": "How it went; 1 is done.",
        "required": ["errno", "error"],
        "properties": {"errno": {"type": "integer"}, "error": {"type": "string"}},
        "examples": [{"errno": Errno.DONE.number, "error": Errno.DONE.zh}],
    },
    "MoreData": {
        "type": "object",
        "description": "Where a class is watched; empty texts where nothing is shown.",
        "properties": {
            "live_url": {"type": "string"},
            "live_info": {
                "type": "object",
                "properties": {name: {"type": "string"} for name in ("RTMP", "HLS", "FLV")},
            },
        },
    },
}
_REFERENCE = re.compile(r" ?\(READINGS Q[0-9, Q]+\)|[,;] READINGS Q[0-9]+(, Q[0-9]+)*")
ORIGIN = ("refused", "warning", "entry", "fault")


def paths() -> dict[str, Any]:
    """Return a path for each action."""
    return {
        f"{action.door}?action={action.name}": {"post": _operation(action)} for action in ACTIONS
    }


def _operation(action: Action[Any]) -> Schema:
    body = _object(action.reader(), CREDENTIALS)
    encoding = {
        name: {"contentType": "application/json"}
        for name, schema in body["properties"].items()
        if schema.get("type") == "array"
    }
    form = {"schema": body, **({"encoding": encoding} if encoding else {})}
    kinds = ["application/x-www-form-urlencoded", "multipart/form-data"]
    if action.takes_file:
        kinds.reverse()
    return {
        "operationId": action.name,
        "tags": [TAGS[action.door]],
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


def _about(action: Action[Any]) -> str:
    lines = []
    if action.answer:
        lines += [f"**Answer.** {_plain(action.answer)}", ""]
    if action.order:
        lines += [f"**Order of checks.** {_plain(action.order)}", ""]
    lines += ["| errno | how | meaning |", "|---|---|---|"]
    for errno in action.errnos:
        lines.append(f"| {errno.number} | {_how(action, errno)} | {errno.en} |")
    return "\n".join(lines)


def _plain(text: str) -> str:
    """Return a sentence: no references to our own notes, a stop at the end, no stray Markdown."""
    text = _REFERENCE.sub("", text).replace("_", r"\_")
    return text if text.endswith(".") else f"{text}."


def _how(action: Action[Any], errno: Errno) -> str:
    if errno is Errno.DONE:
        return "done"
    held = (action.refuses, action.notes, action.entries, action.faults)
    how = [word for word, errnos in zip(ORIGIN, held, strict=True) if errno in errnos]
    if errno in ALWAYS and "refused" not in how:
        how.insert(0, "refused")
    return ", ".join(how)


def _envelope(action: Action[Any]) -> Schema:
    top = (
        errno for errno in action.errnos if errno not in action.entries or _is_top(action, errno)
    )
    info = {
        "$ref": "#/components/schemas/ErrorInfo",
        "description": "One of " + ", ".join(str(errno.number) for errno in top) + ".",
    }
    properties: Schema = {}
    if action.answer.startswith("data:"):
        properties["data"] = _data(action) | {"description": action.answer}
    if "; more_data:" in action.answer or action.answer.startswith("more_data:"):
        properties["more_data"] = {"$ref": "#/components/schemas/MoreData"}
    return {
        "type": "object",
        "required": ["error_info"],
        "properties": {**properties, "error_info": info},
    }


def _data(action: Action[Any]) -> Schema:
    """Tell what kind of value `data` is: entries of a batch, an object, a number or text."""
    if action.entries:
        return {"type": "array", "items": {"$ref": "#/components/schemas/ErrorInfo"}}
    if action.answer.startswith("data: {"):
        return {"type": "object"}
    return {"type": "integer" if "a number" in action.answer else "string"}


def _is_top(action: Action[Any], errno: Errno) -> bool:
    return errno in (*action.refuses, *action.notes, *action.faults, Errno.DONE, Errno.BAD_PARAMS)


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
