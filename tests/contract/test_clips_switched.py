"""setClassVideoMultiple: what it switches, when it may, and what each entry answers."""

from typing import Any

import pytest

from homeroom.base.clock import DAY, HOUR
from homeroom.base.ids import CourseId, LessonId, SchoolId
from homeroom.domain.lessons import Hours, NewLesson, RecordingOptions
from homeroom.store.lesson_rows import NewLessonRow
from homeroom.store.unit_of_work import UnitOfWork
from tests.support.given import Given
from tests.support.scheduled import TRIO, Scheduled
from tests.support.tracing import traced
from tests.support.wire import Reply, Value

NOWHERE = {"live_url": "", "live_info": {"RTMP": "", "HLS": "", "FLV": ""}}
"""What more_data is of a class that is shown nowhere (READINGS Q9)."""
UNKNOWN_ID = 10**9
"""An id that nothing has."""


def switch(given: Given, course: CourseId, *entries: object) -> Reply:
    """Call setClassVideoMultiple with some entries."""
    return given.api.call("setClassVideoMultiple", courseId=course, classJson=list(entries))


def entry_of(held: Scheduled, **switches: Value) -> dict[str, Any]:
    """Switch one class and return its entry in the answer."""
    reply = switch(held.given, held.course, {"classId": held.lesson, **switches})
    assert reply.errno == 1
    entry: dict[str, Any] = reply.data[-1]
    return entry


def test_entries_are_judged_alone_and_answered_in_order(given: Given) -> None:
    """The top says 1 although some fail; more_data is an object in every one (READINGS Q2, Q9)."""
    held = Scheduled(given)
    other = given.lesson(held.course)
    reply = switch(
        given,
        held.course,
        {"classId": UNKNOWN_ID, **TRIO, "customColumn": "first"},
        {"classId": held.lesson, **TRIO},
        {"classId": given.lesson(), **TRIO},
        {"classId": other, "record": 0, "live": 1, "replay": 0},
    )
    assert reply.errno == 1
    assert reply.errnos == [143, 1, 142, 251]
    assert reply.body.keys() == {"data", "error_info"}
    assert reply.data[0].keys() == {"customColumn", "more_data", "errno", "error"}
    assert all(entry.keys() == {"more_data", "errno", "error"} for entry in reply.data[1:])
    shown = [bool(entry["more_data"]["live_url"]) for entry in reply.data]
    assert shown == [False, True, False, False]
    assert all(entry["more_data"].keys() == NOWHERE.keys() for entry in reply.data)
    assert held.seen.recording == RecordingOptions(record=True)
    assert given.seen(other).recording == RecordingOptions()


def test_an_id_is_read_in_both_spellings(given: Given) -> None:
    held = Scheduled(given)
    lower = {"classid": str(held.lesson), **TRIO}
    assert switch(given, held.course, lower).errnos == [1]
    both = {"classid": UNKNOWN_ID, "classId": held.lesson, **TRIO}
    assert switch(given, held.course, both).errnos == [1]


def test_a_custom_column_comes_back_as_text_and_is_left_out_when_empty(given: Given) -> None:
    held = Scheduled(given)
    sent = ("课 1", 7, "x" * 51, " a ", 0, 1.5, "", None, True, [1], {"a": 1})
    reply = switch(
        given, held.course, *({"classId": held.lesson, "customColumn": one} for one in sent)
    )
    assert [entry.get("customColumn", "-") for entry in reply.data] == [
        *("课 1", "7", "x" * 50, " a ", "0", "1.5"),
        *("-", "-", "-", "-", "-"),
    ]


