"""RTMP, spoken with ffmpeg and with peers that say odd things."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from homeroom.media.engine.amf0 import encode
from homeroom.media.engine.chunks import (
    ACKNOWLEDGEMENT,
    AGGREGATE,
    COMMAND,
    COMMAND_AMF3,
    DATA_AMF3,
    WINDOW_SIZE,
    RTMPMessage,
    encode_message,
)
from homeroom.media.engine.packet_parser import PacketParser
from homeroom.media.engine.packets import AUDIO, SCRIPT, VIDEO
from tests.support import ffmpeg, flv
from tests.support.engine import until
from tests.support.ffmpeg import FFMPEG, needs_ffmpeg
from tests.support.rtmp import SHAKE, Listener, Peer, listening

QUERY: Final = "txSecret=f85a2ab363fe4deaffef9754d79da6fe&txTime=5c271099"
AVC_HEADER: Final = b"\x17\0\0\0\0\1avcC"
KEY: Final = b"\x17\1\0\0\0key"
INTER: Final = b"\x27\1\0\0\0inter"
AAC_HEADER: Final = b"\xaf\0\x12\x10"
SOUND: Final = b"\xaf\1sound"
LATE: Final = 0x1234567


@pytest.fixture(scope="module")
def listener() -> Iterator[Listener]:
    with listening() as listener:
        yield listener


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ffmpeg.source(tmp_path_factory.mktemp("source") / "source.flv", seconds=4, b_frames=2)


def frames(messages: list[tuple[int, int, bytes]]) -> list[tuple[int, int, bytes]]:
    """Return what is picture or sound and carries something."""
    parser = PacketParser()
    return [one for one in messages if one[0] != SCRIPT and parser.parse(*one) is not None]


@needs_ffmpeg
def test_ffmpeg_publishes_and_nothing_is_changed(listener: Listener, source: Path) -> None:
    url = f"{listener.url}/whole?{QUERY}"
    _, said = ffmpeg.push(source, url, realtime=False).communicate(timeout=ffmpeg.PATIENCE)
    assert not said
    publication = listener.published("whole")
    until(lambda: publication.is_over)
    assert publication.client.param == f"?{QUERY}"
    assert publication.client.app == "live"
    assert publication.client.ip == "127.0.0.1"
    assert publication.taken[0][0] == SCRIPT
    assert publication.taken[0][2].startswith(encode("onMetaData"))
    sent = [(one.kind, one.time, one.body) for one in flv.read(source)]
    # ffmpeg numbers the first picture anew where pictures are reordered, so times are compared
    # as steps.
    got = frames(publication.taken)
    assert [(kind, body) for kind, _, body in got] == [(kind, body) for kind, _, body in sent]
    assert [time - got[2][1] for _, time, _ in got[2:]] == [
        time - sent[2][1] for _, time, _ in sent[2:]
    ]


@needs_ffmpeg
def test_ffmpeg_plays_to_the_end_what_ffmpeg_publishes(
    listener: Listener, source: Path, tmp_path: Path
) -> None:
    publisher = ffmpeg.push(source, f"{listener.url}/watched")
    until(lambda: listener.published("watched").stream.cache.gop)
    seen = tmp_path / "seen.flv"
    player = subprocess.Popen(
        [FFMPEG, "-v", "error", "-i", f"{listener.url}/watched", "-c", "copy", str(seen)],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    publisher.communicate(timeout=ffmpeg.PATIENCE)
    listener.call(listener.hub.streams["watched"].rtmp.end)
    _, said = player.communicate(timeout=ffmpeg.PATIENCE)
    assert (player.returncode, said) == (0, b"")
    assert {one["codec_name"] for one in ffmpeg.probe(seen)["streams"]} == {"h264", "aac"}
    assert ffmpeg.plays(seen) == ""
    sent = {one.body for one in flv.read(source)}
    shown = [one.body for one in flv.read(seen)]
    assert len(shown) > 100
    assert set(shown) <= sent
    until(lambda: any(client.stream == "watched" for client in listener.hub.left))


@needs_ffmpeg
@pytest.mark.parametrize(
    ("address", "codecs", "reason"),
    [
        ("live/refused?denied=1", "copy", "the class is over"),
        ("school/x", "copy", "the address ends in /live/ and a key"),
        ("live/odd", "mp3", "the sound is MP3; only AAC is taken"),
        ("live/old", "flv1", "the picture is H.263; only H.264 is taken"),
    ],
    ids=["not allowed", "wrong application", "wrong sound", "wrong picture"],
)
def test_a_publisher_reads_why_it_is_refused(
    listener: Listener, source: Path, address: str, codecs: str, reason: str
) -> None:
    url = f"rtmp://127.0.0.1:{listener.port}/{address}"
    kind = "-c:a" if codecs == "mp3" else "-c:v"
    coder = "libmp3lame" if codecs == "mp3" else codecs
    _, said = ffmpeg.push(source, url, kind, coder).communicate(timeout=ffmpeg.PATIENCE)
    assert reason in said.decode()


@needs_ffmpeg
def test_a_player_reads_why_it_is_refused(listener: Listener) -> None:
    with pytest.raises(AssertionError, match="the class is over"):
        ffmpeg.run("-i", f"{listener.url}/x?denied=1", "-f", "null", "-")


def test_the_opening_is_answered(listener: Listener) -> None:
    with Peer(listener.port) as peer:
        assert peer.opening[:9] == b"\3" + bytes(8)
        assert peer.opening[1 + SHAKE + 8 :][:1280] == bytes(range(256)) * 5
        answer = peer.connect(objectEncoding=3)
        assert answer[:2] == ["_result", 1.0]
        assert answer[3]["code"] == "NetConnection.Connect.Success"
        assert answer[3]["objectEncoding"] == 0


def test_an_opening_in_small_pieces(listener: Listener) -> None:
    with Peer(listener.port, shake=False) as peer:
        whole = b"\3" + bytes(SHAKE)
        for at in range(0, len(whole), 200):
            peer.send(whole[at : at + 200])
        peer.read(1 + 2 * SHAKE)
        # The last of it comes together with the first command.
        body = encode("connect", 1, {"app": "live/"})
        peer.send(bytes(SHAKE) + encode_message(COMMAND, 0, body, 0))
        assert peer.answer()[0] == "_result"


@pytest.mark.parametrize(
    ("name", "app", "url", "param"),
    [
        ("a?k=1", "live", "rtmp://h/live", "?k=1"),
        ("b", "live?k=2", "rtmp://h/live", "?k=2"),
        ("c", "live", "rtmp://h/live?k=3", "?k=3"),
        ("d?k=1", "live?k=2", "rtmp://h/live?k=3", "?k=1"),
        ("e", "/live/", "rtmp://h/live/", ""),
    ],
)
def test_where_a_signature_may_stand(
    listener: Listener, name: str, app: str, url: str, param: str
) -> None:
    with Peer(listener.port) as peer:
        peer.connect(app, tcUrl=url)
        peer.call("publish", None, name, "live")
        assert peer.status()[0] == "NetStream.Publish.Start"
        client = listener.published(name[0]).client
        assert (client.stream, client.param, client.tc_url) == (name[0], param, url)


def test_calls_are_answered(listener: Listener) -> None:
    with Peer(listener.port) as peer:
        peer.connect()
        peer.call("releaseStream", None, "x", kind=COMMAND_AMF3)
        assert peer.answer() == ["_result", 2.0, None, None]
        peer.call("createStream", None)
        assert peer.answer() == ["_result", 3.0, None, 1.0]
        peer.call("getStreamLength", None, "x")
        assert peer.answer() == ["_result", 4.0, None, 0.0]
        peer.call("_checkbw", None)
        assert peer.answer() == ["_result", 5.0, None, None]
        peer.call("deleteStream", None, 1)
        assert peer.ping() == b"\0\7ping"


def test_what_is_published_arrives(listener: Listener) -> None:
    with Peer(listener.port) as peer:
        peer.publish("arrives")
        inner = b""
        for kind, time, body in ((VIDEO, LATE, INTER), (AUDIO, LATE + 5, SOUND)):
            low, high = (time & 0xFFFFFF).to_bytes(3, "big"), bytes((time >> 24,))
            tag = bytes((kind,)) + len(body).to_bytes(3, "big") + low + high + bytes(3) + body
            inner += tag + len(tag).to_bytes(4, "big")
        metadata = encode("onMetaData", {"width": 320})
        for kind, time, body in (
            (SCRIPT, 0, encode("@setDataFrame") + metadata),
            (DATA_AMF3, 1, b"\0" + metadata),
            (SCRIPT, 2, encode("onCuePoint", {})),
            (VIDEO, LATE, KEY),
            (AGGREGATE, 1000, inner),
            (VIDEO, 0xFFFFFFFF, b""),
        ):
            peer.send(encode_message(kind, time, body))
        peer.ping()
    publication = listener.published("arrives")
    until(lambda: publication.is_over)
    assert publication.taken == [
        (SCRIPT, 0, metadata),
        (SCRIPT, 1, metadata),
        (VIDEO, LATE, KEY),
        (VIDEO, 1000, INTER),
        (AUDIO, 1005, SOUND),
        (VIDEO, 0xFFFFFFFF, b""),
    ]
    assert publication.flushes


@pytest.mark.parametrize("name", ["FCUnpublish", "deleteStream", "closeStream"])
def test_a_publisher_says_that_it_is_done(listener: Listener, name: str) -> None:
    with Peer(listener.port) as peer:
        peer.publish(f"done-{name}")
        peer.call(name, None, 1)
        assert peer.status()[0] == "NetStream.Unpublish.Success"
        assert peer.answer()[0] == "_result"
        # Who is done closes the connection: GStreamer takes it ill when we do.
        assert listener.published(f"done-{name}").is_over
        peer.socket.settimeout(0.2)
        with pytest.raises(TimeoutError):
            peer.next()


def test_a_viewer_gets_headers_and_the_last_key_frame_first(listener: Listener) -> None:
    with Peer(listener.port) as publisher, Peer(listener.port) as viewer:
        publisher.publish("seen")
        for time, body in enumerate((AVC_HEADER, KEY, INTER, KEY, INTER)):
            publisher.send(encode_message(VIDEO, time, body))
        publisher.send(encode_message(AUDIO, LATE, AAC_HEADER))
        publisher.ping()
        assert viewer.play("seen")[0] == "NetStream.Play.Reset"
        assert viewer.status()[0] == "NetStream.Play.Start"
        assert viewer.until(SCRIPT).body.startswith(encode("|RtmpSampleAccess"))
        big = b"\x17\1\0\0\0" + bytes(150_000)
        publisher.send(encode_message(VIDEO, LATE, big))
        got = [viewer.next() for _ in range(5)]
        assert got == [
            RTMPMessage(VIDEO, 0, 1, AVC_HEADER),
            RTMPMessage(AUDIO, LATE, 1, AAC_HEADER),
            RTMPMessage(VIDEO, 3, 1, KEY),
            RTMPMessage(VIDEO, 4, 1, INTER),
            RTMPMessage(VIDEO, LATE, 1, big),
        ]
        listener.call(listener.hub.streams["seen"].rtmp.end)
        assert viewer.status()[0] == "NetStream.Play.UnpublishNotify"
        assert viewer.is_ended()
    until(lambda: [client for client in listener.hub.left if client.stream == "seen"])


def test_a_viewer_leaves(listener: Listener) -> None:
    with Peer(listener.port) as viewer:
        viewer.play("left")
        fanout = listener.hub.streams["left"].rtmp
        viewer.ping()
        assert len(fanout) == 1
        viewer.call("pause", None, True, 0)  # noqa: FBT003  as it is sent
        while viewer.status()[0] != "NetStream.Pause.Notify":
            pass
        viewer.call("closeStream", None)
        until(lambda: not len(fanout))
    until(lambda: [client for client in listener.hub.left if client.stream == "left"])


def test_receipt_is_acknowledged(listener: Listener) -> None:
    with Peer(listener.port) as peer:
        peer.publish("counted")
        peer.send(encode_message(WINDOW_SIZE, 0, (5000).to_bytes(4, "big"), 0))
        peer.ping()
        peer.send(encode_message(AUDIO, 0, b"\xaf\1" + bytes(6000)))
        seen = int.from_bytes(peer.until(ACKNOWLEDGEMENT).body, "big")
        assert 2 * SHAKE + 5000 < seen < 2 * SHAKE + 8000
