"""HLS as players meet it: playlists, segments and parts over real sockets."""

import re
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Final

import pytest

from homeroom.media.engine import hls
from homeroom.media.engine.packager import MediaChunk
from homeroom.media.engine.stream import LiveStream
from tests.support import ffmpeg, flv
from tests.support.ffmpeg import needs_ffmpeg
from tests.support.listening import Listener, chunks, init

SIGNED: Final = "txSecret=a1&txTime=5C271099"
LIST: Final = f"/live/s.m3u8?{SIGNED}"
INIT: Final = init()


class Listed:
    """A playlist, taken apart."""

    def __init__(self, text: bytes) -> None:
        self.text = text.decode()
        assert self.text.startswith("#EXTM3U\n")
        lines = self.text.splitlines()
        self.uris = [line for line in lines if not line.startswith("#")]
        self.parts = re.findall(r'#EXT-X-PART:DURATION=([\d.]+),URI="([^"]+)"(,INDEP)?', self.text)
        self.maps = re.findall(r'#EXT-X-MAP:URI="([^"]+)"', self.text)
        self.hints = re.findall(r'#EXT-X-PRELOAD-HINT:TYPE=PART,URI="([^"]+)"', self.text)
        self.lengths = [float(one) for one in re.findall(r"#EXTINF:([\d.]+),", self.text)]

    def number(self, tag: str) -> float:
        found = re.findall(rf"[:,]?{tag}[:=]([\d.]+)", self.text)
        assert len(found) == 1, (tag, self.text)
        return float(found[0])

    @property
    def first(self) -> int:
        return int(self.number("#EXT-X-MEDIA-SEQUENCE"))

    @property
    def next(self) -> int:
        """The number of the segment that is not whole yet."""
        return self.first + len(self.uris)


def listed(listener: Listener, path: str = LIST) -> Listed:
    status, body, fields = listener.get(path)
    assert (status, fields["content-type"]) == (200, "application/vnd.apple.mpegurl"), body
    return Listed(body)


def loaded(listener: Listener, uri: str) -> bytes:
    status, body, _ = listener.get(f"/live/{uri}")
    assert status == 200, (uri, body)
    return body


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


def waits(listener: Listener, pool: ThreadPoolExecutor, path: str) -> "Future[tuple[int, bytes]]":
    """Ask for something that is not there yet, and return when the listener has the request."""
    before = len(listener.hub.played)
    asked = pool.submit(lambda: listener.get(path)[:2])
    ready = threading.Event()
    for _ in range(1000):
        if len(listener.hub.played) > before:
            break
        ready.wait(0.01)
    # One more turn of the loop, and the request waits for the stream.
    listener.do(lambda: None)
    listener.do(lambda: None)
    assert not asked.done()
    return asked


def test_a_plain_player_finds_whole_segments_and_the_query_on_everything(
    listener: Listener, stream: LiveStream
) -> None:
    media = chunks(INIT, 3.6)
    listener.add(stream, *media)
    found = listed(listener)
    assert found.lengths == [1, 1, 1]
    assert found.number("#EXT-X-TARGETDURATION") == 1
    assert "#EXT-X-INDEPENDENT-SEGMENTS\n" in found.text
    assert "ENDLIST" not in found.text
    everything = [*found.uris, *found.maps, *found.hints, *(uri for _, uri, _ in found.parts)]
    assert all(uri.startswith("s/") and uri.endswith(f"?{SIGNED}") for uri in everything)
    assert len(set(everything)) == len(everything)
    assert [loaded(listener, uri) for uri in found.maps] == [INIT.data]
    for at, uri in enumerate(found.uris):
        assert loaded(listener, uri) == b"".join(one.data for one in media[5 * at : 5 * at + 5])
    assert [loaded(listener, uri) for _, uri, _ in found.parts] == [one.data for one in media]
    assert listed(listener, "/live/s.m3u8").uris[0].endswith(".m4s")


