"""A class from its making to the last byte of its recordings, with real streams."""

import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from homeroom.base.clock import DAY, HOUR, MINUTE
from tests.support import ffmpeg
from tests.support.engine import until
from tests.support.ffmpeg import needs_ffmpeg
from tests.support.process import Process
from tests.support.school import OVERTIME, School

pytestmark = [pytest.mark.e2e, needs_ffmpeg]
EMPTY = {"live_url": "", "live_info": {"RTMP": "", "HLS": "", "FLV": ""}}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    running = Process("--demo", "--sandbox", data=tmp_path_factory.mktemp("live"))
    yield running
    running.stop()


@pytest.fixture
def school(server: Process) -> Iterator[School]:
    school = School(server)
    yield school
    school.close()


@pytest.fixture(autouse=True)
def _no_publisher_is_left() -> Iterator[None]:
    yield
    ffmpeg.end_all()


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ffmpeg.source(tmp_path_factory.mktemp("source") / "source.flv", seconds=3)


@pytest.fixture(scope="module")
def long_source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """720p25, H.264 and AAC, a key frame each second."""
    path = tmp_path_factory.mktemp("source") / "long.flv"
    return ffmpeg.source(path, seconds=30, size="1280x720")


def pushing(school: School, lesson: int, source: Path, url: str) -> ffmpeg.Publisher:
    """Push a file at its own pace; returns when the stream can be seen."""
    publisher = ffmpeg.push(source, url)

    def is_seen() -> bool:
        pushes = school.shown(f"classes/{lesson}/stream")["pushes"]
        return any(push["recording"] == "on" for push in pushes)

    until(is_seen)
    return publisher


def test_all_three_addresses_play_at_once_and_wrong_signatures_do_not(
    school: School, long_source: Path
) -> None:
    added = school.add()
    info = added.body["more_data"]["live_info"]
    publisher = pushing(school, added.data, long_source, school.stream(added.data)["push_url"])
    players = {
        kind: subprocess.Popen(
            [ffmpeg.FFMPEG, "-nostdin", "-v", "error", "-i", address, "-t", "4", "-f", "null", "-"],
            stderr=subprocess.PIPE,
        )
        for kind, address in info.items()
    }
    for kind, player in players.items():
        _, said = player.communicate(timeout=60)
        assert (player.returncode, said) == (0, b""), kind
    for kind, address in info.items():
        found = {one["codec_name"] for one in ffmpeg.probe(address)["streams"]}
        assert found == {"h264", "aac"}, kind
        bare = address.partition("?")[0]
        expiry = address.rpartition("=")[2]
        signature = address.partition("txSecret=")[2].partition("&")[0]
        for query in (
            "",
            f"?txTime={expiry}",
            f"?txSecret={'0' * 32}&txTime={expiry}",
            f"?txSecret={signature}&txTime=5c271099",
            f"?txSecret={signature}",
        ):
            with pytest.raises(AssertionError):
                ffmpeg.probe(bare + query)
    assert publisher.poll() is None


def test_an_address_that_has_expired_is_refused(tmp_path: Path, long_source: Path) -> None:
    days = {"HOMEROOM_PULL_DAYS": "1"}
    server = Process("--demo", "--sandbox", data=tmp_path / "data", env=days)
    server.wait_until_ready()
    school = School(server)
    try:
        begin = school.clock.now() + DAY - 10 * MINUTE
        added = school.add(beginTime=begin, endTime=begin + HOUR)
        info = added.body["more_data"]["live_info"]
        server.advance(DAY - 5 * MINUTE)
        push_url = school.stream(added.data)["push_url"]
        publisher = pushing(school, added.data, long_source, push_url)
        for address in info.values():
            assert ffmpeg.probe(address)["streams"]
        server.advance(10 * MINUTE)
        for address in info.values():
            until(partial(is_refused, address))
        assert publisher.poll() is None
    finally:
        school.close()
        server.stop()


def is_refused(address: str) -> bool:
    """Tell whether an address is refused; the answer to a question is good for five seconds."""
    try:
        ffmpeg.probe(address)
    except AssertionError:
        return True
    return False


def test_the_four_rules_of_the_addresses(school: School) -> None:
    unrecorded = school.add(record=0, live=0, replay=0)
    assert unrecorded.body["more_data"] == EMPTY

    recorded = school.add(live=0).body["more_data"]
    assert recorded["live_url"].startswith(school.server.url)
    assert recorded["live_info"] == EMPTY["live_info"]

    added = school.add(beginTime=school.clock.now() + HOUR, endTime=school.clock.now() + 2 * HOUR)
    both = added.body["more_data"]
    assert both["live_url"].startswith(school.server.url)
    assert [urlsplit(url).scheme for url in both["live_info"].values()] == ["rtmp", "http", "http"]

    changed = school.api.call(
        "editCourseClass",
        courseId=school.course,
        classId=added.data,
        record=1,
        live=0,
        replay=0,
    )
    assert changed.errno == 1
    shown = school.shown(f"classes/{added.data}")
    assert {"live_url": shown["live_url"], "live_info": shown["live_info"]} == both


