"""The sandbox's endpoints in OpenAPI."""

from collections.abc import Sequence
from typing import Any

from homeroom.domain.classroom_events import ClassroomEventKind
from homeroom.domain.deliveries import AttemptOutcome

Schema = dict[str, Any]

WHOLE: Schema = {"type": "integer"}
CLOCK: Schema = {
    "type": "object",
    "properties": {
        "now": {**WHOLE, "description": "The sandbox's time, seconds since 1970 UTC."},
        "real": {**WHOLE, "description": "The machine's time."},
        "offset": {**WHOLE, "description": "Seconds the sandbox is ahead; behind when negative."},
    },
}
MOVE: Schema = {
    "oneOf": [
        {
            "type": "object",
            "required": ["advance"],
            "properties": {
                "advance": {**WHOLE, "description": "Seconds; may be negative."},
                "step": {
                    **WHOLE,
                    "minimum": 1,
                    "description": "Seconds of each step: retries are played one by one.",
                },
            },
        },
        {
            "type": "object",
            "required": ["now"],
            "properties": {"now": {**WHOLE, "description": "Seconds since 1970 UTC."}},
        },
    ],
    "examples": [{"advance": 3600}],
}
FAULT: Schema = {
    "type": "object",
    "required": ["action"],
    "properties": {
        "action": {"type": "string", "description": "The action it meets."},
        "sid": {**WHOLE, "description": "The school it meets; any when left out."},
        "errno": {**WHOLE, "description": "The number answered; a warning keeps the work."},
        "delay_ms": {**WHOLE, "default": 0, "description": "Wait so long."},
        "drop": {
            "type": "boolean",
            "default": False,
            "description": "End the connection without an answer.",
        },
        "times": {**WHOLE, "default": 1, "description": "How many calls it meets."},
        "after_commit": {
            "type": "boolean",
            "default": False,
            "description": "Do the work first, and then fail as asked.",
        },
    },
    "examples": [{"action": "addCourseClass", "errno": 104, "times": 2}],
}
ENDPOINT_FAULT: Schema = {
    "type": "object",
    "required": ["endpoint", "outcome"],
    "properties": {
        "endpoint": {**WHOLE, "description": "The endpoint whose attempts it meets."},
        "outcome": {
            "type": "string",
            "enum": [outcome.value for outcome in AttemptOutcome],
            "description": "How they end; nothing reaches the receiver.",
        },
        "times": {**WHOLE, "default": 1, "description": "How many attempts it meets."},
    },
    "examples": [{"endpoint": 1, "outcome": "timeout", "times": 3}],
}
ANY_FAULT: Schema = {"oneOf": [FAULT, ENDPOINT_FAULT]}
SHOWN_FAULT: Schema = {
    "type": "object",
    "properties": {"id": WHOLE, **FAULT["properties"], **ENDPOINT_FAULT["properties"]},
}
RESET: Schema = {
    "type": "object",
    "required": ["sid", "to"],
    "properties": {"sid": WHOLE, "to": {"type": "string", "enum": ["empty", "demo"]}},
    "examples": [{"sid": 1, "to": "demo"}],
}
ENTRY: Schema = {
    "type": "object",
    "properties": {
        "request_id": {"type": "string"},
        "at": WHOLE,
        "sid": {"type": ["integer", "null"], "description": "The school that signed it."},
        "claimed_sid": {
            "type": ["integer", "null"],
            "description": "The SID that a request names without a valid signature: not proven.",
        },
        "address": {"type": "string", "description": "The client's IP address."},
        "action": {"type": "string"},
        "fields": {"type": "object", "additionalProperties": {"type": "string"}},
        "errno": {"type": ["integer", "null"], "description": "null: the connection was dropped."},
        "reason": {"type": "string"},
        "milliseconds": {"type": "number"},
    },
}
EMIT: Schema = {
    "type": "object",
    "required": ["sid", "kind"],
    "properties": {
        "sid": WHOLE,
        "kind": {"type": "string"},
        "classId": WHOLE,
        "courseId": WHOLE,
        "activityId": WHOLE,
        "uid": WHOLE,
        "fields": {"type": "object"},
    },
    "examples": [{"sid": 1, "kind": "homework_score", "courseId": 1}],
}
STEP: Schema = {
    "type": "object",
    "required": ["at", "do"],
    "properties": {
        "at": {**WHOLE, "description": "Seconds from the start of the class, negative before it."},
        "do": {
            "type": "string",
            "enum": [kind.value for kind in ClassroomEventKind],
            "description": "The event; the guide to rehearsals lists the fields of each.",
        },
        "uid": {**WHOLE, "description": "Who acts or is meant."},
        "by": {
            **WHOLE,
            "description": "Who does it to them; the teacher if left out, 0 is the service.",
        },
    },
}
SCRIPT: Schema = {
    "type": "object",
    "required": ["sid", "classId", "script"],
    "properties": {
        "sid": WHOLE,
        "classId": WHOLE,
        "script": {
            "oneOf": [
                {"type": "array", "minItems": 1, "items": STEP},
                {"const": "lesson", "description": "The ready lesson, by the class's own members."},
            ]
        },
    },
    "examples": [
        {
            "sid": 1,
            "classId": 1,
            "script": [
                {"at": -300, "do": "enter", "uid": 10},
                {"at": 60, "do": "hand", "uid": 10, "up": True},
                {"at": 2400, "do": "leave", "uid": 10},
            ],
        },
        {"sid": 1, "classId": 1, "script": "lesson"},
    ],
}
PRESENCE = ("uid", "identity", "client", "device", "enteredTime")
REHEARSAL: Schema = {
    "type": "object",
    "properties": {
        "sid": WHOLE,
        "classId": WHOLE,
        "inside": {
            "type": "array",
            "description": "Who is inside, and by which device.",
            "items": {
                "type": "object",
                "properties": dict.fromkeys(
                    ("uid", "identity", "client", "device", "enteredTime"), WHOLE
                ),
            },
        },
        "coming": {
            "type": "array",
            "description": "The events that are to come, with the moments at which they are due.",
            "items": {**STEP, "properties": {"due": WHOLE, **STEP["properties"]}},
        },
    },
}
OF_CLASS = ("sid", "class")


