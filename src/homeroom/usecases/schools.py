"""Schools: making and changing them, as an operator does."""

from collections.abc import Mapping
from dataclasses import replace

from homeroom.base.ids import PresetId, SchoolId, UserId
from homeroom.domain.accounts import User, telephone
from homeroom.domain.refusal import Declined
from homeroom.domain.schools import Plan, School, changed
from homeroom.store.accounts import NewUser
from homeroom.store.work import Work
from homeroom.usecases.means import Means

FIRST_SID = SchoolId(1_000_001)
TELEPHONES = 100_000_000
"""School accounts have telephone numbers of their own: 00999- and nine digits."""
LONGEST_NAME = 200
PAGE = 500


def create(work: Work, means: Means, name: str, plan: Plan | None = None) -> School:
    """Make a school with its school account; it has every feature and no limit."""
    newest = work.schools.newest()
    sid = FIRST_SID if newest is None else SchoolId(newest + 1)
    number = telephone(f"00999-{TELEPHONES + sid}")
    name = named(name)
    owner = work.accounts.add(NewUser(number, name[:24], None), work.now)
    school = School(sid, name, means.keys.secret(), None, plan or Plan(), owner.id)
    work.schools.add(school, work.now)
    return school


def every(work: Work) -> list[School]:
    """Return all schools."""
    schools: list[School] = []
    while page := work.schools.page(schools[-1].id if schools else 0, PAGE):
        schools += page
    return schools


def get(work: Work, school: SchoolId) -> School:
    """Return a school, or decline."""
    held = work.schools.get(school)
    if held is None:
        raise Declined(f"no school has the SID {school}")
    return held


def change(work: Work, school: SchoolId, wanted: Mapping[str, str]) -> School:
    """Change what a school may do, by keys and values as they are typed."""
    held = get(work, school)
    plan = changed(held.plan, wanted)
    work.schools.set_plan(school, plan)
    return replace(held, plan=plan)


def rotate_secret(work: Work, means: Means, school: SchoolId) -> School:
    """Give a school a new secret; the former one stays good until it is dropped."""
    held = get(work, school)
    if held.former_secret is not None:
        raise Declined(f"school {school} has two secrets already: drop the former one first")
    rotated = replace(held, secret=means.keys.secret(), former_secret=held.secret)
    work.schools.set_secrets(school, rotated.secret, rotated.former_secret)
    return rotated


def drop_former_secret(work: Work, school: SchoolId) -> School:
    """End the former secret of a school."""
    held = get(work, school)
    if held.former_secret is None:
        raise Declined(f"school {school} has no former secret")
    work.schools.set_secrets(school, held.secret, None)
    return replace(held, former_secret=None)


def add_sub_account(work: Work, school: SchoolId, user: UserId) -> User:
    """Make a user a sub-account of a school."""
    held = get(work, school)
    person = living_user(work, user)
    if user == held.owner:
        raise Declined(f"UID {user} is the school account itself")
    if work.schools.is_sub_account(school, user):
        raise Declined(f"UID {user} is a sub-account of school {school} already")
    work.schools.add_sub_account(school, user)
    return person


def remove_sub_account(work: Work, school: SchoolId, user: UserId) -> None:
    """Take a sub-account back."""
    get(work, school)
    if not work.schools.remove_sub_account(school, user):
        raise Declined(f"UID {user} is no sub-account of school {school}")


def sub_accounts(work: Work, school: SchoolId) -> list[User]:
    """Return the sub-accounts of a school."""
    get(work, school)
    found = (work.accounts.get(user) for user in work.schools.sub_accounts(school))
    return [user for user in found if user is not None]


def add_preset(work: Work, school: SchoolId, name: str) -> PresetId:
    """Add a classroom preset, which courses name by its id (classroomSettingId)."""
    get(work, school)
    return work.schools.add_preset(school, named(name))


def presets(work: Work, school: SchoolId) -> list[tuple[PresetId, str]]:
    """Return the classroom presets of a school."""
    return work.schools.presets(get(work, school).id)


def living_user(work: Work, user: UserId) -> User:
    """Return a user who is not cancelled, or decline."""
    person = work.accounts.get(user)
    if person is None:
        raise Declined(f"no user has the UID {user}")
    if person.is_cancelled:
        raise Declined(f"UID {user} is cancelled")
    return person


def named(name: str) -> str:
    """Return a name as it is kept, or decline one that is empty, too long or unprintable."""
    name = name.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise Declined(f"a name has 1 to {LONGEST_NAME} printable characters")
    return name
