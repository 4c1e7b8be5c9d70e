"""RTMP, spoken with peers that break its rules, fall silent, or are cut."""

import random
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

import pytest

from homeroom.base.address_log import INTERVAL_SECONDS, AddressLog
from homeroom.media.engine import rtmp, rtmp_peer
from homeroom.media.engine.amf0 import Value, encode
from homeroom.media.engine.chunks import (
    AGGREGATE,
    COMMAND,
    COMMAND_AMF3,
    SET_CHUNK_SIZE,
    USER_CONTROL,
    encode_message,
)
from homeroom.media.engine.packets import AUDIO, SCRIPT, VIDEO
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
    monkeypatch.setattr(rtmp_peer, "HANDSHAKE_SECONDS", 0.3)
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
    """Case M9: the reason comes before the end, as an error of `connect` where it is the first."""
    with Peer(listener.port) as peer:
        for name, value in COMMANDS[case]:
            peer.call(name, value)
        if case == "twice connected":
            assert peer.answer()[0] == "_result"
            assert peer.status() == ("NetStream.Failed", "connected twice, or to nothing")
        else:
            error = peer.answer()
            assert error[:2] == ["_error", 1.0]
            assert error[3]["code"] == "NetConnection.Connect.Rejected"
            assert error[3]["description"]
        assert peer.is_ended()


WHY: Final[dict[str, tuple[bytes, str]]] = {
    "cut": (encode_message(COMMAND, 0, b"\2\0\xff", 0), "cut short"),
    "no name": (encode_message(COMMAND, 0, encode(None, 2), 0), "without a name"),
    "nothing": (encode_message(COMMAND, 0, b"", 0), "without a name"),
    "nothing in AMF3": (encode_message(COMMAND_AMF3, 0, b"", 0), "without a name"),
    "AMF3": (encode_message(COMMAND, 0, b"\x11\x0a", 0), "0x11"),
    "no chunk": (b"\xc5", "without a beginning"),
    "aggregate": (encode_message(AGGREGATE, 0, b"\x09\xff\xff\xff" + bytes(8)), "cut short"),
    "chatter": (encode_message(AUDIO, 0, bytes(5000)) * 100, "too many bytes"),
    "no chunk size": (encode_message(SET_CHUNK_SIZE, 0, bytes(4), 0), "no bytes"),
    "a large message": (encode_message(COMMAND, 0, bytes(70_000), 0), "70000 bytes; the limit"),
    "metadata of nobody": (encode_message(SCRIPT, 0, bytes(70_000), 0), "70000 bytes; the limit"),
}


@pytest.mark.parametrize("case", WHY)
def test_what_breaks_the_rules_ends_the_connection(
    listener: Listener, caplog: pytest.LogCaptureFixture, case: str
) -> None:
    """Case M9: the peer reads why, and the operator has a line above debug."""
    data, reason = WHY[case]
    with Peer(listener.port) as peer:
        peer.connect()
        peer.send(data)
        code, description = peer.status()
        assert (code, reason in description) == ("NetStream.Failed", True), description
        assert peer.is_ended()
    until(lambda: any(reason in record.getMessage() for record in caplog.records))


@pytest.mark.parametrize("case", ["cut", "no chunk", "no chunk size", "a large message"])
def test_what_breaks_the_rules_before_connect_is_an_error_of_connect(
    listener: Listener, case: str
) -> None:
    data, reason = WHY[case]
    with Peer(listener.port) as peer:
        peer.send(data)
        error = peer.answer()
        assert error[:2] == ["_error", 1.0]
        assert reason in error[3]["description"]
        assert peer.is_ended()


@pytest.mark.parametrize("case", ["cut", "no chunk", "aggregate", "no chunk size"])
def test_a_publisher_who_breaks_the_rules_reads_why(
    listener: Listener, caplog: pytest.LogCaptureFixture, case: str
) -> None:
    data, reason = WHY[case]
    with Peer(listener.port) as peer:
        peer.publish(f"bad {case}")
        # What is under way meanwhile must not wipe the reason out.
        peer.send(data + encode_message(VIDEO, 0, bytes(1_000_000)))
        code, description = peer.status()
        assert (code, reason in description) == ("NetStream.Publish.Rejected", True), description
        assert peer.is_ended()
    until(lambda: listener.published(f"bad {case}").is_over)
    (line,) = [record for record in caplog.records if reason in record.getMessage()]
    assert (line.levelname, line.__dict__["stream"]) == ("WARNING", f"bad {case}")


def test_a_frame_that_is_too_large_is_refused_with_the_limit(listener: Listener) -> None:
    with Peer(listener.port) as peer:
        peer.publish("huge")
        with suppress(ConnectionError):
            peer.send(encode_message(VIDEO, 0, bytes(4_000_001)))
        assert peer.status() == (
            "NetStream.Publish.Rejected",
            "a message has 4000001 bytes; the limit is 4000000",
        )


def test_lines_about_one_address_are_limited(caplog: pytest.LogCaptureFixture) -> None:
    now = 0.0
    refusals = AddressLog(lambda: now, logger="homeroom.media.rtmp", max_lines=3)
    for address in ("192.0.2.1", "192.0.2.2"):
        for number in range(9):
            refusals.record(f"peer_refused: {number}", address, {})
    assert caplog.messages == [f"peer_refused: {number}" for number in (0, 1, 2)] * 2
    now = INTERVAL_SECONDS
    refusals.record("peer_refused: later", "192.0.2.1", {})
    assert caplog.messages[-1] == "peer_refused: later"


def test_another_protocol_is_not_answered(
    listener: Listener, caplog: pytest.LogCaptureFixture
) -> None:
    with Peer(listener.port, shake=False) as peer:
        peer.send(b"GET / HTTP/1.1\r\n\r\n")
        assert peer.is_ended()
    until(lambda: any("no RTMP" in record.getMessage() for record in caplog.records))


def test_a_peer_that_reads_nothing_is_given_up(listener: Listener) -> None:
    with Peer(listener.port) as peer:
        peer.publish("deaf")
        pings = encode_message(USER_CONTROL, 0, b"\0\6ping", 0) * 1_000_000
        with pytest.raises(ConnectionError):
            peer.send(pings)
    until(lambda: listener.published("deaf").is_over)


@pytest.mark.parametrize("stage", ["nothing", "opening", "connected", "over"])
def test_a_peer_that_goes_no_further_is_given_up(
    listener: Listener, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    monkeypatch.setattr(rtmp_peer, "HANDSHAKE_SECONDS", 0.3)
    with Peer(listener.port, shake=stage != "nothing") as peer:
        peer.socket.settimeout(5)
        if stage == "connected":
            peer.connect()
        if stage == "over":
            peer.publish("over soon")
            peer.call("deleteStream", None, 1)
            assert peer.status()[0] == "NetStream.Unpublish.Success"
        if stage == "opening":
            assert "nothing was published" in peer.answer()[3]["description"]
        elif stage != "nothing":
            assert "nothing was published" in peer.status()[1]
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
