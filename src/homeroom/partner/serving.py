"""How an action is served: its handler, and what happens around it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from homeroom.base.ids import SchoolId
from homeroom.contract.action import Action
from homeroom.contract.errno import Errno
from homeroom.contract.wire import Wire
from homeroom.domain.webcasts import Hosts
from homeroom.partner.answers import Answer
from homeroom.store.files import Files
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases.dependencies import Dependencies

P = TypeVar("P", bound=Wire)


@dataclass(frozen=True, slots=True)
class Call:
    """What a handler gets besides the parameters."""

    uow: UnitOfWork
    school: SchoolId
    deps: Dependencies
    hosts: Hosts
    prepared: Any = None
    """What `before` returned."""
    busy: frozenset[str] = frozenset()
    """Keys of things that other requests still work on."""


@dataclass(frozen=True, slots=True)
class Turn(Generic[P]):
    """What a request holds while it runs, or waits for, and the number for having waited too long.

    Without a number the handler gets the keys in `busy` and refuses entries by itself.
    """

    keys: Callable[[SchoolId, P], Iterable[str]]
    errno: Errno | None
    holds: bool = True


@dataclass(frozen=True, slots=True)
class Served(Generic[P]):
    """One row of the table."""

    action: Action[P]
    handler: Callable[[Call, P], Answer]
    before: Callable[[Files, P], Any] | None = None
    """Slow work on values, done outside the unit of work: passwords, pictures."""
    about: Callable[[Hosts, Any], Answer] | None = None
    """What a refusal that names something answers."""
    turns: tuple[Turn[P], ...] = ()
    is_guarded: bool = False
    """Whether the same parameters within five seconds are refused."""
    together: bool = False
    """Whether it may run beside others of the school that may; it then only adds."""
    reads: bool = False


def serve(
    action: Action[P],
    handler: Callable[[Call, P], Answer],
    *,
    before: Callable[[Files, P], Any] | None = None,
    about: Callable[[Hosts, Any], Answer] | None = None,
    turns: tuple[Turn[P], ...] = (),
    is_guarded: bool = False,
    together: bool = False,
    reads: bool = False,
) -> Served[P]:
    """Join an action and its handler; the type checker sees that they fit."""
    return Served(action, handler, before, about, turns, is_guarded, together, reads)
