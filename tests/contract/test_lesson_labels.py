"""Labels of classes: the numbers and rules of addClassLabels (READINGS Q8, Q59)."""

from typing import Any, Final

import pytest
from sqlalchemy import select, update

from homeroom.base.ids import CourseId, LessonId
from homeroom.contract.labels import ADD_CLASS_LABELS
from homeroom.store.tables import lesson_labels, lessons
from tests.support.cases import Case, check_table, common
from tests.support.given import Given
from tests.support.readback import ReadBack
from tests.support.tracing import traced
from tests.support.wire import Reply

NONE: Final = 10**9
"""An id that nothing has."""


class Labelled:
    """A course with a class to label."""

    def __init__(self, given: Given) -> None:
        self.given = given
        self.course: CourseId = given.course()
        self.lesson: LessonId = given.lesson(self.course)

    def set_all(self, *entries: object, course: object = None) -> Reply:
        """Call addClassLabels with some entries."""
        fields: dict[str, Any] = {"courseId": self.course if course is None else course}
        return self.given.api.call("addClassLabels", **fields, classList=list(entries))

    def set(self, labels: object, lesson: object = None) -> Reply:
        """Call addClassLabels for one class."""
        target = self.lesson if lesson is None else lesson
        return self.set_all({"classId": target, "classLabelId": labels})

    def labels_of(self, lesson: LessonId) -> list[str]:
        """Return the labels of a class in their order."""
        query = select(lesson_labels.c.label_id).where(lesson_labels.c.lesson_id == lesson)
        rows = self.given.rows(query.order_by(lesson_labels.c.position))
        return [str(label) for (label,) in rows]

    @property
    def labels(self) -> list[str]:
        """The labels of the class in their order."""
        return self.labels_of(self.lesson)


def in_course(given: Given, course: object) -> Reply:
    """Call addClassLabels for a course that cannot be changed."""
    labelled = Labelled(given)
    return labelled.set_all({"classId": labelled.lesson}, course=course)


def deleted(given: Given) -> Reply:
    labelled = Labelled(given)
    given.done("delCourseClass", courseId=labelled.course, classId=labelled.lesson)
    return labelled.set([])


def made_elsewhere(given: Given) -> Reply:
    labelled = Labelled(given)
    given.made_elsewhere(labelled.lesson)
    return labelled.set([])


def dual(given: Given) -> Reply:
    labelled = Labelled(given)
    change = update(lessons).where(lessons.c.id == labelled.lesson)
    given.write(change.values(main_lesson_id=given.lesson(labelled.course)))
    return labelled.set([])


CASES: Final = (
    Case(1, lambda g: Labelled(g).set([g.label()]), "entry"),
    *common(ADD_CLASS_LABELS, courseId=1, classList=[{"classId": 1}]),
    Case(155, lambda g: Labelled(g).set_all()),
    Case(147, lambda g: in_course(g, NONE)),
    Case(144, lambda g: in_course(g, g.other().course())),
    Case(149, lambda g: in_course(g, g.deleted_course())),
    Case(369, lambda g: in_course(g, g.public_course())),
    Case(100, lambda g: Labelled(g).set("no list"), "entry"),
    Case(143, lambda g: Labelled(g).set([], NONE), "entry"),
    Case(142, lambda g: Labelled(g).set([], g.lesson()), "entry"),
    Case(212, deleted, "entry"),
    Case(466, made_elsewhere, "entry"),
    Case(369, dual, "entry"),
    Case(358, lambda g: Labelled(g).set([g.label(), NONE]), "entry"),
    Case(359, lambda g: Labelled(g).set([g.label(), g.other().label()]), "entry"),
    Case(357, lambda g: Labelled(g).set([g.label() for _ in range(11)]), "entry"),
)


def test_the_table_has_every_number_of_the_action() -> None:
    check_table(ADD_CLASS_LABELS, CASES)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_add_class_labels(given: Given, case: Case) -> None:
    case.run(given)


