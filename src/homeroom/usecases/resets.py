"""Reset a school of the sandbox: empty it, or fill it like the demo school."""

import msgspec
from msgspec.structs import astuple

from homeroom.base.ids import SchoolId
from homeroom.domain.school_conf import SchoolConf
from homeroom.domain.schools import Plan
from homeroom.store.resets import DeletedRows
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import demo
from homeroom.usecases.dependencies import Dependencies
from homeroom.usecases.erasure import erase_files


class ResetCounts(msgspec.Struct, frozen=True, kw_only=True):
    """Number of rows and files that a reset removed."""

    classes: int
    courses: int
    teachers: int
    students: int
    labels: int
    folders: int
    accounts: int
    """Accounts that no other school uses; the school account stays."""
    files: int

    def __add__(self, other: "ResetCounts") -> "ResetCounts":
        """Return the numbers of both."""
        pairs = zip(astuple(self), astuple(other), strict=True)
        return ResetCounts(**dict(zip(self.__struct_fields__, map(sum, pairs), strict=True)))


SLICE_ROWS = 500
"""Rows that one unit of work deletes."""


def delete_slice(uow: UnitOfWork, school: SchoolId) -> tuple[ResetCounts, bool]:
    """Delete some rows of a school before its reset; also return whether there may be more.

    The calls of the school go on meanwhile. What they add until the reset is deleted by it.
    """
    deleted, has_more = uow.resets.delete_some(school, SLICE_ROWS)
    return _finish(uow, school, deleted), has_more


def empty_school(uow: UnitOfWork, school: SchoolId) -> ResetCounts:
    """Reset a school to what `school create` makes: SID, secrets, school account, full plan.

    Its tokens stay too. Its files are erased after the commit.
    """
    deleted = uow.resets.empty(school)
    current = uow.schools.get(school)
    if current is not None:
        uow.school_accounts.add_named(school, [current.owner])
    uow.schools.save_plan(school, Plan())
    uow.schools.save_conf(school, SchoolConf())
    return _finish(uow, school, deleted)


def reset_to_demo(uow: UnitOfWork, deps: Dependencies, school: SchoolId) -> ResetCounts:
    """Empty a school and fill it like the demo school."""
    removed = empty_school(uow, school)
    demo.seed(uow, deps, school)
    return removed


def _finish(uow: UnitOfWork, school: SchoolId, deleted: DeletedRows) -> ResetCounts:
    erase_files(uow, school, sorted(deleted.files, key=str))
    rows = deleted.rows
    return ResetCounts(
        classes=rows["lessons"],
        courses=rows["courses"],
        teachers=rows["teachers"],
        students=rows["students"],
        labels=rows["labels"],
        folders=rows["folders"],
        accounts=rows["users"],
        files=len(deleted.files),
    )
