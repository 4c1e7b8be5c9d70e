"""New classes: times, seats, texts, people and limits."""

from urllib.parse import urlsplit

import pytest

from homeroom.base.clock import DAY, HOUR, MINUTE, YEAR, Moment
from homeroom.base.ids import CourseId, UserId
from homeroom.domain.lessons import ClassroomSettings, Lesson
from homeroom.domain.schools import Plan, month_bounds
from tests.support.given import Given
from tests.support.wire import Reply, Value

UNKNOWN_ID = 10**9


def add(given: Given, **fields: Value) -> Reply:
    """Call addCourseClass for a class that can be added but for what is said."""
    return given.api.call("addCourseClass", **given.lesson_form(None, **fields))


def added(given: Given, **fields: Value) -> Lesson:
    """Add a class and return it as the store keeps it."""
    return given.seen(given.lesson(None, **fields))


def lasting(given: Given, begin: int, seconds: int) -> int:
    return add(given, beginTime=begin, endTime=begin + seconds).errno


def test_the_earliest_start_is_a_minute_from_now(given: Given) -> None:
    assert lasting(given, given.now + MINUTE, HOUR) == 1
    assert lasting(given, given.now + MINUTE - 1, HOUR) == 120


def test_the_latest_start_is_three_years_from_now(given: Given) -> None:
    assert lasting(given, given.now + 3 * YEAR, HOUR) == 1
    assert lasting(given, given.now + 3 * YEAR + 1, HOUR) == 268


@pytest.mark.parametrize(
    ("seconds", "errno"),
    [(899, 165), (900, 1), (86_400, 1), (86_401, 165), (0, 119), (-1, 119), (1, 165)],
)
def test_a_class_lasts_15_minutes_to_24_hours_and_ends_after_it_begins(
    given: Given, seconds: int, errno: int
) -> None:
    assert lasting(given, given.now + DAY, seconds) == errno


def test_twenty_minutes_around_a_class_may_touch_maintenance_but_not_overlap_it(
    given: Given,
) -> None:
    """READINGS Q37: the window is compared with the time from 20 minutes before to 20 after."""
    begins = given.now + 10 * DAY
    ends = begins + HOUR
    given.maintenance(begins, ends)
    margin = 20 * MINUTE
    assert lasting(given, begins - margin - HOUR, HOUR) == 1
    assert lasting(given, begins - margin - HOUR + 1, HOUR) == 454
    assert lasting(given, ends + margin, HOUR) == 1
    assert lasting(given, ends + margin - 1, HOUR) == 454
    assert lasting(given, begins - HOUR, DAY) == 454


@pytest.mark.parametrize(
    ("asked", "stage"),
    [
        ({}, ClassroomSettings(seats=6)),
        ({"seatNum": "", "isHd": "", "isDc": ""}, ClassroomSettings(seats=6)),
        ({"seatNum": " 6 "}, ClassroomSettings(seats=6)),
        ({"seatNum": 0}, ClassroomSettings(seats=0)),
        ({"seatNum": 12}, ClassroomSettings(seats=12)),
        ({"seatNum": 1, "isHd": 1}, ClassroomSettings(seats=1, resolution=1)),
        ({"seatNum": 6, "isHd": 2}, ClassroomSettings(seats=6, resolution=2)),
        ({"seatNum": 12, "isHd": 3}, ClassroomSettings(seats=12, resolution=0)),
        ({"seatNum": 12, "isHd": "full"}, ClassroomSettings(seats=12, resolution=0)),
        ({"seatNum": 1, "isDc": 3}, ClassroomSettings(seats=1, resolution=2, has_two_cameras=True)),
        ({"seatNum": 1, "isDc": 3, "isHd": 1}, ClassroomSettings(1, 2, has_two_cameras=True)),
        ({"seatNum": 6, "isDc": 1}, ClassroomSettings(seats=6)),
        ({"isAutoOnstage": 1}, ClassroomSettings(enters_off_stage=True)),
        ({"isAutoOnstage": 2}, ClassroomSettings(enters_off_stage=False)),
        (
            {"teachMode": 2, "isAutoOnstage": 0},
            ClassroomSettings(is_smart=True, enters_off_stage=True),
        ),
        ({"omoStationBroadcast": 1}, ClassroomSettings(is_broadcast=True)),
        ({"omoStationBroadcast": 2}, ClassroomSettings(is_broadcast=False)),
    ],
)
def test_the_stage_is_set_up_as_asked(
    given: Given, asked: dict[str, Value], stage: ClassroomSettings
) -> None:
    """READINGS Q10 and Q38: bad values of isHd and isDc count as 0, no seatNum as 6."""
    assert added(given, **asked).classroom == stage


