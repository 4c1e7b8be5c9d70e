"""Order of the checks: calls in which several causes hold at once, for every action.

A chain begins with everything wrong. The checks of the contract say which errno is answered next;
the chain says how its cause is removed, and the next one shows. A cause is never removed before
its turn, so two checks in another order than the server's fail the test.
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from homeroom.contract.action import Action, Check
from tests.support.given import Given
from tests.support.wire import Reply, Value

STRANGER: Final = 10**9
"""An id that nothing has."""
STUDENT: Final = 1
AUDITOR: Final = 2
MALFORMED: Final = "12345"
OUT_OF_RANGE: Final = "12000000000"
PENDING_MS: Final = 2500
Fields = dict[str, Any]
OneMend = Fields | Callable[[], Fields]


class InTurn:
    """Mends of an errno that several checks have: one for each; None where the cause is absent."""

    def __init__(self, *mends: OneMend | None) -> None:
        self.mends = mends


Mend = OneMend | InTurn


@dataclass(frozen=True)
class Chain:
    """A call with everything wrong, and for each errno how its cause is removed."""

    call: Callable[..., Reply]
    wrong: Fields
    mends: dict[int, Mend]

    def run(self, checks: tuple[Check, ...]) -> None:
        """Call again and again; each errno must be the first check whose cause still holds."""
        fields = dict(self.wrong)
        numbers = [check.errno.number for check in checks]
        assert self.mends.keys() <= set(numbers)
        for place, number in enumerate(numbers):
            mend = self._get_mend(number, numbers[:place].count(number))
            if mend is not None:
                reply = self.call(**fields)
                assert reply.errno == number, (fields, reply.body, reply.reason)
                fields |= mend() if callable(mend) else mend

    def _get_mend(self, number: int, turn: int) -> OneMend | None:
        mend = self.mends.get(number)
        if isinstance(mend, InTurn):
            return mend.mends[turn] if turn < len(mend.mends) else None
        return mend


@dataclass(frozen=True)
class Order:
    """The chains of an action, for its call and, in a batch, for an entry."""

    of_call: "Chains | tuple[Chains, ...]"
    """Each function has a school of its own."""
    of_entry: "Chains | None" = None
    apart: dict[int, str] = field(default_factory=dict)
    """Errnos that no chain has, and why: their cause holds with no other one."""


Chains = Callable[[Given], list[Chain]]
ORDERS: Final[dict[str, Order]] = {}


def declare(action: Action[Any, Any], order: Order) -> None:
    """Add the chains of an action."""
    assert action.name not in ORDERS
    ORDERS[action.name] = order


def caller(given: Given, action: str) -> Callable[..., Reply]:
    """Return what calls an action, with a picture if there is one."""

    def call(*, picture: bytes | None = None, **fields: Value) -> Reply:
        if picture is None:
            return given.api.call(action, **fields)
        return given.api.upload(action, picture, **fields)

    return call


def entry_caller(given: Given, action: str, name: str, **form: Value) -> Callable[..., Reply]:
    """Return what calls a batch of one entry, and gives its errno as that of the call.

    With `twice` the entry is sent twice, and the second one counts.
    """

    def call(*, twice: bool = False, **entry: Any) -> Reply:  # noqa: ANN401  any field
        fields = {key: value for key, value in entry.items() if value is not None}
        entries: list[Any] = [fields] * (2 if twice else 1)
        reply = given.api.call(action, **form, **{name: entries})
        assert reply.errno == 1, (reply.body, reply.reason)
        return Reply(reply.status, {"error_info": reply.data[-1]}, reply.headers)

    return call


class Pending:
    """A call of another client that is at work until it is released."""

    def __init__(self, given: Given, action: str, **fields: Any) -> None:  # noqa: ANN401  any field, or a picture
        self._run = self._pending(given, action, fields)

    def start(self) -> None:
        """Begin the call, and return when it holds its locks."""
        next(self._run)

    def finish(self) -> None:
        """Wait until the call has ended, however it ends."""
        next(self._run, None)

    @staticmethod
    def _pending(given: Given, action: str, fields: dict[str, Any]) -> Iterator[None]:
        with _delayed(given, action, fields):
            yield


@contextmanager
def _delayed(given: Given, action: str, fields: dict[str, Any]) -> Iterator[None]:
    given.fault(action, delay_ms=PENDING_MS)
    faults = given.house.faults
    with ThreadPoolExecutor(1) as client:
        slow = client.submit(caller(given, action), **fields)
        until = time.monotonic() + 10
        while any(fault.school == given.school.id for fault in faults.pending()):
            assert time.monotonic() < until, "the other call did not begin"
            time.sleep(0.005)
        yield
        slow.result()
