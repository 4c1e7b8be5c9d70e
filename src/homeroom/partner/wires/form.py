"""Bodies: read once, with a cap on everything."""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import unquote_to_bytes

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from homeroom.contract.upload import Upload

MAX_BODY_BYTES = 1024 * 1024
MAX_FIELDS = 200

Receive = Callable[[], Awaitable[Any]]
Form = dict[str, str | Upload]


class FormError(Exception):
    """A body that is no form, or no form of ours; the message says why."""


class BodyTooLargeError(Exception):
    """A body over its limit."""


async def read_body(receive: Receive, declared: int | None, limit: int) -> bytes:
    """Return the body of a request; raises `TooLarge` as soon as that is known."""
    if declared is not None and declared > limit:
        raise BodyTooLargeError
    message = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body"):
        if len(body) > limit:
            raise BodyTooLargeError
        return body
    parts = [body]
    size = len(body)
    while message.get("more_body"):
        message = await receive()
        if message["type"] == "http.disconnect":
            raise FormError("the connection ended before the body did")
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > limit:
            raise BodyTooLargeError
    return b"".join(parts)


def parse(content_type: bytes, body: bytes) -> Form:
    """Read a form of either encoding, without stray spaces; the last value of a name wins."""
    kind, options = (
        parse_options_header(content_type) if b";" in content_type else (content_type, {})
    )
    kind = kind.strip().lower()
    if kind == b"multipart/form-data":
        return _multipart(body, options.get(b"boundary", b""))
    if kind in (b"application/x-www-form-urlencoded", b""):
        return dict(urlencoded(body))
    raise FormError("send a form: application/x-www-form-urlencoded or multipart/form-data")


def urlencoded(body: bytes) -> dict[str, str]:
    """Read a form-encoded text; unescaped UTF-8 in it is as good as escaped."""
    try:
        text = body.decode().rstrip("&")
        if text.count("&") >= MAX_FIELDS:
            raise FormError(f"a form has at most {MAX_FIELDS} fields")
        if "\0" in text or "%00" in text:
            raise FormError("a form must not contain NUL")
        pairs = [pair.partition("=") for pair in text.replace("+", " ").split("&") if pair]
        return {_unescaped(name).strip(): _unescaped(value).strip() for name, _, value in pairs}
    except UnicodeDecodeError:
        raise FormError("the form is not UTF-8") from None


def _unescaped(text: str) -> str:
    # Most values have nothing to unescape, and urllib's own way is as slow for them as for others.
    return unquote_to_bytes(text).decode() if "%" in text else text


class _PartCollector:
    """What a multipart parser tells of its parts, collected."""

    def __init__(self) -> None:
        self.form: Form = {}
        self.is_complete = False
        self._headers: dict[bytes, bytes] = {}
        self._field = b""
        self._value = b""
        self._data: list[bytes] = []
        self._count = 0

    def begin(self) -> None:
        self._headers, self._data = {}, []
        self._count += 1
        if self._count > MAX_FIELDS:
            raise FormError(f"a form has at most {MAX_FIELDS} fields")

    def field(self, data: bytes, start: int, end: int) -> None:
        self._field += data[start:end]

    def value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def header(self) -> None:
        self._headers[self._field.lower()] = self._value
        self._field = self._value = b""

    def data(self, data: bytes, start: int, end: int) -> None:
        self._data.append(data[start:end])

    def end(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        name = options.get(b"name", b"").decode().strip()
        content = b"".join(self._data)
        if b"filename" in options:
            file_name = options[b"filename"].decode(errors="replace")
            self.form[name] = Upload(file_name, content)
        else:
            text = content.decode()
            if "\0" in name + text:
                raise FormError("a form must not contain NUL")
            self.form[name] = text.strip()

    def complete(self) -> None:
        self.is_complete = True


def _multipart(body: bytes, boundary: bytes) -> Form:
    parts = _PartCollector()
    callbacks: Any = {
        "on_part_begin": parts.begin,
        "on_header_field": parts.field,
        "on_header_value": parts.value,
        "on_header_end": parts.header,
        "on_part_data": parts.data,
        "on_part_end": parts.end,
        "on_end": parts.complete,
    }
    if not boundary:
        raise FormError("the multipart form names no boundary")
    try:
        parser = MultipartParser(boundary, callbacks)
        parser.write(body)
        parser.finalize()
    except FormParserError as error:
        raise FormError(f"the multipart form is broken: {error}") from None
    except UnicodeDecodeError:
        raise FormError("the form is not UTF-8") from None
    if not parts.is_complete:
        raise FormError("the multipart form ends too early")
    return parts.form
