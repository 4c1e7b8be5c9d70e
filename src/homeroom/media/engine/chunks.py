"""RTMP's chunks: how messages are cut up on the wire."""

from struct import Struct
from typing import Final, NamedTuple

from homeroom.media.engine.amf0 import Malformed
from homeroom.media.engine.packets import AUDIO, SCRIPT, VIDEO

SET_CHUNK_SIZE: Final = 1
ABORT: Final = 2
ACKNOWLEDGEMENT: Final = 3
USER_CONTROL: Final = 4
WINDOW_SIZE: Final = 5
PEER_BANDWIDTH: Final = 6
DATA_AMF3: Final = 15
COMMAND_AMF3: Final = 17
COMMAND: Final = 20
AGGREGATE: Final = 22
MEDIA: Final = frozenset({AUDIO, VIDEO, AGGREGATE})

OUT_CHUNK: Final = 60_000
"""Bytes of a chunk that we send."""
FIRST_CHUNK: Final = 128
"""Bytes of a chunk until the sender says otherwise."""
SMALLEST_CHUNK: Final = 128
"""With less, each byte would cost us more than its sender. No publisher goes below."""
BIGGEST_CHUNK: Final = 0xFFFFFF
MOST_STREAMS: Final = 64
"""Chunk streams of a connection."""
MOST_SMALL: Final = 64_000
"""Bytes of a message that is no media."""
MOST_MEDIA: Final = 4_000_000
"""Bytes of a message of a publisher."""

EXTENDED: Final = 0xFFFFFF
"""In the place of a time: it is too long for three bytes, and follows in four."""
WRAP: Final = 0xFFFFFFFF
SAME: Final = 3
"""The format of a chunk whose header is that of the one before."""
HEADER: Final = (11, 7, 3, 0)
"""Bytes of a message header by format."""
LONG: Final = Struct(">I")
FULL_HEADER: Final = Struct(">BHBHBB")
"""Chunk stream, time and length of three bytes each (one and two), type; then the stream id."""
STREAM_ID: Final = Struct("<I")
CHUNK_STREAMS: Final = {AUDIO: 4, VIDEO: 6, COMMAND: 3, SCRIPT: 5}
CONTROL: Final = 2


class Message(NamedTuple):
    """One message, whole."""

    type: int
    time: int
    """Milliseconds of the sender's clock, 32 bits."""
    stream_id: int
    body: bytes


class _Stream:
    """A chunk stream: the last header on it, and a message that is not whole yet."""

    __slots__ = ("body", "delta", "extended", "is_open", "length", "stream_id", "time", "type")

    def __init__(self) -> None:
        self.type = self.time = self.delta = self.length = self.stream_id = 0
        self.extended = b""
        self.is_open = False
        self.body = bytearray()


