"""Order of the checks of links into a class."""

from homeroom.contract.entry_links import GET_LOGIN_LINKED
from homeroom.domain.lifecycle import OVERTIME_SECONDS
from tests.support.given import Given
from tests.support.orders import MALFORMED, STRANGER, Chain, Fields, Mend, Order, caller, declare


def _lookups(given: Given) -> list[Chain]:
    """Return an unknown class of a foreign course, and the mends up to a class that is over."""
    course, elsewhere = given.course(), given.course()
    deleted, foreign, lesson = given.lesson(course), given.lesson(elsewhere), given.lesson(course)
    for parent, gone in ((course, deleted), (elsewhere, foreign)):
        given.done("delCourseClass", courseId=parent, classId=gone)
    given.until(given.seen(lesson).hours.end + OVERTIME_SECONDS)
    given.set_course(course, kind="public", ended_at=1)

    def make_standard() -> Fields:
        given.set_course(course, kind="standard")
        return {}

    mends: dict[int, Mend] = {
        100: {"courseId": given.other().course()},
        134: {"telephone": given.telephone()},
        144: {"courseId": course},
        143: {"classId": foreign},
        142: {"classId": deleted},
        212: {"classId": lesson},
        369: make_standard,
        145: {},
    }
    wrong: Fields = {"telephone": MALFORMED, "classId": STRANGER}
    return [Chain(caller(given, "getLoginLinked"), wrong, mends)]


def _members(given: Given) -> list[Chain]:
    """Return a stranger to a class, and the mends up to a member without a telephone number."""
    course = given.course()
    lesson = given.lesson(course)
    by_email, cancelled = (
        given.user(telephone=None, email=f"{given.telephone()}@school.test", addToSchoolMember=1)
        for _ in range(2)
    )
    for student in (by_email, cancelled):
        given.done("addCourseStudent", courseId=course, identity=1, studentUid=student)
    given.cancelled(cancelled)
    stranger = given.cancelled(given.user(telephone=None, email=f"{given.telephone()}@school.test"))
    mends: dict[int, Mend] = {150: {"uid": cancelled}, 888: {"uid": by_email}, 467: {}}
    wrong: Fields = {"courseId": course, "classId": lesson, "uid": stranger}
    return [Chain(caller(given, "getLoginLinked"), wrong, mends)]


declare(GET_LOGIN_LINKED, Order((_lookups, _members)))
