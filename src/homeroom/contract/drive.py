"""Cloud folders on the wire."""

from typing import Annotated

from msgspec import Meta

from homeroom.base.ids import FolderId
from homeroom.contract.action import Action, APIPath, Check, V1Form
from homeroom.contract.errno import Errno
from homeroom.contract.params import ID, Params, ParamType, read_text_cut_to
from homeroom.contract.results import (
    Result,
    TextId,
)


class GetTopFolderId(Params, frozen=True, kw_only=True):
    """The parameters of getTopFolderId: none of its own."""


class CreateFolder(Params, frozen=True, kw_only=True):
    """The parameters of createFolder."""

    folder_id: Annotated[FolderId, ID]
    folder_name: Annotated[str, ParamType(read_text_cut_to(128), "text, cut to 128 characters")]


class FolderResult(Result, frozen=True, kw_only=True):
    """Result of both actions: a folder."""

    data: Annotated[TextId, Meta(description="The id of the folder, digits as text.")]


GET_TOP_FOLDER_ID = Action(
    name="getTopFolderId",
    title="Get the id of the top folder",
    params=GetTopFolderId,
    result=FolderResult,
    bindings=(V1Form(APIPath.CLOUD),),
    checks=(Check(Errno.NO_DATA, "the school's plan has no cloud drive"),),
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
