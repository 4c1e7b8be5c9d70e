"""Case tables: how each number of an action comes about."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from homeroom.contract.action import Action
from homeroom.contract.errno import Errno
from tests.support.given import Given
from tests.support.wire import Reply, Value

Where = Literal["top", "entry", "fault"]


@dataclass(frozen=True)
class Case:
    """One number, and what has to be done to get it."""

    errno: int
    act: Callable[[Given], Reply]
    where: Where = "top"
    """At the top, in the (only or last) entry of a batch, or at the top by a fault."""

    def __str__(self) -> str:
        return str(self.errno)

    def run(self, given: Given) -> Reply:
        """Do it and make sure of the number."""
        reply = self.act(given)
        seen = reply.errnos[-1] if self.where == "entry" else reply.errno
        assert seen == self.errno, (reply.body, reply.reason)
        assert reply.reason.startswith("fault ") == (self.where == "fault"), reply.reason
        assert reply.status == 200
        return reply


def check_table(action: Action[Any, Any], cases: Sequence[Case]) -> None:
    """Make sure that a table has every number of its action and no other."""
    assert {case.errno for case in cases} == {errno.number for errno in action.errnos}


def common(action: Action[Any, Any], /, **fields: Value) -> tuple[Case, ...]:
    """Return what every action of its wire has, and its faults, for fields that can be read."""

    def faulty(errno: Errno) -> Case:
        return Case(
            errno.number,
            lambda g: g.failing(action, errno).api.call(action.name, **fields),
            "fault",
        )

    if action.is_v2:
        return (*_common_v2(action, fields), *map(faulty, action.faults))
    unsigned = {"SID": "1", "safeKey": "", "timeStamp": "1"}
    return (
        Case(100, lambda g: g.api.post(action.name, data=g.api.signed() if fields else unsigned)),
        Case(
            102,
            lambda g: g.api.post(action.name, data={**g.api.signed(**fields), "safeKey": "0" * 32}),
        ),
        *map(faulty, action.faults),
    )


def _common_v2(action: Action[Any, Any], fields: Mapping[str, Value]) -> tuple[Case, ...]:
    """Return what every action of the v2 wire has before its own checks."""

    def send(given: Given, *, without: str = "", **changes: str) -> Reply:
        content, headers = given.api.signed_json(**fields)
        headers |= {name.replace("_", "-"): value for name, value in changes.items()}
        headers.pop(without, None)
        return given.api.post(action.name, content=content, headers=headers)

    def send_list(given: Given) -> Reply:
        return given.api.post(action.name, content=b"[]", headers=given.api.sign(b"{}"))

    stale = Errno.TIMESTAMP_EXPIRED.number
    return (
        Case(action.v2.malformed.number, send_list),
        Case(Errno.NO_TIMESTAMP.number, lambda g: send(g, without="X-EEO-TS")),
        Case(stale, lambda g: send(g, X_EEO_TS=str(g.now - 301))),
        Case(Errno.BAD_SIGNATURE.number, lambda g: send(g, X_EEO_SIGN="0" * 32)),
    )