@pytest.mark.parametrize(
    ("part", "missing"),
    [
        ({"record": 1}, "live, replay"),
        ({"record": 1, "replay": ""}, "live"),
        ({"live": 1, "replay": 1}, "record"),
        ({"recordScene": 1}, "record, live, replay"),
        ({"recordScene": 1, "record": "", "live": "", "replay": ""}, "record, live, replay"),
    ],
    ids=str,
)
def test_recording_live_and_replay_count_only_together(
    given: Given, part: dict[str, Value], missing: str
) -> None:
    """READINGS Q52: an incomplete set is refused before its class is looked up."""
    held = Scheduled(given, record=1)
    before = held.seen
    for lesson in (held.lesson, UNKNOWN_ID):
        reply = switch(given, held.course, {"classId": lesson, **part, "watchByLogin": 1})
        assert (reply.errno, reply.errnos) == (1, [100])
        reason = f"send record, live and replay together; {missing} did not come"
        assert reply.reason == f"entry 1: {reason}"
    assert held.seen == before


def test_a_switch_that_is_sent_empty_is_off(given: Given) -> None:
    """READINGS Q52: the sample of the documentation sends live and replay empty."""
    held = Scheduled(given)
    assert entry_of(held, record="1", live="", replay="")["errno"] == 1
    assert held.seen.recording == RecordingOptions(record=True)


def test_three_empty_switches_ask_for_nothing(given: Given) -> None:
    held = Scheduled(given, record=1, live=1)
    empty = {"record": "", "live": "", "replay": "", "recordScene": ""}
    assert entry_of(held, **empty, watchByLogin=1)["errno"] == 1
    assert held.seen.recording == RecordingOptions(record=True, live=True)
    assert held.seen.watch_policy.watch_by_login is True
    assert entry_of(held, record=0, live=0, replay=0)["errno"] == 1
    assert held.seen.recording == RecordingOptions()


def test_a_scene_that_is_not_sent_stays_as_it_is(given: Given) -> None:
    held = Scheduled(given, record=1, recordScene=1)
    assert entry_of(held, **TRIO)["errno"] == 1
    assert held.seen.recording == RecordingOptions(record=True, scene=True)
    assert entry_of(held, **TRIO, recordScene=0)["errno"] == 1
    assert held.seen.recording == RecordingOptions(record=True)


def test_a_scene_needs_recording(given: Given) -> None:
    held = Scheduled(given)
    assert entry_of(held, record=0, live=0, replay=0, recordScene=1)["errno"] == 1
    assert held.seen.recording == RecordingOptions()


def test_from_20_minutes_before_the_start_only_replay_may_change_and_only_when_recorded(
    given: Given,
) -> None:
    phases = ("soon", "running", "past_end", "over")
    lessons = [(Scheduled(given, **TRIO), Scheduled(given)) for _ in phases]
    for (recorded, silent), phase in zip(lessons, phases, strict=True):
        getattr(recorded, phase)()
        assert entry_of(recorded, **TRIO | {"live": 1})["errno"] == 252
        assert entry_of(recorded, **TRIO, recordScene=1)["errno"] == 252
        assert entry_of(recorded, **TRIO | {"record": 0})["errno"] == 252
        assert entry_of(recorded, **TRIO | {"replay": 1})["errno"] == 1
        assert entry_of(recorded, **TRIO)["errno"] == 1
        assert entry_of(silent, **TRIO)["errno"] == 252
        assert entry_of(silent, record=0, live=0, replay=1)["errno"] == 251
        assert entry_of(silent, record=0, live=0, replay=0)["errno"] == 1
        assert entry_of(silent, watchByLogin=1, allowUnloggedChat=0)["errno"] == 1


def test_switching_repairs_a_class_that_was_made_with_wrong_switches(given: Given) -> None:
    """The way out of a 280 that the contract recommends; the pull addresses come with live."""
    course = given.course()
    made = given.api.call("addCourseClass", **given.lesson_form(course, live=1))
    assert made.errno == 280
    repaired = switch(given, course, {"classId": made.data, "record": 1, "live": 1, "replay": 0})
    assert repaired.errnos == [1]
    bound = repaired.data[0]["more_data"]
    assert bound["live_info"]["FLV"]
    off = switch(given, course, {"classId": made.data, "record": 0, "live": 0, "replay": 0})
    assert off.data[0]["more_data"] == NOWHERE
    again = switch(given, course, {"classId": made.data, **TRIO})
    assert again.data[0]["more_data"] == bound