def test_a_class_gets_the_seats_of_the_plan_where_these_are_fewer(given: Given) -> None:
    """READINGS Q54: a number that the caller did not send is no reason to refuse the class."""
    given.plan(max_seats=4)
    assert added(given).classroom.seats == 4
    assert added(given, seatNum="").classroom.seats == 4
    assert add(given, seatNum=6).errno == 259
    assert add(given, isHd=1).errno == 368
    given.plan(max_seats=1)
    assert added(given, isDc=3).classroom == ClassroomSettings(1, 2, has_two_cameras=True)


@pytest.mark.parametrize(
    ("asked", "errno"),
    [
        ({"seatNum": 13}, 259),
        ({"seatNum": -1}, 121601007),
        ({"seatNum": "6.5"}, 121601007),
        ({"seatNum": 0, "isHd": 1}, 368),
        ({"seatNum": 12, "isHd": 2}, 368),
        ({"seatNum": 13, "isHd": 2}, 259),
        ({"seatNum": 0, "isDc": 3}, 808),
        ({"seatNum": 6, "isDc": 3, "isHd": 2}, 808),
        ({"teachMode": 3}, 100),
    ],
)
def test_a_stage_that_cannot_be_is_refused(
    given: Given, asked: dict[str, Value], errno: int
) -> None:
    assert add(given, **asked).errno == errno


def test_a_school_may_have_more_seats_or_fewer(given: Given) -> None:
    given.plan(max_seats=15)
    assert added(given, seatNum=15).classroom.seats == 15
    given.plan(max_seats=0)
    assert added(given, seatNum=0).classroom.seats == 0
    assert add(given, seatNum=1).errno == 259


def test_a_name_is_cut_at_90_characters_and_never_empty(given: Given) -> None:
    assert added(given, className=" " + "课" * 91).name == "课" * 90
    assert add(given, className="  ").errno == 100


def test_an_introduction_is_cut_at_1000_characters(given: Given) -> None:
    assert added(given, classIntroduce="课\n" * 501).introduction == "课\n" * 500


def test_a_co_teacher_is_sent_in_one_of_two_forms(given: Given) -> None:
    one, two = given.teacher(), given.teacher()
    both = add(given, assistantUid=one, assistantUids=[two])
    assert both.errno == 100
    assert both.reason.startswith("assistantUid")

    def helping(**fields: Value) -> tuple[UserId, ...]:
        lesson = given.lesson(None, **fields)
        return given.store.read(lambda uow: uow.class_roles.list_co_teachers(lesson))

    assert helping(assistantUid=one) == (one,)
    assert helping(assistantUids=[two, one]) == (two, one)
    assert helping(assistantUids=[str(one), str(two)]) == (one, two)
    assert helping(assistantUids=f"['{one}', {two}]") == (one, two)
    assert helping(assistantUid="", assistantUids=[one]) == (one,)
    assert helping(assistantUid=one, assistantUids="") == (one,)
    assert helping(assistantUid="", assistantUids="[]") == ()
    assert helping(assistantUid=0) == ()
    assert add(given, assistantUids=str(one)).errno == 100


def test_a_teacher_may_be_named_by_account_and_the_uid_wins(given: Given) -> None:
    """READINGS Q15; an account that leads to nobody is 136, however it is spelled."""
    telephone = given.telephone()
    teacher = given.user(telephone=telephone, addToSchoolMember=2)
    by_mail = given.user(telephone="", email=f"t{telephone}@example.com", addToSchoolMember=2)
    assert added(given, teacherAccount=telephone).teacher == teacher
    assert added(given, teacherAccount=f"T{telephone}@Example.com").teacher == by_mail
    assert added(given, teacherAccount=telephone, teacherUid=by_mail).teacher == by_mail
    for nobody in (given.telephone(), "12345678900", "nobody", "a@b", "0086-13800000000"):
        assert add(given, teacherAccount=nobody).errno == 136
    neither = add(given, teacherAccount="")
    assert (neither.errno, neither.reason) == (100, "teacherUid: is missing or empty")


def test_a_teachers_name_is_accepted_and_ignored(given: Given) -> None:
    teacher = given.teacher()
    assert added(given, teacherUid=teacher, teacherName="Somebody else").teacher == teacher


