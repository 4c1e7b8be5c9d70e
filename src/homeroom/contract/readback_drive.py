"""Read-back of the cloud drive: its folders and files."""

from typing import Annotated

import msgspec
from msgspec import Meta

from homeroom.base.ids import FolderId
from homeroom.contract.paged import PART, ReadBack, SchoolsQuery
from homeroom.contract.params import ID
from homeroom.contract.rows import IdNumber, ReadBackRow, Switch, Timestamp


class FoldersQuery(SchoolsQuery, frozen=True, kw_only=True):
    """Which folders."""

    parent_id: Annotated[FolderId | None, ID] = None
    folder_name: Annotated[str | None, PART] = None


class FilesQuery(SchoolsQuery, frozen=True, kw_only=True):
    """Which files of cloud drives."""

    file: Annotated[int | None, ID.with_names("fileId")] = None
    folder_id: Annotated[FolderId | None, ID] = None
    file_name: Annotated[str | None, PART] = None


class FolderRow(ReadBackRow, frozen=True, kw_only=True):
    """A folder of a school's cloud drive."""

    sid: IdNumber = msgspec.field(name="SID")
    folder_id: IdNumber
    parent_id: Annotated[int | None, Meta(description="null: the top folder.")]
    folder_name: str
    depth: Annotated[int, Meta(description="Levels below the top folder.")]
    is_writable: Annotated[
        Switch, Meta(description="0: it may not be changed, and nothing put into it.")
    ]
    created_time: Timestamp


class FileRow(ReadBackRow, frozen=True, kw_only=True):
    """A file of a school's cloud drive."""

    sid: IdNumber = msgspec.field(name="SID")
    file_id: IdNumber
    folder_id: IdNumber
    file_name: str
    size: Annotated[int, Meta(description="Bytes.")]
    sha256: str
    url: Annotated[str, Meta(description="Serves the file for six hours from now.")]
    created_time: Timestamp


FOLDERS = ReadBack("listFolders", "/folders", "Folders", FoldersQuery, FolderRow, "by folderId")
FILES = ReadBack("listFiles", "/files", "Files of cloud drives", FilesQuery, FileRow, "by fileId")
