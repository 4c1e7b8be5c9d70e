"""Bearer tokens: their scopes, and the moment from which on they are not in force."""

import httpx
import pytest

from homeroom.base.clock import HOUR
from homeroom.base.keys import KeyGenerator
from homeroom.domain.refusal import OperatorError
from homeroom.domain.tokens import TokenScope
from homeroom.usecases import operations
from homeroom.usecases.dependencies import Dependencies
from tests.support.given import Given
from tests.support.sandbox import Sandbox
from tests.support.serving import ON_SQLITE

DEPS = Dependencies(KeyGenerator(), "", 0)
ELSEWHERE = {"x-forwarded-for": "203.0.113.9"}

pytestmark = ON_SQLITE


def issue(given: Given, *scopes: TokenScope, expires_at: int | None = None) -> str:
    """Return a new token of the operator."""
    _, token = given.store.write(
        lambda uow: operations.issue_token(uow, DEPS, None, "test", scopes, expires_at)
    )
    return token


def get(given: Given, path: str, token: str) -> httpx.Response:
    """Read with a token, from another machine."""
    headers = {"authorization": f"Bearer {token}", **ELSEWHERE}
    return httpx.get(given.house.url + path, headers=headers)


@pytest.mark.parametrize("path", ["/admin/v1/schools", "/metrics"])
def test_reading_needs_its_scope(given: Given, path: str) -> None:
    assert get(given, path, issue(given, TokenScope.READ)).status_code == 200
    both = issue(given, TokenScope.READ, TokenScope.ADMIN)
    assert get(given, path, both).status_code == 200
    refused = get(given, path, issue(given, TokenScope.MESSAGES, TokenScope.ADMIN))
    assert (refused.status_code, refused.headers["content-type"]) == (
        403,
        "application/problem+json",
    )
    assert refused.json()["detail"] == (
        "this needs a token with the scope read; this token has admin, messages"
    )
    challenge = refused.headers["www-authenticate"]
    assert challenge.endswith('error="insufficient_scope", scope="read"')


@pytest.mark.parametrize("path", ["/admin/v1/schools", "/metrics", "/sandbox/clock"])
def test_a_token_expires(given: Given, path: str) -> None:
    token = issue(given, TokenScope.READ, expires_at=given.now + HOUR)
    assert get(given, path, token).status_code == 200
    ended = issue(given, TokenScope.READ, expires_at=given.now + 1)
    given.clock.advance(1)
    refused = get(given, path, ended)
    assert refused.status_code == 401
    assert refused.json()["detail"].startswith("this token expired at ")
    assert refused.json()["detail"].endswith("+00:00")


def test_a_token_that_is_made_expires_in_the_future(given: Given) -> None:
    with pytest.raises(OperatorError, match="expires in the future"):
        issue(given, TokenScope.READ, expires_at=given.now)


def test_a_token_from_before_there_were_scopes_keeps_what_it_could_do(given: Given) -> None:
    """Rows of earlier versions have the scope `read`; the sandbox asks for none."""
    token = issue(given, TokenScope.READ)
    headers = {"authorization": f"Bearer {token}", **ELSEWHERE}
    fault = {"action": "addCourse", "errno": 104, "sid": given.school.id}
    added = httpx.post(f"{given.house.url}/sandbox/faults", json=fault, headers=headers)
    assert added.status_code == 201
    with Sandbox(given.house.url) as sandbox:
        sandbox.clear_faults()
