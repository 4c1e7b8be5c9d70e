"""Faults of endpoints: attempts that end as an integrator wants, without the receiver (Q101)."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from homeroom.domain.deliveries import AttemptOutcome
from tests.support.given import Given
from tests.support.inbox import Inbox, receiving_in_thread
from tests.support.message_rows import add_endpoint
from tests.support.sandbox import Sandbox
from tests.support.serving import ON_SQLITE

Moved = tuple[Given, Sandbox]


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with receiving_in_thread() as inbox:
        yield inbox


def list_faults(sandbox: Sandbox) -> list[dict[str, Any]]:
    """Return the faults that still apply."""
    faults: list[dict[str, Any]] = sandbox.http.get("/faults").json()["faults"]
    return faults


@pytest.mark.parametrize("movable", ["sqlite"], indirect=True)
def test_attempts_end_so_some_times_and_then_reach_the_receiver(moved: Moved, inbox: Inbox) -> None:
    given, sandbox = moved
    endpoint = add_endpoint(given, url=inbox.url)
    number = sandbox.fault(endpoint=endpoint, outcome="timeout", times=2)
    fault = {"id": number, "endpoint": endpoint, "outcome": "timeout", "times": 2}
    assert list_faults(sandbox) == [fault]
    given.course()
    sandbox.move(advance=0)
    assert list_faults(sandbox) == [fault | {"times": 1}]
    sandbox.move(advance=20, step=10)
    assert list_faults(sandbox) == []
    (message,) = sandbox.messages(given.school.id, kind="course_changed")
    outcomes = [attempt["outcome"] for attempt in message["attempts"]]
    assert outcomes == ["timeout", "timeout", "acknowledged"]
    assert len(inbox.bodies) == 1


@ON_SQLITE
def test_faults_of_calls_and_of_endpoints_are_listed_and_removed_together(
    given: Given, sandbox: Sandbox
) -> None:
    sandbox.clear_faults()
    endpoint = add_endpoint(given)
    ids = [
        sandbox.fault(endpoint=endpoint, outcome=AttemptOutcome.TLS),
        sandbox.fault(action="addCourse", errno=104, sid=given.school.id),
        sandbox.fault(endpoint=endpoint, outcome=AttemptOutcome.ACKNOWLEDGED),
    ]
    assert [fault["id"] for fault in list_faults(sandbox)] == ids
    assert sandbox.http.delete("/faults").json() == {"removed": 3}
    assert list_faults(sandbox) == []


@ON_SQLITE
@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        ({"endpoint": 10**9, "outcome": "tls"}, 404, "no endpoint has the id"),
        ({"endpoint": 1, "outcome": "broken"}, 400, "no attempt ends as 'broken'"),
        ({"endpoint": 1, "outcome": "tls", "times": 0}, 400, "times must be 1 to"),
        ({"endpoint": 1, "outcome": "tls", "errno": 1}, 400, "unknown field `errno`"),
        ({"endpoint": 1}, 400, "missing required field `outcome`"),
        ({"endpoint": None, "outcome": "tls"}, 400, "Expected `int`"),
        ({"action": "addCourse", "outcome": "tls"}, 400, "unknown field `outcome`"),
    ],
)
def test_faults_of_endpoints_that_are_refused(
    given: Given, sandbox: Sandbox, body: dict[str, Any], status: int, reason: str
) -> None:
    add_endpoint(given)
    with pytest.raises(httpx.HTTPStatusError) as refused:
        sandbox.fault(**body)
    assert refused.value.response.status_code == status
    assert reason in refused.value.response.json()["detail"]
