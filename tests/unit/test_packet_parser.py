"""Enhanced RTMP: what can be carried is taken whatever header names it, and one track of each."""

from itertools import permutations
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeroom.media.engine.packet_parser import PacketParser
from homeroom.media.engine.packets import AUDIO, VIDEO, UnsupportedMediaError
from tests.support import enhanced
from tests.support.enhanced import MANY_CODECS, MANY_TRACKS, ONE_TRACK, SMALL_MODIFIER, of_tracks
from tests.support.flv import AAC_HEADER, AVC_HEADER

KEY: Final = b"\x17\1\0\0\x28key frame"
LATE: Final = b"\x27\1\xff\xff\xd8inter frame"
PLAIN_KEY: Final = b"\x17\1\0\0\0key frame"
SOUND: Final = b"\xaf\1sound"
BAND: Final = b"\xaf\1another sound"
OTHER_AAC: Final = b"\xaf\0\x11\x90"
LONG_MODIFIER: Final = b"\xff\x01\x2b" + bytes(300)
"""A modifier of 300 bytes, whose size has two bytes of its own."""


def parse(*messages: tuple[int, bytes]) -> list[tuple[int, bytes, bool, bool]]:
    """Return what the messages of one push are taken for."""
    parser = PacketParser()
    packets = [parser.parse(kind, 7, body) for kind, body in messages]
    return [
        (one.kind, one.body, one.is_header, one.is_keyframe) for one in packets if one is not None
    ]


def sounds(*bodies: bytes) -> list[bytes]:
    return [body for _, body, _, _ in parse(*((AUDIO, body) for body in bodies))]


def pictures(*bodies: bytes) -> list[bytes]:
    return [body for _, body, _, _ in parse(*((VIDEO, body) for body in bodies))]


@pytest.mark.parametrize("modifier", [b"", SMALL_MODIFIER, LONG_MODIFIER])
def test_h264_and_aac_by_fourcc_become_classic(modifier: bytes) -> None:
    """Case M5, m03: avc1 and mp4a by FourCC, with and without a modifier before them."""
    assert parse(
        (VIDEO, enhanced.picture(AVC_HEADER, modifier=modifier)),
        (AUDIO, enhanced.sound(AAC_HEADER, modifier=modifier)),
        (VIDEO, enhanced.picture(KEY, modifier=modifier)),
        (AUDIO, enhanced.sound(SOUND, modifier=modifier)),
        (VIDEO, enhanced.picture(LATE, modifier=modifier)),
        (VIDEO, enhanced.picture(PLAIN_KEY, short=True, modifier=modifier)),
    ) == [
        (VIDEO, AVC_HEADER, True, False),
        (AUDIO, AAC_HEADER, True, False),
        (VIDEO, KEY, False, True),
        (AUDIO, SOUND, False, False),
        (VIDEO, LATE, False, False),
        (VIDEO, PLAIN_KEY, False, True),
    ]


@pytest.mark.parametrize("fourcc", [b"avc1", b"hvc1"])
@pytest.mark.parametrize("kind", [2, 4, 5, 8, 11, 15])
def test_packet_types_without_a_picture_are_skipped(kind: int, fourcc: bytes) -> None:
    """The end, metadata with colours, a start in a transport stream, and unknown types."""
    odd = bytes((0x90 | kind,)) + fourcc + b"whatever it is"
    assert pictures(odd, AVC_HEADER, odd, KEY) == [AVC_HEADER, KEY]


@pytest.mark.parametrize("fourcc", [b"mp4a", b"Opus"])
@pytest.mark.parametrize("kind", [2, 3, 4, 6, 9, 15])
def test_packet_types_without_sound_are_skipped(kind: int, fourcc: bytes) -> None:
    odd = bytes((0x90 | kind,)) + fourcc + b"\1\6\0\0\0\x3f"
    assert sounds(odd, AAC_HEADER, odd, SOUND) == [AAC_HEADER, SOUND]


def test_unknown_types_of_classic_packets_are_skipped() -> None:
    assert sounds(AAC_HEADER, b"\xaf\2sound", b"\xaf\xffsound", SOUND) == [AAC_HEADER, SOUND]
    assert pictures(AVC_HEADER, b"\x17\2\0\0\0end", b"\x17\x30\0\0\0x", KEY) == [AVC_HEADER, KEY]


