"""Reset a school of the sandbox: empty it, or fill it like the demo school."""

import msgspec

from homeroom.base.ids import SchoolId
from homeroom.domain.schools import Plan
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


def empty_school(uow: UnitOfWork, school: SchoolId) -> ResetCounts:
    """Reset a school to what `school create` makes: SID, secrets, school account, full plan.

    Its tokens stay too. Its files are erased after the commit.
    """
    emptied = uow.resets.empty(school)
    current = uow.schools.get(school)
    if current is not None:
        uow.school_accounts.add_named(school, [current.owner])
    uow.schools.save_plan(school, Plan())
    erase_files(uow, school, emptied.files)
    rows = emptied.rows
    return ResetCounts(
        classes=rows["lessons"],
        courses=rows["courses"],
        teachers=rows["teachers"],
        students=rows["students"],
        labels=rows["labels"],
        folders=rows["folders"],
        accounts=rows["users"],
        files=len(emptied.files),
    )


def reset_to_demo(uow: UnitOfWork, deps: Dependencies, school: SchoolId) -> ResetCounts:
    """Empty a school and fill it like the demo school."""
    removed = empty_school(uow, school)
    demo.seed(uow, deps, school)
    return removed
