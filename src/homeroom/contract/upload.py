"""Files as they arrive in a form."""

from typing import BinaryIO

import msgspec

from homeroom.base.keys import KeyGenerator
from homeroom.base.values import Value
from homeroom.contract.params import ParamType

MAX_FILE_BODY_BYTES = 32 * 1024 * 1024
"""The largest body, in bytes, of an action that takes a file, unless it is a `LargeUpload`."""


class LargeUpload(Value, frozen=True):
    """Limits of a file that is too large to be taken before the caller is known."""

    max_bytes: int
    """Bytes of the file. The size of a larger one is counted, and its content is dropped."""
    fields_before: tuple[str, ...]
    """Parameters that must come before the file, as must the credentials."""

    @property
    def max_body_bytes(self) -> int:
        """Bytes of a body that are read, so that a client that sends too much gets a response."""
        return 2 * self.max_bytes


class Upload(msgspec.Struct, frozen=True):
    """One file of a multipart form. It ends with its request."""

    name: str
    """The name it came under."""
    file: BinaryIO
    """Its content, in memory or on disk."""
    size: int
    """Bytes."""
    sha256: str
    is_complete: bool = True
    """False: the body ended inside the file."""
    is_too_large: bool = False
    """It is larger than its action takes, and its content was dropped."""
    key: str = msgspec.field(default_factory=KeyGenerator().file_id)
    """Names no other upload: for what a storage keeps of it."""

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
