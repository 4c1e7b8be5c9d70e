"""AMF0: what is encoded is decoded, and any bytes are values or refused."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeroom.media.engine.amf0 import MAX_DEPTH, MAX_VALUES, ProtocolError, Value, decode, encode

TEXT = st.text(st.characters(codec="utf-8"), max_size=40)
VALUES = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | TEXT,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(TEXT.filter(bool), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(values=st.lists(VALUES, max_size=5))
def test_what_is_encoded_is_decoded(values: list[Value]) -> None:
    try:
        assert decode(encode(*values)) == values
    except ProtocolError:
        assert deepest(values) > MAX_DEPTH


def deepest(value: Value) -> int:
    """Return how far a value nests."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(deepest, inner), default=0)


@given(data=st.binary() | st.lists(st.sampled_from(list(range(20))), max_size=60).map(bytes))
def test_any_bytes_are_values_or_refused(data: bytes) -> None:
    with suppress(ProtocolError):
        decode(data)


def test_a_text_longer_than_a_short_one_may_be() -> None:
    assert decode(encode("x" * 70_000, "y")) == ["x" * 70_000, "y"]


def test_whole_numbers_travel_as_doubles() -> None:
    assert encode(3) == b"\0\x40\x08\0\0\0\0\0\0"
    assert decode(encode(3)) == [3.0]


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"\x08\0\0\0\x09\0\1a\1\1\0\0\x09", {"a": True}),
        (b"\x0b\x40\x59\0\0\0\0\0\0\0\0", 100.0),
        (b"\x06", None),
        (b"\x02\0\2\xff\xfe", "��"),
    ],
    ids=["ECMA array that miscounts", "date", "undefined", "text that is no UTF-8"],
)
def test_what_others_send(data: bytes, value: Value) -> None:
    assert decode(data) == [value]


@pytest.mark.parametrize(
    "data",
    [
        b"\x02\0\5abc",
        b"\x0c\xff\xff\xff\xff",
        b"\x03\0\1a",
        b"\x0a\xff\xff\xff\xff" + b"\5" * (MAX_VALUES + 1),
        b"\5" * (MAX_VALUES + 1),
        b"\x0a\0\0\0\1" * (MAX_DEPTH + 1) + b"\5",
        b"\x11\1",
        b"\x09",
    ],
    ids=["text", "long text", "object", "array", "too many", "too deep", "AMF3", "end of nothing"],
)
def test_what_is_refused(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        decode(data)
