"""Clips on the wire: how they are listed, who gets them, which part, and what befalls the rest."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import httpx
import pytest

from homeroom.base.clock import HOUR
from homeroom.base.ids import ClipId, LessonId
from homeroom.domain.clips import Clip, NewClip, sign_clip_url
from homeroom.domain.server_keys import ServerKey
from homeroom.domain.streams import StreamKind
from tests.support import ffmpeg
from tests.support.given import Given
from tests.support.readback import ReadBack

OF_ELSEWHERE: Final = {"origin": "https://player.example"}
LARGE: Final = bytes(range(256)) * 40_000
"""More than any socket takes in advance."""


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Make an MP4 of two seconds."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    picture = ("-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25")
    ffmpeg.run(*picture, "-t", "2", "-c:v", "libx264", "-g", "25", "-pix_fmt", "yuv420p", str(path))
    return path.read_bytes()


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=30, trust_env=False) as client:
        yield client


def signed(given: Given, file_id: str, life: int = HOUR) -> str:
    """Return an address as the server signs it."""
    key = given.store.read(lambda uow: uow.server_keys.get(ServerKey.CLIPS))
    assert key is not None
    return sign_clip_url(given.house.url, file_id, given.now + life, key)


def shown(given: Given, lesson: LessonId) -> str:
    """Return the address of the only clip that is kept, as an operator's script finds it."""
    read = ReadBack(given)
    row = read.row(f"/classes/{lesson}/clips", state=1)
    read.close()
    return str(row["url"])


def on_disk(given: Given, clip: Clip) -> Path:
    return given.house.files.locate(clip.file.path)


def erase(given: Given, lesson: LessonId) -> None:
    given.done("deleteClassVideo", classId=lesson)


def test_clips_are_read_and_deleted_ones_stay(given: Given) -> None:
    read = ReadBack(given)
    lesson = LessonId(given.lesson(record=1))

    def add(number: int, sha256: str | None) -> ClipId:
        file = NewClip(
            file_id=f"file-{lesson}-{number}",
            path="nowhere",
            name=f"{number}.mp4",
            kind=StreamKind.SCENE,
            started_at=given.now - number,
            duration_ms=1234,
            size=5,
            sha256=sha256,
            is_finished=sha256 is not None,
        )
        return given.store.write(lambda uow: uow.clips.add(lesson, file, uow.now)).id

    add(1, "0" * 64)
    add(2, None)
    given.store.write(lambda uow: uow.clips.delete(uow.clips.list_of_lesson(lesson)[:1], uow.now))
    path = f"/classes/{lesson}/clips"
    assert [(row["fileName"], row["state"]) for row in read.rows(path)] == [
        ("1.mp4", 4),
        ("2.mp4", 1),
    ]
    assert read.row(path, state=1)["fileId"] == f"file-{lesson}-2"
    assert read.row(path, deleted=1)["deletedTime"] == given.now
    gone, kept = read.rows(path)
    assert (gone["sha256"], gone["isFinished"], gone["url"]) == ("0" * 64, 1, None)
    assert (kept["sha256"], kept["isFinished"], kept["kind"]) == (None, 0, "scene")
    assert (kept["startedAt"], kept["durationMs"]) == (given.now - 2, 1234)
    assert read.row(path, fileId=f"file-{lesson}-2")["size"] == 5
    assert kept["url"].startswith(f"{given.house.url}/clips/file-{lesson}-2.mp4?expires=")
    assert "nowhere" not in read.get(path).text
    # The server would look for its file as long as it runs.
    given.store.write(lambda uow: uow.clips.delete(uow.clips.list_of_lesson(lesson), uow.now))
    read.close()


def test_a_clip_is_served_under_the_address_of_the_read_back(
    given: Given, film: bytes, http: httpx.Client
) -> None:
    lesson = given.held_lesson()
    clip = given.clip(lesson, film, name="第一课.mp4")

    answer = http.get(shown(given, lesson))

    assert answer.status_code == 200
    assert hashlib.sha256(answer.content).hexdigest() == clip.file.sha256
    assert answer.headers["content-type"] == "video/mp4"
    assert answer.headers["content-length"] == str(len(film))
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["content-disposition"] == (
        "inline; filename*=utf-8''%E7%AC%AC%E4%B8%80%E8%AF%BE.mp4"
    )


@pytest.mark.parametrize(
    ("asked", "first", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=100-199", 100, 200),
        ("bytes=500-", 500, None),
        ("bytes=-7", -7, None),
    ],
)
def test_a_range_is_served_alone(
    given: Given, http: httpx.Client, asked: str, first: int, end: int | None
) -> None:
    content = b"\0\0\0\x08ftyp" + bytes(range(256)) * 4
    url = signed(given, given.clip(given.held_lesson(), content).file.file_id)

    answer = http.get(url, headers={"range": asked})

    part = content[first:end]
    start = first % len(content)
    span = f"bytes {start}-{start + len(part) - 1}/{len(content)}"
    assert answer.status_code == 206
    assert answer.headers["content-range"] == span
    assert answer.content == part


def test_a_range_past_the_end_is_not_served(given: Given, http: httpx.Client) -> None:
    url = signed(given, given.clip(given.held_lesson(), bytes(100)).file.file_id)

    answer = http.get(url, headers={"range": "bytes=100-"} | OF_ELSEWHERE)

    assert answer.status_code == 416
    assert answer.headers["content-range"] == "bytes */100"
    assert answer.headers["access-control-allow-origin"] == "*"


