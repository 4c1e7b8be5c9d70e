"""Folders of the cloud drive; each school has one top folder."""

from sqlalchemy import bindparam, func, insert, select, update

from homeroom.base.clock import Moment
from homeroom.base.ids import FolderId, SchoolId
from homeroom.domain.drive import TOP_FOLDER_NAME, Folder
from homeroom.store.engine import Row, Transaction
from homeroom.store.statement import Statement
from homeroom.store.tables import folders

_COLUMNS = (folders.c.id, folders.c.school_id, folders.c.depth, folders.c.is_writable)
_GET = Statement(select(*_COLUMNS).where(folders.c.id == bindparam("folder")))
_GET_TOP = Statement(
    select(*_COLUMNS).where(
        folders.c.school_id == bindparam("school"), folders.c.parent_id.is_(None)
    )
)
_FIND_BY_NAME = Statement(
    select(folders.c.id).where(
        folders.c.parent_id == bindparam("parent"), folders.c.name == bindparam("folder_name")
    )
)
_COUNT = Statement(
    select(func.count())
    .select_from(folders)
    .where(folders.c.school_id == bindparam("school"), folders.c.parent_id.is_not(None))
)
_ADD = Statement(
    insert(folders)
    .values({column: bindparam(column.name) for column in folders.c if column.name != "id"})
    .returning(folders.c.id)
)
_SAVE_WRITABLE = Statement(
    update(folders)
    .where(folders.c.id == bindparam("folder"))
    .values(is_writable=bindparam("writable"))
)


def _read_folder(row: Row) -> Folder:
    number, school, depth, writable = row
    return Folder(FolderId(number), SchoolId(school), depth, bool(writable))


class Drive:
    """Repository of cloud folders."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def get(self, folder: FolderId) -> Folder | None:
        """Return a folder of any school, or None."""
        rows = self._tx.fetch_all(_GET, {"folder": folder})
        return _read_folder(rows[0]) if rows else None

    def get_or_add_top(self, school: SchoolId, now: Moment) -> FolderId:
        """Return the top folder of the school; the first call adds it."""
        rows = self._tx.fetch_all(_GET_TOP, {"school": school})
        if rows:
            return _read_folder(rows[0]).id
        return self._add(school, None, TOP_FOLDER_NAME, 0, now)

    def find_by_name(self, parent: FolderId, name: str) -> FolderId | None:
        """Return the folder with a name in a parent folder, or None."""
        rows = self._tx.fetch_all(_FIND_BY_NAME, {"parent": parent, "folder_name": name})
        return FolderId(rows[0][0]) if rows else None

    def count(self, school: SchoolId) -> int:
        """Return the number of folders below the top folder of the school."""
        return int(self._tx.fetch_all(_COUNT, {"school": school})[0][0])

    def add(self, parent: Folder, name: str, now: Moment) -> FolderId:
        """Add a folder to a parent folder and return its id."""
        return self._add(parent.school, parent.id, name, parent.depth + 1, now)

    def save_writable(self, folder: FolderId, *, writable: bool) -> None:
        """Save whether the partner API may add folders to a folder."""
        self._tx.execute(_SAVE_WRITABLE, {"folder": folder, "writable": int(writable)})

    def _add(
        self, school: SchoolId, parent: FolderId | None, name: str, depth: int, now: Moment
    ) -> FolderId:
        values = {
            "school_id": school,
            "parent_id": parent,
            "name": name,
            "depth": depth,
            "is_writable": 1,
            "created_at": now,
        }
        return FolderId(self._tx.fetch_all(_ADD, values)[0][0])
