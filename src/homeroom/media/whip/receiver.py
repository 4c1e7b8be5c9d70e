"""Receiver for aiortc that passes on ordered RTP packets instead of decoded frames."""

import asyncio
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Final

import aioice.ice
import aiortc.rtcpeerconnection
from aioice.ice import get_host_addresses
from aiortc import RTCDtlsTransport, RTCRtpReceiver
from aiortc.codecs import CODECS, HEADER_EXTENSIONS, is_rtx
from aiortc.rtcrtpparameters import (
    RTCRtcpFeedback,
    RTCRtpCodecParameters,
    RTCRtpHeaderExtensionParameters,
    RTCRtpReceiveParameters,
)
from aiortc.rtcrtpreceiver import StreamStatistics
from aiortc.rtp import (
    AnyRtcpPacket,
    RtcpByePacket,
    RtcpReceiverInfo,
    RtcpRrPacket,
    RtcpSrPacket,
    RtpPacket,
    unwrap_rtx,
)

from homeroom.media.whip.reorder_buffer import ReorderBuffer
from homeroom.media.whip.transport_feedback import TRANSPORT_CC_URI, TransportFeedback

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_WAIT_SECONDS: Final = {"video": 0.4, "audio": 0.1}
"""Maximum wait for a missing packet; only video packets are retransmitted."""
REPORT_SECONDS: Final = 1.0
"""Interval of RTCP receiver reports."""
KEYFRAME_REQUEST_SECONDS: Final = 0.5
"""Minimum interval between requests for a keyframe (RTCP PLI)."""
PROFILES: Final = ("42e0", "4200", "4d00", "6400", "640c")
"""H.264 profiles that are accepted: all that browsers offer, since we do not decode."""
LEVEL: Final = "34"
"""Level 5.2, the highest of browsers; with a lower one they would send smaller pictures."""
EXTENSION_URIS: Final = ((1, "urn:ietf:params:rtp-hdrext:sdes:mid"), (2, TRANSPORT_CC_URI))
START_BITRATE_KBPS: Final = "2500"
"""Initial bit rate of a browser; its own default is 300 kbit/s."""


