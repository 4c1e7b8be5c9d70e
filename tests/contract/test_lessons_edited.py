"""Edits of a class: what they change, until when, and what stays as it was."""

from typing import Final

import pytest

from homeroom.base.clock import DAY, HOUR, MINUTE
from homeroom.domain.lessons import Hours, RecordingOptions
from homeroom.domain.schools import Plan, month_bounds
from tests.support.given import Given
from tests.support.scheduled import TRIO, Scheduled
from tests.support.wire import Reply, Value

RECORDED: Final = RecordingOptions(record=True)
PHASES: Final = ("before", "soon", "running", "past_end", "over")
FROZEN: Final = (1, 350, 140, 140, 145)
"""What the last 20 minutes freeze, by phase."""
RECORDING: Final = (1, 283, 283, 283, 283)
"""Recording and live: their change fails, the rest of the edit is kept."""
PAGE: Final = (1, 1, 1, 1, 145)
"""What only the live page shows."""
TEACHERS: Final = (1, 1, 1, 385, 385)
BY_PHASE: Final[dict[str, tuple[dict[str, Value], tuple[int, ...]]]] = {
    "name": ({"className": "Another"}, FROZEN),
    "mode": ({"teachMode": 2}, FROZEN),
    "stage": ({"isAutoOnstage": 1}, FROZEN),
    "broadcast": ({"omoStationBroadcast": 1}, FROZEN),
    "replay": ({**TRIO, "replay": 1}, (1, 1, 1, 1, 1)),
    "live": ({**TRIO, "live": 1}, RECORDING),
    "scene": ({**TRIO, "recordScene": 1}, RECORDING),
    "recording off": ({**TRIO, "record": 0}, RECORDING),
    "introduction": ({"classIntroduce": "Bring a pen"}, PAGE),
    "audience": ({"watchByLogin": 1, "allowUnloggedChat": 0}, PAGE),
    "no co-teacher": ({"assistantUids": "[]"}, TEACHERS),
    "nothing": ({}, (1, 1, 1, 1, 1)),
}


def arrived(held: Scheduled, phase: str) -> Scheduled:
    """Let time pass until a class is in a phase."""
    if phase != "before":
        getattr(held, phase)()
    return held


@pytest.mark.parametrize("group", BY_PHASE)
def test_what_may_still_be_changed_depends_on_where_the_class_stands(
    given: Given, group: str
) -> None:
    """rules.yaml, class_edit_phases: before, in the last 20 minutes, running, overtime, over."""
    fields, errnos = BY_PHASE[group]
    lessons = [Scheduled(given, **TRIO) for _ in PHASES]
    seen = [
        arrived(held, phase).edit(**fields).errno
        for held, phase in zip(lessons, PHASES, strict=True)
    ]
    assert tuple(seen) == errnos


def test_times_and_folder_are_frozen_like_the_name(given: Given) -> None:
    folder = given.folder()
    lessons = [Scheduled(given) for _ in PHASES]
    for held, phase, errno in zip(lessons, PHASES, FROZEN, strict=True):
        arrived(held, phase)
        assert held.edit(endTime=held.begin + 2 * HOUR).errno == errno
        if phase != "before":
            assert held.move(DAY).errno == errno
            assert held.edit(folderId=folder).errno == errno


def test_teachers_may_change_until_the_scheduled_end(given: Given) -> None:
    """READINGS Q26: while the class runs too; 385 from the end on, overtime or not."""
    lessons = [Scheduled(given) for _ in PHASES]
    teacher = given.teacher()
    for held, phase, errno in zip(lessons, PHASES, TEACHERS, strict=True):
        arrived(held, phase)
        assert held.edit(teacherUid=teacher).errno == errno
        assert held.edit(assistantUid=given.teacher()).errno == errno


def test_the_last_second_of_each_phase_still_belongs_to_it(given: Given) -> None:
    held = Scheduled(given)
    margin = 20 * MINUTE
    for until, errno in (
        (held.begin - margin, 1),
        (held.begin - margin + 1, 350),
        (held.begin - 1, 350),
        (held.begin, 140),
        (held.begin + HOUR + margin - 1, 140),
        (held.begin + HOUR + margin, 145),
    ):
        given.until(until)
        assert held.edit(className="Another").errno == errno


def test_a_class_closed_early_is_over(given: Given) -> None:
    held = Scheduled(given).running()
    given.closed_early(held.lesson)
    assert held.edit(className="Another").errno == 145
    assert held.edit(teacherUid=given.teacher()).errno == 385


