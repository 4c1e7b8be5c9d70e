"""Input of hostile peers to the media engine: made of an honest session, or of nothing at all.

Everything here comes out of a `Random`, so that a number brings back the input it once made.
"""

import socket
import struct
import threading
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Final

from homeroom.media.engine.amf0 import encode
from homeroom.media.engine.chunks import (
    AGGREGATE,
    COMMAND,
    COMMAND_AMF3,
    DATA_AMF3,
    SET_CHUNK_SIZE,
    ChunkReader,
    RTMPMessage,
    encode_message,
)
from homeroom.media.engine.packets import AUDIO, SCRIPT, VIDEO
from tests.soak import odd_encoders
from tests.soak.odd_encoders import EDGES
from tests.support import ffmpeg
from tests.support.rtmp import CHUNKS, SHAKE

NAMES: Final = 24
"""Streams there are besides the one that must not be disturbed."""
MOST_FRAMES: Final = 60
OPENING: Final = b"\3" + bytes(2 * SHAKE)
NUMBERS: Final = ("0", "1", "-1", "1e9", "00", "999999999999", "9" * 40, "0x10", "%31", "", "NaN")


def record_session(source: Path, rtmp_port: int) -> list[RTMPMessage]:
    """Return what ffmpeg says when it publishes a file, as it passes through a proxy."""
    said = bytearray()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"rtmp://127.0.0.1:{listener.getsockname()[1]}/live/fuzz-0"
        publisher = ffmpeg.push(source, url, realtime=False)
        client, _ = listener.accept()
        with client, socket.create_connection(("127.0.0.1", rtmp_port)) as server:
            back = threading.Thread(target=_pass_on, args=(server, client, bytearray()))
            back.start()
            _pass_on(client, server, said)
            back.join()
    assert not publisher.complaints()
    reader, found = ChunkReader(), []
    reader.max_media_bytes = 1 << 24
    reader.feed(bytes(said[1 + 2 * SHAKE :]))
    while (one := reader.next()) is not None:
        if one.type != SET_CHUNK_SIZE:
            found.append(one)
    return found


def _pass_on(giver: socket.socket, taker: socket.socket, said: bytearray) -> None:
    with suppress(OSError):
        while data := giver.recv(65_536):
            said += data
            taker.sendall(data)
        taker.shutdown(socket.SHUT_WR)


