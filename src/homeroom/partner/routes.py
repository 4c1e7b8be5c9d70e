"""How an action is served: its handler, and what happens around it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from homeroom.base.ids import SchoolId
from homeroom.contract.action import Action
from homeroom.contract.errno import Errno
from homeroom.contract.params import Params
from homeroom.domain.webcasts import Hosts
from homeroom.partner.answers import Answer
from homeroom.store.files import Files
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases.dependencies import Dependencies

P = TypeVar("P", bound=Params)


@dataclass(frozen=True, slots=True)
class CallContext:
    """What a handler gets besides the parameters."""

    uow: UnitOfWork
    school: SchoolId
    deps: Dependencies
    hosts: Hosts
    prepared: Any = None
    """What `before` returned."""
    busy_keys: frozenset[str] = frozenset()
    """Keys of things that other requests still work on."""


@dataclass(frozen=True, slots=True)
class LockRule(Generic[P]):
    """What a request holds while it runs, or waits for, and the number for having waited too long.

    Without a number the handler gets the keys in `busy` and refuses entries by itself.
    """

    keys: Callable[[SchoolId, P], Iterable[str]]
    errno: Errno | None
    acquires: bool = True


@dataclass(frozen=True, slots=True)
class ActionRoute(Generic[P]):
    """One row of the table."""

    action: Action[P]
    handler: Callable[[CallContext, P], Answer]
    prepare: Callable[[Files, P], Any] | None = None
    """Slow work on values, done outside the unit of work: passwords, pictures."""
    describe_existing: Callable[[Hosts, Any], Answer] | None = None
    """What a refusal that names something answers."""
    locks: tuple[LockRule[P], ...] = ()
    refuses_duplicates: bool = False
    """Whether the same parameters within five seconds are refused."""
    concurrent: bool = False
    """Whether it may run beside others of the school that may; it then only adds."""
    read_only: bool = False


def route(
    action: Action[P],
    handler: Callable[[CallContext, P], Answer],
    *,
    prepare: Callable[[Files, P], Any] | None = None,
    describe_existing: Callable[[Hosts, Any], Answer] | None = None,
    locks: tuple[LockRule[P], ...] = (),
    refuses_duplicates: bool = False,
    concurrent: bool = False,
    read_only: bool = False,
) -> ActionRoute[P]:
    """Join an action and its handler; the type checker sees that they fit."""
    return ActionRoute(
        action,
        handler,
        prepare,
        describe_existing,
        locks,
        refuses_duplicates,
        concurrent,
        read_only,
    )