def test_replay_needs_recording_in_every_phase(given: Given) -> None:
    lessons = [Scheduled(given) for _ in PHASES]
    for held, phase in zip(lessons, PHASES, strict=True):
        assert arrived(held, phase).edit(record=0, live=0, replay=1).errno == 282
        assert held.seen.recording == RecordingOptions()


@pytest.mark.parametrize(
    ("part", "missing"),
    [
        ({"record": 1}, "live, replay"),
        ({"record": 1, "replay": ""}, "live"),
        ({"live": 1, "replay": 1}, "record"),
        ({"recordScene": 1}, "record, live, replay"),
    ],
    ids=str,
)
def test_recording_live_and_replay_count_only_together(
    given: Given, part: dict[str, Value], missing: str
) -> None:
    """READINGS Q52: sent in part they have no effect, and the rest of the edit is done."""
    held = Scheduled(given)
    reply = held.edit(className="Another", **part)
    detail = f"send record, live and replay together; {missing} did not come"
    assert (reply.errno, reply.reason) == (1, f"the recording stays as it is: {detail}")
    assert held.seen.name == "Another"
    assert held.seen.recording == RecordingOptions()


def test_a_switch_that_is_sent_empty_is_off(given: Given) -> None:
    held = Scheduled(given)
    assert held.edit(record=1, live=1, replay="").errno == 1
    assert held.seen.recording == RecordingOptions(record=True, live=True)
    reply = held.edit(record="", live="", replay="")
    assert (reply.errno, reply.reason) == (1, "")
    assert held.seen.recording == RecordingOptions(record=True, live=True)


def test_a_scene_that_is_not_sent_stays_as_it_is(given: Given) -> None:
    """READINGS Q29; so replay may change late although the scene is recorded."""
    held = Scheduled(given, record=1, recordScene=1).soon()
    assert held.edit(record=1, live=0, replay=1).errno == 1
    assert held.seen.recording == RecordingOptions(record=True, scene=True, replay=True)


def test_switching_recording_off_switches_off_what_stands_on_it(given: Given) -> None:
    held = Scheduled(given, record=1, recordScene=1, live=1, replay=1)
    assert held.edit(record=0, live=0, replay=0, recordScene=1).errno == 1
    assert held.seen.recording == RecordingOptions()


def test_a_change_of_recording_that_fails_leaves_the_rest_of_the_edit_done(given: Given) -> None:
    """282, 283 and 825 are warnings: they keep what was changed, and carry more_data."""
    held = Scheduled(given, record=1, classIntroduce="Bring a pen")
    late = Scheduled(given)
    wrong = held.edit(className="One", record=0, live=1, replay=0)
    assert (wrong.errno, held.seen.name, held.seen.recording) == (282, "One", RECORDED)
    text = held.edit(className="Two", classIntroduce="bell \a")
    assert (text.errno, held.seen.name, held.seen.introduction) == (825, "Two", "Bring a pen")
    both = held.edit(record=0, live=1, replay=0, classIntroduce="bell \a")
    assert both.errno == 282
    frozen = late.soon().edit(**TRIO, classIntroduce="Bring a pen")
    assert (frozen.errno, late.seen.introduction) == (283, "Bring a pen")
    for reply in (wrong, text, both, frozen):
        assert reply.body.keys() == {"more_data", "error_info"}


def test_a_full_storage_takes_no_new_recording_but_leaves_a_running_one_alone(
    given: Given,
) -> None:
    recorded, silent = Scheduled(given, **TRIO), Scheduled(given)
    given.plan(storage_mb=1)
    given.clip(recorded.lesson, bytes(1_000_000))
    assert silent.edit(**TRIO).errno == 284
    assert recorded.edit(record=1, live=1, replay=0).errno == 1


def test_what_is_not_sent_stays_as_it_is(given: Given) -> None:
    """READINGS Q29; empty values are values not sent, but for those that clear co-teachers."""
    folder = given.folder()
    held = Scheduled(
        given,
        folderId=folder,
        classIntroduce="Bring a pen",
        isAutoOnstage=1,
        omoStationBroadcast=1,
        watchByLogin=1,
        assistantUid=given.teacher(),
        **TRIO,
    )
    before, helpers = held.seen, held.co_teachers
    empties = ("className", "teacherUid", "folderId", "classIntroduce", "isAutoOnstage", "record")
    assert held.edit(**dict.fromkeys(empties, "")).errno == 1
    assert held.edit(folderId=0, teacherUid=0, watchByLogin="x", omoStationBroadcast=2).errno == 1
    assert held.edit().errno == 1
    assert (held.seen, held.co_teachers) == (before, helpers)


