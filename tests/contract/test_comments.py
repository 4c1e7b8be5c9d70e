"""Comments on the students of a class: written by the partner API, and read back."""

from collections.abc import Iterator
from typing import Any, Final

import pytest
from sqlalchemy import select

from homeroom.base.clock import DAY, MINUTE
from homeroom.base.ids import LessonId, UserId
from homeroom.contract.comments import UPDATE_CLASS_STUDENT_COMMENT
from homeroom.store.tables import comments, lesson_absences, lessons
from tests.support.cases import Case, check_table, common
from tests.support.given import Given
from tests.support.readback import ReadBack
from tests.support.tracing import traced
from tests.support.wire import Reply

STRANGER: Final = UserId(10**9)
AUDITOR: Final = 2


def comment(given: Given, lesson: LessonId, *students: object, **changes: object) -> Reply:
    """Comment on students of a class, with five stars unless changed."""
    entries = [
        {"studentUid": student, "starNum": 5, "comment": "Good.", **changes} for student in students
    ]
    return given.api.call("updateClassStudentComment", classId=lesson, commentJson=entries)


def lesson_with_student(given: Given) -> tuple[LessonId, UserId]:
    """Return a class and a student of its course."""
    course = given.course()
    return given.lesson(course), given.member(course)


def done(given: Given) -> Reply:
    """Comment on a student of the class."""
    lesson, student = lesson_with_student(given)
    return comment(given, lesson, student)


def saved(given: Given, lesson: LessonId) -> list[Any]:
    """Return the comments of a class as the database has them."""
    return given.rows(select(comments.c.user_id).where(comments.c.lesson_id == lesson))


def on_member(given: Given, **changes: object) -> Reply:
    """Comment on a student of the class in another way."""
    lesson, student = lesson_with_student(given)
    return comment(given, lesson, student, **changes)


def on_absent(given: Given) -> Reply:
    """Comment on a student who was transferred out of the class."""
    lesson, student = lesson_with_student(given)
    given.write(lesson_absences.insert().values(lesson_id=lesson, user_id=student))
    return comment(given, lesson, student)


def on_auditor(given: Given) -> Reply:
    """Comment on an auditor of the course."""
    course = given.course()
    return comment(given, given.lesson(course), given.member(course, AUDITOR))


def on_owner(given: Given) -> Reply:
    """Comment on the school account as a student of the course."""
    course = given.course()
    owner = given.school.owner
    given.done("addCourseStudent", courseId=course, identity=1, studentUid=owner)
    return comment(given, given.lesson(course), owner)


def in_deleted_class(given: Given) -> Reply:
    """Comment in a class that was deleted."""
    course = given.course()
    lesson, student = given.lesson(course), given.member(course)
    given.done("delCourseClass", courseId=course, classId=lesson)
    return comment(given, lesson, student)


def in_public_course(given: Given) -> Reply:
    """Comment in a class of a public course."""
    lesson, student = lesson_with_student(given)
    given.set_course(given.seen(lesson).course, kind="public")
    return comment(given, lesson, student)


def in_sub_class(given: Given) -> Reply:
    """Comment in a sub class of a dual-teacher class."""
    lesson, student = lesson_with_student(given)
    main = given.lesson()
    given.write(lessons.update().where(lessons.c.id == lesson).values(main_lesson_id=main))
    return comment(given, lesson, student)


CASES: Final = (
    Case(1, done, "entry"),
    *common(
        UPDATE_CLASS_STUDENT_COMMENT,
        classId=1,
        commentJson=[{"studentUid": 1, "starNum": 1, "comment": "x"}],
    ),
    Case(100, lambda g: comment(g, g.lesson())),
    Case(100, lambda g: comment(g, g.lesson(), *[1] * 1001)),
    Case(233, lambda g: comment(g, LessonId(10**9), 1)),
    Case(233, lambda g: comment(g, g.other().lesson(), 1)),
    Case(233, in_deleted_class),
    Case(369, in_public_course),
    Case(369, in_sub_class),
    Case(400, lambda g: comment(g, g.lesson(), STRANGER), "entry"),
    Case(400, lambda g: comment(g, g.lesson(), ""), "entry"),
    Case(400, lambda g: on_member(g, comment=""), "entry"),
    Case(400, lambda g: on_member(g, starNum="many"), "entry"),
    Case(400, lambda g: on_member(g, starNum=None), "entry"),
    Case(400, lambda g: on_member(g, studentUid=None, studentAccount="12345"), "entry"),
    Case(400, lambda g: on_member(g, studentUid=None, studentAccount=g.telephone()), "entry"),
    Case(228, lambda g: comment(g, g.lesson(), g.other().student()), "entry"),
    Case(228, on_owner, "entry"),
    Case(167, lambda g: comment(g, g.lesson(), g.student()), "entry"),
    Case(167, on_absent, "entry"),
    Case(167, on_auditor, "entry"),
)


@pytest.fixture
def read(given: Given) -> Iterator[ReadBack]:
    """Read as the fresh school."""
    readback = ReadBack(given)
    yield readback
    readback.close()


def test_the_table_has_every_number_of_the_action() -> None:
    check_table(UPDATE_CLASS_STUDENT_COMMENT, CASES)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_update_class_student_comment(given: Given, case: Case) -> None:
    case.run(given)


