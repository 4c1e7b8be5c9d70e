"""The demo school: reuse, repair, and demo content for any school."""

import pytest

from homeroom.base.clock import HOUR
from homeroom.base.ids import LessonId, SchoolId
from homeroom.base.keys import KeyGenerator, fingerprint
from homeroom.base.values import replace
from homeroom.domain.lessons import RecordingOptions
from homeroom.domain.lifecycle import OVERTIME_SECONDS, Phase
from homeroom.domain.schools import Plan
from homeroom.domain.streams import PublishTarget
from homeroom.domain.teachers import TeacherState
from homeroom.store.unit_of_work import Store, UnitOfWork
from homeroom.usecases import demo, operations, schools, teachers
from homeroom.usecases.demo import DemoContent, DemoSchool
from homeroom.usecases.dependencies import Dependencies
from tests.support.given import Given
from tests.support.wire import Partner

MEANS = Dependencies(KeyGenerator(), "pull key", 0)


@pytest.fixture
def store(given: Given) -> Store:
    return given.store


def find_demo(store: Store) -> DemoSchool:
    return store.write(lambda uow: demo.find_or_create(uow, MEANS))


def content(given: Given) -> DemoContent:
    sid = SchoolId(given.school.id)
    return given.store.write(lambda uow: demo.seed(uow, MEANS, sid))


def test_the_demo_school_is_made_once(store: Store) -> None:
    first, second = find_demo(store), find_demo(store)

    assert (second.school, second.demo) == (first.school, first.demo)
    assert second.token is None


def test_its_token_is_the_operators(given: Given) -> None:
    # Another test may have made the demo school: only the call that makes it returns the token.
    given.store.write(lambda uow: uow.server_state.save(demo.SCHOOL_KEY, "1"))

    token = find_demo(given.store).token

    assert token is not None
    kept = given.store.read(lambda uow: uow.tokens.find_by_fingerprint(fingerprint(token)))
    assert kept is not None
    assert kept.school is None


def test_where_nothing_carries_streams_its_classes_are_not_recorded(given: Given) -> None:
    sid, deps = SchoolId(given.school.id), replace(MEANS, video_works=lambda: False)
    made = given.store.write(lambda uow: demo.seed(uow, deps, sid))
    for lesson in made.lessons:
        seen = given.seen(lesson)
        assert (seen.recording, seen.stream) == (RecordingOptions(), None)


def test_a_class_can_be_added_to_it(given: Given) -> None:
    shown = find_demo(given.store)
    partner = Partner(given.house.url, shown.school.id, shown.school.secret, given.clock)

    reply = partner.call(
        "addCourseClass",
        courseId=shown.demo.courses[0],
        className="First",
        beginTime=shown.now + 3600,
        endTime=shown.now + 7200,
        teacherUid=shown.demo.teachers[0],
    )
    partner.close()

    assert reply.errno == 1


@pytest.mark.parametrize("spoilt", ["course", "account", "teacher"])
def test_it_is_made_usable_again_where_somebody_spoilt_it(store: Store, spoilt: str) -> None:
    before = find_demo(store)
    course, teacher = before.demo.courses[0], before.demo.teachers[0]

    def spoil(uow: UnitOfWork) -> None:
        if spoilt == "course":
            operations.delete_course(uow, course)
        elif spoilt == "account":
            operations.cancel_user(uow, teacher)
        else:
            uow.teachers.save_state(before.school.id, teacher, TeacherState.STOPPED)

    store.write(spoil)
    after = find_demo(store)

    assert after.school == before.school
    assert after.demo.courses != before.demo.courses
    assert after.demo.labels == before.demo.labels
    assert after.demo.folders == before.demo.folders
    assert find_demo(store).demo == after.demo


def test_a_given_school_is_seeded_and_can_be_tried_at_once(given: Given) -> None:
    seed = content(given)

    added = given.lesson(seed.courses[0], teacherUid=seed.teachers[0])
    stopped = given.api.call("stopUsingTeacher", teacherUid=seed.teachers[-1])
    removed = given.api.call(
        "delCourseStudentMultiple",
        courseId=seed.courses[0],
        identity=1,
        studentUidJson=seed.students[:2],
    )
    labelled = given.api.call(
        "addCourseLabels", CourseList=[{"CourseId": seed.courses[2], "labelIds": seed.labels}]
    )

    assert added > max(seed.lessons)
    assert stopped.errno == 1
    assert removed.errnos == [1, 1]
    assert labelled.errnos == [1]


def test_one_class_of_it_is_over_and_has_an_address(given: Given) -> None:
    seed = content(given)

    over = given.store.read(lambda uow: uow.lessons.get(seed.lessons[0]))

    assert over is not None
    assert over.is_over(given.now)
    assert over.stream is not None


