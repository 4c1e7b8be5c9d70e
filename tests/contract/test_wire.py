"""The v1 wire: what is understood however clients spell it, and what every answer looks like."""

import json
from typing import Any, Final
from urllib.parse import quote, quote_plus, urlencode

import httpx
import pytest
from sqlalchemy import select

from homeroom.base.ids import CourseId
from homeroom.contract.action import Action, APIPath
from homeroom.contract.catalogue import ACTIONS
from homeroom.domain.lessons import ClassroomSettings, RecordingOptions
from homeroom.store.tables import courses
from tests.support.given import Given
from tests.support.raw import COURSE, MULTIPART, every_byte, head, multipart, sent
from tests.support.wire import Reply

V1_ACTIONS: Final = [action for action in ACTIONS if not action.is_v2]
NAME: Final = "代数 + 几何 & 100%"
LENGTHS: Final = "Content-Length: {length}\r\n"
TYPES: Final = "Content-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: 8bit\r\n"


def name_of(given: Given, course: CourseId) -> str:
    """Return a course's name as it was stored."""
    return str(given.rows(select(courses.c.name).where(courses.c.id == course))[0][0])


def added(given: Given, body: bytes, target: str = f"{COURSE}?action=addCourse") -> Reply:
    """Send addCourse as a body of bytes, with credentials in front."""
    return sent(given.house.url, urlencode(given.api.signed()).encode() + b"&" + body, target)


# --- bodies ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "spelled",
    [
        quote_plus(NAME).encode(),
        quote(NAME).encode(),
        quote(NAME).lower().encode(),
        NAME.replace("+", "%2B").replace("&", "%26").replace("100%", "100%25").encode(),
        b"".join(f"%{byte:02X}".encode() for byte in NAME.encode()),
    ],
    ids=["plus", "percent", "lower", "raw", "all"],
)
@pytest.mark.parametrize("end", [b"", b"&", b"&&"])
def test_urlencoded_values(given: Given, spelled: bytes, end: bytes) -> None:
    reply = added(given, b"courseName=" + spelled + end)
    assert reply.errno == 1
    assert name_of(given, reply.data) == NAME


@pytest.mark.parametrize("more", ["", LENGTHS, TYPES, LENGTHS + TYPES])
def test_multipart_values(given: Given, more: str) -> None:
    body = multipart(given.api.signed(courseName=NAME), more=more)
    reply = sent(given.house.url, body, f"{COURSE}?action=addCourse", content_type=MULTIPART)
    assert reply.errno == 1, reply.reason
    assert name_of(given, reply.data) == NAME


@pytest.mark.parametrize("action", V1_ACTIONS, ids=lambda action: action.name)
@pytest.mark.parametrize("query", [True, False], ids=["query", "body"])
def test_every_action_takes_both_encodings(
    given: Given, action: Action[Any, Any], *, query: bool
) -> None:
    target = f"{action.v1.path}?action={action.name}" if query else str(action.v1.path)
    form = given.api.signed() if query else given.api.signed(action=action.name)
    plain = sent(given.house.url, urlencode(form).encode(), target)
    parts = multipart(form, more=LENGTHS)
    again = sent(given.house.url, parts, target, content_type=MULTIPART)
    assert again.errno == plain.errno
    assert again.reason == plain.reason
    assert plain.errno != 102
    assert "action" not in plain.reason


def test_content_type_may_be_missing_or_say_more(given: Given) -> None:
    body = urlencode(given.api.signed(courseName="Course")).encode()
    for content_type in (
        "",
        "application/x-www-form-urlencoded; charset=UTF-8",
        "Application/X-WWW-Form-Urlencoded",
    ):
        target = f"{COURSE}?action=addCourse"
        assert sent(given.house.url, body, target, content_type=content_type).errno == 1


def test_boundary_may_be_quoted(given: Given) -> None:
    body = multipart(given.api.signed(courseName="Course"))
    kind, boundary = MULTIPART.split("boundary=")
    for content_type in (f'{kind}boundary="{boundary}"', f"{kind}Boundary={boundary}; x=y"):
        target = f"{COURSE}?action=addCourse"
        assert sent(given.house.url, body, target, content_type=content_type).errno == 1


def test_fields_come_in_any_order(given: Given) -> None:
    form = given.api.signed(courseName="Course", action="addCourse")
    for pairs in (list(form.items()), list(reversed(form.items()))):
        assert sent(given.house.url, urlencode(pairs).encode()).errno == 1


def test_last_of_a_repeated_name_counts(given: Given) -> None:
    reply = added(given, b"courseName=First&courseName=Second")
    assert name_of(given, reply.data) == "Second"


