"""RTMP, spoken with peers that break its rules, fall silent, or are cut."""

import random
from collections.abc import Iterator
from typing import Final

import pytest

from homeroom.media.engine import rtmp
from homeroom.media.engine.amf0 import Value, encode
from homeroom.media.engine.chunks import (
    AGGREGATE,
    COMMAND,
    COMMAND_AMF3,
    USER_CONTROL,
    encode_message,
)
from homeroom.media.engine.packets import AUDIO, VIDEO
from tests.support.engine import until
from tests.support.rtmp import Listener, Peer, listening

AVC_HEADER: Final = b"\x17\0\0\0\0\1avcC"
KEY: Final = b"\x17\1\0\0\0key"
INTER: Final = b"\x27\1\0\0\0inter"
SOUND: Final = b"\xaf\1sound"


@pytest.fixture(scope="module")
def listener() -> Iterator[Listener]:
    with listening() as listener:
        yield listener


def test_a_push_is_cut_and_told_why(listener: Listener) -> None:
    with Peer(listener.port) as peer:
        peer.publish("cut")
        publication = listener.published("cut")
        listener.call(publication.cut, "the class has ended")
        # What is under way meanwhile must not wipe the reason out.
        for _ in range(100):
            peer.send(encode_message(VIDEO, 0, INTER))
        assert peer.status() == ("NetStream.Publish.Denied", "the class has ended")
        assert peer.is_ended()
    until(lambda: publication.is_over)


def test_nothing_is_read_while_permission_is_asked(listener: Listener) -> None:
    listener.call(listener.hub.patience.clear)
    with Peer(listener.port) as peer:
        peer.connect()
        peer.call("publish", None, "asked", "live")
        peer.send(encode_message(VIDEO, 7, KEY))
        peer.socket.settimeout(0.2)
        with pytest.raises(TimeoutError):
            peer.ping()
        peer.socket.settimeout(10)
        listener.call(listener.hub.patience.set)
        assert peer.status()[0] == "NetStream.Publish.Start"
        peer.ping()
        assert listener.published("asked").taken == [(VIDEO, 7, KEY)]


def test_a_publisher_who_leaves_while_permission_is_asked_holds_nothing(
    listener: Listener,
) -> None:
    listener.call(listener.hub.patience.clear)
    with Peer(listener.port) as peer:
        peer.connect()
        peer.call("publish", None, "gone", "live")
    listener.call(listener.hub.patience.set)
    until(lambda: listener.published("gone").is_over)


def test_permission_that_comes_too_late_holds_nothing(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rtmp, "HANDSHAKE_SECONDS", 0.3)
    listener.call(listener.hub.patience.clear)
    with Peer(listener.port) as peer:
        peer.connect()
        peer.call("publish", None, "late", "live")
        peer.socket.settimeout(5)
        assert peer.is_ended()
    listener.call(listener.hub.patience.set)
    with Peer(listener.port) as peer:
        peer.publish("in time")
        names = {one.client.stream for one in listener.hub.publications}
    assert "in time" in names
    assert "late" not in names


def test_many_messages_at_once_are_all_taken(listener: Listener) -> None:
    with Peer(listener.port) as peer:
        peer.publish("many")
        peer.send(b"".join(encode_message(AUDIO, time, SOUND) for time in range(5000)))
        peer.ping()
        assert [time for _, time, _ in listener.published("many").taken] == list(range(5000))


@pytest.mark.parametrize(
    "name", ["", "x" * 2000, None, 5.0], ids=["empty", "long", "none", "number"]
)
@pytest.mark.parametrize("verb", ["publish", "play"])
def test_names_that_no_stream_has(listener: Listener, verb: str, name: str | float | None) -> None:
    with Peer(listener.port) as peer:
        peer.connect()
        peer.call(verb, None, name)
        code = {"publish": "NetStream.Publish.BadName", "play": "NetStream.Play.Failed"}[verb]
        assert peer.status()[0] == code
        assert peer.is_ended()


