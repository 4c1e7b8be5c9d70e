"""Operations of the v2 wire in the OpenAPI document: JSON, with signatures in headers."""

from typing import Any

from homeroom.contract.action import Action
from homeroom.contract.schema import Schema, params_schema
from homeroom.partner.openapi_parts import (
    describe_outcomes,
    describe_responses,
    list_numbers,
    name_operation,
)

TAG = "Partner API: signed JSON"
SIGNATURE_HEADERS: list[Schema] = [
    {
        "name": "X-EEO-SIGN",
        "in": "header",
        "required": True,
        "description": "md5 of the members of the body that are neither lists nor objects, `sid` "
        "and `timeStamp`, sorted by name, as `name=value` joined by `&`, and `&key=SECRET`.",
        "schema": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
    },
    {
        "name": "X-EEO-UID",
        "in": "header",
        "required": True,
        "description": "The SID of the school.",
        "schema": {"type": "integer"},
    },
    {
        "name": "X-EEO-TS",
        "in": "header",
        "required": True,
        "description": "Seconds since 1970 UTC, at most 5 minutes away from the server's clock.",
        "schema": {"type": "integer"},
    },
]
CODE: Schema = {"type": "integer", "description": "The outcome; 1 means done."}
MESSAGE: Schema = {"type": "string", "description": "The label of the code."}
REFUSED_V2: Schema = {
    "type": "object",
    "description": "A response without a result.",
    "required": ["code", "msg", "data"],
    "properties": {"code": CODE, "msg": MESSAGE, "data": {"type": "null"}},
}


def describe_v2_operation(action: Action[Any, Any], response: str) -> Schema:
    """Return the operation of an action, with the name of the schema of its response."""
    return {
        "operationId": name_operation(action),
        "tags": [TAG],
        "summary": action.title,
        "description": describe_outcomes(action),
        "parameters": SIGNATURE_HEADERS,
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": params_schema(action.params)}},
        },
        "responses": describe_responses(response, "RefusedV2", "code"),
    }


def describe_v2_response(action: Action[Any, Any], result: Schema) -> Schema:
    """Return the schema of a response: the result is in `data`, which is null without one."""
    data = result.get("properties", {}).get("data")
    return {
        "type": "object",
        "description": f"Response of {action.name}; `data` is null when nothing was done.",
        "required": ["code", "msg", "data"],
        "properties": {
            "code": {**CODE, "description": f"One of {list_numbers(action)}."},
            "msg": MESSAGE,
            "data": {"type": "null"} if data is None else {"anyOf": [data, {"type": "null"}]},
        },
    }
