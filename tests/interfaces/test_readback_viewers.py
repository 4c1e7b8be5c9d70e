"""Read-back of the live pages: who watched, for how long, what was said, and all of it as CSV."""

import csv
import time
from collections.abc import Iterator
from io import StringIO
from typing import Final

import pytest

from homeroom.admin import readback
from homeroom.base.clock import DAY, HOUR
from homeroom.base.ids import EntryId, LessonId, UserId
from homeroom.domain.chat import Author, ChatRole, EntryKind, NewChatEntry
from homeroom.domain.viewers import ViewerKind
from homeroom.store.records import NewViewer, WatchTime
from homeroom.usecases import chat
from tests.support.engine import PATIENCE
from tests.support.given import Given
from tests.support.readback import ReadBack
from tests.support.sandbox import Sandbox

TEACHER: Final = Author("Ms. Zhang", ChatRole.TEACHER)
MARK: Final = "\ufeff".encode()


@pytest.fixture
def read(given: Given) -> Iterator[ReadBack]:
    """Read as the fresh school."""
    readback = ReadBack(given)
    yield readback
    readback.close()


def say(given: Given, lesson: LessonId, text: str, by: Author = TEACHER) -> EntryId:
    new = NewChatEntry(lesson, EntryKind.MESSAGE, by, text)
    (entry,) = given.store.write(lambda uow: chat.post_messages(uow, [new]))
    assert entry is not None
    return entry.id


def table(read: ReadBack, path: str, **query: object) -> list[dict[str, str]]:
    """Return the rows of a list that was had as CSV."""
    answer = read.get(path, format="csv", **query)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="viewers.csv"'
    assert answer.headers["cache-control"] == "no-store"
    assert answer.content.startswith(MARK)
    text = answer.content.removeprefix(MARK).decode()
    assert text.endswith("\r\n")
    return list(csv.DictReader(StringIO(text, newline=""), strict=True))


# --- viewers -------------------------------------------------------------------------------------


def test_a_visitor_is_shown_with_their_number_and_their_time(given: Given, read: ReadBack) -> None:
    course = given.course(courseName="Physics")
    lesson = given.lesson(course, className="Waves")
    viewer = given.viewer(lesson, name="小明", telephone="13812345678")
    begun = given.now
    given.clock.advance(60)
    new_viewer = NewViewer(lesson, viewer.identity, viewer.kind, viewer.name)
    given.store.write(lambda uow: uow.viewers.add_watch_time([WatchTime(new_viewer, 45)], uow.now))

    row = read.row(f"/classes/{lesson}/viewers")

    assert row == {
        "SID": given.school.id,
        "classId": lesson,
        "className": "Waves",
        "courseId": course,
        "courseName": "Physics",
        "beginTime": given.seen(lesson).hours.begin,
        "viewerId": viewer.id,
        "kind": "visitor",
        "uid": None,
        "account": None,
        "nickname": "小明",
        "telephone": "13812345678",
        "watchedSeconds": 45,
        "firstSeen": begun,
        "lastSeen": begun + 60,
        "isMuted": 0,
    }
    assert read.row("/viewers") == row


def test_users_and_those_who_came_by_link_are_shown_with_their_accounts(
    given: Given, read: ReadBack
) -> None:
    lesson, telephone = given.lesson(), given.telephone()
    user = given.user(telephone=telephone)
    given.viewer(lesson, identity=f"user:{user}", kind=ViewerKind.USER, name="A", user=UserId(user))
    linked = given.viewer(lesson, identity="link:a:b", kind=ViewerKind.LINK, name="B")
    given.store.write(lambda uow: chat.mute(uow, lesson, TEACHER, linked.id, is_muted=True))

    rows = read.rows(f"/classes/{lesson}/viewers")

    viewers = [(row["kind"], row["uid"], row["account"], row["isMuted"]) for row in rows]
    assert viewers == [("user", user, telephone, 0), ("link", None, "a:b", 1)]
    assert [row["telephone"] for row in rows] == [None, None]


