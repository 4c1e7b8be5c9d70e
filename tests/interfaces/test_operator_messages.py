"""Endpoints and messages under /admin/v1, with the rights that they need."""

from collections.abc import Iterator
from typing import Any, get_args

import httpx
import pytest

from homeroom.base.keys import KeyGenerator, fingerprint
from homeroom.contract import operator_messages as wire
from homeroom.domain.deliveries import DeliveryState
from homeroom.domain.endpoints import EndpointFormat, EndpointOrdering, EndpointState
from homeroom.domain.tokens import TokenScope
from homeroom.usecases import audit
from tests.support.engine import until
from tests.support.given import Given
from tests.support.inbox import Inbox, receiving_in_thread
from tests.support.serving import ON_SQLITE

READ, MESSAGES, ADMIN = TokenScope
pytestmark = ON_SQLITE


class OperatorClient:
    """Calls /admin/v1 with a token, of the operator or of one school."""

    def __init__(self, given: Given, *scopes: TokenScope, school: Given | None = None) -> None:
        token = KeyGenerator().secret()
        sid = school.school.id if school is not None else None
        self.token = given.store.write(
            lambda uow: uow.tokens.add(sid, "test", fingerprint(token), uow.now, scopes)
        )
        self._url = f"{given.house.url}/admin/v1"
        self._headers = {"authorization": f"Bearer {token}"}

    def send(self, method: str, path: str, **body: object) -> httpx.Response:
        """Make a request, with a JSON body if there is one."""
        return httpx.request(
            method, self._url + path, json=body or None, headers=self._headers, timeout=30
        )

    def done(self, method: str, path: str, **body: object) -> dict[str, Any]:
        """Make a request that must succeed."""
        answer = self.send(method, path, **body)
        assert answer.is_success, answer.text
        row: dict[str, Any] = answer.json()
        return row

    def problem(self, status: int, method: str, path: str, **body: object) -> str:
        """Return why a request is refused."""
        answer = self.send(method, path, **body)
        assert answer.status_code == status, answer.text
        return str(answer.json()["detail"])


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with receiving_in_thread() as inbox:
        yield inbox


@pytest.fixture
def operator(given: Given) -> OperatorClient:
    return OperatorClient(given, READ, MESSAGES, ADMIN)


def create(given: Given, client: OperatorClient, url: str, **more: object) -> int:
    """Add an endpoint of the school, and return its id."""
    added = client.done("POST", "/endpoints", SID=given.school.id, url=url, **more)
    return int(added["endpointId"])


@pytest.mark.usefixtures("house")
def test_the_contract_names_what_the_rules_know() -> None:
    assert tuple(DeliveryState) == wire.STATES
    assert tuple(EndpointState) == wire.ENDPOINT_STATES
    assert get_args(wire.Format) == tuple(EndpointFormat)
    assert get_args(wire.Ordering) == tuple(EndpointOrdering)


def test_an_endpoint_from_its_test_message_to_its_removal(
    given: Given, operator: OperatorClient, inbox: Inbox
) -> None:
    body = {"SID": given.school.id, "url": inbox.url, "format": "standard", "kinds": ["award"]}
    added = operator.done("POST", "/endpoints", **body)
    assert inbox.commands == ["Test"]
    assert added["secret"].startswith("whsec_")
    path = f"/endpoints/{added['endpointId']}"
    shown = operator.done("GET", path)
    assert shown == {name: value for name, value in added.items() if name != "secret"}
    assert (shown["state"], shown["ordering"], shown["kinds"]) == ("active", "class", ["award"])
    assert operator.done("GET", f"/endpoints?SID={given.school.id}")["data"] == [shown]
    assert operator.done("POST", f"{path}/pause")["state"] == "paused"
    assert "is paused, not active" in operator.problem(409, "POST", f"{path}/pause")
    assert operator.done("POST", f"{path}/resume", fromNow=True)["state"] == "active"
    assert operator.done("POST", f"{path}/skip")["skipped"] == 0
    assert operator.done("POST", f"{path}/rotate")["secret"] != added["secret"]
    moved = operator.done("POST", f"{path}/move", url=f"{inbox.url}/new")
    assert (moved["url"], moved["newUrl"]) == (f"{inbox.url}/new", None)
    assert operator.done("POST", f"{path}/test")["state"] == "active"
    assert inbox.commands == ["Test"] * 3
    operator.done("DELETE", path)
    assert operator.problem(404, "GET", path) == (
        f"endpointId: the token sees no endpoint {added['endpointId']}"
    )


