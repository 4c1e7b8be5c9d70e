"""The rows of the table: what is requested, from which numbers on, and the goals."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field

from bench.dataset import (
    FIRST_AHEAD,
    FIRST_MEMBER,
    FIRST_NEWCOMER,
    FIRST_OVER,
    FIRST_SINGLE,
    OTHERS,
    DataSet,
)
from bench.load import DONE, NUMBER
from bench.target import (
    json_request,
    lesson_fields,
    lesson_form,
    request,
    roster_form,
    signature,
)
from homeroom.base.clock import DAY, HOUR, SystemClock

LIST_ROWS = 500
"""Rows of a page of a read-back list."""
BATCH_OF_CLASSES = 30
"""Classes of a call that adds several, as many as the contract advises."""
LIST_OF_CLASSES = f"list of classes, {LIST_ROWS} rows"
LIVE_PAGE = "live page"
N = NUMBER.decode()


@dataclass(frozen=True)
class Row:
    """One kind of request, and how it is measured."""

    name: str
    action: str
    """The action of the partner API; empty for a page or a list."""
    first_number: int
    build: Callable[[DataSet, int], list[str]]
    """Makes the requests, from a number on."""
    connections: tuple[int, ...] = (1, 32)
    requests_in_all: int = 0
    """A fixed number of requests, for those that cannot be made from a number."""
    numbers_a_request: int = 1
    marker: str = DONE
    goals: dict[tuple[str, int], float] = field(default_factory=dict)
    """Least ratio of requests per second by yardstick and connections."""
    max_p99_ms: float | None = None
    """At the most connections."""
    max_cpu_us: float | None = None
    """Processor time of the server for a unit: a request, or a row of a list."""
    units_a_request: int = 1
    unit: str = "request"
    units: str = "requests"


def _lessons(dataset: DataSet, _first: int) -> list[str]:
    forms = [lesson_form(dataset.account, place) for place in dataset.places]
    return [request("addCourseClass", form) for form in forms]


def _lesson_batches(dataset: DataSet, _first: int) -> list[str]:
    requests = []
    for place in dataset.places:
        fields = lesson_fields(place)
        entries = [
            {**fields, "courseUniqueIdentity": f"{N}-{entry}"} for entry in range(BATCH_OF_CLASSES)
        ]
        classes = json.dumps(entries, ensure_ascii=False, separators=(",", ":"))
        form = {"courseId": str(place.course), "classJson": classes}
        requests.append(request("addCourseClassMultiple", {**signature(dataset.account), **form}))
    return requests


def _classrooms(dataset: DataSet, first: int) -> list[str]:
    """Return calls of the v2 wire, each signed over its whole body, of all schools in turn."""
    requests = []
    for number in range(first, first + CLASSROOMS):
        account, place = dataset.others[number % len(dataset.others)]
        now = SystemClock().now()
        body = {
            "courseId": place.course,
            "name": "数学 lesson",
            "teacherUid": place.teacher,
            "startTime": now + DAY,
            "endTime": now + DAY + HOUR,
            "seatNum": 7,
            "recordType": 0,
            "recordState": 1,
            "liveState": 1,
            "openState": 1,
            "uniqueIdentity": str(number),
        }
        requests.append(json_request("/lms/activity/createClass", account, body))
    return requests


def _newcomers(dataset: DataSet, _first: int) -> list[str]:
    forms = [
        {
            **signature(dataset.account),
            "courseId": str(place.course),
            "identity": "1",
            "studentUid": N,
        }
        for place in dataset.places
    ]
    return [request("addCourseStudent", form) for form in forms]


def _members(count: int) -> Callable[[DataSet, int], list[str]]:
    """Return what builds requests that remove so many students of a course each."""

    def build(dataset: DataSet, first: int) -> list[str]:
        requests = []
        for start in range(first, first + count * BATCHES[count], count):
            course = dataset.course_of(start)
            form = roster_form(
                dataset.account, course, {"studentUidJson": list(range(start, start + count))}
            )
            requests.append(request("delCourseStudentMultiple", form))
        return requests

    return build


def _singles(dataset: DataSet, _first: int) -> list[str]:
    forms = [
        roster_form(dataset.account, place.course, {"studentUidJson": []})
        for place in dataset.places
    ]
    return [request("delCourseStudentMultiple", {**f, "studentUidJson": f"[{N}]"}) for f in forms]


def _labels(dataset: DataSet, _first: int) -> list[str]:
    return [request("addCourseLabels", form) for form in label_forms(dataset)]


def label_forms(dataset: DataSet) -> list[dict[str, str]]:
    """Return forms that give labels to courses, one course each."""
    return [
        {
            **signature(dataset.account),
            "courseList": json.dumps([{"courseId": place.course, "labelIds": dataset.labels}]),
        }
        for place in dataset.places
    ]


def _clips(dataset: DataSet, _first: int) -> list[str]:
    return [request("deleteClassVideo", {**signature(dataset.account), "classId": N})]


def _edits(dataset: DataSet, _first: int) -> list[str]:
    return [
        request("editCourseClass", edit_form(dataset, number, N))
        for number in range(dataset.sizes.ahead)
    ]


def edit_form(dataset: DataSet, number: int, name: str) -> dict[str, str]:
    """Return a form that changes the name of a class of tomorrow, counted from 0."""
    return {
        **signature(dataset.account),
        "courseId": str(dataset.course_of_copy(number)),
        "classId": str(FIRST_AHEAD + number),
        "className": name,
    }


def _list(dataset: DataSet, _first: int) -> list[str]:
    return [
        (
            f"GET /admin/v1/classes?limit={LIST_ROWS} HTTP/1.1\r\nHost: localhost\r\n"
            f"Authorization: Bearer {dataset.token}\r\n\r\n"
        )
    ]


def _page(dataset: DataSet, _first: int) -> list[str]:
    return [f"GET {dataset.page} HTTP/1.1\r\nHost: localhost\r\n\r\n"]


CLASSROOMS = 1200
"""Requests of a run of createClass: of each school as many as the limit lets through."""
BATCHES = {100: 40, 1000: 16}
"""Requests of a run that remove so many students each."""
TWIN = {("thin", 1): 0.5, ("thin", 32): 0.5}
ROWS = (
    Row("addCourseClass", "addCourseClass", 500_000_000, _lessons, max_p99_ms=40),
    Row(
        f"addCourseClassMultiple of {BATCH_OF_CLASSES}",
        "addCourseClassMultiple",
        700_000_000,
        _lesson_batches,
        marker='"data":[{"data":',
        units_a_request=BATCH_OF_CLASSES,
        unit="class",
        units="classes",
    ),
    Row(
        f"createClass, {OTHERS} schools",
        "createClass",
        800_000_000,
        _classrooms,
        requests_in_all=CLASSROOMS,
        marker='"code":1,',
    ),
    Row("addCourseStudent", "addCourseStudent", FIRST_NEWCOMER, _newcomers, goals=TWIN),
    Row("editCourseClass", "editCourseClass", 600_000_000, _edits, goals=TWIN),
    Row("addCourseLabels", "addCourseLabels", 600_000_000, _labels, goals=TWIN),
    Row("deleteClassVideo", "deleteClassVideo", FIRST_OVER, _clips, goals=TWIN),
    Row(
        "delCourseStudentMultiple of 1",
        "delCourseStudentMultiple",
        FIRST_SINGLE,
        _singles,
        goals=TWIN,
    ),
    *(
        Row(
            f"delCourseStudentMultiple of {count:,}",
            "delCourseStudentMultiple",
            FIRST_MEMBER + offset,
            _members(count),
            connections=(1,),
            requests_in_all=BATCHES[count],
            numbers_a_request=count,
            goals=TWIN,
        )
        for count, offset in ((100, 0), (1000, 40_000))
    ),
    Row(
        LIST_OF_CLASSES,
        "",
        0,
        _list,
        connections=(1,),
        marker='"data":[{',
        max_cpu_us=30,
        units_a_request=LIST_ROWS,
        unit="row",
        units="rows",
    ),
    Row(LIVE_PAGE, "", 0, _page, connections=(1,), marker="<html", max_cpu_us=1000),
)
ADD_CLASS_GOALS: dict[str, dict[tuple[str, int], float]] = {
    "sqlite": {("thin", 32): 0.7, ("thin", 1): 0.7, ("tutorial", 32): 12},
    "postgresql": {
        ("thin", 32): 0.8,
        ("thin", 1): 0.4,
        ("batch", 32): 0.55,
        ("tutorial", 32): 12,
    },
}


def find_row(name: str) -> Row:
    """Return a row by its name."""
    return next(row for row in ROWS if row.name == name)


def list_goals(row: Row, engine: str, connections: int) -> dict[str, float]:
    """Return the least ratio to each yardstick."""
    goals = row.goals or (ADD_CLASS_GOALS[engine] if row.name == "addCourseClass" else {})
    return {name: goal for (name, at), goal in goals.items() if at == connections}
