"""The live page: what it says of a class, to whom, and that nothing hostile gets into it."""

import re
from urllib.parse import parse_qsl, quote, urlsplit

import pytest

from homeroom.base.clock import DAY, HOUR, MINUTE
from homeroom.base.ids import CourseId, LessonId
from homeroom.usecases import streams
from tests.support.given import Given
from tests.support.pages import HOSTILE, get, page, read
from tests.support.streams import Streamed
from tests.support.wire import Value

OPEN: dict[str, Value] = {"record": 1, "live": 1, "replay": 1}
MALFORMED = (
    "",
    "?lessonKey=",
    "?lessonKey=0123456789abcdef",
    "?lessonKey=%00",
    "?lessonKey=0123456789abcde%00",
    "?lessonKey=%ff%fe",
    "?lessonKey=' OR 1=1 --",
    "?lessonKey=<script>alert(1)</script>",
    "?lessonKey=" + "a" * 20_000,
    "?lessonKey[]=x",
    "?" + "&".join(f"n{number}=1" for number in range(2000)),
    "?=&&==&%",
)


def lesson_of(given: Given, course: CourseId | None = None, **fields: Value) -> LessonId:
    return given.lesson(course, **{**OPEN, **fields})


def url(given: Given, lesson: LessonId, **more: str) -> str:
    extra = "".join(f"&{name}={quote(value)}" for name, value in more.items())
    return f"/live.php?lessonKey={given.seen(lesson).key}{extra}"


# --- what is shown ---------------------------------------------------------------------------


def test_what_another_media_server_carries_is_on_the_air(given: Given) -> None:
    streamed = Streamed(given).opened()

    def on_air() -> list[str]:
        kinds: list[str] = page(given.house, url(given, streamed.lesson)).data["state"]["on_air"]
        return kinds

    assert on_air() == []
    client = streamed.pushed()
    assert on_air() == ["class"]
    given.store.write(lambda uow: streams.end_push(uow, client.client_id))
    assert on_air() == []


def test_before_a_class_its_page_tells_who_teaches_what_and_when(given: Given) -> None:
    teacher = given.user(addToSchoolMember=2, nickname="Ms Lin")
    lesson = lesson_of(
        given,
        given.course(courseName="Stars"),
        className="Red giants",
        classIntroduce="Old stars.",
        teacherUid=teacher,
    )
    shown = page(given.house, url(given, lesson, lang="en"))
    assert shown.texts("h1") == ["Red giants"]
    assert "Ms Lin" in shown.answer.text
    assert "Stars" in shown.answer.text
    begins = given.seen(lesson).hours.begin
    assert shown.data["state"] == {
        "t": "state",
        "now": given.now,
        "begins": begins,
        "ends": begins + HOUR,
        "opens": begins - 20 * MINUTE,
        "closes": begins + HOUR + 20 * MINUTE,
        "phase": "before",
        "view": "countdown",
        "live": True,
        "replay": True,
        "on_air": [],
        "problems": {},
        "sources": {},
        "clips": [],
        "paused": False,
        "pinned": None,
    }
    assert shown.data["needs_login"] is False
    assert shown.data["ticket"] is None
    assert shown.data["base"] == f"/class/{given.seen(lesson).key}"
    assert shown.data["school"] == given.school.id


def test_the_streams_are_named_while_the_class_is_open_and_no_longer(given: Given) -> None:
    streamed = Streamed(given)
    path = url(given, streamed.lesson)
    assert "txSecret" not in get(given.house, path).text
    streamed.opened()
    state = page(given.house, path).data["state"]
    assert state["phase"] == "open_early"
    assert set(state["sources"]) == {"class", "scene"}
    streamed.pulled(state["sources"]["class"]["flv"])
    streamed.running()
    assert page(given.house, path).data["state"]["phase"] == "running"
    streamed.over()
    state = page(given.house, path).data["state"]
    assert (state["phase"], state["sources"]) == ("over", {})


def test_a_class_that_is_not_live_shows_no_stream(given: Given) -> None:
    streamed = Streamed(given, live=0, replay=1).opened()
    state = page(given.house, url(given, streamed.lesson)).data["state"]
    assert (state["live"], state["sources"]) == (False, {})


@pytest.mark.parametrize(
    ("replay", "view", "words"),
    [
        (1, "replay_later", "The replay will be here after the class."),
        (0, "not_shown", "There is neither a live picture nor a replay."),
    ],
)
def test_a_class_that_is_not_live_says_what_there_will_be(
    given: Given, replay: int, view: str, words: str
) -> None:
    """Recorded only, it names no classroom: there is none."""
    shown = page(given.house, url(given, lesson_of(given, live=0, replay=replay), lang="en"))
    (cover,) = [one for one in shown.elements if one.attributes.get("data-view") == view]
    assert "hidden" not in cover.attributes
    assert words in cover.text
    assert shown.data["state"]["view"] == view
    assert "classroom" not in shown.answer.text


