"""Files as they arrive in a form."""

from dataclasses import dataclass

from homeroom.contract.params import ParamError, ParamType

MAX_FILE_BODY_BYTES = 32 * 1024 * 1024
"""The largest body, in bytes, of an action that takes a file."""


@dataclass(frozen=True, slots=True)
class Upload:
    """One file of a multipart form: the name it came under, and its bytes."""

    name: str
    content: bytes


def read_file(raw: object) -> Upload | None:
    """Read an uploaded file; an empty one counts as none, as browsers and PHP send it."""
    if isinstance(raw, Upload):
        return raw if raw.content else None
    raise ParamError("", "must be an uploaded file")


FILE = ParamType(read_file, "file of a multipart form")
