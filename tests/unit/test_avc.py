"""What is in a picture, whatever its container says: keyframes, parameter sets, NAL units."""

from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeroom.base.stream_problems import DropReason
from homeroom.media.engine import codecs
from homeroom.media.engine.avc import PictureCheck, make_config
from homeroom.media.engine.packet_parser import PacketParser
from homeroom.media.engine.packets import VIDEO, Packet
from tests.support.flv import AVC_HEADER

SPS = bytes.fromhex("6742c00cda05067e7c0440000003004000000c83c50aa8")
PPS = bytes.fromhex("68ce0fc8")
OTHER_SPS = bytes.fromhex("6742c01eda02802dd8088000000300800000")
"""Another size."""
AUD = b"\x09\xf0"
SEI = b"\x06\x06\x01\xc4\x80"
"""A recovery point, as an open group of pictures and intra refresh have."""
IDR = b"\x65\x88\x84\x21"
SLICE = b"\x41\x9a\x24\x6c"


def lengths(*units: bytes, width: int = 4) -> bytes:
    return b"".join(len(unit).to_bytes(width) + unit for unit in units)


def start_codes(*units: bytes) -> bytes:
    return b"".join(b"\0\0\0\1" + unit for unit in units)


def frame(payload: bytes, *, key: bool = False, time: int = 0) -> Packet:
    return parsed(bytes((0x17 if key else 0x27, 1, 0, 0, 7)) + payload, time)


def header(config: bytes) -> Packet:
    return parsed(b"\x17\0\0\0\0" + config)


def parsed(body: bytes, time: int = 0) -> Packet:
    packet = PacketParser().parse(VIDEO, time, body)
    assert packet is not None
    return packet


def playing(config: bytes = AVC_HEADER[5:], width: int = 4) -> PictureCheck:
    """Return a check that has seen a header and a keyframe."""
    check = PictureCheck()
    assert len(check.check(header(config))) == 1
    assert len(check.check(frame(lengths(IDR, width=width), key=True))) == 1
    return check


@pytest.mark.parametrize("key", [True, False], ids=["marked key", "marked inter"])
@pytest.mark.parametrize(
    ("units", "is_key"),
    [
        ((IDR,), True),
        ((AUD, SPS, PPS, SEI, IDR), True),
        ((IDR, IDR, IDR), True),
        ((IDR, SLICE), True),  # two fields, the second one of a P picture
        ((SLICE,), False),
        ((AUD, SEI, SLICE), False),
        ((SPS, PPS, SEI, SLICE), False),
        ((SLICE, IDR), False),
        ((b"\x01\x9a", SLICE), False),  # a picture that nothing refers to
        ((AUD,), False),
        ((SPS, PPS), False),
    ],
)
def test_a_keyframe_is_what_holds_an_idr(
    units: tuple[bytes, ...], *, key: bool, is_key: bool
) -> None:
    """Case M3: the mark is made true, in the packet and in the body that viewers get."""
    check = playing()
    (packet,) = check.check(frame(lengths(*units), key=key))
    assert packet.is_keyframe is is_key
    assert packet.body[0] == (0x17 if is_key else 0x27)
    assert packet.body[1:] == b"\1\0\0\7" + lengths(*units)
    has_picture = any(unit[0] & 0x1F in (1, 5) for unit in units)
    assert check.false_keyframes == (key and has_picture and not is_key)
    assert check.dropped.total() == 0


@pytest.mark.parametrize("width", [1, 2, 4])
def test_the_lengths_have_the_size_that_the_header_says(width: int) -> None:
    config = bytearray(AVC_HEADER[5:])
    config[4] = 0xFC | width - 1
    check = playing(bytes(config), width)
    (packet,) = check.check(frame(lengths(SEI, IDR, width=width)))
    assert packet.is_keyframe