class Peers:
    """Input to either listener."""

    def __init__(self, session: list[RTMPMessage]) -> None:
        """Take an honest session, which everything begins with."""
        is_media = [one.type in {AUDIO, VIDEO} for one in session]
        first = is_media.index(True)
        self._before = session[:first]
        self._media = [one for one, is_one in zip(session, is_media, strict=True) if is_one]
        self._headers = [one for one in self._media if one.body[1] == 0][:2]

    # --- RTMP ------------------------------------------------------------------------------------

    def rtmp(self, random: Random) -> bytes:
        """Return all that one peer sends to the RTMP listener."""
        ways = (
            *(self._flipped, self._cut, self._lying, self._shuffled, self._spoken, self._odd_kinds),
            *(self._broken_media, self._broken_media, self._broken_media, self._garbage),
            *(self._enhanced, self._described, self._again, self._rechunked),
        )
        return random.choice(ways)(random)

    def _pieces(self, random: Random, frames: int = MOST_FRAMES) -> list[bytes]:
        """Return an honest session under one of our names, cut into messages."""
        name = f"fuzz-{random.randrange(NAMES)}"
        start = random.choice((0, 0, random.randrange(len(self._media))))
        media = [*self._headers, *self._media[start : start + random.randrange(frames)]]
        before = [
            one._replace(body=one.body.replace(b"fuzz-0", name.encode())) for one in self._before
        ]
        return [OPENING, CHUNKS, *map(_written, before + media)]

    def _flipped(self, random: Random) -> bytes:
        data = bytearray(b"".join(self._pieces(random)))
        begin = random.choice((0, len(OPENING)))
        for _ in range(random.choice((1, 3, 30))):
            data[random.randrange(begin, len(data))] ^= 1 << random.randrange(8)
        return bytes(data)

    def _cut(self, random: Random) -> bytes:
        data = b"".join(self._pieces(random))
        at = random.randrange(len(data))
        rest = data[at + random.choice((1, 2, 11, 500)) :]
        return data[:at] + random.choice((b"", rest, random.randbytes(30) + rest))

    def _lying(self, random: Random) -> bytes:
        """Lie in the header of a message, or about the size of chunks."""
        pieces = self._pieces(random)
        place = random.randrange(2, len(pieces))
        if random.random() < 0.3:
            size = random.choice(EDGES).to_bytes(4, "big")
            pieces.insert(place, encode_message(SET_CHUNK_SIZE, 0, size, 0))
            return b"".join(pieces)
        lie = bytearray(pieces[place])
        at, width = random.choice(((0, 1), (1, 3), (4, 3), (7, 1), (8, 4)))
        value = random.choice((*EDGES, random.getrandbits(32)))
        lie[at : at + width] = (value & ((1 << 8 * width) - 1)).to_bytes(width, "big")
        pieces[place] = bytes(lie)
        return b"".join(pieces)

    def _shuffled(self, random: Random) -> bytes:
        pieces = self._pieces(random, 20)
        for _ in range(random.randrange(1, 5)):
            one, other = random.randrange(1, len(pieces)), random.randrange(1, len(pieces))
            moved = pieces[one] if random.random() < 0.3 else pieces.pop(one)
            if random.random() < 0.7:
                pieces.insert(other, moved)
        return b"".join(pieces)

    def _spoken(self, random: Random) -> bytes:
        """Say commands that make no sense, before or after those that do."""
        pieces = self._pieces(random, 5)
        for _ in range(random.randrange(1, 8)):
            kind = random.choice((COMMAND, COMMAND, COMMAND_AMF3, SCRIPT, 15, 16, 19))
            body = random.choice((b"", b"\0")) + _amf(random)
            pieces.insert(random.randrange(1, len(pieces) + 1), encode_message(kind, 0, body, 0))
        return b"".join(pieces)

    def _odd_kinds(self, random: Random) -> bytes:
        pieces = self._pieces(random)
        for _ in range(random.randrange(1, 20)):
            kind = random.choice((random.randrange(256), random.randrange(8), AGGREGATE))
            body = random.randbytes(random.choice((0, 1, 2, 4, 6, 40, 3000)))
            if kind == AGGREGATE and random.random() < 0.8:
                body = b"".join(_tag(random) for _ in range(random.choice((1, 5, 300))))
            odd = encode_message(kind, random.choice(EDGES), body, random.choice(EDGES))
            pieces.insert(random.randrange(2, len(pieces) + 1), odd)
        return b"".join(pieces)

    def _garbage(self, random: Random) -> bytes:
        noise = random.randbytes(random.choice((1, 100, 5000, 300_000)))
        begin = random.choice(
            (
                b"",
                b"\3",
                OPENING[:1000],
                OPENING,
                OPENING + CHUNKS,
                b"GET / HTTP/1.1\r\n\r\n",
                b"\6",
            )
        )
        return begin + noise

    def _broken_media(self, random: Random) -> bytes:
        """Publish rightly, and then what no decoder has seen."""
        pieces = self._pieces(random, 1)
        time = random.choice((0, 0, random.getrandbits(32)))
        for _ in range(random.randrange(2, MOST_FRAMES)):
            one = random.choice(self._media if random.random() < 0.8 else self._headers)
            time += random.choice((0, 1, 40, 40, 40, -40, 3000, -3000, 9999, 10_001, 1 << 31))
            body = bytearray(one.body)
            random.choice((_nothing, _bent, _bent_config, _short, _nal, _composed))(random, body)
            pieces.append(_written(RTMPMessage(one.type, time & 0xFFFFFFFF, 1, bytes(body))))
        return b"".join(pieces)

    def _enhanced(self, random: Random) -> bytes:
        """Publish by FourCC and in several tracks, now and then of another codec or bent."""
        pieces = self._pieces(random, 1)
        is_extended, form = random.random() < 0.9, random.randrange(5)
        for one in [*self._headers, *self._media[: random.randrange(MOST_FRAMES)]]:
            if len(one.body) <= 5 or not is_extended:
                continue
            body = bytearray(odd_encoders.extend(random, one.body, form))
            if random.random() < 0.1:
                random.choice((_bent, _short))(random, body)
            pieces.append(_written(one._replace(body=bytes(body))))
        return b"".join(pieces)

    def _described(self, random: Random) -> bytes:
        """Send metadata of any shape and size in the midst of a push."""
        pieces = self._pieces(random, 20)
        for _ in range(random.randrange(1, 4)):
            body = encode("onMetaData") + random.choice((b"\x08\0\0\0\0", b"\3", b"\x0a\0\0\0\2"))
            for _ in range(random.choice((0, 1, 5, 30))):
                body += b"\0\5width" + random.choice((odd_encoders.value(random), _amf(random)))
            body += random.choice((b"\0\0\x09", b"\0\0\x09", b"", b"\x11\x0a"))
            body = random.choice((b"", encode("@setDataFrame"))) + body
            kind = random.choice((SCRIPT, SCRIPT, DATA_AMF3))
            place = random.randrange(3, len(pieces) + 1)
            pieces.insert(place, encode_message(kind, 0, b"\0" * (kind == DATA_AMF3) + body))
        return b"".join(pieces)

    def _again(self, random: Random) -> bytes:
        """Publish several times on one connection, or forget to end the one before."""
        data = b"".join(self._pieces(random, 5))
        for number in range(random.randrange(1, 5)):
            for name in random.choices(("FCUnpublish", "deleteStream", "closeStream", "play"), k=2):
                data += encode_message(COMMAND, 0, encode(name, 20 + number, None, 1), 1)
            stream = f" /fuzz-{random.randrange(NAMES)}/ "
            data += encode_message(COMMAND, 0, encode("createStream", 30, None), 0)
            data += encode_message(COMMAND, 0, encode("publish", 31, None, stream, "live"), 1)
            sent = self._media[: random.randrange(5)]
            data += b"".join(map(_written, [*self._headers, *sent]))
        return data

    def _rechunked(self, random: Random) -> bytes:
        """Cut an honest session into chunks of a few bytes, some of them in turns."""
        data = b"".join(self._pieces(random, 1))
        return data + odd_encoders.rechunk(random, self._media[: random.randrange(1, 4)])

    # --- HTTP ------------------------------------------------------------------------------------

    def http(self, random: Random) -> bytes:
        """Return all that one peer sends to the media listener."""
        requests = b"".join(_request(random) for _ in range(random.choice((1, 1, 1, 3, 200))))
        data = bytearray(requests)
        if random.random() < 0.3:
            for _ in range(random.choice((1, 5))):
                data[random.randrange(len(data))] = random.randrange(256)
        if random.random() < 0.1:
            del data[random.randrange(len(data)) :]
        if random.random() < 0.05:
            return random.randbytes(random.choice((1, 100, 10_000, 300_000)))
        return bytes(data)