def test_a_range_of_another_version_is_answered_with_the_whole_of_this_one(
    given: Given, http: httpx.Client
) -> None:
    url = signed(given, given.clip(given.held_lesson(), bytes(100)).file.file_id)
    tag = http.head(url).headers["etag"]
    asked = {"range": "bytes=10-19"}

    assert http.get(url, headers={**asked, "if-range": tag}).status_code == 206
    assert http.get(url, headers={**asked, "if-range": '"another"'}).status_code == 200


def test_the_head_tells_what_a_player_asks_first(given: Given, http: httpx.Client) -> None:
    url = signed(given, given.clip(given.held_lesson(), bytes(100)).file.file_id)

    answer = http.head(url)

    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-length"] == "100"
    assert answer.headers["etag"]


def test_ffmpeg_plays_a_clip_and_seeks_in_it(given: Given, film: bytes) -> None:
    url = signed(given, given.clip(given.held_lesson(), film).file.file_id)

    assert float(ffmpeg.probe(url)["format"]["duration"]) == pytest.approx(2, abs=0.05)
    frames = ffmpeg.run("-ss", "1", "-i", url, "-f", "framehash", "-").splitlines()
    assert len([line for line in frames if not line.startswith(b"#")]) == 25


def test_a_page_of_another_origin_may_play_a_clip(given: Given, http: httpx.Client) -> None:
    lesson = given.held_lesson()
    url = signed(given, given.clip(lesson).file.file_id)
    preflight = {
        **OF_ELSEWHERE,
        "access-control-request-method": "GET",
        "access-control-request-headers": "range",
    }

    asked = http.options(url, headers=preflight)

    assert asked.status_code == 204
    assert "Range" in asked.headers["access-control-allow-headers"]
    assert "GET" in asked.headers["access-control-allow-methods"]
    for address in (url, url + "0", signed(given, "unknown")):
        answer = http.get(address, headers=OF_ELSEWHERE)
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "Content-Range" in answer.headers["access-control-expose-headers"]


def test_only_a_signed_address_that_has_not_expired_is_served(
    given: Given, http: httpx.Client
) -> None:
    lesson = given.held_lesson()
    one, other = given.clip(lesson), given.clip(lesson)
    url = signed(given, one.file.file_id)
    path, _, query = url.partition("?")
    later = f"{given.now + 2 * HOUR:x}"

    refused = [
        path,
        f"{path}?expires={later}",
        f"{path}?{query.replace(query[8:16], later)}",
        url.replace(one.file.file_id, other.file.file_id),
        url[:-1] + ("0" if url[-1] != "0" else "1"),
        signed(given, one.file.file_id, life=0),
        signed(given, "unknown", life=-1),
        f"{given.house.url}/clips/unknown.mp4",
    ]

    assert http.get(url).status_code == 200
    for address in refused:
        answer = http.get(address)
        assert answer.status_code == 403, address
        assert answer.headers["content-type"] == "application/problem+json"


def test_an_address_is_good_until_the_clock_of_the_server_says_otherwise(
    given: Given, http: httpx.Client
) -> None:
    lesson = given.held_lesson()
    given.clip(lesson)
    url = shown(given, lesson)

    given.clock.advance(6 * HOUR - 1)
    assert http.get(url).status_code == 200
    given.clock.advance(1)
    assert http.get(url).status_code == 403
    assert http.get(shown(given, lesson)).status_code == 200


def test_what_is_unknown_or_deleted_or_lost_is_not_found(given: Given, http: httpx.Client) -> None:
    lesson = given.held_lesson()
    gone, lost = given.clip(lesson), given.clip(given.held_lesson())
    url = signed(given, gone.file.file_id)
    erase(given, lesson)
    on_disk(given, lost).unlink()

    for address in (url, signed(given, lost.file.file_id), signed(given, "unknown")):
        assert http.get(address).status_code == 404, address


def test_one_who_reads_a_clip_gets_it_to_its_end_though_it_is_deleted(
    given: Given, http: httpx.Client
) -> None:
    lesson = given.held_lesson()
    clip = given.clip(lesson, LARGE)
    url = signed(given, clip.file.file_id)

    with http.stream("GET", url) as answer:
        parts = answer.iter_bytes()
        content = next(parts)
        erase(given, lesson)
        assert not on_disk(given, clip).exists()
        content += b"".join(parts)

    assert content[8:] == LARGE[8:]
    assert http.get(url).status_code == 404


def test_one_who_reads_a_clip_gets_it_to_its_end_though_it_is_replaced(
    given: Given, http: httpx.Client, tmp_path: Path
) -> None:
    clip = given.clip(given.held_lesson(), LARGE)
    url = signed(given, clip.file.file_id)
    flat = tmp_path / "flat.mp4"
    flat.write_bytes(b"shorter")

    with http.stream("GET", url) as answer:
        tag = answer.headers["etag"]
        parts = answer.iter_bytes()
        content = next(parts)
        with flat.open("rb") as newer:
            given.house.files.put(clip.file.path, newer)
        content += b"".join(parts)

    assert content[8:] == LARGE[8:]
    assert http.get(url).content == b"shorter"
    assert http.head(url).headers["etag"] != tag