def test_viewers_of_a_school_come_in_the_order_of_their_classes(
    given: Given, read: ReadBack
) -> None:
    course, start = given.course(), given.now + DAY

    def lesson(hours: int, of: object = None) -> LessonId:
        begin = start + hours * HOUR
        where = course if of is None else given.course()
        return given.lesson(where, beginTime=begin, endTime=begin + HOUR)

    late, early, elsewhere = lesson(4), lesson(0), lesson(2, "another course")
    viewers = [given.viewer(lesson_id).id for lesson_id in (late, early, elsewhere, early)]
    expected = [viewers[1], viewers[3], viewers[2], viewers[0]]
    given.viewer(given.other().lesson())

    def ids(**query: object) -> list[int]:
        return [row["viewerId"] for row in read.rows("/viewers", **query)]

    assert ids() == expected
    assert ids(limit=1) == expected
    assert ids(classId=early) == expected[:2]
    assert ids(courseId=course) == [*expected[:2], expected[3]]
    between = {"from": start + HOUR, "to": start + 4 * HOUR}
    assert ids(**between) == [expected[2]]
    assert ids(courseId=course, **between) == []


@pytest.mark.parametrize("of_class", [False, True])
def test_viewers_are_found_by_their_number(
    of_class: bool,  # noqa: FBT001  a value of the table
    given: Given,
    read: ReadBack,
) -> None:
    lesson = given.lesson()
    path = f"/classes/{lesson}/viewers" if of_class else "/viewers"
    given.viewer(lesson, telephone="13812345678")
    expected = given.viewer(lesson, telephone="13912345678")
    assert read.row(path, telephone="13912345678")["viewerId"] == expected.id
    assert read.rows(path, telephone="139") == []


def test_viewers_of_a_deleted_class_are_still_shown(given: Given, read: ReadBack) -> None:
    course = given.course()
    lesson = given.lesson(course)
    viewer = given.viewer(lesson)
    given.done("delCourseClass", courseId=course, classId=lesson)
    assert read.row("/viewers")["viewerId"] == viewer.id
    assert read.row(f"/classes/{lesson}/viewers")["viewerId"] == viewer.id


@pytest.mark.parametrize("list_of", ["viewers", "chat"])
def test_another_schools_class_is_not_found(list_of: str, given: Given, read: ReadBack) -> None:
    lesson = given.other().lesson()
    given.viewer(lesson)
    say(given, lesson, "a")
    assert read.problem(f"/classes/{lesson}/{list_of}", 404)["parameter"] == "classId"
    assert read.rows("/viewers", classId=lesson) == []


# --- CSV -----------------------------------------------------------------------------------------


def test_the_table_holds_what_the_list_does(given: Given, read: ReadBack) -> None:
    given.plan(time_zone="Asia/Shanghai")
    lesson = given.lesson(None, className='Waves, "1"\nfirst')
    given.viewer(lesson, name="小明", telephone="13812345678")
    (viewer,) = read.rows("/viewers")

    for path in ("/viewers", f"/classes/{lesson}/viewers"):
        (row,) = table(read, path)

        assert list(row) == list(viewer)
        assert row["className"] == viewer["className"]
        assert (row["nickname"], row["telephone"]) == ("小明", "13812345678")
        assert (row["uid"], row["account"], row["isMuted"]) == ("", "", "0")
        local = time.gmtime(given.now + 8 * HOUR)
        assert row["firstSeen"] == time.strftime("%Y-%m-%d %H:%M:%S", local)


@pytest.mark.parametrize(
    "name",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\uff1dHYPERLINK(0)", "\uff0b1", "\uff0d1", "\uff20x"],
)
def test_no_cell_is_a_formula(name: str, given: Given, read: ReadBack) -> None:
    lesson = given.lesson()
    given.viewer(lesson, identity=f"link:{name}", kind=ViewerKind.LINK, name=name)
    given.viewer(lesson, name="\t=1", telephone=f"{name}")
    linked, visitor = table(read, "/viewers")
    assert (linked["nickname"], linked["account"]) == (f"'{name}", f"'{name}")
    assert (visitor["nickname"], visitor["telephone"]) == ("'\t=1", f"'{name}")
    assert read.rows("/viewers")[0]["nickname"] == name


