"""Metadata: viewers get what describes the stream, whatever else an encoder puts beside it."""

import struct
from contextlib import suppress
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeroom.media.engine.amf0 import AMF0Reader, ProtocolError, Value, decode, encode
from homeroom.media.engine.metadata import (
    MAX_FIELDS,
    MAX_METADATA_VALUES,
    METADATA,
    StreamMetadata,
    read_metadata,
)

STREAM: Final[dict[str, Value]] = {
    "width": 1280.0,
    "height": 720.0,
    "framerate": 25.0,
    "videodatarate": 2500.0,
    "audiosamplerate": 44100.0,
    "audiosamplesize": 16.0,
    "stereo": True,
    "encoder": "Lavf60.3.100",
}
CODECS: Final[dict[str, Value]] = {"videocodecid": 7.0, "audiocodecid": 10.0}
FILE: Final[dict[str, Value]] = {
    "duration": 3600.0,
    "fileSize": 1e9,
    "filesize": 1e9,
    "datasize": 1e9,
    "keyframes": {"times": [0.0, 1.0], "filepositions": [13.0, 500.0]},
    "hasKeyframes": True,
    "lasttimestamp": 3600.0,
    "lastkeyframetimestamp": 3599.0,
    "lastkeyframelocation": 1e9,
    "canSeekToEnd": True,
    "cuePoints": [{"name": "a", "time": 1.0}],
    "hasAudio": True,
    "creationdate": "Mon Nov 30",
    "total_duration": 3600.0,
    "trackinfo": [{"length": 1e9, "timescale": 1000.0}],
}
EDGES: Final = b"\0\1\2\3\4\5\6\7\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11"


def fields_of(body: bytes) -> dict[str, float | bool | str] | None:
    """Return what viewers are told, as they read it."""
    metadata = read_metadata(body)
    if metadata is None:
        return None
    name, fields = decode(metadata.encode())
    assert name == "onMetaData"
    assert isinstance(fields, dict)
    assert fields == metadata.fields
    return dict(metadata.fields)


def member(name: str, value: bytes) -> bytes:
    return struct.pack(">H", len(name)) + name.encode() + value


def metadata_of(*members: bytes) -> bytes:
    return METADATA + b"\x08\0\0\0\0" + b"".join(members) + b"\0\0\x09"


def test_what_is_true_of_a_file_reaches_no_live_viewer() -> None:
    """Case M7: fields of a file are dropped wherever they stand, those of a stream stay."""
    for about in ({**FILE, **STREAM, **CODECS}, {**CODECS, **STREAM, **FILE}):
        assert fields_of(METADATA + encode(about)) == STREAM | CODECS


@pytest.mark.parametrize("video", [7.0, "avc1", 1635148593.0])
@pytest.mark.parametrize("audio", [10.0, "mp4a", 1836069985.0])
def test_codecs_are_named_as_the_packets_have_them(video: Value, audio: Value) -> None:
    """By FourCC, as a number or a text, in enhanced RTMP; the packets for viewers are classic."""
    about: dict[str, Value] = {"videocodecid": video, "audiocodecid": audio}
    assert fields_of(METADATA + encode(about)) == CODECS


@pytest.mark.parametrize(
    ("about", "tracks"),
    [
        ({}, (False, False)),
        ({"videocodecid": 7.0}, (False, True)),
        ({"audiocodecid": "mp4a"}, (True, False)),
        ({"audiocodecid": None, "videocodecid": 7.0}, (False, True)),
    ],
)
def test_announced_tracks(about: dict[str, Value], tracks: tuple[bool, bool]) -> None:
    metadata = read_metadata(METADATA + encode(about))
    assert metadata is not None
    assert (metadata.has_audio, metadata.has_video) == tracks


