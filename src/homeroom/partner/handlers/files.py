"""Handlers of the files of the cloud drive; their ids travel as text."""

from homeroom.base.ids import SchoolId
from homeroom.contract.files import DelFile, RenameFile, UploadedFile, UploadFile
from homeroom.contract.results import EmptyResult
from homeroom.contract.upload import Upload
from homeroom.domain.files import SentFile, file_path
from homeroom.partner.routes import CallContext
from homeroom.store.storage import Storage
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import files


def check_folder(uow: UnitOfWork, school: SchoolId, params: UploadFile) -> None:
    """Refuse a folder before a file is sent to it."""
    files.check_folder(uow, school, params.folder_id)


def reserve_upload(uow: UnitOfWork, school: SchoolId, params: UploadFile) -> None:
    """Check an upload before its content is stored."""
    files.reserve(uow, school, params.folder_id, _to_sent_file(params.file))


def store_upload(storage: Storage, params: UploadFile) -> str | None:
    """Store the content of an upload that was reserved; returns the id of the storage."""
    if params.file is not None:
        storage.put(file_path(params.file.key), params.file.open())
    return storage.id


def upload_file(call: CallContext[str | None], params: UploadFile) -> UploadedFile:
    """Add a file to a folder and return its id."""
    sent = _to_sent_file(params.file)
    file = files.add(call.uow, call.school, params.folder_id, sent, call.prepared)
    return UploadedFile(data=str(file))


def _to_sent_file(upload: Upload | None) -> SentFile | None:
    if upload is None:
        return None
    return SentFile(
        name=upload.name.strip(),
        path=file_path(upload.key),
        size=upload.size,
        sha256=upload.sha256,
        is_complete=upload.is_complete,
        is_too_large=upload.is_too_large,
    )


def rename_file(call: CallContext[None], params: RenameFile) -> EmptyResult:
    """Rename a file."""
    files.rename(call.uow, call.school, params.file_id, params.file_name)
    return EmptyResult()


def del_file(call: CallContext[None], params: DelFile) -> EmptyResult:
    """Delete a file."""
    files.delete(call.uow, call.school, params.file_id)
    return EmptyResult()
