"""The partner API in OpenAPI 3.1: one operation for each action, from the contract alone.

There are two forms. The **true document** shows the API as every client speaks it: the action in
the query, both encodings of a form, JSON lists typed by their entries. OpenAPI tells operations
apart by path, so that a path of the true document contains its query.

The **client profile** is for generators of clients, which want neither a query string in a path
nor a choice of encodings: the action is the last segment of the path, there is one encoding, and a
JSON list is the text that it is on the wire. The server answers both alike.

An action of the v2 wire is the same in both: a path of its own, JSON, and signatures in headers.
"""

from typing import Any

from homeroom.contract.action import Action, APIPath
from homeroom.contract.catalogue import ACTIONS
from homeroom.contract.errno import Errno
from homeroom.contract.schema import OpenAPIPart, Schema, params_schema, struct_schemas
from homeroom.partner.openapi_parts import (
    describe_outcomes,
    describe_responses,
    list_numbers,
    name_operation,
    name_response,
)
from homeroom.partner.openapi_v2 import REFUSED_V2, describe_v2_operation, describe_v2_response

TAGS = {
    APIPath.COURSE: "Partner API: courses and classes",
    APIPath.CLOUD: "Partner API: cloud drive",
}
URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
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
ERROR_INFO: Schema = {
    "type": "object",
    "description": "The outcome of a call; errno 1 means done.",
    "required": ["errno", "error"],
    "properties": {"errno": {"type": "integer"}, "error": {"type": "string"}},
    "examples": [{"errno": Errno.DONE.number, "error": Errno.DONE.zh}],
}
REFUSED: Schema = {
    "type": "object",
    "description": "A response without a result.",
    "required": ["error_info"],
    "properties": {"error_info": {"$ref": "#/components/schemas/ErrorInfo"}},
}


def describe_partner_api(*, client_profile: bool) -> OpenAPIPart:
    """Return the paths of all actions and the schemas that they refer to."""
    results = {action.result.__name__: action.result for action in ACTIONS}
    structs = struct_schemas(results.values())
    schemas = {
        "ErrorInfo": ERROR_INFO,
        "Refused": REFUSED,
        "RefusedV2": REFUSED_V2,
        **{name: schema for name, schema in structs.items() if name not in results},
    }
    paths = {}
    for action in ACTIONS:
        name = name_response(action)
        result = structs[action.result.__name__]
        if action.is_v2:
            schemas[name] = describe_v2_response(action, result)
            paths[action.v2.path] = {"post": describe_v2_operation(action, name)}
            continue
        schemas[name] = _response_schema(action, result)
        separator = "/" if client_profile else "?action="
        paths[f"{action.v1.path}{separator}{action.name}"] = {
            "post": _operation(action, name, client_profile=client_profile)
        }
    return OpenAPIPart(paths, schemas)


def _operation(action: Action[Any, Any], response: str, *, client_profile: bool) -> Schema:
    schema = params_schema(action.params, CREDENTIALS)
    bodies = _client_body(schema) if client_profile else _bodies(action, schema)
    return {
        "operationId": name_operation(action),
        "tags": [TAGS[action.v1.path]],
        "summary": action.title,
        "description": describe_outcomes(action),
        "requestBody": {"required": True, "content": bodies},
        "responses": describe_responses(response, "Refused", "error_info.errno"),
    }


def _bodies(action: Action[Any, Any], schema: Schema) -> Schema:
    """Return both encodings of a form; the first is the one that clients usually send."""
    encoding = {
        name: {"contentType": "application/json"}
        for name, field in schema["properties"].items()
        if field.get("type") == "array"
    }
    form = {"schema": schema, **({"encoding": encoding} if encoding else {})}
    content_types = [MULTIPART, URLENCODED] if action.v1.takes_file else [URLENCODED, MULTIPART]
    return dict.fromkeys(content_types, form)


def _client_body(schema: Schema) -> Schema:
    """Return the one encoding of the client profile: multipart where a file may be sent."""
    has_file = any(map(_is_file, schema["properties"].values()))
    fields = {name: _client_field(field) for name, field in schema["properties"].items()}
    content_type = MULTIPART if has_file else URLENCODED
    return {content_type: {"schema": {**schema, "properties": fields}}}


def _client_field(field: Schema) -> Schema:
    if field.get("type") == "array":
        content = {name: value for name, value in field.items() if name != "description"}
        return {
            "type": "string",
            "description": field["description"],
            "contentMediaType": "application/json",
            "contentSchema": content,
        }
    if _is_file(field):
        # OpenAPI 3.0 described a file like this, and generators still know no other way.
        return {"type": "string", "format": "binary", "description": field["description"]}
    return field


def _is_file(field: Schema) -> bool:
    return field.get("contentMediaType") == "application/octet-stream"


def _response_schema(action: Action[Any, Any], result: Schema) -> Schema:
    numbers = list_numbers(action)
    info = {"$ref": "#/components/schemas/ErrorInfo", "description": f"One of {numbers}."}
    return {
        "type": "object",
        "description": f"Response of {action.name}; a result stands beside `error_info` when done.",
        "required": ["error_info"],
        "properties": {**result.get("properties", {}), "error_info": info},
    }
