"""Handlers of the students of single classes."""

from collections.abc import Iterable

from homeroom.base.ids import SchoolId
from homeroom.base.pauses import pause_between
from homeroom.contract.class_students import (
    AddClassStudentMultiple,
    AddCourseClassStudent,
    AddedToLessons,
    DelClassStudentMultiple,
)
from homeroom.contract.errno import Errno
from homeroom.contract.lists import InvalidEntry
from homeroom.contract.rosters import AddedMembers, RemovedMembers
from homeroom.domain.refusal import Refusal
from homeroom.domain.teachers import MemberRole
from homeroom.partner.handlers.entries import make_plain_entries, note_reasons, refuse_faulty
from homeroom.partner.handlers.rosters import (
    list_account_keys,
    make_member_results,
    parse_entry,
    parse_person,
    refuse_unregistered,
)
from homeroom.partner.routes import CallContext
from homeroom.store.storage import Storage
from homeroom.usecases import class_students
from homeroom.usecases.rosters import MemberRequest


def get_account_lock_keys(_school: SchoolId, params: AddClassStudentMultiple) -> Iterable[str]:
    """Return the lock keys of the accounts, whose registration must be finished."""
    return list_account_keys(params.students)


def prepare_additions(
    _storage: Storage, params: AddClassStudentMultiple
) -> list[MemberRequest | Refusal]:
    """Parse the persons to add: a thousand e-mail addresses can take seconds."""
    return [parse_entry(entry, MemberRole.STUDENT) for entry in pause_between(params.students)]


def add_class_student_multiple(
    call: CallContext[list[MemberRequest | Refusal]], params: AddClassStudentMultiple
) -> AddedMembers:
    """Add students to one class, and return a result for each."""
    verdicts = class_students.add_to_lesson(
        call.uow,
        call.school,
        params.course_id,
        params.class_id,
        params.identity,
        refuse_faulty(call, refuse_unregistered(call, params.students)),
    )
    note_reasons(call.reasons, verdicts)
    return make_member_results(params.students, verdicts)


def prepare_removals(
    _storage: Storage, params: DelClassStudentMultiple
) -> list[MemberRequest | Refusal]:
    """Parse the persons to remove: a thousand e-mail addresses can take seconds."""
    malformed = Errno.BAD_DATA if params.uids is not None else Errno.ACCOUNT_NOT_REGISTERED
    return [parse_person(person, malformed) for person in pause_between(params.get_persons())]


def del_class_student_multiple(
    call: CallContext[list[MemberRequest | Refusal]], params: DelClassStudentMultiple
) -> RemovedMembers:
    """Remove students from one class, and return a result for each."""
    verdicts = class_students.remove_from_lesson(
        call.uow,
        call.school,
        params.course_id,
        params.class_id,
        params.identity,
        refuse_faulty(call, call.prepared),
    )
    note_reasons(call.reasons, verdicts)
    return RemovedMembers(data=make_plain_entries(verdicts))


def prepare_student(_storage: Storage, params: AddCourseClassStudent) -> MemberRequest | Refusal:
    """Parse the person of a call."""
    if params.student_uid is None and params.student_account is not None:
        return parse_person(params.student_account, Errno.PHONE_MALFORMED)
    return MemberRequest(params.student_uid)


def add_course_class_student(
    call: CallContext[MemberRequest | Refusal], params: AddCourseClassStudent
) -> AddedToLessons:
    """Add a student to several classes, and return a result for each."""
    verdicts = class_students.add_to_lessons(
        call.uow,
        call.school,
        params.course_id,
        call.prepared,
        refuse_faulty(
            call,
            (
                Refusal(Errno.LESSON_NOT_IN_COURSE, lesson.reason)
                if isinstance(lesson, InvalidEntry)
                else lesson
                for lesson in params.lessons
            ),
        ),
    )
    note_reasons(call.reasons, verdicts)
    return AddedToLessons(data=make_plain_entries(verdicts))
