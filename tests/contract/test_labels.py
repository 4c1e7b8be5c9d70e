"""Labels of schools and courses: one case table an action."""



import pytest

from homeroom.contract.errno import Errno
from homeroom.contract.labels import ADD_COURSE_LABELS
from tests.support.cases import Case, check_table
from tests.support.given import Given
from tests.support.wire import Reply



def set_labels(given: Given, *entries: object) -> Reply:
    """Call addCourseLabels with some entries."""
    return given.api.call("addCourseLabels", CourseList=list(entries))




ADD_COURSE_LABELS_CASES = (
    Case(1, lambda g: set_labels(g, {"CourseId": g.course(), "labelIds": [g.label()]})),
    Case(100, lambda g: g.api.call("addCourseLabels")),
    Case(102, lambda g: g.api.post("addCourseLabels", data={**g.api.signed(), "safeKey": "0" * 32})),
    Case(155, lambda g: g.api.call("addCourseLabels", CourseList=[])),
    Case(144, lambda g: set_labels(g, {"CourseId": g.other().course(), "labelIds": []}), "entry"),
    Case(147, lambda g: set_labels(g, {"CourseId": 10**9, "labelIds": []}), "entry"),
    Case(149, lambda g: set_labels(g, {"CourseId": g.deleted_course()}), "entry"),
    Case(358, lambda g: set_labels(g, {"CourseId": g.course(), "labelIds": [10**9]}), "entry"),
    Case(
        359,
        lambda g: set_labels(g, {"CourseId": g.course(), "labelIds": [g.other().label()]}),
        "entry",
    ),
    Case(
        399,
        lambda g: set_labels(
            g, {"CourseId": g.course(), "labelIds": [g.label() for _ in range(11)]}
        ),
        "entry",
    ),
    Case(104, lambda g: set_labels(g.failing(ADD_COURSE_LABELS, Errno.FAILED), {"CourseId": g.course()}), "fault"),
)


def test_table_names_every_errno() -> None:
    """The table and the contract name the same numbers."""
    check_table(ADD_COURSE_LABELS, ADD_COURSE_LABELS_CASES)


@pytest.mark.parametrize("case", ADD_COURSE_LABELS_CASES, ids=str)
def test_add_course_labels(given: Given, case: Case) -> None:
    """Each number of the action arises as the table says."""
    case.run(given)