def test_the_life_of_a_class(school: School, source: Path) -> None:
    added = school.add(recordScene=1)
    lesson = added.data
    addresses = school.stream(lesson)

    publisher = ffmpeg.push(source, addresses["push_url"])
    assert ffmpeg.probe(added.body["more_data"]["live_info"]["FLV"])["streams"]
    assert school.api.call("deleteClassVideo", classId=lesson).errno == 384
    assert not publisher.complaints()
    until(lambda: all(clip["isFinished"] for clip in school.clips(lesson)) and school.clips(lesson))
    first = school.clips(lesson)[0]
    scene = school.recorded(lesson, source, addresses["scene_push_url"])
    assert (first["kind"], scene["kind"]) == ("class", "scene")

    files = {clip["fileId"]: downloaded(clip["url"], school) for clip in (first, scene)}
    for path in files.values():
        assert ffmpeg.payload(path, "v") == ffmpeg.payload(source, "v")
        assert ffmpeg.payload(path, "a") == ffmpeg.payload(source, "a")
        duration = float(ffmpeg.probe(path)["format"]["duration"])
        assert duration == pytest.approx(
            float(ffmpeg.probe(source)["format"]["duration"]), abs=0.041
        )
        assert fast_start(path)

    def delete(**fields: str) -> int:
        return school.api.call("deleteClassVideo", classId=lesson, **fields).errno

    def lock(is_lock: int) -> int:
        return school.api.call("updateClassLockStatus", classId=lesson, isLock=is_lock).errno

    assert lock(1) == 391
    school.server.advance(HOUR + OVERTIME + 121)
    assert ffmpeg.push(source, addresses["push_url"]).wait(30) != 0
    assert lock(1) == 1
    assert delete() == 633
    assert lock(0) == 1
    assert delete(fileId=first["fileId"]) == 1
    assert delete(fileId=first["fileId"]) == 634
    assert delete(fileId="0" * 32) == 630
    assert delete() == 1
    assert delete() == 632
    # It was signed for six hours.
    assert httpx.get(first["url"], trust_env=False).status_code == 404
    left = {path.stem for path in (school.server.data / "clips").rglob("*.mp4")}
    assert not left & set(files)
    assert {clip["state"] for clip in school.clips(lesson)} == {4}

    never = school.add()
    unrecorded = school.add(record=0, live=0, replay=0)
    school.server.advance(2 * HOUR)
    assert school.api.call("deleteClassVideo", classId=never.data).errno == 631
    assert school.api.call("deleteClassVideo", classId=unrecorded.data).errno == 254


def downloaded(url: str, school: School) -> Path:
    """Fetch a clip in two ranges and return it as a file."""
    with httpx.Client(trust_env=False) as http:
        head = http.head(url).raise_for_status()
        size = int(head.headers["content-length"])
        parts = [
            http.get(url, headers={"Range": f"bytes={begin}-{end}"})
            for begin, end in ((0, size // 2 - 1), (size // 2, size - 1))
        ]
    assert [part.status_code for part in parts] == [206, 206]
    path = school.server.data / f"fetched-{urlsplit(url).path.rpartition('/')[2]}"
    path.write_bytes(b"".join(part.content for part in parts))
    return path


def fast_start(path: Path) -> bool:
    """Tell whether a player can begin before it has read the whole file."""
    content = path.read_bytes()
    return -1 < content.find(b"moov") < content.find(b"mdat") and b"moof" not in content


@pytest.mark.parametrize("cause", ["closed", "over", "deleted", "teacher", "key"])
def test_a_push_ends_within_a_second(school: School, long_source: Path, cause: str) -> None:
    begin = school.clock.now() + (19 if cause == "deleted" else 2) * 60
    added = school.add(beginTime=begin, endTime=begin + HOUR)
    lesson = added.data
    own = {"courseId": school.course, "classId": lesson}
    push_url = school.stream(lesson)["push_url"]
    publisher = pushing(school, lesson, long_source, push_url)
    if cause == "closed":
        school.server.cli("class", "close", str(lesson))
    elif cause == "over":
        school.server.advance(HOUR + OVERTIME + 120)
    elif cause == "deleted":
        assert school.api.call("delCourseClass", **own).errno == 1
    elif cause == "teacher":
        other = school.listed("teachers")[1]["uid"]
        reply = school.api.call("editCourseClass", **own, teacherUid=other)
        assert reply.errno == 1, reply.body
    else:
        assert school.stream(lesson, "--new-key")["push_url"] != push_url
    # A second is what it takes; the rest is for a machine that has much else to do.
    assert publisher.ends(4)
    again = ffmpeg.push(long_source, push_url)
    assert again.ends(20)
    assert again.returncode != 0


def test_without_a_media_service_classes_are_not_recorded(tmp_path: Path) -> None:
    server = Process("--demo", "--sandbox", "--media", "none", data=tmp_path / "data")
    school = School(server)
    try:
        added = school.add()
        assert added.errno == 281
        assert added.data
        assert added.body["more_data"] == EMPTY
    finally:
        school.close()
        server.stop()