def _written(one: RTMPMessage) -> bytes:
    return encode_message(one.type, one.time, one.body, one.stream_id)


def _tag(random: Random) -> bytes:
    body = random.randbytes(random.choice((0, 1, 6, 50)))
    size = len(body) if random.random() < 0.9 else random.choice(EDGES) & 0xFFFFFF
    head = bytes((random.choice((AUDIO, VIDEO, SCRIPT, AGGREGATE)),)) + size.to_bytes(3, "big")
    return head + random.randbytes(7) + body + random.randbytes(4)


def _amf(random: Random) -> bytes:
    """Return values that a command might have, or should not."""
    name = random.choice(("connect", "publish", "play", "createStream", "onMetaData", "", "x" * 99))
    start = encode(random.choice((name, name, 5.0, None)), random.choice((1.0, 0.0, float("nan"))))
    if random.random() < 0.2:
        app, url = random.choice(("live", "", "../", "live?a=b")), "x" * random.choice((0, 2000))
        start = encode("connect", 1, {"app": app, "tcUrl": f"rtmp://h/live{url}"})
    deep = random.choice((b"\x03\0\1a", b"\x0a\0\0\0\1", b"\x08\0\0\0\1\0\1a"))
    parts = (
        encode({"app": "live"}),
        encode("fuzz-1?txSecret=denied"),
        encode("x" * random.choice((1, 1025, 60_000))),
        b"\x05",
        deep * random.choice((2, 9, 5000)),
        b"\x0a" + struct.pack(">I", random.choice(EDGES)) + b"\x05" * 50,
        b"\x02" + struct.pack(">H", random.choice((0, 5, 0xFFFF))) + b"ab",
        b"\x0c" + struct.pack(">I", random.choice(EDGES)) + b"ab",
        b"\x08\xff\xff\xff\xff\0\0\x09",
        b"\x00" + random.randbytes(8),
        random.randbytes(20),
        encode("\ufffd\0\n\u202e"),
    )
    return start + b"".join(random.choices(parts, k=random.randrange(4)))


