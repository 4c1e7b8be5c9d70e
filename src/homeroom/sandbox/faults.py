"""Conversion of faults from JSON and to JSON."""

from collections.abc import Collection
from http import HTTPStatus
from typing import Any

import msgspec

from homeroom.base.ids import EndpointId, SchoolId
from homeroom.contract.action import BEFORE_DISPATCH, Action
from homeroom.contract.catalogue import ACTIONS, WITHDRAWN
from homeroom.contract.errno import Errno, Outcome
from homeroom.contract.lists import MAX_ENTRIES
from homeroom.domain.deliveries import AttemptOutcome
from homeroom.sandbox.bodies import EndpointFaultRequest, FaultRequest
from homeroom.web.faults import MAX_DELAY_MS, MAX_TIMES, EndpointFault, Fault
from homeroom.web.problems import HTTPError

ACTIONS_BY_NAME = {action.name: action for action in ACTIONS}


def build_fault(request: FaultRequest) -> Fault:
    """Return the fault of a request; raises `HTTPError` (bad request)."""
    action = _get_action(request.action)
    errno = _get_errno(action, request.errno)
    in_entries = errno in action.errnos_of_entries_only
    if request.entries is not None:
        _check_entries(action, errno, request.entries)
        in_entries = True
    if errno is None and not request.delay_ms and not request.drop:
        raise _bad_request("name an effect: errno, delay_ms or drop")
    if errno is not None and request.drop:
        raise _bad_request("a dropped connection carries no errno: send errno or drop")
    if not 0 <= request.delay_ms <= MAX_DELAY_MS:
        raise _bad_request(f"delay_ms must be 0 to {MAX_DELAY_MS}")
    _check_times(request.times)
    return Fault(
        id=0,
        action=request.action,
        school=SchoolId(request.sid) if request.sid is not None else None,
        errno=errno,
        delay_ms=request.delay_ms,
        drop=request.drop,
        times=request.times,
        after_commit=request.after_commit,
        in_entries=in_entries,
        entries=tuple(request.entries or ()),
    )


def build_endpoint_fault(request: EndpointFaultRequest) -> EndpointFault:
    """Return the fault of an endpoint of a request; raises `HTTPError` (bad request)."""
    try:
        outcome = AttemptOutcome(request.outcome)
    except ValueError:
        names = ", ".join(AttemptOutcome)
        raise _bad_request(
            f"outcome: no attempt ends as {request.outcome[:50]!r}; there are {names}"
        ) from None
    _check_times(request.times)
    return EndpointFault(0, EndpointId(request.endpoint), outcome, request.times)


def format_fault(fault: Fault | EndpointFault) -> dict[str, Any]:
    """Return a fault as a JSON object."""
    if isinstance(fault, EndpointFault):
        return msgspec.to_builtins(fault)  # type: ignore[no-any-return]  # a struct is an object
    return {
        "id": fault.id,
        "sid": fault.school,
        "action": fault.action,
        "errno": fault.errno.number if fault.errno is not None else None,
        "delay_ms": fault.delay_ms,
        "drop": fault.drop,
        "times": fault.times,
        "after_commit": fault.after_commit,
        "in_entries": fault.in_entries,
        "entries": list(fault.entries),
    }


def _check_times(times: int) -> None:
    if not 1 <= times <= MAX_TIMES:
        raise _bad_request(f"times must be 1 to {MAX_TIMES}")


def _get_action(name: str) -> Action[Any, Any]:
    action = ACTIONS_BY_NAME.get(name)
    if action is not None:
        return action
    if name in WITHDRAWN:
        raise _bad_request(f"action {name} was withdrawn from the API")
    raise _bad_request(
        f"action: none is named {name[:50]!r}; there are {', '.join(sorted(ACTIONS_BY_NAME))}"
    )


def _get_errno(action: Action[Any, Any], number: int | None) -> Errno | None:
    """Return the errno of that number; raises `HTTPError` if the action cannot return it."""
    if number is None:
        return None
    allowed = {
        errno.number: errno
        for errno in (*action.errnos, *BEFORE_DISPATCH)
        if errno.outcome is not Outcome.DONE
    }
    if number not in allowed:
        numbers = ", ".join(map(str, sorted(allowed)))
        raise _bad_request(
            f"errno {number} is no fault of {action.name}; it may be one of {numbers}"
        )
    return allowed[number]


def _check_entries(action: Action[Any, Any], errno: Errno | None, entries: Collection[int]) -> None:
    """Refuse entries of an action that has none, and an errno that no entry can have."""
    if not entries or not all(1 <= entry <= MAX_ENTRIES for entry in entries):
        raise _bad_request(f"entries must be a list of numbers from 1 to {MAX_ENTRIES}")
    if errno not in action.entry_errnos:
        numbers = ", ".join(str(allowed.number) for allowed in action.entry_errnos)
        raise _bad_request(
            f"the errno of an entry of {action.name} may be one of {numbers}"
            if numbers
            else f"{action.name} has no entries"
        )


def _bad_request(detail: str) -> HTTPError:
    return HTTPError(HTTPStatus.BAD_REQUEST, detail)
