"""Order of the checks of the v2 calls on a school, the teachers of a course and nicknames."""

from typing import Any

from homeroom.base.ids import UserId
from homeroom.contract.course_teachers import ADD_COURSE_TEACHER
from homeroom.contract.nicknames import MODIFY_COURSE_STUDENT_NICK_NAME
from homeroom.contract.school_conf import MODIFY_SCHOOL_CONF
from tests.support.given import Given
from tests.support.orders import AUDITOR, STRANGER, STUDENT, Chain, Fields, Order, caller, declare
from tests.support.wire import Reply


def _modify_school_conf(given: Given) -> list[Chain]:
    call = caller(given, "modifySchoolConf")
    wrong = {"allowViewReplay": 2, "allowNewStudentViewReplay": "x"}
    return [
        Chain(call, {}, {121601030: {"allowViewReplay": 1}}),
        Chain(call, wrong, {121601020: {"allowViewReplay": 1, "allowNewStudentViewReplay": 0}}),
    ]


def _add_course_teacher(given: Given) -> list[Chain]:
    past: dict[str, Any] = {"ended_at": 1, "kind": "public"}
    deleted = given.set_course(given.course(), deleted_at=1, **past)
    ended = given.set_course(given.course(), **past)
    foreign = given.other().set_course(given.other().course(), deleted_at=1, **past)
    return [
        Chain(
            caller(given, "addCourseTeacher"),
            {"teacherUids": "x"},
            {
                121601030: {"courseId": "x"},
                121601020: {"courseId": STRANGER, "teacherUids": [STRANGER]},
                147: {"courseId": foreign},
                121601021: {"courseId": deleted},
                149: {"courseId": ended},
                30031: {"courseId": given.public_course()},
                121601022: {"courseId": given.course()},
            },
        )
    ]


def _add_course_teacher_entry(given: Given) -> list[Chain]:
    course = given.course()

    def call(uid: UserId) -> Reply:
        reply = given.api.call("addCourseTeacher", courseId=course, teacherUids=[uid])
        return Reply(reply.status, reply.data[0], reply.headers)

    def person(role: int | None, *, is_stopped: bool, is_cancelled: bool = False) -> UserId:
        uid = given.teacher() if role is None else given.teaching_member(course, role)
        if is_stopped:
            given.stopped(uid)
        given.store.write(lambda uow: uow.courses.add_teachers(course, [uid]))
        return given.cancelled(uid) if is_cancelled else uid

    people = {
        136: person(STUDENT, is_stopped=True, is_cancelled=True),
        884: person(STUDENT, is_stopped=True),
        387: person(STUDENT, is_stopped=False),
        172: person(AUDITOR, is_stopped=False),
        173: person(None, is_stopped=False),
    }

    def become_head(uid: UserId) -> Fields:
        given.set_course(course, head_teacher_id=uid)
        return {"uid": uid}

    return [
        Chain(
            call,
            {"uid": STRANGER},
            {
                **{
                    number: lambda uid=uid: become_head(uid)  # type: ignore[misc]  # bound at once
                    for number, uid in people.items()
                },
                30022: lambda: become_head(UserId(given.school.owner)) | {"uid": people[173]},
                133: {},
            },
        )
    ]


def _modify_nick_name(given: Given) -> list[Chain]:
    return [
        Chain(
            caller(given, "modifyCourseStudentNickName"),
            {"studentUids": "x"},
            {101001001: {"studentUids": list(range(1, 102))}, 121601060: {"studentUids": [1]}},
        )
    ]


def _modify_nick_name_entry(given: Given) -> list[Chain]:
    def call(uid: UserId) -> Reply:
        reply = given.api.call("modifyCourseStudentNickName", studentUids=[uid])
        return Reply(reply.status, reply.data[0], reply.headers)

    stranger, student = given.cancelled(given.user()), given.cancelled(given.student())
    mends: dict[int, Any] = {121601059: {"uid": student}, 110100067: {}}
    return [Chain(call, {"uid": stranger}, mends)]


declare(MODIFY_SCHOOL_CONF, Order(_modify_school_conf))
declare(ADD_COURSE_TEACHER, Order(_add_course_teacher, _add_course_teacher_entry))
declare(MODIFY_COURSE_STUDENT_NICK_NAME, Order(_modify_nick_name, _modify_nick_name_entry))
