"""Folders of a school's cloud drive."""

from homeroom.base.ids import FolderId, SchoolId
from homeroom.base.values import Value
from homeroom.contract.errno import Errno
from homeroom.domain.refusal import Refusal

MAX_DEPTH = 15
"""Levels below the top folder."""
TOP_FOLDER_NAME = "Drive"


class Folder(Value, frozen=True):
    """A folder; the top one has no parent and depth 0."""

    id: FolderId
    school: SchoolId
    depth: int
    is_writable: bool


def check_parent_folder(folder: Folder | None, school: SchoolId) -> Folder:
    """Return a folder of the school that is writable; raise `Refusal` otherwise."""
    if folder is None:
        raise Refusal(Errno.NO_SUCH_FOLDER)
    if folder.school != school:
        raise Refusal(Errno.FOLDER_OF_ANOTHER_SCHOOL)
    if not folder.is_writable:
        raise Refusal(Errno.FOLDER_NOT_WRITABLE)
    return folder