@pytest.mark.parametrize(
    "value",
    [
        encode({"a": {"b": [{"c": [1.0, "x", None]}]}}),
        encode(dict.fromkeys(map(str, range(5000)), 1.0)),
        encode(["x"] * 5000),
        encode([0.0] * 100_000),
        encode("x" * 900_000),
        b"\x0a\0\0\0\1" * 10_000 + b"\5",
        b"\x03\0\1a" * 10_000 + b"\5" + b"\0\0\x09" * 10_000,
        b"\x07\0\1",
        b"\x0b\x42\x73\0\0\0\0\0\0\0\0",
        b"\x0c\0\1\0\0" + b"x" * 65_536,
        b"\x0d",
        b"\x0f\0\0\0\x05<a/>\n",
        b"\x10\0\4Clip\0\1a\0\x3f\xf0\0\0\0\0\0\0\0\0\x09",
        b"\x06",
        encode(float("nan")),
        encode(float("inf")),
        encode("x" * 5000),
    ],
    ids=[
        *("nested", "object", "texts", "numbers", "long text", "deep arrays", "deep objects"),
        *("reference", "date", "marked long text", "unsupported", "XML", "typed object"),
        *("undefined", "no number", "infinite", "too long for a viewer"),
    ],
)
def test_any_well_formed_value_is_passed_over(value: bytes) -> None:
    """Case M9: what is well-formed and not needed is skipped, and what follows it is read."""
    before, after = member("width", encode(1280)), member("height", encode(720))
    assert fields_of(metadata_of(before, member("odd", value), after)) == {
        "width": 1280.0,
        "height": 720.0,
    }


def test_an_index_of_keyframes_of_an_hour() -> None:
    """Case M9, m09: 8,000 numbers, and a million bytes of them."""
    for count in (4000, 55_000):
        index: Value = {"times": [1.0] * count, "filepositions": [2.0] * count}
        assert fields_of(METADATA + encode({"keyframes": index, **STREAM})) == STREAM


@pytest.mark.parametrize("rest", [b"\x11\x0a\x0b\1", b"\x04", b"\x0e", b"\x02\0\x09ab", b""])
def test_fields_before_what_cannot_be_read_count(rest: bytes) -> None:
    """A switch to AMF3 is one of them."""
    data = METADATA + b"\x08\0\0\0\0" + member("width", encode(640)) + member("odd", rest)
    assert fields_of(data) == {"width": 640.0}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        encode("onCuePoint", {"width": 1.0}),
        encode("onTextData", {"text": "hello"}),
        encode("onMetaData"),
        encode("onMetaData") + b"\x11\x0a\x0b\1",
        encode(1.0, 2.0),
        b"\x02\0\x0aonMeta",
    ],
)
def test_other_data_is_no_metadata(body: bytes) -> None:
    assert read_metadata(body) is None


def test_metadata_of_nothing_is_empty() -> None:
    assert fields_of(METADATA + encode(FILE)) == {}
    assert fields_of(METADATA + encode([1.0])) == {}


def test_viewers_get_a_limited_number_of_fields() -> None:
    many: dict[str, Value] = {f"field{number}": 1.0 for number in range(20_000)}
    fields = fields_of(METADATA + encode(many))
    assert fields is not None
    assert len(fields) == MAX_FIELDS
    assert len(StreamMetadata(fields).encode()) < 2000


def test_work_for_metadata_ends() -> None:
    body = METADATA + encode(STREAM)[:-3] + member("odd", encode([None] * 1_000_000))
    assert fields_of(body) == STREAM
    reader = AMF0Reader(encode([None] * (MAX_METADATA_VALUES + 1)), MAX_METADATA_VALUES)
    with pytest.raises(ProtocolError, match="too many"):
        reader.skip_value()


NAMES: Final = st.text(st.characters(codec="utf-8"), max_size=8)
VALUES: Final = st.recursive(
    st.none() | st.booleans() | st.floats() | NAMES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=10,
)


@given(values=st.lists(VALUES, min_size=1, max_size=4))
def test_a_skipped_value_ends_where_a_read_one_ends(values: list[Value]) -> None:
    reader = AMF0Reader(encode(*values, "end"), 1000)
    for _ in values:
        reader.skip_value()
    assert reader.read_value() == "end"
    assert reader.is_at_end


@given(data=st.binary(max_size=60) | st.lists(st.sampled_from(EDGES), max_size=60).map(bytes))
def test_any_bytes_are_metadata_or_none(data: bytes) -> None:
    for body in (data, METADATA + data, METADATA + b"\x08\0\0\0\0" + data):
        fields_of(body)
    with suppress(ProtocolError):
        AMF0Reader(data, 100).skip_value()
