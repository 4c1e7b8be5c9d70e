"""An action of the partner API: its parameters, its result, and every way in which it may end.

Everything that is said of an action is read from here: the envelopes, the OpenAPI document, the
reference pages, the case tables and the order tests.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from itertools import chain
from typing import Generic, TypeVar

from homeroom.base.values import Value
from homeroom.contract.errno import Errno
from homeroom.contract.params import Params, ParamsReader
from homeroom.contract.results import Entry, Result
from homeroom.contract.upload import LargeUpload

P = TypeVar("P", bound=Params)
R = TypeVar("R", bound=Result)


class APIPath(StrEnum):
    """URL path of an endpoint that serves many actions of the v1 wire."""

    COURSE = "/partner/api/course.api.php"
    CLOUD = "/partner/api/cloud.api.php"


class V1Form(Value, frozen=True):
    """The v1 wire: a signed form; its parameter `action` names the action."""

    path: APIPath
    takes_file: bool = False
    """The form may be multipart and carry a file."""
    large_upload: LargeUpload | None = None
    """Set where that file may be larger than forms otherwise are."""


class V2JSON(Value, frozen=True):
    """The v2 wire: a JSON body, signed by headers, at a path of the action's own.

    The errnos of wrong parameters differ from action to action: each action lists some of the
    three that the wire has (READINGS Q76).
    """

    path: str
    malformed: Errno = Errno.MALFORMED_REQUEST
    """The body is no JSON object, or the method is another one than POST."""
    missing: Errno = Errno.BAD_VALUE
    """A mandatory parameter is missing, null or empty, or nothing is to be changed."""
    wrong: Errno = Errno.BAD_VALUE
    """A parameter has a wrong value."""


Binding = V1Form | V2JSON


class Check(Value, frozen=True):
    """One way in which a call or an entry may end other than done: the errno, and its cause."""

    errno: Errno
    when: str
    """The condition under which it is answered, in plain English; it names no number."""
    has_result: bool = False
    """A refusal carries the action's result, which describes the existing thing."""


V1_CHECKS = (
    Check(Errno.NOT_AUTHORISED, "SID, safeKey or timeStamp is wrong, or the school is suspended"),
    Check(Errno.BAD_PARAMS, "a parameter is missing or malformed"),
)
"""Checks that come first in every action of the v1 wire."""

V2_CREDENTIAL_CHECKS = (
    Check(Errno.NO_TIMESTAMP, "X-EEO-TS is missing or empty"),
    Check(Errno.TIMESTAMP_EXPIRED, "X-EEO-TS is not digits, or over 300 s off"),
    Check(
        Errno.BAD_SIGNATURE,
        "X-EEO-SIGN or X-EEO-UID is missing or wrong, or the school is unknown or suspended",
    ),
)
"""Checks of the headers of the v2 wire; they follow that of the shape (READINGS Q75)."""


class ParamErrnos(Value, frozen=True):
    """Errnos of the parameters of an action, by what is wrong with them."""

    missing: Errno
    wrong: Errno
    empty_list: Errno
    no_list: Errno
    """Of a list that cannot be decoded."""
    missing_comes_first: bool
    """A missing parameter is answered before a wrong value of another one."""


def list_v2_checks(binding: V2JSON, early: tuple[Check, ...]) -> tuple[Check, ...]:
    """Return the checks that come first in an action of the v2 wire; `early` are its own."""
    shape = Check(binding.malformed, "the method is not POST, or the body is no JSON object")
    missing = "a mandatory parameter is missing, null or empty"
    if binding.missing is binding.wrong:
        of_params = [Check(binding.wrong, f"{missing}, or a parameter has a wrong value")]
    else:
        of_params = [
            Check(binding.missing, missing),
            Check(binding.wrong, "a parameter has a wrong value"),
        ]
    return (shape, *V2_CREDENTIAL_CHECKS, *early, *of_params)


BEFORE_DISPATCH = (Errno.IN_MAINTENANCE,)
"""Errnos that any call may answer before its action is looked at."""


