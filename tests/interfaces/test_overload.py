"""Overload: calls beyond the end of the queue are refused, and probes are answered past it."""

import httpx
import pytest

from homeroom.base import body_budget
from homeroom.contract.errno import Errno
from homeroom.partner import turns
from tests.support.given import Given
from tests.support.serving import House


@pytest.fixture
def _full(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no call of a partner run, and none wait."""
    monkeypatch.setattr(turns.SchoolTurns, "_can_start", lambda *_: False)
    monkeypatch.setattr(turns, "MAX_WAITING_PER_SCHOOL", 0)


@pytest.mark.usefixtures("_full")
def test_a_call_beyond_the_queue_is_refused(given: Given) -> None:
    """Case O14: the answer of READINGS Q102."""
    reply = given.api.call("addCourse", courseName="Overload")
    assert (reply.status, reply.errno) == (503, Errno.SERVER_FAULT.number)
    assert reply.headers["retry-after"] == str(turns.RETRY_AFTER_SECONDS)
    assert "too many calls wait" in reply.reason


@pytest.mark.usefixtures("_full")
@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_probes_are_answered_past_the_queue(house: House, path: str) -> None:
    """Case O14."""
    assert httpx.get(house.url + path, timeout=10).status_code == 200


def test_a_call_that_was_refused_can_be_sent_again(
    given: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields = {"courseName": "Overload", "courseUniqueIdentity": "overload"}
    with monkeypatch.context() as patch:
        patch.setattr(turns.SchoolTurns, "_can_start", lambda *_: False)
        patch.setattr(turns, "MAX_WAITING_PER_SCHOOL", 0)
        patch.setattr(turns, "RETRY_AFTER_SECONDS", 0)
        assert given.api.call("addCourse", **fields).status == 503
    assert given.api.call("addCourse", **fields).errno == 1


def test_a_body_beyond_the_budget_is_refused(given: Given, monkeypatch: pytest.MonkeyPatch) -> None:
    """Case S3: the answer of READINGS Q102, and a problem document elsewhere."""
    monkeypatch.setattr(body_budget, "MAX_BYTES", 10)
    reply = given.api.call("addCourse", courseName="Overload")
    assert (reply.status, reply.errno) == (503, Errno.SERVER_FAULT.number)
    assert int(reply.headers["retry-after"]) > 0
    page = httpx.post(f"{given.house.url}/class/key/login", json={"account": "1", "password": "2"})
    assert page.status_code == 503
    assert page.headers["content-type"] == "application/problem+json"
    assert int(page.headers["retry-after"]) > 0


def test_the_metrics_say_how_many_wait_and_were_refused(house: House) -> None:
    text = httpx.get(f"{house.url}/metrics", timeout=10).text
    assert "homeroom_calls_waiting 0.0" in text
    assert "homeroom_calls_refused_total" in text
    assert "homeroom_connections_closed_total" in text
