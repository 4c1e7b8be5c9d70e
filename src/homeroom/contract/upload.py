"""Files as they arrive in a form."""

from typing import BinaryIO

import msgspec

from homeroom.contract.params import ParamType

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
    """Read an uploaded file.

    An empty one counts as none, as browsers and PHP send it; so does a text (READINGS Q56).
    """
    return raw if isinstance(raw, Upload) and raw.size else None


FILE = ParamType(read_file, "file of a multipart form")
