"""Who has entered a class: by the teacher's page and by an encoder, and the summary (Q47, Q95)."""

import asyncio
import io
import json
import zipfile
from contextlib import closing
from typing import Final
from urllib.parse import urlsplit

import httpx
from sqlalchemy import select

from homeroom.async_store import AsyncStore
from homeroom.base.clock import DAY, HOUR, MINUTE
from homeroom.domain.message_files import sign_message_file
from homeroom.domain.streams import PublishTarget
from homeroom.jobs.classroom_keeper import ClassroomKeeper
from homeroom.store.tables import messages
from homeroom.usecases import streams
from homeroom.usecases.streams import StreamClient
from tests.interfaces.test_hooks import Engine
from tests.support.attended import Attended
from tests.support.chat import Chatter
from tests.support.given import Given
from tests.support.readback import ReadBack
from tests.support.sandbox import Sandbox

OVERTIME: Final = 20 * MINUTE
Moved = tuple[Given, Sandbox]


def encoder(attended: Attended, *, mark: str = "") -> StreamClient:
    """Return the encoder of a class, as an engine names it."""
    server = attended.given.house.services
    found = attended.given.store.read(
        lambda uow: streams.get_streams(uow, server.deps, server.hosts, attended.lesson)
    )
    assert found.room is not None
    query = found.room.push_url.partition("?")[2]
    return StreamClient(
        f"encoder-{attended.lesson}", "192.0.2.7", "live", found.room.name, f"?{query}{mark}"
    )


def test_the_page_enters_and_leaves_by_hand(moved: Moved) -> None:
    attended = Attended(*moved)
    with attended.teacher_page():
        assert attended.wait_for("enter") == {"identity": 3, "device": 14, "client": 0}
        with attended.teacher_page():
            pass  # a second window is no second entry, and does not leave
        assert len(attended.log) == 1
    assert attended.wait_for("leave") == {"identity": 3, "client": 0, "reason": 1}
    assert attended.sent[-2:] == ["enter_class", "leave_class"]
    (entry,) = attended.bodies("enter_class")
    assert entry["Cmd"] == 67371107
    assert (entry["UID"], entry["SourceUID"]) == (attended.teacher, attended.teacher)
    assert (entry["Device"], entry["ClientID"], entry["AllowEnterTime"]) == (14, 0, 0)
    assert entry["LoginMobile"].startswith("13")
    assert entry["ActionTime"] == attended.begin - 10 * MINUTE


def test_viewers_enter_nothing_and_nobody_enters_before_the_class_opens(moved: Moved) -> None:
    given, sandbox = moved
    attended = Attended(given, sandbox)
    attended.at(attended.begin - HOUR)
    with attended.teacher_page(), Chatter(attended.url, attended.base):
        assert attended.log == []
        attended.at(attended.begin - 15 * MINUTE)
        attended.wait_for("enter")
    assert {user for _, _, user, _ in attended.log} == {attended.teacher}


def test_end_goes_out_once_at_the_planned_closing(moved: Moved) -> None:
    attended = Attended(*moved)
    with attended.teacher_page():
        attended.wait_for("enter")
        attended.at(attended.closing - 1)
        assert "class_summary" not in attended.sent
        attended.at(attended.closing)
        attended.at(attended.closing + HOUR)
    assert attended.sent.count("class_summary") == 1
    assert attended.events("leave") == [{"identity": 3, "client": 0, "reason": 2}]
    (summary,) = attended.bodies("class_summary")
    assert summary["Cmd"] == "End"
    assert summary["StartTime"] == attended.begin
    assert summary["CloseTime"] == summary["ActionTime"] == attended.closing
    assert summary["RealCloseTime"] == 0
    seconds = attended.closing - (attended.begin - 10 * MINUTE)
    data = summary["Data"]
    assert data["inoutEnd"][str(attended.teacher)]["Total"] == seconds
    assert data["stageEnd"][str(attended.teacher)]["UpTotal"] == seconds
    assert len(data) == 23


def test_nothing_is_sent_for_a_class_that_nobody_entered(moved: Moved) -> None:
    attended = Attended(*moved)
    attended.at(attended.closing + 1)
    assert "class_summary" not in attended.sent


def test_a_class_closed_early_is_left_at_once_and_summarized_later(moved: Moved) -> None:
    attended = Attended(*moved)
    with attended.teacher_page():
        attended.wait_for("enter")
        attended.at(attended.begin + MINUTE)
        attended.given.closed_early(attended.lesson)
        attended.at(attended.begin + 2 * MINUTE)
        assert attended.events("leave") == [{"identity": 3, "client": 0, "reason": 2}]
        assert "class_summary" not in attended.sent
    attended.at(attended.closing)
    (summary,) = attended.bodies("class_summary")
    assert summary["RealCloseTime"] == attended.begin + MINUTE
    assert summary["CloseTime"] == attended.closing


def test_a_class_that_is_deleted_with_somebody_in_it_has_its_end(moved: Moved) -> None:
    attended = Attended(*moved)
    with attended.teacher_page():
        attended.wait_for("enter")
        assert attended.delete().errno == 1
        attended.at(attended.begin - 9 * MINUTE)
        assert attended.events("leave") == [{"identity": 3, "client": 0, "reason": 7}]
    attended.at(attended.closing)
    (summary,) = attended.bodies("class_summary")
    assert summary["RealCloseTime"] == attended.begin - 10 * MINUTE