class Reader:
    """Makes messages of the bytes of a peer. At most a header is kept of what is not read yet."""

    def __init__(self) -> None:
        self.most_media = MOST_SMALL
        """Bytes of a media message; more for whoever may publish."""
        self._streams: dict[int, _Stream] = {}
        self._size = FIRST_CHUNK
        self._data = b""
        self._at = 0
        self._held = 0
        self._current: _Stream | None = None
        self._left = 0

    def feed(self, data: bytes) -> None:
        """Take what came from the peer."""
        self._data = self._data[self._at :] + data
        self._at = 0

    def next(self) -> Message | None:
        """Return the next message, or none until there is more; raises `Malformed`.

        What is about chunks is done here; it is returned like all else, so that whoever reads
        can count the work.
        """
        while (stream := self._current) is not None or (stream := self._header()) is not None:
            message = self._payload(stream)
            if message is not None:
                if message.type == SET_CHUNK_SIZE:
                    self._resize(message.body)
                elif message.type == ABORT:
                    self._abort(message.body)
                return message
            if self._current is not None:
                break
        return None

    def _header(self) -> _Stream | None:
        """Read the header of a chunk, once it is there; what it says of its stream is kept."""
        data, at = self._data, self._at
        have = len(data) - at
        if not have:
            return None
        first = data[at]
        form, number, at = first >> 6, first & 0x3F, at + 1
        if number < 2:  # noqa: PLR2004  the number follows in one or two bytes
            width = number + 1
            if have <= width:
                return None
            number = 64 + int.from_bytes(data[at : at + width], "little")
            at += width
        if len(data) < at + HEADER[form]:
            return None
        stream = self._streams.get(number)
        if stream is None:
            stream = self._begin_stream(number, form)
        after = self._same(stream, at, first) if form == SAME else self._renew(stream, at, form)
        if after is None:
            return None
        self._at = after
        self._current = stream
        self._left = min(self._size, stream.length - len(stream.body))
        return stream

    def _same(self, stream: _Stream, at: int, first: int) -> int | None:
        """Go on with a message, or begin another like it; returns where its bytes are."""
        if stream.extended:
            # Some repeat the extended time in every chunk, some do not.
            shown = self._data[at : at + 4]
            if shown == stream.extended:
                at += 4
            elif len(shown) < 4 and stream.extended.startswith(shown):  # noqa: PLR2004  four bytes of a 32-bit time
                return None
        if not stream.is_open:
            self._open(stream, (stream.time + stream.delta) & WRAP)
        elif not stream.extended and first & 0x3F > 1:
            return self._run(stream, at - 1, first) + 1
        return at

    def _renew(self, stream: _Stream, at: int, form: int) -> int | None:
        """Begin a message by what its header says; returns where its bytes are."""
        data, extended = self._data, b""
        moment = int.from_bytes(data[at : at + 3], "big")
        end = at + HEADER[form]
        if moment == EXTENDED:
            extended = data[end : end + 4]
            if len(extended) < 4:  # noqa: PLR2004  that many bytes have a time
                return None
            moment = LONG.unpack(extended)[0]
        if form < 2:  # noqa: PLR2004  formats 0 and 1 tell length and type
            stream.length = int.from_bytes(data[at + 3 : at + 6], "big")
            stream.type = data[at + 6]
        if form == 0:
            stream.stream_id = STREAM_ID.unpack_from(data, at + 7)[0]
        stream.extended, stream.delta = extended, moment
        # A header within a message begins another one; what there was of the first is lost.
        self._drop(stream)
        self._open(stream, moment if form == 0 else (stream.time + moment) & WRAP)
        return end + len(extended)

    def _begin_stream(self, number: int, form: int) -> _Stream:
        # librtmp begins a stream with format 1 now and then; the others say too little.
        if form > 1 or len(self._streams) >= MOST_STREAMS:
            raise Malformed("a chunk stream without a beginning, or too many of them")
        stream = self._streams[number] = _Stream()
        return stream

    def _open(self, stream: _Stream, time: int) -> None:
        most = self.most_media if stream.type in MEDIA else MOST_SMALL
        if stream.length > most:
            raise Malformed(f"a message of {stream.length} bytes")
        stream.time = time
        stream.is_open = True

    def _run(self, stream: _Stream, at: int, first: int) -> int:
        """Take all whole chunks of a message in one go; returns where the next one begins.

        Small chunks are what publishers send, and one at a time they would cost most of all.
        """
        step = self._size + 1
        missing = stream.length - len(stream.body)
        count = min((missing - 1) // self._size, (len(self._data) - at - 1) // step)
        if count < 2:  # noqa: PLR2004  nothing won
            return at
        end = at + count * step
        # The byte after the last of them is looked at as well: it begins the chunk read next.
        if self._data[at : end + 1 : step] != bytes((first,)) * (count + 1):
            return at
        run = bytearray(self._data[at:end])
        del run[::step]
        self._hold(stream, run)
        return end

    def _payload(self, stream: _Stream) -> Message | None:
        """Take what there is of a chunk; returns the message when it is whole."""
        at = self._at
        end = min(at + self._left, len(self._data))
        piece = self._data[at:end]
        self._at = end
        self._left -= end - at
        if not self._left:
            self._current = None
        if len(piece) == stream.length:
            body = piece
        else:
            self._hold(stream, piece)
            if len(stream.body) < stream.length:
                return None
            body = bytes(stream.body)
        self._drop(stream)
        return Message(stream.type, stream.time, stream.stream_id, body)

    def _hold(self, stream: _Stream, piece: bytes | bytearray) -> None:
        stream.body += piece
        self._held += len(piece)
        if self._held > 2 * self.most_media:
            raise Malformed("too many messages that do not end")

    def _drop(self, stream: _Stream) -> None:
        stream.is_open = False
        if stream.body:
            self._held -= len(stream.body)
            stream.body = bytearray()

    def _resize(self, body: bytes) -> None:
        size = int.from_bytes(body[:4], "big") & 0x7FFFFFFF
        if size < SMALLEST_CHUNK:
            raise Malformed(f"chunks of {size} bytes")
        self._size = min(size, BIGGEST_CHUNK)

    def _abort(self, body: bytes) -> None:
        stream = self._streams.get(int.from_bytes(body[:4], "big"))
        if stream is not None:
            self._drop(stream)


def message(type_: int, time: int, body: bytes, stream_id: int = 1) -> bytes:
    """Return a message as it goes over the wire; it needs nothing that was sent before it."""
    number = CHUNK_STREAMS.get(type_, CONTROL)
    size = len(body)
    time &= WRAP
    extended = b"" if time < EXTENDED else LONG.pack(time)
    shown = EXTENDED if extended else time
    header = FULL_HEADER.pack(
        number, shown >> 8, shown & 0xFF, size >> 8, size & 0xFF, type_
    ) + STREAM_ID.pack(stream_id)
    if size <= OUT_CHUNK:
        return b"".join((header, extended, body))
    again = bytes((SAME << 6 | number,)) + extended
    pieces = [header, extended, body[:OUT_CHUNK]]
    for at in range(OUT_CHUNK, size, OUT_CHUNK):
        pieces += (again, body[at : at + OUT_CHUNK])
    return b"".join(pieces)