def test_who_comes_while_the_teacher_is_away_is_told_so(given: Given) -> None:
    streamed = Streamed(given).opened()
    path = url(given, streamed.lesson)
    rehearsal = streamed.pushed(engine="e")
    given.store.write(lambda uow: uow.publish_sessions.end(rehearsal.client_id, uow.now))
    streamed.running()
    assert page(given.house, path).data["state"]["view"] == "soon"
    streamed.pushed(engine="e")
    assert page(given.house, path).data["state"]["view"] == "away"


@pytest.mark.parametrize("replay", [1, 0])
def test_after_a_class_its_clips_are_shown_where_replay_is_on(given: Given, replay: int) -> None:
    lesson = given.held_lesson(record=1, live=1, replay=replay)
    given.clip(lesson, b"clip")
    state = page(given.house, url(given, lesson)).data["state"]
    assert state["phase"] == "over"
    assert len(state["clips"]) == replay
    for clip in state["clips"]:
        assert clip["url"].startswith(given.house.url + "/clips/")
        answer = get(given.house, clip["url"].removeprefix(given.house.url))
        assert answer.status_code == 200


def test_who_was_registered_without_a_name_is_not_called_by_their_number(given: Given) -> None:
    number = given.telephone()
    lesson = lesson_of(given, teacherUid=given.user(telephone=number, addToSchoolMember=2))
    assert number not in get(given.house, url(given, lesson)).text
    key = given.seen(lesson).key
    assert number not in get(given.house, f"/class/{key}/class.ics").text


# --- watchByLogin (READINGS Q19) -------------------------------------------------------------


@pytest.mark.parametrize(
    ("switches", "counted"),
    [
        ({"record": 1, "live": 1, "replay": 1}, "yes"),
        ({"record": 1, "live": 1, "replay": 0}, "yes"),
        ({"record": 1, "live": 0, "replay": 1}, "yes"),
        ({"record": 1, "live": 0, "replay": 0}, ""),
        ({"record": 0, "live": 0, "replay": 0}, ""),
    ],
)
def test_watch_by_login_counts_where_two_switches_are_on(
    given: Given, switches: dict[str, Value], counted: str
) -> None:
    streamed = Streamed(given, watchByLogin=1, recordScene=0, **switches).opened()
    shown = page(given.house, url(given, streamed.lesson))
    assert shown.data["needs_login"] is bool(counted)
    assert (shown.data["state"] is None) is bool(counted)
    if counted:
        assert "txSecret" not in shown.answer.text
        assert "/live/" not in shown.answer.text


# --- hostile values --------------------------------------------------------------------------


@pytest.mark.parametrize("hostile", HOSTILE)
def test_whatever_names_hold_is_text(given: Given, hostile: str) -> None:
    teacher = given.user(addToSchoolMember=2, nickname=hostile[:24])
    lesson = lesson_of(
        given,
        given.course(courseName=hostile),
        className=hostile,
        classIntroduce=hostile,
        teacherUid=teacher,
    )
    shown = page(given.house, url(given, lesson))
    seen = given.seen(lesson)
    assert seen.name == hostile
    assert shown.texts("h1") == [" ".join(hostile.split())]
    assert shown.texts("title") == [" ".join(hostile.split())]
    assert any(hostile in one.text for one in shown.elements if one.name == "p")
    assert any(hostile[:24] in one.text for one in shown.elements if one.name == "span")
    assert shown.data["key"] == seen.key


def test_hostile_queries_do_not_get_into_the_page(given: Given) -> None:
    lesson = lesson_of(given)
    for hostile in HOSTILE:
        shown = page(given.house, url(given, lesson, nickname=hostile, x=hostile))
        (switch,) = [
            one.attributes["href"] for one in shown.elements if one.attributes.get("hreflang")
        ]
        assert dict(parse_qsl(urlsplit(switch).query))["x"] == hostile


def test_a_query_may_hold_any_name(given: Given) -> None:
    lesson = lesson_of(given)
    assert get(given.house, url(given, lesson, path="/x", fields="y", self="z")).status_code == 200


@pytest.mark.parametrize("query", MALFORMED)
def test_an_unknown_class_is_told_in_a_page(given: Given, query: str) -> None:
    for path in ("/live.php", "/live_partner.html", "/live_partner.php"):
        answer = get(given.house, path + query)
        assert answer.status_code == 404
        assert read(answer).texts("h1") != []


def test_names_are_trimmed_and_the_last_of_several_counts(given: Given) -> None:
    key = given.seen(lesson_of(given, className="Here")).key
    for query in (
        f"%20lessonKey%20={key}",
        f"lessonKey+=%20{key}%20",
        f"lessonKey=nothing&lessonKey={key}",
    ):
        assert page(given.house, f"/live.php?{query}").texts("h1") == ["Here"]


def test_a_deleted_class_has_gone(given: Given) -> None:
    streamed = Streamed(given)
    key = streamed.seen.key
    assert streamed.delete().errno == 1
    assert get(given.house, f"/live.php?lessonKey={key}").status_code == 410
    assert get(given.house, f"/class/{key}/class.ics").status_code == 404


