"""Faults as they are asked for and shown: JSON to fault and back."""

from http import HTTPStatus
from typing import Any

from homeroom.base.ids import SchoolId
from homeroom.contract.action import BEFORE_DISPATCH, Action
from homeroom.contract.catalogue import ACTIONS, PLANNED, WITHDRAWN
from homeroom.contract.errno import Errno, Outcome
from homeroom.sandbox.bodies import AskFault
from homeroom.web.faults import MAX_DELAY_MS, MAX_TIMES, Fault
from homeroom.web.problems import HTTPError

BY_NAME = {action.name: action for action in ACTIONS}


def fault(asked: AskFault) -> Fault:
    """Return the fault that is asked for, or raise `HTTPError`."""
    errno = _errno(_action(asked.action), asked.errno)
    if errno is None and not asked.delay_ms and not asked.drop:
        raise _bad("say what shall happen: errno, delay_ms or drop")
    if errno is not None and asked.drop:
        raise _bad("a dropped connection carries no errno: send errno or drop")
    if not 0 <= asked.delay_ms <= MAX_DELAY_MS:
        raise _bad(f"delay_ms must be 0 to {MAX_DELAY_MS}")
    if not 1 <= asked.times <= MAX_TIMES:
        raise _bad(f"times must be 1 to {MAX_TIMES}")
    return Fault(
        id=0,
        action=asked.action,
        school=None if asked.sid is None else SchoolId(asked.sid),
        errno=errno,
        delay_ms=asked.delay_ms,
        drop=asked.drop,
        times=asked.times,
        after_commit=asked.after_commit,
    )


def shown(pending: Fault) -> dict[str, Any]:
    """Return a fault as the sandbox shows it."""
    return {
        "id": pending.id,
        "sid": pending.school,
        "action": pending.action,
        "errno": None if pending.errno is None else pending.errno.number,
        "delay_ms": pending.delay_ms,
        "drop": pending.drop,
        "times": pending.times,
        "after_commit": pending.after_commit,
    }


def _action(name: str) -> Action[Any, Any]:
    action = BY_NAME.get(name)
    if action is not None:
        return action
    if any(name in names for names in PLANNED.values()):
        raise _bad(f"action {name} is not implemented, so no call of it can meet a fault")
    if name in WITHDRAWN:
        raise _bad(f"action {name} was withdrawn from the API")
    raise _bad(f"action: none is named {name[:50]!r}; there are {', '.join(sorted(BY_NAME))}")


def _errno(action: Action[Any, Any], number: int | None) -> Errno | None:
    """Return the answer of that number, if the action may give it at the top."""
    if number is None:
        return None
    allowed = {
        errno.number: errno
        for errno in (*action.errnos, *BEFORE_DISPATCH)
        if errno.outcome is not Outcome.DONE
    }
    if number not in allowed:
        numbers = ", ".join(map(str, sorted(allowed)))
        raise _bad(f"errno {number} is no fault of {action.name}; it may be one of {numbers}")
    return allowed[number]


def _bad(detail: str) -> HTTPError:
    return HTTPError(HTTPStatus.BAD_REQUEST, detail)
