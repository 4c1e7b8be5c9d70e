"""Files of the cloud drive on the wire."""

from typing import Annotated

from msgspec import Meta

from homeroom.base.ids import FileId, FolderId
from homeroom.contract.action import Action, APIPath, Check, V1Form
from homeroom.contract.drive import DRIVE_NAME, FOLDER_EXISTS, FOLDER_OF_SCHOOL, check_drive_name
from homeroom.contract.errno import Errno
from homeroom.contract.params import ID, InvalidValueError, ParamError, Params, ParamType
from homeroom.contract.results import EmptyResult, Result, TextId
from homeroom.contract.upload import LargeUpload, Upload

MAX_FILE_BYTES = 524_288_000
"""Bytes of a file of the cloud drive."""


def _read_file(raw: object) -> Upload | None:
    """Read an uploaded file; text counts as none, and so does an empty or nameless file."""
    if not isinstance(raw, Upload) or not raw.size or not raw.name.strip():
        return None
    try:
        check_drive_name(raw.name)
    except InvalidValueError as error:
        raise ParamError("filename", str(error)) from None
    return raw


class UploadFile(Params, frozen=True, kw_only=True):
    """The parameters of uploadFile; the folder must come before the file."""

    folder_id: Annotated[FolderId, ID]
    file: Annotated[
        Upload | None,
        ParamType(
            _read_file,
            "file of a multipart form, of any type; it must be named, and come after folderId and "
            "the credentials",
            ("Filedata",),
        ),
    ] = None


class RenameFile(Params, frozen=True, kw_only=True):
    """The parameters of renameFile."""

    file_id: Annotated[FileId, ID]
    file_name: Annotated[str, DRIVE_NAME]


class DelFile(Params, frozen=True, kw_only=True):
    """The parameters of delFile."""

    file_id: Annotated[FileId, ID]


class UploadedFile(Result, frozen=True, kw_only=True):
    """Result of uploadFile: the new file."""

    data: Annotated[TextId, Meta(description="The id of the file, digits as text.")]


FILE_CHECKS = (
    Check(Errno.NO_SUCH_FILE, "there is no such file"),
    Check(Errno.FILE_OF_ANOTHER_SCHOOL, "the file belongs to another school"),
)

UPLOAD_FILE = Action(
    name="uploadFile",
    title="Upload a file",
    params=UploadFile,
    result=UploadedFile,
    bindings=(
        V1Form(
            APIPath.CLOUD,
            takes_file=True,
            large_upload=LargeUpload(MAX_FILE_BYTES, fields_before=("folderId",)),
        ),
    ),
    checks=(
        FOLDER_EXISTS,
        FOLDER_OF_SCHOOL,
        Check(Errno.FOLDER_NOT_WRITABLE, "nothing may be put into the folder"),
        Check(Errno.NO_FILE_SENT, "no file was sent, or an empty one, or one without a name"),
        Check(Errno.FILE_TOO_LARGE, "the file has more than 500 MiB"),
        Check(Errno.STORAGE_FULL, "the school's recordings and files leave no room for the file"),
        Check(Errno.UPLOAD_FAILED, "the body ends before the file does"),
    ),
    faults=(Errno.FAILED,),
)

RENAME_FILE = Action(
    name="renameFile",
    title="Rename a file",
    params=RenameFile,
    result=EmptyResult,
    bindings=(V1Form(APIPath.CLOUD),),
    checks=(
        *FILE_CHECKS,
        Check(Errno.FILE_NAME_TAKEN, "another file of the folder has this name"),
    ),
    faults=(Errno.FAILED,),
)

DEL_FILE = Action(
    name="delFile",
    title="Delete a file",
    params=DelFile,
    result=EmptyResult,
    bindings=(V1Form(APIPath.CLOUD),),
    checks=FILE_CHECKS,
    faults=(Errno.FAILED,),
)
