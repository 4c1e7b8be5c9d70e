"""Order of the checks of students and auditors of courses."""

from typing import Any

from homeroom.base.ids import CourseId, UserId
from homeroom.contract.rosters import (
    ADD_COURSE_STUDENT,
    ADD_COURSE_STUDENT_MULTIPLE,
    DEL_COURSE_STUDENT_MULTIPLE,
)
from tests.support.given import Given
from tests.support.orders import (
    AUDITOR,
    MALFORMED,
    OUT_OF_RANGE,
    STRANGER,
    STUDENT,
    Chain,
    Fields,
    Mend,
    Order,
    Pending,
    caller,
    declare,
    entry_caller,
)


def course_mends(given: Given, course: CourseId, *, deleted: bool = True) -> dict[int, Mend]:
    """Return the mends of a course: unknown, of another school, deleted, ended, public."""
    past: dict[str, Any] = {"ended_at": 1, "kind": "public"}
    own_deleted = given.set_course(given.course(), deleted_at=1, **past)
    own_ended = given.set_course(given.course(), **past)
    foreign = given.other().set_course(given.other().course(), deleted_at=1, **past)
    mends: dict[int, Mend] = {
        147: {"courseId": foreign},
        144: {"courseId": own_deleted if deleted else own_ended},
        153: {"courseId": given.public_course()},
        369: {"courseId": course},
    }
    return {**mends, 149: {"courseId": own_ended}} if deleted else mends


def teacher_and_student(given: Given, account: str | None = None) -> UserId:
    both = given.user(telephone=account or given.telephone(), addToSchoolMember=1)
    given.done("addTeacher", teacherUid=both, teacherName="Both")
    return both


def _person_mends(
    given: Given, course: CourseId, role: int, key: str
) -> tuple[UserId, dict[int, Mend]]:
    """Return a person whom all is against, and the mends up to a course that is full."""
    member = given.member(course, role)
    given.set_course(course, head_teacher_id=member)
    head, teacher = teacher_and_student(given), teacher_and_student(given)
    given.lesson(course, teacherUid=head)
    given.lesson(course, teacherUid=teacher)
    given.plan(max_course_students=1, max_course_auditors=1)

    def change_head() -> Fields:
        given.set_course(course, head_teacher_id=head)
        return {key: head}

    of_role: dict[int, Mend] = {
        886: {key: given.user()},
        163: change_head,
        333: {key: teacher},
    }
    if role == AUDITOR:
        of_role = {887: {key: given.user()}, 164: {key: teacher}}
    return given.cancelled(given.user()), {
        **of_role,
        228: {key: member},
        332: {key: given.student()},
        130: {},
    }


def _add_one(given: Given) -> list[Chain]:
    call = caller(given, "addCourseStudent")
    course, auditors = given.course(), given.course()
    account = given.telephone()
    teacher = teacher_and_student(given, account)
    full = given.course()
    given.member(full)
    given.member(full, AUDITOR)
    given.lesson(full, teacherUid=teacher)
    free = given.telephone()
    given.user(telephone=free, addToSchoolMember=1)
    cancelled, mends = _person_mends(given, course, STUDENT, "studentUid")
    cancelled_auditor, auditor_mends = _person_mends(given, auditors, AUDITOR, "studentUid")
    by_uid = Chain(
        call,
        {"courseId": STRANGER, "studentUid": "[]", "studentAccount": MALFORMED},
        {
            100: {"identity": STUDENT},
            155: {"studentUid": None},
            **course_mends(given, course),
            134: {"studentAccount": given.telephone()},
            113: {"studentUid": STRANGER},
            400: {"studentUid": cancelled},
            **mends,
        },
    )
    auditor = Chain(
        call,
        {"courseId": auditors, "identity": AUDITOR, "studentUid": cancelled_auditor},
        auditor_mends,
    )
    named: Fields = {"courseId": full, "studentAccount": account}
    return [
        by_uid,
        auditor,
        Chain(call, named | {"identity": STUDENT}, {129: {"studentAccount": free}, 130: {}}),
        Chain(call, named | {"identity": AUDITOR}, {174: {"studentAccount": free}, 130: {}}),
    ]


