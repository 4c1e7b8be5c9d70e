"""The hooks: what a media engine asks and reports, with the bodies that SRS sends."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from sqlalchemy import delete

from homeroom.domain.clips import Clip
from homeroom.domain.streams import StreamKind
from homeroom.media.hooks import MAX_BODY_BYTES
from homeroom.media.service import recordings_folder
from homeroom.store.tables import clips
from homeroom.usecases import secrets
from homeroom.usecases.streams import StreamClient
from tests.support.given import Given
from tests.support.readback import ReadBack
from tests.support.security import SecurityLines
from tests.support.serving import House
from tests.support.streams import Streamed, peer

# As SRS 5 sends them (http_hooks in its full.conf), but for who it is about.
ALL: Final = {
    "server_id": "vid-0xk989d",
    "service_id": "382k3l91",
    "vhost": "__defaultVhost__",
    "tcUrl": "rtmp://192.0.2.1:1935/live",
    "stream_url": "/live/livestream",
    "stream_id": "vid-124q9y3",
}
MINUTES: Final = count(10**9, 60)
"""Moments a minute apart, later than any that the machine knows."""
PAGE: Final = {"pageUrl": "http://www.test.com/live.html"}
CLOSED: Final = {"send_bytes": 10240, "recv_bytes": 10240}
HLS: Final = {
    "duration": 9.36,
    "cwd": "/usr/local/srs",
    "file": "./objs/nginx/html/live/livestream/2015-04-23/01/476584165.ts",
    "url": "live/livestream/2015-04-23/01/476584165.ts",
    "m3u8": "./objs/nginx/html/live/livestream/live.m3u8",
    "m3u8_url": "live/livestream/live.m3u8",
    "seq_no": 100,
}


class Engine:
    """A media engine that calls the hooks."""

    def __init__(self, house: House) -> None:
        server = house.services
        self.secret: str = server.async_store.store.write(secrets.load_or_create).hooks
        self.folder = recordings_folder(server.settings)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._http = httpx.Client(base_url=house.url, timeout=30)

    def post(self, body: object, **query: str) -> httpx.Response:
        """Post a body, bytes as they are."""
        params = {"secret": self.secret, **query}
        if isinstance(body, bytes):
            return self._http.post("/media/hooks", params=params, content=body)
        return self._http.post("/media/hooks", params=params, json=body)

    def says(self, action: str, client: StreamClient, **more: Any) -> httpx.Response:  # noqa: ANN401  JSON
        """Post one hook."""
        about = {
            "client_id": client.client_id,
            "ip": client.ip,
            "app": client.app,
            "stream": client.stream,
            "param": client.param,
        }
        return self.post({"action": action, **ALL, **about, **more})

    def allows(self, action: str, client: StreamClient, **more: Any) -> bool:  # noqa: ANN401  JSON
        """Post one hook, and tell whether it was allowed, as an engine sees it."""
        answer = self.says(action, client, **more)
        return answer.status_code == 200 and answer.json()["code"] == 0

    def records(self, client: StreamClient, name: str, **more: Any) -> httpx.Response:  # noqa: ANN401  JSON
        """Report a recording, as SRS does: by a path that is relative to where it runs."""
        where = {"cwd": str(self.folder.parent), "file": f"./{self.folder.name}/{name}"}
        return self.says("on_dvr", client, **{**where, **more})

    def close(self) -> None:
        """Close the connection."""
        self._http.close()


@pytest.fixture
def engine(house: House) -> Iterator[Engine]:
    """Give an engine that knows the secret."""
    engine = Engine(house)
    yield engine
    engine.close()


def clips_of(held: Streamed) -> list[Clip]:
    return held.given.store.read(lambda uow: uow.clips.list_of_lesson(held.lesson))


# --- permission ----------------------------------------------------------------------------------


def test_a_push_is_asked_for_and_ends(given: Given, engine: Engine) -> None:
    held = Streamed(given).opened()
    client = peer(held.push_url)

    answer = engine.says("on_publish", client)

    assert answer.json() == {"code": 0, "now": given.now}
    assert [(one.client_id, one.ended_at) for one in held.pushes] == [(client.client_id, None)]
    assert engine.allows("on_unpublish", client)
    assert [one.ended_at for one in held.pushes] == [given.now]
    assert engine.allows("on_unpublish", client), "a report may come twice"


def test_who_may_not_push_is_told_why(given: Given, engine: Engine) -> None:
    held = Streamed(given)
    answer = engine.says("on_publish", peer(held.push_url))
    assert answer.status_code == 403
    assert answer.json() == {"code": 403, "msg": "the class opens 20 minutes before its start"}
    held.opened()
    unsigned = peer(held.push_url.partition("?")[0])
    assert "not signed" in engine.says("on_publish", unsigned, param="").json()["msg"]
    assert held.pushes == []


PASTED: Final = ("live| |", "live|\r\n|/", "live/|%20|//", "/live|\u00a0|", " live |\ufeff|/ ")


@pytest.mark.parametrize("around", PASTED)
def test_a_key_as_people_paste_it(given: Given, engine: Engine, around: str) -> None:
    """Case M10: an SRS passes on what came around the key, in the name and in the query."""
    app, after, before = around.split("|")
    held = Streamed(given).opened()
    for action, address in (("on_publish", held.push_url), ("on_play", held.pull_url)):
        client = peer(address)
        name, param = f"{before}{client.stream}{after}", f"{client.param}{after}"
        assert engine.allows(action, client, app=app, stream=name, param=param)


def test_a_pull_is_asked_for(given: Given, engine: Engine) -> None:
    held = Streamed(given).opened()
    assert engine.allows("on_play", peer(held.pull_url), **PAGE)
    assert engine.allows("on_stop", peer(held.pull_url))
    assert not engine.allows("on_play", peer(held.push_url), **PAGE)


def test_an_srs_of_long_ago_numbers_its_clients(given: Given, engine: Engine) -> None:
    held = Streamed(given).opened()
    assert engine.allows("on_publish", peer(held.push_url), client_id=1985)
    assert [one.client_id for one in held.pushes] == ["1985"]
    assert engine.allows("on_unpublish", peer(held.push_url), client_id=1985)
    assert held.pushes[0].ended_at is not None


@pytest.mark.parametrize(
    ("action", "more"),
    [("on_connect", PAGE), ("on_close", CLOSED), ("on_stop", {}), ("on_hls", HLS), ("on_new", {})],
)
def test_what_is_of_no_concern_is_allowed(
    engine: Engine, action: str, more: dict[str, Any]
) -> None:
    nobody = StreamClient("9308h583", "192.168.1.10", "live", "livestream", "?token=xxx&salt=yyy")
    assert engine.allows(action, nobody, **more)


# --- forged and broken ---------------------------------------------------------------------------


def test_a_forged_hook_is_refused_and_logged_once_a_minute(
    given: Given, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    held = Streamed(given).opened()
    lines = SecurityLines(caplog)
    for engine.secret in ("", "0" * 40, "\u00e9"):
        answer = engine.says("on_publish", peer(held.push_url))
        assert (answer.status_code, answer.json()["code"]) == (403, 403)
    line = lines.only("hook_refused")
    assert (line["address"], line["outcome"]) == ("127.0.0.1", "refused")
    assert held.pushes == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b"[]",
        b"1",
        b"{}",
        b'{"action": 1}',
        b'{"action": "on_publish", "stream": 5}',
        b'{"action": "on_publish", "stream": "\\u0000"}',
        b'{"action": "on_publish", "client_id": "' + b"a" * 5000 + b'"}',
        b'{"action": "on_dvr", "duration": -1}',
        b'{"action": "on_dvr", "started_at": 1e400}',
        b'{"action": "on_publish", "param": ' + b"[" * 10_000,
        b"action=on_publish&stream=livestream",
    ],
)
def test_a_body_that_is_no_hook_is_not_answered(engine: Engine, body: bytes) -> None:
    answer = engine.post(body)
    assert (answer.status_code, answer.json()["code"]) == (400, 400)


def test_a_body_that_is_too_long_is_not_read(engine: Engine) -> None:
    assert engine.post(b" " * (MAX_BODY_BYTES + 1)).status_code == 413
    assert engine.post(b" " * MAX_BODY_BYTES + b"{").status_code == 413


def test_hooks_are_posted(house: House) -> None:
    assert httpx.get(f"{house.url}/media/hooks", timeout=30).status_code == 405


# --- recordings ----------------------------------------------------------------------------------


def test_a_recording_is_taken_in_once(given: Given, engine: Engine) -> None:
    held = Streamed(given).opened()
    client = peer(held.push_url)
    source = engine.folder / f"{held.seen.key}.1420254068776.mp4"
    source.write_bytes(b"a recording")
    facts = {"started_at": given.now - 60, "duration": 61_500}

    assert engine.records(client, source.name, **facts).json() == {"code": 0}

    assert not source.exists()
    (clip,) = clips_of(held)
    file = clip.file
    assert (file.kind, file.started_at, file.duration_ms) == (
        StreamKind.CLASS, given.now - 60, 61_500,
    )  # fmt: skip
    assert file.size == len(b"a recording")
    kept = given.house.files.locate(file.path)
    assert kept.read_bytes() == b"a recording"
    begun = datetime.fromtimestamp(given.now - 60, UTC)
    assert file.name == f"class-{begun:%Y%m%dT%H%M%SZ}.mp4"
    for _ in range(2):
        assert engine.records(client, source.name, **facts).json() == {"code": 0}
    assert [one.id for one in clips_of(held)] == [clip.id]


def test_a_recording_of_srs_begins_when_it_is_reported(given: Given, engine: Engine) -> None:
    held = Streamed(given).opened()
    assert held.streams.scene is not None
    source = engine.folder / f"{held.seen.key}.scene.mp4"
    source.write_bytes(b"a recording")
    assert engine.records(peer(held.streams.scene.push_url), source.name).status_code == 200
    (clip,) = clips_of(held)
    assert (clip.file.kind, clip.file.started_at) == (StreamKind.SCENE, given.now)


def test_a_crash_between_the_file_and_its_row_loses_nothing(given: Given, engine: Engine) -> None:
    held = Streamed(given).opened()
    source = engine.folder / f"{held.seen.key}.crash.mp4"
    source.write_bytes(b"a recording")
    client = peer(held.push_url)
    engine.records(client, source.name)
    (clip,) = clips_of(held)
    given.write(delete(clips).where(clips.c.id == clip.id))
    engine.records(client, source.name)
    assert [one.file.path for one in clips_of(held)] == [clip.file.path]


def test_another_recording_under_the_same_name_is_taken_in_too(
    given: Given, engine: Engine
) -> None:
    """As an SRS writes them whose dvr_path has no [timestamp]."""
    held = Streamed(given).opened()
    client, source = peer(held.push_url), engine.folder / f"{held.seen.key}.mp4"
    contents = [b"first", b"second, which is longer"]
    for content in contents:
        source.write_bytes(content)
        for _ in range(2):
            assert engine.records(client, source.name).json() == {"code": 0}
    files = given.house.files
    kept = [files.locate(one.file.path).read_bytes() for one in clips_of(held)]
    assert kept == contents


@pytest.mark.parametrize(
    "file",
    [
        *("", "/etc/passwd", "../../homeroom.db", "../other.mp4", "recordings/../../homeroom.db"),
        "recordings/" + "a" * 255 + ".mp4",
    ],
)
def test_a_file_elsewhere_is_not_taken(given: Given, engine: Engine, file: str) -> None:
    held = Streamed(given).opened()
    (engine.folder.parent / "other.mp4").write_bytes(b"not a recording")
    answer = engine.records(peer(held.push_url), "", file=file)
    assert answer.status_code == 403
    assert (engine.folder.parent / "other.mp4").exists()
    assert clips_of(held) == []


def test_a_link_leads_nowhere_else(given: Given, engine: Engine, tmp_path: Path) -> None:
    held = Streamed(given).opened()
    outside = tmp_path / "film.mp4"
    outside.write_bytes(b"not a recording")
    link, circle = engine.folder / f"{held.seen.key}.mp4", engine.folder / "circle.mp4"
    link.symlink_to(outside)
    circle.unlink(missing_ok=True)
    circle.symlink_to(circle)
    for name in (link.name, circle.name):
        assert engine.records(peer(held.push_url), name).status_code == 403
    assert outside.exists()
    assert clips_of(held) == []


def test_what_can_never_be_a_clip_stays_where_it_is(
    given: Given, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    """The engine gets a success, or it would repeat the report without end."""
    held = Streamed(given).opened()
    client, nobody = peer(held.push_url), StreamClient("1", "192.0.2.7", "live", "0" * 16, "")
    flv, foreign = engine.folder / "a.flv", engine.folder / "b.mp4"
    for source in (flv, foreign):
        source.write_bytes(b"a recording")
    with caplog.at_level(logging.ERROR, "homeroom.media"):
        assert engine.records(client, flv.name).json() == {"code": 0}
        assert engine.records(nobody, foreign.name).json() == {"code": 0}
        assert engine.records(client, "gone.mp4").json() == {"code": 0}
    assert flv.exists()
    assert foreign.exists()
    assert clips_of(held) == []
    logged = [Path(one.file).name for one in caplog.records if hasattr(one, "file")]
    assert logged == ["a.flv", "b.mp4", "gone.mp4"]


def test_a_disk_that_does_not_take_a_recording_is_asked_again(given: Given, engine: Engine) -> None:
    held = Streamed(given).opened()
    source = engine.folder / f"{held.seen.key}.busy.mp4"
    source.mkdir()
    assert engine.records(peer(held.push_url), source.name).status_code == 503
    source.rmdir()
    source.write_bytes(b"a recording")
    assert engine.records(peer(held.push_url), source.name).status_code == 200
    assert len(clips_of(held)) == 1


def test_a_folder_that_is_away_is_asked_for_again(given: Given, engine: Engine) -> None:
    held = Streamed(given).opened()
    source = engine.folder / f"{held.seen.key}.away.mp4"
    source.write_bytes(b"a recording")
    away = engine.folder.rename(engine.folder.with_suffix(".away"))
    assert engine.records(peer(held.push_url), source.name).status_code == 503
    away.rename(engine.folder)
    assert engine.records(peer(held.push_url), source.name).status_code == 200
    assert len(clips_of(held)) == 1


# --- read-back -----------------------------------------------------------------------------------


def test_an_operator_reads_where_a_class_is_pushed_and_what_runs(
    given: Given, engine: Engine
) -> None:
    held = Streamed(given).opened()
    assert held.streams.scene is not None
    assert held.streams.scene.pull_urls is not None
    client = peer(held.push_url)
    assert engine.allows("on_publish", client)
    read = ReadBack(given)
    row = read.get(f"/classes/{held.lesson}/stream").json()
    assert row["pushUrl"] == held.push_url
    assert row["scenePushUrl"] == held.streams.scene.push_url
    assert row["pull"] == read.get(f"/classes/{held.lesson}").json()["live_info"]
    assert row["scenePull"]["HLS"] == held.streams.scene.pull_urls.hls
    assert (row["opensAt"], row["closesAt"]) == (held.begin - 1200, held.begin + 3600 + 1200)
    (push,) = row["pushes"]
    assert push == {
        "kind": "class", "startedAt": given.now, "ip": client.ip, "keyFrameMs": None,
        "longestKeyFrameMs": None, "videoKbps": None, "audioKbps": None, "frameRate": None,
        "droppedFrames": None, "problems": None,
        "viewers": {}, "recording": None, "recordingError": None,
    }  # fmt: skip
    assert row["lastProblem"] is None
    held.settle((), {client.client_id: "No space left on device"})
    assert engine.allows("on_unpublish", client)
    row = read.get(f"/classes/{held.lesson}/stream").json()
    assert (row["pushes"], row["lastProblem"]) == ([], "No space left on device")
    read.close()


def test_a_class_without_recording_has_no_addresses(given: Given) -> None:
    read = ReadBack(given)
    held = Streamed(given, record=0, live=0)
    row = read.get(f"/classes/{held.lesson}/stream").json()
    assert [row[name] for name in ("pushUrl", "scenePushUrl", "pull", "scenePull")] == [None] * 4
    read.problem(f"/classes/{given.other().lesson()}/stream", 404)
    read.close()
