"""Folders of the cloud drive; each school has one top folder."""

from collections.abc import Collection

import msgspec
from sqlalchemy import bindparam, delete, func, insert, null, select, update

from homeroom.base.clock import Moment
from homeroom.base.ids import FolderId, SchoolId
from homeroom.domain.drive import TOP_FOLDER_NAME, Folder
from homeroom.store.engine import Row, Transaction
from homeroom.store.statement import ListParameter, Statement
from homeroom.store.tables import courses, folders, lessons

_COLUMNS = (
    folders.c.id,
    folders.c.school_id,
    folders.c.parent_id,
    folders.c.name,
    folders.c.depth,
    folders.c.is_writable,
)
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
_LIST_TO_DEPTH = Statement(
    select(*_COLUMNS)
    .where(
        folders.c.school_id == bindparam("school"),
        folders.c.depth.between(1, bindparam("depth")),
    )
    .order_by(folders.c.id)
)
_LIST_CHILDREN = Statement(
    select(*_COLUMNS).where(folders.c.parent_id == bindparam("parent")).order_by(folders.c.id)
)
_inside = select(*_COLUMNS).where(folders.c.id == bindparam("folder")).cte("inside", recursive=True)
_inside = _inside.union_all(
    select(*_COLUMNS).select_from(_inside.join(folders, folders.c.parent_id == _inside.c.id))
)
_LIST_INSIDE = Statement(select(*_inside.c))
_RENAME = Statement(
    update(folders).where(folders.c.id == bindparam("folder")).values(name=bindparam("folder_name"))
)
_folder_ids = ListParameter("folder_ids")
# What refers to a folder loses it, and the folders go in one statement, as they are in each other.
_DELETE = (
    *(
        Statement(
            update(table).where(_folder_ids.contains(table.c.folder_id)).values(folder_id=null())
        )
        for table in (courses, lessons)
    ),
    Statement(delete(folders).where(_folder_ids.contains(folders.c.id))),
)
_SAVE_WRITABLE = Statement(
    update(folders)
    .where(folders.c.id == bindparam("folder"))
    .values(is_writable=bindparam("writable"))
)


def _read_folder(row: Row) -> Folder:
    number, school, parent, name, depth, writable = row
    return Folder(FolderId(number), SchoolId(school), parent, name, depth, bool(writable))


class Drive:
    """Repository of cloud folders."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def get(self, folder: FolderId) -> Folder | None:
        """Return a folder of any school, or None."""
        rows = self._tx.fetch_all(_GET, {"folder": folder})
        return _read_folder(rows[0]) if rows else None

    def find_top(self, school: SchoolId) -> Folder | None:
        """Return the top folder of the school; None before the first call that needs it."""
        rows = self._tx.fetch_all(_GET_TOP, {"school": school})
        return _read_folder(rows[0]) if rows else None

    def get_or_add_top(self, school: SchoolId, now: Moment) -> FolderId:
        """Return the top folder of the school; the first call adds it."""
        top = self.find_top(school)
        return top.id if top is not None else self._add(school, None, TOP_FOLDER_NAME, 0, now)

    def find_by_name(self, parent: FolderId, name: str) -> FolderId | None:
        """Return the folder with a name in a parent folder, or None."""
        rows = self._tx.fetch_all(_FIND_BY_NAME, {"parent": parent, "folder_name": name})
        return FolderId(rows[0][0]) if rows else None

    def list_to_depth(self, school: SchoolId, depth: int) -> list[Folder]:
        """Return the folders of the first levels below the top folder, by id."""
        values = {"school": school, "depth": depth}
        return list(map(_read_folder, self._tx.fetch_all(_LIST_TO_DEPTH, values)))

    def list_children(self, parent: FolderId) -> list[Folder]:
        """Return the folders in a folder, by id."""
        return list(map(_read_folder, self._tx.fetch_all(_LIST_CHILDREN, {"parent": parent})))

    def list_inside(self, folder: FolderId) -> list[Folder]:
        """Return a folder and all folders below it."""
        return list(map(_read_folder, self._tx.fetch_all(_LIST_INSIDE, {"folder": folder})))

    def count(self, school: SchoolId) -> int:
        """Return the number of folders below the top folder of the school."""
        return int(self._tx.fetch_all(_COUNT, {"school": school})[0][0])

    def add(self, parent: Folder, name: str, now: Moment) -> FolderId:
        """Add a folder to a parent folder and return its id."""
        return self._add(parent.school, parent.id, name, parent.depth + 1, now)

    def rename(self, folder: FolderId, name: str) -> None:
        """Save the new name of a folder."""
        self._tx.execute(_RENAME, {"folder": folder, "folder_name": name})

    def delete(self, folders: Collection[FolderId]) -> None:
        """Delete folders without files; courses and classes lose them.

        No other folder may be in one of them.
        """
        values = {"folder_ids": msgspec.json.encode(list(folders)).decode()}
        for statement in _DELETE:
            self._tx.execute(statement, values)

    def save_writable(self, folder: FolderId, *, writable: bool) -> None:
        """Save whether the partner API may change a folder, and put things into it."""
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
