"""Add people to courses and remove them."""

from homeroom.base.ids import CourseId, SchoolId, UserId
from homeroom.base.values import Value
from homeroom.contract.errno import Errno
from homeroom.domain.accounts import AccountName, User
from homeroom.domain.courses import CHANGE_RULE, REMOVE_MEMBERS_RULE, Course
from homeroom.domain.refusal import Refusal
from homeroom.domain.schools import School
from homeroom.domain.teachers import MemberRole
from homeroom.store.rosters import NewMember, RosterCandidate
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import people
from homeroom.usecases.accounts import get_current_school

MemberVerdict = Refusal | Errno | None
"""The result of one entry: a refusal, a warning, or None when it is done."""


class MemberRequest(Value, frozen=True):
    """A person to add or remove, by UID, or by account as older clients do."""

    user: UserId | None
    name: AccountName | None = None
    nickname: str | None = None


def add_members(
    uow: UnitOfWork,
    school: SchoolId,
    course: CourseId,
    role: MemberRole,
    requests: list[MemberRequest | Refusal],
) -> list[MemberVerdict]:
    """Add people to a course; each is checked alone, all accepted ones are written together."""
    current = get_current_school(uow, school)
    parent = uow.courses.get_usable(school, course, uow.now, CHANGE_RULE)
    accounts = _find_accounts(uow, school, requests)
    uids = [_resolve_uid(request, accounts) for request in requests]
    persons = people.find_members(uow, school, course, [uid for uid in uids if uid is not None])
    places = _places_left(uow, current, course, role)
    named: set[UserId] = set()
    new: list[NewMember] = []
    verdicts: list[MemberVerdict] = []
    for request, uid in zip(requests, uids, strict=True):
        if isinstance(request, Refusal):
            verdicts.append(request)
            continue
        try:
            person = _check_person(request, uid, persons, current, parent, role, named)
            _check_places(places, len(new))
        except Refusal as refusal:
            verdicts.append(refusal)
            continue
        member, warning = _build_member(person, request, current, role)
        new.append(member)
        verdicts.append(warning)
    uow.rosters.add(course, role, new, uow.now)
    return verdicts


def remove_members(
    uow: UnitOfWork,
    school: SchoolId,
    course: CourseId,
    role: MemberRole,
    requests: list[MemberRequest | Refusal],
) -> list[MemberVerdict]:
    """Remove people from a course; the second entry of a person finds no member."""
    uow.courses.get_usable(school, course, uow.now, REMOVE_MEMBERS_RULE)
    accounts = _find_accounts(uow, school, requests)
    uids = [_resolve_uid(request, accounts) for request in requests]
    persons = people.find_members(uow, school, course, [uid for uid in uids if uid is not None])
    removed: dict[UserId, None] = {}
    verdicts: list[MemberVerdict] = []
    for request, uid in zip(requests, uids, strict=True):
        if isinstance(request, Refusal):
            verdicts.append(request)
            continue
        person = persons.get(uid) if uid is not None else None
        if person is None:
            unknown = Errno.BAD_DATA if request.user is not None else Errno.NOT_A_MEMBER
            verdicts.append(Refusal(unknown))
        elif person.role is not role or person.user in removed:
            verdicts.append(Refusal(Errno.NOT_A_MEMBER))
        else:
            removed[person.user] = None
            verdicts.append(None)
    uow.rosters.delete(course, role, list(removed))
    return verdicts


def _find_accounts(
    uow: UnitOfWork, school: SchoolId, requests: list[MemberRequest | Refusal]
) -> dict[str, User]:
    names = [
        request.name.value
        for request in requests
        if isinstance(request, MemberRequest) and request.user is None and request.name is not None
    ]
    return people.find_by_names(uow, school, names) if names else {}


def _resolve_uid(request: MemberRequest | Refusal, accounts: dict[str, User]) -> UserId | None:
    if isinstance(request, Refusal):
        return None
    if request.user is not None:
        return request.user
    person = accounts.get(request.name.value) if request.name is not None else None
    return person.id if person is not None else None


def _places_left(uow: UnitOfWork, school: School, course: CourseId, role: MemberRole) -> int | None:
    """Return how many more members of a role the course can have; None: no limit."""
    plan = school.plan
    limit = plan.max_course_students if role is MemberRole.STUDENT else plan.max_course_auditors
    return limit - uow.rosters.count(course, role) if limit else None


def _check_places(places: int | None, taken: int) -> None:
    """Refuse a member above the limit of the course."""
    if places is not None and taken >= places:
        raise Refusal(Errno.TOO_MANY_MEMBERS)


def _check_person(
    request: MemberRequest,
    uid: UserId | None,
    persons: dict[UserId, RosterCandidate],
    school: School,
    course: Course,
    role: MemberRole,
    named: set[UserId],
) -> RosterCandidate:
    """Return a person who may become a member; raise `Refusal` otherwise."""
    person = persons.get(uid) if uid is not None else None
    by_account = request.user is None
    if person is None:
        raise Refusal(Errno.ACCOUNT_NOT_REGISTERED if by_account else Errno.BAD_DATA)
    if person.user in named:
        raise Refusal(Errno.ALREADY_EXISTS, "the person is named twice")
    named.add(person.user)
    is_student = role is MemberRole.STUDENT
    if person.is_cancelled:
        raise Refusal(Errno.STUDENT_CANCELLED if is_student else Errno.AUDITOR_CANCELLED)
    if person.school_name is None and person.user != school.owner:
        raise Refusal(Errno.NOT_A_STUDENT_OF_SCHOOL)
    if person.role is not None:
        already = {
            MemberRole.STUDENT: Errno.ALREADY_A_STUDENT,
            MemberRole.AUDITOR: Errno.ALREADY_AN_AUDITOR,
        }
        raise Refusal(already[person.role])
    if person.is_course_teacher or course.head_teacher == person.user:
        raise Refusal(_teacher_errno(person, course, role, by_account=by_account))
    return person


def _teacher_errno(
    person: RosterCandidate, course: Course, role: MemberRole, *, by_account: bool
) -> Errno:
    """Return the errno for a teacher as a member; requests by account have older errnos."""
    if by_account:
        return Errno.TEACHER_AS_STUDENT if role is MemberRole.STUDENT else Errno.TEACHER_AS_AUDITOR
    if course.head_teacher == person.user and role is MemberRole.STUDENT:
        return Errno.HEAD_TEACHER_AS_STUDENT
    return Errno.COURSE_TEACHER_AS_MEMBER


def _build_member(
    person: RosterCandidate, request: MemberRequest, school: School, role: MemberRole
) -> tuple[NewMember, Errno | None]:
    """Return the member to write, and a warning or None.

    A nickname is what one school said of its account; other schools use their own words.
    """
    account = request.name.value if request.name is not None else person.account
    named_as = account if request.name is not None or person.is_named else person.school_name
    name = (request.nickname or named_as) if role is MemberRole.AUDITOR else None
    is_own = person.is_registered_here or person.user == school.owner
    nickname = person.nickname if is_own else person.school_name
    if not school.plan.sync_nickname:
        return NewMember(person.user, name, nickname), None
    if person.school_name is None:
        # The school account is on no list of students, so it has no name to take over.
        return NewMember(person.user, name, nickname), Errno.NICKNAME_NOT_SYNCED
    return NewMember(person.user, name, person.school_name), None