class RTPReceiver(RTCRtpReceiver):
    """Receives the packets of one track and calls the callbacks that the session sets."""

    def __init__(self, kind: str, transport: RTCDtlsTransport) -> None:
        super().__init__(kind, transport)
        self.kind = kind
        self.on_packet: Callable[[RtpPacket | None], None] = lambda _: None
        """Called with each packet in order, and with None if packets are lost."""
        self.on_sender_report: Callable[[int, int], None] = lambda *_: None
        """Called with NTP time and RTP time of each sender report."""
        self.on_disconnect: Callable[[], None] = lambda: None
        """Called when the browser ends the connection."""
        self.feedback = TransportFeedback()
        """Feedback of the connection, shared by all its tracks."""
        self.last_packet_at = monotonic()
        self._codecs: dict[int, RTCRtpCodecParameters] = {}
        self._rtx_ssrcs: dict[int, int] = {}
        self._buffer: ReorderBuffer[RtpPacket] = ReorderBuffer(MAX_WAIT_SECONDS[kind])
        self._media_ssrc = 0
        self._own_ssrc = 0
        self._statistics: dict[int, StreamStatistics] = {}
        self._sender_reports: dict[int, tuple[int, float]] = {}
        self._report_task: asyncio.Task[None] | None = None
        self._keyframe_requested_at = 0.0

    async def receive(self, parameters: RTCRtpReceiveParameters) -> None:
        """Start receiving packets and sending receiver reports; idempotent."""
        if self._report_task is not None:
            return
        self._codecs = {codec.payloadType or 0: codec for codec in parameters.codecs}
        self._rtx_ssrcs = {
            coding.rtx.ssrc: coding.ssrc for coding in parameters.encodings if coding.rtx
        }
        self.transport._register_rtp_receiver(self, parameters)  # noqa: SLF001  as aiortc's own does
        self._report_task = asyncio.create_task(self._send_reports())

    async def stop(self) -> None:
        """Stop receiving packets and sending reports."""
        if self._report_task is not None:
            self.transport._unregister_rtp_receiver(self)  # noqa: SLF001  as aiortc's own does
            self._report_task.cancel()
            with suppress(asyncio.CancelledError):
                await self._report_task

    async def request_keyframe(self) -> None:
        """Send a request for a keyframe, unless one was sent a moment ago."""
        now = monotonic()
        if now - self._keyframe_requested_at >= KEYFRAME_REQUEST_SECONDS:
            self._keyframe_requested_at = now
            await self._send_rtcp_pli(self._media_ssrc)

    def _set_rtcp_ssrc(self, ssrc: int) -> None:
        super()._set_rtcp_ssrc(ssrc)
        self._own_ssrc = ssrc

    def _handle_disconnect(self) -> None:
        self.on_disconnect()

    async def _handle_rtcp_packet(self, packet: AnyRtcpPacket) -> None:
        self.last_packet_at = monotonic()
        if isinstance(packet, RtcpSrPacket):
            info = packet.sender_info
            self._sender_reports[packet.ssrc] = (
                info.ntp_timestamp >> 16 & 0xFFFFFFFF,
                self.last_packet_at,
            )
            if packet.ssrc == self._media_ssrc:
                self.on_sender_report(info.ntp_timestamp, info.rtp_timestamp)
        elif isinstance(packet, RtcpByePacket):
            self.on_disconnect()

    async def _handle_rtp_packet(
        self,
        packet: RtpPacket,
        arrival_time_ms: int,  # noqa: ARG002  milliseconds are too coarse
    ) -> None:
        now = self.last_packet_at = monotonic()
        await self._send_feedback(packet, now)
        codec = self._codecs.get(packet.payload_type)
        if codec is None:
            return
        if packet.ssrc not in self._statistics:
            self._statistics[packet.ssrc] = StreamStatistics(codec.clockRate)
        self._statistics[packet.ssrc].add(packet)
        if is_rtx(codec):
            ssrc, apt = self._rtx_ssrcs.get(packet.ssrc), codec.parameters.get("apt")
            if ssrc != self._media_ssrc or not isinstance(apt, int) or len(packet.payload) < 2:  # noqa: PLR2004  the original sequence number has two bytes
                return
            packet = unwrap_rtx(packet, payload_type=apt, ssrc=ssrc)
        elif packet.ssrc != self._media_ssrc:
            self._media_ssrc = packet.ssrc
            self._buffer = ReorderBuffer(MAX_WAIT_SECONDS[self.kind])
            self.on_packet(None)
        for next_packet in self._buffer.add(packet.sequence_number, packet, now):
            self.on_packet(next_packet)
        if self.kind == "video" and (missing := self._buffer.due_nacks(now)):
            await self._send_rtcp_nack(self._media_ssrc, missing)

    async def _send_feedback(self, packet: RtpPacket, now: float) -> None:
        """Add a packet to the transport-wide feedback, and send a report if one is due."""
        sequence = packet.extensions.transport_sequence_number
        if sequence is None:
            return
        self.feedback.add(sequence, now)
        report = self.feedback.build_report(self._own_ssrc, packet.ssrc, now)
        if report is not None:
            with suppress(ConnectionError):
                await self.transport._send_rtp(report)  # noqa: SLF001  as aiortc's own does

    async def _send_reports(self) -> None:
        """Send receiver reports; browsers adapt their bit rate to them."""
        while True:
            await asyncio.sleep(REPORT_SECONDS)
            reports = [self._reception_info(*item) for item in self._statistics.items()]
            if reports:
                await self._send_rtcp(RtcpRrPacket(self._own_ssrc, reports))

    def _reception_info(self, ssrc: int, statistics: StreamStatistics) -> RtcpReceiverInfo:
        last_report, reported_at = self._sender_reports.get(ssrc, (0, 0.0))
        return RtcpReceiverInfo(
            ssrc=ssrc,
            fraction_lost=statistics.fraction_lost,
            packets_lost=statistics.packets_lost,
            highest_sequence=statistics.cycles + (statistics.max_seq or 0),
            jitter=statistics.jitter,
            lsr=last_report,
            dlsr=int((monotonic() - reported_at) * 65536) if last_report else 0,
        )


def install() -> None:
    """Patch aiortc to use this receiver and to offer only H.264 and Opus; process-wide."""
    aiortc.rtcpeerconnection.RTCRtpReceiver = RTPReceiver  # type: ignore[attr-defined]  # aiortc imports the name and does not export it
    transport_cc = RTCRtcpFeedback("transport-cc")
    feedback = [RTCRtcpFeedback("nack"), RTCRtcpFeedback("nack", "pli"), transport_cc]
    HEADER_EXTENSIONS.update(
        (kind, [RTCRtpHeaderExtensionParameters(number, uri) for number, uri in EXTENSION_URIS])
        for kind in ("audio", "video")
    )
    CODECS["audio"] = [
        RTCRtpCodecParameters("audio/opus", 48_000, 2, 96, [transport_cc], {"stereo": "1"})
    ]
    CODECS["video"] = [
        codec
        for number, profile in zip(range(97, 127, 2), PROFILES, strict=False)
        for codec in (
            RTCRtpCodecParameters(
                mimeType="video/H264",
                clockRate=90_000,
                payloadType=number,
                rtcpFeedback=feedback,
                parameters={
                    "level-asymmetry-allowed": "1",
                    "packetization-mode": "1",
                    "profile-level-id": profile + LEVEL,
                    "x-google-start-bitrate": START_BITRATE_KBPS,
                },
            ),
            RTCRtpCodecParameters("video/rtx", 90_000, None, number + 1, [], {"apt": number}),
        )
    ]
    aioice.ice.get_host_addresses = _host_addresses


def _host_addresses(use_ipv4: bool, use_ipv6: bool) -> list[str]:  # noqa: FBT001  the signature of aioice
    """Return the addresses of this machine; the loopback address if it has no network."""
    return get_host_addresses(use_ipv4, use_ipv6) or ["127.0.0.1"]
