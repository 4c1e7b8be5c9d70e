"""Order of the checks of the teachers of a course."""

from sqlalchemy import update

from homeroom.base.clock import DAY
from homeroom.contract.course_teachers import MODIFY_COURSE_TEACHER, REMOVE_COURSE_TEACHER
from homeroom.store.tables import lessons
from tests.support.given import Given
from tests.support.orders import (
    AUDITOR,
    MALFORMED,
    STRANGER,
    Chain,
    Fields,
    Mend,
    Order,
    caller,
    declare,
)
from tests.support.orders.members import course_mends
from tests.support.wire import Reply, Value


def _modify(given: Given) -> list[Chain]:
    course = given.course()
    cancelled, stopped, stopping = (given.teaching_member(course) for _ in range(3))
    expired = given.course(expiryTime=given.now + 2 * DAY)
    given.clock.advance(2 * DAY)
    given.set_course(expired, kind="public")
    mends: dict[int, Mend] = {
        100: {"courseId": STRANGER},
        **course_mends(given, course),
        146: {"courseId": expired},
        153: {"courseId": given.public_course()},
        134: {"teacherUid": STRANGER},
        400: {"teacherUid": given.cancelled(given.member(course))},
        136: {"teacherUid": given.cancelled(given.stopped(cancelled))},
        884: {"teacherUid": given.stopped(stopped)},
        387: {"teacherUid": given.stopping(stopping)},
        805: {"teacherUid": given.teacher()},
        188: {},
    }
    return [Chain(caller(given, "modifyCourseTeacher"), {"teacherAccount": MALFORMED}, mends)]


def _modify_entry(given: Given) -> list[Chain]:
    """Return a course with one class ahead; its errno is that of the call."""
    course = given.course()
    helper, guest = given.teacher(), given.teacher()
    lesson = given.lesson(course, assistantUids=[helper, guest])
    given.guest(lesson, guest)
    student, auditor = given.teaching_member(course), given.teaching_member(course, AUDITOR)
    for member in (student, auditor):
        given.guest(lesson, member)
    given.made_elsewhere(lesson)
    is_lesson = lessons.c.id == lesson
    given.write(update(lessons).where(is_lesson).values(main_lesson_id=given.lesson()))

    def unbind() -> Fields:
        given.write(update(lessons).where(is_lesson).values(main_lesson_id=None))
        return {}

    def make_v1() -> Fields:
        given.write(update(lessons).where(is_lesson).values(origin="v1"))
        return {}

    def call(**fields: Value) -> Reply:
        reply = given.api.call("modifyCourseTeacher", courseId=course, **fields)
        assert reply.errno == 1, (reply.body, reply.reason)
        return Reply(reply.status, {"error_info": reply.data[0]}, reply.headers)

    mends: dict[int, Mend] = {
        369: unbind,
        466: make_v1,
        172: {"teacherUid": auditor},
        173: {"teacherUid": guest},
        187: {"teacherUid": helper},
        328: {},
    }
    return [Chain(call, {"teacherUid": student}, mends)]


def _remove(given: Given) -> list[Chain]:
    course = given.course()
    head, teacher = given.teacher(), given.teacher()
    for user in (head, teacher):
        given.lesson(course, teacherUid=user)
    unlisted = given.teacher()
    given.set_course(course, head_teacher_id=unlisted)

    def make_head() -> Fields:
        given.set_course(course, head_teacher_id=head)
        return {"teacherUid": head}

    mends: dict[int, Mend] = {
        100: {"courseId": STRANGER},
        **course_mends(given, course),
        122: {"teacherUid": STRANGER},
        400: {"teacherUid": given.student()},
        136: {"teacherUid": unlisted},
        316: make_head,
        315: {"teacherUid": teacher},
        317: {},
    }
    return [Chain(caller(given, "removeCourseTeacher"), {"teacherAccount": MALFORMED}, mends)]


declare(MODIFY_COURSE_TEACHER, Order(_modify, _modify_entry))
declare(REMOVE_COURSE_TEACHER, Order(_remove))