def test_a_command_among_the_pictures_is_skipped() -> None:
    assert pictures(b"\xd1\0", b"\x57\0", b"\x57\1\0\0\0\0\0", KEY) == [KEY]


@pytest.mark.parametrize(
    ("fourcc", "name"),
    [
        (b"hvc1", r"HEVC \(hvc1\)"),
        (b"av01", "AV1"),
        (b"vp09", "VP9"),
        (b"vp08", "VP8"),
        (b"vvc1", "VVC"),
        (b"\0\xff<b", r"not known here \(\?\?\?b\)"),
    ],
)
@pytest.mark.parametrize("body", [AVC_HEADER, KEY], ids=["header", "frame"])
def test_another_picture_is_refused_with_what_to_set(fourcc: bytes, name: str, body: bytes) -> None:
    with pytest.raises(UnsupportedMediaError, match=f"{name}.*set the video encoder to H.264"):
        pictures(enhanced.picture(body, fourcc))


@pytest.mark.parametrize(
    ("fourcc", "name"),
    [
        (b"Opus", "Opus"),
        (b"ac-3", r"AC-3 \(ac-3\)"),
        (b"ec-3", "E-AC-3"),
        (b"fLaC", "FLAC"),
        (b".mp3", "MP3"),
    ],
)
def test_other_sound_is_refused_with_what_to_set(fourcc: bytes, name: str) -> None:
    with pytest.raises(UnsupportedMediaError, match=f"{name}.*set the audio encoder to AAC"):
        sounds(enhanced.sound(AAC_HEADER, fourcc))


@pytest.mark.parametrize(
    ("kind", "body", "name"),
    [
        (AUDIO, b"\x2f" + bytes(9), "MP3"),
        (AUDIO, b"\x6f" + bytes(9), "Nellymoser"),
        (AUDIO, b"\xbf" + bytes(9), "Speex"),
        (AUDIO, b"\xff" + bytes(9), "codec 15"),
        (VIDEO, b"\x12" + bytes(9), "H.263"),
        (VIDEO, b"\x1c" + bytes(9), "HEVC"),
    ],
)
def test_other_classic_codecs_are_refused(kind: int, body: bytes, name: str) -> None:
    with pytest.raises(UnsupportedMediaError, match=name):
        parse((kind, body))


def further(body: bytes, number: int = 1, fourcc: bytes = b"mp4a") -> bytes:
    """Return a body as that of a further track."""
    return of_tracks([(number, fourcc, body)], ONE_TRACK)


def test_a_second_sound_beside_a_classic_one_is_passed_over() -> None:
    """Case M5, m04: the order of the two headers does not matter."""
    for headers in permutations((AAC_HEADER, further(OTHER_AAC))):
        taken = sounds(*headers, further(BAND), SOUND, SOUND, further(BAND))
        assert [body for body in taken if body[1]] == [SOUND, SOUND]
        assert taken[-3] == AAC_HEADER


def test_a_second_picture_beside_a_classic_one_is_passed_over() -> None:
    other = AVC_HEADER[:-1] + b"\1"
    for headers in permutations((AVC_HEADER, further(other, 1, b"avc1"))):
        taken = pictures(*headers, further(LATE, 1, b"avc1"), KEY, further(KEY, 1, b"avc1"))
        assert taken[-2:] == [AVC_HEADER, KEY]


@pytest.mark.parametrize("fourcc", [b"Opus", b"ac-3", b"\xff\xff\xff\xff"])
@pytest.mark.parametrize("form", [ONE_TRACK, MANY_TRACKS, MANY_CODECS])
def test_a_further_track_may_have_any_codec(fourcc: bytes, form: int) -> None:
    header, frame = (of_tracks([(1, fourcc, one)], form) for one in (OTHER_AAC, BAND))
    assert sounds(header, AAC_HEADER, header, frame, SOUND, frame) == [AAC_HEADER, SOUND]