def test_an_endpoint_that_does_not_acknowledge_its_test_is_not_added(
    given: Given, operator: OperatorClient, inbox: Inbox
) -> None:
    inbox.answer = {"error_info": {"errno": "1"}}
    body = {"SID": given.school.id, "url": inbox.url}
    assert "wrong_errno" in operator.problem(409, "POST", "/endpoints", **body)
    assert operator.done("GET", f"/endpoints?SID={given.school.id}")["data"] == []


def test_messages_are_listed_sent_again_and_emitted(
    given: Given, operator: OperatorClient, inbox: Inbox
) -> None:
    endpoint = create(given, operator, inbox.url)
    course = given.course()
    ids = {"SID": given.school.id, "courseId": course}
    emitted = operator.done("POST", "/messages", kind="homework_score", **ids)
    assert emitted == {"SID": given.school.id, "kind": "homework_score"}
    inbox.wait(lambda: len(inbox.bodies) == 3)
    here = f"SID={given.school.id}"

    def is_done() -> bool:
        return not operator.done("GET", f"/messages?{here}&state=waiting")["data"]

    until(is_done)
    first = operator.done("GET", f"/messages?{here}&limit=1")
    second = operator.done("GET", f"/messages?{here}&limit=1&cursor={first['next']}")
    (emitted_row,), (caused_row,) = first["data"], second["data"]
    assert second["next"] is None
    assert (emitted_row["kind"], emitted_row["isSimulated"]) == ("homework_score", 1)
    assert (caused_row["kind"], caused_row["courseId"]) == ("course_changed", course)
    assert caused_row["states"] == {str(endpoint): "acknowledged"}
    for query in ("kind=award", f"classId={10**9}", f"endpointId={10**9}", "state=dead"):
        assert operator.done("GET", f"/messages?{here}&{query}")["data"] == []
    path = f"/messages/{caused_row['messageId']}"
    assert operator.done("POST", f"{path}/resend", endpointId=endpoint)["resent"] == 1
    inbox.wait(lambda: len(inbox.bodies) == 4)
    assert inbox.bodies[3]["_id"] == caused_row["_id"]
    assert inbox.headers[3]["homeroom-resend"] == "1"
    until(is_done)
    body = {"endpointId": endpoint, "since": given.now - 60}
    assert operator.done("POST", "/messages/redeliver", **body)["resent"] == 2
    inbox.wait(lambda: len(inbox.bodies) == 6)
    until(is_done)
    details = operator.done("GET", path)
    assert details["body"]["opData"]["courseId"] == course
    assert [each["isResend"] for each in details["deliveries"]] == [0, 1, 1]
    assert {each["outcome"] for each in details["attempts"]} == {"acknowledged"}


def test_writing_needs_its_scope(given: Given, operator: OperatorClient, inbox: Inbox) -> None:
    endpoint = create(given, operator, inbox.url)
    given.course()
    path = f"/endpoints/{endpoint}"
    needs = {
        MESSAGES: [
            *(f"{path}/{act}" for act in ("test", "pause", "resume", "skip")),
            *("/messages", "/messages/redeliver", "/messages/1/resend"),
        ],
        ADMIN: ["/endpoints", f"{path}/move", f"{path}/rotate"],
    }
    for scope, paths in needs.items():
        client = OperatorClient(given, *(set(TokenScope) - {scope}))
        for each in paths:
            detail = client.problem(403, "POST", each)
            assert detail.startswith(f"this needs a token with the scope {scope};"), each
    assert "scope admin" in OperatorClient(given, READ, MESSAGES).problem(403, "DELETE", path)
    assert operator.done("GET", path)["state"] == "active"
    answer = httpx.post(f"{given.house.url}/admin/v1/messages", json={})
    assert answer.status_code == 401