def _nothing(_random: Random, _body: bytearray) -> None:
    """Leave a frame as it is."""


def _bent(random: Random, body: bytearray) -> None:
    for _ in range(random.choice((1, 4))):
        body[random.randrange(len(body))] = random.choice((0, 0xFF, random.randrange(256)))


def _bent_config(random: Random, body: bytearray) -> None:
    """Make a header of it whose sets or rates are nonsense."""
    if body[0] >> 4 == 10:
        body[1:] = b"\0" + random.randbytes(random.choice((1, 2, 5, 70)))
        return
    sps = b"\x67" + random.randbytes(random.choice((0, 3, 12, 600)))
    if random.random() < 0.5:  # a picture of absurd width: long codes of few bits
        sps = b"\x67\x42\0\x1e" + random.choice((b"\0", b"\xff", b"\0\0\3")) * 40 + sps
    size = len(sps) if random.random() < 0.8 else random.choice(EDGES) & 0xFFFF
    config = b"\1\x42\0\x1e\xff" + bytes((0xE0 | random.randrange(4),)) + size.to_bytes(2, "big")
    body[:] = b"\x17\0\0\0\0" + config + sps + random.choice((b"", b"\1\0\4\x68\xce\x3c\x80"))


def _short(random: Random, body: bytearray) -> None:
    del body[random.randrange(8) :]


def _nal(random: Random, body: bytearray) -> None:
    """Lie about the length of what is in a frame, or put nothing in it."""
    body[5:9] = random.choice(EDGES).to_bytes(4, "big")
    if random.random() < 0.3:
        body[5:] = bytes(4 * random.randrange(1, 5))


def _composed(random: Random, body: bytearray) -> None:
    body[2:5] = random.randbytes(3)


def _request(random: Random) -> bytes:
    name = random.choice(("class", "class", f"fuzz-{random.randrange(NAMES)}", "no", "x" * 3000))
    number = random.choice(NUMBERS)
    path = random.choice(
        (
            f"/live/{name}.m3u8",
            f"/live/{name}.flv",
            f"/live/{name}.m3u8?_HLS_msn={number}&_HLS_part={random.choice(NUMBERS)}",
            f"/live/{name}.m3u8?_HLS_part={number}",
            f"/live/{name}.m3u8?_HLS_skip={random.choice(('YES', 'v2', '', 'no'))}",
            f"/live/{name}.m3u8?txSecret=denied&txTime={number}",
            f"/live/{name}/s{number}.m4s",
            f"/live/{name}/p{random.getrandbits(40)}.m4s?txSecret={'a' * random.choice((1, 4000))}",
            f"/live/{name}/../../../../etc/passwd",
            "/live/%2e%2e/%2e%2e/etc/passwd.flv",
            "/../recordings/",
            "//live//class.flv",
            f"/live/{name}/",
            f"/api/v1/streams/?count={number}&start={number}",
            f"/api/v1/clients/{number}",
            "/api/v1/versions",
            "*",
            "http://class/live/class.m3u8",
        )
    )
    method = random.choice(
        ("GET", "GET", "GET", "HEAD", "OPTIONS", "POST", "DELETE", "CONNECT", "get", "", "G" * 999)
    )
    version = random.choice(("HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/2.0", ""))
    fields = (
        *("Host: h", "Host: ", "Host: " + "h" * 7000, "Connection: close", "Connection: Upgrade"),
        *(f"Range: bytes={number}-{random.choice(NUMBERS)}", "Range: bytes=" + "0-1," * 900),
        *(f"Content-Length: {number}", "Transfer-Encoding: chunked", "Expect: 100-continue"),
        *("X-Forwarded-For: ::1%\x7f\x01", "X-Forwarded-For: 1.2.3.4, " + "9" * 500),
        *("Authorization: Bearer ", "Authorization: Basic AAAA", "Authorization: \xe9\xff"),
        *("Cookie: " + "c" * 5000, ":", "no colon", " folded", "Nul: \0\0", "A: b\rC: d"),
    )
    chosen = random.choices(fields, k=random.randrange(4))
    end = random.choice(("\r\n", "\r\n", "\r\n", "\n", ""))
    lines = [f"{method} {path} {version}", *chosen]
    return "".join(f"{line}\r\n" for line in lines).encode("latin-1") + end.encode()
