"""The page of a course: its classes, and the way to each, with a login-free link and without."""

from typing import Final
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import pytest

from homeroom.base.clock import DAY, HOUR
from homeroom.base.ids import CourseId, LessonId
from homeroom.base.keys import md5_hex
from homeroom.domain.viewers import ViewerKind, verify_ticket
from homeroom.usecases import viewing
from tests.support.given import Given
from tests.support.pages import HOSTILE, Page, get, page, read
from tests.support.wire import Value

OPEN: Final[dict[str, Value]] = {"record": 1, "live": 1, "replay": 1}
WHO: Final = {"account": "student1", "nickname": "李 雷"}


class Listed:
    """A course with some classes."""

    def __init__(self, given: Given, name: str = "Stars") -> None:
        self.given = given
        self.course: CourseId = given.course(courseName=name)
        url = given.done("getWebcastUrl", courseId=self.course).data
        assert url.startswith(f"{given.house.url}/webcast.php?courseKey=")
        self.key = url.partition("courseKey=")[2]

    def add(self, name: str, days: int = 1, **fields: Value) -> LessonId:
        """Make a class in some days."""
        begin = self.given.now + days * DAY
        hours: dict[str, Value] = {"beginTime": begin, "endTime": begin + HOUR}
        return self.given.lesson(self.course, **{**OPEN, "className": name, **hours, **fields})

    def open(self, **fields: str) -> Page:
        """Open the page."""
        return page(
            self.given.house, f"/webcast.php?{urlencode({'courseKey': self.key, **fields})}"
        )

    def link(self, path: str = "/webcast_partner.html", **fields: str) -> str:
        """Return the address of a login-free link, right unless said otherwise."""
        code = md5_hex(f"{self.given.school.secret}{self.key}{WHO['account']}{WHO['nickname']}")
        fields = {"courseKey": self.key, **WHO, "checkCode": code, **fields}
        return f"{path}?{urlencode(fields)}"


def hrefs(shown: Page) -> list[str]:
    """Return the ways to the classes in order."""
    return [
        one.attributes["href"]
        for one in shown.elements
        if one.name == "a" and "lessonKey" in one.attributes["href"]
    ]


def test_classes_are_listed_running_then_coming_then_past(given: Given) -> None:
    listed = Listed(given)
    past = [listed.add("older", 1), listed.add("newer", 2)]
    given.until(given.seen(past[1]).hours.end + HOUR)
    running = listed.add("running", 1)
    coming = [listed.add("later", 6), listed.add("sooner", 4)]
    given.until(given.seen(running).hours.begin)
    assert listed.open().texts("h3") == ["running", "sooner", "later", "newer", "older"]
    given.closed_early(running)
    assert listed.open().texts("h3") == ["sooner", "later", "running", "newer", "older"]
    assert len(hrefs(listed.open())) == len(past) + len(coming) + 1


