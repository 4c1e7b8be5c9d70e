"""Files of a school's cloud drive."""

from homeroom.base.file_names import cut_name, split_name
from homeroom.base.ids import FileId, FolderId, SchoolId
from homeroom.contract.errno import Errno
from homeroom.contract.messages.people import ConvertedFile, FileConverted
from homeroom.domain.drive import check_parent_folder
from homeroom.domain.events import Event
from homeroom.domain.files import (
    UPLOAD_SECONDS,
    DriveFile,
    NewFile,
    SentFile,
    check_file,
    check_upload,
    choose_name,
)
from homeroom.domain.jobs import EraseFiles
from homeroom.domain.refusal import Refusal
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases.accounts import count_bytes_left, get_current_school
from homeroom.usecases.erasure import erase_files


def check_folder(uow: UnitOfWork, school: SchoolId, folder: FolderId) -> None:
    """Refuse a folder that nothing may be put into, before a file is sent to it."""
    check_parent_folder(uow.drive.get(folder), school)


def reserve(uow: UnitOfWork, school: SchoolId, folder: FolderId, sent: SentFile | None) -> None:
    """Check a file that was sent, before its content is stored.

    If the server ends before the file is in the folder, a job erases the content later.
    """
    sent = _check(uow, school, folder, sent)
    uow.enqueue(EraseFiles([sent.path], storage=uow.storage), school, after=UPLOAD_SECONDS)


def add(
    uow: UnitOfWork,
    school: SchoolId,
    folder: FolderId,
    sent: SentFile | None,
    storage: str | None,
) -> FileId:
    """Add a file to a folder, whose content a storage has; a name in use gets a number.

    If the file is refused, its content is erased (READINGS Q71).
    """
    try:
        file = _check(uow, school, folder, sent)
    except Refusal:
        if sent is not None:
            path = sent.path
            uow.keep(lambda unit: erase_files(unit, school, [(path, storage)]))
        raise
    name = cut_name(file.name)
    if uow.files.is_name_taken(folder, name):
        stem, _ = split_name(name)
        name = choose_name(name, uow.files.list_names_like(folder, stem))
    new = NewFile(name, file.path, file.size, file.sha256, storage)
    file_id = uow.files.add(school, folder, new, uow.now)
    if uow.wants_messages(school):
        data = ConvertedFile(uow.now, uow.now, name)
        uow.emit(Event(school=school, body=FileConverted(file=file_id, data=data), at=uow.now))
    return file_id


def rename(uow: UnitOfWork, school: SchoolId, file_id: FileId, name: str) -> None:
    """Rename a file; the name of another file of the folder is refused."""
    file = check_file(uow.files.get(file_id), school)
    if name == file.file.name:
        return
    if uow.files.is_name_taken(file.folder, name):
        raise Refusal(Errno.FILE_NAME_TAKEN)
    uow.files.rename(file_id, name)


def delete(uow: UnitOfWork, school: SchoolId, file_id: FileId) -> None:
    """Delete a file, whatever uses it; its content is erased after the commit."""
    file = check_file(uow.files.get(file_id), school)
    uow.files.delete(file_id)
    erase_files(uow, school, [(file.file.path, file.file.storage)])


def get(uow: UnitOfWork, file_id: FileId) -> DriveFile | None:
    """Return a file of any school, or None."""
    return uow.files.get(file_id)


def list_page(uow: UnitOfWork, after: int, limit: int) -> list[DriveFile]:
    """Return files of all schools in order of their ids after a given id."""
    return uow.files.list_page(after, limit)


def _check(uow: UnitOfWork, school: SchoolId, folder: FolderId, sent: SentFile | None) -> SentFile:
    check_folder(uow, school, folder)
    plan = get_current_school(uow, school).plan
    return check_upload(sent, count_bytes_left(uow, school, plan))
