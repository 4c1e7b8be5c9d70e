"""Lists of the read-back API about the cloud drive: folders and files."""

from sqlalchemy import bindparam

from homeroom.store.paging import ListDefinition, substring_filter
from homeroom.store.readback_records import FileRecord, FolderRecord
from homeroom.store.tables import files, folders

FOLDERS = ListDefinition(
    "folders",
    FolderRecord,
    (
        folders.c.school_id,
        folders.c.id,
        folders.c.parent_id,
        folders.c.name,
        folders.c.depth,
        folders.c.is_writable,
        folders.c.created_at,
    ),
    folders,
    school=folders.c.school_id,
    order=(folders.c.id,),
    filters={
        "parent": folders.c.parent_id == bindparam("parent"),
        "name": substring_filter(folders.c.name, "name"),
    },
)
FILES = ListDefinition(
    "files",
    FileRecord,
    (
        files.c.school_id,
        files.c.id,
        files.c.folder_id,
        files.c.name,
        files.c.size,
        files.c.sha256,
        files.c.created_at,
    ),
    files,
    school=files.c.school_id,
    order=(files.c.id,),
    filters={
        "file": files.c.id == bindparam("file"),
        "folder": files.c.folder_id == bindparam("folder"),
        "name": substring_filter(files.c.name, "name"),
    },
    selective_filters=frozenset({"file"}),
)
