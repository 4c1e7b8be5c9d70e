"""The client that sends messages, to receivers of every sort: what each attempt comes to (Q91)."""

import asyncio
import gzip
import hashlib
import hmac
import json
import ssl
import tempfile
from base64 import b64decode, b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from homeroom.base.clock import DAY
from homeroom.base.ids import EndpointId, MessageId, SchoolId
from homeroom.base.settings import Settings
from homeroom.contract.messages.kinds import MessageKind
from homeroom.domain.deliveries import AttemptOutcome, AttemptResult, StoredMessage
from homeroom.domain.endpoints import Endpoint, EndpointFormat, EndpointOrdering, EndpointState
from homeroom.messages.addresses import BLOCKED, PRIVATE, AddressGuard
from homeroom.messages.client import MAX_ANSWER_BYTES, MessageClient
from homeroom.testing.clock import ManualClock
from tests.support.receivers import ACKNOWLEDGED, Handler, answer, read_request, receiving

NOW: Final = 1_800_000_000
REAL: Final = 1_700_000_000
SECRET: Final = "school-secret"
WHSEC: Final = "whsec_" + b64encode(b"k" * 24).decode()
FORMER: Final = "whsec_" + b64encode(b"f" * 24).decode()
MESSAGE: Final = StoredMessage(
    MessageId(0x2A),
    SchoolId(7),
    MessageKind.COURSE_CHANGED,
    "course:3",
    '{"SID":7,"Cmd":"eeoCourseInfoChange","CourseID":3,"opData":{"u":"$uuid"},"Url":"$file"}',
    "clips/ab/abc.mp4",
    is_simulated=False,
    created_at=0x5F000000,
)


def endpoint(url: str, **changes: Any) -> Endpoint:  # noqa: ANN401  of any field
    """Return an active endpoint."""
    return msgspec.structs.replace(
        Endpoint(
            EndpointId(1),
            SchoolId(7),
            url,
            None,
            EndpointFormat.CLASSIN,
            EndpointOrdering.SCHOOL,
            None,
            EndpointState.ACTIVE,
            None,
            WHSEC,
            None,
            None,
            2,
            (),
            0,
            0,
            None,
            0,
        ),
        **changes,
    )


def client(guard: AddressGuard | None = None, **options: Any) -> MessageClient:  # noqa: ANN401  as the client takes them
    async def find_secret(_school: SchoolId) -> str:
        return SECRET

    return MessageClient(
        ManualClock(NOW),
        ManualClock(REAL),
        guard or AddressGuard(PRIVATE),
        find_secret,
        lambda path, until: f"https://files.example/{path}?until={until}",
        **options,
    )


async def attempt(
    target: Endpoint,
    *,
    is_resend: bool = False,
    may_send: Callable[[], bool] = lambda: True,
    guard: AddressGuard | None = None,
    **options: Any,  # noqa: ANN401  as the client takes them
) -> AttemptResult | None:
    sender = client(guard, **options)
    try:
        return await sender.send(target, MESSAGE, is_resend=is_resend, may_send=may_send)
    finally:
        await sender.close()


def outcome_of(reply: bytes | Handler, **changes: Any) -> AttemptResult:  # noqa: ANN401  of any field
    """Send one message to a receiver."""

    async def run() -> AttemptResult:
        async with receiving(reply) as receiver:
            result = await attempt(endpoint(receiver.url, **changes))
        assert result is not None
        return result

    return asyncio.run(run())


def test_a_message_of_the_vendors_format() -> None:
    async def run() -> None:
        async with receiving(answer()) as receiver:
            result = await attempt(endpoint(receiver.url), is_resend=True)
        assert result is not None
        assert (result.outcome, result.status) == (AttemptOutcome.ACKNOWLEDGED, 200)
        body = json.loads(receiver.bodies[0])
        key = hashlib.md5(f"{SECRET}{NOW}".encode(), usedforsecurity=False).hexdigest()
        assert body["SafeKey"] == key
        assert body["TimeStamp"] == NOW
        assert body["_id"] == "5f000000000000000000002a"
        assert len(body["opData"]["u"]) == 36
        assert body["Url"] == f"https://files.example/clips/ab/abc.mp4?until={NOW + 90 * DAY}"
        headers = receiver.headers()
        assert headers["origin"] == "http://www.eeo.cn"
        assert headers["content-type"] == "application/json"
        assert headers["homeroom-resend"] == "1"
        assert result.safe_key == f"{key[:4]}…{key[-4:]}"

    asyncio.run(run())


