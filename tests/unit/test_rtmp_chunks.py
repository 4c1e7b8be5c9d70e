"""Chunks: messages are found again however they were cut up and however they arrive."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeroom.media.engine.amf0 import ProtocolError
from homeroom.media.engine.chunks import (
    ABORT,
    MAX_CHUNKS_AT_ONCE,
    MAX_DATA_MESSAGE_BYTES,
    MAX_MEDIA_MESSAGE_BYTES,
    MAX_SMALL_MESSAGE_BYTES,
    NO_MESSAGE,
    OUT_CHUNK_BYTES,
    SET_CHUNK_SIZE,
    ChunkReader,
    RTMPMessage,
    encode_message,
)

AUDIO: Final = 8
VIDEO: Final = 9
SCRIPT: Final = 18
COMMAND: Final = 20
LATE: Final = 0x1234567
"""A time that needs four bytes: 5.3 hours."""


def messages(reader: ChunkReader, data: bytes, step: int | None = None) -> Iterator[RTMPMessage]:
    """Feed bytes, so many at a time, and return each message as soon as it is there."""
    size = step or len(data) or 1
    for at in range(0, len(data), size):
        reader.feed(data[at : at + size])
        while (one := reader.next()) is not None:
            if one.type != NO_MESSAGE:
                yield one


def read(reader: ChunkReader, data: bytes, step: int | None = None) -> list[RTMPMessage]:
    """Return all messages of bytes but those about chunks."""
    found = messages(reader, data, step)
    return [one for one in found if one.type not in {SET_CHUNK_SIZE, ABORT}]


def header(
    form: int, number: int, time: int, size: int = 0, kind: int = 0, stream: int = 1
) -> bytes:
    """Write the header of a chunk as the specification draws it."""
    if number < 64:
        basic = bytes((form << 6 | number,))
    elif number < 320:
        basic = bytes((form << 6, number - 64))
    else:
        basic = bytes((form << 6 | 1, *(number - 64).to_bytes(2, "little")))
    fields = min(time, 0xFFFFFF).to_bytes(3, "big"), size.to_bytes(3, "big"), bytes((kind,))
    whole = (*fields, stream.to_bytes(4, "little"))
    extended = time.to_bytes(4, "big") if time >= 0xFFFFFF else b""
    return basic + b"".join(whole[: (4, 3, 1, 0)[form]]) + (b"" if form == 3 else extended)


def chunks(
    start: bytes, number: int, body: bytes, size: int = 128, extended: bytes = b""
) -> Iterator[bytes]:
    """Cut a body up; what begins its first chunk is given."""
    yield start + body[:size]
    for at in range(size, len(body), size):
        yield header(3, number, 0) + extended + body[at : at + size]


def bytes_of(size: int) -> bytes:
    """Return so many bytes that look like headers here and there."""
    return bytes(at * 7 & 0xFF for at in range(size))


@pytest.mark.parametrize("step", [1, 7, 1000, None])
@pytest.mark.parametrize("number", [2, 63, 64, 319, 320, 65_599])
def test_chunk_streams_of_every_number(number: int, step: int | None) -> None:
    body = bytes_of(1000)
    data = b"".join(chunks(header(0, number, 40, 1000, VIDEO), number, body))
    data += b"".join(chunks(header(1, number, 33, 1000, VIDEO), number, body))
    assert read(ChunkReader(), data, step) == [(VIDEO, 40, 1, body), (VIDEO, 73, 1, body)]


def test_formats_leave_out_what_is_as_before() -> None:
    data = header(0, 4, 100, 3, AUDIO, stream=5) + b"one"
    data += header(1, 4, 20, 4, VIDEO) + b"four"
    data += header(2, 4, 30) + b"five"
    data += header(3, 4, 0) + b"nine"
    assert read(ChunkReader(), data) == [
        (AUDIO, 100, 5, b"one"),
        (VIDEO, 120, 5, b"four"),
        (VIDEO, 150, 5, b"five"),
        (VIDEO, 180, 5, b"nine"),
    ]


def test_after_a_whole_header_the_time_is_the_step() -> None:
    """As ffmpeg does, which leaves the header out where the two are the same."""
    data = header(0, 4, 23, 1, AUDIO) + b"a" + header(3, 4, 0) + b"b"
    assert [one.time for one in read(ChunkReader(), data)] == [23, 46]


@pytest.mark.parametrize("is_repeated", [True, False])
@pytest.mark.parametrize("step", [1, 5, None])
def test_long_times_with_and_without_repetition(step: int | None, *, is_repeated: bool) -> None:
    body = bytes_of(500)
    extended = LATE.to_bytes(4, "big") if is_repeated else b""
    data = b"".join(chunks(header(0, 6, LATE, 500, VIDEO), 6, body, extended=extended))
    data += b"".join(chunks(header(1, 6, 40, 500, VIDEO), 6, body))
    data += b"".join(chunks(header(2, 6, LATE), 6, body, extended=extended))
    assert read(ChunkReader(), data, step) == [
        (VIDEO, LATE, 1, body),
        (VIDEO, LATE + 40, 1, body),
        (VIDEO, 2 * LATE + 40, 1, body),
    ]


def test_times_wrap_and_may_go_back() -> None:
    data = header(0, 4, 0xFFFFFFF0, 1, AUDIO) + b"a" + header(2, 4, 0x20) + b"b"
    data += header(2, 4, 0xFFFFFFFF) + b"c"
    assert [one.time for one in read(ChunkReader(), data)] == [0xFFFFFFF0, 0x10, 0xF]


def test_an_empty_message_is_one() -> None:
    data = header(0, 4, 7, 0, VIDEO) + header(3, 4, 0) + header(0, 4, 9, 1, AUDIO) + b"x"
    assert read(ChunkReader(), data) == [
        (VIDEO, 7, 1, b""),
        (VIDEO, 14, 1, b""),
        (AUDIO, 9, 1, b"x"),
    ]


def test_the_chunk_size_changes_between_two_chunks() -> None:
    """A message that goes on after the change goes on in larger chunks."""
    body = bytes_of(700)
    data = header(0, 6, 0, 700, VIDEO) + body[:128]
    data += header(0, 2, 0, 4, SET_CHUNK_SIZE, 0) + (300).to_bytes(4, "big")
    data += header(3, 6, 0) + body[128:428] + header(3, 6, 0) + body[428:]
    assert read(ChunkReader(), data) == [(VIDEO, 0, 1, body)]


def test_a_message_is_called_off() -> None:
    data = header(0, 6, 0, 200, VIDEO) + bytes(128)
    data += header(0, 2, 0, 4, ABORT, 0) + (6).to_bytes(4, "big")
    data += header(0, 6, 5, 2, VIDEO) + b"ok"
    assert read(ChunkReader(), data) == [(VIDEO, 5, 1, b"ok")]


def test_a_header_within_a_message_begins_another() -> None:
    data = header(0, 6, 0, 200, VIDEO) + bytes(128) + header(0, 6, 5, 2, VIDEO) + b"ok"
    assert read(ChunkReader(), data) == [(VIDEO, 5, 1, b"ok")]


@pytest.mark.parametrize("step", [1, 50, None])
@pytest.mark.parametrize("time", [40, LATE], ids=["short time", "long time"])
@pytest.mark.parametrize("is_repeated", [True, False])
@pytest.mark.parametrize("size", [1, 2, 3, 64, 127])
def test_chunks_of_a_few_bytes(
    size: int, time: int, step: int | None, *, is_repeated: bool
) -> None:
    """Case M9: any size that the protocol allows, with and without extended timestamps."""
    # No byte is the header of a chunk: without repetition, that would be ambiguous.
    body = bytes(1 + at % 250 for at in range(800)).replace(b"\1\x23\x45\x67", b"abcd")
    extended = time.to_bytes(4, "big") if time == LATE and is_repeated else b""
    data = header(0, 2, 0, 4, SET_CHUNK_SIZE, 0) + size.to_bytes(4, "big")
    for _ in range(2):
        data += b"".join(chunks(header(0, 6, time, 800, VIDEO), 6, body, size, extended))
    assert read(ChunkReader(), data, step) == [(VIDEO, time, 1, body)] * 2


def test_small_chunks_of_two_messages_take_turns() -> None:
    """The caller can count the work, which is more than the bytes tell."""
    size = header(0, 2, 0, 4, SET_CHUNK_SIZE, 0) + (1).to_bytes(4, "big")
    lines = [
        list(chunks(header(0, number, 0, 2000, VIDEO), number, bytes(2000), 1)) for number in (6, 7)
    ]
    reader = ChunkReader()
    reader.feed(size + b"".join(one + other for one, other in zip(*lines, strict=True)))
    types = []
    while (message := reader.next()) is not None:
        types.append(message.type)
    assert types[0] == SET_CHUNK_SIZE
    assert types.count(VIDEO) == 2
    assert types.count(NO_MESSAGE) >= 4000 // MAX_CHUNKS_AT_ONCE - 1


@pytest.mark.parametrize("step", [1000, 70_000, None])
@pytest.mark.parametrize("size", [128, 4096, 1 << 24])
@pytest.mark.parametrize("kind", [SCRIPT, 19])
def test_large_data_of_a_publisher_is_skipped(size: int, step: int | None, kind: int) -> None:
    """Case M9: and what stands before, between and after it is read."""
    reader = ChunkReader()
    reader.max_data_bytes = MAX_DATA_MESSAGE_BYTES
    large, most = bytes_of(MAX_DATA_MESSAGE_BYTES + 1), bytes_of(MAX_DATA_MESSAGE_BYTES)
    pieces = list(chunks(header(0, 5, 0, len(large), kind), 5, large, size))
    between = header(0, 4, 20, 5, AUDIO) + b"sound"
    data = header(0, 2, 0, 4, SET_CHUNK_SIZE, 0) + size.to_bytes(4, "big") + between
    data += pieces[0] + between + b"".join(pieces[1:]) + between
    data += b"".join(chunks(header(0, 5, 0, len(most), SCRIPT), 5, most, size)) + between
    reader.max_media_bytes = MAX_MEDIA_MESSAGE_BYTES
    sound, skipped = (AUDIO, 20, 1, b"sound"), (kind, 0, 1, b"")
    within = [sound, skipped] if len(pieces) > 1 else [skipped, sound]
    assert read(reader, data, step) == [sound, *within, sound, (SCRIPT, 0, 1, most), sound]
    assert reader.skipped == (len(large) if kind == SCRIPT else 0)


SENT = st.tuples(
    st.sampled_from([AUDIO, VIDEO, COMMAND]),
    st.sampled_from([0, 40, 0xFFFFFE, 0xFFFFFF, 0x1000000, 0xFFFFFFFF]),
    st.sampled_from([0, 1, 127, 128, 129, 256, 1000, 5000]).map(bytes_of),
)


@given(
    sent=st.lists(SENT, max_size=6),
    size=st.sampled_from([100, 128, 200, 4096]),
    data=st.data(),
)
def test_messages_are_found_in_any_mixture(
    sent: list[tuple[int, int, bytes]], size: int, data: st.DataObject
) -> None:
    lines = []
    for number, (kind, time, body) in enumerate(sent, 3):
        extended = b""
        if time >= 0xFFFFFF and data.draw(st.booleans(), "repeats the time"):
            extended = time.to_bytes(4, "big")
        start = header(0, number, time, len(body), kind)
        lines.append(list(chunks(start, number, body, size, extended)))
    wire = header(0, 2, 0, 4, SET_CHUNK_SIZE) + size.to_bytes(4, "big")
    while waiting := [line for line in lines if line]:
        wire += data.draw(st.sampled_from(waiting), "next").pop(0)
    found = read(ChunkReader(), wire, data.draw(st.sampled_from([1, 100, 2000, None]), "at a time"))
    assert sorted(found) == sorted((kind, time, 1, body) for kind, time, body in sent)


HEADERS = st.builds(
    header,
    st.integers(0, 3),
    st.sampled_from([2, 3, 70, 400]),
    st.sampled_from([0, 0xFFFFFF, LATE]),
    st.sampled_from([0, 3, 4, 300]),
    st.sampled_from([SET_CHUNK_SIZE, ABORT, VIDEO]),
)


@given(pieces=st.lists(HEADERS | st.binary(max_size=200)), step=st.sampled_from([1, 3, 50]))
def test_any_bytes_are_the_same_messages_however_they_come(pieces: list[bytes], step: int) -> None:
    """Or the same messages until something is refused."""
    found: list[list[RTMPMessage]] = [[], []]
    for one, at_once in zip(found, (step, None), strict=True):
        with suppress(ProtocolError):
            one.extend(messages(ChunkReader(), b"".join(pieces), at_once))
    assert found[0] == found[1]


@pytest.mark.parametrize("time", [0, 0xFFFFFE, 0xFFFFFF, 0xFFFFFFFF, 0x100000005])
@pytest.mark.parametrize("size", [0, 1, OUT_CHUNK_BYTES, OUT_CHUNK_BYTES + 1, 3 * OUT_CHUNK_BYTES])
@pytest.mark.parametrize("step", [999, None])
def test_what_we_write_is_read(time: int, size: int, step: int | None) -> None:
    reader = ChunkReader()
    reader.max_media_bytes = MAX_MEDIA_MESSAGE_BYTES
    read(reader, encode_message(SET_CHUNK_SIZE, 0, OUT_CHUNK_BYTES.to_bytes(4, "big"), 0))
    body = bytes_of(size)
    for kind in (AUDIO, VIDEO):
        wire = encode_message(kind, time, body) + encode_message(kind, time, body, stream_id=0)
        stamp = time & 0xFFFFFFFF
        assert read(reader, wire, step) == [(kind, stamp, 1, body), (kind, stamp, 0, body)]


@pytest.mark.parametrize(
    "data",
    [
        header(0, 3, 0, MAX_SMALL_MESSAGE_BYTES + 1, COMMAND),
        header(0, 3, 0, MAX_SMALL_MESSAGE_BYTES + 1, VIDEO),
        header(2, 3, 0),
        header(3, 3, 0),
        header(0, 2, 0, 4, SET_CHUNK_SIZE) + bytes(4),
        b"".join(header(0, number, 0, 0, COMMAND) for number in range(3, 70)),
        b"".join(header(0, number, 0, 60_000, VIDEO) + bytes(128) for number in range(3, 60))
        + b"".join(header(3, number, 0) + bytes(128) for number in range(3, 60)) * 50,
    ],
    ids=[
        "long command",
        "long media of one who may not publish",
        "format 2 first",
        "format 3 first",
        "chunks of nothing",
        "too many streams",
        "too much that does not end",
    ],
)
def test_what_is_refused(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        read(ChunkReader(), data, 5000)


def test_a_publisher_may_send_larger_pictures() -> None:
    reader = ChunkReader()
    reader.max_media_bytes = MAX_MEDIA_MESSAGE_BYTES
    body = bytes_of(1000) * 1000
    data = b"".join(chunks(header(0, 6, 0, len(body), VIDEO), 6, body))
    assert read(reader, data, 100_000) == [(VIDEO, 0, 1, body)]
    with pytest.raises(ProtocolError):
        read(reader, header(0, 6, 0, MAX_MEDIA_MESSAGE_BYTES + 1, VIDEO))
