"""OpenAPI 3.1 documents of everything that this server answers, made from the contract."""

from functools import cached_property
from importlib.metadata import version

import msgspec

from homeroom.admin import openapi_messages, openapi_sandbox
from homeroom.contract.paged import ROOT, ReadBack
from homeroom.contract.params import ParamField, Params, ParamsReader
from homeroom.contract.readback import READ_BACKS
from homeroom.contract.schema import DescribeAPI, Schema, param_schema, struct_schemas

ABOUT = """\
* **Partner API**: what your integration calls, unchanged. Signed forms and signed JSON create
  people, courses and classes. Every business answer is HTTP 200; `error_info.errno`, or `code` in
  the JSON calls, says how it went, and the response header `X-Homeroom-Reason` says why, in plain
  English.
* **Read-back**: the partner API only writes; these lists show what became of it. They take a bearer
  token: `homeroom token create` makes one, for one school or for the operator.
* **Messages**: what happens is sent to the endpoints of a school. The requests here change
  endpoints and send messages again.
* **Sandbox**: with `--sandbox` only. Move the clock, ask for faults, reset a school, read the
  journal.
* **Operation**: health and metrics.
"""
PROBLEM_CONTENT = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
TAGS = (
    (
        "Partner API: courses and classes",
        "Signed forms; the [first page](/) shows how to sign one.",
    ),
    ("Partner API: cloud drive", "The same, at the drive's own address."),
    ("Partner API: signed JSON", "The newer calls: JSON, signed by headers."),
    ("Read-back", "What a school has, deleted things included. Every list comes in pages."),
    (
        openapi_messages.TAG,
        "The token needs the scope `messages`, or `admin` where an endpoint or its secret changes.",
    ),
    ("Sandbox", "For tests. Open on loopback, behind the operator's token elsewhere."),
    (
        "Operation",
        "For probes and Prometheus. `/metrics` wants an operator's token from other machines.",
    ),
)
TABLE: Schema = {"text/csv": {"schema": {"type": "string"}}}
PROBLEM: Schema = {
    "type": "object",
    "description": "Why a request was not answered (RFC 9457).",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "Names the parameter at fault, if one is."},
        "parameter": {"type": "string"},
    },
    "examples": [
        {
            "type": "about:blank",
            "title": "Bad Request",
            "status": 400,
            "detail": "limit: must be a number from 1 to 1000",
            "parameter": "limit",
        }
    ],
}


class Document:
    """An OpenAPI document of everything that this server answers, in one of two forms.

    The client profile leaves out what generators of clients do not understand: see
    `partner/openapi.py` for the partner API. A list of the read-back is JSON in it, and not CSV.
    """

    def __init__(self, describe_partner_api: DescribeAPI, *, client_profile: bool) -> None:
        self._describe_partner_api = describe_partner_api
        self._client_profile = client_profile

    @cached_property
    def json(self) -> bytes:
        """The document as JSON; made for the first request, then kept."""
        return msgspec.json.encode(self.build())

    def build(self) -> Schema:
        """Return the document as values of JSON."""
        partner = self._describe_partner_api(client_profile=self._client_profile)
        paths: Schema = dict(partner.paths)
        for read_back in READ_BACKS:
            operation = _read_back(read_back, client_profile=self._client_profile)
            paths[ROOT + read_back.path] = {"get": operation}
        for path, operations in openapi_messages.paths().items():
            paths[path] = paths.get(path, {}) | operations
        paths |= openapi_sandbox.paths()
        paths |= _operation_paths()
        rows = struct_schemas(
            [*(read_back.row for read_back in READ_BACKS), *openapi_messages.TYPES]
        )
        return _document(paths, {**partner.schemas, **rows, "Problem": PROBLEM})


