"""The helpers for receivers: signatures of both formats, typed messages, and the examples."""

import asyncio
import io
import json
from base64 import b64encode
from collections.abc import Callable
from typing import Any, Final

import httpx
import msgspec
import pytest
from fastapi import FastAPI
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from examples.receivers.asgi import MessageReceiver
from examples.receivers.wsgi import make_receiver
from homeroom.base.ids import EndpointId, MessageId, SchoolId, UserId
from homeroom.contract.messages.body import find_body_type
from homeroom.contract.messages.catalogue import build_default_body
from homeroom.contract.messages.kinds import KINDS, MessageKind
from homeroom.contract.messages.room import LeaveClass
from homeroom.domain.deliveries import StoredMessage
from homeroom.domain.endpoints import Endpoint, EndpointFormat, EndpointOrdering, EndpointState
from homeroom.messages.rendering import OutgoingRequest, render_message, render_test_message
from homeroom.receive import (
    ACKNOWLEDGEMENT,
    MessageFormatError,
    ReceivedMessage,
    SignatureError,
    parse,
    verify,
)

NOW: Final = 1_800_000_000
SECRET: Final = "school-secret"
WHSEC: Final = "whsec_" + b64encode(b"k" * 24).decode()
FORMER: Final = "whsec_" + b64encode(b"f" * 24).decode()
OTHER: Final = "whsec_" + b64encode(b"o" * 24).decode()
ENDPOINT: Final = Endpoint(
    EndpointId(1),
    SchoolId(7),
    "http://127.0.0.1/hook",
    None,
    EndpointFormat.CLASSIN,
    EndpointOrdering.SCHOOL,
    None,
    EndpointState.ACTIVE,
    None,
    WHSEC,
    None,
    None,
    10,
    (),
    0,
    0,
    None,
    0,
)
LEAVE: Final = LeaveClass(uid=UserId(9), identity=1, reason=4)


def send(format_: str, fields: dict[str, Any] | None = None, **changes: Any) -> OutgoingRequest:  # noqa: ANN401  of any field
    """Return the request that sends a message."""
    body = fields or {"Cmd": LEAVE.command, **msgspec.to_builtins(LEAVE)}
    text = json.dumps({"SID": 7, "CourseID": 3, "ClassID": 5, "ActionTime": NOW - 2, **body})
    endpoint = msgspec.structs.replace(ENDPOINT, format=EndpointFormat(format_), **changes)
    message = StoredMessage(
        MessageId(1),
        SchoolId(7),
        MessageKind.LEAVE_CLASS,
        "class:5",
        text,
        None,
        is_simulated=False,
        created_at=NOW - 2,
    )
    return render_message(message, endpoint, SECRET, NOW, NOW, lambda path, _until: path)


def test_a_message_of_the_vendors_format_is_verified() -> None:
    request = send("classin")
    verify(request.content, SECRET)
    with pytest.raises(SignatureError):
        verify(request.content, "another")
    verify(render_test_message(ENDPOINT, SECRET, NOW, NOW).content, SECRET)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff\xfe{\x00",
        b"[" * 100_000,
        b'{"TimeStamp":1}',
        b'{"TimeStamp":"1","SafeKey":"x"}',
        b'{"TimeStamp":1,"SafeKey":""}',
        b'{"TimeStamp":1,"SafeKey":"\\ud800"}',
        '{"TimeStamp":1,"SafeKey":"钥匙"}'.encode(),
        b'{"TimeStamp":1,"SafeKey":null}',
    ],
)
def test_a_body_without_a_good_safe_key_is_refused(content: bytes) -> None:
    with pytest.raises(SignatureError):
        verify(content, SECRET)


def test_a_message_of_standard_webhooks_is_verified() -> None:
    request = send("standard", former_secret=FORMER, former_until=NOW + 1)
    for secret in (WHSEC, FORMER):
        verify(request.content, secret, request.headers, now=NOW + 300)
    lower = {name.upper(): value for name, value in request.headers.items()}
    verify(request.content, WHSEC, lower, now=NOW - 300)


@pytest.mark.parametrize(
    ("content", "secret", "headers", "now"),
    [
        (b" ", WHSEC, {}, NOW),
        (b"", OTHER, {}, NOW),
        (b"", WHSEC, {"webhook-id": "other"}, NOW),
        (b"", WHSEC, {"webhook-id": ""}, NOW),
        (b"", WHSEC, {"webhook-timestamp": "x"}, NOW),
        (b"", WHSEC, {"webhook-timestamp": "٣"}, NOW),
        (b"", WHSEC, {"webhook-timestamp": "9" * 5000}, NOW),
        (b"", WHSEC, {"webhook-timestamp": str(NOW + 1)}, NOW),
        (b"", WHSEC, {"webhook-signature": ""}, NOW),
        (b"", WHSEC, {"webhook-signature": "v1, v1a,x é"}, NOW),
        (b"", WHSEC, {}, NOW + 301),
        (b"", WHSEC, {}, NOW - 301),
    ],
)
def test_a_wrong_signature_is_refused(
    content: bytes, secret: str, headers: dict[str, str], now: int
) -> None:
    request = send("standard")
    with pytest.raises(SignatureError):
        verify(request.content + content, secret, {**request.headers, **headers}, now=now)


