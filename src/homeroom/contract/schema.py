"""JSON Schema of parameters and results, as OpenAPI 3.1 needs it."""

import re
from collections.abc import Iterable
from types import NoneType, UnionType
from typing import Any, Protocol, Union, get_args, get_origin, get_type_hints

import msgspec

from homeroom.base.values import Value
from homeroom.contract.lists import MAX_ENTRIES, InvalidEntry
from homeroom.contract.params import ParamField, Params, ParamsReader
from homeroom.contract.upload import Upload

Schema = dict[str, Any]
_REFERENCE = re.compile(r" \(READINGS Q[0-9, Q]+\)")


class OpenAPIPart(Value, frozen=True):
    """One API's part of an OpenAPI document."""

    paths: Schema
    schemas: dict[str, Schema]


class DescribeAPI(Protocol):
    """Describes an API, in full or in the profile that generators of clients understand."""

    def __call__(self, *, client_profile: bool) -> OpenAPIPart:
        """Return the paths of the API and the schemas that they refer to."""
        ...


def params_schema(params: type[Params], credentials: Schema | None = None) -> Schema:
    """Return the schema of a set of parameters, with the credentials of a wire first."""
    reader = ParamsReader(params)
    fields = [field for field in reader.fields if not field.param.is_spelling]
    first = credentials or {}
    required = [*first, *(field.names[0] for field in fields if field.required)]
    schema: Schema = {
        "type": "object",
        "properties": {
            **first,
            **{field.names[0]: param_schema(params, field) for field in fields},
        },
    }
    return schema | ({"required": required} if required else {})


def param_schema(params: type[Params], field: ParamField) -> Schema:
    """Return the schema of one parameter; that of a list of objects also names their fields."""
    description = field.param.description
    if len(field.names) > 1:
        description += "; also spelled " + ", ".join(field.names[1:])
    schema: Schema = {"description": description}
    members = _union_members(get_type_hints(params)[field.attribute])
    list_type = next((member for member in members if get_origin(member) is tuple), None)
    if list_type is None:
        return schema | _scalar_schema(set(members))
    entries = _union_members(get_args(list_type)[0])
    item = _entry_schema(next(entry for entry in entries if entry is not InvalidEntry))
    # A parameter that holds one id is a list with one id in the typed parameters.
    if not description.startswith("JSON list"):
        return schema | item
    if "properties" in item:
        # Viewers of OpenAPI show a list in a form by its description alone.
        required = item.get("required", ())
        names = (f"{name} (required)" if name in required else name for name in item["properties"])
        schema["description"] += "; each an object of " + ", ".join(names)
    return {"type": "array", "items": item, "maxItems": MAX_ENTRIES, **schema}


def struct_schemas(types: Iterable[type[msgspec.Struct]]) -> dict[str, Schema]:
    """Return the schemas of structs, and of all structs within them, by name."""
    _, components = msgspec.json.schema_components(
        types, ref_template="#/components/schemas/{name}"
    )
    return {name: _tidy(schema) for name, schema in sorted(components.items())}


def _entry_schema(entry: Any) -> Schema:  # noqa: ANN401  a type of any kind
    if isinstance(entry, type) and issubclass(entry, Params):
        return params_schema(entry)
    return _scalar_schema({entry})


def _scalar_schema(members: set[Any]) -> Schema:
    if Upload in members:
        return {"type": "string", "contentMediaType": "application/octet-stream"}
    if bool in members:
        return {"type": "integer", "enum": [0, 1]}
    if str in members:
        return {"type": "string"}
    return {"type": "integer"}


def _union_members(hint: Any) -> tuple[Any, ...]:  # noqa: ANN401  a type of any kind
    """Return the types of a union, without None."""
    if get_origin(hint) in (Union, UnionType):
        return tuple(member for member in get_args(hint) if member is not NoneType)
    return (hint,)


def _tidy(schema: Any) -> Any:  # noqa: ANN401  any part of a JSON schema
    """Drop titles, which repeat the names, and references to our readings; type each enum."""
    if isinstance(schema, list):
        return [_tidy(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    tidied = {
        name: _tidy(part)
        for name, part in schema.items()
        if not (name == "title" and isinstance(part, str))
    }
    if isinstance(tidied.get("description"), str):
        tidied["description"] = _REFERENCE.sub("", tidied["description"])
    values = tidied.get("enum", ())
    if values and "type" not in tidied:
        tidied = {"type": "integer" if isinstance(values[0], int) else "string", **tidied}
    return tidied
