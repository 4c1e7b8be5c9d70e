"""Folders of a school's cloud drive."""

from homeroom.base.ids import FolderId, SchoolId
from homeroom.base.text import format_count
from homeroom.contract.errno import Errno
from homeroom.domain.drive import MAX_DEPTH, check_parent_folder
from homeroom.domain.refusal import Refusal
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases.accounts import get_current_school


def get_top_folder(uow: UnitOfWork, school: SchoolId) -> FolderId:
    """Return the top folder of the school; the first call creates it."""
    if not get_current_school(uow, school).plan.drive:
        raise Refusal(Errno.NO_DATA, "the school's plan has no cloud drive")
    return uow.drive.get_or_add_top(school, uow.now)


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
