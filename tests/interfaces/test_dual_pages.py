"""What pages and read-back show of dual-teacher classes (READINGS Q85)."""

from collections.abc import Iterator
from typing import Any, Final

import pytest

from homeroom.base.clock import HOUR, MINUTE
from homeroom.base.ids import LessonId
from tests.support.dual import RECORDING_OFF, Dual
from tests.support.given import Given
from tests.support.pages import page
from tests.support.readback import ReadBack
from tests.support.streams import Streamed
from tests.support.wire import Value

WATCHED: Final[dict[str, Value]] = {"record": 1, "live": 1, "replay": 1}
FOLLOWS: Final[dict[str, Any]] = {"useCoMainRecord": 1, **RECORDING_OFF}
OWN: Final[dict[str, Any]] = {
    "useCoMainRecord": 0,
    "recordType": 0,
    "recordState": 1,
    "liveState": 1,
    "openState": 1,
}


class StreamedDual(Dual):
    """A main class whose streams a media engine carries."""

    def __init__(self, given: Given, **fields: Value) -> None:
        self.given = given
        self.main = self.streamed = Streamed(given, **fields)


def url(given: Given, lesson: LessonId) -> str:
    """Return the address of the page of a class."""
    return f"/live.php?lessonKey={given.seen(lesson).key}"


def state(given: Given, lesson: LessonId) -> dict[str, Any]:
    """Return the state that the page of a class shows."""
    shown: dict[str, Any] = page(given.house, url(given, lesson)).data["state"]
    return shown


def test_a_sub_class_shows_the_streams_of_its_main_class_or_its_own(given: Given) -> None:
    dual = StreamedDual(given, **WATCHED)
    follower, own, silent = dual.sub(**FOLLOWS), dual.sub(**OWN), dual.sub()
    key = dual.main.seen.key
    assert state(given, follower)["view"] == "countdown"
    dual.streamed.opened()
    assert f"/{key}." in state(given, follower)["sources"]["class"]["flv"]
    assert f"/{given.seen(own).key}." in state(given, own)["sources"]["class"]["flv"]
    assert state(given, silent)["sources"] == {}
    dual.streamed.running()
    dual.streamed.pushed()
    assert [state(given, lesson)["view"] for lesson in (follower, own, silent)] == [
        "picture",
        "soon",
        "not_shown",
    ]


def test_a_sub_class_replays_the_clips_of_its_main_class_or_its_own(given: Given) -> None:
    dual = Dual(given, **WATCHED)
    follower, own = dual.sub(**FOLLOWS), dual.sub(**OWN)
    dual.over()
    clip = given.clip(dual.main.lesson, b"main clip")
    assert [state(given, lesson)["view"] for lesson in (follower, own)] == ["replay", "replay_soon"]
    assert [shown["id"] for shown in state(given, follower)["clips"]] == [clip.file.file_id]
    other = given.clip(own, b"own clip")
    assert [shown["id"] for shown in state(given, own)["clips"]] == [other.file.file_id]


def test_a_sub_class_that_was_closed_early_replays_when_its_main_class_is_over(
    given: Given,
) -> None:
    dual = Dual(given, **WATCHED)
    follower = dual.sub(**FOLLOWS)
    dual.running()
    given.closed_early(follower)
    given.clip(dual.main.lesson, b"main clip")
    closed = state(given, follower)
    assert (closed["phase"], closed["sources"], closed["clips"]) == ("closed_early", {}, [])
    dual.over()
    assert len(state(given, follower)["clips"]) == 1


def test_the_page_of_a_sub_class_asks_for_a_login_where_its_main_class_does(given: Given) -> None:
    dual = Dual(given, **WATCHED, watchByLogin=1)
    follower, own = dual.sub(**FOLLOWS), dual.sub(**OWN)
    assert page(given.house, url(given, follower)).data["needs_login"]
    assert not page(given.house, url(given, own)).data["needs_login"]


def test_nothing_is_left_when_the_main_class_was_deleted_with_its_course(given: Given) -> None:
    dual = Dual(given, **WATCHED)
    follower = dual.sub(**FOLLOWS)
    given.set_course(dual.main.course, deleted_at=given.now)
    assert state(given, follower)["view"] == "not_shown"


@pytest.mark.parametrize("recorded", [1, 0])
def test_the_page_of_a_course_lists_followers_of_recorded_main_classes(
    given: Given, recorded: int
) -> None:
    dual, course = Dual(given, record=recorded, live=0, replay=recorded), given.course()
    dual.sub(course, **FOLLOWS, className="Following")
    path = (
        "/webcast.php?courseKey="
        + given.done("getWebcastUrl", courseId=course).data.partition("courseKey=")[2]
    )
    assert ("Following" in page(given.house, path).answer.text) == bool(recorded)
    given.clip(dual.main.lesson)
    given.until(dual.main.begin + HOUR + 20 * MINUTE)
    shown = page(given.house, path).answer.text
    assert ("replay" in shown) == bool(recorded)


@pytest.fixture
def read(given: Given) -> Iterator[ReadBack]:
    """Read as the fresh school."""
    readback = ReadBack(given)
    yield readback
    readback.close()


def test_read_back_shows_main_and_sub_classes(given: Given, read: ReadBack) -> None:
    dual = Dual(given, **WATCHED)
    subs = [dual.sub(**FOLLOWS), dual.sub()]
    rows = {row["classId"]: row for row in read.rows("/classes")}
    main, follower, plain = (rows[lesson] for lesson in (dual.main.lesson, *subs))
    assert (main["mainClassId"], main["subClassIds"], main["useCoMainRecord"]) == (None, subs, 0)
    for row, uses_main in ((follower, 1), (plain, 0)):
        assert (row["mainClassId"], row["subClassIds"]) == (dual.main.lesson, [])
        assert row["useCoMainRecord"] == uses_main
    assert follower["live_info"] == main["live_info"]
    assert follower["live_url"] != main["live_url"]
    assert plain["live_url"] == ""
    assert dual.delete(subs[0]).errno == 1
    assert read.get(f"/classes/{dual.main.lesson}").json()["subClassIds"] == subs[1:]
