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
    parent: FolderId | None
    name: str
    depth: int
    is_writable: bool


def check_folder(folder: Folder | None, school: SchoolId) -> Folder:
    """Return a folder of the school; raise `Refusal` otherwise."""
    if folder is None:
        raise Refusal(Errno.NO_SUCH_FOLDER)
    if folder.school != school:
        raise Refusal(Errno.FOLDER_OF_ANOTHER_SCHOOL)
    return folder


def check_parent_folder(folder: Folder | None, school: SchoolId) -> Folder:
    """Return a folder of the school that things may be put into; raise `Refusal` otherwise."""
    folder = check_folder(folder, school)
    if not folder.is_writable:
        raise Refusal(
            Errno.FOLDER_NOT_WRITABLE, f"folder {folder.id} is closed; its operator can open it"
        )
    return folder


def check_changeable_folder(folder: Folder | None, school: SchoolId) -> FolderId:
    """Return the parent of a folder that may be renamed or deleted; raise `Refusal` otherwise."""
    folder = check_folder(folder, school)
    if folder.parent is None:
        raise Refusal(Errno.FOLDER_NOT_WRITABLE, f"folder {folder.id} is the top folder")
    check_parent_folder(folder, school)
    return folder.parent
