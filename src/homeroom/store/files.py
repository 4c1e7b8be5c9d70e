"""Files of the cloud drive: their rows. The content is in a storage, under the path of the row."""

from collections.abc import Collection

import msgspec
from sqlalchemy import Integer, bindparam, cast, delete, func, insert, null, select, update

from homeroom.base.clock import Moment
from homeroom.base.ids import FileId, FolderId, SchoolId
from homeroom.domain.files import DriveFile, NewFile
from homeroom.store.engine import Row, Transaction
from homeroom.store.statement import ListParameter, Statement
from homeroom.store.tables import files

MAX_PREFIX_LENGTH = 64
"""Characters by which names are looked up: the end of a longer one may give way to a number."""
_COLUMNS = (
    files.c.id,
    files.c.school_id,
    files.c.folder_id,
    files.c.name,
    files.c.path,
    files.c.size,
    files.c.sha256,
    files.c.storage_id,
)
_GET = Statement(select(*_COLUMNS).where(files.c.id == bindparam("file")))
_LIST_OF_FOLDER = Statement(
    select(*_COLUMNS).where(files.c.folder_id == bindparam("folder")).order_by(files.c.id)
)
_LIST_PAGE = Statement(
    select(*_COLUMNS)
    .where(files.c.id > bindparam("after"))
    .order_by(files.c.id)
    .limit(bindparam("limit"))
)
_IS_TAKEN = Statement(
    select(files.c.id).where(
        files.c.folder_id == bindparam("folder"), files.c.name == bindparam("file_name")
    )
)
_LIST_NAMES_LIKE = Statement(
    select(files.c.name).where(
        files.c.folder_id == bindparam("folder"),
        func.substr(files.c.name, 1, cast(bindparam("length"), Integer)) == bindparam("prefix"),
    )
)
_ADD = Statement(
    insert(files)
    .values({column: bindparam(f"new_{column.name}") for column in files.c if column.name != "id"})
    .returning(files.c.id)
)
_RENAME = Statement(
    update(files).where(files.c.id == bindparam("file")).values(name=bindparam("new_name"))
)
_DELETE = Statement(delete(files).where(files.c.id == bindparam("file")))
_folder_ids = ListParameter("folder_ids")
_DELETE_OF_FOLDERS = Statement(
    delete(files)
    .where(_folder_ids.contains(files.c.folder_id))
    .returning(files.c.path, files.c.storage_id)
)
_paths = ListParameter("paths")
_has_listed_path = files.c.path.in_(select(_paths.text()).select_from(_paths.source))
_ADOPT = Statement(
    update(files)
    .where(_has_listed_path, files.c.storage_id.is_(None))
    .values(storage_id=bindparam("storage"))
)
_FORGET_STORAGE = Statement(
    update(files).where(files.c.storage_id == bindparam("storage")).values(storage_id=null())
)
_COUNT_BY_STORAGE = Statement(select(files.c.storage_id, func.count()).group_by(files.c.storage_id))


def _read_file(row: Row) -> DriveFile:
    number, school, folder, name, path, size, sha256, storage = row
    file = NewFile(name, path, size, sha256, storage)
    return DriveFile(FileId(number), SchoolId(school), FolderId(folder), file)


class Files:
    """Repository of the files of the cloud drive."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def get(self, file: FileId) -> DriveFile | None:
        """Return a file of any school, or None."""
        rows = self._tx.fetch_all(_GET, {"file": file})
        return _read_file(rows[0]) if rows else None

    def list_of_folder(self, folder: FolderId) -> list[DriveFile]:
        """Return the files of a folder, by id."""
        return list(map(_read_file, self._tx.fetch_all(_LIST_OF_FOLDER, {"folder": folder})))

    def list_page(self, after: int, limit: int) -> list[DriveFile]:
        """Return files of all schools in order of their ids after a given id."""
        values = {"after": after, "limit": limit}
        return list(map(_read_file, self._tx.fetch_all(_LIST_PAGE, values)))

    def is_name_taken(self, folder: FolderId, name: str) -> bool:
        """Tell whether a file of a folder has a name."""
        return bool(self._tx.fetch_all(_IS_TAKEN, {"folder": folder, "file_name": name}))

    def list_names_like(self, folder: FolderId, stem: str) -> set[str]:
        """Return the names of the files of a folder that begin with some text, or much of it."""
        prefix = stem[:MAX_PREFIX_LENGTH]
        values = {"folder": folder, "prefix": prefix, "length": len(prefix)}
        return {row[0] for row in self._tx.fetch_all(_LIST_NAMES_LIKE, values)}

    def add(self, school: SchoolId, folder: FolderId, new: NewFile, now: Moment) -> FileId:
        """Add a file to a folder and return its id."""
        values = {
            "new_school_id": school,
            "new_folder_id": folder,
            "new_name": new.name,
            "new_path": new.path,
            "new_size": new.size,
            "new_sha256": new.sha256,
            "new_storage_id": new.storage,
            "new_created_at": now,
        }
        return FileId(self._tx.fetch_all(_ADD, values)[0][0])

    def rename(self, file: FileId, name: str) -> None:
        """Save the new name of a file."""
        self._tx.execute(_RENAME, {"file": file, "new_name": name})

    def delete(self, file: FileId) -> None:
        """Delete a file; the caller has its content erased."""
        self._tx.execute(_DELETE, {"file": file})

    def delete_of_folders(self, folders: Collection[FolderId]) -> list[tuple[str, str | None]]:
        """Delete the files of folders; return the path of each, and the storage that has it.

        The caller has them erased.
        """
        values = {"folder_ids": msgspec.json.encode(list(folders)).decode()}
        return [(path, storage) for path, storage in self._tx.fetch_all(_DELETE_OF_FOLDERS, values)]

    def adopt(self, paths: Collection[str], storage: str) -> None:
        """Save that a storage has some files, where that was unknown."""
        values = {"paths": msgspec.json.encode(list(paths)).decode(), "storage": storage}
        self._tx.execute(_ADOPT, values)

    def forget_storage(self, storage: str) -> int:
        """Save that it is unknown where the files of a storage are; return their number."""
        return self._tx.execute(_FORGET_STORAGE, {"storage": storage})

    def count_by_storage(self) -> dict[str | None, int]:
        """Return the number of files by storage; None is an unknown storage."""
        return dict(self._tx.fetch_all(_COUNT_BY_STORAGE, {}))
