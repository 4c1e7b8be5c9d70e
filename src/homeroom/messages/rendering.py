"""Rendering: from a stored message to the request of one attempt.

The time, the signature and addresses of files are made for each attempt; the name of the message
stays the same (READINGS Q45, Q90, Q93).
"""

import base64
import binascii
import hmac
from collections.abc import Callable, Mapping
from typing import Any, Final
from uuid import NAMESPACE_OID, uuid5

import msgspec

from homeroom.base.clock import DAY, Moment
from homeroom.base.keys import md5_hex
from homeroom.contract.messages.body import FILE_ADDRESS
from homeroom.domain.deliveries import StoredMessage
from homeroom.domain.endpoints import Endpoint, EndpointFormat

ORIGIN: Final = "http://www.eeo.cn"
"""The Origin that the vendor's service sends."""
UUID: Final = "$uuid"
"""The value of a field that is sent as a UUID of the message."""
FILE_ADDRESS_SECONDS: Final = 90 * DAY
"""Seconds for which the address of a file is good, from the attempt on (Q97)."""
RESEND_HEADER: Final = "Homeroom-Resend"
SECRET_PREFIX: Final = "whsec_"  # noqa: S105  the prefix of secrets, not one of them

SignFile = Callable[[str, Moment], str]
"""Returns the address of a stored file that is good until a moment."""


class OutgoingRequest(msgspec.Struct, frozen=True):
    """The request of one attempt: the bytes that are signed are those that are sent."""

    content: bytes
    headers: Mapping[str, str]
    safe_key: str | None
    """The SafeKey in the body, of the format `classin`."""


def name_message(message: StoredMessage) -> str:
    """Return the name of a message on the wire, `_id`: 24 hexadecimal digits."""
    return f"{message.created_at & 0xFFFFFFFF:08x}{message.id:016x}"


def render_message(
    message: StoredMessage,
    endpoint: Endpoint,
    school_secret: str,
    now: Moment,
    real_now: Moment,
    sign_file: SignFile,
    *,
    is_resend: bool = False,
) -> OutgoingRequest:
    """Return the request that sends a message; `now` may be the clock of the sandbox (Q98)."""
    name = name_message(message)
    fields: dict[str, Any] = msgspec.json.decode(message.body)
    if '"$' in message.body:  # most messages have no mark
        values: dict[str, str] = {UUID: str(uuid5(NAMESPACE_OID, name))}
        if message.file_path is not None:
            values[FILE_ADDRESS] = sign_file(message.file_path, now + FILE_ADDRESS_SECONDS)
        fields = {key: _fill(value, values) for key, value in fields.items()}
    request = _render(fields, name, endpoint, school_secret, now, real_now)
    if not is_resend:
        return request
    return msgspec.structs.replace(request, headers={**request.headers, RESEND_HEADER: "1"})


def render_test_message(
    endpoint: Endpoint, school_secret: str, now: Moment, real_now: Moment
) -> OutgoingRequest:
    """Return the request that tests an address before it becomes active (Q89)."""
    fields = {"SID": endpoint.school, "Cmd": "Test", "Msg": "Register test."}
    name = f"{now & 0xFFFFFFFF:08x}{endpoint.id:016x}"
    return _render(fields, name, endpoint, school_secret, now, real_now, is_test=True)


def _render(
    fields: dict[str, Any],
    name: str,
    endpoint: Endpoint,
    school_secret: str,
    now: Moment,
    real_now: Moment,
    *,
    is_test: bool = False,
) -> OutgoingRequest:
    headers = {"Content-Type": "application/json", "Origin": ORIGIN}
    if not is_test:
        fields["_id"] = name
    fields["TimeStamp"] = now
    if endpoint.format is EndpointFormat.CLASSIN:
        safe_key = fields["SafeKey"] = md5_hex(f"{school_secret}{now}")
        return OutgoingRequest(msgspec.json.encode(fields), headers, safe_key)
    content = msgspec.json.encode(fields)
    secrets = [endpoint.secret or ""]
    if endpoint.former_secret is not None and real_now < (endpoint.former_until or 0):
        secrets.append(endpoint.former_secret)
    signatures = " ".join(sign_standard(secret, name, real_now, content) for secret in secrets)
    standard = {
        "webhook-id": name,
        "webhook-timestamp": str(real_now),
        "webhook-signature": signatures,
    }
    return OutgoingRequest(content, headers | standard, None)


def sign_standard(secret: str, name: str, timestamp: Moment, content: bytes) -> str:
    """Return a signature of Standard Webhooks, version 1.

    Raises `ValueError` if the secret is not base64 after its prefix.
    """
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error as error:
        message = "the secret is not base64"
        raise ValueError(message) from error
    signed = f"{name}.{timestamp}.".encode() + content
    return f"v1,{base64.b64encode(hmac.digest(key, signed, 'sha256')).decode()}"


def _fill(value: Any, values: Mapping[str, str]) -> Any:  # noqa: ANN401  any JSON
    """Put what is made for the attempt in the place of its mark."""
    if isinstance(value, dict):
        return {key: _fill(item, values) for key, item in value.items()}
    if isinstance(value, str):
        return values.get(value, value) if value.startswith("$") else value
    return value
