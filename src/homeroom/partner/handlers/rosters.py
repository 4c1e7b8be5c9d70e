"""Handlers of the members of courses."""

from collections.abc import Iterable, Sequence

from msgspec import UNSET

from homeroom.base.ids import SchoolId, UserId
from homeroom.base.pauses import pause_between
from homeroom.base.text import format_count
from homeroom.contract.errno import Errno
from homeroom.contract.lists import InvalidEntry
from homeroom.contract.results import EmptyResult
from homeroom.contract.rosters import (
    AddCourseStudent,
    AddCourseStudentMultiple,
    AddedMembers,
    DelCourseStudent,
    DelCourseStudentMultiple,
    MemberEntry,
    MemberResult,
    ModifyGroupMemberNickname,
    PersonEntry,
    RemovedMembers,
)
from homeroom.domain.accounts import parse_account_name
from homeroom.domain.refusal import Refusal
from homeroom.domain.teachers import MemberRole
from homeroom.partner.handlers.accounts import get_account_lock_key
from homeroom.partner.handlers.entries import (
    get_errno,
    make_plain_entries,
    note_reasons,
    refuse_faulty,
)
from homeroom.partner.routes import CallContext
from homeroom.store.storage import Storage
from homeroom.usecases import rosters
from homeroom.usecases.rosters import MemberRequest


def get_course_lock_keys(_school: SchoolId, params: AddCourseStudentMultiple) -> Iterable[str]:
    """Return the lock key of the members of the course."""
    return (f"members {params.course_id}",)


def get_account_lock_keys(_school: SchoolId, params: AddCourseStudentMultiple) -> Iterable[str]:
    """Return the lock keys of the accounts, whose registration must be finished."""
    return list_account_keys(params.students)


def list_account_keys(entries: Iterable[PersonEntry | InvalidEntry]) -> list[str]:
    """Return the lock keys of the accounts that entries name."""
    keys = map(_get_own_lock_key, entries)
    return [key for key in keys if key is not None]


def _get_own_lock_key(entry: PersonEntry | InvalidEntry) -> str | None:
    """Return the lock key of an entry that names its person by account."""
    if isinstance(entry, InvalidEntry) or entry.uid is not None or entry.account is None:
        return None
    return get_account_lock_key(entry.account)


def prepare_member(_storage: Storage, params: AddCourseStudent) -> MemberRequest | Refusal:
    """Parse the person of a call."""
    if params.student_uid is None and params.student_account is not None:
        return parse_person(params.student_account, Errno.PHONE_MALFORMED, params.student_name)
    return MemberRequest(params.student_uid, nickname=params.student_name)


def add_course_student(
    call: CallContext[MemberRequest | Refusal], params: AddCourseStudent
) -> EmptyResult:
    """Add a student or an auditor to a course."""
    verdict = rosters.add_members(
        call.uow, call.school, params.course_id, MemberRole(params.identity), [call.prepared]
    )[0]
    if isinstance(verdict, Refusal):
        raise verdict
    if verdict is not None:
        call.uow.warn(verdict)
    return EmptyResult()


def prepare_members(
    _storage: Storage, params: AddCourseStudentMultiple
) -> list[MemberRequest | Refusal]:
    """Parse the persons to add: a thousand e-mail addresses can take seconds."""
    role = MemberRole(params.identity)
    return [
        parse_entry(entry, role, entry.name if isinstance(entry, MemberEntry) else None)
        for entry in pause_between(params.students)
    ]


def add_course_student_multiple(
    call: CallContext[list[MemberRequest | Refusal]], params: AddCourseStudentMultiple
) -> AddedMembers:
    """Add students or auditors to a course, and return a result for each."""
    requests = refuse_unregistered(call, params.students)
    verdicts = rosters.add_members(
        call.uow,
        call.school,
        params.course_id,
        MemberRole(params.identity),
        refuse_faulty(call, requests),
    )
    note_reasons(call.reasons, verdicts)
    return make_member_results(params.students, verdicts)


