"""Adding people to courses and taking them out."""

from dataclasses import dataclass

from homeroom.base.ids import CourseId, SchoolId, UserId
from homeroom.contract.errno import Errno
from homeroom.domain.accounts import AccountName, User
from homeroom.domain.courses import CHANGE_RULE, REMOVE_MEMBERS_RULE, Course
from homeroom.domain.refusal import Refusal
from homeroom.domain.schools import School
from homeroom.domain.teachers import MemberRole
from homeroom.store.rosters import NewMember, RosterCandidate
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases.accounts import current_school

Verdict = Refusal | Errno | None
"""What became of one entry: refused, done with something to say, or simply done."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A person asked for by UID, or by account as older clients do."""

    user: UserId | None
    name: AccountName | None = None
    shown_as: str | None = None


def add_members(
    uow: UnitOfWork,
    school: SchoolId,
    course: CourseId,
    role: MemberRole,
    asked: list[Asked | Refusal],
) -> list[Verdict]:
    """Add people to a course; each is judged alone, all accepted ones are written together."""
    held = current_school(uow, school)
    home = uow.courses.get_usable(school, course, uow.now, CHANGE_RULE)
    accounts = _accounts(uow, asked)
    uids = [_uid(one, accounts) for one in asked]
    persons = uow.rosters.find_candidates(school, course, [uid for uid in uids if uid is not None])
    room = _room(uow, held, course, role)
    seen: set[UserId] = set()
    new: list[NewMember] = []
    verdicts: list[Verdict] = []
    for one, uid in zip(asked, uids, strict=True):
        if isinstance(one, Refusal):
            verdicts.append(one)
            continue
        try:
            person = _admitted(one, uid, persons, held, home, role, seen)
            _check_room(room, len(new))
        except Refusal as refusal:
            verdicts.append(refusal)
            continue
        member, note = _member(person, one, held, role)
        new.append(member)
        verdicts.append(note)
    uow.rosters.add(course, role, new, uow.now)
    return verdicts


def remove_members(
    uow: UnitOfWork,
    school: SchoolId,
    course: CourseId,
    role: MemberRole,
    asked: list[Asked | Refusal],
) -> list[Verdict]:
    """Take people out of a course; who is named a second time is no member any more."""
    uow.courses.get_usable(school, course, uow.now, REMOVE_MEMBERS_RULE)
    accounts = _accounts(uow, asked)
    uids = [_uid(one, accounts) for one in asked]
    persons = uow.rosters.find_candidates(school, course, [uid for uid in uids if uid is not None])
    gone: dict[UserId, None] = {}
    verdicts: list[Verdict] = []
    for one, uid in zip(asked, uids, strict=True):
        if isinstance(one, Refusal):
            verdicts.append(one)
            continue
        person = None if uid is None else persons.get(uid)
        if person is None:
            unknown = Errno.NOT_A_MEMBER if one.user is None else Errno.BAD_DATA
            verdicts.append(Refusal(unknown))
        elif person.role is not role or person.user in gone:
            verdicts.append(Refusal(Errno.NOT_A_MEMBER))
        else:
            gone[person.user] = None
            verdicts.append(None)
    uow.rosters.delete(course, role, list(gone))
    return verdicts


def _accounts(uow: UnitOfWork, asked: list[Asked | Refusal]) -> dict[str, User]:
    names = [
        one.name.value
        for one in asked
        if isinstance(one, Asked) and one.user is None and one.name is not None
    ]
    return uow.accounts.find_by_names(names)


def _uid(one: Asked | Refusal, accounts: dict[str, User]) -> UserId | None:
    if isinstance(one, Refusal):
        return None
    if one.user is not None:
        return one.user
    person = None if one.name is None else accounts.get(one.name.value)
    return None if person is None else person.id


def _room(uow: UnitOfWork, school: School, course: CourseId, role: MemberRole) -> int | None:
    """Return how many more members of a role the course takes; none for no limit."""
    plan = school.plan
    limit = plan.max_course_students if role is MemberRole.STUDENT else plan.max_course_auditors
    return limit - uow.rosters.count(course, role) if limit else None


def _check_room(room: int | None, taken: int) -> None:
    """Refuse one member more than the course takes."""
    if room is not None and taken >= room:
        raise Refusal(Errno.TOO_MANY_MEMBERS)


def _admitted(
    one: Asked,
    uid: UserId | None,
    persons: dict[UserId, RosterCandidate],
    school: School,
    course: Course,
    role: MemberRole,
    seen: set[UserId],
) -> RosterCandidate:
    """Return a person who may become a member, or refuse."""
    person = None if uid is None else persons.get(uid)
    by_account = one.user is None
    if person is None:
        raise Refusal(Errno.ACCOUNT_NOT_REGISTERED if by_account else Errno.BAD_DATA)
    if person.user in seen:
        raise Refusal(Errno.ALREADY_EXISTS, "the person is named twice")
    seen.add(person.user)
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
        raise Refusal(_as_teacher(person, course, role, by_account=by_account))
    return person


def _as_teacher(
    person: RosterCandidate, course: Course, role: MemberRole, *, by_account: bool
) -> Errno:
    """Return the number for a teacher who shall be a member; the older key has older numbers."""
    if by_account:
        return Errno.TEACHER_AS_STUDENT if role is MemberRole.STUDENT else Errno.TEACHER_AS_AUDITOR
    if course.head_teacher == person.user and role is MemberRole.STUDENT:
        return Errno.HEAD_TEACHER_AS_STUDENT
    return Errno.COURSE_TEACHER_AS_MEMBER


def _member(
    person: RosterCandidate, one: Asked, school: School, role: MemberRole
) -> tuple[NewMember, Errno | None]:
    """Return the member to write, and what could not be done besides."""
    name = (one.shown_as or person.account) if role is MemberRole.AUDITOR else None
    if not school.plan.sync_nickname:
        return NewMember(person.user, name, person.nickname), None
    if person.school_name is None:
        # The school account is on no list of students, so it has no name to take over.
        return NewMember(person.user, name, person.nickname), Errno.NICKNAME_NOT_SYNCED
    return NewMember(person.user, name, person.school_name), None