def test_a_comment_is_read_back_and_the_last_one_stays(given: Given, read: ReadBack) -> None:
    lesson, student = lesson_with_student(given)
    begin = given.now
    first, second = {"starNum": 1, "comment": "Late."}, {"starNum": 4, "comment": "In time.\nYes."}
    entries = [{"studentUid": student, **entry} for entry in (first, second)]
    form: dict[str, Any] = {"classId": lesson, "commentJson": entries}
    assert given.api.call("updateClassStudentComment", **form).errnos == [1, 1]
    row = read.row("/comments")
    assert {name: row[name] for name in second} == second
    assert (row["SID"], row["classId"], row["studentUid"]) == (given.school.id, lesson, student)
    assert (row["createdTime"], row["changedTime"]) == (begin, begin)
    given.clock.advance(MINUTE)
    assert comment(given, lesson, str(student)).errnos == [1]
    row = read.row("/comments")
    assert (row["starNum"], row["comment"]) == (5, "Good.")
    assert (row["createdTime"], row["changedTime"]) == (begin, begin + MINUTE)


def test_comments_are_found_by_class_and_by_student(given: Given, read: ReadBack) -> None:
    course = given.course()
    both = [given.lesson(course) for _ in range(2)]
    members = [given.member(course) for _ in range(3)]
    for lesson in both:
        assert comment(given, lesson, *members).errnos == [1, 1, 1]
    assert [row["studentUid"] for row in read.rows("/comments", limit=2)] == members * 2
    in_class = read.rows("/comments", classId=both[1], limit=2)
    assert [(row["classId"], row["studentUid"]) for row in in_class] == [
        (both[1], member) for member in members
    ]
    of_student = read.rows("/comments", studentUid=members[0])
    assert [row["classId"] for row in of_student] == both
    assert read.rows("/comments", classId=given.other().lesson()) == []


def test_an_account_that_the_school_does_not_know_is_masked(given: Given, read: ReadBack) -> None:
    telephone = given.telephone()
    student = given.other().user(telephone=telephone)
    given.done("addSchoolStudent", studentUid=student, studentName="Student")
    course = given.course()
    given.done("addCourseStudent", courseId=course, identity=1, studentUid=student)
    assert comment(given, given.lesson(course), student).errnos == [1]
    assert read.row("/comments")["account"] == f"{telephone[:3]}****{telephone[-4:]}"


def test_stars_are_clamped_and_text_is_cut(given: Given, read: ReadBack) -> None:
    lesson, student = lesson_with_student(given)
    for stars, kept in ((-3, 0), ("9", 5), (0, 0)):
        assert comment(given, lesson, student, starNum=stars, comment="é" * 1001).errnos == [1]
        row = read.row("/comments")
        assert (row["starNum"], row["comment"]) == (kept, "é" * 1000)


def test_either_spelling_of_the_stars_is_read_and_star_num_wins(
    given: Given, read: ReadBack
) -> None:
    lesson, student = lesson_with_student(given)
    assert comment(given, lesson, student, starNum=None, startNum=2).errnos == [1]
    assert read.row("/comments")["starNum"] == 2
    assert comment(given, lesson, student, starNum=3, startNum=2).errnos == [1]
    assert read.row("/comments")["starNum"] == 3


def test_comments_are_taken_before_during_and_after_the_class(given: Given) -> None:
    course = given.course()
    begin = given.now + DAY
    lesson = given.lesson(course, beginTime=begin, endTime=begin + 30 * MINUTE)
    student, guest = given.member(course), given.guest(lesson, given.student())
    for moment in (given.now, begin, begin + DAY):
        given.until(moment)
        assert comment(given, lesson, student, guest).errnos == [1, 1]
    given.done("endCourse", courseId=course)
    assert comment(given, lesson, student).errnos == [1]


def test_a_result_names_the_student_as_its_entry_does(given: Given) -> None:
    course = given.course()
    telephone = given.telephone()
    student = given.user(telephone=telephone, addToSchoolMember=1)
    given.done("addCourseStudent", courseId=course, identity=1, studentUid=student)
    stars: dict[str, Any] = {"starNum": 5, "comment": "Good."}
    entries = [
        {"studentUid": student, "studentAccount": "ignored", "customColumn": 7, **stars},
        {"studentAccount": telephone, **stars},
        {"studentUid": "nobody", "customColumn": "x", **stars},
        {"customColumn": "y"},
        "no object",
    ]
    form: dict[str, Any] = {"classId": given.lesson(course), "commentJson": entries}
    reply = given.api.call("updateClassStudentComment", **form)
    assert (reply.errno, reply.errnos) == (1, [1, 1, 400, 400, 400])
    keys = ("studentUid", "studentAccount", "customColumn")
    named = [{key: entry[key] for key in keys if key in entry} for entry in reply.data]
    assert named == [
        {"studentUid": str(student), "customColumn": "7"},
        {"studentAccount": telephone},
        {"studentUid": "nobody", "customColumn": "x"},
        {"customColumn": "y"},
        {},
    ]
    assert "entry 3" in reply.reason


def test_many_comments_take_as_many_statements_as_one(given: Given) -> None:
    course = given.course()
    lesson = given.lesson(course)
    members = [given.member(course) for _ in range(5)]
    numbers = []
    for students in ([members[0]], members * 100):
        with traced(given) as issued:
            assert set(comment(given, lesson, *students).errnos) == {1}
        numbers.append(len(issued))
    assert numbers[0] == numbers[1]


def test_a_refused_entry_writes_nothing(given: Given) -> None:
    lesson, student = lesson_with_student(given)
    assert comment(given, lesson, STRANGER, given.student()).errnos == [400, 167]
    assert saved(given, lesson) == []
    assert comment(given, lesson, STRANGER, student).errnos == [400, 1]
    assert len(saved(given, lesson)) == 1