def test_a_school_reaches_its_own_endpoints_and_messages_alone(
    given: Given, operator: OperatorClient, inbox: Inbox
) -> None:
    endpoint = create(given, operator, inbox.url)
    given.course()
    (row,) = operator.done("GET", f"/messages?SID={given.school.id}")["data"]
    other = OperatorClient(given, READ, MESSAGES, ADMIN, school=given.other())
    own = OperatorClient(given, READ, MESSAGES, ADMIN, school=given)
    path, message = f"/endpoints/{endpoint}", f"/messages/{row['messageId']}"
    for method, each, body in (
        ("GET", path, {}),
        ("POST", f"{path}/pause", {}),
        ("DELETE", path, {}),
        ("GET", message, {}),
        ("POST", f"{message}/resend", {"endpointId": endpoint}),
        ("POST", "/messages/redeliver", {"endpointId": endpoint, "since": 0}),
    ):
        assert "the token sees no" in other.problem(404, method, each, **body)
    url = {"SID": given.school.id, "url": inbox.url}
    assert "alone" in other.problem(403, "POST", "/endpoints", **url)
    kind = {"SID": given.school.id, "kind": "edu_quiz"}
    assert "alone" in other.problem(403, "POST", "/messages", **kind)
    assert own.done("GET", path) == operator.done("GET", path)
    assert own.done("POST", f"{path}/pause")["state"] == "paused"


@pytest.mark.parametrize(
    ("path", "body", "status", "reason"),
    [
        ("/endpoints", {"url": "ftp://x"}, 400, "is an http or https address"),
        ("/endpoints", {"url": "http://x/", "kinds": ["x"]}, 400, "no message has the name"),
        ("/endpoints", {"url": "http://x/", "format": "x"}, 400, "Invalid enum value"),
        ("/endpoints", {"url": "http://x/", "name": "x"}, 400, "unknown field"),
        ("/messages", {"kind": "x"}, 400, "Invalid enum value"),
        ("/messages", {"kind": "stage"}, 400, "needs classId"),
        ("/messages", {"kind": "stage", "classId": 2**63}, 400, "Expected `int` <= "),
        ("/messages", {"kind": "stage", "classId": 10**9}, 400, "has no class"),
        ("/messages/redeliver", {}, 400, "unknown field `SID`"),
        ("/messages/x/resend", {}, 400, "unknown field `SID`"),
        ("/endpoints/x/pause", {}, 404, "endpointId: 'x' is no id"),
    ],
)
def test_requests_that_are_refused(
    given: Given,
    operator: OperatorClient,
    path: str,
    body: dict[str, object],
    status: int,
    reason: str,
) -> None:
    assert reason in operator.problem(status, "POST", path, SID=given.school.id, **body)


def test_each_request_leaves_one_entry_in_the_audit_trail(
    given: Given, operator: OperatorClient, inbox: Inbox
) -> None:
    before = given.store.read(audit.get_newest_id)
    path = f"/endpoints/{create(given, operator, inbox.url)}"
    operator.problem(409, "POST", f"{path}/resume")
    operator.done("DELETE", path)
    listed = given.store.read(lambda uow: audit.list_after(uow, before))
    entries = [each.entry for each in listed]
    acts = [(entry.act, entry.outcome.value) for entry in entries]
    assert acts == [
        ("POST /admin/v1/endpoints", "done"),
        (f"POST /admin/v1{path}/resume", "refused"),
        (f"DELETE /admin/v1{path}", "done"),
    ]
    assert {(entry.school, entry.actor.token) for entry in entries} == {
        (given.school.id, operator.token)
    }
    assert inbox.url not in str(entries)
