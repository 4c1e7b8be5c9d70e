"""Look up the people that a call of a school names, by UID or by account.

All calls look people up here. It is recorded which accounts the school named, because it sees only
those in full. And it is counted how many people it named that do not exist, because UIDs and
telephone numbers could be tried one after the other.
"""

import logging
from collections.abc import Collection

from homeroom.base.ids import CourseId, LessonId, SchoolId, UserId
from homeroom.base.text import format_count
from homeroom.contract.errno import Errno
from homeroom.domain.accounts import AccountName, User
from homeroom.domain.lookups import WINDOW_SECONDS, count_unknown, seconds_until_allowed
from homeroom.domain.refusal import OverloadedError, Refusal
from homeroom.store.rosters import RosterCandidate
from homeroom.store.teachers import CandidatePlace, CourseCandidate
from homeroom.store.unit_of_work import UnitOfWork

log = logging.getLogger("homeroom.people")


def find_user(
    uow: UnitOfWork, school: SchoolId, user: UserId | None, name: AccountName | None
) -> User | None:
    """Return a user by UID if there is one, or by account; active users before cancelled ones."""
    if user is None:
        return find_by_names(uow, school, [name.value]).get(name.value) if name else None
    person = uow.accounts.get(user)
    _check_lookups(uow, school, 0 if person else 1, () if person is None else (person.id,))
    return person


def find_by_names(uow: UnitOfWork, school: SchoolId, names: Collection[str]) -> dict[str, User]:
    """Return users by telephone number or e-mail address, and record that the school named them."""
    found_users = uow.accounts.find_by_names(list(names))
    uids = {user.id for user in found_users.values()}
    new = uids - uow.school_accounts.list_named(school, uids)
    _check_lookups(uow, school, len(set(names) - found_users.keys()), new)
    record_naming(uow, school, new)
    return found_users


def resolve_uid(
    uow: UnitOfWork, school: SchoolId, person: UserId | AccountName | Refusal, unknown: Errno
) -> UserId:
    """Return the UID of a person who may be named by account.

    Raises `Refusal`: the one of an account that could not be read, or `unknown` if no user has it.
    A UID is returned as it is, whether a user has it or not.
    """
    if isinstance(person, Refusal):
        raise person
    if not isinstance(person, AccountName):
        return person
    user = find_by_names(uow, school, [person.value]).get(person.value)
    if user is None:
        raise Refusal(unknown, "no user has this account")
    return user.id


def record_naming(uow: UnitOfWork, school: SchoolId, uids: Collection[UserId]) -> None:
    """Record that a school named accounts by telephone number or e-mail address, in any call."""
    if uids:
        uow.keep(lambda unit: unit.school_accounts.add_named(school, uids))


def find_teachers(
    uow: UnitOfWork,
    school: SchoolId,
    uids: tuple[UserId, ...],
    course: CourseId | None = None,
    lesson: LessonId | None = None,
) -> list[CourseCandidate]:
    """Return candidates for teacher or co-teacher, in the order of the UIDs."""
    rows = uow.teachers.list_candidates(school, uids, course, lesson)
    _count_candidates(uow, school, rows)
    return rows


def find_teachers_of_places(
    uow: UnitOfWork, school: SchoolId, places: Collection[CandidatePlace]
) -> list[CourseCandidate]:
    """Return candidates for teacher or co-teacher in several courses, in their order."""
    rows = uow.teachers.list_candidates_of_places(school, places) if places else []
    _count_candidates(uow, school, rows)
    return rows


def _count_candidates(uow: UnitOfWork, school: SchoolId, rows: list[CourseCandidate]) -> None:
    candidates = [row.candidate for row in rows]
    unknown = {candidate.user for candidate in candidates if not candidate.exists}
    outsiders = {
        candidate.user
        for candidate in candidates
        if candidate.state is None and candidate.role is None
    }
    _check_lookups(uow, school, len(unknown), outsiders - unknown)


def find_members(
    uow: UnitOfWork, school: SchoolId, course: CourseId | None, uids: Collection[UserId]
) -> dict[UserId, RosterCandidate]:
    """Return the users that exist of some UIDs, with their roles in school and course, if any."""
    persons = uow.rosters.find_candidates(school, course, uids)
    outsiders = {
        person.user
        for person in persons.values()
        if person.school_name is None and person.role is None
    }
    _check_lookups(uow, school, len(set(uids) - persons.keys()), outsiders)
    return persons


def _check_lookups(
    uow: UnitOfWork, school: SchoolId, unknown: int, outsiders: Collection[UserId]
) -> None:
    """Count unknown people, and refuse a call that names outsiders when there were too many.

    An outsider exists and may have nothing to do with the school. Over the limit the answer is the
    same whether the user exists or not. The people of the school itself can always be named.
    Raises `OverloadedError`.
    """
    if not unknown and not outsiders:
        return
    current = uow.schools.get(school)
    limit = current.plan.unknown_accounts_per_hour if current is not None else 0
    if not limit:
        return
    if unknown:
        # Two calls at once must not both be the last one allowed.
        uow.require_exclusive()
    since = uow.now - WINDOW_SECONDS
    lookups = uow.school_accounts.list_lookups(school, since, uow.now)
    used = count_unknown(lookups)
    if used >= limit:
        if unknown or uow.school_accounts.list_related(school, outsiders) != set(outsiders):
            count = format_count(limit, "unknown UID or account", "unknown UIDs or accounts")
            raise OverloadedError(
                seconds_until_allowed(lookups, limit, uow.now),
                f"more than {count} in an hour; people of the school itself can be named",
            )
        return
    # A long list may not try more than the limit either, so the rest of it is not looked up.
    counted = min(unknown, limit - used)
    if not counted:
        return
    now = uow.now

    def record(unit: UnitOfWork) -> None:
        unit.school_accounts.delete_lookups(school, since)
        unit.school_accounts.add_lookup(school, counted, now)

    uow.keep(record)
    if used + counted == limit:
        log.warning("unknown_accounts_limit_reached", extra={"sid": school, "limit": limit})
    if counted < unknown:
        raise OverloadedError(
            seconds_until_allowed([*lookups, (now, counted)], limit, now),
            f"this call names {unknown} unknown UIDs or accounts; "
            f"at most {limit} in an hour are looked up",
        )
