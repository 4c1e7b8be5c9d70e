"""Folders of a school's cloud drive."""

from homeroom.base.ids import FolderId, SchoolId
from homeroom.contract.errno import Errno
from homeroom.domain.drive import MAX_DEPTH, admitted
from homeroom.domain.refusal import Refused
from homeroom.store.work import Work
from homeroom.usecases.accounts import current_school


def top(work: Work, school: SchoolId) -> FolderId:
    """Return the top folder of the school; the first call makes it."""
    if not current_school(work, school).plan.drive:
        raise Refused(Errno.NO_DATA, "the school's plan has no cloud drive")
    return work.drive.top(school, work.now)


def add(work: Work, school: SchoolId, parent: FolderId, name: str) -> FolderId:
    """Make a folder; a name taken there is refused, about the folder that has it."""
    held = admitted(work.drive.get(parent), school)
    known = work.drive.named(parent, name)
    if known is not None:
        raise Refused(Errno.FOLDER_NAME_TAKEN, about=known)
    if held.depth >= MAX_DEPTH:
        raise Refused(Errno.FOLDER_TOO_DEEP)
    limit = current_school(work, school).plan.max_folders
    if limit and work.drive.count(school) >= limit:
        raise Refused(Errno.TOO_MANY_FOLDERS, f"the school may have {limit} folders")
    return work.drive.add(held, name, work.now)
