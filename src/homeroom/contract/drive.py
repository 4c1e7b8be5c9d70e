"""Cloud folders on the wire."""

from typing import Annotated

from homeroom.base.ids import FolderId
from homeroom.contract.action import Action, APIPath
from homeroom.contract.errno import Errno
from homeroom.contract.params import ID, Params, ParamType, read_text_cut_to


class GetTopFolderId(Params, frozen=True, kw_only=True):
    """The parameters of getTopFolderId: none of its own."""


class CreateFolder(Params, frozen=True, kw_only=True):
    """The parameters of createFolder."""

    folder_id: Annotated[FolderId, ID]
    folder_name: Annotated[str, ParamType(read_text_cut_to(128), "text, cut to 128 characters")]


GET_TOP_FOLDER_ID = Action(
    name="getTopFolderId",
    title="Get the id of the top folder",
    params=GetTopFolderId,
    refuses=(Errno.NO_DATA,),
    faults=(),
    answer="data: the folder id, digits as text",
    order="a plan without a cloud drive (106); the first call makes the top folder",
    door=APIPath.CLOUD,
)

CREATE_FOLDER = Action(
    name="createFolder",
    title="Create a folder",
    params=CreateFolder,
    refuses=(
        Errno.NO_SUCH_FOLDER,
        Errno.FOLDER_OF_ANOTHER_SCHOOL,
        Errno.FOLDER_NOT_WRITABLE,
        Errno.FOLDER_NAME_TAKEN,
        Errno.FOLDER_TOO_DEEP,
        Errno.TOO_MANY_FOLDERS,
    ),
    faults=(Errno.FAILED,),
    answer="data: the folder id, digits as text; with 206 the folder that has the name",
    order=(
        "presence and format (100), the parent (193, 194, 196), a name taken there (206 with its "
        "id), the 15 levels (207), the number of folders (208)"
    ),
    door=APIPath.CLOUD,
)