def test_action_of_the_query_counts_before_that_of_the_body(given: Given) -> None:
    body = urlencode(given.api.signed(courseName="Course", action="noSuchAction")).encode()
    assert sent(given.house.url, body, f"{COURSE}?action=addCourse").errno == 1
    assert sent(given.house.url, body, f"{COURSE}?action=%20addCourse%20&x=1").errno == 1
    assert sent(given.house.url, body, f"{COURSE}?action=").errno == 100


def test_action_may_be_the_last_segment_of_the_path(given: Given) -> None:
    body = urlencode(given.api.signed(courseName="Course", action="noSuchAction")).encode()
    assert sent(given.house.url, body, f"{COURSE}/addCourse").errno == 1
    assert sent(given.house.url, body, f"/{COURSE}/addCourse?action=noSuchAction").errno == 1
    assert sent(given.house.url, body, f"{APIPath.CLOUD}/addCourse").errno == 100
    assert sent(given.house.url, body, f"{COURSE}/delCourse").errno == 102
    assert sent(given.house.url, body, f"{COURSE}/noSuchAction").reason.startswith("action: ")


@pytest.mark.parametrize("end", ["/", "/a/addCourse", "/addCourse/", "x/addCourse"])
def test_other_paths_are_not_found(given: Given, end: str) -> None:
    body = urlencode(given.api.signed(courseName="Course")).encode()
    assert (
        httpx.post(f"{given.house.url}{COURSE}{end}", content=body, timeout=30).status_code == 404
    )


def test_any_host_and_a_doubled_slash(given: Given) -> None:
    body = urlencode(given.api.signed(courseName="Course")).encode()
    for target in (COURSE, f"/{COURSE}", f"//{COURSE}"):
        reply = sent(given.house.url, body, f"{target}?action=addCourse", host="api.eeo.cn")
        assert (reply.status, reply.errno) == (200, 1)


def test_names_and_values_are_trimmed(given: Given) -> None:
    form = {f" {name} ": f"\t{value} \r\n" for name, value in given.api.signed().items()}
    form[" courseName"] = "  Course  "
    reply = sent(given.house.url, urlencode(form).encode(), f"{COURSE}?action=addCourse")
    assert name_of(given, reply.data) == "Course"
    parts = multipart(form)
    reply = sent(given.house.url, parts, f"{COURSE}?action=addCourse", content_type=MULTIPART)
    assert name_of(given, reply.data) == "Course"


OPTIONALS: Final = (
    "folderId",
    "seatNum",
    "assistantUid",
    "assistantUids",
    "record",
    "recordScene",
    "live",
    "replay",
    "isAutoOnstage",
    "isHd",
    "isDc",
    "teachMode",
    "omoStationBroadcast",
    "courseUniqueIdentity",
    "classIntroduce",
    "watchByLogin",
    "allowUnloggedChat",
    "teacherAccount",
    "teacherName",
)


def test_empty_optional_is_an_absent_one(given: Given) -> None:
    empty: dict[str, Any] = dict.fromkeys(OPTIONALS, "")
    lesson = given.lesson(teacherUid=given.teacher(), **empty)
    seen = given.seen(lesson)
    assert seen.classroom == ClassroomSettings()
    assert seen.recording == RecordingOptions()
    assert seen.identity is None
    assert seen.folder is None
    assert seen.introduction == ""
    again = given.lesson(courseUniqueIdentity=" ")
    assert given.seen(again).identity is None


def test_client_may_send_every_optional_as_zero(given: Given) -> None:
    texts = {"assistantUids", "courseUniqueIdentity", "teacherAccount"}
    zeros: dict[str, Any] = {name: "" if name in texts else 0 for name in OPTIONALS}
    lesson = given.lesson(teacherUid=given.teacher(), **zeros)
    assert given.seen(lesson).folder is None
    assert not given.seen(lesson).classroom.is_smart
    account = given.telephone()
    student = given.user(telephone=account)
    given.done("addSchoolStudent", studentUid=0, studentAccount=account, studentName="Student")
    given.done("addTeacher", teacherUid=0, teacherAccount=account, teacherName="Teacher")
    given.done("stopUsingTeacher", teacherUid=0, teacherAccount=account)
    entries = [{"uid": student, "account": ""}, {"uid": 0, "account": given.telephone()}]
    reply = given.api.call(
        "addCourseStudentMultiple", courseId=given.course(), identity=0, studentJson=entries
    )
    assert reply.errnos[0] in {1, 129}
    assert given.api.call("stopUsingTeacher", teacherUid=0, teacherAccount="").errno == 100


# --- lists ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "spelled",
    [
        "[{0},{1}]",
        "[{0}, {1}]",
        " [ {0} ,\n\t{1} ] ",
        '["{0}","{1}"]',
        '["{0}", {1}]',
        '[" {0} ", "{1}"]',
        "['{0}','{1}']",
        "['{0}', {1}]",
        "[{0}, {1},]",
        "['{0}','{1}',]",
    ],
)
def test_list_of_ids(given: Given, spelled: str) -> None:
    course = given.course()
    one, two = given.member(course), given.member(course)
    reply = given.api.call(
        "delCourseStudentMultiple",
        courseId=course,
        identity=1,
        studentUidJson=spelled.format(one, two),
    )
    assert (reply.errno, reply.errnos) == (1, [1, 1])


