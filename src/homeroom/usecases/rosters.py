"""Add people to courses and remove them."""

from collections.abc import Sequence

from homeroom.base.ids import CourseId, SchoolId, UserId
from homeroom.base.values import Value
from homeroom.contract.errno import Errno
from homeroom.contract.messages.schedule import ChangedStudent, OpType
from homeroom.domain.accounts import AccountName, User
from homeroom.domain.courses import (
    CHANGE_RULE,
    NICKNAME_RULE,
    REMOVE_MEMBERS_RULE,
    Course,
    CourseRule,
)
from homeroom.domain.refusal import Refusal
from homeroom.domain.schools import School
from homeroom.domain.teachers import MemberRole
from homeroom.store.rosters import NewMember, RosterCandidate
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import people
from homeroom.usecases.accounts import get_school_and_course
from homeroom.usecases.student_messages import build_student, emit_course_students

MemberVerdict = Refusal | Errno | None
"""The result of one entry: a refusal, a warning, or None when it is done."""


class MemberRequest(Value, frozen=True):
    """A person to add or remove, by UID, or by account as older clients do."""

    user: UserId | None
    name: AccountName | None = None
    nickname: str | None = None


Candidate = tuple[MemberRequest, RosterCandidate]
"""A request, and the person that it names."""


def add_members(
    uow: UnitOfWork,
    school: SchoolId,
    course: CourseId,
    role: MemberRole,
    requests: list[MemberRequest | Refusal],
) -> list[MemberVerdict]:
    """Add people to a course; each is checked alone, all accepted ones are written together."""
    current, parent = get_school_and_course(uow, school, course, CHANGE_RULE)
    candidates = find_candidates(uow, school, course, requests)
    places = _places_left(uow, current, course, role)
    named: set[UserId] = set()
    new: list[NewMember] = []
    added: list[ChangedStudent] = []
    verdicts: list[MemberVerdict] = []
    for candidate in candidates:
        if isinstance(candidate, Refusal):
            verdicts.append(candidate)
            continue
        request, person = candidate
        try:
            _check_person(request, person, current, parent, role, named)
            _check_places(places, len(new))
        except Refusal as refusal:
            verdicts.append(refusal)
            continue
        member, warning = _build_member(person, request, current, role)
        new.append(member)
        added.append(build_student(person))
        verdicts.append(warning)
    uow.rosters.add(course, role, new, uow.now)
    if role is MemberRole.STUDENT:
        emit_course_students(uow, parent, OpType.ADD, added)
    return verdicts


def remove_members(
    uow: UnitOfWork,
    school: SchoolId,
    course: CourseId,
    role: MemberRole,
    requests: list[MemberRequest | Refusal],
    rule: CourseRule = REMOVE_MEMBERS_RULE,
) -> list[MemberVerdict]:
    """Remove people from a course; the second entry of a person finds no member."""
    parent = uow.courses.get_usable(school, course, uow.now, rule)
    candidates = find_candidates(uow, school, course, requests, unregistered=Errno.NOT_A_MEMBER)
    removed: dict[UserId, RosterCandidate] = {}
    verdicts: list[MemberVerdict] = []
    for candidate in candidates:
        if isinstance(candidate, Refusal):
            verdicts.append(candidate)
            continue
        _, person = candidate
        if person.role is not role or person.user in removed:
            verdicts.append(Refusal(Errno.NOT_A_MEMBER))
        else:
            removed[person.user] = person
            verdicts.append(None)
    uow.rosters.delete(course, role, list(removed))
    if role is MemberRole.STUDENT:
        students = list(map(build_student, removed.values()))
        emit_course_students(uow, parent, OpType.DELETE, students)
    return verdicts


def remove_member(
    uow: UnitOfWork, school: SchoolId, course: CourseId, role: MemberRole, user: UserId
) -> None:
    """Remove a person from a course."""
    verdict = remove_members(uow, school, course, role, [MemberRequest(user)], CHANGE_RULE)[0]
    if isinstance(verdict, Refusal):
        raise verdict