def test_the_course_is_pushed_to_90_days_past_the_class_but_never_brought_forward(
    given: Given,
) -> None:
    """READINGS Q27; a course without an expiry stays without one."""

    def expiry(course: CourseId) -> Moment | None:
        held = given.store.read(lambda uow: uow.courses.get(course))
        assert held is not None
        return held.expires_at

    end = given.now + 40 * DAY
    soon = given.course(expiryTime=given.now + 2 * DAY)
    late = given.course(expiryTime=end + 91 * DAY)
    never = given.course()
    for course in (soon, late, never):
        given.lesson(course, beginTime=end - HOUR, endTime=end)
    assert expiry(soon) == end + 90 * DAY
    assert expiry(late) == end + 91 * DAY
    assert expiry(never) is None
    given.store.write(lambda uow: uow.courses.extend_expiry(soon, end))
    assert expiry(soon) == end + 90 * DAY


def test_a_class_without_a_folder_follows_its_course(given: Given) -> None:
    """No folder of its own is kept, so that a later folder of the course counts for it too."""
    folder = given.folder()
    assert added(given, folderId=folder).folder == folder
    assert added(given, folderId="").folder is None
    assert added(given, folderId=0).folder is None
    assert add(given, folderId=UNKNOWN_ID).errno == 160


def test_months_are_counted_in_the_schools_own_time(given: Given) -> None:
    """Midnight in Shanghai begins a month; in New York it is still the last day of the former."""
    _, next_month = month_bounds(given.now, Plan())
    given.until(next_month - 1)
    given.plan(monthly_classes=1)
    course = given.course()
    given.lesson(course)
    assert add(given, courseId=course).errno == 121601003
    given.until(next_month)
    given.plan(time_zone="America/New_York")
    assert add(given, courseId=course).errno == 121601003
    given.plan(time_zone="Asia/Shanghai")
    given.lesson(course)
    assert add(given, courseId=course).errno == 121601003


def test_a_deleted_class_was_created_all_the_same(given: Given) -> None:
    given.plan(monthly_classes=1)
    course = given.course()
    given.done("delCourseClass", courseId=course, classId=given.lesson(course))
    assert add(given, courseId=course).errno == 121601003


def test_a_course_takes_another_class_once_one_is_deleted(given: Given) -> None:
    given.plan(max_course_classes=1)
    course = given.course()
    lesson = given.lesson(course)
    assert add(given, courseId=course).errno == 121601070
    given.done("delCourseClass", courseId=course, classId=lesson)
    given.lesson(course)


def test_hours_are_used_up_by_the_classes_of_the_month_they_are_held_in(given: Given) -> None:
    """The class that goes over is created with the warning; deleted ones give their hours back."""
    _, this_month = month_bounds(given.now, Plan())
    given.until(this_month)
    _, next_month = month_bounds(given.now, Plan())
    given.plan(classroom_hours=2)
    course = given.course()
    first, _ = given.lesson(course), given.lesson(course)
    over = add(given, courseId=course)
    assert over.errno == 121601002
    assert over.body.keys() == {"data", "more_data", "error_info"}
    next_one = {"beginTime": next_month, "endTime": next_month + HOUR}
    assert given.api.call("addCourseClass", **given.lesson_form(course) | next_one).errno == 1
    for lesson in (first, over.data):
        given.done("delCourseClass", courseId=course, classId=lesson)
    given.lesson(course)


def test_an_answer_has_the_keys_of_the_contract_and_no_other(given: Given) -> None:
    """Some clients unwrap bodies by their keys: there are no others than the contract's."""
    reply = add(given, record=1)
    assert reply.body.keys() == {"data", "more_data", "error_info"}
    assert reply.body["more_data"].keys() == {"live_url", "live_info"}
    assert urlsplit(reply.body["more_data"]["live_url"]).path == "/live.php"


def test_the_warning_about_recording_comes_before_those_about_text_and_hours(given: Given) -> None:
    """280, 824 and 121601002 hold at once: the first is answered, and the class is there."""
    given.plan(classroom_hours=1)
    end = given.now + DAY + 2 * HOUR
    form = given.lesson_form(endTime=end, live=1, classIntroduce="bell \a")
    first = given.api.call("addCourseClass", **form)
    assert first.errno == 280
    assert given.seen(first.data).introduction == ""
    assert given.api.call("addCourseClass", **form | {"live": 0}).errno == 824
    mended = given.api.call("addCourseClass", **form | {"live": 0, "classIntroduce": "all well"})
    assert mended.errno == 121601002
    assert given.seen(mended.data).introduction == "all well"
