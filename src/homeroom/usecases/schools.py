"""Schools: create and change them, as an operator does."""

from collections.abc import Mapping

from homeroom.base.clock import Moment
from homeroom.base.ids import PresetId, SchoolId, UserId
from homeroom.base.values import replace
from homeroom.contract.errno import Errno
from homeroom.domain.accounts import User, parse_telephone
from homeroom.domain.refusal import OperatorError, Refusal
from homeroom.domain.schools import Plan, School, change_plan
from homeroom.store.accounts import NewUser
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases.dependencies import Dependencies
from homeroom.usecases.people_messages import emit_sub_account

FIRST_SID = SchoolId(1_000_001)
FIRST_TELEPHONE = 100_000_000
"""School accounts have telephone numbers of their own: 00999- and nine digits."""
MAX_NAME_LENGTH = 200
PAGE_SIZE = 500


def create(uow: UnitOfWork, deps: Dependencies, name: str, plan: Plan | None = None) -> School:
    """Create a school and its school account; without a plan it has all features and no limit."""
    newest = uow.schools.get_newest_id()
    sid = SchoolId(newest + 1) if newest is not None else FIRST_SID
    number = parse_telephone(f"00999-{FIRST_TELEPHONE + sid}")
    name = normalize_name(name)
    owner = uow.accounts.add(NewUser(number, name[:24]), uow.now)
    school = School(sid, name, deps.keys.secret(), None, plan or Plan(), owner.id)
    uow.schools.add(school, uow.now)
    uow.school_accounts.add_named(sid, [owner.id])
    return school


def list_schools(uow: UnitOfWork) -> list[School]:
    """Return all schools."""
    schools: list[School] = []
    while page := uow.schools.list_page(schools[-1].id if schools else 0, PAGE_SIZE):
        schools += page
    return schools


def get(uow: UnitOfWork, school_id: SchoolId) -> School:
    """Return a school; raises `OperatorError`."""
    school = uow.schools.get(school_id)
    if school is None:
        raise OperatorError(f"no school has the SID {school_id}")
    return school


def find_caller(uow: UnitOfWork, school: SchoolId) -> tuple[School | None, Moment | None]:
    """Return a school for authentication, and when the maintenance that blocks calls ends."""
    return uow.schools.get(school), uow.maintenance.get_block_end(uow.now)


def find(uow: UnitOfWork, school: SchoolId) -> School | None:
    """Return the school with this SID, or None."""
    return uow.schools.get(school)


def get_newest_creation_time(uow: UnitOfWork) -> Moment | None:
    """Return the newest moment at which a row was written; None for an empty database."""
    return uow.schools.get_newest_creation_time()


def change(uow: UnitOfWork, school: SchoolId, values: Mapping[str, str]) -> School:
    """Change the plan of a school, by keys and values as an operator types them."""
    current = get(uow, school)
    plan = change_plan(current.plan, values)
    uow.schools.save_plan(school, plan)
    return replace(current, plan=plan)


def rotate_secret(uow: UnitOfWork, deps: Dependencies, school: SchoolId) -> School:
    """Give a school a new secret; the former one stays valid until it is dropped."""
    current = get(uow, school)
    if current.former_secret is not None:
        raise OperatorError(f"school {school} has two secrets already: drop the former one first")
    rotated = replace(current, secret=deps.keys.secret(), former_secret=current.secret)
    uow.schools.save_secrets(school, rotated.secret, rotated.former_secret)
    return rotated


def drop_former_secret(uow: UnitOfWork, school: SchoolId) -> School:
    """End the former secret of a school."""
    current = get(uow, school)
    if current.former_secret is None:
        raise OperatorError(f"school {school} has no former secret")
    uow.schools.save_secrets(school, current.secret, None)
    return replace(current, former_secret=None)


def add_sub_account(uow: UnitOfWork, school: SchoolId, user: UserId) -> User:
    """Make a user a sub-account of a school."""
    current = get(uow, school)
    person = get_active_user(uow, user)
    if user == current.owner:
        raise OperatorError(f"UID {user} is the school account itself")
    if uow.schools.is_sub_account(school, user):
        raise OperatorError(f"UID {user} is a sub-account of school {school} already")
    uow.schools.add_sub_account(school, user)
    emit_sub_account(uow, school, person)
    return person


def remove_sub_account(uow: UnitOfWork, school: SchoolId, user: UserId) -> None:
    """Remove a sub-account; the user keeps every other role."""
    get(uow, school)
    if not uow.schools.delete_sub_account(school, user):
        raise Refusal(Errno.NO_SUCH_SUB_ACCOUNT, f"UID {user} is no sub-account of school {school}")


def list_sub_accounts(uow: UnitOfWork, school: SchoolId) -> list[User]:
    """Return the sub-accounts of a school."""
    get(uow, school)
    users = (uow.accounts.get(user) for user in uow.schools.list_sub_accounts(school))
    return [user for user in users if user is not None]


def add_preset(uow: UnitOfWork, school: SchoolId, name: str) -> PresetId:
    """Add a classroom preset, which courses name by its id (classroomSettingId)."""
    get(uow, school)
    return uow.schools.add_preset(school, normalize_name(name))


def list_presets(uow: UnitOfWork, school: SchoolId) -> list[tuple[PresetId, str]]:
    """Return the classroom presets of a school."""
    return uow.schools.list_presets(get(uow, school).id)


def get_active_user(uow: UnitOfWork, user: UserId) -> User:
    """Return a user who is not cancelled; raises `OperatorError`."""
    person = uow.accounts.get(user)
    if person is None:
        raise OperatorError(f"no user has the UID {user}")
    if person.is_cancelled:
        raise OperatorError(f"UID {user} is cancelled")
    return person


def normalize_name(name: str) -> str:
    """Return a trimmed name; raises `OperatorError` if it is empty, too long or unprintable."""
    name = name.strip()
    if not name or len(name) > MAX_NAME_LENGTH or not name.isprintable():
        raise OperatorError(f"a name has 1 to {MAX_NAME_LENGTH} printable characters")
    return name