def copy_names(uow: UnitOfWork, school: SchoolId, course: CourseId) -> int:
    """Let the members of a course have the names of the school's list of students (READINGS Q63).

    Cancelled accounts, and members on no such list, keep their nicknames. Returns their number.
    """
    uow.courses.get_usable(school, course, uow.now, NICKNAME_RULE)
    counts = uow.rosters.count_names(school, course)
    if counts.members and counts.members == counts.cancelled:
        raise Refusal(Errno.STUDENTS_DELETED)
    if counts.members and not counts.named:
        raise Refusal(Errno.NO_NICKNAME_CHANGED)
    uow.rosters.copy_names(school, course)
    unchanged = counts.members - counts.named
    if unchanged:
        uow.warn(Errno.SOME_NICKNAMES_NOT_CHANGED)
    return unchanged


def find_candidates(
    uow: UnitOfWork,
    school: SchoolId,
    course: CourseId,
    requests: Sequence[MemberRequest | Refusal],
    unregistered: Errno = Errno.ACCOUNT_NOT_REGISTERED,
) -> list[Candidate | Refusal]:
    """Return each request with its person, or its refusal.

    An unknown UID is refused as `Errno.BAD_DATA`, an account as `unregistered`.
    """
    names = [
        request.name.value
        for request in requests
        if isinstance(request, MemberRequest) and request.user is None and request.name is not None
    ]
    accounts = people.find_by_names(uow, school, names) if names else {}
    uids = [_resolve_uid(request, accounts) for request in requests]
    users = people.find_members(uow, school, course, [uid for uid in uids if uid is not None])
    candidates: list[Candidate | Refusal] = []
    for request, uid in zip(requests, uids, strict=True):
        if isinstance(request, Refusal):
            candidates.append(request)
            continue
        person = users.get(uid) if uid is not None else None
        unknown = Errno.BAD_DATA if request.user is not None else unregistered
        candidates.append((request, person) if person is not None else Refusal(unknown))
    return candidates


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
    person: RosterCandidate,
    school: School,
    course: Course,
    role: MemberRole,
    named: set[UserId],
) -> None:
    """Refuse a person who may not become a member."""
    if person.user in named:
        raise Refusal(Errno.ALREADY_EXISTS, "the person is named twice")
    named.add(person.user)
    check_school_student(person, school, role)
    if person.role is not None:
        already = {
            MemberRole.STUDENT: Errno.ALREADY_A_STUDENT,
            MemberRole.AUDITOR: Errno.ALREADY_AN_AUDITOR,
        }
        raise Refusal(already[person.role])
    check_is_no_teacher(person, course, role, by_account=request.user is None)


def check_school_student(
    person: RosterCandidate, school: School, role: MemberRole = MemberRole.STUDENT
) -> None:
    """Refuse a cancelled account, and one on no list of students; the school's own one passes."""
    if person.is_cancelled:
        is_student = role is MemberRole.STUDENT
        raise Refusal(Errno.STUDENT_CANCELLED if is_student else Errno.AUDITOR_CANCELLED)
    if person.school_name is None and person.user != school.owner:
        raise Refusal(Errno.NOT_A_STUDENT_OF_SCHOOL)


def check_is_no_teacher(
    person: RosterCandidate,
    course: Course,
    role: MemberRole = MemberRole.STUDENT,
    *,
    by_account: bool,
) -> None:
    """Refuse a teacher of the course as a member; requests by account have older errnos."""
    is_head_teacher = course.head_teacher == person.user
    if not (person.is_course_teacher or is_head_teacher):
        return
    is_student = role is MemberRole.STUDENT
    if by_account:
        raise Refusal(Errno.TEACHER_AS_STUDENT if is_student else Errno.TEACHER_AS_AUDITOR)
    if is_head_teacher and is_student:
        raise Refusal(Errno.HEAD_TEACHER_AS_STUDENT)
    raise Refusal(Errno.COURSE_TEACHER_AS_MEMBER)


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
