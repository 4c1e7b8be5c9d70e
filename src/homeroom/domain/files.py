"""Files of a school's cloud drive: their names, sizes and addresses."""

from collections.abc import Collection
from itertools import count

from homeroom.base.clock import HOUR, Moment
from homeroom.base.file_names import cut_name
from homeroom.base.ids import FileId, FolderId, SchoolId
from homeroom.base.text import format_count
from homeroom.base.values import Value
from homeroom.contract.errno import Errno
from homeroom.domain.refusal import Refusal
from homeroom.domain.signed_urls import sign_url

FILE_URL_SECONDS = 6 * HOUR
"""Seconds for which the URL of a file is valid."""
UPLOAD_SECONDS = HOUR
"""Seconds after which an upload that was stored, but not added to a folder, is given up."""
KIBIBYTE = 1024


class SentFile(Value, frozen=True):
    """A file as a caller has sent it."""

    name: str
    path: str
    """Path of the file in the storage, once it is stored."""
    size: int
    sha256: str
    is_complete: bool
    """False: its end did not come."""
    is_too_large: bool


class NewFile(Value, frozen=True):
    """A file in the storage, to be added to a folder."""

    name: str
    path: str
    """Path of the file in the storage."""
    size: int
    sha256: str
    storage: str | None
    """The id of the storage that has the file; none if that is unknown."""


class DriveFile(Value, frozen=True):
    """A file of the cloud drive."""

    id: FileId
    school: SchoolId
    folder: FolderId
    file: NewFile


def file_path(key: str) -> str:
    """Return the path in the storage of the file with a key."""
    return f"files/{key[:2]}/{key}"


def check_upload(sent: SentFile | None, bytes_left: int | None) -> SentFile:
    """Return a file that was sent and that the school has room for; raise `Refusal` otherwise.

    `bytes_left` is None where the plan has no limit.
    """
    if sent is None:
        raise Refusal(Errno.NO_FILE_SENT, "Filedata: send a file with a name in a multipart form")
    if sent.is_too_large:
        raise Refusal(Errno.FILE_TOO_LARGE, "a file has at most 500 MiB")
    if bytes_left is not None and sent.size > bytes_left:
        left = format_count(max(bytes_left, 0), "byte")
        raise Refusal(Errno.STORAGE_FULL, f"the file has {sent.size} bytes, and {left} are left")
    if not sent.is_complete:
        raise Refusal(Errno.UPLOAD_FAILED, f"the body ended after {sent.size} bytes of the file")
    return sent


def check_file(file: DriveFile | None, school: SchoolId) -> DriveFile:
    """Return a file of the school; raise `Refusal` otherwise."""
    if file is None:
        raise Refusal(Errno.NO_SUCH_FILE)
    if file.school != school:
        raise Refusal(Errno.FILE_OF_ANOTHER_SCHOOL)
    return file


def choose_name(name: str, taken: Collection[str]) -> str:
    """Return a name that a folder has not yet: "plan (2).pdf" and so on."""
    candidates = (cut_name(name, f" ({number})") for number in count(2))
    return next(candidate for candidate in candidates if candidate not in taken)


def format_size(size: int) -> str:
    """Return a size as getCloudList prints it, rounded up: "7KB", "2MB" (READINGS Q70)."""
    kibibytes = -(-size // KIBIBYTE)
    return f"{kibibytes}KB" if kibibytes < KIBIBYTE else f"{-(-size // KIBIBYTE**2)}MB"


def sign_file_url(pages_url: str, file: FileId, expires_at: Moment, key: str) -> str:
    """Return a URL that serves a file until a moment."""
    return sign_url(f"{pages_url}/files/{file}", file_subject(file), expires_at, key)


def file_subject(file: FileId) -> str:
    """Return what the URL of a file is signed for; no clip has such a fileId."""
    return f"file {file}"
