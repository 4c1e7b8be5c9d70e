"""Adding several classes at once: the numbers of addCourseClassMultiple, and its rules (Q64)."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import pytest
from sqlalchemy import func, select

from homeroom.base.clock import DAY, HOUR
from homeroom.base.ids import CourseId, LessonId
from homeroom.contract.errno import Errno
from homeroom.contract.new_lessons import ADD_COURSE_CLASS_MULTIPLE
from homeroom.domain.schools import Plan, month_bounds
from homeroom.store.tables import course_teachers, lessons
from tests.contract.test_lessons import ADD_COURSE_CLASS_CASES
from tests.support.cases import Case, check_table, common
from tests.support.given import Given
from tests.support.tracing import traced
from tests.support.wire import Partner, Reply, Value

NAME: Final = ADD_COURSE_CLASS_MULTIPLE.name
Entry = dict[str, Any]


class EntryPartner(Partner):
    """Sends addCourseClass as the one entry of a batch, and returns the result of the entry."""

    def call(self, action: str, **fields: Value) -> Reply:
        """Call an action."""
        if action != "addCourseClass":
            return super().call(action, **fields)
        course = fields.pop("courseId")
        reply = super().call(NAME, courseId=course, classJson=[fields])
        if reply.errno != 1:
            return reply
        (entry,) = reply.data
        body = {name: entry[name] for name in ("data", "more_data") if name in entry}
        info = {"errno": entry["errno"], "error": entry["error"]}
        return Reply(reply.status, {**body, "error_info": info}, reply.headers)


def by_entries(act: Callable[[Given], Reply]) -> Callable[[Given], Reply]:
    """Return a case of addCourseClass in which classes are added by entries."""

    def act_by_entries(given: Given) -> Reply:
        school = given.school
        given.api.close()
        given.api = EntryPartner(given.house.url, school.id, school.secret, given.clock)
        return act(given)

    return act_by_entries


def entry_form(given: Given, **fields: Value) -> Entry:
    """Return an entry that can be added."""
    form = given.lesson_form(CourseId(0), **fields)
    del form["courseId"]
    return form


def add(given: Given, *entries: object, course: Value = None) -> Reply:
    """Call addCourseClassMultiple, for a new course unless one is named."""
    course = given.course() if course is None else course
    return given.api.call(NAME, courseId=course, classJson=list(entries))


def count_lessons(given: Given) -> int:
    """Return how many classes the school has."""
    query = select(func.count()).where(lessons.c.school_id == given.school.id)
    return int(given.rows(query.select_from(lessons))[0][0])


def twice(given: Given) -> Reply:
    entry = entry_form(given, courseUniqueIdentity="one")
    return add(given, entry, entry)


def while_another_is_at_it(given: Given) -> Reply:
    course = given.course()
    entry = entry_form(given, courseUniqueIdentity="one")
    with given.unfinished(NAME, courseId=course, classJson=[entry]):
        return add(given, entry, course=course)


def failing(errno: Errno) -> Callable[[Given], Reply]:
    """Return the act of an entry that fails by a fault."""

    def act(given: Given) -> Reply:
        given.fault(NAME, errno, in_entries=True)
        return add(given, entry_form(given))

    return act


OF_ENTRIES: Final = tuple(
    Case(case.errno, by_entries(case.act))
    for case in ADD_COURSE_CLASS_CASES
    if case.where == "top" and case.errno not in {102, 460}
)
"""What makes an errno of addCourseClass makes that of an entry, or of the course at the top."""
CASES: Final = (
    *common(ADD_COURSE_CLASS_MULTIPLE, courseId=1, classJson=[{}]),
    *OF_ENTRIES,
    Case(155, add),
    Case(155, lambda g: g.api.call(NAME, courseId=g.course(), classJson="no list")),
    Case(100, lambda g: add(g, entry_form(g), {}), "entry"),
    Case(133, twice, "entry"),
    Case(460, while_another_is_at_it, "entry"),
    Case(122, lambda g: add(g, entry_form(g, teacherAccount="12345")), "entry"),
    *(Case(e.number, failing(e), "entry") for e in ADD_COURSE_CLASS_MULTIPLE.entry_faults),
)


def test_the_table_has_every_number_of_the_action() -> None:
    check_table(ADD_COURSE_CLASS_MULTIPLE, CASES)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_add_course_class_multiple(given: Given, case: Case) -> None:
    case.run(given)


def test_entries_become_classes_in_their_order(given: Given) -> None:
    course, folder, helper = given.course(), given.folder(), given.teacher()
    first = entry_form(given, className="一" * 51, record=1, live=1, customColumn=7)
    second = entry_form(given, assistantUids=[helper], folderId=folder, seatNum=1, isHd=2)
    reply = add(given, first, second, course=course)
    assert (reply.errno, reply.errnos, reply.reason) == (1, [1, 1], "")
    first_row, second_row = reply.data
    assert (first_row["className"], first_row["customColumn"]) == ("一" * 50, "7")
    assert first_row["more_data"]["live_info"]["RTMP"].startswith("rtmp://")
    assert "customColumn" not in second_row
    assert second_row["more_data"] == {
        "live_url": "",
        "live_info": {"RTMP": "", "HLS": "", "FLV": ""},
    }
    assert first_row["data"] < second_row["data"]
    seen = given.seen(LessonId(second_row["data"]))
    assert (seen.course, seen.folder, seen.classroom.seats, seen.classroom.resolution) == (
        course,
        folder,
        1,
        2,
    )
    helpers = given.store.read(lambda uow: uow.class_roles.list_co_teachers(seen.id))
    assert helpers == (helper,)
    query = select(course_teachers.c.user_id).where(course_teachers.c.course_id == course)
    assert {row[0] for row in given.rows(query)} == {
        first["teacherUid"],
        second["teacherUid"],
        helper,
    }


def test_a_class_has_the_values_that_addcourseclass_gives_it(given: Given) -> None:
    course, teacher = given.course(), given.teacher()
    fields: dict[str, Value] = {
        "teacherUid": teacher,
        "record": 1,
        "recordScene": 1,
        "live": 1,
        "replay": 1,
        "teachMode": 2,
        "isAutoOnstage": 0,
        "seatNum": "",
        "classIntroduce": "课\n",
        "watchByLogin": 1,
        "allowUnloggedChat": 0,
        "omoStationBroadcast": 1,
        "folderId": "",
    }
    single = given.seen(given.lesson(course, **fields))
    reply = add(given, entry_form(given, **fields), course=course)
    batch = given.seen(LessonId(reply.data[0]["data"]))
    own = {"id", "key", "stream"}
    for name in single.__struct_fields__:
        if name not in own:
            assert getattr(batch, name) == getattr(single, name), name
    assert batch.stream is not None


def test_a_broken_entry_costs_the_caller_none_of_the_others(given: Given) -> None:
    good = entry_form(given)
    wrong = {**good, "seatNum": 13, "className": "x" * 51, "customColumn": "tag"}
    reply = add(given, wrong, good, "no entry", {"className": " late "}, {**good, "className": 5})
    assert (reply.errno, reply.errnos) == (1, [259, 1, 100, 100, 1])
    refused = [{k: v for k, v in row.items() if k != "error"} for row in reply.data]
    assert refused[0] == {"className": "x" * 50, "customColumn": "tag", "errno": 259}
    assert refused[2] == {"className": "", "errno": 100}
    assert refused[3] == {"className": "late", "errno": 100}
    assert reply.data[4]["className"] == "5"
    assert reply.reason == (
        "entry 1: seatNum: the school allows 12; entry 3: must be an object; "
        "entry 4: beginTime: is missing or empty"
    )
    assert count_lessons(given) == 2


def test_entries_past_the_fiftieth_are_dropped_and_the_reason_says_so(given: Given) -> None:
    entry = entry_form(given)
    reply = add(given, *[entry] * 52, {"className": "bad"})
    assert reply.errnos == [1] * 50
    assert reply.reason == "entries past the first 50 were dropped: 3"
    assert count_lessons(given) == 50


def test_an_identity_counts_once_whatever_became_of_its_first_entry(given: Given) -> None:
    entry = entry_form(given, courseUniqueIdentity="one")
    refused = {**entry, "seatNum": 99}
    malformed = {"courseUniqueIdentity": " two "}
    second = {**entry, "courseUniqueIdentity": "two"}
    reply = add(given, refused, entry, malformed, second, {**entry, "courseUniqueIdentity": 2})
    assert reply.errnos == [259, 133, 100, 133, 1]
    assert "courseUniqueIdentity is that of entry 1" in reply.reason
    assert count_lessons(given) == 1


def test_a_known_identity_answers_with_its_class(given: Given) -> None:
    entry = entry_form(given, courseUniqueIdentity="one", record=1, live=1)
    first = add(given, entry).data[0]
    again = add(given, {**entry, "className": "Other", "beginTime": 1, "seatNum": 99}, entry)
    assert again.errnos == [398, 133]
    existing = again.data[0]
    assert (existing["data"], existing["more_data"]) == (first["data"], first["more_data"])
    assert existing["className"] == "Other"
    assert again.data[1].keys() == {"className", "errno", "error"}
    single = given.api.call("addCourseClass", courseId=given.course(), **entry)
    assert (single.errno, single.data) == (398, first["data"])


def test_limits_count_entry_by_entry(given: Given) -> None:
    entry, course = entry_form(given), given.course()
    given.plan(max_course_classes=2)
    wrong = {**entry, "seatNum": 99}
    assert add(given, wrong, entry, entry, entry, wrong, course=course).errnos == [
        259,
        1,
        1,
        121601070,
        259,
    ]
    given.plan(max_course_classes=0, monthly_classes=3)
    assert add(given, entry, entry).errnos == [1, 121601003]


def test_hours_are_used_up_entry_by_entry_and_month_by_month(given: Given) -> None:
    _, this_month = month_bounds(given.now, Plan())
    given.until(this_month)
    _, next_month = month_bounds(given.now, Plan())
    given.plan(classroom_hours=2)
    entry = entry_form(given)
    later = {**entry, "beginTime": next_month, "endTime": next_month + HOUR}
    reply = add(given, entry, later, entry, {**entry, "seatNum": 99}, entry, later, later)
    assert reply.errnos == [1, 1, 1, 259, 121601002, 1, 121601002]
    assert all("data" in row for row in reply.data if row["errno"] != 259)


def test_a_warning_of_an_entry_comes_with_its_class(given: Given) -> None:
    given.plan(classroom_hours=1)
    end = given.now + DAY + 2 * HOUR
    entry = entry_form(given, live=1, classIntroduce="bell \a", endTime=end)
    reply = add(given, entry, {**entry, "live": 0}, {**entry, "live": 0, "classIntroduce": ""})
    assert (reply.errno, reply.errnos) == (1, [280, 824, 121601002])
    assert given.seen(reply.data[0]["data"]).introduction == ""


def test_the_course_expires_90_days_after_the_last_class(given: Given) -> None:
    course = given.course(expiryTime=given.now + 2 * DAY)
    ends = [given.now + days * DAY for days in (20, 40, 30)]
    entries = [entry_form(given, beginTime=end - HOUR, endTime=end) for end in ends]
    assert add(given, *entries, course=course).errnos == [1, 1, 1]
    row = given.store.read(lambda uow: uow.courses.get(course))
    assert row is not None
    assert row.expires_at == max(ends) + 90 * DAY


def test_a_teacher_may_be_named_by_account(given: Given) -> None:
    telephone = given.telephone()
    teacher = given.user(telephone=telephone, addToSchoolMember=2)
    by_account = entry_form(given, teacherAccount=telephone)
    reply = add(
        given,
        by_account,
        {**by_account, "teacherUid": given.teacher()},
        {**by_account, "teacherAccount": given.telephone()},
        {**by_account, "teacherAccount": "12000000000"},
    )
    assert reply.errnos == [1, 1, 136, 122]
    assert given.seen(reply.data[0]["data"]).teacher == teacher


def test_a_course_that_cannot_have_classes_is_refused_at_the_top(given: Given) -> None:
    entry = entry_form(given)
    before = count_lessons(given)
    for course in (given.other().course(), given.ended_course(), given.public_course()):
        assert "data" not in add(given, entry, course=course).body
    assert count_lessons(given) == before


def test_50_classes_take_as_many_statements_as_one(given: Given) -> None:
    given.plan(classroom_hours=10_000, max_course_classes=10_000, storage_mb=10_000)
    course = given.course(expiryTime=given.now + 2 * DAY)
    people = [given.teacher() for _ in range(4)]
    folder = given.folder()

    def entry(number: int) -> Entry:
        begin = given.now + number * DAY
        return entry_form(
            given,
            beginTime=begin,
            endTime=begin + HOUR,
            teacherUid=people[number % 4],
            assistantUids=[people[(number + 1) % 4], people[(number + 2) % 4]],
            folderId=folder,
            courseUniqueIdentity=f"class {number}",
            record=1,
        )

    counts = []
    for entries in ([entry(1)], [entry(number) for number in range(2, 52)]):
        with traced(given) as issued:
            assert set(add(given, *entries, course=course).errnos) == {1}
            counts.append(len(issued))
    assert counts[0] == counts[1] > 0


def test_calls_at_once_make_one_class_of_each_identity(given: Given) -> None:
    """A call waits for another that has one of its identities; none of them waits for ever."""
    course, teacher = given.course(), given.teacher()
    entries = [
        entry_form(given, teacherUid=teacher, courseUniqueIdentity=f"class {number}")
        for number in range(10)
    ]
    orders = [entries[place:] + entries[:place] for place in range(10)]

    def call(place: int) -> Reply:
        if place < len(orders):
            return add(given, *orders[place], course=course)
        form = entries[place - len(orders)]
        return given.api.call("addCourseClass", courseId=course, **form)

    with ThreadPoolExecutor(20) as clients:
        replies = list(clients.map(call, range(20)))
    errnos = [errno for reply in replies[:10] for errno in reply.errnos]
    errnos += [reply.errno for reply in replies[10:]]
    assert set(errnos) <= {1, 398, 460}
    assert errnos.count(1) == count_lessons(given) == 10
    assert set(add(given, *entries, course=course).errnos) == {398}


def test_limits_hold_between_calls_at_once(given: Given) -> None:
    course, teacher = given.course(), given.teacher()
    given.plan(max_course_classes=7)
    entry = entry_form(given, teacherUid=teacher)
    with ThreadPoolExecutor(4) as clients:
        replies = list(clients.map(lambda _: add(given, *[entry] * 3, course=course), range(4)))
    errnos = sorted(errno for reply in replies for errno in reply.errnos)
    assert errnos == [1] * 7 + [121601070] * 5