def refuse_unregistered(
    call: CallContext[list[MemberRequest | Refusal]], entries: Sequence[PersonEntry | InvalidEntry]
) -> list[MemberRequest | Refusal]:
    """Return the prepared requests; those whose account is still being registered are refused."""
    return [
        Refusal(Errno.REGISTRATION_FAILED, "the account's registration is unfinished")
        if isinstance(prepared, MemberRequest) and _get_own_lock_key(entry) in call.busy_keys
        else prepared
        for entry, prepared in zip(entries, call.prepared, strict=True)
    ]


def make_member_results(
    entries: Sequence[PersonEntry | InvalidEntry], verdicts: Iterable[Refusal | Errno | None]
) -> AddedMembers:
    """Return the results of entries, each with the caller's own tag."""
    return AddedMembers(
        data=[
            MemberResult(
                custom_column=entry.custom_column if entry.custom_column is not None else UNSET,
                errno=errno.number,
                error=errno.zh,
            )
            for entry, errno in zip(entries, map(get_errno, verdicts), strict=True)
        ]
    )


def modify_group_member_nickname(
    call: CallContext[None], params: ModifyGroupMemberNickname
) -> EmptyResult:
    """Copy the names of the school into the class nicknames of a course."""
    unchanged = rosters.copy_names(call.uow, call.school, params.course_id)
    if unchanged:
        call.reasons.append(f"{format_count(unchanged, 'nickname')} unchanged")
    return EmptyResult()


def del_course_student(call: CallContext[None], params: DelCourseStudent) -> EmptyResult:
    """Remove a student or an auditor from a course."""
    rosters.remove_member(
        call.uow, call.school, params.course_id, MemberRole(params.identity), params.student_uid
    )
    return EmptyResult()


def prepare_removals(
    _storage: Storage, params: DelCourseStudentMultiple
) -> list[MemberRequest | Refusal]:
    """Parse the persons to remove: a thousand e-mail addresses can take seconds."""
    malformed = Errno.BAD_DATA if params.uids is not None else Errno.PHONE_MALFORMED
    return [parse_person(person, malformed) for person in pause_between(params.get_persons())]


def del_course_student_multiple(
    call: CallContext[list[MemberRequest | Refusal]], params: DelCourseStudentMultiple
) -> RemovedMembers:
    """Remove students or auditors from a course, and return a result for each."""
    verdicts = rosters.remove_members(
        call.uow,
        call.school,
        params.course_id,
        MemberRole(params.identity),
        refuse_faulty(call, call.prepared),
    )
    note_reasons(call.reasons, verdicts)
    return RemovedMembers(data=make_plain_entries(verdicts))


def parse_entry(
    entry: PersonEntry | InvalidEntry, role: MemberRole, nickname: str | None = None
) -> MemberRequest | Refusal:
    """Read the person of an entry; the number of a student has errnos of its own."""
    if isinstance(entry, InvalidEntry):
        return Refusal(Errno.BAD_DATA, entry.reason)
    if entry.uid is not None or entry.account is None:
        return MemberRequest(entry.uid, nickname=nickname)
    malformed = (
        Errno.STUDENT_PHONE_MALFORMED if role is MemberRole.STUDENT else Errno.PHONE_MALFORMED
    )
    try:
        name = parse_account_name(entry.account, malformed)
    except Refusal as refusal:
        return refusal
    return MemberRequest(None, name, nickname)


def parse_person(
    person: UserId | str | InvalidEntry, malformed: Errno, shown_as: str | None = None
) -> MemberRequest | Refusal:
    """Read a UID or an account; whatever is wrong with the account is `malformed`."""
    if isinstance(person, InvalidEntry):
        return Refusal(malformed, person.reason)
    if isinstance(person, int):
        return MemberRequest(person)
    try:
        return MemberRequest(None, parse_account_name(person, malformed), shown_as)
    except Refusal as refusal:
        return Refusal(malformed, refusal.reason)
