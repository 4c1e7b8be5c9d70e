"""Parts of the gateway, without a browser: order, pictures, clocks, reports."""

import asyncio
import random
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeroom.media.engine import codecs
from homeroom.media.whip.av_sync import AVSynchronizer
from homeroom.media.whip.gateway import Gateway
from homeroom.media.whip.h264 import AccessUnit, H264Depacketizer
from homeroom.media.whip.reorder_buffer import NACK_RETRY_SECONDS, ReorderBuffer, RTPUnwrapper
from homeroom.media.whip.settings import GatewaySettings
from homeroom.media.whip.transport_feedback import FEEDBACK_SECONDS, TransportFeedback
from homeroom.web import bodies
from tests.support.flv import AVC_HEADER

SETS = [AVC_HEADER[13:36], AVC_HEADER[39:43]]
"""The parameter sets of a picture of 320 by 180."""
KEY = b"\x65key"
OTHER = b"\x41other"


def several(*units: bytes) -> bytes:
    """Return a packet of several units."""
    return b"\x18" + b"".join(struct.pack(">H", len(unit)) + unit for unit in units)


def pieces(unit: bytes, size: int) -> list[bytes]:
    """Return the packets of a unit that is cut up."""
    cut = [unit[at : at + size] for at in range(1, len(unit), size)]
    head = bytes((unit[0] & 0xE0 | 28,))
    last = len(cut) - 1
    return [
        head + bytes((unit[0] & 0x1F | 0x80 * (at == 0) | 0x40 * (at == last),)) + piece
        for at, piece in enumerate(cut)
    ]


# --- order ---------------------------------------------------------------------------


@given(begin=st.integers(0, 65_535), seed=st.integers())
def test_packets_come_out_as_they_were_sent(begin: int, seed: int) -> None:
    draw, reorder_buffer = random.Random(seed), ReorderBuffer[int](10.0)
    sent = list(range(begin, begin + 100))
    # Each may be overtaken by a few, but the first.
    came = [sent[0], *sorted(sent[1:], key=lambda number: number + draw.random() * 8)]
    found = [one for at in came for one in reorder_buffer.add(at % 65_536, at, 0.0)]
    assert found == sent


def test_a_missing_packet_is_asked_for_waited_for_and_given_up() -> None:
    reorder_buffer = ReorderBuffer[str](0.4)
    assert reorder_buffer.add(65_534, "a", 0.0) == ["a"]
    assert reorder_buffer.add(0, "c", 0.1) == []
    assert reorder_buffer.due_nacks(0.1) == [65_535]
    assert reorder_buffer.due_nacks(0.1 + NACK_RETRY_SECONDS / 2) == []
    assert reorder_buffer.due_nacks(0.1 + NACK_RETRY_SECONDS) == [65_535]
    assert reorder_buffer.add(1, "d", 0.4) == []
    assert reorder_buffer.add(2, "e", 0.6) == [None, "c", "d", "e"]
    assert reorder_buffer.due_nacks(0.7) == []
    assert reorder_buffer.add(65_535, "b", 0.7) == []


def test_one_that_is_sent_again_takes_its_place_once() -> None:
    reorder_buffer = ReorderBuffer[str](0.4)
    reorder_buffer.add(5, "a", 0.0)
    reorder_buffer.add(7, "c", 0.0)
    assert reorder_buffer.add(6, "b", 0.1) == ["b", "c"]
    assert reorder_buffer.add(6, "b", 0.1) == []


# --- pictures ------------------------------------------------------------------------


def test_pictures_are_put_together_from_packets() -> None:
    depacketizer = H264Depacketizer()
    whole = [*SETS, KEY + bytes(50)]
    assert depacketizer.add(several(*SETS), 0, is_last=False) == []
    *begin, end = pieces(whole[2], 20)
    for piece in begin:
        assert depacketizer.add(piece, 0, is_last=False) == []
    assert depacketizer.add(end, 0, is_last=True) == [AccessUnit(0, whole)]
    # The last packet of a picture may not say so.
    assert depacketizer.add(OTHER, 3000, is_last=False) == []
    assert depacketizer.add(OTHER + b"2", 6000, is_last=True) == [
        AccessUnit(3000, [OTHER]),
        AccessUnit(6000, [OTHER + b"2"]),
    ]


def test_after_a_loss_nothing_is_shown_before_a_key_frame() -> None:
    depacketizer = H264Depacketizer()
    key = several(*SETS, KEY)
    assert depacketizer.add(OTHER, 0, is_last=True) == []
    assert len(depacketizer.add(key, 1, is_last=True)) == 1
    depacketizer.mark_loss()
    assert depacketizer.needs_keyframe
    assert depacketizer.add(OTHER, 2, is_last=True) == []
    assert depacketizer.add(KEY, 3, is_last=True) == [], "its beginning may be what was lost"
    assert len(depacketizer.add(key, 4, is_last=True)) == 1
    assert not depacketizer.needs_keyframe


@pytest.mark.parametrize("wrong", [b"", b"\0", b"\x7c", b"\x7c\x05mid", b"\x18\0\xff", b"\x1e"])
def test_what_makes_no_sense_counts_as_lost(wrong: bytes) -> None:
    depacketizer = H264Depacketizer()
    assert len(depacketizer.add(several(*SETS, KEY), 0, is_last=True)) == 1
    assert depacketizer.add(wrong, 1, is_last=True) == []
    assert depacketizer.needs_keyframe