def test_the_window_moves_on_and_what_left_it_is_served_a_little_longer(
    listener: Listener, stream: LiveStream
) -> None:
    media = chunks(INIT, 14.2)
    listener.add(stream, *media[:51])
    early = listed(listener)
    assert len(early.uris) == 10
    listener.add(stream, *media[51:66])
    late = listed(listener)
    assert (late.first, len(late.uris)) == (early.first + 3, 10)
    assert all(loaded(listener, uri) for uri in [*early.uris, *early.maps])
    listener.add(stream, *media[66:])
    assert listener.get(f"/live/{early.uris[0]}")[0] == 404
    assert loaded(listener, early.uris[1])
    assert loaded(listener, early.maps[0]) == INIT.data
    # Parts are listed of the last three whole segments and of the one that grows.
    assert len(late.parts) == 3 * 5 + 1


def test_parts_are_as_long_as_they_must_be(listener: Listener, stream: LiveStream) -> None:
    listener.add(stream, *chunks(INIT, 3.6))
    found = listed(listener)
    target = found.number("PART-TARGET")
    assert all(0.85 * target <= float(length) <= target for length, _, _ in found.parts)
    assert found.number("PART-HOLD-BACK") == pytest.approx(3 * target)
    assert "CAN-BLOCK-RELOAD=YES" in found.text
    assert [bool(one) for _, _, one in found.parts][:6] == [True, *[False] * 4, True]


def test_a_reload_waits_for_the_part_it_asks_for(
    listener: Listener, stream: LiveStream, pool: ThreadPoolExecutor
) -> None:
    media = chunks(INIT, 3)
    listener.add(stream, *media[:13])
    found = listed(listener)
    assert len(found.parts) == 13
    asked = waits(listener, pool, f"{LIST}&_HLS_msn={found.next}&_HLS_part=3")
    hint = waits(listener, pool, f"/live/{found.hints[0]}")
    listener.add(stream, media[13])
    status, body = asked.result(5)
    assert (status, len(Listed(body).parts)) == (200, 14)
    assert hint.result(5) == (200, media[13].data)
    assert "_HLS" not in body.decode()
    assert Listed(body).parts[-1][1] == found.hints[0]


def test_a_reload_for_a_whole_segment_waits_until_it_is_whole(
    listener: Listener, stream: LiveStream, pool: ThreadPoolExecutor
) -> None:
    media = chunks(INIT, 3)
    listener.add(stream, *media[:11])
    number = listed(listener).next
    asked = waits(listener, pool, f"{LIST}&_HLS_msn={number}")
    # One behind the last part of a segment is the first one of the next.
    behind = waits(listener, pool, f"{LIST}&_HLS_msn={number}&_HLS_part=5")
    listener.add(stream, *media[11:])
    assert not asked.done()
    assert not behind.done()
    listener.add(stream, chunks(INIT, 0.2)[0])
    for answer in (asked, behind):
        status, body = answer.result(5)
        assert (status, Listed(body).next) == (200, number + 1)


def test_a_reload_behind_the_end_of_a_push_waits_for_the_next_one(
    listener: Listener, stream: LiveStream, pool: ThreadPoolExecutor
) -> None:
    listener.add(stream, *chunks(INIT, 1.4))
    listener.do(stream.hls.discontinue)
    number = listed(listener).next
    asked = waits(listener, pool, f"{LIST}&_HLS_msn={number - 1}&_HLS_part=2")
    listener.add(stream, chunks(init("second"), 0.2)[0])
    assert Listed(asked.result(5)[1]).next == number


@pytest.mark.parametrize("ahead", [-2, -1])
def test_a_reload_for_what_is_there_is_answered_at_once(
    listener: Listener, stream: LiveStream, ahead: int
) -> None:
    listener.add(stream, *chunks(INIT, 4.2, group=5))
    number = listed(listener).next + ahead
    for part in ("", "&_HLS_part=0", "&_HLS_part=4", "&_HLS_part=5"):
        assert listener.get(f"{LIST}&_HLS_msn={number}{part}")[0] == 200, part


