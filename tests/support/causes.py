"""All pairs of causes of an action: whatever two hold at once, the earlier check answers."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from homeroom.contract.action import Check
from tests.support.orders import Fields
from tests.support.wire import Reply


@dataclass(frozen=True)
class Cause:
    """What makes one check refuse a call that would be done otherwise."""

    errno: int
    fields: Fields = field(default_factory=dict)
    plan: dict[str, Any] = field(default_factory=dict)
    """Changes of the school's plan, for as long as the call takes."""

    def fits(self, other: "Cause") -> bool:
        """Tell whether both can hold at once: no value of one is another value of the other."""
        return all(
            mine[name] == others[name]
            for mine, others in ((self.fields, other.fields), (self.plan, other.plan))
            for name in mine.keys() & others.keys()
        )


def match_causes(checks: Sequence[Check], causes: Sequence[Cause], left_out: set[int]) -> None:
    """Make sure that the causes are those of the checks, in their order."""
    expected = [number for check in checks if (number := check.errno.number) not in left_out]
    assert [cause.errno for cause in causes] == expected


def list_pairs(causes: Sequence[Cause]) -> Iterator[tuple[Cause, Cause]]:
    """Return all pairs of causes that can hold at once, each in the order of the checks."""
    return (pair for pair in combinations(causes, 2) if pair[0].fits(pair[1]))


def run_pairs(
    causes: Sequence[Cause],
    call: Callable[[Fields], Reply],
    set_plan: Callable[[dict[str, Any]], None],
) -> int:
    """Call with each cause alone and with each pair; return the number of calls."""
    calls = 0
    for found in [(cause, cause) for cause in causes] + [*list_pairs(causes)]:
        first, second = found
        set_plan({**first.plan, **second.plan})
        reply = call({**first.fields, **second.fields})
        assert reply.errno == first.errno, (found, reply.body, reply.reason)
        calls += 1
    return calls
