"""Parts of the OpenAPI document that the operations of both wires share."""

from collections.abc import Iterable
from typing import Any

from homeroom.contract.action import Action, Check
from homeroom.contract.errno import Errno
from homeroom.contract.schema import Schema

HEADERS: Schema = {
    "X-Homeroom-Reason": {
        "description": "The reason, in plain English; absent when the call is done.",
        "schema": {"type": "string"},
    },
    "X-Request-Id": {
        "description": "Identifies the request in the log.",
        "schema": {"type": "string"},
    },
}
RETRY_AFTER: Schema = {
    "Retry-After": {
        "description": "Seconds after which the call may be sent again.",
        "schema": {"type": "integer"},
    }
}


def name_response(action: Action[Any, Any]) -> str:
    """Return the name of the schema of an action's response."""
    return _join_words(action.name) + "Response"


def name_operation(action: Action[Any, Any]) -> str:
    """Return the id of an action's operation; generators of clients make a name of it."""
    words = _join_words(action.name)
    return words[0].lower() + words[1:]


def _join_words(name: str) -> str:
    """Return `LmsUnitCreate` of `lms.unit.create`."""
    return "".join(word[0].upper() + word[1:] for word in name.split("."))


def describe_responses(response: str, refused: str, outcome: str) -> Schema:
    """Return the responses of an operation, by the names of their schemas."""
    return {
        "200": {
            "description": f"Every business answer; `{outcome}` is its outcome.",
            "headers": HEADERS,
            "content": refer_to(response),
        },
        "408": {"description": "The body came too slowly.", "content": refer_to(refused)},
        "413": {"description": "The body is too large.", "content": refer_to(refused)},
        "503": {
            "description": "The server cannot answer now, or the school is over a limit of "
            "its plan: nothing was changed, try again later.",
            "headers": {**HEADERS, **RETRY_AFTER},
            "content": refer_to(refused),
        },
    }


def refer_to(schema: str) -> Schema:
    """Return content in JSON of a schema by its name."""
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}


def list_numbers(action: Action[Any, Any]) -> str:
    """Return the errnos that an action may answer at the top."""
    errnos = dict.fromkeys((Errno.DONE, *action.refusals, *action.warning_errnos, *action.faults))
    return ", ".join(str(errno.number) for errno in errnos)


def describe_outcomes(action: Action[Any, Any]) -> str:
    """Return the checks, warnings and errnos of an action, in Markdown."""
    lines = ["**Checks, in their order.** The first one that fails is answered.", ""]
    lines += _number_checks(action.ordered_checks)
    if action.entry_checks:
        lines += ["", "**Checks of each entry, in their order.**", ""]
        lines += _number_checks(action.entry_checks)
    if action.warnings:
        lines += ["", "**Warnings.** The call is done; of several the first is answered.", ""]
        lines += _number_checks(action.warnings)
    lines += ["", "| errno | how | meaning |", "|---|---|---|"]
    for errno in action.errnos:
        lines.append(f"| {errno.number} | {_origins(action, errno)} | {errno.en} |")
    return "\n".join(lines)


def _number_checks(checks: Iterable[Check]) -> list[str]:
    return [f"1. `{check.errno.number}` {check.when}" for check in checks]


def _origins(action: Action[Any, Any], errno: Errno) -> str:
    """Return in which ways an action answers an errno."""
    if errno is Errno.DONE:
        return "done"
    origins = {
        "refused": action.refusals,
        "warning": action.warning_errnos,
        "entry": action.entry_errnos,
        "fault": action.faults,
    }
    return ", ".join(word for word, errnos in origins.items() if errno in errnos)
