"""The RTMP chunk stream: messages are split into chunks on the wire."""

from collections.abc import Iterator
from struct import Struct
from typing import Final, NamedTuple

from homeroom.media.engine.amf0 import ProtocolError
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
NEEDED: Final = MEDIA | {COMMAND, COMMAND_AMF3, *range(SET_CHUNK_SIZE, PEER_BANDWIDTH + 1)}
"""Messages that cannot be skipped; others are metadata, or of no use."""
NO_MESSAGE: Final = 0
"""Type that no message has; see `ChunkReader.next`."""

OUT_CHUNK_BYTES: Final = 60_000
"""Size of the chunks that the server sends."""
DEFAULT_CHUNK_BYTES: Final = 128
"""Chunk size until the sender changes it."""
MIN_CHUNK_BYTES: Final = 1
MAX_CHUNK_BYTES: Final = 0xFFFFFF
MAX_CHUNK_STREAMS: Final = 64
"""Maximum chunk streams of a connection."""
MAX_SMALL_MESSAGE_BYTES: Final = 64_000
"""Maximum size of a message without media."""
MAX_MEDIA_MESSAGE_BYTES: Final = 4_000_000
"""Maximum size of a media message of a publisher."""
MAX_DATA_MESSAGE_BYTES: Final = 1_100_000
"""Maximum size of a message with metadata of a publisher: 1 MiB of it, and its name."""
MAX_CHUNKS_AT_ONCE: Final = 500
"""Chunks that are read before the caller can count the work; chunks may have one byte."""
MAX_RUN_CHUNKS: Final = 256
"""Chunks that are searched for a run of one message."""
MAX_AGGREGATE_MESSAGES: Final = 1_000
"""Maximum messages in an aggregate."""

EXTENDED: Final = 0xFFFFFF
"""Marks an extended timestamp: the time needs four bytes and follows the header."""
WRAP: Final = 0xFFFFFFFF
SAME: Final = 3
"""Format 3: the chunk has the header of the previous one."""
HEADER: Final = (11, 7, 3, 0)
"""Size of the message header in bytes, by format."""
LONG: Final = Struct(">I")
FULL_HEADER: Final = Struct(">BHBHBB")
"""Chunk stream, time and length of three bytes each (one and two), type; then the stream id."""
STREAM_ID: Final = Struct("<I")
CHUNK_STREAMS: Final = {AUDIO: 4, VIDEO: 6, COMMAND: 3, SCRIPT: 5}
CONTROL: Final = 2
TAG_HEADER: Final = 11
"""Bytes before the payload of an FLV tag, the form of the messages in an aggregate."""
TAG_END: Final = 4
"""Bytes after the payload of an FLV tag."""


class RTMPMessage(NamedTuple):
    """One complete message."""

    type: int
    time: int
    """Milliseconds of the sender's clock, 32 bits."""
    stream_id: int
    body: bytes


WORK: Final = RTMPMessage(NO_MESSAGE, 0, 0, b"")
"""Returned after many chunks without a message."""


class _ChunkStream:
    """State of a chunk stream: its last header and an incomplete message."""

    __slots__ = (
        *("body", "delta", "extended", "is_open", "is_skipped", "length", "read"),
        *("stream_id", "time", "type"),
    )

    def __init__(self) -> None:
        self.type = self.time = self.delta = self.length = self.stream_id = 0
        self.extended = b""
        self.is_open = False
        self.is_skipped = False
        """Whether the message is too large and not buffered."""
        self.body = bytearray()
        self.read = 0
        """Bytes of the message so far."""