def test_a_suspended_school_shows_nothing(given: Given) -> None:
    lesson = lesson_of(given)
    key = given.seen(lesson).key
    given.plan(suspended=True)
    assert get(given.house, url(given, lesson)).status_code == 403
    assert get(given.house, f"/class/{key}/class.ics").status_code == 404
    given.plan(suspended=False)
    assert get(given.house, url(given, lesson)).status_code == 200


# --- what every page keeps -------------------------------------------------------------------


def test_policies_let_in_our_own_and_the_streams(given: Given) -> None:
    answer = get(given.house, url(given, lesson_of(given)))
    house = given.house.url
    policy = {
        name: values
        for name, *values in (
            part.split() for part in answer.headers["content-security-policy"].split(";")
        )
    }
    media = "http://127.0.0.1:8081"
    assert policy["default-src"] == policy["font-src"] == policy["base-uri"] == ["'none'"]
    assert policy["script-src"] == policy["style-src"] == ["'self'"]
    assert policy["connect-src"] == ["'self'", house.replace("http", "ws"), house, media]
    assert policy["media-src"] == ["'self'", "blob:", house, media]
    assert policy["frame-ancestors"] == ["'none'"]
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in answer.headers


def test_origins_that_the_school_names_may_frame_its_pages(given: Given) -> None:
    course = given.course()
    lesson = lesson_of(given, course)
    given.plan(frame_origins="https://a.example, https://*.b.example:8443")
    key = given.done("getWebcastUrl", courseId=course).data.partition("courseKey=")[2]
    for path in (url(given, lesson), f"/webcast.php?courseKey={key}"):
        answer = get(given.house, path)
        assert answer.headers["content-security-policy"].endswith(
            "; frame-ancestors https://a.example https://*.b.example:8443"
        )
        assert "x-frame-options" not in answer.headers


def test_a_page_speaks_the_language_of_the_browser_and_offers_the_other(given: Given) -> None:
    path = url(given, lesson_of(given))
    english, chinese = page(given.house, path), page(given.house, path, accept_language="zh-CN")
    assert english.answer.headers["content-language"] == "en"
    assert chinese.answer.headers["content-language"] == "zh"
    assert "accept-language" in chinese.answer.headers["vary"].lower()
    (switch,) = [one for one in chinese.elements if one.attributes.get("hreflang") == "en"]
    again = page(given.house, switch.attributes["href"], accept_language="zh-CN")
    assert again.answer.headers["content-language"] == "en"
    assert again.texts("h1") == chinese.texts("h1")
    assert set(english.data["texts"]) == set(chinese.data["texts"])


def test_the_page_with_its_assets_is_packed(given: Given) -> None:
    answer = get(given.house, url(given, lesson_of(given)), accept_encoding="gzip")
    assert answer.headers["content-encoding"] == "gzip"
    plain = get(given.house, url(given, lesson_of(given)), accept_encoding="identity")
    assert "content-encoding" not in plain.headers


# --- the calendar ----------------------------------------------------------------------------


def test_a_class_goes_into_a_calendar(given: Given) -> None:
    name = "a,b;c\\d " + "课" * 30
    lesson = lesson_of(
        given,
        className=name,
        classIntroduce="first\r\nEND:VCALENDAR\nlast",
        teacherUid=given.user(addToSchoolMember=2, nickname="Ms Lin"),
    )
    seen = given.seen(lesson)
    answer = get(given.house, f"/class/{seen.key}/class.ics")
    assert answer.headers["content-type"].startswith("text/calendar")
    assert answer.content.endswith(b"END:VCALENDAR\r\n")
    lines = answer.content.split(b"\r\n")
    assert max(map(len, lines)) <= 75
    assert not [line for line in lines if b"\n" in line or b"\r" in line]
    entry = dict(
        line.split(":", 1)
        for line in answer.content.decode().replace("\r\n ", "").split("\r\n")
        if line
    )
    assert entry["SUMMARY"] == seen.name.replace("\\", "\\\\").replace(",", "\\,").replace(
        ";", "\\;"
    )
    page_url = f"{given.house.url}/live.php?lessonKey={seen.key}"
    assert entry["DESCRIPTION"] == f"Ms Lin\\nfirst\\nEND:VCALENDAR\\nlast\\n{page_url}"
    assert entry["URL"] == page_url
    assert re.fullmatch(r"\d{8}T\d{6}Z", entry["DTSTART"])
    assert entry["DTSTAMP"] < entry["DTSTART"] < entry["DTEND"]
    assert get(given.house, "/class/0123456789abcdef/class.ics").status_code == 404
    assert get(given.house, "/class/%00/class.ics").status_code == 404


def test_time_is_told_in_the_zone_of_the_school(given: Given) -> None:
    given.plan(time_zone="Europe/Paris")
    begin = given.now // DAY * DAY + 3 * DAY
    lesson = lesson_of(given, beginTime=begin, endTime=begin + HOUR)
    (when,) = [
        one
        for one in page(given.house, url(given, lesson)).elements
        if one.name == "time" and "datetime" in one.attributes
    ]
    assert when.attributes["datetime"].endswith("T00:00:00Z")
    assert when.text.endswith(("01:00", "02:00"))