@pytest.mark.parametrize(
    "text", ['"代数"', '"\\u4ee3\\u6570"', '"\\u4EE3数"', '"\\ud83d\\ude00"', '"\\"\\\\\\/"']
)
def test_list_of_objects(given: Given, text: str) -> None:
    spelled = f'[{{"CourseId" : "{given.course()}", "customColumn":{text}}}]'
    reply = given.api.call("addCourseLabels", CourseList=spelled)
    assert (reply.errno, reply.errnos) == (1, [1])
    assert reply.data[0]["customColumn"] == json.loads(text)


@pytest.mark.parametrize(
    ("outer", "inner"),
    [
        ("CourseList", "CourseId"),
        ("courseList", "courseId"),
        ("CourseList", "courseId"),
        ("courseList", "CourseId"),
    ],
)
def test_both_spellings_of_names(given: Given, outer: str, inner: str) -> None:
    course = given.course()
    reply = given.api.call("addCourseLabels", **{outer: [{inner: course}]})
    assert reply.data[0][inner] == course


@pytest.mark.parametrize(
    "spelled", ["[]", "[ ]", "[,]", "{}", "1", "''", "[[1]", "['1'", "[1 2]", "['a\\u0031']", "x"]
)
def test_no_list_or_an_empty_one(given: Given, spelled: str) -> None:
    reply = given.api.call(
        "delCourseStudentMultiple", courseId=given.course(), identity=1, studentUidJson=spelled
    )
    assert reply.errno == 155
    assert reply.reason.startswith("studentUidJson: ")


# --- answers --------------------------------------------------------------------------------------


def test_answer_of_success(given: Given) -> None:
    reply = given.api.call("addCourse", courseName="Course")
    assert reply.status == 200
    assert reply.headers["content-type"] == "application/json; charset=utf-8"
    assert list(reply.body) == ["data", "error_info"]
    assert reply.body["error_info"] == {"errno": 1, "error": "程序正常执行"}
    assert type(reply.body["error_info"]["errno"]) is int
    assert "x-homeroom-reason" not in reply.headers


def test_answer_with_more_data(given: Given) -> None:
    reply = given.api.call("addCourseClass", **given.lesson_form())
    assert set(reply.body) == {"data", "more_data", "error_info"}
    assert reply.body["more_data"] == {
        "live_url": "",
        "live_info": {"RTMP": "", "HLS": "", "FLV": ""},
    }


def test_answer_without_data(given: Given) -> None:
    reply = given.done("stopUsingTeacher", teacherUid=given.teacher())
    assert set(reply.body) == {"error_info"}


def test_answer_of_a_refusal(given: Given) -> None:
    reply = given.api.call("addCourseClass", **given.lesson_form(CourseId(10**9)))
    assert reply.status == 200
    assert reply.headers["content-type"] == "application/json; charset=utf-8"
    assert set(reply.body) == {"error_info"}
    assert reply.errno == 147


def test_text_travels_unescaped(given: Given) -> None:
    body = urlencode(given.api.signed()).encode()
    request = head(f"{COURSE}?action=addCourse", len(body), connection="close") + body
    content = every_byte(given.house.url, request)
    assert content.startswith(b"HTTP/1.1 200 OK\r\n")
    assert "参数不全或错误".encode() in content
    assert b"\\u" not in content


def test_reason_is_plain_ascii_whatever_was_sent(given: Given) -> None:
    for action in ("добавить", "线上\u2028课", "a\x7fb\x01", "x" * 5000, "new\r\nline: x", "😀"):
        body = urlencode(given.api.signed(action=action)).encode()
        reply = sent(given.house.url, body)
        assert (reply.status, reply.errno) == (200, 100)
        assert reply.reason.isascii()
        assert reply.reason.isprintable()
        assert "action" in reply.reason


def test_requests_have_ids_of_their_own(given: Given) -> None:
    ids = {given.api.call("addCourse").headers["x-request-id"] for _ in range(3)}
    assert len(ids) == 3


def test_addresses_of_the_two_doors(given: Given) -> None:
    body = urlencode(given.api.signed()).encode()
    assert sent(given.house.url, body, f"{APIPath.CLOUD}?action=getTopFolderId").errno == 1
    assert sent(given.house.url, body, f"{APIPath.COURSE}?action=getTopFolderId").errno == 100
    assert sent(given.house.url, body, f"{APIPath.CLOUD}?action=addCourse").errno == 100