def test_the_table_is_whole_however_long_it_is(
    given: Given, read: ReadBack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readback, "MAX_PAGE_ROWS", 2)
    lesson = given.lesson()
    made = [str(given.viewer(lesson).id) for _ in range(7)]
    for path in ("/viewers", f"/classes/{lesson}/viewers"):
        assert [row["viewerId"] for row in table(read, path, limit=1)] == made


def test_an_empty_table_has_a_heading(given: Given, read: ReadBack) -> None:
    answer = read.get("/viewers", format="csv", classId=given.lesson())
    (heading,) = answer.content.removeprefix(MARK).decode().splitlines()
    assert heading.startswith("SID,classId,className,")


def test_the_table_is_filtered_and_kept_from_others(given: Given, read: ReadBack) -> None:
    lesson = given.lesson()
    given.viewer(lesson, telephone="1")
    given.viewer(given.other().lesson(), telephone="2")
    assert [row["telephone"] for row in table(read, "/viewers")] == ["1"]
    assert table(read, "/viewers", telephone="2") == []
    read.problem("/viewers", 400, format="xlsx")
    read.problem("/viewers", 400, format="csv", cursor="x")
    read.problem("/classes", 400, format="csv")
    read.problem(f"/classes/{given.other().lesson()}/viewers", 404, format="csv")
    read.token = "another"
    read.problem("/viewers", 401, format="csv")


# --- the chat ------------------------------------------------------------------------------------


def test_the_chat_is_shown_with_what_was_deleted(given: Given, read: ReadBack) -> None:
    lesson = given.lesson()
    viewer = given.viewer(lesson, name="小明", telephone="13812345678")
    first = say(given, lesson, "<b>hello</b>", Author("小明", viewer=viewer.id))
    second = say(given, lesson, "welcome")
    sent = given.now
    given.clock.advance(5)
    given.store.write(lambda uow: chat.delete_message(uow, lesson, TEACHER, first))
    given.store.write(lambda uow: chat.pause(uow, lesson, TEACHER, is_paused=True))

    rows = read.rows(f"/classes/{lesson}/chat", limit=1)

    assert rows == [
        {
            "classId": lesson,
            "messageId": first,
            "viewerId": viewer.id,
            "nickname": "小明",
            "role": "viewer",
            "text": "<b>hello</b>",
            "sentTime": sent,
            "deletedTime": sent + 5,
        },
        {
            "classId": lesson,
            "messageId": second,
            "viewerId": None,
            "nickname": "Ms. Zhang",
            "role": "teacher",
            "text": "welcome",
            "sentTime": sent,
            "deletedTime": None,
        },
    ]
    assert read.rows(f"/classes/{lesson}/chat", deleted=1) == rows[:1]
    assert read.rows(f"/classes/{lesson}/chat", deleted=0) == rows[1:]


def test_the_stream_names_the_teachers_page(given: Given, read: ReadBack) -> None:
    lesson = given.lesson(None, record=1)
    url = read.get(f"/classes/{lesson}/stream").json()["teachUrl"]
    assert url.startswith(f"{given.house.url}/teach/{given.seen(lesson).key}")


# --- retention -----------------------------------------------------------------------------------


def test_moving_the_clock_sweeps_viewers_away(moved: tuple[Given, Sandbox]) -> None:
    given, sandbox = moved
    given.plan(viewer_days=1)
    lesson = given.lesson()
    given.viewer(lesson)
    sandbox.move(now=given.seen(lesson).hours.end + 2 * DAY)
    read = ReadBack(given)
    deadline = time.monotonic() + PATIENCE
    while read.rows(f"/classes/{lesson}/viewers"):
        assert time.monotonic() < deadline, "nobody sweeps"
        time.sleep(0.01)
    read.close()