class ChunkReader:
    """Parses the bytes of a peer into messages. It buffers at most a header of unread input."""

    def __init__(self) -> None:
        self.max_media_bytes = MAX_SMALL_MESSAGE_BYTES
        """Limit for a media message; higher for an authorized publisher."""
        self.max_data_bytes = 0
        """Limit for metadata, and for messages of no use, of an authorized publisher; larger ones
        are skipped. With 0 they have the limit of other messages."""
        self.skipped = 0
        """Bytes of the latest metadata that was skipped, until the caller clears it."""
        self._streams: dict[int, _ChunkStream] = {}
        self._size = DEFAULT_CHUNK_BYTES
        self._data = b""
        self._at = 0
        self._buffered = 0
        self._current: _ChunkStream | None = None
        self._left = 0

    def feed(self, data: bytes) -> None:
        """Add input from the peer."""
        self._data = self._data[self._at :] + data
        self._at = 0

    def next(self) -> RTMPMessage | None:
        """Return the next message, or None until there is more input; raises `ProtocolError`.

        Messages that control chunks are handled here and returned too, so that the caller can
        count the work. For the same reason, a message of the type `NO_MESSAGE` is returned after
        many chunks. A message that was skipped has an empty body.
        """
        chunks = 0
        while (stream := self._current) is not None or (stream := self._read_header()) is not None:
            message = self._read_payload(stream)
            if message is not None:
                if message.type == SET_CHUNK_SIZE:
                    self._resize(message.body)
                elif message.type == ABORT:
                    self._abort(message.body)
                return message
            if self._current is not None:
                break
            chunks += 1
            if chunks == MAX_CHUNKS_AT_ONCE:
                return WORK
        return None

    def _read_header(self) -> _ChunkStream | None:
        """Read a complete chunk header and store it in its stream."""
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
            stream = self._open_stream(number, form)
        after = (
            self._continue_message(stream, at, first)
            if form == SAME
            else self._start_message(stream, at, form)
        )
        if after is None:
            return None
        self._at = after
        self._current = stream
        self._left = min(self._size, stream.length - stream.read)
        return stream

    def _continue_message(self, stream: _ChunkStream, at: int, first: int) -> int | None:
        """Continue a message or start one with the same header; returns the offset of its bytes."""
        repeated = b""
        if stream.extended:
            # Some peers repeat the extended timestamp in every chunk, some do not.
            timestamp = self._data[at : at + 4]
            if timestamp == stream.extended:
                repeated = timestamp
                at += 4
            elif len(timestamp) < 4 and stream.extended.startswith(timestamp):  # noqa: PLR2004  four bytes of a 32-bit time
                return None
        if not stream.is_open:
            self._open(stream, (stream.time + stream.delta) & WRAP)
        elif first & 0x3F > 1 and repeated == stream.extended:
            header = bytes((first,)) + repeated
            return self._read_run(stream, at - len(header), header) + len(header)
        return at

    def _start_message(self, stream: _ChunkStream, at: int, form: int) -> int | None:
        """Start a message by its header; returns the offset of its bytes."""
        data, extended = self._data, b""
        moment = int.from_bytes(data[at : at + 3], "big")
        end = at + HEADER[form]
        if moment == EXTENDED:
            extended = data[end : end + 4]
            if len(extended) < 4:  # noqa: PLR2004  that many bytes have a time
                return None
            moment = LONG.unpack(extended)[0]
        if form < 2:  # noqa: PLR2004  formats 0 and 1 have length and type
            stream.length = int.from_bytes(data[at + 3 : at + 6], "big")
            stream.type = data[at + 6]
        if form == 0:
            stream.stream_id = STREAM_ID.unpack_from(data, at + 7)[0]
        stream.extended, stream.delta = extended, moment
        # A header inside a message starts another one; the incomplete first message is lost.
        self._drop(stream)
        self._open(stream, moment if form == 0 else (stream.time + moment) & WRAP)
        return end + len(extended)

    def _open_stream(self, number: int, form: int) -> _ChunkStream:
        # librtmp sometimes starts a stream with format 1; formats 2 and 3 have too few fields.
        if form > 1 or len(self._streams) >= MAX_CHUNK_STREAMS:
            raise ProtocolError("a chunk stream without a beginning, or too many of them")
        stream = self._streams[number] = _ChunkStream()
        return stream

    def _open(self, stream: _ChunkStream, time: int) -> None:
        if self.max_data_bytes and stream.type not in NEEDED:
            stream.is_skipped = stream.length > self.max_data_bytes
        else:
            most = self.max_media_bytes if stream.type in MEDIA else MAX_SMALL_MESSAGE_BYTES
            if stream.length > most:
                raise ProtocolError(f"a message has {stream.length} bytes; the limit is {most}")
        stream.time = time
        stream.is_open = True

    def _read_run(self, stream: _ChunkStream, at: int, header: bytes) -> int:
        """Read all complete chunks of a message at once; returns the offset of the next chunk.

        Publishers send small chunks. Reading them one by one would be the largest cost.
        """
        data, step = self._data, self._size + len(header)
        missing = stream.length - stream.read
        # Limited, because a peer whose chunks take turns would make this search worthless.
        count = min(
            (missing - 1) // self._size, (len(data) - at - len(header)) // step, MAX_RUN_CHUNKS
        )
        for shift, byte in enumerate(header):
            # The header after the last of them counts too: it starts the chunk that is read next.
            column = data[at + shift : at + shift + count * step + 1 : step]
            count = len(column) - len(column.lstrip(bytes((byte,)))) - 1
            if count < 2:  # noqa: PLR2004  nothing gained
                return at
        end = at + count * step
        run = bytearray(data[at:end])
        for left in range(len(header), 0, -1):
            del run[:: self._size + left]
        self._buffer(stream, run)
        return end

    def _read_payload(self, stream: _ChunkStream) -> RTMPMessage | None:
        """Read the available part of a chunk; returns the message when it is complete."""
        at, have = self._at, len(self._data)
        end = at + self._left
        if end > have:
            self._at, self._left = have, end - have
            if at < have:
                self._buffer(stream, self._data[at:])
            return None
        piece = self._data[at:end]
        self._at, self._left, self._current = end, 0, None
        if len(piece) == stream.length:
            body = b"" if stream.is_skipped else piece
        else:
            self._buffer(stream, piece)
            if stream.read < stream.length:
                return None
            body = bytes(stream.body)
        if stream.is_skipped and stream.type in {SCRIPT, DATA_AMF3}:
            self.skipped = stream.length
        self._drop(stream)
        return RTMPMessage(stream.type, stream.time, stream.stream_id, body)

    def _buffer(self, stream: _ChunkStream, piece: bytes | bytearray) -> None:
        stream.read += len(piece)
        if stream.is_skipped:
            return
        stream.body += piece
        self._buffered += len(piece)
        if self._buffered > 2 * self.max_media_bytes:
            raise ProtocolError("too many messages that do not end")

    def _drop(self, stream: _ChunkStream) -> None:
        stream.is_open = stream.is_skipped = False
        stream.read = 0
        if stream.body:
            self._buffered -= len(stream.body)
            stream.body = bytearray()

    def _resize(self, body: bytes) -> None:
        size = int.from_bytes(body[:4], "big") & 0x7FFFFFFF
        if size < MIN_CHUNK_BYTES:
            raise ProtocolError("chunks of no bytes")
        self._size = min(size, MAX_CHUNK_BYTES)

    def _abort(self, body: bytes) -> None:
        stream = self._streams.get(int.from_bytes(body[:4], "big"))
        if stream is not None:
            self._drop(stream)