@given(st.lists(st.tuples(st.binary(max_size=20), st.integers(0, 3), st.booleans())))
def test_whatever_comes_nothing_is_raised(packets: list[tuple[bytes, int, bool]]) -> None:
    depacketizer = H264Depacketizer()
    for payload, ticks, is_last in packets:
        for picture in depacketizer.add(payload, ticks, is_last=is_last):
            assert picture.frame


def test_the_header_is_the_one_an_encoder_would_send() -> None:
    picture = AccessUnit(0, [b"\x09\x10", *SETS, KEY])
    assert picture.header == AVC_HEADER
    found = codecs.parse_video_config(picture.header[5:])
    assert (found.width, found.height) == (320, 180)
    assert found.has_parameter_sets(memoryview(picture.frame)[5:])
    assert picture.frame.startswith(b"\x17\1\0\0\0\0\0\0" + bytes((len(SETS[0]),)) + SETS[0])
    assert AccessUnit(0, [OTHER]).frame == b"\x27\1\0\0\0" + b"\0\0\0\x06" + OTHER
    assert AccessUnit(0, [KEY]).header == b""


# --- clocks --------------------------------------------------------------------------


def test_times_go_on_where_they_wrap() -> None:
    times = RTPUnwrapper(32)
    begin = (1 << 32) - 90
    assert [times.unwrap((begin + step) % (1 << 32)) - begin for step in (0, 90, 45, 180)] == [
        *(0, 90, 45, 180)
    ]


def test_until_reports_come_arrival_counts_and_then_the_sender_does() -> None:
    line = AVSynchronizer()
    video, audio = line.video, line.audio
    line.note_arrival(audio, audio.ticks(48_000), 100.0)
    line.note_arrival(video, video.ticks(0xFFFF_FFFF), 100.5)
    assert line.to_ms(audio, 48_000) == 0
    assert line.to_ms(video, video.ticks(89_999)) == 1500
    # By the sender's clock both began at the same time: the picture took longer to come.
    line.add_sender_report(audio, 7 << 32, 48_000)
    assert line.to_ms(audio, 48_000) == 0
    line.add_sender_report(video, 7 << 32, 0xFFFF_FFFF)
    assert line.to_ms(audio, 48_000) == 500
    assert line.to_ms(video, video.ticks(89_999)) == 1500
    # What is too little to be heard is left alone.
    line.add_sender_report(audio, (7 << 32) + (1 << 32) // 100, 48_000)
    assert line.to_ms(audio, 48_000) == 500
    line.add_sender_report(audio, (7 << 32) - (1 << 32) // 10, 48_000)
    assert line.to_ms(audio, 48_000) == 400


# --- reports of arrivals -------------------------------------------------------------


def test_a_report_tells_when_each_packet_came() -> None:
    feedback = TransportFeedback()
    for number, now in ((65_535, 10.0), (0, 10.002), (2, 10.001), (3, 10.2)):
        feedback.add(number, now)
    report = feedback.build_report(1, 2, 10.2)
    assert report is not None
    assert len(report) == 4 * (1 + struct.unpack_from(">H", report, 2)[0])
    assert struct.unpack_from(">BB2xIIHH", report) == (0x8F, 205, 1, 2, 65_535, 5)
    reference = int.from_bytes(report[16:19])
    assert report[19] == 0, "the first report"
    # Seven packets in two bits each: a byte, a byte, lost, two bytes, two bytes.
    assert int.from_bytes(report[20:22]) == 0b11_01_01_00_10_10_00_00
    first, second, third, fourth = struct.unpack_from(">BBhh", report, 22)
    times = [reference * 0.064 + first / 4000]
    for step in (second, third, fourth):
        times.append(times[-1] + step / 4000)
    assert times == pytest.approx([10.0, 10.002, 10.001, 10.2], abs=0.0003)


def test_what_is_missing_between_two_reports_is_told_of() -> None:
    feedback = TransportFeedback()
    feedback.add(1, 1.0)
    assert feedback.build_report(1, 2, 1.0) is not None
    feedback.add(4, 1.0 + FEEDBACK_SECONDS / 2)
    assert feedback.build_report(1, 2, 1.0 + FEEDBACK_SECONDS / 2) is None
    report = feedback.build_report(1, 2, 1.0 + FEEDBACK_SECONDS)
    assert report is not None
    assert struct.unpack_from(">HH", report, 12) == (2, 3)
    assert report[19] == 1
    assert feedback.build_report(1, 2, 2.0) is None


# --- HTTP ----------------------------------------------------------------------------


def test_an_offer_that_never_ends_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Case A2: the gateway, too, has a deadline for each body."""
    monkeypatch.setattr(bodies, "BODY_SECONDS", 0.05)
    headers = [(b"authorization", b"Bearer secret"), (b"content-length", b"100")]
    scope: dict[str, Any] = {
        "type": "http",
        "method": "POST",
        "path": "/sessions",
        "headers": headers,
    }
    scope |= {"query_string": b"", "root_path": ""}
    chunks: list[dict[str, Any]] = [{"type": "http.request", "body": b"{", "more_body": True}]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if not chunks:
            await asyncio.Event().wait()
        return chunks.pop()

    async def send(message: Any) -> None:  # noqa: ANN401  as ASGI has it
        sent.append(message)

    settings = GatewaySettings(http_fd=0, secret="secret")
    asyncio.run(Gateway(settings).app()(scope, receive, send))
    assert sent[0]["status"] == 408