def test_its_past_class_waits_for_a_clip_until_it_has_one(given: Given) -> None:
    seed = content(given)

    def unrecorded() -> LessonId | None:
        lesson = given.store.read(lambda uow: demo.find_unrecorded(uow, seed))
        return None if lesson is None else lesson.id

    assert unrecorded() == seed.lessons[0]
    given.clip(seed.lessons[0])
    assert unrecorded() is None


def test_schools_do_not_share_the_people_of_the_demo(given: Given) -> None:
    mine, others = content(given), content(given.other())

    people = [*mine.teachers, *mine.students]
    assert set(people).isdisjoint([*others.teachers, *others.students])
    assert len(set(people)) == len(people)


def test_it_may_be_seeded_again_whatever_the_plan_allows(given: Given) -> None:
    given.plan(
        max_labels=1, max_teachers=1, max_folders=1, monthly_classes=1, drive=False, max_seats=0
    )

    first, second = content(given), content(given)

    assert first.teachers == second.teachers
    assert first.labels == second.labels
    assert set(first.courses).isdisjoint(second.courses)
    assert Plan() != schools_plan(given)


def schools_plan(given: Given) -> Plan:
    return given.store.read(lambda uow: schools.get(uow, SchoolId(given.school.id)).plan)


def test_a_stopped_teacher_is_back_after_a_new_seed(given: Given) -> None:
    sid = SchoolId(given.school.id)
    seed = content(given)
    given.store.write(lambda uow: teachers.stop(uow, MEANS, sid, seed.teachers[2], None))

    content(given)

    given.done("stopUsingTeacher", teacherUid=seed.teachers[2])
    assert (
        given.store.read(lambda uow: uow.teachers.get_state(sid, seed.teachers[2]))
        is TeacherState.STOPPED
    )


# --- on the air -----------------------------------------------------------------------------------


def put_on_air(given: Given, shown: DemoSchool) -> PublishTarget:
    """Publish the stream of the demo's running class, as a server does at its start."""
    held = given.store.write(lambda uow: demo.put_on_air(uow, MEANS, shown)).on_air
    assert held is not None
    return held


def test_the_class_on_the_air_runs_already_and_is_shown(given: Given) -> None:
    shown = find_demo(given.store)

    lesson = put_on_air(given, shown).lesson

    assert shown.on_air is None
    assert lesson.phase(given.now) is Phase.RUNNING
    assert lesson.course == shown.demo.courses[0]
    assert lesson.recording == RecordingOptions(record=True, live=True, replay=True)
    assert lesson.introduction
    assert lesson.stream is not None


def test_another_class_waits_for_a_newcomer_to_go_live(given: Given) -> None:
    shown = find_demo(given.store)

    first = given.store.write(lambda uow: demo.put_on_air(uow, MEANS, shown))
    again = given.store.write(lambda uow: demo.put_on_air(uow, MEANS, shown))

    assert first.on_air is not None
    assert first.yours is not None
    assert first.yours.lesson.phase(given.now) is Phase.RUNNING
    assert first.yours.lesson.id != first.on_air.lesson.id
    assert again.yours == first.yours


def test_a_start_within_its_hours_keeps_it_and_a_later_one_makes_another(given: Given) -> None:
    shown = find_demo(given.store)
    first = put_on_air(given, shown)
    last_second = first.lesson.hours.end - given.now - 1

    given.clock.advance(last_second)
    again = put_on_air(given, shown)
    given.clock.advance(1)
    other = put_on_air(given, shown)

    assert again == first
    assert other.lesson.id > first.lesson.id
    assert other.lesson.hours.begin > first.lesson.hours.begin


@pytest.mark.parametrize("spoilt", ["deleted", "closed", "not recorded", "clock moved back"])
def test_another_is_made_where_the_kept_one_cannot_be_on_the_air(given: Given, spoilt: str) -> None:
    shown = find_demo(given.store)
    first = put_on_air(given, shown).lesson

    def spoil(uow: UnitOfWork) -> None:
        if spoilt == "deleted":
            uow.lessons.delete(first, uow.now, keeps_identity=False)
        elif spoilt == "closed":
            operations.close_lesson(uow, first.id)
        else:
            uow.lessons.save_recording([replace(first, recording=RecordingOptions())])

    if spoilt == "clock moved back":
        given.clock.advance(-HOUR)
    else:
        given.store.write(spoil)
        assert given.store.read(demo.get_on_air) is None

    assert put_on_air(given, shown).lesson.id > first.id


def test_it_is_on_the_air_to_the_end_of_overtime(given: Given) -> None:
    first = put_on_air(given, find_demo(given.store))

    given.clock.advance(first.lesson.hours.end + OVERTIME_SECONDS - given.now - 1)
    at_last = given.store.read(demo.get_on_air)
    given.clock.advance(1)

    assert at_last == first
    assert given.store.read(demo.get_on_air) is None