def encode_message(type_: int, time: int, body: bytes, stream_id: int = 1) -> bytes:
    """Return the chunks of a message; they do not depend on earlier messages."""
    number = CHUNK_STREAMS.get(type_, CONTROL)
    size = len(body)
    time &= WRAP
    extended = b"" if time < EXTENDED else LONG.pack(time)
    timestamp = EXTENDED if extended else time
    header = FULL_HEADER.pack(
        number, timestamp >> 8, timestamp & 0xFF, size >> 8, size & 0xFF, type_
    ) + STREAM_ID.pack(stream_id)
    if size <= OUT_CHUNK_BYTES:
        return b"".join((header, extended, body))
    again = bytes((SAME << 6 | number,)) + extended
    pieces = [header, extended, body[:OUT_CHUNK_BYTES]]
    for at in range(OUT_CHUNK_BYTES, size, OUT_CHUNK_BYTES):
        pieces += (again, body[at : at + OUT_CHUNK_BYTES])
    return b"".join(pieces)


def split_aggregate(aggregate: RTMPMessage) -> Iterator[RTMPMessage]:
    """Yield the audio, video and script messages of an aggregate.

    The first message has the time of the aggregate, the others keep their distance to it.
    Raises `ProtocolError` if a message is cut short or there are more than
    `MAX_AGGREGATE_MESSAGES`.
    """
    body, at, shift, left = aggregate.body, 0, None, MAX_AGGREGATE_MESSAGES
    while at + TAG_HEADER <= len(body):
        kind = body[at]
        end = at + TAG_HEADER + int.from_bytes(body[at + 1 : at + 4], "big")
        time = int.from_bytes(body[at + 7 : at + 8] + body[at + 4 : at + 7], "big")
        if shift is None:
            shift = aggregate.time - time
        left -= 1
        if end > len(body) or left < 0:
            raise ProtocolError("an aggregate that is cut short, or of too many messages")
        if kind in (AUDIO, VIDEO, SCRIPT):
            payload = body[at + TAG_HEADER : end]
            yield RTMPMessage(kind, (time + shift) & WRAP, aggregate.stream_id, payload)
        at = end + TAG_END
