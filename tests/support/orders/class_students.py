"""Order of the checks of the students of single classes, and of one who leaves a course."""

from collections.abc import Callable
from typing import Any

from homeroom.base.ids import CourseId, LessonId, UserId
from homeroom.contract.class_students import (
    ADD_CLASS_STUDENT_MULTIPLE,
    ADD_COURSE_CLASS_STUDENT,
    DEL_CLASS_STUDENT_MULTIPLE,
)
from homeroom.contract.rosters import DEL_COURSE_STUDENT
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
from tests.support.orders.lessons import lesson_lookups
from tests.support.orders.members import course_mends, teacher_and_student
from tests.support.scheduled import Scheduled
from tests.support.wire import Reply


def _remove_one(given: Given) -> list[Chain]:
    course = given.course()
    mends: dict[int, Mend] = {
        100: {"identity": STUDENT},
        **course_mends(given, course),
        400: {"studentUid": given.member(course, AUDITOR)},
        162: {},
    }
    wrong: Fields = {"courseId": STRANGER, "studentUid": STRANGER}
    return [Chain(caller(given, "delCourseStudent"), wrong, mends)]


def _of_class(action: str, name: str, entry: object) -> Callable[[Given], list[Chain]]:
    """Return the chain of a batch for one class, whose list has a name and such entries."""

    def make(given: Given) -> list[Chain]:
        lesson = Scheduled(given)
        wrong, lookups = lesson_lookups(given, lesson)
        lesson.over()
        mends: dict[int, Mend] = {
            **lookups,
            100: {"classId": STRANGER, "identity": AUDITOR, name: []},
            155: {name: [entry]},
            159: {"identity": STUDENT},
            145: {},
        }
        return [Chain(caller(given, action), wrong, mends)]

    return make


def _full_class(given: Given, course: CourseId, teacher: UserId, **more: Any) -> LessonId:  # noqa: ANN401  fields of a class
    """Return a class that has as many students as the plan allows: one of the course."""
    given.member(course)
    given.plan(max_class_students=1)
    return given.lesson(course, teacherUid=teacher, **more)


def _add_entry(given: Given) -> list[Chain]:
    course = given.course()
    teacher_account, free = given.telephone(), given.telephone()
    teacher = teacher_and_student(given, teacher_account)
    given.user(telephone=free, addToSchoolMember=1)
    co_teacher, head = teacher_and_student(given), teacher_and_student(given)
    given.lesson(course, teacherUid=head)
    lesson = _full_class(given, course, teacher, assistantUids=[co_teacher])
    auditor, student = given.member(course, AUDITOR), given.member(course)
    given.set_course(course, head_teacher_id=auditor)
    call = entry_caller(
        given, "addClassStudentMultiple", "studentJson", courseId=course, classId=lesson
    )

    def make_head(user: UserId) -> Callable[[], Fields]:
        def change() -> Fields:
            given.set_course(course, head_teacher_id=user)
            return {"uid": user}

        return change

    by_uid: dict[int, Mend] = {
        400: {"uid": given.cancelled(given.user())},
        886: {"uid": given.user()},
        228: {"uid": auditor},
        164: make_head(student),
        166: make_head(co_teacher),
        329: make_head(head),
        333: {"uid": teacher},
        332: {"uid": given.student()},
        157: {},
    }
    pending, cancelled, stranger = (given.telephone() for _ in range(3))
    given.cancelled(given.user(telephone=cancelled))
    given.user(telephone=stranger)
    other = Pending(given, "register", telephone=pending, password="short")

    def start() -> Fields:
        other.start()
        return {"account": pending}

    def release() -> Fields:
        other.finish()
        return {}

    by_account: dict[int, Mend] = {
        125: {"account": OUT_OF_RANGE},
        288: start,
        131: release,
        113: {"account": cancelled},
        886: {"account": stranger},
        228: {"account": teacher_account},
        129: {"account": free},
        157: {},
    }
    return [Chain(call, {"uid": "x"}, by_uid), Chain(call, {"account": MALFORMED}, by_account)]