def paths() -> dict[str, Any]:
    """Return the sandbox's paths."""
    return {
        "/sandbox/clock": {
            "get": _operation("getClock", "What time it is in the sandbox", CLOCK),
            "post": _operation(
                "moveClock", "Move the clock; work that becomes due is done first", CLOCK, MOVE
            ),
        },
        "/sandbox/faults": {
            "get": _operation("listFaults", "The faults still to happen", _list("faults")),
            "post": _operation(
                "askForFault",
                "Have calls, or attempts to deliver messages, fail as asked",
                SHOWN_FAULT,
                ANY_FAULT,
                status="201",
            ),
            "delete": _operation(
                "removeFaults", "Have no more faults", _object({"removed": WHOLE})
            ),
        },
        "/sandbox/reset": {
            "post": _operation(
                "resetSchool",
                "Empty a school, or fill it as the demo school is",
                _object({"sid": WHOLE, "to": {"type": "string"}, "removed": {"type": "object"}}),
                RESET,
            )
        },
        "/sandbox/messages": {
            "get": _operation(
                "readInbox",
                "The messages of a school, or of all, with the attempts to deliver them",
                _object({"messages": {"type": "array", "items": {"type": "object"}}}),
                query={
                    "sid": WHOLE,
                    "kind": {"type": "string"},
                    "class": WHOLE,
                    "after": WHOLE,
                    "limit": WHOLE,
                    "wait": {**WHOLE, "description": "Seconds to wait for the first one."},
                },
            ),
            "post": _operation(
                "emitMessage",
                "Send a message of any kind through the outbox",
                _object({"sid": WHOLE, "kind": {"type": "string"}}),
                EMIT,
                status="201",
            ),
        },
        "/sandbox/classroom": {
            "get": _operation(
                "readRehearsal",
                "Who is inside a class, and what is to come",
                REHEARSAL,
                needed=OF_CLASS,
            ),
            "post": _operation(
                "playScript",
                "Play a script on a class by the sandbox's clock",
                REHEARSAL,
                SCRIPT,
                status="201",
            ),
            "delete": _operation(
                "dropScript",
                "Drop what of the script of a class has not happened",
                _object({"dropped": WHOLE}),
                needed=OF_CLASS,
            ),
        },
        "/sandbox/journal": {
            "get": _operation(
                "readJournal",
                "The last requests of the partner API, newest first, secrets masked",
                _object({"requests": {"type": "array", "items": ENTRY}}),
                query={"limit": WHOLE, "sid": WHOLE, "action": {"type": "string"}},
            )
        },
    }


def _object(properties: Schema) -> Schema:
    return {"type": "object", "properties": properties}


def _list(name: str) -> Schema:
    return _object({name: {"type": "array", "items": SHOWN_FAULT}})


def _parameter(name: str, schema: Schema) -> Schema:
    return {"name": name, "in": "query", "schema": schema}


def _operation(
    name: str,
    title: str,
    answer: Schema,
    body: Schema | None = None,
    *,
    query: Schema | None = None,
    needed: Sequence[str] = (),
    status: str = "200",
) -> Schema:
    operation: Schema = {
        "operationId": name,
        "tags": ["Sandbox"],
        "summary": title,
        "security": [{}, {"token": []}],
        "parameters": [
            *(
                {"name": name, "in": "query", "schema": schema}
                for name, schema in (query or {}).items()
            ),
            *({"name": name, "in": "query", "required": True, "schema": WHOLE} for name in needed),
        ],
        "responses": {
            status: {"description": "Done.", "content": {"application/json": {"schema": answer}}},
            "4XX": {"$ref": "#/components/responses/Problem"},
        },
    }
    if body is not None:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": body}},
        }
    return operation