def test_a_class_listed_twice_is_switched_twice_in_order(given: Given) -> None:
    held = Scheduled(given)
    one = {"classId": held.lesson}
    reply = switch(
        given,
        held.course,
        {**one, "record": 1, "live": 1, "replay": 0},
        {**one, "record": 0, "live": 1, "replay": 0},
        {**one, **TRIO, "replay": 1},
    )
    assert reply.errnos == [1, 251, 1]
    assert held.seen.recording == RecordingOptions(record=True, replay=True)
    assert reply.data[0]["more_data"] == reply.data[2]["more_data"]


def test_a_full_storage_takes_no_new_recording_but_leaves_the_others_alone(given: Given) -> None:
    recorded, silent = Scheduled(given, **TRIO), Scheduled(given)
    given.plan(storage_mb=1)
    given.clip(recorded.lesson, bytes(1_000_000))
    assert entry_of(silent, **TRIO)["errno"] == 253
    assert entry_of(recorded, record=1, live=1, replay=1)["errno"] == 1


@pytest.mark.parametrize(
    ("sent", "errno"),
    [
        ("[]", 155),
        ("", 100),
        ("none", 155),
        ("{}", 155),
        ("[1]", 100),
        ('[{"classId": "x"}]', 100),
        ('[{"classId": 0}]', 100),
        ("[{}]", 100),
    ],
)
def test_a_list_that_is_none_is_155_and_one_with_a_wrong_entry_100(
    given: Given, sent: str, errno: int
) -> None:
    course = given.course()
    reply = given.api.call("setClassVideoMultiple", courseId=course, classJson=sent)
    assert reply.errno == errno
    assert "data" not in reply.body


def test_classes_of_an_ended_course_may_be_switched_still(given: Given) -> None:
    """READINGS Q49: 153 only where it is listed."""
    held = Scheduled(given, **TRIO).running().over()
    given.done("endCourse", courseId=held.course)
    assert entry_of(held, **TRIO | {"replay": 1})["errno"] == 1


def lessons_of(given: Given, course: CourseId, many: int) -> list[LessonId]:
    """Make many classes at once."""
    teacher = given.teacher()
    hours = Hours(given.now + DAY, given.now + DAY + HOUR)

    def add(uow: UnitOfWork) -> list[LessonId]:
        home = uow.courses.get(course)
        assert home is not None
        new = NewLesson("Class", hours)
        keys = (f"{given.school.id:08x}{place:08x}" for place in range(many))
        rows = [NewLessonRow(new, teacher, key, None) for key in keys]
        return [lesson.id for lesson in uow.lessons.add_all([(home, row) for row in rows], uow.now)]

    return given.store.write(add, SchoolId(given.school.id))


def test_300_classes_take_as_many_statements_as_one(given: Given) -> None:
    course = given.course()
    lessons = lessons_of(given, course, 301)
    given.plan(storage_mb=1)
    entries = [{"classId": one, "record": 1, "live": 1, "replay": 1} for one in lessons]
    with traced(given) as issued_for_one:
        assert switch(given, course, entries[0]).errnos == [1]
    with traced(given) as issued_for_many:
        reply = switch(given, course, *entries[1:])
    assert reply.errnos == [1] * 300
    assert len(issued_for_one) == len(issued_for_many) > 0
    streams = {entry["more_data"]["live_info"]["RTMP"] for entry in reply.data}
    assert len(streams) == 300
    assert given.seen(lessons[-1]).recording == RecordingOptions(
        record=True, live=True, replay=True
    )


def test_a_thousand_entries_are_taken_and_one_more_is_not(given: Given) -> None:
    held = Scheduled(given)
    entries = [{"classId": held.lesson}] * 1000
    assert set(switch(given, held.course, *entries).errnos) == {1}
    assert switch(given, held.course, *entries, entries[0]).errno == 100