@pytest.mark.parametrize(
    "empty",
    [
        b"",
        bytes(3),
        b"\1",
        bytes.fromhex("0142c00cff"),
        bytes.fromhex("0142c00cffe000"),
        bytes.fromhex("0142c00cffe1") + len(SPS).to_bytes(2) + SPS + b"\0",
    ],
    ids=["none", "zeros", "version", "without counts", "without sets", "without PPS"],
)
def test_a_header_is_made_of_the_sets_in_a_keyframe(empty: bytes) -> None:
    """Case M3: parameter sets in keyframes only."""
    check = PictureCheck()
    if empty:
        assert check.check(header(empty)) == ()
    assert not check.has_header
    assert check.check(frame(lengths(SLICE))) == ()
    made, packet = check.check(frame(lengths(SPS, PPS, IDR), key=True, time=80))
    assert (made.is_header, made.time, packet.is_keyframe) == (True, 80, True)
    assert made.body == AVC_HEADER
    assert check.dropped == {DropReason.NO_HEADER: 1}
    again = frame(lengths(SPS, PPS, IDR), key=True)
    assert check.check(again) == (again,), "the same sets make no other header"


def test_sets_may_come_in_packets_of_their_own() -> None:
    check = PictureCheck()
    assert check.check(frame(lengths(SPS), key=True)) == ()
    (made,) = check.check(frame(lengths(PPS), key=True))
    assert made.body == AVC_HEADER
    (packet,) = check.check(frame(lengths(IDR), key=True))
    assert packet.is_keyframe
    assert check.dropped.total() == 0


def test_a_header_with_start_codes_is_made_a_proper_one() -> None:
    check = PictureCheck()
    (made,) = check.check(header(start_codes(SPS, PPS)))
    assert made.body == AVC_HEADER
    (packet,) = check.check(frame(start_codes(AUD, SPS, PPS, IDR), key=True))
    assert packet.body[5:] == lengths(AUD, SPS, PPS, IDR)


def test_other_sets_make_another_header_and_other_picture_sets_do_not() -> None:
    check = PictureCheck()
    check.check(frame(lengths(SPS, PPS, IDR), key=True))
    assert len(check.check(frame(lengths(SPS, PPS + b"\1", IDR), key=True))) == 1
    made, _ = check.check(frame(lengths(OTHER_SPS, PPS, IDR), key=True))
    assert codecs.parse_video_config(made.body[5:]).config[8 : 8 + len(OTHER_SPS)] == OTHER_SPS


def test_a_header_that_comes_late() -> None:
    """Frames before it are dropped; one with the sets of the pictures changes nothing."""
    check = PictureCheck()
    assert check.check(frame(lengths(IDR), key=True)) == ()
    assert check.check(frame(lengths(SLICE))) == ()
    late = header(AVC_HEADER[5:])
    assert check.check(late) == (late,)
    assert check.check(frame(lengths(SLICE))) == (), "its keyframe was dropped"
    assert len(check.check(frame(lengths(IDR), key=True))) == 1
    assert check.dropped == {DropReason.NO_HEADER: 2, DropReason.NO_KEYFRAME: 1}

    check = PictureCheck()
    check.check(frame(lengths(SPS, PPS, IDR), key=True))
    assert check.check(header(AVC_HEADER[5:])) == ()
    other = header(make_config([OTHER_SPS], [PPS]) or b"")
    assert check.check(other) == (other,)
    assert len(check.check(frame(lengths(SPS, PPS, IDR), key=True))) == 1, "the header rules now"


def test_a_header_that_is_cut_off_is_left_to_be_refused() -> None:
    cut = header(AVC_HEADER[5:20])
    assert PictureCheck().check(cut) == (cut,)


def test_pictures_before_the_first_keyframe_are_dropped_and_counted() -> None:
    check = PictureCheck()
    check.check(header(AVC_HEADER[5:]))
    for payload in (lengths(SEI, SLICE), lengths(SLICE), lengths(AUD)):
        assert check.check(frame(payload, key=True)) == ()
    assert check.dropped == {DropReason.NO_KEYFRAME: 2}
    assert not check.has_keyframe
    assert len(check.check(frame(lengths(IDR)))) == 1
    assert len(check.check(frame(lengths(SLICE)))) == 1