COMMANDS: Final[dict[str, list[tuple[str, Value]]]] = {
    "twice connected": [("connect", {"app": "live"}), ("connect", {"app": "live"})],
    "not connected": [("publish", None)],
    "connected to nothing": [("connect", None)],
    "no application": [("connect", {"tcUrl": "x"})],
    "a long application": [("connect", {"app": "live?" + "x" * 2000})],
}


@pytest.mark.parametrize("case", COMMANDS)
def test_commands_out_of_order_end_the_connection(listener: Listener, case: str) -> None:
    with Peer(listener.port) as peer:
        for name, value in COMMANDS[case]:
            peer.call(name, value)
        assert peer.is_ended()


@pytest.mark.parametrize("verb", ["publish", "play"])
def test_a_connection_is_for_one_stream(listener: Listener, verb: str) -> None:
    with Peer(listener.port) as peer:
        peer.publish(f"once-{verb}")
        peer.call(verb, None, "another")
        assert peer.is_ended()
    until(lambda: listener.published(f"once-{verb}").is_over)


@pytest.mark.parametrize(
    "data",
    [
        encode_message(COMMAND, 0, b"\2\0\xff", 0),
        encode_message(COMMAND, 0, encode(1, 2), 0),
        encode_message(COMMAND, 0, b"", 0),
        encode_message(COMMAND_AMF3, 0, b"", 0),
        b"\xc5",
        encode_message(AGGREGATE, 0, b"\x09\xff\xff\xff" + bytes(8)),
        encode_message(AUDIO, 0, bytes(5000)) * 100,
    ],
    ids=["cut", "no name", "nothing", "nothing in AMF3", "no chunk", "aggregate", "chatter"],
)
def test_what_breaks_the_rules_ends_the_connection(listener: Listener, data: bytes) -> None:
    with Peer(listener.port) as peer:
        peer.connect()
        peer.send(data)
        assert peer.is_ended()


def test_another_protocol_is_not_answered(listener: Listener) -> None:
    with Peer(listener.port, shake=False) as peer:
        peer.send(b"GET / HTTP/1.1\r\n\r\n")
        assert peer.is_ended()


def test_a_peer_that_reads_nothing_is_given_up(listener: Listener) -> None:
    with Peer(listener.port) as peer:
        peer.publish("deaf")
        pings = encode_message(USER_CONTROL, 0, b"\0\6ping", 0) * 1_000_000
        with pytest.raises(ConnectionError):
            peer.send(pings)
    until(lambda: listener.published("deaf").is_over)


@pytest.mark.parametrize("stage", ["nothing", "opening", "connected"])
def test_a_peer_that_goes_no_further_is_given_up(
    listener: Listener, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    monkeypatch.setattr(rtmp, "HANDSHAKE_SECONDS", 0.3)
    with Peer(listener.port, shake=stage != "nothing") as peer:
        if stage == "connected":
            peer.connect()
        peer.socket.settimeout(5)
        assert peer.is_ended()


def test_a_silent_publisher_is_cut(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rtmp, "SILENCE_SECONDS", 0.3)
    with Peer(listener.port) as peer:
        peer.publish("silent")
        peer.socket.settimeout(5)
        assert peer.status()[0] == "NetStream.Publish.Denied"
        assert peer.is_ended()
    until(lambda: listener.published("silent").is_over)


def test_noise_disturbs_nobody(listener: Listener) -> None:
    dice = random.Random(3)
    with Peer(listener.port) as publisher, Peer(listener.port) as viewer:
        publisher.publish("calm")
        publisher.send(encode_message(VIDEO, 0, AVC_HEADER))
        publisher.ping()
        viewer.play("calm")
        for turn in range(300):
            with Peer(listener.port, shake=turn % 3 > 0) as noise:
                if turn % 3 == 2:
                    noise.connect()
                good = bytearray(encode_message(COMMAND, 0, encode("play", 1, None, "calm"), 0))
                for _ in range(dice.randrange(1, 4)):
                    good[dice.randrange(len(good))] = dice.randrange(256)
                noise.send(bytes(good) + dice.randbytes(dice.randrange(200)))
        publisher.send(encode_message(VIDEO, 40, KEY))
        while viewer.until(VIDEO).body != KEY:
            pass
        assert not listener.published("calm").is_over
