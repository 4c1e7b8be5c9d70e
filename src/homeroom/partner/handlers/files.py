"""Handlers of the files of the cloud drive; their ids travel as text."""

from homeroom.base.ids import SchoolId
from homeroom.contract.files import DelFile, RenameFile, UploadedFile, UploadFile
from homeroom.contract.results import EmptyResult
from homeroom.domain.files import file_path
from homeroom.partner.routes import CallContext
from homeroom.store.storage import Storage
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import files
from homeroom.usecases.files import StoredUpload


def check_folder(uow: UnitOfWork, school: SchoolId, params: UploadFile) -> None:
    """Refuse a folder before a file is sent to it."""
    files.check_folder(uow, school, params.folder_id)


def reserve_upload(uow: UnitOfWork, school: SchoolId, params: UploadFile) -> None:
    """Check an upload before its content is stored."""
    files.reserve(uow, school, params.folder_id, params.file)


def store_upload(storage: Storage, params: UploadFile) -> StoredUpload | None:
    """Store the content of an upload that was reserved."""
    if params.file is None:
        return None
    path = file_path(params.file.key)
    storage.put(path, params.file.open())
    return StoredUpload(path, storage.id)


def upload_file(call: CallContext[StoredUpload | None], params: UploadFile) -> UploadedFile:
    """Add a file to a folder and return its id."""
    file = files.add(call.uow, call.school, params.folder_id, params.file, call.prepared)
    return UploadedFile(data=str(file))


def rename_file(call: CallContext[None], params: RenameFile) -> EmptyResult:
    """Rename a file."""
    files.rename(call.uow, call.school, params.file_id, params.file_name)
    return EmptyResult()


def del_file(call: CallContext[None], params: DelFile) -> EmptyResult:
    """Delete a file."""
    files.delete(call.uow, call.school, params.file_id)
    return EmptyResult()
