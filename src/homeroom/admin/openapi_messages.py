"""The requests about endpoints and messages in OpenAPI."""

from http import HTTPStatus
from typing import Any, NamedTuple

import msgspec

from homeroom.contract import operator_messages as wire
from homeroom.contract.paged import ROOT
from homeroom.contract.rows import ReadBackRow
from homeroom.contract.schema import Schema

TAG = "Messages"
ONE = "/endpoints/{endpointId}"


REFUSALS = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.CONFLICT,
)


class _Operation(NamedTuple):
    method: str
    path: str
    name: str
    title: str
    body: type[wire.OperatorRequest] | None
    answer: type[ReadBackRow]
    status: HTTPStatus = HTTPStatus.OK


OPERATIONS = (
    _Operation(
        "post",
        "/endpoints",
        "createEndpoint",
        "Add an endpoint, once it has acknowledged a test",
        wire.NewEndpointRequest,
        wire.EndpointWithSecret,
        status=HTTPStatus.CREATED,
    ),
    _Operation(
        "delete",
        ONE,
        "removeEndpoint",
        "Drop an endpoint, and what waits for it",
        None,
        wire.RemovedRow,
    ),
    _Operation(
        "post",
        f"{ONE}/move",
        "moveEndpoint",
        "Give an endpoint a new address",
        wire.MoveRequest,
        wire.EndpointRow,
    ),
    _Operation(
        "post",
        f"{ONE}/rotate",
        "rotateEndpointSecret",
        "Give an endpoint a new secret",
        None,
        wire.EndpointWithSecret,
    ),
    _Operation(
        "post", f"{ONE}/test", "testEndpoint", "Send the test message", None, wire.EndpointRow
    ),
    _Operation(
        "post",
        f"{ONE}/pause",
        "pauseEndpoint",
        "Let the messages of an endpoint wait",
        None,
        wire.EndpointRow,
    ),
    _Operation(
        "post",
        f"{ONE}/resume",
        "resumeEndpoint",
        "Send to an endpoint again",
        wire.ResumeRequest,
        wire.EndpointRow,
    ),
    _Operation(
        "post",
        f"{ONE}/skip",
        "skipMessages",
        "Skip the first message of each queue that fails",
        None,
        wire.SkippedRow,
    ),
    _Operation(
        "post",
        "/messages",
        "sendMessage",
        "Send a message of any kind",
        wire.NewMessageRequest,
        wire.EmittedRow,
        status=HTTPStatus.CREATED,
    ),
    _Operation(
        "post",
        "/messages/redeliver",
        "redeliverMessages",
        "Send all messages again since a time",
        wire.RedeliverRequest,
        wire.ResentRow,
    ),
    _Operation(
        "post",
        "/messages/{messageId}/resend",
        "resendMessage",
        "Send a message again",
        wire.ResendRequest,
        wire.ResentRow,
    ),
)
TYPES: tuple[type[msgspec.Struct], ...] = tuple(
    {each for operation in OPERATIONS for each in (operation.body, operation.answer) if each}
)
"""The types of bodies and answers."""


def paths() -> dict[str, dict[str, Any]]:
    """Return the operations by path and method."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(ROOT + operation.path, {})[operation.method] = _describe(operation)
    return paths


def _describe(operation: _Operation) -> Schema:
    described: Schema = {
        "operationId": operation.name,
        "tags": [TAG],
        "summary": operation.title,
        "security": [{"token": []}],
        "parameters": [
            {
                "name": part.strip("{}"),
                "in": "path",
                "required": True,
                "schema": {"type": "integer", "minimum": 1},
            }
            for part in operation.path.split("/")
            if part.startswith("{")
        ],
        "responses": {
            str(operation.status.value): {
                "description": "Done.",
                "content": _refer_to(operation.answer),
            },
            **{str(each.value): {"$ref": "#/components/responses/Problem"} for each in REFUSALS},
        },
    }
    if operation.body is not None:
        is_required = operation.body is not wire.ResumeRequest
        described["requestBody"] = {"required": is_required, "content": _refer_to(operation.body)}
    return described


def _refer_to(struct: type[msgspec.Struct]) -> Schema:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{struct.__name__}"}}}