def test_the_secret_decides_the_format_not_the_sender() -> None:
    with pytest.raises(SignatureError):
        verify(send("classin").content, WHSEC, now=NOW)


def test_the_published_library_verifies_each_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Webhook, "_Webhook__verify_timestamp", _accept_time)
    for fields in (None, {"Cmd": "End", "名": "课 \u2028 😀"}, {"Cmd": "Test", "x": [1.5, None]}):
        request = send("standard", fields, former_secret=FORMER, former_until=NOW + 1)
        for secret in (WHSEC, FORMER):
            assert Webhook(secret).verify(request.content, dict(request.headers))
        with pytest.raises(WebhookVerificationError):
            Webhook(OTHER).verify(request.content, dict(request.headers))


def _accept_time(_webhook: Webhook, text: str) -> Any:  # noqa: ANN401  as the library's own
    from datetime import UTC, datetime  # noqa: PLC0415  only here

    return datetime.fromtimestamp(float(text), tz=UTC)


@pytest.mark.parametrize("format_", ["classin", "standard"])
def test_a_message_is_read_as_its_type(format_: str) -> None:
    message = parse(send(format_).content)
    assert message.body == LEAVE
    assert message.kind is MessageKind.LEAVE_CLASS
    assert (message.school, message.sent_at, message.is_test) == (7, NOW, False)
    assert len(message.id) == 24
    assert message.fields["ClassID"] == 5


@pytest.mark.parametrize("kind", list(MessageKind))
def test_each_kind_is_read_as_itself(kind: MessageKind) -> None:
    """Five kinds share one command: their fields tell which of them it is."""
    fields = build_default_body(kind)
    if fields is None:
        assert find_body_type(kind) is None
        return
    assert parse(send("classin", {"Cmd": KINDS[kind].command, **fields}).content).kind is kind


def test_a_message_of_an_unknown_kind_has_its_fields() -> None:
    message = parse(send("classin", {"Cmd": "Later", "X": 1}).content)
    assert (message.kind, message.body, message.fields["X"]) == (None, None, 1)


def test_the_test_message_has_no_id() -> None:
    message = parse(render_test_message(ENDPOINT, SECRET, NOW, NOW).content)
    assert (message.is_test, message.id) == (True, "")


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff", b"[" * 100_000, b'{"SID":"x"}'])
def test_bytes_that_are_no_message(content: bytes) -> None:
    with pytest.raises(MessageFormatError):
        parse(content)


# --- examples ------------------------------------------------------------------------------------

Post = Callable[[bytes, dict[str, str]], httpx.Response]


def post_to_wsgi(handle: Callable[[ReceivedMessage], None]) -> Post:
    app = make_receiver(SECRET, handle)

    def post(content: bytes, headers: dict[str, str]) -> httpx.Response:
        seen: list[str] = []
        environ: dict[str, Any] = {
            "wsgi.input": io.BytesIO(content),
            "CONTENT_LENGTH": str(len(content)),
            **{f"HTTP_{name.upper().replace('-', '_')}": text for name, text in headers.items()},
        }
        body = b"".join(app(environ, lambda status, _headers: seen.append(status)))
        return httpx.Response(int(seen[0][:3]), content=body)

    return post


def post_to_fastapi(handle: Callable[[ReceivedMessage], None]) -> Post:
    app = FastAPI()
    app.mount("/hook", MessageReceiver(SECRET, handle))

    def post(content: bytes, headers: dict[str, str]) -> httpx.Response:
        async def run() -> httpx.Response:
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://app") as client:
                return await client.post("/hook/", content=content, headers=headers)

        return asyncio.run(run())

    return post


@pytest.mark.parametrize("build", [post_to_wsgi, post_to_fastapi])
def test_the_example_receivers(build: Callable[[Callable[[ReceivedMessage], None]], Post]) -> None:
    messages: dict[str, ReceivedMessage] = {}
    post = build(lambda message: messages.update({message.id: message}))
    request = send("classin")
    test = render_test_message(ENDPOINT, SECRET, NOW, NOW)
    for content in (test.content, request.content, request.content):
        response = post(content, dict(request.headers))
        assert (response.status_code, response.content) == (200, ACKNOWLEDGEMENT)
    assert [message.kind for message in messages.values()] == [MessageKind.LEAVE_CLASS]
    assert post(request.content.replace(b"SafeKey", b"Safekey"), {}).status_code == 401