def test_an_encoder_is_present_while_it_pushes(moved: Moved) -> None:
    attended = Attended(*moved)
    client = encoder(attended)
    with closing(Engine(attended.given.house)) as engine:
        assert engine.allows("on_publish", client)
        assert attended.wait_for("enter") == {"identity": 3, "device": 0, "client": 0}
        with attended.teacher_page():
            pass  # page and encoder at once are one presence
        assert len(attended.log) == 1
        engine.says("on_unpublish", client)
    attended.at(attended.closing)
    assert [kind for kind, *_ in attended.log] == ["enter", "leave"]


def test_a_push_from_the_page_is_no_encoder(moved: Moved) -> None:
    attended = Attended(*moved)
    client = encoder(attended, mark="&via=page")
    with closing(Engine(attended.given.house)) as engine:
        assert engine.allows("on_publish", client)
        attended.at(attended.begin)
        assert attended.log == []
        engine.says("on_unpublish", client)


def test_without_a_sign_of_life_for_30_seconds_a_person_has_left(moved: Moved) -> None:
    attended = Attended(*moved)
    target = attended.given.store.read(lambda uow: uow.publish_sessions.get_stream(attended.lesson))
    assert target is not None
    pushes, seconds = [target], 0.0

    async def list_encoders() -> list[PublishTarget]:
        return pushes

    async def play() -> None:
        nonlocal pushes, seconds
        keeper = ClassroomKeeper(
            AsyncStore(attended.given.store),
            attended.given.house.files,
            list_encoders,
            read_time=lambda: seconds,
        )
        for moment in (0.0, 20.0, 40.0):
            seconds = moment
            await keeper.run_once()
        assert [kind for kind, *_ in attended.log] == ["enter"]
        pushes = []
        for moment in (41.0, 70.5):
            seconds = moment
            await keeper.run_once()
        assert [kind for kind, *_ in attended.log] == ["enter"], "its last sign was at 41"
        seconds = 71.0
        await keeper.run_once()

    asyncio.run(play())
    assert attended.events("leave") == [{"identity": 3, "client": 0, "reason": 6}]


def test_the_chat_is_archived_if_anybody_wrote(moved: Moved) -> None:
    attended = Attended(*moved)
    with attended.teacher_page() as teacher:
        teacher.said("Good morning")
        teacher.said("早上好")
    attended.at(attended.closing)
    assert attended.sent.count("class_chat_archive") == 1
    (archive,) = attended.bodies("class_chat_archive")
    assert archive["Url"] == "$file"
    assert archive["PackTime"] >= attended.closing
    query = select(messages.c.file_path).where(
        messages.c.lesson_id == attended.lesson, messages.c.kind == "class_chat_archive"
    )
    ((path,),) = attended.given.rows(query)
    house = attended.given.house
    key, expires_at = house.services.secrets.clips, attended.closing + 90 * DAY
    address = sign_message_file(house.url, path, expires_at, key)
    assert urlsplit(address).path.endswith(".zip")
    assert httpx.get(address.replace("signature=", "signature=0")).status_code == 403
    answer = httpx.get(address)
    assert answer.headers["content-type"] == "application/zip"
    packed = zipfile.ZipFile(io.BytesIO(answer.content))
    entries = json.loads(packed.read("messages.json"))
    assert [entry["text"] for entry in entries] == ["Good morning", "早上好"]
    assert entries[0]["role"] == "teacher"


def test_attendance_is_read_back(moved: Moved) -> None:
    attended = Attended(*moved)
    read = ReadBack(attended.given)
    path = f"/classes/{attended.lesson}/attendance"
    for number in range(1, 4):
        with attended.teacher_page():
            attended.wait_for("enter", number)
            attended.at(attended.begin + number * MINUTE)
        attended.wait_for("leave", number)
    with attended.teacher_page():
        attended.wait_for("enter", 4)
        attended.at(attended.begin + 10 * MINUTE)
        rows = read.rows(path, limit=2)
        assert len(read.get(path, limit=2).json()["data"]) == 2
    assert [row["seconds"] for row in rows] == [11 * MINUTE, MINUTE, MINUTE, 7 * MINUTE]
    assert rows[0]["enteredTime"] == attended.begin - 10 * MINUTE
    assert rows[0]["leftTime"] == attended.begin + MINUTE
    assert [row["reason"] for row in rows] == [1, 1, 1, None]
    assert rows[-1]["leftTime"] is None
    first = {name: rows[0][name] for name in ("uid", "identity", "device", "clientId")}
    assert first == {"uid": attended.teacher, "identity": 3, "device": 14, "clientId": 0}
    assert read.rows(path, uid=attended.teacher) != []
    assert read.rows(path, uid=attended.given.student()) == []
    other = ReadBack(attended.given.other())
    other.problem(path, 404)
    other.close()
    read.close()


def test_several_servers_close_a_class_once(moved: Moved) -> None:
    attended = Attended(*moved)
    given = attended.given
    with attended.teacher_page():
        attended.wait_for("enter")
    given.clock.advance(attended.closing - given.now)

    async def list_encoders() -> list[PublishTarget]:
        return []

    async def close() -> None:
        store, files = AsyncStore(given.store), given.house.files
        keepers = [ClassroomKeeper(store, files, list_encoders) for _ in range(3)]
        await asyncio.gather(*(keeper.run_once() for keeper in keepers))

    asyncio.run(close())
    assert attended.sent.count("class_summary") == 1
    assert len(attended.events("leave")) == 1
