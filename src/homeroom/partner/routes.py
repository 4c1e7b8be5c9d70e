"""Routes: each action with its handler, and the rules by which the dispatcher runs it."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, TypeVar

import msgspec

from homeroom.base.ids import SchoolId
from homeroom.contract.action import Action
from homeroom.contract.errno import Errno
from homeroom.contract.lists import find_entry_lists
from homeroom.contract.params import Params, ParamsReader
from homeroom.contract.results import Result
from homeroom.domain.webcasts import Hosts
from homeroom.store.engine import UnitScope
from homeroom.store.storage import Storage
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases.dependencies import Dependencies
from homeroom.web.faults import Fault

P = TypeVar("P", bound=Params)
R = TypeVar("R", bound=Result)
X = TypeVar("X")
"""What a route prepares outside the unit of work."""


class CallContext(msgspec.Struct, Generic[X], frozen=True):
    """All that a handler needs in addition to the parameters."""

    uow: UnitOfWork
    school: SchoolId
    deps: Dependencies
    hosts: Hosts
    prepared: X
    """The result of the route's `prepare`; None where it has none."""
    busy_keys: frozenset[str] = frozenset()
    """Keys that other requests still have locked."""
    entry_fault: Fault | None = None
    """A fault of entries of this batch."""
    reasons: list[str] = []
    """Reasons of the refused entries of a batch, one line each."""


class LockRule(msgspec.Struct, Generic[P], frozen=True):
    """Keys that a request locks while it runs, and the errno when one of them stays locked.

    Without an errno the handler gets the locked keys in `busy_keys`, and refuses single entries.
    """

    keys: Callable[[SchoolId, P], Iterable[str]]
    errno: Errno | None
    acquires: bool = True
    """False: the request waits until the keys are free, and does not lock them itself."""


class ActionRoute(msgspec.Struct, Generic[P, R, X], frozen=True):
    """One row of the table: an action, its handler, and how the dispatcher runs it."""

    action: Action[P, R]
    handler: Callable[[CallContext[X], P], R]
    reader: ParamsReader[P]
    entry_lists: Mapping[tuple[str, ...], ParamsReader[Any]]
    """The parameters that are lists of objects, by their names, and the reader of an entry."""
    check_before_file: Callable[[UnitOfWork, SchoolId, P], None] | None
    """For a large upload: checks of what comes before the file, so that none is sent in vain."""
    reserve: Callable[[UnitOfWork, SchoolId, P], None] | None
    """A unit of work of its own before `prepare`: it makes the checks, and sees to it that what
    `prepare` stores does not stay if the server ends before the handler has run."""
    prepare: Callable[[Storage, P], X] | None
    """Work that needs only the parameters, before the unit of work: account names, password
    hashes, pictures."""
    prepares_quickly: bool
    """`prepare` takes at most some milliseconds, and runs on the event loop."""
    describe_existing: Callable[[Hosts, object], R] | None
    """Makes the result of a refusal from the thing that exists already."""
    locks: tuple[LockRule[P], ...]
    refuses_duplicates: bool
    """An equal request within five seconds is refused (READINGS Q41)."""
    scope: Callable[[P], UnitScope] | None
    """The part of the school that a call locks; without one it locks the whole school."""
    read_only: bool
    max_per_minute: int | None
    """Signed calls of a school within any 60 seconds; more are `Errno.TOO_MANY_REQUESTS`."""


def route(
    action: Action[P, R],
    handler: Callable[[CallContext[X], P], R],
    *,
    check_before_file: Callable[[UnitOfWork, SchoolId, P], None] | None = None,
    reserve: Callable[[UnitOfWork, SchoolId, P], None] | None = None,
    prepare: Callable[[Storage, P], X] | None = None,
    prepares_quickly: bool = False,
    describe_existing: Callable[[Hosts, object], R] | None = None,
    locks: tuple[LockRule[P], ...] = (),
    refuses_duplicates: bool = False,
    scope: Callable[[P], UnitScope] | None = None,
    read_only: bool = False,
    max_per_minute: int | None = None,
) -> ActionRoute[P, R, X]:
    """Join an action with its handler; the type checker sees that they fit."""
    reader = action.reader()
    return ActionRoute(
        action,
        handler,
        reader,
        find_entry_lists(reader),
        check_before_file,
        reserve,
        prepare,
        prepares_quickly,
        describe_existing,
        locks,
        refuses_duplicates,
        scope,
        read_only,
        max_per_minute,
    )