def test_absurd_reloads_are_refused(listener: Listener, stream: LiveStream) -> None:
    listener.add(stream, *chunks(INIT, 2.2))
    number = listed(listener).next
    for query in (
        f"_HLS_msn={number + 2}",
        f"_HLS_msn={number}&_HLS_part=14",
        f"_HLS_msn={number + 1}&_HLS_part=13",
        "_HLS_part=1",
        "_HLS_msn=-1",
        "_HLS_msn=one",
        f"_HLS_msn={'9' * 400}",
    ):
        status, body, _ = listener.get(f"{LIST}&{query}")
        assert (status, bool(body)) == (400, True), query


def test_what_does_not_come_is_given_up(
    listener: Listener, stream: LiveStream, pool: ThreadPoolExecutor
) -> None:
    listener.add(stream, *chunks(INIT, 2.2))
    found = listed(listener)
    asked = waits(listener, pool, f"{LIST}&_HLS_msn={found.next}&_HLS_part=1")
    hint = waits(listener, pool, f"/live/{found.hints[0]}")
    assert asked.result(10)[0] == 503
    assert hint.result(10)[0] == 503
    assert listener.get("/live/s/p1.m4s")[0] == 404


def test_the_first_segment_is_waited_for(
    listener: Listener,
    stream: LiveStream,
    pool: ThreadPoolExecutor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = waits(listener, pool, LIST)
    listener.add(stream, *chunks(INIT, 1))
    assert not asked.done()
    listener.add(stream, chunks(INIT, 0.2)[0])
    status, body = asked.result(5)
    assert (status, len(Listed(body).uris)) == (200, 1)
    monkeypatch.setattr(hls, "FIRST_SEGMENT_SECONDS", 0.1)
    assert listener.get("/live/nobody.m3u8")[0] == 404


def test_another_push_is_a_discontinuity(listener: Listener, stream: LiveStream) -> None:
    second, third = init("second"), init("third")
    listener.do(stream.hls.discontinue)
    listener.add(stream, *chunks(INIT, 2.4))
    listener.do(stream.hls.discontinue)
    found = listed(listener)
    assert found.lengths == [1, 1, 0.4]
    assert "#EXT-X-DISCONTINUITY\n" not in found.text
    listener.add(stream, *chunks(second, 2))
    # A publisher that changes its picture in mid-stream begins a segment, whatever the time.
    last = chunks(third, 13.2)
    listener.add(stream, *last[:6])
    found = listed(listener)
    assert found.lengths == [1, 1, 0.4, 1, 1, 1]
    assert [loaded(listener, uri) for uri in found.maps] == [b"init", b"second", b"third"]
    order = re.findall(r"#EXT-X-(DISCONTINUITY\n|MAP)|(#EXTINF)", found.text)
    kinds = "".join((first or second)[0:1] for first, second in order)
    assert kinds == "M###DM##DM#"
    assert found.number("#EXT-X-DISCONTINUITY-SEQUENCE") == 0
    listener.add(stream, *last[6:])
    found = listed(listener)
    assert found.number("#EXT-X-DISCONTINUITY-SEQUENCE") == 2
    assert [loaded(listener, uri) for uri in found.maps] == [b"third"]
    # Of what left the window nothing is kept: 13 segments, their parts, one more part, one init.
    assert listener.do(lambda: len(stream.hls._files)) == 13 + 13 * 5 + 1 + 1  # noqa: SLF001  counts what is in memory


def test_the_end_is_told_to_all_who_wait(
    listener: Listener, stream: LiveStream, pool: ThreadPoolExecutor
) -> None:
    listener.add(stream, *chunks(INIT, 2.2))
    found = listed(listener)
    asked = waits(listener, pool, f"{LIST}&_HLS_msn={found.next}&_HLS_part=1")
    hint = waits(listener, pool, f"/live/{found.hints[0]}")
    listener.do(stream.hls.end)
    status, body = asked.result(2)
    assert (status, Listed(body).hints) == (200, [])
    assert body.endswith(b"\n#EXT-X-ENDLIST\n")
    assert Listed(body).lengths == [1, 1, 0.2]
    assert hint.result(2)[0] == 404
    assert listener.get(f"{LIST}&_HLS_msn={found.next + 99}")[0] == 200


def test_a_publisher_without_key_frames_cannot_fill_the_memory(
    listener: Listener, stream: LiveStream
) -> None:
    listener.add(stream, *chunks(INIT, 41, group=10**6))
    found = listed(listener)
    assert set(found.lengths) == {2.4}
    assert found.number("#EXT-X-TARGETDURATION") == 2
    assert "INDEPENDENT-SEGMENTS" not in found.text
    listener.add(stream, *chunks(INIT, 60, group=10**6, size=1_000_000))
    found = listed(listener)
    sizes = [len(loaded(listener, uri)) for uri in found.uris]
    assert 30_000_000 < sum(sizes) <= 64_000_000
    assert max(sizes) < 17_100_000
    held = listener.do(
        lambda: sum(len(data) for data in stream.hls._files.values() if isinstance(data, bytes))  # noqa: SLF001  counts what is in memory
    )
    assert held < 81_000_000


def test_uneven_seconds_are_still_segments(listener: Listener, stream: LiveStream) -> None:
    for _ in range(4):
        uneven = [
            MediaChunk(b"x", length, length == 190, INIT) for length in (190, 200, 200, 200, 190)
        ]
        uneven[-1] = MediaChunk(b"x", 190, is_independent=False, init=INIT)
        listener.add(stream, *uneven)
    assert listed(listener).lengths == [0.98] * 3


def test_viewers_are_counted_while_they_follow(
    listener: Listener, stream: LiveStream, monkeypatch: pytest.MonkeyPatch
) -> None:
    listener.add(stream, *chunks(INIT, 2.2))
    assert listener.do(lambda: stream.hls.viewers) == 0
    clients = [listener.client() for _ in range(3)]
    for _ in range(2):
        for client in clients:
            client.request("GET", LIST)
            assert client.getresponse().read()
    assert listener.do(lambda: stream.hls.viewers) == 3
    monkeypatch.setattr(hls, "VIEWER_TIMEOUT_SECONDS", 0)
    assert listener.do(lambda: stream.hls.viewers) == 0
    for client in clients:
        client.close()


def test_segments_are_dated_without_gaps(listener: Listener, stream: LiveStream) -> None:
    listener.add(stream, *chunks(INIT, 3.2))
    dates = re.findall(r"#EXT-X-PROGRAM-DATE-TIME:(\S+)", listed(listener).text)
    assert len(dates) == 4
    assert all(re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", one) for one in dates)
    seconds = [float(one[17:23]) for one in dates]
    steps = [(after - before) % 60 for before, after in pairwise(seconds)]
    assert steps == pytest.approx([1, 1, 1], abs=0.002)


@needs_ffmpeg
@pytest.mark.parametrize("kinds", ["va", "a"])
def test_ffmpeg_plays_what_was_published(listener: Listener, tmp_path: Path, kinds: str) -> None:
    source = ffmpeg.source(tmp_path / "source.flv", seconds=5, video="v" in kinds)
    stream = listener.stream("real")
    listener.add(stream, *flv.packed(flv.read(source)))
    found = listed(listener, "/live/real.m3u8")
    assert found.lengths == pytest.approx([1] * len(found.lengths), abs=0.2)
    listener.do(stream.hls.end)
    played = tmp_path / "played.mkv"
    ffmpeg.run("-i", f"{listener.url}/live/real.m3u8?{SIGNED}", "-c", "copy", str(played))
    for kind in kinds:
        assert ffmpeg.payload(played, kind) == ffmpeg.payload(source, kind)
