"""Every response of either wire against the result type of its action."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from homeroom.contract.action import Action
from homeroom.contract.catalogue import ACTIONS
from homeroom.contract.errno import BY_NUMBER, Errno, Outcome
from homeroom.testing.partner import find_entries

BY_NAME: Final = {action.name: action for action in ACTIONS}
_CARRY_RESULT: Final = {Outcome.DONE, Outcome.WARNING}


class UndeclaredResponseError(AssertionError):
    """A response that is not as the contract types it."""


def check_response(name: str, body: Mapping[str, Any], *, by_fault: bool = False) -> None:
    """Fail unless a response has exactly the fields of its action's result and its errno.

    A refusal carries a result only where its check says so; one that a fault brought about carries
    none. On the v2 wire `data` is null where there is no result.
    """
    rest = dict(body)
    if "error_info" in body:
        errno = _read_error(rest.pop("error_info"))
    else:
        errno = _read_error({"errno": rest.pop("code", None), "error": rest.pop("msg", None)})
        if rest.get("data", ...) is None:
            del rest["data"]
    action = BY_NAME.get(name)
    is_with_result = action is not None and (
        errno.outcome in _CARRY_RESULT or (errno in action.refusals_with_result and not by_fault)
    )
    if action is None or not is_with_result:
        if rest:
            message = f"{name} {errno.number} carries {sorted(rest)}"
            raise UndeclaredResponseError(message)
        return
    _check_result(action, rest)


def _check_result(action: Action[Any, Any], fields: dict[str, Any]) -> None:
    try:
        result = msgspec.convert(fields, action.result)
    except msgspec.ValidationError as error:
        message = f"{action.name}: {error}: {fields}"
        raise UndeclaredResponseError(message) from None
    # What the type does not have is passed over by the conversion, and so is missing here.
    if msgspec.to_builtins(result) != fields:
        message = f"{action.name} carries what {action.result.__name__} does not have: {fields}"
        raise UndeclaredResponseError(message)
    if action.entry is None or not isinstance(fields["data"], list):
        return
    number, label = ("code", "msg") if action.is_v2 else ("errno", "error")
    for entry in find_entries(fields["data"]):
        errno = _read_error({"errno": entry[number], "error": entry[label]})
        if errno not in (Errno.DONE, *action.entry_errnos):
            message = f"{action.name}: an entry has {errno.number}"
            raise UndeclaredResponseError(message)


def _read_error(info: object) -> Errno:
    """Return the errno of an answer or an entry; its label must be the errno's own."""
    match info:
        case {"errno": int(number), "error": str(label), **more} if not more:
            errno = BY_NUMBER.get(number)
            if errno is not None and errno.zh == label:
                return errno
    message = f"{info!r} is no error_info"
    raise UndeclaredResponseError(message)
