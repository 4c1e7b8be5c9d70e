"""Multipart forms, split as they arrive (RFC 7578).

Everything that is searched is searched by C: a body without credentials must cost little, whatever
it consists of.
"""

from collections.abc import Iterator

from python_multipart.multipart import parse_options_header

from homeroom.base.values import Value
from homeroom.partner.wires.urlencoded import MAX_FIELDS, FormError

MAX_BOUNDARY_BYTES = 256
MAX_HEAD_BYTES = 4096
"""Bytes of the headers of one part."""
MAX_HEADERS = 8
MAX_OPTIONS = 32
"""Semicolons in a header with options, which is parsed in Python; a file name may have some."""
MAX_OPTIONS_BYTES = 2048
DASHES = b"--"
LINE_END = b"\r\n"
HEAD_END = b"\r\n\r\n"


class PartHead(Value, frozen=True):
    """The beginning of a part: the name of its field, and that of its file if it is one."""

    name: str
    file_name: str | None


PartEvent = PartHead | bytes | None
"""A part is a head, its content in any number of pieces, and None."""


class MultipartSplitter:
    """Splits a multipart form into its parts; raises `FormError` for a body of another form."""

    def __init__(self, boundary: bytes) -> None:
        if not boundary:
            raise FormError("the multipart form names no boundary")
        if len(boundary) > MAX_BOUNDARY_BYTES:
            raise _broken("its boundary is too long")
        self._delimiter = LINE_END + DASHES + boundary
        # With this, the first boundary looks like all others.
        self._rest = LINE_END
        self._is_first = True
        self._is_in_head = False
        self._count = 0
        self.is_complete = False
        """The last boundary was read; what follows is ignored."""

    def feed(self, chunk: bytes) -> Iterator[PartEvent]:
        """Take the next chunk and return what it completes; read all of it before the next call."""
        data = self._rest + chunk
        place = 0
        while not self.is_complete:
            if self._is_in_head:
                end = data.find(HEAD_END, place, place + MAX_HEAD_BYTES)
                if end < 0:
                    if len(data) - place >= MAX_HEAD_BYTES:
                        raise _broken("the head of a part is too large")
                    break
                self._is_in_head = False
                yield _parse_head(data[place + len(LINE_END) : end])
                place = end + len(HEAD_END)
            boundary_at = data.find(self._delimiter, place)
            end = boundary_at if boundary_at >= 0 else self._find_safe_end(data, place)
            if self._is_first:
                self._check_start(data, boundary_at)
            elif end > place:
                yield data[place:end]
            place = end
            after = boundary_at + len(self._delimiter)
            if boundary_at < 0 or len(data) < after + len(DASHES):
                break
            if not self._is_first:
                yield None
            self._is_first = False
            place = after
            self._begin_part(data[after : after + len(DASHES)])
        self._rest = data[place:] if not self.is_complete else b""

    def _find_safe_end(self, data: bytes, place: int) -> int:
        """Return where content ends that cannot be the beginning of a boundary."""
        start = data.rfind(b"\r", max(place, len(data) - len(self._delimiter) + 1))
        return start if start >= 0 and self._delimiter.startswith(data[start:]) else len(data)

    def _check_start(self, data: bytes, boundary_at: int) -> None:
        """Refuse a form that does not begin with its boundary."""
        start = (data if boundary_at < 0 else data[:boundary_at]).strip(LINE_END)
        if start and not self._delimiter.startswith(LINE_END + start):
            raise _broken("it does not begin with its boundary")

    def _begin_part(self, after: bytes) -> None:
        if after == DASHES:
            self.is_complete = True
            return
        if after != LINE_END:
            raise _broken("a boundary does not end its line")
        self._count += 1
        if self._count > MAX_FIELDS:
            raise FormError(f"a form has at most {MAX_FIELDS} fields")
        self._is_in_head = True


def _parse_head(head: bytes) -> PartHead:
    """Return the names in the headers of a part."""
    lines = head.split(LINE_END) if head else []
    if len(lines) > MAX_HEADERS:
        raise _broken("a part has too many headers")
    disposition = b""
    for line in lines:
        header, colon, value = line.partition(b":")
        if not colon:
            raise _broken("a header of a part has no colon")
        if header.strip().lower() == b"content-disposition":
            disposition = value.strip()
    _, options = parse_options(disposition)
    try:
        name = options.get(b"name", b"").decode().strip()
    except UnicodeDecodeError:
        raise FormError("the form is not UTF-8") from None
    if "\0" in name:
        raise FormError("a form must not contain NUL")
    file_name = options.get(b"filename")
    return PartHead(name, file_name.decode(errors="replace") if file_name is not None else None)


def parse_options(header: bytes) -> tuple[bytes, dict[bytes, bytes]]:
    """Return the value of a header in lower case, and its options."""
    if len(header) > MAX_OPTIONS_BYTES or header.count(b";") > MAX_OPTIONS:
        raise _broken("a header is too long")
    if b";" not in header:
        return header.strip().lower(), {}
    value, options = parse_options_header(header)
    return value.strip().lower(), options


def _broken(why: str) -> FormError:
    return FormError(f"the multipart form is broken: {why}")
