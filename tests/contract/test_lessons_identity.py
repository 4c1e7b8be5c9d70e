"""Identities of classes: a repeated request returns the id of the class it made."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from homeroom.base.clock import DAY, HOUR
from homeroom.base.ids import LessonId
from tests.support.given import Given

CLIENTS = 100


def test_a_known_identity_answers_with_the_earlier_class_whatever_else_is_wrong_now(
    given: Given,
) -> None:
    form = given.lesson_form(courseUniqueIdentity="one", record=1, live=1)
    first = given.api.call("addCourseClass", **form)
    wrong = {"courseId": 10**9, "beginTime": 1, "endTime": 1, "seatNum": 99}
    again = given.api.call("addCourseClass", **{**form, **wrong, "teacherUid": 10**9})
    assert (again.errno, again.data) == (398, first.data)
    assert again.body["more_data"] == first.body["more_data"]
    assert again.body["more_data"]["live_info"]["RTMP"]
    assert again.body.keys() == {"data", "more_data", "error_info"}


def test_a_known_identity_is_known_before_an_account_that_leads_to_nobody(given: Given) -> None:
    form = given.lesson_form(courseUniqueIdentity="one")
    first = given.api.call("addCourseClass", **form)
    del form["teacherUid"]
    again = given.api.call("addCourseClass", **form, teacherAccount="nobody")
    assert (again.errno, again.data) == (398, first.data)


def test_a_repeat_shows_the_addresses_the_class_has_by_now(given: Given) -> None:
    course = given.course()
    form = given.lesson_form(course, courseUniqueIdentity="one")
    first = given.api.call("addCourseClass", **form)
    assert first.body["more_data"]["live_url"] == ""
    edited = given.done(
        "editCourseClass", courseId=course, classId=first.data, record=1, live=0, replay=0
    )
    again = given.api.call("addCourseClass", **form)
    assert again.errno == 398
    assert again.body["more_data"] == edited.body["more_data"]
    assert again.body["more_data"]["live_url"]


def test_an_identity_is_one_for_all_courses_of_a_school_and_another_schools_own(
    given: Given,
) -> None:
    first = given.lesson(courseUniqueIdentity="one")
    elsewhere = given.api.call("addCourseClass", **given.lesson_form(courseUniqueIdentity="one"))
    assert (elsewhere.errno, elsewhere.data) == (398, first)
    assert given.other().lesson(courseUniqueIdentity="one") != first


def test_an_identity_of_a_course_is_no_identity_of_a_class(given: Given) -> None:
    course = given.course(courseUniqueIdentity="one")
    given.lesson(course, courseUniqueIdentity="one")


def test_without_an_identity_equal_requests_make_equal_classes(given: Given) -> None:
    form = given.lesson_form(courseUniqueIdentity="")
    assert given.done("addCourseClass", **form).data != given.done("addCourseClass", **form).data


def test_an_identity_has_up_to_32_characters(given: Given) -> None:
    assert given.lesson(courseUniqueIdentity="一" * 32)
    too_long = given.api.call("addCourseClass", **given.lesson_form(courseUniqueIdentity="x" * 33))
    assert too_long.errno == 100
    assert too_long.reason.startswith("courseUniqueIdentity")


def test_deleting_a_class_frees_its_identity(given: Given) -> None:
    course = given.course()
    first = given.lesson(course, courseUniqueIdentity="one")
    given.done("delCourseClass", courseId=course, classId=first)
    assert given.lesson(course, courseUniqueIdentity="one") != first


def test_a_school_that_keeps_identities_never_uses_one_again(given: Given) -> None:
    given.plan(keep_identities=True)
    course = given.course()
    first = given.lesson(course, courseUniqueIdentity="one")
    assert given.api.call("delCourseClass", courseId=course, classId=first).errno == 823
    form = given.lesson_form(course, courseUniqueIdentity="one")
    again = given.api.call("addCourseClass", **form)
    assert (again.errno, again.data) == (398, first)


def test_deleting_a_class_without_identity_where_identities_are_kept_answers_1(
    given: Given,
) -> None:
    given.plan(keep_identities=True)
    course = given.course()
    given.done("delCourseClass", courseId=course, classId=given.lesson(course))


def test_a_refused_class_takes_no_identity(given: Given) -> None:
    form = given.lesson_form(courseUniqueIdentity="one")
    assert given.api.call("addCourseClass", **form, seatNum=13).errno == 259
    assert given.done("addCourseClass", **form).errno == 1


def test_a_hundred_clients_with_one_identity_make_one_class(given: Given) -> None:
    """Every answer carries the id or is 460, and a later repeat gives 398 with the same id."""
    course = given.course()
    form = given.lesson_form(course, courseUniqueIdentity="one", assistantUid=given.teacher())
    with ThreadPoolExecutor(CLIENTS) as pool:
        calls = [pool.submit(given.api.call, "addCourseClass", **form) for _ in range(CLIENTS)]
    replies = [call.result() for call in calls]
    counted = Counter(reply.errno for reply in replies)
    assert counted[1] == 1
    assert counted.keys() <= {1, 398, 460}
    ids = {reply.data for reply in replies if reply.errno != 460}
    again = given.api.call("addCourseClass", **form)
    assert (again.errno, {again.data}) == (398, ids)
    assert given.store.read(lambda uow: uow.quotas.count_lessons_of_course(course)) == 1


def test_a_request_unfinished_after_a_second_keeps_the_later_one_waiting_no_longer(
    given: Given,
) -> None:
    """The later one gets 460; a repeat after the first answer is 398."""
    form = given.lesson_form(courseUniqueIdentity="one")
    with given.unfinished("addCourseClass", **form):
        started = time.monotonic()
        late = given.api.call("addCourseClass", **form)
        waited = time.monotonic() - started
        other = given.api.call("addCourseClass", **{**form, "courseUniqueIdentity": "two"})
    assert late.errno == 460
    assert "data" not in late.body
    assert waited >= 0.9
    assert other.errno == 1
    again = given.api.call("addCourseClass", **form)
    assert again.errno == 398
    assert given.seen(again.data).identity == "one"


def test_a_request_that_gets_its_turn_within_a_second_learns_the_id(given: Given) -> None:
    form = given.lesson_form(courseUniqueIdentity="one")
    with given.unfinished("addCourseClass", 200, **form):
        late = given.api.call("addCourseClass", **form)
    assert late.errno == 398
    assert given.seen(late.data).identity == "one"


def test_an_identity_outlives_the_hour_of_its_class(given: Given) -> None:
    begin = given.now + DAY
    form = given.lesson_form(courseUniqueIdentity="one", beginTime=begin, endTime=begin + HOUR)
    first = LessonId(given.done("addCourseClass", **form).data)
    given.until(begin + DAY)
    again = given.api.call("addCourseClass", **form)
    assert (again.errno, again.data) == (398, first)
