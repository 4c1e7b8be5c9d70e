"""Members of courses: wire to use case and back."""

from collections.abc import Iterable

from homeroom.base.ids import SchoolId, UserId
from homeroom.contract.errno import Errno
from homeroom.contract.lists import InvalidEntry
from homeroom.contract.rosters import (
    AddCourseStudent,
    AddCourseStudentMultiple,
    DelCourseStudentMultiple,
    MemberEntry,
)
from homeroom.domain.accounts import parse_account_name
from homeroom.domain.refusal import Refusal
from homeroom.domain.teachers import MemberRole
from homeroom.partner.handlers.accounts import get_account_lock_key
from homeroom.partner.response import PartnerResponse, entry, summarize_refusals
from homeroom.partner.routes import CallContext
from homeroom.usecases import rosters
from homeroom.usecases.rosters import MemberRequest


def get_course_lock_keys(_school: SchoolId, params: AddCourseStudentMultiple) -> Iterable[str]:
    """Name the course whose members are being added."""
    return (f"members {params.course_id}",)


def get_account_lock_keys(_school: SchoolId, params: AddCourseStudentMultiple) -> Iterable[str]:
    """Name the accounts that must not be in the middle of their registration."""
    return (
        get_account_lock_key(one.account)
        for one in params.students
        if isinstance(one, MemberEntry) and one.uid is None and one.account is not None
    )


def add_course_student(call: CallContext, params: AddCourseStudent) -> PartnerResponse:
    """Serve addCourseStudent."""
    one: MemberRequest | Refusal = MemberRequest(params.student_uid, nickname=params.student_name)
    if params.student_uid is None and params.student_account is not None:
        one = _person(params.student_account, Errno.PHONE_MALFORMED, params.student_name)
    verdict = rosters.add_members(
        call.uow, call.school, params.course_id, MemberRole(params.identity), [one]
    )[0]
    if isinstance(verdict, Refusal):
        raise verdict
    if verdict is not None:
        call.uow.warn(verdict)
    return PartnerResponse()


def add_course_student_multiple(
    call: CallContext, params: AddCourseStudentMultiple
) -> PartnerResponse:
    """Serve addCourseStudentMultiple."""
    role = MemberRole(params.identity)
    verdicts = rosters.add_members(
        call.uow,
        call.school,
        params.course_id,
        role,
        [_member(one, role, call.busy_keys) for one in params.students],
    )
    entries = [
        entry(verdict, customColumn=one.custom_column)
        for one, verdict in zip(params.students, verdicts, strict=True)
    ]
    return PartnerResponse(data=entries, reason=summarize_refusals(verdicts))


def del_course_student_multiple(
    call: CallContext, params: DelCourseStudentMultiple
) -> PartnerResponse:
    """Serve delCourseStudentMultiple."""
    malformed = Errno.BAD_DATA if params.uids is not None else Errno.PHONE_MALFORMED
    verdicts = rosters.remove_members(
        call.uow,
        call.school,
        params.course_id,
        MemberRole(params.identity),
        [_person(one, malformed) for one in params.get_persons()],
    )
    return PartnerResponse(
        data=[entry(verdict) for verdict in verdicts], reason=summarize_refusals(verdicts)
    )


def _member(
    one: MemberEntry | InvalidEntry, role: MemberRole, busy: frozenset[str]
) -> MemberRequest | Refusal:
    if isinstance(one, InvalidEntry):
        return Refusal(Errno.BAD_DATA, one.reason)
    if one.uid is not None or one.account is None:
        return MemberRequest(one.uid, nickname=one.name)
    malformed = (
        Errno.STUDENT_PHONE_MALFORMED if role is MemberRole.STUDENT else Errno.PHONE_MALFORMED
    )
    try:
        name = parse_account_name(one.account, malformed)
    except Refusal as refusal:
        return refusal
    if get_account_lock_key(one.account) in busy:
        return Refusal(Errno.REGISTRATION_FAILED, "the account's registration is unfinished")
    return MemberRequest(None, name, one.name)


def _person(
    given: UserId | str | InvalidEntry, malformed: Errno, shown_as: str | None = None
) -> MemberRequest | Refusal:
    """Read a UID, or an account of which only malformed or not is known here."""
    if isinstance(given, InvalidEntry):
        return Refusal(malformed, given.reason)
    if isinstance(given, int):
        return MemberRequest(given)
    try:
        return MemberRequest(None, parse_account_name(given, malformed), shown_as)
    except Refusal as refusal:
        return Refusal(malformed, refusal.reason)
