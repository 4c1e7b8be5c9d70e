"""HTTP-FLV as players meet it, and what viewers and peers that misbehave cannot do to others."""

import random
import socket
from typing import Final

import pytest

from homeroom.media.engine import flv, http
from homeroom.media.engine.packets import Packet
from tests.support.listening import (
    Listener,
    chunks,
    exchanged,
    first_segment,
    init,
    is_dropped,
    publish,
    sound,
    sound_header,
    unpacked,
    until,
    watching,
)

LIST: Final = "/live/s.m3u8"
HEADER: Final = b"FLV\x01\x04\0\0\0\x09\0\0\0\0"
"""That of a stream with sound alone."""


@pytest.fixture
def listener(running: Listener) -> Listener:
    """Give the listener with one stream that runs, and nothing asked yet."""
    running.fresh()
    running.add(running.stream("s"), *chunks(init(), 3.2))
    return running


def test_flv_is_sent_as_it_comes(listener: Listener) -> None:
    stream = listener.stream("s")
    publish(listener, stream, sound_header(), sound(0))
    players = [watching(listener) for _ in range(2)]
    frames = [sound(time, b"frame %d" % time) for time in (0, 23, 0xFFFFFF, 0x1FFFFFE, 0xFFFFFFFF)]
    publish(listener, stream, *frames)
    listener.do(stream.end)
    for peer, response in players:
        assert response.status == 200
        assert response.getheader("Content-Type") == "video/x-flv"
        assert response.getheader("Connection") == "close"
        assert response.getheader("Access-Control-Allow-Origin") == "*"
        assert response.getheader("Content-Length") is None
        assert unpacked(response.read()) == [
            (8, one.time, one.body) for one in [sound_header(), *frames]
        ]
        response.close()
        peer.close()
    until(lambda: listener.gone(2))


def test_only_the_tracks_that_are_there_are_promised(listener: Listener) -> None:
    stream = listener.stream("s")
    peer, response = watching(listener)
    publish(listener, stream, sound_header())
    publish(listener, stream, sound(0))
    assert response.read(len(HEADER)) == HEADER
    response.close()
    peer.close()
    until(lambda: listener.gone(1))


def test_a_long_tag_says_its_length() -> None:
    body = bytes(70_000)
    assert unpacked(HEADER + flv.encode_tag(Packet(9, 5, body))) == [(9, 5, body)]


def test_a_head_of_flv_is_answered_at_once(listener: Listener) -> None:
    answer = exchanged(listener, b"HEAD /live/s.flv HTTP/1.1\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 OK\r\nContent-Type: video/x-flv\r\n")
    assert answer.endswith(b"\r\n\r\n")


def test_a_viewer_who_leaves_or_talks_disturbs_nobody(listener: Listener) -> None:
    stream = listener.stream("s")
    publish(listener, stream, sound_header(), sound(0))
    (stays, response), (leaves, _), (talks, _) = (watching(listener) for _ in range(3))
    leaves.close()
    assert is_dropped(talks, bytes(200_000))
    talks.close()
    until(lambda: listener.do(lambda: len(stream.flv)) == 1)
    publish(listener, stream, sound(40))
    listener.do(stream.end)
    assert len(unpacked(response.read())) == 2
    response.close()
    stays.close()


def test_a_viewer_who_stands_still_disturbs_nobody(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "FULL_SECONDS", 0.3)
    monkeypatch.setattr(http, "HEAD_SECONDS", 0.1)
    stream = listener.stream("s")
    publish(listener, stream, sound_header(), sound(0))
    hangs, _ = watching(listener)
    stays, response = watching(listener)
    received = response.read(len(HEADER + flv.encode_tag(sound_header())))
    for time in range(60):
        frame = sound(time, bytes(250_000))
        publish(listener, stream, frame)
        received += response.read(len(flv.encode_tag(frame)))
    assert len(unpacked(received)) == 61
    # One who hangs is not waited for when the stream ends, either.
    assert listener.left() == 0
    listener.do(stream.end)
    until(lambda: listener.gone(2))
    response.close()
    hangs.close()
    stays.close()


def test_malformed_input_disturbs_nobody(listener: Listener) -> None:
    publish(listener, listener.stream("s"), sound_header(), sound(0))
    stays, response = watching(listener)
    mixed = random.Random(7)
    segment = first_segment(listener.get(LIST)[1])
    seeds = [
        b"GET /live/s.m3u8?txSecret=a&_HLS_msn=1&_HLS_part=2 HTTP/1.1\r\nHost: h\r\n\r\n",
        f"GET /live/{segment} HTTP/1.1\r\nRange: bytes=0-\r\n\r\n".encode(),
        b"GET /live/s.flv HTTP/1.0\r\nX-Forwarded-For: 1.2.3.4\r\nConnection: close\r\n\r\n",
        b"DELETE /api/v1/clients/1 HTTP/1.1\r\nAuthorization: Bearer x\r\n\r\n",
    ]
    for _ in range(400):
        data = bytearray(mixed.choice(seeds) * mixed.randint(1, 3))
        for _ in range(mixed.randint(1, 6)):
            at = mixed.randrange(len(data))
            change = mixed.randrange(3)
            if change == 0:
                data[at] = mixed.randrange(256)
            elif change == 1:
                del data[at : at + mixed.randint(1, 9)]
            else:
                data[at:at] = mixed.randbytes(mixed.randint(1, 40))
        with listener.connected() as peer:
            peer.sendall(data)
            if mixed.random() < 0.5:
                peer.shutdown(socket.SHUT_WR)
    publish(listener, listener.stream("s"), sound(40))
    listener.do(listener.stream("s").end)
    assert len(unpacked(response.read())) == 2
    assert listener.get(LIST)[0] == 200
    assert listener.trouble == []
    response.close()
    stays.close()