def _remove_entry(given: Given) -> list[Chain]:
    lesson = Scheduled(given)
    account = given.telephone()
    given.user(telephone=account, addToSchoolMember=1)

    def call(*, name: str, person: str | int) -> Reply:
        form: dict[str, Any] = {"courseId": lesson.course, "classId": lesson.lesson}
        action = "delClassStudentMultiple"
        reply = given.api.call(action, **form, identity=STUDENT, **{name: [person]})
        return Reply(reply.status, {"error_info": reply.data[0]}, reply.headers)

    by_account: Fields = {"name": "studentJson", "person": MALFORMED}
    by_uid: Fields = {"name": "studentUidJson", "person": STRANGER}
    return [
        Chain(call, by_account, {113: {"person": account}, 167: {}}),
        Chain(call, by_uid, {400: {"person": given.student()}, 167: {}}),
    ]


def _add_to_lessons(given: Given) -> list[Chain]:
    call = caller(given, "addCourseClassStudent")
    course, account = given.course(), given.telephone()
    head, teacher = teacher_and_student(given), teacher_and_student(given, account)
    given.lesson(course, teacherUid=teacher)
    given.lesson(course, teacherUid=head)
    given.set_course(course, head_teacher_id=head)
    mends = course_mends(given, course)
    foreign = mends.pop(147)
    assert isinstance(foreign, dict)
    by_uid: dict[int, Mend] = {
        **mends,
        100: {"classJson": []},
        155: {"classJson": [STRANGER]},
        134: {"studentAccount": given.telephone()},
        113: {"studentUid": STRANGER},
        400: {"studentUid": given.cancelled(given.user())},
        886: {"studentUid": given.user()},
        228: {"studentUid": head},
        333: {"studentUid": teacher},
        332: {},
    }
    by_account: Fields = {"courseId": course, "studentAccount": account, "classJson": [STRANGER]}
    return [
        Chain(call, {**foreign, "studentAccount": MALFORMED}, by_uid),
        Chain(call, by_account, {129: {}}),
    ]


def _add_to_lessons_entry(given: Given) -> list[Chain]:
    over = Scheduled(given)
    course = over.course
    elsewhere, made_elsewhere = given.lesson(), given.made_elsewhere(given.lesson(course))
    deleted = given.lesson(course)
    given.done("delCourseClass", courseId=course, classId=deleted)
    given.made_elsewhere(deleted)
    auditor, student = given.member(course, AUDITOR), given.member(course)
    over.over()
    full = _full_class(given, course, over.teacher)

    def call(*, lesson: LessonId, student_uid: UserId) -> Reply:
        reply = given.api.call(
            "addCourseClassStudent", courseId=course, studentUid=student_uid, classJson=[lesson]
        )
        return Reply(reply.status, {"error_info": reply.data[0]}, reply.headers)

    mends: dict[int, Mend] = {
        142: {"lesson": deleted},
        212: {"lesson": made_elsewhere},
        466: {"lesson": over.lesson},
        145: {"lesson": full},
        164: {"student_uid": student},
        166: {"student_uid": given.student()},
        157: {},
    }
    return [Chain(call, {"lesson": elsewhere, "student_uid": auditor}, mends)]


declare(DEL_COURSE_STUDENT, Order(_remove_one))
declare(
    ADD_CLASS_STUDENT_MULTIPLE,
    Order(_of_class("addClassStudentMultiple", "studentJson", {"uid": 1}), _add_entry),
)
declare(
    DEL_CLASS_STUDENT_MULTIPLE,
    Order(_of_class("delClassStudentMultiple", "studentUidJson", 1), _remove_entry),
)
declare(ADD_COURSE_CLASS_STUDENT, Order(_add_to_lessons, _add_to_lessons_entry))