@pytest.mark.parametrize(
    "payload",
    [
        lengths(IDR)[:-1],
        lengths(SEI, SLICE)[:-2],
        lengths(SLICE) + b"\0\0\1",
        lengths(SLICE) + b"\0\0\1\0" + SLICE,
        b"\xff\xff\xff\xff" + SLICE,
        b"\0\0\0\3",
        bytes(8),
        bytes(40_000),
        SLICE,
    ],
)
def test_a_picture_with_wrong_lengths_is_dropped_and_counted(payload: bytes) -> None:
    """Players end with an error at a wrong length; the next picture goes on."""
    check = playing()
    assert check.check(frame(payload, key=True)) == ()
    assert check.dropped == {DropReason.DAMAGED: 1}
    assert len(check.check(frame(lengths(SLICE)))) == 1


@pytest.mark.parametrize(
    "payload",
    [
        lengths(AUD, IDR) + bytes(3),
        lengths(AUD, IDR) + bytes(4),
        lengths(AUD, IDR) + bytes(13),
        lengths(AUD, b"", IDR),
    ],
)
def test_padding_is_taken_out(payload: bytes) -> None:
    check = playing()
    (packet,) = check.check(frame(payload, key=True))
    assert (packet.body[5:], packet.is_keyframe) == (lengths(AUD, IDR), True)


@pytest.mark.parametrize("code", [b"\0\0\1", b"\0\0\0\1"])
def test_start_codes_become_lengths(code: bytes) -> None:
    check = PictureCheck()
    check.check(header(AVC_HEADER[5:]))
    units = (AUD, SEI, IDR, IDR)
    (packet,) = check.check(frame(b"".join(code + unit for unit in units), key=True))
    assert (packet.body[5:], packet.is_keyframe) == (lengths(*units), True)
    (packet,) = check.check(frame(code + SLICE + bytes(2)))
    assert (packet.body[5:], packet.is_keyframe) == (lengths(SLICE), False)


def test_a_header_of_a_high_profile_ends_with_its_chroma_format() -> None:
    sps = bytes.fromhex("6764001facd9405005bb011000000300100000030320f1831960")
    config = make_config([sps], [PPS])
    assert config is not None
    assert config.endswith(PPS + bytes.fromhex("fdf8f800"))
    assert codecs.parse_video_config(config).codec == "avc1.64001f"


UNITS = st.lists(
    st.binary(min_size=3, max_size=40).map(lambda tail: tail.replace(b"\0", b"\1")),
    min_size=1,
    max_size=6,
)


@given(UNITS)
def test_start_codes_and_lengths_are_the_same_picture(units: list[bytes]) -> None:
    with_codes, with_lengths = PictureCheck(), PictureCheck()
    for check in (with_codes, with_lengths):
        check.check(header(AVC_HEADER[5:]))
    first = with_codes.check(frame(start_codes(IDR, *units), key=True))
    second = with_lengths.check(frame(lengths(IDR, *units), key=True))
    assert [packet.body for packet in first] == [packet.body for packet in second]


@given(st.lists(st.tuples(st.booleans(), st.binary(min_size=1, max_size=60)), max_size=20))
def test_whatever_comes_is_passed_on_or_counted(frames: list[tuple[bool, bytes]]) -> None:
    for check in (playing(), PictureCheck()):
        for key, payload in frames:
            for packet in check.check(frame(payload, key=key)):
                assert packet.is_header or packet.is_keyframe == (packet.body[0] == 0x17)


def test_hostile_pictures_cost_little() -> None:
    check = PictureCheck()
    begun = process_time()
    for payload in (
        bytes(4_000_000),
        bytes(3_999_999) + b"\1",
        b"\0\0\0\1\7" * 800_000,
        b"\0\0\1" * 1_300_000,
        b"\0\0\1\7" * 1_000_000,
    ):
        check.check(frame(payload, key=True))
    assert process_time() - begun < 3