def test_of_many_tracks_the_one_with_the_lowest_id_is_taken() -> None:
    for numbers in permutations((0, 1, 7)):
        bodies = {number: b"\xaf\1track %d" % number for number in numbers}
        for form in (MANY_TRACKS, MANY_CODECS):
            header = of_tracks([(number, b"mp4a", AAC_HEADER) for number in numbers], form)
            frame = of_tracks([(number, b"mp4a", bodies[number]) for number in numbers], form)
            assert sounds(header, frame, frame) == [AAC_HEADER, bodies[0], bodies[0]]


@pytest.mark.parametrize("short", [False, True])
@pytest.mark.parametrize("modifier", [b"", SMALL_MODIFIER])
@pytest.mark.parametrize("form", [ONE_TRACK, MANY_TRACKS, MANY_CODECS])
def test_pictures_of_several_tracks(form: int, modifier: bytes, *, short: bool) -> None:
    others = () if form == ONE_TRACK else (1, 2)

    def message(body: bytes) -> bytes:
        tracks = [(0, b"avc1", body), *((number, b"avc1", LATE) for number in others)]
        return of_tracks(tracks, form, short=short, modifier=modifier)

    header = of_tracks([(0, b"avc1", AVC_HEADER)], form, modifier=modifier)
    assert parse((VIDEO, header), (VIDEO, message(PLAIN_KEY))) == [
        (VIDEO, AVC_HEADER, True, False),
        (VIDEO, PLAIN_KEY, False, True),
    ]


def test_without_a_default_track_the_first_one_is_taken() -> None:
    assert sounds(
        further(AAC_HEADER, 3), further(OTHER_AAC, 4), further(SOUND, 3), further(BAND, 4)
    ) == [AAC_HEADER, SOUND]


def test_a_better_track_takes_over_only_before_the_first_frame() -> None:
    """A track that begins later does not change a stream that runs."""
    first, better = further(AAC_HEADER, 2), further(OTHER_AAC, 0)
    assert sounds(first, better, further(BAND, 0), further(SOUND, 2)) == [
        AAC_HEADER,
        OTHER_AAC,
        BAND,
    ]
    assert sounds(first, further(SOUND, 2), better, further(BAND, 0), further(SOUND, 2)) == [
        AAC_HEADER,
        SOUND,
        SOUND,
    ]


def test_the_first_track_decides_about_the_codec() -> None:
    tracks = [(0, b"hvc1", AVC_HEADER), (1, b"avc1", AVC_HEADER)]
    with pytest.raises(UnsupportedMediaError, match="HEVC"):
        pictures(of_tracks(tracks, MANY_CODECS))
    with pytest.raises(UnsupportedMediaError, match="Opus"):
        sounds(further(AAC_HEADER, 1, b"Opus"), further(SOUND, 1, b"Opus"))


def test_further_tracks_of_one_kind_say_nothing_about_the_other() -> None:
    assert len(parse((AUDIO, further(AAC_HEADER, 5)), (VIDEO, AVC_HEADER), (VIDEO, KEY))) == 3


WHOLE: Final = (
    enhanced.picture(KEY, modifier=SMALL_MODIFIER),
    enhanced.picture(KEY, modifier=LONG_MODIFIER),
    of_tracks([(0, b"avc1", KEY), (1, b"avc1", LATE)], MANY_TRACKS),
    of_tracks([(0, b"avc1", KEY), (1, b"hvc1", LATE)], MANY_CODECS),
    enhanced.picture(AVC_HEADER),
)


@pytest.mark.parametrize("message", WHOLE)
def test_a_message_that_is_cut_short_breaks_nothing(message: bytes) -> None:
    for end in range(len(message)):
        assert len(pictures(message[:end])) <= 1


def test_modifiers_without_end_are_skipped() -> None:
    assert pictures(b"\x97" + b"\0\0\7" * 100_000) == []


@given(head=st.sampled_from([0x80, 0x90, 0xA0, 0xD0]), rest=st.binary(max_size=40))
def test_any_extended_message_is_a_packet_nothing_or_refused(head: int, rest: bytes) -> None:
    for kind in (AUDIO, VIDEO):
        for packet_type in range(16):
            try:
                taken = parse((kind, bytes((head | packet_type,)) + rest))
            except UnsupportedMediaError:
                continue
            assert all(len(body) > 2 for _, body, _, _ in taken)
