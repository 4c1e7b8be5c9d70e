"""What a call sends in vain is named: unknown fields, texts for files (READINGS Q53, Q55, Q56)."""

import pytest

from homeroom.contract.action import APIPath
from tests.support.given import Given
from tests.support.wire import Value

MANY = 30


def test_unknown_names_are_listed_with_the_one_that_is_near(given: Given) -> None:
    form = given.lesson_form(None, asistantUid=1, RECORD=1, nothing="", teacherName="T")
    reply = given.api.call("addCourseClass", **form)
    assert reply.errno == 1
    assert reply.ignored == "asistantUid (assistantUid), RECORD (record), nothing"
    assert given.seen(reply.data).recording.record is False


def test_a_call_of_documented_names_has_no_such_header(given: Given) -> None:
    reply = given.api.call("addCourseClass", **given.lesson_form(None, teacherName="T"))
    assert (reply.errno, reply.ignored, reply.reason) == (1, "", "")


def test_names_in_entries_are_listed_with_their_place(given: Given) -> None:
    course = given.course()
    trio = {"record": 1, "live": 0, "replay": 0}
    entries = [{"classId": given.lesson(course), **trio, **more} for more in ({}, {"liv": 1})]
    reply = given.api.call("setClassVideoMultiple", courseId=course, classJson=entries, list=1)
    assert (reply.errnos, reply.ignored) == ([1, 1], "list, classJson[2].liv (live)")


def test_a_refused_call_lists_them_too(given: Given) -> None:
    reply = given.api.call("addCourse", corseName="Algebra")
    assert (reply.errno, reply.reason) == (100, "courseName: is missing or empty")
    assert reply.ignored == "corseName (courseName)"


def test_the_list_has_an_end_and_is_ascii(given: Given) -> None:
    fields: dict[str, Value] = {f"代{place}": "" for place in range(MANY)}
    reply = given.api.call("addCourse", courseName="Algebra", **fields)
    assert reply.errno == 1
    assert reply.ignored.count(",") == 19
    assert reply.ignored.startswith("\\u4ee30, \\u4ee31")


@pytest.mark.parametrize(
    ("action", "fields"),
    [
        ("register", {"md5pass": "0" * 32}),
        ("addTeacher", {"teacherName": "T"}),
        ("addCourse", {"courseName": "Algebra"}),
    ],
)
def test_a_text_in_a_file_field_is_no_file(
    given: Given, action: str, fields: dict[str, Value]
) -> None:
    """READINGS Q56: the printed samples send the name of a file."""
    if action == "register":
        fields = {**fields, "telephone": given.telephone()}
    if action == "addTeacher":
        fields = {**fields, "teacherUid": given.user()}
    reply = given.api.call(action, **fields, Filedata="@~/photo.jpg")
    assert reply.errno == 1
    assert reply.reason == "Filedata: a text is no file, and had no effect"
    empty = given.api.call("addCourse", courseName="Algebra", Filedata="")
    assert (empty.errno, empty.reason) == (1, "")


def test_a_refused_list_names_entry_and_field(given: Given) -> None:
    """READINGS Q55."""
    users = [{"telephone": given.telephone(), "md5pass": "0" * 32} for _ in range(3)]
    users[2] = {"telephone": given.telephone()}
    reply = given.api.call("registerMultiple", userJson=users)
    assert (reply.errno, reply.reason[:22]) == (100, "userJson[3].password: ")
    reply = given.api.call("registerMultiple", userJson=[*users[:1], 7])
    assert (reply.errno, reply.reason) == (100, "userJson[2]: must be an object")


@pytest.mark.parametrize(
    ("path", "action", "end"),
    [
        (APIPath.COURSE, "addcourseclass", "; did you mean addCourseClass?"),
        (APIPath.COURSE, "addCourseClas", "; did you mean addCourseClass?"),
        (APIPath.COURSE, "createFolder", f"; send it to {APIPath.CLOUD}"),
        (APIPath.CLOUD, "create_folder", "; did you mean createFolder?"),
        (APIPath.COURSE, "noSuchAction", "none named 'noSuchAction' here"),
    ],
)
def test_an_unknown_action_has_a_hint(given: Given, path: APIPath, action: str, end: str) -> None:
    response = given.api.post_to(path, action, data=given.api.signed())
    assert (response.errno, response.reason[-len(end) :]) == (100, end)


def test_reasons_name_the_time_and_the_object_that_decided(given: Given) -> None:
    course, teacher = given.course(), given.teacher()
    begins = given.now + 3600
    lesson = given.lesson(
        course, teacherUid=teacher, beginTime=begins, endTime=begins + 3600, record=1
    )
    reason = given.api.call("deleteClassVideo", classId=lesson).reason
    assert reason.startswith(f"class {lesson} is not over until 20")
    assert reason.endswith(" UTC")
    stop = given.api.call("stopUsingTeacher", teacherUid=teacher)
    assert (stop.errno, stop.reason) == (317, f"class {lesson} is not over")
    head = given.teacher()
    its_course = given.course(mainTeacherUid=head, courseUniqueIdentity="one")
    stop = given.api.call("stopUsingTeacher", teacherUid=head)
    assert (stop.errno, stop.reason) == (339, f"course {its_course} has this head teacher")
    again = given.api.call("addCourse", courseName="Again", courseUniqueIdentity="one")
    assert (again.errno, again.reason) == (398, f"course {its_course} has this identity")
    given.done("endCourse", courseId=its_course)
    late = given.api.call("editCourse", courseId=its_course, courseName="Late")
    assert late.reason.startswith(f"course {its_course} was ended at ")
