"""Cloud folders on the wire."""

from typing import Annotated

import msgspec
from msgspec import Meta

from homeroom.base.file_names import MAX_NAME_LENGTH, is_file_name
from homeroom.base.ids import FolderId
from homeroom.contract.action import Action, APIPath, Check, V1Form
from homeroom.contract.errno import Errno
from homeroom.contract.params import (
    ID,
    OPTIONAL_ID,
    InvalidValueError,
    Params,
    ParamType,
    read_text,
)
from homeroom.contract.results import (
    EmptyResult,
    Result,
    TextId,
)


def check_drive_name(name: str) -> None:
    """Refuse control characters and slashes in the name of a folder or a file."""
    if not is_file_name(name):
        raise InvalidValueError("must not contain control characters, / or \\")


def _read_drive_name(raw: object) -> str:
    name = read_text(raw)
    check_drive_name(name)
    return name[:MAX_NAME_LENGTH]


DRIVE_NAME = ParamType(
    _read_drive_name,
    "text, cut to 128 characters; control characters, `/` and `\\` are refused",
)


class GetTopFolderId(Params, frozen=True, kw_only=True):
    """The parameters of getTopFolderId: none of its own."""


class GetFolderList(Params, frozen=True, kw_only=True):
    """The parameters of getFolderList: none of its own."""


class GetCloudList(Params, frozen=True, kw_only=True):
    """The parameters of getCloudList; no folder means the top folder."""

    folder_id: Annotated[FolderId | None, OPTIONAL_ID] = None


class CreateFolder(Params, frozen=True, kw_only=True):
    """The parameters of createFolder and renameFolder."""

    folder_id: Annotated[FolderId, ID]
    folder_name: Annotated[str, DRIVE_NAME]


class DelFolder(Params, frozen=True, kw_only=True):
    """The parameters of delFolder."""

    folder_id: Annotated[FolderId, ID]


class FolderResult(Result, frozen=True, kw_only=True):
    """Result of getTopFolderId and createFolder: a folder."""

    data: Annotated[TextId, Meta(description="The id of the folder, digits as text.")]


class SecondLevelFolder(msgspec.Struct, frozen=True, kw_only=True):
    """A folder of the second level, as getFolderList lists it."""

    id: Annotated[TextId, Meta(description="The id of the folder.")]
    pid: Annotated[TextId, Meta(description="The folder that it is in.")]
    name: Annotated[str, Meta(description="The name of the folder.")]


class FolderList(Result, frozen=True, kw_only=True):
    """Result of getFolderList."""

    data: Annotated[
        dict[str, list[SecondLevelFolder]],
        Meta(description="The folders in each folder of the first level, by its id."),
    ]


class ListedFolder(msgspec.Struct, frozen=True, kw_only=True):
    """A folder as getCloudList lists it."""

    folder_id: Annotated[TextId, Meta(description="The id of the folder.")]
    folder_name: Annotated[str, Meta(description="The name of the folder.")]
    is_system_folder: Annotated[
        int, Meta(ge=0, le=1, description="1: it may not be changed, and nothing put into it.")
    ]


class ListedFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file as getCloudList lists it."""

    id: Annotated[TextId, Meta(description="The id of the file.")]
    file_name: Annotated[str, Meta(description="The name of the file, with its extension.")]
    file_size: Annotated[
        str, Meta(pattern="^[0-9]+(KB|MB)$", description="Rounded up, in units of 1,024 bytes.")
    ]


class CloudList(Result, frozen=True, kw_only=True):
    """Result of getCloudList: folders and files, each by id."""

    folder_list: Annotated[list[ListedFolder], Meta(description="The folders, by id.")]
    file_list: Annotated[list[ListedFile], Meta(description="The files, by id.")]


class RenamedFolder(Result, frozen=True, kw_only=True):
    """Result of renameFolder, which carries data only where the name is taken."""

    data: Annotated[
        TextId | msgspec.UnsetType,
        Meta(description="The id of the folder that has the name; absent where it was renamed."),
    ] = msgspec.UNSET


FOLDER_EXISTS = Check(Errno.NO_SUCH_FOLDER, "there is no such folder")
FOLDER_OF_SCHOOL = Check(Errno.FOLDER_OF_ANOTHER_SCHOOL, "the folder belongs to another school")

GET_TOP_FOLDER_ID = Action(
    name="getTopFolderId",
    title="Get the id of the top folder",
    params=GetTopFolderId,
    result=FolderResult,
    bindings=(V1Form(APIPath.CLOUD),),
    checks=(Check(Errno.NO_DATA, "the school's plan has no cloud drive"),),
    faults=(),
)

GET_FOLDER_LIST = Action(
    name="getFolderList",
    title="List the first two folder levels",
    params=GetFolderList,
    result=FolderList,
    bindings=(V1Form(APIPath.CLOUD),),
    checks=(
        Check(
            Errno.NO_DATA,
            "the school's plan has no cloud drive, or the top folder has no folder in it",
        ),
    ),
    faults=(),
)

GET_CLOUD_LIST = Action(
    name="getCloudList",
    title="List folders and files of a folder",
    params=GetCloudList,
    result=CloudList,
    bindings=(V1Form(APIPath.CLOUD),),
    checks=(
        Check(
            Errno.NO_SUCH_FOLDER,
            "there is no such folder, or no folder is named and the plan has no cloud drive",
        ),
        FOLDER_OF_SCHOOL,
    ),
    faults=(),
)

CREATE_FOLDER = Action(
    name="createFolder",
    title="Create a folder",
    params=CreateFolder,
    result=FolderResult,
    bindings=(V1Form(APIPath.CLOUD),),
    checks=(
        Check(Errno.NO_SUCH_FOLDER, "there is no such parent folder"),
        Check(Errno.FOLDER_OF_ANOTHER_SCHOOL, "the parent folder belongs to another school"),
        Check(Errno.FOLDER_NOT_WRITABLE, "no folders may be made in the parent folder"),
        Check(
            Errno.FOLDER_NAME_TAKEN,
            "the parent folder has a folder of this name; the answer is about that one",
            has_result=True,
        ),
        Check(Errno.FOLDER_TOO_DEEP, "the folder would be deeper than 15 levels"),
        Check(Errno.TOO_MANY_FOLDERS, "the school's plan allows no further folder"),
    ),
    faults=(Errno.FAILED,),
)

RENAME_FOLDER = Action(
    name="renameFolder",
    title="Rename a folder",
    params=CreateFolder,
    result=RenamedFolder,
    bindings=(V1Form(APIPath.CLOUD),),
    checks=(
        FOLDER_EXISTS,
        FOLDER_OF_SCHOOL,
        Check(Errno.FOLDER_NOT_WRITABLE, "it is the top folder, or may not be changed"),
        Check(
            Errno.FOLDER_NAME_TAKEN,
            "another folder beside it has this name; the answer is about that one",
            has_result=True,
        ),
    ),
    faults=(Errno.FAILED,),
)

DEL_FOLDER = Action(
    name="delFolder",
    title="Delete a folder",
    params=DelFolder,
    result=EmptyResult,
    bindings=(V1Form(APIPath.CLOUD),),
    checks=(
        FOLDER_EXISTS,
        FOLDER_OF_SCHOOL,
        Check(
            Errno.FOLDER_NOT_WRITABLE,
            "it is the top folder, or it or a folder in it may not be changed",
        ),
    ),
    faults=(Errno.FAILED,),
)