@dataclass(frozen=True, kw_only=True)
class Action(Generic[P, R]):
    """One action: parameters, result, and its checks in the order in which they are made."""

    name: str
    title: str
    params: type[P]
    result: type[R]
    bindings: tuple[Binding, ...]
    """The wire that it is served on; no action of the API is on both."""
    early_checks: tuple[Check, ...] = ()
    """Refusals on the v2 wire before the parameters are read, in their order."""
    checks: tuple[Check, ...] = ()
    """Refusals of the whole call, in the order in which they are checked; nothing was changed."""
    warnings: tuple[Check, ...] = ()
    """Errnos after which the work stands; when several hold, the first one is answered."""
    entry: type[Entry] | None = None
    """For a batch: the type of one entry of the result's `data`."""
    entry_checks: tuple[Check, ...] = ()
    """For a batch: errnos of a single entry, in the order in which they are checked."""
    faults: tuple[Errno, ...] = (Errno.FAILED, Errno.SERVER_FAULT)
    """Errnos that only a fault answers."""
    entry_faults: tuple[Errno, ...] = ()
    """For a batch: errnos of a single entry that only a fault answers."""
    unused_names: tuple[str, ...] = ()
    """Names that the documentation sends and that have no effect; all others are reported."""

    @property
    def ordered_checks(self) -> tuple[Check, ...]:
        """All checks of the whole call, in their order, those of its wire first."""
        binding = self.binding
        if not isinstance(binding, V2JSON):
            return (*V1_CHECKS, *self.checks)
        first = list_v2_checks(binding, self.early_checks)
        return (*first, *self.checks)

    @cached_property
    def param_errnos(self) -> ParamErrnos:
        """The errnos of wrong parameters."""
        binding = self.binding
        if isinstance(binding, V2JSON):
            missing, wrong = binding.missing, binding.wrong
            return ParamErrnos(missing, wrong, missing, wrong, missing_comes_first=True)
        has_own = any(check.errno is Errno.LIST_EMPTY for check in self.checks)
        of_list = Errno.LIST_EMPTY if has_own else Errno.BAD_PARAMS
        bad = Errno.BAD_PARAMS
        return ParamErrnos(bad, bad, of_list, of_list, missing_comes_first=False)

    @cached_property
    def errnos(self) -> tuple[Errno, ...]:
        """Every errno the action may answer, at the top or in an entry, each once."""
        checked = (check.errno for check in chain(self.ordered_checks, self.warnings))
        top = (Errno.DONE, *checked, *self.entry_errnos, *self.faults)
        return tuple(dict.fromkeys(top))

    @cached_property
    def refusals(self) -> tuple[Errno, ...]:
        """Errnos of the checks of the whole call, in their order, each once."""
        return tuple(dict.fromkeys(check.errno for check in self.ordered_checks))

    @cached_property
    def warning_errnos(self) -> tuple[Errno, ...]:
        """Errnos of the warnings, the one that is answered before others first."""
        return tuple(check.errno for check in self.warnings)

    @cached_property
    def entry_errnos(self) -> tuple[Errno, ...]:
        """Errnos of an entry: of its checks, in their order, and of its faults."""
        return (*(check.errno for check in self.entry_checks), *self.entry_faults)

    @cached_property
    def errnos_of_entries_only(self) -> frozenset[Errno]:
        """Errnos that stand in entries and never at the top."""
        top = {*self.refusals, *self.warning_errnos, *self.faults}
        return frozenset(self.entry_errnos) - top

    @cached_property
    def refusals_with_result(self) -> frozenset[Errno]:
        """Errnos of refusals that carry a result."""
        return frozenset(check.errno for check in self.checks if check.has_result)

    @property
    def binding(self) -> Binding:
        """The binding to the wire of the action."""
        (binding,) = self.bindings
        return binding

    @property
    def v1(self) -> V1Form:
        """The binding to the v1 wire; raises `LookupError` if the action has no such binding."""
        if isinstance(self.binding, V1Form):
            return self.binding
        message = f"{self.name} is not on the v1 wire"
        raise LookupError(message)

    @property
    def v2(self) -> V2JSON:
        """The binding to the v2 wire; raises `LookupError` if the action has no such binding."""
        if isinstance(self.binding, V2JSON):
            return self.binding
        message = f"{self.name} is not on the v2 wire"
        raise LookupError(message)

    @property
    def is_v2(self) -> bool:
        """Tell whether the action is on the v2 wire."""
        return isinstance(self.binding, V2JSON)

    def reader(self) -> ParamsReader[P]:
        """Return a new reader of this action's parameters."""
        return ParamsReader(self.params)
