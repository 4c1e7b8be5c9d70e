"""Files of a school's cloud drive: their names, sizes and addresses."""

from collections.abc import Collection
from itertools import count
from pathlib import PurePosixPath

from homeroom.base.clock import HOUR, Moment
from homeroom.base.ids import FileId, FolderId, SchoolId
from homeroom.base.text import format_count
from homeroom.base.values import Value
from homeroom.contract.drive import MAX_NAME_LENGTH
from homeroom.contract.errno import Errno
from homeroom.contract.files import MAX_FILE_BYTES
from homeroom.contract.upload import Upload
from homeroom.domain.refusal import Refusal
from homeroom.domain.signed_urls import sign_url

FILE_URL_SECONDS = 6 * HOUR
"""Seconds for which the URL of a file is valid."""
UPLOAD_SECONDS = HOUR
"""Seconds after which an upload that was stored, but not added to a folder, is given up."""
MAX_EXTENSION_LENGTH = 20
"""Characters of an extension, with its dot; a longer one is part of the name."""
KIBIBYTE = 1024


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


def check_upload(upload: Upload | None, bytes_left: int | None) -> Upload:
    """Return an uploaded file that the school has room for; raise `Refusal` otherwise.

    `bytes_left` is None where the plan has no limit.
    """
    if upload is None:
        raise Refusal(Errno.NO_FILE_SENT, "Filedata: send a file with a name in a multipart form")
    if upload.is_too_large:
        raise Refusal(
            Errno.FILE_TOO_LARGE, f"a file has at most {MAX_FILE_BYTES} bytes, not {upload.size}"
        )
    if bytes_left is not None and upload.size > bytes_left:
        raise Refusal(
            Errno.STORAGE_FULL,
            f"the file has {upload.size} bytes, and {format_count(max(bytes_left, 0), 'byte')} "
            "are left",
        )
    if not upload.is_complete:
        raise Refusal(Errno.UPLOAD_FAILED, f"the body ended after {upload.size} bytes of the file")
    return upload


def check_file(file: DriveFile | None, school: SchoolId) -> DriveFile:
    """Return a file of the school; raise `Refusal` otherwise."""
    if file is None:
        raise Refusal(Errno.NO_SUCH_FILE)
    if file.school != school:
        raise Refusal(Errno.FILE_OF_ANOTHER_SCHOOL)
    return file


def split_name(name: str) -> tuple[str, str]:
    """Return a file name without its extension, and the extension with its dot."""
    extension = PurePosixPath(name).suffix
    if len(extension) > MAX_EXTENSION_LENGTH:
        extension = ""
    return name.removesuffix(extension), extension


def cut_name(name: str, numbered: str = "") -> str:
    """Return a file name that is not too long, with a number before its extension."""
    stem, extension = split_name(name)
    return stem[: MAX_NAME_LENGTH - len(numbered) - len(extension)] + numbered + extension


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
