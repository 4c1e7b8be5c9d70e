"""The commands of an operator that show who watched a class and keep its chat in order."""

import csv
from collections.abc import Iterator
from io import StringIO

import httpx
import pytest

from homeroom.base.ids import EntryId, LessonId
from homeroom.base.settings import Settings
from homeroom.domain.chat import Author, EntryKind, NewChatEntry
from homeroom.domain.viewers import ViewerKind
from homeroom.folder import open_store
from homeroom.store.records import NewViewer, Viewer
from homeroom.store.unit_of_work import Store
from homeroom.usecases import chat
from tests.support import pages
from tests.support.operator import School, refused, run_json
from tests.support.process import Process, typed

pytestmark = pytest.mark.e2e


@pytest.fixture
def school(server: Process) -> Iterator[School]:
    school = School(server)
    yield school
    school.api.close()


@pytest.fixture
def store(server: Process) -> Iterator[Store]:
    with open_store(Settings(data=server.data)) as store:
        yield store


@pytest.fixture
def lesson(school: School) -> LessonId:
    return LessonId(school.done("addCourseClass", **school.form(record=1)))


def watches(store: Store, lesson: LessonId, name: str) -> Viewer:
    new = NewViewer(lesson, f"visitor:{name}", ViewerKind.VISITOR, name, "13812345678")
    return store.write(lambda uow: uow.viewers.save(new, uow.now))


def says(store: Store, viewer: Viewer, text: str) -> int:
    by = Author(viewer.name, viewer=viewer.id)
    new = NewChatEntry(viewer.lesson, EntryKind.MESSAGE, by, text)
    (entry,) = store.write(lambda uow: chat.post_messages(uow, [new]))
    assert entry is not None
    return entry.id


def test_viewers_are_listed_and_taken_along(
    server: Process, store: Store, lesson: LessonId
) -> None:
    assert "There are no viewers yet." in typed("viewers", str(lesson), *server.where)
    viewer = watches(store, lesson, "=小明")

    (details,) = run_json(server, "viewers", str(lesson))
    listed = typed("viewers", str(lesson), *server.where)
    (row,) = csv.DictReader(StringIO(typed("viewers", str(lesson), "--csv", *server.where)))

    assert (details["viewerId"], details["telephone"]) == (viewer.id, "13812345678")
    assert (details["nickname"], row["nickname"]) == ("=小明", "'=小明")
    assert "13812345678" in listed
    assert row["telephone"] == "13812345678"


def test_a_chat_is_kept_in_order(server: Process, store: Store, lesson: LessonId) -> None:
    where, viewer = str(lesson), watches(store, lesson, "小明")
    assert "There are no messages yet." in typed("chat", "show", where, *server.where)
    first, second = (str(says(store, viewer, text)) for text in ("one\ntwo", "three"))

    pinned = run_json(server, "chat", "pin", where, second)
    deleted = run_json(server, "chat", "delete", where, first)
    (details,) = run_json(server, "chat", "show", where)

    assert (pinned["done"], str(pinned["target"])) == ("pin", second)
    assert (deleted["done"], str(deleted["target"])) == ("delete", first)
    assert (str(details["message"]), details["viewer"], details["name"]) == (
        second,
        viewer.id,
        "小明",
    )
    assert (details["role"], details["text"], details["pinned"]) == ("viewer", "three", True)
    assert "has no message" in refused(server, "chat", "delete", where, first)
    run_json(server, "chat", "unpin", where)
    assert run_json(server, "chat", "show", where)[0]["pinned"] is False
    assert "three" in typed("chat", "show", where, *server.where)


def test_viewers_are_muted_and_chats_paused(
    server: Process, store: Store, lesson: LessonId
) -> None:
    where, viewer = str(lesson), watches(store, lesson, "小明")

    def read_state() -> tuple[bool, bool]:
        row = store.read(lambda uow: uow.viewers.get(viewer.id))
        state = store.read(lambda uow: uow.chats.get_state(lesson))
        return row is not None and row.is_muted, state.is_paused

    for verb, expected in (("mute", (True, False)), ("unmute", (False, False))):
        assert run_json(server, "chat", verb, where, str(viewer.id))["done"] == verb
        assert read_state() == expected
    for verb, expected in (("pause", (False, True)), ("resume", (False, False))):
        assert run_json(server, "chat", verb, where)["done"] == verb
        assert read_state() == expected
    assert "has no viewer" in refused(server, "chat", "mute", where, "999999")
    recent = store.read(lambda uow: uow.chats.list_since({lesson: EntryId(0)}, 10))
    assert {entry.new.author.name for entry in recent} == {"operator"}


def test_a_stream_names_the_teachers_page(server: Process, lesson: LessonId) -> None:
    details = run_json(server, "stream", str(lesson))
    assert details["teach_url"].startswith(f"{server.url}/teach/")
    renewed = run_json(server, "stream", str(lesson), "--new-key")
    assert renewed["teach_url"] != details["teach_url"]


def test_it_says_what_may_not_frame_a_page(server: Process, school: School) -> None:
    plan = school.set("frame_origins=https://portal.example")
    assert plan["frame_origins"] == "https://portal.example"
    message = refused(server, "school", "set", str(school.sid), "frame_origins=portal.example")
    assert "must be as https://portal.example" in message


def test_a_link_signs_a_student_in(server: Process, lesson: LessonId) -> None:
    name = ("--account", "13800000000", "--nickname", "陈 同学 & Co")
    url = typed("link", str(lesson), *name, *server.where).strip()

    signed = pages.read(httpx.get(url, trust_env=False))
    changed = pages.read(httpx.get(url.replace("13800000000", "13800000001"), trust_env=False))
    assert signed.data["ticket"]
    assert changed.data["ticket"] is None


@pytest.mark.parametrize(("account", "nickname"), [("a" * 32, "Amy"), ("amy", "A" * 24), ("", "A")])
def test_a_link_that_no_page_would_take_is_not_made(
    server: Process, lesson: LessonId, account: str, nickname: str
) -> None:
    command = ("link", str(lesson), "--account", account, "--nickname", nickname)
    assert "1 to 31 characters" in refused(server, *command)