def test_labels_are_replaced_in_order_cleared_by_an_empty_list_and_else_left(given: Given) -> None:
    labelled = Labelled(given)
    first, second, third = given.label(), given.label(), given.label()
    assert labelled.set([int(second), first]).errnos == [1]
    assert labelled.labels == [second, first]
    assert labelled.set([third, first, int(third)]).errnos == [1]
    assert labelled.labels == [third, first]
    assert labelled.set_all({"classId": labelled.lesson}).errnos == [1]
    assert labelled.labels == [third, first]
    assert labelled.set([NONE, first]).errnos == [358]
    assert labelled.labels == [third, first]
    assert labelled.set([]).errnos == [1]
    assert labelled.labels == []


def test_ten_labels_and_their_repetitions_are_allowed(given: Given) -> None:
    labelled, ten = Labelled(given), [given.label() for _ in range(10)]
    assert labelled.set([*ten, *reversed(ten)]).errnos == [1]
    assert labelled.labels == ten


def test_each_result_names_its_class_and_tag(given: Given) -> None:
    labelled = Labelled(given)
    reply = labelled.set_all(
        {"classId": str(labelled.lesson), "customColumn": 1},
        {"classId": NONE, "customColumn": "x" * 51},
        {"classId": labelled.lesson, "classLabelId": 5, "customColumn": " a "},
        {"classId": "x"},
        "no entry",
    )
    named = [{k: v for k, v in row.items() if k != "error"} for row in reply.data]
    assert named == [
        {"customColumn": "1", "classId": labelled.lesson, "errno": 1},
        {"customColumn": "x" * 50, "classId": NONE, "errno": 143},
        {"customColumn": " a ", "classId": labelled.lesson, "errno": 100},
        {"errno": 100},
        {"errno": 100},
    ]


def test_a_class_named_twice_is_served_twice_in_order(given: Given) -> None:
    labelled, first, second = Labelled(given), given.label(), given.label()
    entries = [{"classId": labelled.lesson, "classLabelId": [label]} for label in (first, second)]
    assert labelled.set_all(*entries).errnos == [1, 1]
    assert labelled.labels == [second]


def test_classes_of_an_ended_course_and_those_that_are_over_take_labels(given: Given) -> None:
    labelled, label = Labelled(given), given.label()
    given.until(given.seen(labelled.lesson).hours.end + 3600)
    given.done("endCourse", courseId=labelled.course)
    assert labelled.set([label]).errnos == [1]
    assert labelled.labels == [label]


def test_a_deleted_label_leaves_its_classes(given: Given) -> None:
    labelled, label, stays = Labelled(given), given.label(), given.label()
    assert labelled.set([label, stays]).errnos == [1]
    given.done("deleteSchoolLabel", labelId=label)
    assert labelled.labels == [stays]
    assert labelled.set([label]).errnos == [358]


def test_300_classes_take_as_many_statements_as_one(given: Given) -> None:
    labelled, label = Labelled(given), given.label()
    others = [given.lesson(labelled.course) for _ in range(10)]
    entries = [{"classId": lesson, "classLabelId": [label]} for lesson in others] * 30
    counts = []
    for some in (entries[:1], entries):
        with traced(given) as issued:
            assert set(labelled.set_all(*some).errnos) == {1}
            counts.append(len(issued))
    assert counts[0] == counts[1] > 0
    assert all(labelled.labels_of(lesson) == [label] for lesson in others)


def test_read_back_shows_the_labels_of_a_class(given: Given) -> None:
    labelled, first, second = Labelled(given), given.label(), given.label()
    assert labelled.set([second, first]).errnos == [1]
    plain = given.lesson(labelled.course)
    reader = ReadBack(given)
    labels = {row["classId"]: row["classLabelId"] for row in reader.rows("/classes")}
    assert labels == {labelled.lesson: [int(second), int(first)], plain: []}
    reader.close()
