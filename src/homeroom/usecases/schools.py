"""Schools: making and changing them, as an operator does."""

from homeroom.base.ids import SchoolId
from homeroom.domain.accounts import telephone
from homeroom.domain.schools import Plan, School
from homeroom.store.accounts import NewUser
from homeroom.store.work import Work
from homeroom.usecases.means import Means

FIRST_SID = SchoolId(1_000_001)
TELEPHONES = 100_000_000
"""School accounts have telephone numbers of their own: 00999- and nine digits."""


def create(work: Work, means: Means, name: str, plan: Plan | None = None) -> School:
    """Make a school with its school account; it has every feature and no limit."""
    newest = work.schools.newest()
    sid = FIRST_SID if newest is None else SchoolId(newest + 1)
    number = telephone(f"00999-{TELEPHONES + sid}")
    owner = work.accounts.add(NewUser(number, name[:24], None), work.now)
    school = School(sid, name, means.keys.secret(), None, plan or Plan(), owner.id)
    work.schools.add(school, work.now)
    return school
