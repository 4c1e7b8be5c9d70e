"""Several streams on one connection, one after the other; and every command is answered."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from homeroom.media.engine.amf0 import Value, encode
from homeroom.media.engine.chunks import COMMAND, COMMAND_AMF3, encode_message
from homeroom.media.engine.packets import AUDIO, VIDEO
from tests.support.engine import running_engine, until
from tests.support.flv import AVC_HEADER
from tests.support.rtmp import Listener, Peer, StubPublication, listening

STARTED: Final = "NetStream.Publish.Start"
KEY: Final = b"\x17\1\0\0\0\0\0\0\2\x65\x88"


@pytest.fixture(scope="module")
def listener() -> Iterator[Listener]:
    with listening() as listener:
        yield listener


def publications(listener: Listener, name: str) -> list[StubPublication]:
    return [one for one in listener.hub.publications if one.client.stream == name]


def again(peer: Peer, name: str) -> tuple[str, str]:
    """Publish on a connection that has published before."""
    peer.call("createStream", None)
    peer.call("publish", None, name, "live")
    return peer.status()


@pytest.mark.parametrize(
    "end",
    [
        ["deleteStream"],
        ["closeStream"],
        ["FCUnpublish"],
        ["FCUnpublish", "deleteStream"],
        ["FCUnpublish", "closeStream", "deleteStream"],
    ],
    ids=" and ".join,
)
def test_a_second_publish_on_the_same_connection(listener: Listener, end: list[str]) -> None:
    """Case M8: it is a publish session of its own, with a permission of its own."""
    name = f"again {' '.join(end)}"
    with Peer(listener.port) as peer:
        assert peer.publish(name)[0] == STARTED
        for turn in range(3):
            peer.send(encode_message(VIDEO, 40 * turn, KEY))
            for command in end:
                peer.call(command, None, 1)
            # What was under way belongs to no stream.
            peer.send(encode_message(VIDEO, 0, KEY))
            assert peer.status()[0] == "NetStream.Unpublish.Success"
            assert again(peer, name)[0] == STARTED
        peer.ping()
        sessions = publications(listener, name)
    assert [one.taken for one in sessions] == [[(VIDEO, 40 * turn, KEY)] for turn in range(3)] + [
        []
    ]
    assert [one.is_over for one in sessions[:3]] == [True] * 3
    assert len({one.client.id for one in sessions}) == 4
    until(lambda: sessions[3].is_over)


def test_the_second_publish_may_be_another_stream_or_denied(listener: Listener) -> None:
    with Peer(listener.port) as peer:
        peer.publish("first of two")
        peer.call("deleteStream", None, 1)
        peer.status()
        assert again(peer, "second of two")[0] == STARTED
        peer.call("deleteStream", None, 1)
        peer.status()
        assert again(peer, "third?denied") == ("NetStream.Publish.Denied", "the class is over")
        assert peer.is_ended()


@pytest.mark.parametrize("verb", ["publish", "play"])
def test_a_second_stream_at_the_same_time_is_an_error_at_once(
    listener: Listener, verb: str
) -> None:
    """Case M8: and the first one is not disturbed by it."""
    with Peer(listener.port) as peer:
        peer.publish(f"once {verb}")
        peer.call("createStream", None)
        peer.call(verb, None, "another")
        code, reason = peer.status()
        assert (
            code == {"publish": "NetStream.Publish.BadName", "play": "NetStream.Play.Failed"}[verb]
        )
        assert "has a stream already" in reason
        peer.send(encode_message(VIDEO, 7, KEY))
        peer.ping()
        publication = listener.published(f"once {verb}")
        assert (publication.taken, publication.is_over) == ([(VIDEO, 7, KEY)], False)
    assert "another" not in listener.hub.streams


def test_a_peer_may_play_after_it_has_published_and_publish_again(listener: Listener) -> None:
    with Peer(listener.port) as other, Peer(listener.port) as peer:
        other.publish("to be seen")
        other.send(encode_message(VIDEO, 0, AVC_HEADER) + encode_message(VIDEO, 0, KEY))
        other.ping()
        peer.publish("before")
        peer.call("deleteStream", None, 1)
        assert peer.status()[0] == "NetStream.Unpublish.Success"
        peer.call("createStream", None)
        peer.call("play", None, "to be seen")
        assert peer.status()[0] == "NetStream.Play.Reset"
        assert peer.until(VIDEO).body == AVC_HEADER
        assert peer.until(VIDEO).body == KEY
        peer.call("closeStream", None)
        while (code := peer.status()[0]) != "NetStream.Play.Stop":
            assert code == "NetStream.Play.Start"
        until(lambda: not len(listener.hub.streams["to be seen"].rtmp))
        assert [one.stream for one in listener.hub.left] == ["to be seen"]
        assert again(peer, "after")[0] == STARTED


def test_what_is_allowed_without_publishing_begins_anew_after_each_stream(
    listener: Listener,
) -> None:
    with Peer(listener.port) as peer:
        peer.publish("much")
        peer.send(encode_message(AUDIO, 0, b"\xaf\1" + bytes(60_000)) * 20)
        peer.call("deleteStream", None, 1)
        peer.status()
        peer.send(encode_message(AUDIO, 0, bytes(60_000)) * 3)
        peer.ping()
        peer.send(encode_message(AUDIO, 0, bytes(60_000)) * 3)
        assert "too many bytes" in peer.status()[1]
        assert peer.is_ended()


def test_every_numbered_command_is_answered(listener: Listener) -> None:
    """Case M8: also those about a stream that is over, and those that nobody knows."""
    names = (
        *(
            "releaseStream",
            "FCPublish",
            "createStream",
            "_checkbw",
            "getStreamLength",
            "seek",
            "pause",
        ),
        *("FCUnpublish", "deleteStream", "closeStream", "receiveAudio", "whatever"),
    )
    with Peer(listener.port) as peer:
        peer.connect()
        for number, name in enumerate(names, 2):
            peer.call(name, None, "x")
            if name == "pause":
                assert peer.status()[0] == "NetStream.Pause.Notify"
            assert peer.answer()[:2] == ["_result", float(number)]
        # A number of 0 wants no answer.
        peer.send(encode_message(COMMAND, 0, encode("deleteStream", 0, None, 1)))
        assert peer.ping() == b"\0\7ping"


def test_values_that_no_command_needs_are_not_judged(listener: Listener) -> None:
    """Case M9: a running stream does not end by what it does not need."""
    deep: Value = 1.0
    for _ in range(100):
        deep = {"a": [deep]}
    odd = [encode(deep), encode(["x"] * 9000), b"\x11\x0a\x0b\1", b"\x0e", b"\x02\0\5ab"]
    with Peer(listener.port) as peer:
        peer.connect()
        call = encode("publish", 4, None, "odd values", "live", deep)
        peer.send(encode_message(COMMAND, 0, call + odd[2]))
        assert peer.status()[0] == STARTED
        for number, value in enumerate(odd, 7):
            for kind, start in ((COMMAND, b""), (COMMAND_AMF3, b"\0"), (COMMAND_AMF3, b"")):
                call = start + encode("setStats", number, None) + value
                peer.send(encode_message(kind, 0, call))
                assert peer.answer()[:2] == ["_result", float(number)]
        assert not listener.published("odd values").is_over


def test_a_second_publish_is_a_second_clip(tmp_path: Path) -> None:
    """Case M8: the API is asked anew, and each stream is reported."""
    with running_engine(tmp_path / "engine") as engine:
        with Peer(engine.rtmp_port) as peer:
            assert peer.publish("name?sign=1")[0] == STARTED
            for turn in (1, 2):
                for kind, time, body in (
                    (VIDEO, 0, AVC_HEADER),
                    *((VIDEO, 40 * number, KEY) for number in range(30)),
                ):
                    peer.send(encode_message(kind, time, body))
                peer.call("deleteStream", None, 1)
                assert peer.status()[0] == "NetStream.Unpublish.Success"
                engine.hooks.wait("on_dvr", turn)
                if turn == 1:
                    assert again(peer, "name?sign=1")[0] == STARTED
        engine.hooks.wait("on_unpublish", 2)
        asked = engine.hooks.of("on_publish")
        clips = engine.hooks.of("on_dvr")
    assert [one["param"] for one in asked] == ["?sign=1"] * 2
    assert len({one["client_id"] for one in asked}) == 2
    assert len({one["file"] for one in clips}) == 2
    assert [one["duration"] for one in clips] == [1200, 1200]
