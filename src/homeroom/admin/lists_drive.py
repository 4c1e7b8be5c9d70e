"""Handlers of the read-back of the cloud drive: folders and files."""

from homeroom.admin.request import ReadBackRequest, map_page, to_switch
from homeroom.base.ids import FileId
from homeroom.contract.readback_drive import FileRow, FolderRow
from homeroom.domain.files import FILE_URL_SECONDS, sign_file_url
from homeroom.store.paging import Page
from homeroom.store.readback_records import FileRecord, FolderRecord
from homeroom.usecases import readback


def list_folders(request: ReadBackRequest) -> Page[FolderRow]:
    """Return a page of folders."""
    return map_page(
        readback.list_folders(request.uow, request.build_filters(), request.page), _to_folder_row
    )


def _to_folder_row(record: FolderRecord) -> FolderRow:
    return FolderRow(
        sid=record.school,
        folder_id=record.id,
        parent_id=record.parent,
        folder_name=record.name,
        depth=record.depth,
        is_writable=to_switch(record.is_writable),
        created_time=record.created_at,
    )


def list_files(request: ReadBackRequest) -> Page[FileRow]:
    """Return a page of files, each with a URL that serves it."""
    pages, key = request.context.hosts.pages, request.context.deps.clip_key
    expires_at = request.uow.now + FILE_URL_SECONDS

    def convert(record: FileRecord) -> FileRow:
        return FileRow(
            sid=record.school,
            file_id=record.id,
            folder_id=record.folder,
            file_name=record.name,
            size=record.size,
            sha256=record.sha256,
            url=sign_file_url(pages, FileId(record.id), expires_at, key),
            created_time=record.created_at,
        )

    return map_page(
        readback.list_files(request.uow, request.build_filters(), request.page), convert
    )
