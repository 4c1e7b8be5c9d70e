"""Labels of schools and courses: one case table an action, and the rules (READINGS Q4, Q8, Q35)."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import pytest
from sqlalchemy import select

from homeroom.base.ids import CourseId
from homeroom.contract.action import Action
from homeroom.contract.labels import (
    ADD_COURSE_LABELS,
    ADD_SCHOOL_LABEL,
    DELETE_SCHOOL_LABEL,
    UPDATE_SCHOOL_LABEL,
)
from homeroom.store.tables import course_labels
from tests.support.cases import Case, check_table, common
from tests.support.given import Given
from tests.support.tracing import traced
from tests.support.wire import Reply, Value

NONE: Final = 10**9
"""An id that nothing has."""


def set_labels(given: Given, *entries: object) -> Reply:
    """Call addCourseLabels with some entries."""
    return given.api.call("addCourseLabels", CourseList=list(entries))


def set_one(given: Given, labels: object, course: CourseId | None = None) -> Reply:
    """Call addCourseLabels for one course, a new one unless one is given."""
    course = given.course() if course is None else course
    return set_labels(given, {"CourseId": course, "labelIds": labels})


def add(given: Given, name: str) -> Reply:
    """Call addSchoolLabel."""
    return given.api.call("addSchoolLabel", labelName=name)


def rename(given: Given, label: Value, name: str = "Other") -> Reply:
    """Call updateSchoolLabel."""
    return given.api.call("updateSchoolLabel", labelId=label, labelName=name)


def delete(given: Given, label: Value) -> Reply:
    """Call deleteSchoolLabel."""
    return given.api.call("deleteSchoolLabel", labelId=label)


def with_label(given: Given, name: str) -> Given:
    """Make a label and return the school."""
    given.label(name)
    return given


def full(given: Given) -> Given:
    """Let the school have as many labels as it may have."""
    given.label()
    given.plan(max_labels=1)
    return given


def labels_of(given: Given, course: CourseId) -> list[str]:
    """Return the labels of a course in their order."""
    query = select(course_labels.c.label_id).where(course_labels.c.course_id == course)
    return [str(label) for (label,) in given.rows(query.order_by(course_labels.c.position))]


ADD_SCHOOL_LABEL_CASES: Final = (
    Case(1, lambda g: add(g, "Label")),
    *common(ADD_SCHOOL_LABEL, labelName="Label"),
    Case(353, lambda g: add(with_label(g, "Label"), "Label")),
    Case(354, lambda g: add(full(g), "Label")),
)

UPDATE_SCHOOL_LABEL_CASES: Final = (
    Case(1, lambda g: rename(g, g.label())),
    *common(UPDATE_SCHOOL_LABEL, labelId=1, labelName="Label"),
    Case(356, lambda g: rename(g, NONE)),
    Case(355, lambda g: rename(g, g.other().label())),
    Case(353, lambda g: rename(with_label(g, "Other"), g.label(), "Other")),
)

DELETE_SCHOOL_LABEL_CASES: Final = (
    Case(1, lambda g: delete(g, g.label())),
    *common(DELETE_SCHOOL_LABEL, labelId=1),
    Case(356, lambda g: delete(g, NONE)),
    Case(355, lambda g: delete(g, g.other().label())),
)

ADD_COURSE_LABELS_CASES: Final = (
    Case(1, lambda g: set_one(g, [g.label()]), "entry"),
    *common(ADD_COURSE_LABELS, CourseList=[{"CourseId": 1}]),
    Case(155, set_labels),
    Case(155, lambda g: g.api.call("addCourseLabels", CourseList="no list")),
    Case(100, lambda g: set_labels(g, {"CourseId": g.course()}, {"labelIds": []}), "entry"),
    Case(100, lambda g: set_one(g, "no list"), "entry"),
    Case(144, lambda g: set_one(g, [], g.other().course()), "entry"),
    Case(147, lambda g: set_one(g, [], CourseId(NONE)), "entry"),
    Case(149, lambda g: set_one(g, [], g.deleted_course()), "entry"),
    Case(358, lambda g: set_one(g, [g.label(), NONE]), "entry"),
    Case(359, lambda g: set_one(g, [g.label(), g.other().label()]), "entry"),
    Case(399, lambda g: set_one(g, [g.label() for _ in range(11)]), "entry"),
)

TABLES: Final = (
    (ADD_SCHOOL_LABEL, ADD_SCHOOL_LABEL_CASES),
    (UPDATE_SCHOOL_LABEL, UPDATE_SCHOOL_LABEL_CASES),
    (DELETE_SCHOOL_LABEL, DELETE_SCHOOL_LABEL_CASES),
    (ADD_COURSE_LABELS, ADD_COURSE_LABELS_CASES),
)


@pytest.mark.parametrize(("action", "cases"), TABLES, ids=lambda one: getattr(one, "name", ""))
def test_a_table_has_every_number_of_its_action(
    action: Action[Any, Any], cases: tuple[Case, ...]
) -> None:
    check_table(action, cases)


@pytest.mark.parametrize("case", ADD_SCHOOL_LABEL_CASES, ids=str)
def test_add_school_label(given: Given, case: Case) -> None:
    case.run(given)


@pytest.mark.parametrize("case", UPDATE_SCHOOL_LABEL_CASES, ids=str)
def test_update_school_label(given: Given, case: Case) -> None:
    case.run(given)


@pytest.mark.parametrize("case", DELETE_SCHOOL_LABEL_CASES, ids=str)
def test_delete_school_label(given: Given, case: Case) -> None:
    case.run(given)


@pytest.mark.parametrize("case", ADD_COURSE_LABELS_CASES, ids=str)
def test_add_course_labels(given: Given, case: Case) -> None:
    case.run(given)


def test_a_label_id_travels_as_text_and_a_name_in_use_answers_its_label(given: Given) -> None:
    first = add(given, "标" * 21)
    assert set(first.data) == {"labelId"}
    assert first.data["labelId"].isdigit()
    again = add(given, "标" * 20)
    assert (again.errno, again.data) == (353, first.data)
    assert add(given.other(), "标" * 20).errno == 1
    assert add(given, "label").errno == add(given, "Label").errno == 1


def test_a_school_has_a_hundred_labels_and_a_name_in_use_is_said_first(given: Given) -> None:
    given.store.write(
        lambda uow: [
            uow.labels.add(given.school.id, f"label {number}", "#ffffff", uow.now)
            for number in range(99)
        ]
    )
    last = given.label("the hundredth")
    assert add(given, "one more").errno == 354
    assert add(given, "the hundredth").errno == 353
    assert delete(given, last).errno == 1
    assert add(given, "one more").errno == 1


def test_a_label_keeps_its_name_or_takes_a_free_one(given: Given) -> None:
    label, other = given.label("first"), given.label("second")
    assert rename(given, label, "first").errno == 1
    assert rename(given, label, "third").errno == 1
    assert rename(given, other, "first").errno == 1
    assert rename(given, label, "first").errno == 353


def test_a_deleted_label_leaves_its_courses_and_cannot_be_used(given: Given) -> None:
    course, label, stays = given.course(), given.label(), given.label()
    assert set_one(given, [label, stays], course).errnos == [1]
    assert delete(given, label).errno == 1
    assert labels_of(given, course) == [stays]
    assert delete(given, label).errno == 356
    assert set_one(given, [label], course).errnos == [358]


def test_the_id_of_a_deleted_label_is_never_given_out_again(given: Given) -> None:
    gone = add(given, "gone").data["labelId"]
    assert given.api.call("deleteSchoolLabel", labelId=gone).errno == 1
    assert add(given, "new").data["labelId"] != gone
    assert set_one(given, [int(gone)]).data[0]["errno"] == 358


def test_labels_are_replaced_in_order_cleared_by_an_empty_list_and_else_left(given: Given) -> None:
    course, one, two, three = given.course(), given.label(), given.label(), given.label()
    assert set_one(given, [int(two), one], course).errnos == [1]
    assert labels_of(given, course) == [two, one]
    assert set_one(given, [three, one, int(three)], course).errnos == [1]
    assert labels_of(given, course) == [three, one]
    assert set_labels(given, {"CourseId": course}).errnos == [1]
    assert labels_of(given, course) == [three, one]
    assert set_one(given, [], course).errnos == [1]
    assert labels_of(given, course) == []


def test_ten_labels_and_their_repetitions_are_allowed(given: Given) -> None:
    course, ten = given.course(), [given.label() for _ in range(10)]
    assert set_one(given, [*ten, *reversed(ten)], course).errnos == [1]
    assert labels_of(given, course) == ten


def test_one_bad_label_leaves_all_labels_of_its_course_as_they_were(given: Given) -> None:
    course, old, new = given.course(), given.label(), given.label()
    set_one(given, [old], course)
    foreign = given.other().label()
    eleven = [new, *(given.label() for _ in range(10))]
    for bad in ([new, "x"], [new, NONE], [new, foreign], eleven):
        assert set_one(given, bad, course).errnos != [1]
    assert labels_of(given, course) == [old]


def test_a_course_named_twice_is_served_twice_in_order(given: Given) -> None:
    course, first, second = given.course(), given.label(), given.label()
    one, two = ({"CourseId": course, "labelIds": [label]} for label in (first, second))
    assert set_labels(given, one, two).errnos == [1, 1]
    assert labels_of(given, course) == [second]
    bad = {"CourseId": course, "labelIds": [NONE]}
    assert set_labels(given, one, bad, {"CourseId": course}).errnos == [1, 358, 1]
    assert labels_of(given, course) == [first]


def test_a_bad_entry_does_not_keep_the_others_from_being_served(given: Given) -> None:
    course, label = given.course(), given.label()
    entries = (
        {"CourseId": NONE, "labelIds": []},
        "no entry",
        {"CourseId": course, "labelIds": [label]},
        {"CourseId": given.other().course(), "labelIds": []},
    )
    reply = set_labels(given, *entries)
    assert (reply.errno, reply.errnos) == (1, [147, 100, 1, 144])
    assert labels_of(given, course) == [label]


def test_each_result_names_its_course_and_tag_as_its_entry_did(given: Given) -> None:
    course = given.course()
    reply = set_labels(
        given,
        {"CourseId": str(course), "customColumn": 1},
        {"courseId": course, "customColumn": "x" * 51},
        {"courseId": NONE, "customColumn": ""},
        {"customColumn": "none"},
    )
    named = [{k: v for k, v in row.items() if k not in {"errno", "error"}} for row in reply.data]
    assert named == [
        {"CourseId": course, "customColumn": "1"},
        {"courseId": course, "customColumn": "x" * 50},
        {"courseId": NONE},
        {"customColumn": "none"},
    ]


def test_the_list_may_be_spelled_either_way_and_the_seeds_spelling_wins(given: Given) -> None:
    course, label = given.course(), given.label()
    mine, other = ([{"courseId": course, "labelIds": ids}] for ids in ([label], []))
    assert given.api.call("addCourseLabels", courseList=mine, courseId=NONE).errnos == [1]
    assert labels_of(given, course) == [label]
    assert given.api.call("addCourseLabels", courseList=other, CourseList=mine).errnos == [1]
    assert labels_of(given, course) == [label]


def test_public_and_ended_courses_take_labels(given: Given) -> None:
    for course in (given.public_course(), given.ended_course()):
        assert set_one(given, [given.label()], course).errnos == [1]


def test_a_thousand_courses_take_as_many_statements_as_one(given: Given) -> None:
    label, some = given.label(), [given.course() for _ in range(20)]
    entries = [{"CourseId": course, "labelIds": [label]} for course in some] * 50
    assert set_labels(given, *entries, entries[0]).errno == 100
    counts = []
    for asked in (entries[:1], entries):
        with traced(given) as issued:
            assert set(set_labels(given, *asked).errnos) == {1}
            counts.append(len(issued))
    assert counts[0] == counts[1] > 0
    assert all(labels_of(given, course) == [label] for course in some)


def test_labels_made_at_once_keep_the_limit_and_their_names_apart(given: Given) -> None:
    given.plan(max_labels=5)
    with ThreadPoolExecutor(10) as clients:
        named = list(clients.map(lambda _: add(given, "one name"), range(10)))
        more = list(clients.map(lambda place: add(given, f"label {place}"), range(10)))
    assert sorted(reply.errno for reply in named) == [1] + [353] * 9
    assert len({reply.data["labelId"] for reply in named}) == 1
    assert sorted(reply.errno for reply in more) == [1] * 4 + [354] * 6


def test_labels_set_at_once_are_those_of_one_of_the_calls(given: Given) -> None:
    course = given.course()
    sets = [[given.label(), given.label()] for _ in range(10)]
    with ThreadPoolExecutor(10) as clients:
        replies = list(clients.map(lambda ids: set_one(given, ids, course), sets))
    assert {reply.errnos[0] for reply in replies} == {1}
    assert labels_of(given, course) in sets
