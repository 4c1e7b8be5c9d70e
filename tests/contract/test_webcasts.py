"""Addresses to watch classes and courses: getWebcastUrl, and the addresses in more_data."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from homeroom.base.keys import md5_hex
from homeroom.contract.courses import GET_WEBCAST_URL
from tests.support.cases import Case, check_table
from tests.support.given import Given
from tests.support.scheduled import Scheduled
from tests.support.wire import Reply, Value

UNKNOWN_ID = 10**9
"""An id that nothing has."""
NOWHERE = {"live_url": "", "live_info": {"RTMP": "", "HLS": "", "FLV": ""}}
"""What more_data is of a class that is shown nowhere (READINGS Q9)."""
LIVE: dict[str, Value] = {"record": 1, "live": 1, "replay": 0}
RECORDED: dict[str, Value] = {"record": 1, "live": 0, "replay": 0}
OFF: dict[str, Value] = {"record": 0, "live": 0, "replay": 0}


def page(given: Given, **fields: Value) -> Reply:
    """Call getWebcastUrl for a class of a course, but for what is said."""
    held = Scheduled(given)
    ids = {"courseId": held.course, "classId": held.lesson}
    return given.api.call("getWebcastUrl", **{**ids, **fields})


def of_a_deleted_class(given: Given) -> Reply:
    held = Scheduled(given)
    held.delete()
    return given.api.call("getWebcastUrl", courseId=held.course, classId=held.lesson)


GET_WEBCAST_URL_CASES = (
    Case(1, page),
    Case(100, lambda g: page(g, courseId="")),
    Case(102, lambda g: g.api.post("getWebcastUrl", data={**g.api.signed(), "safeKey": "0" * 32})),
    Case(144, lambda g: page(g, courseId=g.other().course())),
    Case(149, lambda g: page(g, courseId=g.deleted_course())),
    Case(369, lambda g: page(g, courseId=g.public_course())),
    Case(143, lambda g: page(g, classId=UNKNOWN_ID)),
    Case(142, lambda g: page(g, courseId=g.course())),
    Case(212, of_a_deleted_class),
)


def test_table_names_every_errno() -> None:
    """The table and the contract name the same numbers."""
    check_table(GET_WEBCAST_URL, GET_WEBCAST_URL_CASES)


@pytest.mark.parametrize("case", GET_WEBCAST_URL_CASES, ids=str)
def test_get_webcast_url(given: Given, case: Case) -> None:
    """Each number of the action arises as the table says."""
    case.run(given)


def test_the_page_of_a_course_names_the_class_only_when_one_was_given(given: Given) -> None:
    held = Scheduled(given)
    of_course = urlsplit(given.done("getWebcastUrl", courseId=held.course).data)
    of_class = urlsplit(given.done("getWebcastUrl", courseId=held.course, classId=held.lesson).data)
    assert of_course.path == of_class.path == "/webcast.php"
    assert parse_qs(of_course.query).keys() == {"courseKey"}
    assert of_class.query == f"{of_course.query}&lessonid={held.lesson}"
    assert f"{of_course.scheme}://{of_course.netloc}" == given.house.url


def test_the_page_of_a_course_never_changes_and_is_another_for_another_course(
    given: Given,
) -> None:
    course = given.course()
    first = given.done("getWebcastUrl", courseId=course).data
    given.done("editCourse", courseId=course, courseName="Another")
    assert given.done("getWebcastUrl", courseId=course, classId="").data == first
    given.done("endCourse", courseId=course)
    assert given.done("getWebcastUrl", courseId=course).data == first
    assert given.done("getWebcastUrl", courseId=given.course()).data != first


def test_a_course_that_nobody_has_is_not_in_the_school_either(given: Given) -> None:
    """The action knows no 147."""
    assert page(given, courseId=UNKNOWN_ID).errno == 144


def more_data(given: Given, **fields: Value) -> Any:  # noqa: ANN401  as it travels
    return given.done("addCourseClass", **given.lesson_form(None, **fields)).body["more_data"]


def test_a_class_that_is_not_recorded_is_shown_nowhere(given: Given) -> None:
    assert more_data(given) == NOWHERE
    assert more_data(given, recordScene=1) == NOWHERE


def test_a_class_that_is_recorded_has_a_page_and_no_pull_address(given: Given) -> None:
    shown = more_data(given, record=1, replay=1, recordScene=1)
    where = urlsplit(shown["live_url"])
    assert where.path == "/live.php"
    assert len(parse_qs(where.query)["lessonKey"][0]) == 16
    assert shown["live_info"] == NOWHERE["live_info"]


def test_a_class_that_is_recorded_and_live_has_three_addresses_of_one_signed_stream(
    given: Given,
) -> None:
    live_info = more_data(given, record=1, live=1)["live_info"]
    rtmp, hls, flv = (urlsplit(live_info[name]) for name in ("RTMP", "HLS", "FLV"))
    name = rtmp.path.rpartition("/")[2]
    assert rtmp.scheme == "rtmp"
    assert hls.path == f"{rtmp.path}.m3u8"
    assert flv.path == f"{rtmp.path}.flv"
    assert rtmp.query == hls.query == flv.query
    signature = parse_qs(rtmp.query)
    printed = signature["txTime"][0]
    pull_key = given.house.deps.pull_key
    assert signature["txSecret"] == [md5_hex(f"{pull_key}{name}{printed}")]
    assert int(printed, 16) > given.now + 3 * 365 * 86_400


def test_live_without_recording_makes_a_class_that_is_shown_nowhere(given: Given) -> None:
    """READINGS Q7: 280 says so, and carries what success carries."""
    for switch in ("live", "replay"):
        form = given.lesson_form(None, **{switch: 1})
        reply = given.api.call("addCourseClass", **form)
        assert reply.errno == 280
        assert reply.body["more_data"] == NOWHERE
        assert given.seen(reply.data).recording.live is False


def test_only_1_switches_on(given: Given) -> None:
    """A Python client sends its booleans as `True`, which is not 1; none of it is an error."""
    for value in ("True", "true", "2", "-1", "on", ""):
        assert more_data(given, record=value, live=value, replay=value) == NOWHERE


def test_pull_addresses_once_bound_stay_whatever_becomes_of_live(given: Given) -> None:
    held = Scheduled(given, **LIVE)
    bound = held.edit().body["more_data"]
    assert bound["live_info"]["RTMP"]
    assert held.edit(**RECORDED).body["more_data"] == bound
    assert held.edit(**OFF).body["more_data"] == NOWHERE
    assert held.edit(**RECORDED).body["more_data"] == bound
    assert held.edit(**LIVE).body["more_data"] == bound


def test_pull_addresses_are_bound_when_live_comes_later(given: Given) -> None:
    held = Scheduled(given, **RECORDED)
    page_only = held.edit().body["more_data"]
    assert page_only["live_info"] == NOWHERE["live_info"]
    live = held.edit(**LIVE).body["more_data"]
    assert live["live_url"] == page_only["live_url"]
    assert live["live_info"]["HLS"]


def test_each_class_has_a_page_and_a_stream_of_its_own(given: Given) -> None:
    one, two = more_data(given, **LIVE), more_data(given, **LIVE)
    assert one["live_url"] != two["live_url"]
    assert one["live_info"]["RTMP"] != two["live_info"]["RTMP"]


def test_who_may_watch_and_chat_is_kept_whatever_the_switches_are(given: Given) -> None:
    """READINGS Q19: stored always; a bad value at creation is the default, never an error."""

    def audience(**fields: Value) -> tuple[bool, bool]:
        kept = given.seen(given.lesson(None, **fields)).watch_policy
        return kept.watch_by_login, kept.allow_unlogged_chat

    assert audience() == (False, True)
    assert audience(watchByLogin=1, allowUnloggedChat=0) == (True, False)
    assert audience(watchByLogin=0, allowUnloggedChat=1) == (False, True)
    assert audience(watchByLogin="yes", allowUnloggedChat="no") == (False, True)
