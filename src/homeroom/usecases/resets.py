"""Resetting a school of the sandbox: emptied, or as the demo school is."""

import msgspec

from homeroom.base.ids import SchoolId
from homeroom.domain.jobs import EraseFiles
from homeroom.domain.schools import Plan
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import demo
from homeroom.usecases.dependencies import Dependencies

FILES_AT_ONCE = 1000


class Removed(msgspec.Struct, frozen=True, kw_only=True):
    """How much a school held."""

    classes: int
    courses: int
    teachers: int
    students: int
    labels: int
    folders: int
    accounts: int
    """Those that no other school uses; the school account stays."""
    files: int


def to_empty(uow: UnitOfWork, school: SchoolId) -> Removed:
    """Leave of a school what `school create` makes: SID, secrets, school account, a plan of all.

    Its tokens stay too. The bytes of its files go after the commit.
    """
    emptied = uow.resets.empty(school)
    uow.schools.save_plan(school, Plan())
    for first in range(0, len(emptied.files), FILES_AT_ONCE):
        uow.enqueue(EraseFiles(emptied.files[first : first + FILES_AT_ONCE]), school)
    rows = emptied.rows
    return Removed(
        classes=rows["lessons"],
        courses=rows["courses"],
        teachers=rows["teachers"],
        students=rows["students"],
        labels=rows["labels"],
        folders=rows["folders"],
        accounts=rows["users"],
        files=len(emptied.files),
    )


def to_demo(uow: UnitOfWork, deps: Dependencies, school: SchoolId) -> Removed:
    """Empty a school and fill it as the demo school is."""
    removed = to_empty(uow, school)
    demo.seed(uow, deps, school)
    return removed