def test_a_name_is_cut_at_50_characters_and_an_introduction_at_1000(given: Given) -> None:
    held = Scheduled(given)
    assert held.edit(className="课" * 51, classIntroduce="介" * 1001).errno == 1
    assert (held.seen.name, held.seen.introduction) == ("课" * 50, "介" * 1000)


def test_an_end_may_be_moved_alone_but_a_start_only_with_its_end(given: Given) -> None:
    held = Scheduled(given)
    assert held.edit(endTime=held.begin + 2 * HOUR).errno == 1
    assert held.seen.hours == Hours(held.begin, held.begin + 2 * HOUR)
    assert held.edit(beginTime=held.begin + HOUR).errno == 100
    assert held.edit(endTime=held.begin).errno == 119


def test_a_class_may_be_moved_to_a_minute_from_now(given: Given) -> None:
    held = Scheduled(given)
    begin = given.now + MINUTE
    assert held.edit(beginTime=begin - 1, endTime=begin + HOUR).errno == 120
    assert held.edit(beginTime=begin, endTime=begin + 15 * MINUTE).errno == 1
    assert held.seen.hours == Hours(begin, begin + 15 * MINUTE)


def test_moving_a_class_pushes_the_expiry_of_its_course(given: Given) -> None:
    held = Scheduled(given)
    given.done("editCourse", courseId=held.course, expiryTime=given.now + 2 * DAY)
    held.edit(className="Another")
    end = held.begin + DAY
    held.edit(beginTime=end - HOUR, endTime=end)
    course = given.store.read(lambda uow: uow.courses.get(held.course))
    assert course is not None
    assert course.expires_at == end + 90 * DAY


def test_a_plan_that_lost_something_is_asked_for_what_is_sent_and_for_all_when_times_change(
    given: Given,
) -> None:
    held = Scheduled(given, record=1, live=1, replay=1, assistantUid=given.teacher())
    given.plan(live=False, replay=False, co_teachers=False)

    def moved(**fields: Value) -> Reply:
        return held.move(**fields)

    assert held.edit(className="Another").errno == 1
    assert held.edit(record=1, live=0, replay=1).errno == 121601009
    assert moved().errno == 121601005
    assert moved(**TRIO).errno == 121601008
    assert moved(**TRIO, assistantUid="").errno == 1


def test_a_full_month_stops_no_move_but_one_that_the_plan_has_become_too_small_for(
    given: Given,
) -> None:
    """An edit creates no class, whichever month its own class was created in."""
    _, coming_month = month_bounds(given.now, Plan())
    _, next_month = month_bounds(coming_month, Plan())
    given.until(next_month - 10 * DAY)
    older = Scheduled(given)
    older.edit(beginTime=next_month + DAY, endTime=next_month + DAY + HOUR)
    given.until(next_month)
    given.plan(monthly_classes=2)
    newer = [Scheduled(given), Scheduled(given)]
    assert older.move(20 * DAY).errno == 1
    assert newer[0].move().errno == 1
    given.plan(monthly_classes=1)
    assert older.move(20 * DAY).errno == 121601003
    assert older.edit(className="Another").errno == 1


def test_a_smart_classroom_keeps_students_off_stage(given: Given) -> None:
    held = Scheduled(given)
    assert held.edit(teachMode=2, isAutoOnstage=0).errno == 1
    assert (held.seen.classroom.is_smart, held.seen.classroom.enters_off_stage) == (True, True)
    assert held.edit(isAutoOnstage=0).errno == 372
    assert held.edit(teachMode=1, isAutoOnstage=0).errno == 1
    assert (held.seen.classroom.is_smart, held.seen.classroom.enters_off_stage) == (False, False)
    assert held.edit(teachMode=3).errno == 100


def test_a_class_of_an_expired_course_may_be_edited_still(given: Given) -> None:
    """READINGS Q49: 153 only where it is listed, and editCourseClass does not list it."""
    held = Scheduled(given)
    given.set_course(held.course, expires_at=given.now)
    assert held.edit(className="Another").errno == 1


def test_a_class_of_a_deleted_course_is_deleted(given: Given) -> None:
    held = Scheduled(given)
    given.set_course(held.course, deleted_at=given.now)
    assert held.edit(className="Another").errno == 212


def test_a_course_that_nobody_has_is_not_in_the_school_either(given: Given) -> None:
    """The action knows no 147."""
    assert Scheduled(given).edit(courseId=10**9).errno == 144
