"""Folders of a school's cloud drive."""

from homeroom.base.ids import FolderId, SchoolId
from homeroom.base.text import format_count
from homeroom.base.values import Value
from homeroom.contract.errno import Errno
from homeroom.domain.drive import (
    MAX_DEPTH,
    Folder,
    check_changeable_folder,
    check_folder,
    check_parent_folder,
)
from homeroom.domain.files import DriveFile
from homeroom.domain.refusal import Refusal
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases.accounts import get_current_school
from homeroom.usecases.erasure import erase_files

LISTED_DEPTH = 2
"""Levels that getFolderList lists."""


class FolderContent(Value, frozen=True):
    """The folders and files in a folder, each by id."""

    folders: list[Folder]
    files: list[DriveFile]


def get_top_folder(uow: UnitOfWork, school: SchoolId) -> FolderId:
    """Return the top folder of the school; the first call creates it."""
    if not get_current_school(uow, school).plan.drive:
        raise Refusal(Errno.NO_DATA, "the school's plan has no cloud drive")
    return uow.drive.get_or_add_top(school, uow.now)


def list_levels(uow: UnitOfWork, school: SchoolId) -> dict[FolderId, list[Folder]]:
    """Return the folders in each folder of the first level; refuse it without any."""
    if not get_current_school(uow, school).plan.drive:
        raise Refusal(Errno.NO_DATA, "the school's plan has no cloud drive")
    levels: dict[FolderId, list[Folder]] = {}
    below: list[Folder] = []
    for folder in uow.drive.list_to_depth(school, LISTED_DEPTH):
        if folder.depth == LISTED_DEPTH:
            below.append(folder)
        else:
            levels[folder.id] = []
    for folder in below:
        if folder.parent is not None:
            levels[folder.parent].append(folder)
    if not levels:
        raise Refusal(Errno.NO_DATA, "the top folder has no folder in it")
    return levels


def list_content(uow: UnitOfWork, school: SchoolId, folder_id: FolderId | None) -> FolderContent:
    """Return what is in a folder, by default in the top folder."""
    if folder_id is not None:
        folder: Folder | None = check_folder(uow.drive.get(folder_id), school)
    elif get_current_school(uow, school).plan.drive:
        folder = uow.drive.find_top(school)
    else:
        raise Refusal(Errno.NO_SUCH_FOLDER, "the school's plan has no cloud drive")
    if folder is None:
        return FolderContent([], [])
    return FolderContent(uow.drive.list_children(folder.id), uow.files.list_of_folder(folder.id))


def add(uow: UnitOfWork, school: SchoolId, parent_id: FolderId, name: str) -> FolderId:
    """Create a folder; a name in use is refused, about the folder that has it."""
    parent = check_parent_folder(uow.drive.get(parent_id), school)
    existing = uow.drive.find_by_name(parent_id, name)
    if existing is not None:
        raise Refusal(Errno.FOLDER_NAME_TAKEN, about=existing)
    if parent.depth >= MAX_DEPTH:
        raise Refusal(Errno.FOLDER_TOO_DEEP)
    limit = get_current_school(uow, school).plan.max_folders
    if limit and uow.drive.count(school) >= limit:
        raise Refusal(
            Errno.TOO_MANY_FOLDERS, f"the school may have {format_count(limit, 'folder')}"
        )
    return uow.drive.add(parent, name, uow.now)


def rename(uow: UnitOfWork, school: SchoolId, folder_id: FolderId, name: str) -> None:
    """Rename a folder; the name of another one is refused, about the folder that has it."""
    parent = check_changeable_folder(uow.drive.get(folder_id), school)
    existing = uow.drive.find_by_name(parent, name)
    if existing not in (None, folder_id):
        raise Refusal(Errno.FOLDER_NAME_TAKEN, f"folder {existing} has the name", about=existing)
    uow.drive.rename(folder_id, name)


def delete(uow: UnitOfWork, school: SchoolId, folder_id: FolderId) -> None:
    """Delete a folder with all folders and files in it, whatever uses them (READINGS Q71).

    Their content is erased after the commit.
    """
    check_changeable_folder(uow.drive.get(folder_id), school)
    folders = uow.drive.list_inside(folder_id)
    for folder in folders:
        check_parent_folder(folder, school)
    ids = [folder.id for folder in folders]
    erase_files(uow, school, uow.files.delete_of_folders(ids))
    uow.drive.delete(ids)
