"""Files as they arrive in a form."""

from typing import BinaryIO

import msgspec

from homeroom.contract.params import ParamError, ParamType

MAX_FILE_BODY_BYTES = 32 * 1024 * 1024
"""The largest body, in bytes, of an action that takes a file."""


class Upload(msgspec.Struct, frozen=True):
    """One file of a multipart form. It ends with its request."""

    name: str
    """The name it came under."""
    file: BinaryIO
    """Its content, in memory or on disk."""
    size: int
    """Bytes."""
    sha256: str

    def open(self) -> BinaryIO:
        """Return the content from its beginning; it is not to be closed."""
        self.file.seek(0)
        return self.file


def read_file(raw: object) -> Upload | None:
    """Read an uploaded file; an empty one counts as none, as browsers and PHP send it."""
    if isinstance(raw, Upload):
        return raw if raw.size else None
    raise ParamError("", "must be an uploaded file")


FILE = ParamType(read_file, "file of a multipart form")