def _add_several(given: Given) -> list[Chain]:
    call = caller(given, "addCourseStudentMultiple")
    entries: list[Any] = [{"uid": given.student()}]
    other = Pending(given, "addCourseStudentMultiple", courseId=STRANGER, studentJson=entries)

    def start() -> Fields:
        other.start()
        return {"studentJson": entries}

    def release() -> Fields:
        other.finish()
        return {}

    mends: dict[int, Mend] = {
        100: {"studentJson": []},
        155: start,
        464: release,
        **course_mends(given, given.course()),
    }
    return [Chain(call, {"courseId": STRANGER}, mends)]


def _add_entry(given: Given) -> list[Chain]:
    course, auditors = given.course(), given.course()
    account, cancelled_account, pending = (given.telephone() for _ in range(3))
    given.cancelled(given.user(telephone=cancelled_account))
    full = given.course()
    given.member(full)
    given.member(full, AUDITOR)
    given.lesson(full, teacherUid=teacher_and_student(given, account))
    free = given.telephone()
    given.user(telephone=free, addToSchoolMember=1)

    def call(course: CourseId, role: int) -> Any:  # noqa: ANN401  a callable of any fields
        name = "addCourseStudentMultiple"
        return entry_caller(given, name, "studentJson", courseId=course, identity=role)

    other = Pending(given, "register", telephone=pending, password="short")

    def start() -> Fields:
        other.start()
        return {"account": pending}

    def release() -> Fields:
        other.finish()
        return {}

    cancelled, mends = _person_mends(given, course, STUDENT, "uid")
    cancelled_auditor, auditor_mends = _person_mends(given, auditors, AUDITOR, "uid")
    by_account: dict[int, Mend] = {
        288: start,
        131: release,
        113: {"account": cancelled_account},
    }
    twice: Fields = {"twice": True}
    once: Fields = {"twice": False}
    return [
        Chain(
            call(course, STUDENT),
            twice | {"uid": "x"},
            {400: {"uid": cancelled}, 133: once, **mends},
        ),
        Chain(
            call(auditors, AUDITOR),
            twice | {"uid": "x"},
            {400: {"uid": cancelled_auditor}, 133: once, **auditor_mends},
        ),
        Chain(
            call(course, STUDENT),
            {"account": MALFORMED},
            {125: {"account": OUT_OF_RANGE}, **by_account, 886: {}},
        ),
        Chain(
            call(course, AUDITOR),
            {"account": MALFORMED},
            {134: {"account": given.telephone()}, 113: {"account": cancelled_account}, 887: {}},
        ),
        Chain(call(full, STUDENT), {"account": account}, {129: {"account": free}, 130: {}}),
        Chain(call(full, AUDITOR), {"account": account}, {174: {"account": free}, 130: {}}),
    ]


def _remove(given: Given) -> list[Chain]:
    mends: dict[int, Mend] = {
        100: {"studentUidJson": []},
        155: {"studentUidJson": [1]},
        **course_mends(given, given.course(), deleted=False),
    }
    wrong: Fields = {"courseId": STRANGER, "identity": STUDENT}
    return [Chain(caller(given, "delCourseStudentMultiple"), wrong, mends)]


def _remove_entry(given: Given) -> list[Chain]:
    course, student = given.course(), given.student()

    def call(*, name: str, person: str | int) -> Any:  # noqa: ANN401  a reply
        form: dict[str, Any] = {"courseId": course, "identity": STUDENT, name: [person]}
        reply = given.api.call("delCourseStudentMultiple", **form)
        return type(reply)(reply.status, {"error_info": reply.data[0]}, reply.headers)

    account: Fields = {"name": "studentJson", "person": MALFORMED}
    uid: Fields = {"name": "studentUidJson", "person": STRANGER}
    return [
        Chain(call, account, {134: {"person": given.telephone()}, 162: {}}),
        Chain(call, uid, {400: {"person": student}, 162: {}}),
    ]


DONE_BESIDES = "a warning of an addition that no check refuses"
declare(ADD_COURSE_STUDENT, Order(_add_one))
declare(ADD_COURSE_STUDENT_MULTIPLE, Order(_add_several, _add_entry, {841: DONE_BESIDES}))
declare(DEL_COURSE_STUDENT_MULTIPLE, Order(_remove, _remove_entry))
