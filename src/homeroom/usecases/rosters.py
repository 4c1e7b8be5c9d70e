"""Adding people to courses and taking them out."""

from dataclasses import dataclass

from homeroom.base.ids import CourseId, SchoolId, UserId
from homeroom.contract.errno import Errno
from homeroom.domain.accounts import AccountName, User
from homeroom.domain.courses import CHANGEABLE, SHRINKABLE, Course
from homeroom.domain.refusal import Refused
from homeroom.domain.schools import School
from homeroom.domain.teachers import Role
from homeroom.store.rosters import NewMember, Person
from homeroom.store.work import Work
from homeroom.usecases.accounts import current_school

Verdict = Refused | Errno | None
"""What became of one entry: refused, done with something to say, or simply done."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A person asked for by UID, or by account as older clients do."""

    user: UserId | None
    name: AccountName | None = None
    shown_as: str | None = None


def add_members(
    work: Work,
    school: SchoolId,
    course: CourseId,
    role: Role,
    asked: list[Asked | Refused],
) -> list[Verdict]:
    """Add people to a course; each is judged alone, all accepted ones are written together."""
    held = current_school(work, school)
    home = work.courses.held_by(school, course, work.now, CHANGEABLE)
    accounts = _accounts(work, asked)
    uids = [_uid(one, accounts) for one in asked]
    persons = work.rosters.persons(school, course, [uid for uid in uids if uid is not None])
    room = _room(work, held, course, role)
    seen: set[UserId] = set()
    new: list[NewMember] = []
    verdicts: list[Verdict] = []
    for one, uid in zip(asked, uids, strict=True):
        if isinstance(one, Refused):
            verdicts.append(one)
            continue
        try:
            person = _admitted(one, uid, persons, held, home, role, seen)
            _check_room(room, len(new))
        except Refused as refusal:
            verdicts.append(refusal)
            continue
        member, note = _member(person, one, held, role)
        new.append(member)
        verdicts.append(note)
    work.rosters.add(course, role, new, work.now)
    return verdicts


def remove_members(
    work: Work,
    school: SchoolId,
    course: CourseId,
    role: Role,
    asked: list[Asked | Refused],
) -> list[Verdict]:
    """Take people out of a course; who is named a second time is no member any more."""
    work.courses.held_by(school, course, work.now, SHRINKABLE)
    accounts = _accounts(work, asked)
    uids = [_uid(one, accounts) for one in asked]
    persons = work.rosters.persons(school, course, [uid for uid in uids if uid is not None])
    gone: dict[UserId, None] = {}
    verdicts: list[Verdict] = []
    for one, uid in zip(asked, uids, strict=True):
        if isinstance(one, Refused):
            verdicts.append(one)
            continue
        person = None if uid is None else persons.get(uid)
        if person is None:
            unknown = Errno.NOT_A_MEMBER if one.user is None else Errno.BAD_DATA
            verdicts.append(Refused(unknown))
        elif person.role is not role or person.user in gone:
            verdicts.append(Refused(Errno.NOT_A_MEMBER))
        else:
            gone[person.user] = None
            verdicts.append(None)
    work.rosters.remove(course, role, list(gone))
    return verdicts


def _accounts(work: Work, asked: list[Asked | Refused]) -> dict[str, User]:
    names = [
        one.name.value
        for one in asked
        if isinstance(one, Asked) and one.user is None and one.name is not None
    ]
    return work.accounts.named(names)


def _uid(one: Asked | Refused, accounts: dict[str, User]) -> UserId | None:
    if isinstance(one, Refused):
        return None
    if one.user is not None:
        return one.user
    person = None if one.name is None else accounts.get(one.name.value)
    return None if person is None else person.id


def _room(work: Work, school: School, course: CourseId, role: Role) -> int | None:
    """Return how many more members of a role the course takes; none for no limit."""
    plan = school.plan
    limit = plan.max_course_students if role is Role.STUDENT else plan.max_course_auditors
    return limit - work.rosters.count(course, role) if limit else None


def _check_room(room: int | None, taken: int) -> None:
    """Refuse one member more than the course takes."""
    if room is not None and taken >= room:
        raise Refused(Errno.TOO_MANY_MEMBERS)


def _admitted(
    one: Asked,
    uid: UserId | None,
    persons: dict[UserId, Person],
    school: School,
    course: Course,
    role: Role,
    seen: set[UserId],
) -> Person:
    """Return a person who may become a member, or refuse."""
    person = None if uid is None else persons.get(uid)
    by_account = one.user is None
    if person is None:
        raise Refused(Errno.ACCOUNT_NOT_REGISTERED if by_account else Errno.BAD_DATA)
    if person.user in seen:
        raise Refused(Errno.ALREADY_EXISTS, "the person is named twice")
    seen.add(person.user)
    is_student = role is Role.STUDENT
    if person.is_cancelled:
        raise Refused(Errno.STUDENT_CANCELLED if is_student else Errno.AUDITOR_CANCELLED)
    if person.school_name is None and person.user != school.owner:
        raise Refused(Errno.NOT_A_STUDENT_OF_SCHOOL)
    if person.role is not None:
        already = {Role.STUDENT: Errno.ALREADY_A_STUDENT, Role.AUDITOR: Errno.ALREADY_AN_AUDITOR}
        raise Refused(already[person.role])
    if person.is_course_teacher or course.head_teacher == person.user:
        raise Refused(_as_teacher(person, course, role, by_account=by_account))
    return person


def _as_teacher(person: Person, course: Course, role: Role, *, by_account: bool) -> Errno:
    """Return the number for a teacher who shall be a member; the older key has older numbers."""
    if by_account:
        return Errno.TEACHER_AS_STUDENT if role is Role.STUDENT else Errno.TEACHER_AS_AUDITOR
    if course.head_teacher == person.user and role is Role.STUDENT:
        return Errno.HEAD_TEACHER_AS_STUDENT
    return Errno.COURSE_TEACHER_AS_MEMBER


def _member(
    person: Person, one: Asked, school: School, role: Role
) -> tuple[NewMember, Errno | None]:
    """Return the member to write, and what could not be done besides."""
    name = (one.shown_as or person.account) if role is Role.AUDITOR else None
    if not school.plan.sync_nickname:
        return NewMember(person.user, name, person.nickname), None
    if person.school_name is None:
        # The school account is on no list of students, so it has no name to take over.
        return NewMember(person.user, name, person.nickname), Errno.NICKNAME_NOT_SYNCED
    return NewMember(person.user, name, person.school_name), None
