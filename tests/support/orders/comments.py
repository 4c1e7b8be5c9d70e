"""Order of the checks of comments."""

from homeroom.contract.comments import UPDATE_CLASS_STUDENT_COMMENT
from tests.support.given import Given
from tests.support.orders import STRANGER, Chain, Fields, Mend, Order, caller, declare, entry_caller
from tests.support.orders.clips import foreign_lesson

COMMENT: Fields = {"starNum": 5, "comment": "Good."}


def _call(given: Given) -> list[Chain]:
    lesson = given.lesson(given.course())

    def make_public() -> Fields:
        given.set_course(given.seen(lesson).course, kind="public")
        return {"classId": lesson}

    def make_standard() -> Fields:
        given.set_course(given.seen(lesson).course, kind="standard")
        return {}

    entries = [{"studentUid": given.student(), **COMMENT}]
    mends: dict[int, Mend] = {
        100: {"commentJson": entries},
        233: make_public,
        369: make_standard,
    }
    wrong: Fields = {"classId": foreign_lesson(given), "commentJson": []}
    return [Chain(caller(given, "updateClassStudentComment"), wrong, mends)]


def _entry(given: Given) -> list[Chain]:
    lesson = given.lesson()
    call = entry_caller(given, "updateClassStudentComment", "commentJson", classId=lesson)
    mends: dict[int, Mend] = {
        400: {"studentUid": given.user()},
        228: {"studentUid": given.student()},
        167: {},
    }
    return [Chain(call, {"studentUid": STRANGER, **COMMENT}, mends)]


declare(UPDATE_CLASS_STUDENT_COMMENT, Order(_call, _entry))