def test_a_message_of_standard_webhooks_is_signed_with_both_secrets_for_a_day() -> None:
    async def run(until: int) -> tuple[list[str], dict[str, str], bytes]:
        async with receiving(answer(b"", "204 No Content")) as receiver:
            result = await attempt(
                endpoint(
                    receiver.url,
                    format=EndpointFormat.STANDARD,
                    former_secret=FORMER,
                    former_until=until,
                )
            )
        assert result is not None
        assert result.outcome is AttemptOutcome.ACKNOWLEDGED
        headers = receiver.headers()
        return headers["webhook-signature"].split(), headers, receiver.bodies[0]

    signatures, headers, body = asyncio.run(run(REAL + 1))
    assert headers["webhook-id"] == "5f000000000000000000002a"
    assert headers["webhook-timestamp"] == str(REAL)
    assert "SafeKey" not in json.loads(body)
    text = f"{headers['webhook-id']}.{REAL}.".encode() + body
    for signature, secret in zip(signatures, (WHSEC, FORMER), strict=True):
        key = b64decode(secret.removeprefix("whsec_"))
        assert signature == f"v1,{b64encode(hmac.digest(key, text, 'sha256')).decode()}"
    assert len(asyncio.run(run(REAL))[0]) == 1


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (answer(b'{"error_info":{"errno":2}}'), "wrong_errno"),
        (answer(b'{"error_info":{"errno":"1"}}'), "wrong_errno"),
        (answer(b'{"error_info":{"errno":true}}'), "wrong_errno"),
        (answer(b'{"error_info":{"errno":1.0}}'), "wrong_errno"),
        (answer(b'{"error_info":{}}'), "not_json"),
        (answer(b'{"errno":1}'), "not_json"),
        (answer(b"[1]"), "not_json"),
        (answer(b""), "not_json"),
        (answer(b"ok"), "not_json"),
        (answer(ACKNOWLEDGED.decode().encode("utf-16")), "not_json"),
        (answer(b"[" * 60_000), "not_json"),
        (answer(gzip.compress(ACKNOWLEDGED), "200 OK", "Content-Encoding: gzip"), "not_json"),
        (answer(b"", "302 Found", "Location: http://169.254.169.254/"), "redirect"),
        (answer(b"", "404 Not Found"), "status"),
        (answer(ACKNOWLEDGED, "500 Internal Server Error"), "status"),
        (answer(b"x" * (MAX_ANSWER_BYTES + 1)), "too_large"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n" + b"x" * 100_000, "too_large"),
        (b"not HTTP at all\r\n\r\n", "dropped"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n", "dropped"),
    ],
)
def test_outcomes(reply: bytes, outcome: str) -> None:
    assert outcome_of(reply).outcome.value == outcome


def test_http_1_0_acknowledges() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.0 200 OK\r\n\r\n" + ACKNOWLEDGED)
        await writer.drain()

    assert outcome_of(serve).outcome is AttemptOutcome.ACKNOWLEDGED


@pytest.mark.parametrize("reads", [True, False])
def test_a_receiver_that_never_answers_is_a_timeout(*, reads: bool) -> None:
    async def serve(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        if reads:
            await read_request(reader)
        await asyncio.Event().wait()

    assert outcome_of(serve, timeout_seconds=1).outcome is AttemptOutcome.TIMEOUT


def test_an_answer_that_drips_is_a_timeout() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.05)

    assert outcome_of(serve, timeout_seconds=1).outcome is AttemptOutcome.TIMEOUT


def test_a_connection_that_is_closed_is_dropped() -> None:
    async def serve(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await read_request(reader)

    assert outcome_of(serve).outcome is AttemptOutcome.DROPPED


def test_nobody_listens() -> None:
    async def run() -> AttemptResult | None:
        async with receiving(answer()) as receiver:
            url = receiver.url
        return await attempt(endpoint(url))

    result = asyncio.run(run())
    assert result is not None
    assert (result.outcome, result.status) == (AttemptOutcome.CONNECT, None)


def test_a_certificate_that_nobody_vouches_for_is_tls(tls: ssl.SSLContext) -> None:
    async def run() -> AttemptResult | None:
        async with receiving(answer(), ssl=tls) as receiver:
            return await attempt(endpoint(receiver.url.replace("http:", "https:")))

    result = asyncio.run(run())
    assert result is not None
    assert result.outcome is AttemptOutcome.TLS


def test_retry_after_is_taken_from_the_format_that_has_it() -> None:
    reply = answer(b"", "429 Too Many Requests", "Retry-After: 120")
    assert outcome_of(reply, format=EndpointFormat.STANDARD).retry_after == 120
    assert outcome_of(reply).retry_after is None


def test_nothing_is_sent_after_the_lease_has_ended() -> None:
    async def run() -> None:
        async with receiving(answer()) as receiver:
            assert await attempt(endpoint(receiver.url), may_send=lambda: False) is None
            await asyncio.sleep(0)
            assert receiver.requests == []

    asyncio.run(run())


def test_an_excerpt_has_no_control_characters() -> None:
    assert outcome_of(answer(b"a\x00\r\nb" + b"c" * 1000)).answer == "a b" + "c" * 497


@pytest.fixture(scope="module")
def tls() -> ssl.SSLContext:
    """Return a server's side of TLS, with a certificate that it signed itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile() as file:
        file.write(certificate.public_bytes(Encoding.PEM))
        file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        file.flush()
        context.load_cert_chain(file.name)
    return context


# --- addresses -----------------------------------------------------------------------------------

HOSTS: Final = [
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0177.0.0.1",
    "0.0.0.0",  # noqa: S104  nothing listens here
    "10.1.2.3",
    "100.64.0.1",
    "169.254.169.254",
    "172.31.255.255",
    "192.0.0.1",
    "192.168.1.1",
    "198.18.0.1",
    "203.0.113.5",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "[::]",
    "[::1]",
    "[::127.0.0.1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:10.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b:1::1]",
    "[100::1]",
    "[2001::1]",
    "[2001:db8::1]",
    "[2002:7f00:1::]",
    "[fc00::1]",
    "[fd12::1]",
    "[fe80::1]",
    "[fec0::1]",
    "[ff02::1]",
    "localhost",
]


@pytest.mark.parametrize("host", HOSTS)
def test_addresses_that_no_message_reaches(host: str) -> None:
    result = asyncio.run(attempt(endpoint(f"http://{host}:9/"), guard=AddressGuard(())))
    assert result is not None
    assert result.outcome is AttemptOutcome.BLOCKED_ADDRESS


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_public_addresses_are_allowed(address: str) -> None:
    assert AddressGuard(()).allows(address)


def test_a_network_may_be_allowed() -> None:
    guard = AddressGuard(Settings(webhook_allow="10.1.0.0/16, fd00::/8").allowed_networks())
    assert guard.allows("10.1.2.3")
    assert guard.allows("fd00::1")
    assert not guard.allows("10.2.0.1")
    assert not guard.allows("nonsense")
    assert len(BLOCKED) > 20