def _document(paths: Schema, schemas: dict[str, Schema]) -> Schema:
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Homeroom API",
            "version": version("homeroom"),
            "summary": "An open, self-hosted server that speaks the ClassIn/EEO partner API",
            "description": ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": about} for name, about in TAGS],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": {
                "Problem": {
                    "description": "The request was not answered; `detail` says why.",
                    "content": PROBLEM_CONTENT,
                }
            },
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A token of one school or of the operator, from "
                    "`homeroom token create`.",
                }
            },
        },
    }


def _read_back(read_back: ReadBack, *, client_profile: bool) -> Schema:
    row: Schema = {"$ref": f"#/components/schemas/{read_back.row.__name__}"}
    page = {
        "type": "object",
        "required": ["data", "next"],
        "properties": {
            "data": {"type": "array", "items": row},
            "next": {
                "type": ["string", "null"],
                "description": "The `cursor` of the page that follows; null after the last.",
            },
        },
    }
    about = f"Sorted {read_back.order}." if read_back.order else ""
    parameters = [
        {
            "name": part.strip("{}"),
            "in": "path",
            "required": True,
            "schema": {"type": "integer", "minimum": 1},
        }
        for part in read_back.path.split("/")
        if part.startswith("{")
    ]
    parameters += [
        _parameter(read_back.query, field) for field in ParamsReader(read_back.query).fields
    ]
    refusals = ["400", "401", "403", "404"] if parameters else ["401"]
    return {
        "operationId": read_back.name,
        "tags": ["Read-back"],
        "summary": read_back.title,
        "description": about,
        "security": [{"token": []}],
        "parameters": parameters,
        "responses": {
            "200": {
                "description": "What the token sees.",
                "content": {
                    "application/json": {"schema": page if read_back.order else row},
                    **(TABLE if read_back.has_table and not client_profile else {}),
                },
            },
            **{status: {"$ref": "#/components/responses/Problem"} for status in refusals},
        },
    }


def _parameter(query: type[Params], field: ParamField) -> Schema:
    schema = param_schema(query, field)
    about = schema.pop("description", "")
    if field.default:
        schema["default"] = field.default
    return {"name": field.names[0], "in": "query", "description": about, "schema": schema}


def _operation_paths() -> Schema:
    text = {"text/plain": {"schema": {"type": "string"}}}
    readiness = {
        "type": "object",
        "required": ["status"],
        "properties": {
            "status": {"enum": ["ready", "degraded", "not ready"], "type": "string"},
            "reasons": {"type": "array", "items": {"type": "string"}},
        },
    }
    return {
        "/healthz": _operation("getHealth", "The process is alive", {"200": ("It is.", text)}),
        "/readyz": _operation(
            "getReadiness",
            "A write reaches the disk, and jobs are being done",
            {
                "200": (
                    "All of it; degraded: jobs are set aside.",
                    {"application/json": {"schema": readiness}},
                ),
                "503": (
                    "Not ready: why.",
                    {"application/json": {"schema": readiness}},
                ),
            },
        ),
        "/metrics": _operation(
            "getMetrics",
            "Metrics, for Prometheus",
            {
                "200": ("Them.", text),
                "401": ("From elsewhere, without an operator's token.", PROBLEM_CONTENT),
            },
        ),
        "/openapi.json": _operation(
            "getDescription",
            "This document",
            {"200": ("OpenAPI 3.1.", {"application/json": {"schema": {"type": "object"}}})},
        ),
        "/openapi-client.json": _operation(
            "getClientProfile",
            "The same for generators of clients: one encoding, no query string in a path",
            {"200": ("OpenAPI 3.1.", {"application/json": {"schema": {"type": "object"}}})},
        ),
    }


def _operation(name: str, title: str, answers: dict[str, tuple[str, Schema]]) -> Schema:
    responses = {
        status: {"description": about, "content": content}
        for status, (about, content) in answers.items()
    }
    return {
        "get": {
            "operationId": name,
            "tags": ["Operation"],
            "summary": title,
            "responses": responses,
        }
    }
