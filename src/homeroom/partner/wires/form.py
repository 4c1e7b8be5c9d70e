"""Forms of the v1 wire, in either encoding, with a limit on everything."""

from typing import Any
from urllib.parse import unquote_to_bytes

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from homeroom.base.errors import HomeroomError
from homeroom.contract.upload import Upload

MAX_FIELDS = 200

Form = dict[str, str | Upload]


class FormError(HomeroomError):
    """The body is not a form, or not one that the API allows; the message says why."""


def parse_form(content_type: bytes, body: bytes) -> Form:
    """Return the fields of a form in either encoding; raises `FormError`.

    Names and values lose the spaces around them; of a repeated name the last value counts.
    """
    kind, options = (
        parse_options_header(content_type) if b";" in content_type else (content_type, {})
    )
    kind = kind.strip().lower()
    if kind == b"multipart/form-data":
        return _parse_multipart(body, options.get(b"boundary", b""))
    if kind in (b"application/x-www-form-urlencoded", b""):
        return _parse_urlencoded(body)
    raise FormError("send a form: application/x-www-form-urlencoded or multipart/form-data")


def _parse_urlencoded(body: bytes) -> Form:
    try:
        text = body.decode().rstrip("&")
        if text.count("&") >= MAX_FIELDS:
            raise FormError(f"a form has at most {MAX_FIELDS} fields")
        if "\0" in text or "%00" in text:
            raise FormError("a form must not contain NUL")
        pairs = [pair.partition("=") for pair in text.replace("+", " ").split("&") if pair]
        return {_unescape(name).strip(): _unescape(value).strip() for name, _, value in pairs}
    except UnicodeDecodeError:
        raise FormError("the form is not UTF-8") from None


def _unescape(text: str) -> str:
    # Most values have no escapes, and urllib takes as long for them as for the others.
    return unquote_to_bytes(text).decode() if "%" in text else text


class _PartCollector:
    """Collects the parts of a multipart form from the callbacks of the parser."""

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


def _parse_multipart(body: bytes, boundary: bytes) -> Form:
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