def test_a_class_closed_early_takes_no_place_among_the_coming_ones(
    given: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A long course lists some classes only: those to come before those that are over."""
    monkeypatch.setattr(viewing, "MAX_LISTED_LESSONS", 1)
    listed = Listed(given)
    given.closed_early(listed.add("closed early", 1))
    listed.add("coming", 2)
    assert listed.open().texts("h3") == ["coming"]


def test_a_replay_is_announced_where_there_is_a_clip_to_play(given: Given) -> None:
    listed = Listed(given)
    for name, replay, has_clip in (("a", 1, True), ("b", 1, False), ("c", 0, True)):
        lesson = listed.add(name, replay=replay)
        if has_clip:
            given.clip(lesson)
        given.closed_early(lesson)
    shown = listed.open(lang="en")
    badges = [one.text for one in shown.elements if "badge" in one.attributes.get("class", "")]
    assert shown.texts("h3") == ["c", "b", "a"] or shown.texts("h3") == ["a", "b", "c"]
    assert badges.count("Replay") == 1
    assert badges.count("Over") == 2


def test_only_classes_with_a_page_are_listed(given: Given) -> None:
    listed = Listed(given)
    kept, gone = listed.add("kept"), listed.add("gone")
    listed.add("not recorded", record=0, live=0, replay=0)
    given.lesson(given.course(), **{**OPEN, "className": "of another course"})
    given.done("delCourseClass", courseId=listed.course, classId=gone)
    shown = listed.open()
    assert shown.texts("h1") == ["Stars"]
    assert shown.texts("h3") == ["kept"]
    (way,) = hrefs(shown)
    assert parse_qs(urlsplit(way).query)["lessonKey"] == [given.seen(kept).key]


def test_a_course_without_classes_has_a_page(given: Given) -> None:
    assert Listed(given).open().texts("h3") == []


def test_each_class_opens_its_page_which_leads_back(given: Given) -> None:
    listed = Listed(given)
    listed.add("Red giants")
    (way,) = hrefs(listed.open(lang="zh"))
    lesson = page(given.house, way)
    assert lesson.answer.headers["content-language"] == "zh"
    assert lesson.texts("h1") == ["Red giants"]
    back = f"/webcast.php?courseKey={listed.key}&lang=zh"
    assert back in lesson.attributes("a", "href")
    assert page(given.house, back).texts("h1") == ["Stars"]


def test_who_knows_one_class_alone_is_not_told_of_its_course(given: Given) -> None:
    listed, other = Listed(given), Listed(given)
    key = given.seen(listed.add("Red giants")).key
    for more in ("", "&courseKey=", f"&courseKey={other.key}"):
        shown = page(given.house, f"/live.php?lessonKey={key}{more}")
        assert listed.key not in shown.answer.text
        assert not [way for way in shown.attributes("a", "href") if way.startswith("/webcast")]


def test_a_class_that_is_named_is_opened_at_once(given: Given) -> None:
    listed = Listed(given)
    lesson = listed.add("Red giants")
    url = given.done("getWebcastUrl", courseId=listed.course, classId=lesson).data
    assert url.endswith(f"&lessonid={lesson}")
    answer = get(given.house, url.removeprefix(given.house.url))
    assert answer.status_code == 302
    assert page(given.house, answer.headers["location"]).texts("h1") == ["Red giants"]


def test_an_unknown_class_leads_to_the_list(given: Given) -> None:
    listed, other = Listed(given), Listed(given)
    listed.add("Red giants")
    unlisted = listed.add("not recorded", record=0, live=0, replay=0)
    foreign = other.add("of another course")
    for chosen in ("0", "x", "", "9" * 100, "-1", "%00", str(unlisted), str(foreign)):
        assert listed.open(lessonid=chosen).texts("h3") == ["Red giants"]


@pytest.mark.parametrize(
    "query", ["", "?courseKey=", "?courseKey=0123456789abcdef", "?courseKey=%00", "?courseKey=' --"]
)
def test_an_unknown_course_is_told_in_a_page(given: Given, query: str) -> None:
    for path in ("/webcast.php", "/webcast_partner.html", "/webcast_partner.php"):
        answer = get(given.house, path + query)
        assert answer.status_code == 404
        read(answer)


def test_a_deleted_course_and_a_suspended_school_show_nothing(given: Given) -> None:
    listed = Listed(given)
    listed.add("Red giants")
    path = f"/webcast.php?courseKey={listed.key}"
    given.plan(suspended=True)
    assert get(given.house, path).status_code == 403
    given.plan(suspended=False)
    given.set_course(listed.course, deleted_at=given.now)
    assert get(given.house, path).status_code == 404


@pytest.mark.parametrize("hostile", HOSTILE)
def test_whatever_names_hold_is_text(given: Given, hostile: str) -> None:
    listed = Listed(given, hostile)
    listed.add(hostile, teacherUid=given.user(addToSchoolMember=2, nickname=hostile[:24]))
    shown = listed.open()
    assert shown.texts("h1") == [" ".join(hostile.split())]
    assert shown.texts("h3") == [" ".join(hostile.split())]


# --- login-free ------------------------------------------------------------------------------


def identity(given: Given, shown: Page) -> tuple[ViewerKind, str, str]:
    """Return whom the ticket in a page is for."""
    key = given.house.deps.ticket_key
    ticket = verify_ticket(shown.data["ticket"], key, given.now)
    return ticket.kind, ticket.subject, ticket.name


@pytest.mark.parametrize("path", ["/webcast_partner.html", "/webcast_partner.php"])
def test_a_link_to_the_course_is_good_for_all_its_classes(given: Given, path: str) -> None:
    listed = Listed(given)
    listed.add("first", watchByLogin=1)
    listed.add("second", 2, watchByLogin=1)
    shown = page(given.house, listed.link(path))
    assert shown.answer.headers["cache-control"] == "no-store"
    ways = hrefs(shown)
    assert len(ways) == 2
    for way in ways:
        lesson = page(given.house, way)
        assert identity(given, lesson) == (ViewerKind.LINK, "student1", "李 雷")
        assert lesson.data["needs_login"] is False
        (back,) = [
            way for way in lesson.attributes("a", "href") if way.startswith("/webcast_partner.html")
        ]
        assert hrefs(page(given.house, back)) == ways


def test_a_link_to_a_class_of_the_course_opens_it_at_once(given: Given) -> None:
    listed = Listed(given)
    lesson = listed.add("Red giants", watchByLogin=1)
    answer = get(given.house, listed.link(lessonid=str(lesson)))
    assert answer.status_code == 302
    assert answer.headers["cache-control"] == "no-store"
    shown = page(given.house, answer.headers["location"])
    assert shown.texts("h1") == ["Red giants"]
    assert identity(given, shown) == (ViewerKind.LINK, "student1", "李 雷")


def test_a_wrong_code_leads_to_the_normal_list(given: Given) -> None:
    listed = Listed(given)
    lesson = listed.add("Red giants", watchByLogin=1)
    other_secret = md5_hex(f"{given.other().school.secret}{listed.key}student1李 雷")
    for code in ("", "0" * 32, other_secret):
        (way,) = hrefs(page(given.house, listed.link(checkCode=code)))
        assert "student1" not in way
        answer = get(given.house, listed.link(checkCode=code, lessonid=str(lesson)))
        assert answer.headers["location"].startswith("/live.php?")
        assert page(given.house, answer.headers["location"]).data["needs_login"] is True


def test_the_code_of_a_course_is_not_good_for_the_class_of_another(given: Given) -> None:
    listed, other = Listed(given), Listed(given)
    listed.add("Red giants")
    key = given.seen(other.add("White dwarfs")).key
    shown = page(given.house, listed.link("/live_partner.html", lessonKey=key))
    assert shown.data["ticket"] is None


def test_names_of_the_query_are_trimmed(given: Given) -> None:
    listed = Listed(given)
    listed.add("Red giants", watchByLogin=1)
    code = md5_hex(f"{given.school.secret}{listed.key}student1{WHO['nickname']}")
    query = f"courseKey={listed.key}&account=student1&nickname={quote(WHO['nickname'])}"
    answer = get(given.house, f"/webcast_partner.php?{query}&checkCode%20={code}&%20lessonid=")
    (way,) = hrefs(read(answer))
    assert page(given.house, way).data["needs_login"] is False
