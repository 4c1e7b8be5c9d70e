"""A receiver for aiortc that hands packets on as they are, in order, instead of decoding them."""

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

from homeroom.media.whip.arrivals import EXTENSION, Arrivals
from homeroom.media.whip.order import Order

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE: Final = {"video": 0.4, "audio": 0.1}
"""Seconds to wait for a missing packet; only those of pictures are sent again."""
REPORT_EVERY: Final = 1.0
"""Seconds between our reports."""
ASK_EVERY: Final = 0.5
"""Seconds between two requests for a key frame."""
PROFILES: Final = ("42e0", "4200", "4d00", "6400", "640c")
"""Profiles of H.264 that are taken: none is decoded here, so any that browsers name."""
LEVEL: Final = "34"
"""5.2, the highest there is in browsers: a lower one would make them send a smaller picture."""
EXTENSIONS: Final = ((1, "urn:ietf:params:rtp-hdrext:sdes:mid"), (2, EXTENSION))
START: Final = "2500"
"""Kilobits a second that a browser begins with; its own first guess is 300."""


class Receiver(RTCRtpReceiver):
    """Receives one track; whoever made the connection says who gets its packets."""

    def __init__(self, kind: str, transport: RTCDtlsTransport) -> None:
        super().__init__(kind, transport)
        self.kind = kind
        self.take: Callable[[RtpPacket | None], None] = lambda _: None
        """Gets each packet, none where some are lost."""
        self.report: Callable[[int, int], None] = lambda *_: None
        """Gets time and RTP time of a report of the sender."""
        self.gone: Callable[[], None] = lambda: None
        """Is called when the browser ends the connection."""
        self.arrivals = Arrivals()
        """Of all tracks of the connection."""
        self.heard_at = monotonic()
        self._codecs: dict[int, RTCRtpCodecParameters] = {}
        self._resent: dict[int, int] = {}
        self._order: Order[RtpPacket] = Order(PATIENCE[kind])
        self._media = 0
        self._own = 0
        self._statistics: dict[int, StreamStatistics] = {}
        self._reports: dict[int, tuple[int, float]] = {}
        self._reporting: asyncio.Task[None] | None = None
        self._asked_at = 0.0

    async def receive(self, parameters: RTCRtpReceiveParameters) -> None:
        """Begin."""
        if self._reporting is not None:
            return
        self._codecs = {codec.payloadType or 0: codec for codec in parameters.codecs}
        self._resent = {one.rtx.ssrc: one.ssrc for one in parameters.encodings if one.rtx}
        self.transport._register_rtp_receiver(self, parameters)  # noqa: SLF001  as aiortc's own does
        self._reporting = asyncio.create_task(self._report())

    async def stop(self) -> None:
        """End."""
        if self._reporting is not None:
            self.transport._unregister_rtp_receiver(self)  # noqa: SLF001  as aiortc's own does
            self._reporting.cancel()
            with suppress(asyncio.CancelledError):
                await self._reporting

    async def ask_for_key(self) -> None:
        """Ask for a key frame, unless that was done just now."""
        now = monotonic()
        if now - self._asked_at >= ASK_EVERY:
            self._asked_at = now
            await self._send_rtcp_pli(self._media)

    def _set_rtcp_ssrc(self, ssrc: int) -> None:
        super()._set_rtcp_ssrc(ssrc)
        self._own = ssrc

    def _handle_disconnect(self) -> None:
        self.gone()

    async def _handle_rtcp_packet(self, packet: AnyRtcpPacket) -> None:
        self.heard_at = monotonic()
        if isinstance(packet, RtcpSrPacket):
            about = packet.sender_info
            self._reports[packet.ssrc] = (about.ntp_timestamp >> 16 & 0xFFFFFFFF, self.heard_at)
            if packet.ssrc == self._media:
                self.report(about.ntp_timestamp, about.rtp_timestamp)
        elif isinstance(packet, RtcpByePacket):
            self.gone()

    async def _handle_rtp_packet(
        self,
        packet: RtpPacket,
        arrival_time_ms: int,  # noqa: ARG002  too coarse
    ) -> None:
        now = self.heard_at = monotonic()
        await self._tell_arrivals(packet, now)
        codec = self._codecs.get(packet.payload_type)
        if codec is None:
            return
        if packet.ssrc not in self._statistics:
            self._statistics[packet.ssrc] = StreamStatistics(codec.clockRate)
        self._statistics[packet.ssrc].add(packet)
        if is_rtx(codec):
            original, of = self._resent.get(packet.ssrc), codec.parameters.get("apt")
            if original != self._media or not isinstance(of, int) or len(packet.payload) < 2:  # noqa: PLR2004  the original sequence number has two bytes
                return
            packet = unwrap_rtx(packet, payload_type=of, ssrc=original)
        elif packet.ssrc != self._media:
            self._media = packet.ssrc
            self._order = Order(PATIENCE[self.kind])
            self.take(None)
        for one in self._order.take(packet.sequence_number, packet, now):
            self.take(one)
        if self.kind == "video" and (missing := self._order.wanted(now)):
            await self._send_rtcp_nack(self._media, missing)

    async def _tell_arrivals(self, packet: RtpPacket, now: float) -> None:
        """Tell the browser, now and then, when its packets came: it sends as much as fits."""
        number = packet.extensions.transport_sequence_number
        if number is None:
            return
        self.arrivals.take(number, now)
        told = self.arrivals.report(self._own, packet.ssrc, now)
        if told is not None:
            with suppress(ConnectionError):
                await self.transport._send_rtp(told)  # noqa: SLF001  as aiortc's own does

    async def _report(self) -> None:
        """Report what arrives: browsers go by it."""
        while True:
            await asyncio.sleep(REPORT_EVERY)
            told = [self._received(*one) for one in self._statistics.items()]
            if told:
                await self._send_rtcp(RtcpRrPacket(self._own, told))

    def _received(self, ssrc: int, of: StreamStatistics) -> RtcpReceiverInfo:
        seen, seen_at = self._reports.get(ssrc, (0, 0.0))
        return RtcpReceiverInfo(
            ssrc=ssrc,
            fraction_lost=of.fraction_lost,
            packets_lost=of.packets_lost,
            highest_sequence=of.cycles + (of.max_seq or 0),
            jitter=of.jitter,
            lsr=seen,
            dlsr=int((monotonic() - seen_at) * 65536) if seen else 0,
        )


def install() -> None:
    """Have aiortc use this receiver and speak H.264 and Opus alone; for a process of its own."""
    aiortc.rtcpeerconnection.RTCRtpReceiver = Receiver  # type: ignore[attr-defined]  # aiortc imports the name and does not export it
    arrivals = RTCRtcpFeedback("transport-cc")
    feedback = [RTCRtcpFeedback("nack"), RTCRtcpFeedback("nack", "pli"), arrivals]
    HEADER_EXTENSIONS.update(
        (kind, [RTCRtpHeaderExtensionParameters(number, uri) for number, uri in EXTENSIONS])
        for kind in ("audio", "video")
    )
    CODECS["audio"] = [
        RTCRtpCodecParameters("audio/opus", 48_000, 2, 96, [arrivals], {"stereo": "1"})
    ]
    CODECS["video"] = [
        one
        for number, profile in zip(range(97, 127, 2), PROFILES, strict=False)
        for one in (
            RTCRtpCodecParameters(
                mimeType="video/H264",
                clockRate=90_000,
                payloadType=number,
                rtcpFeedback=feedback,
                parameters={
                    "level-asymmetry-allowed": "1",
                    "packetization-mode": "1",
                    "profile-level-id": profile + LEVEL,
                    "x-google-start-bitrate": START,
                },
            ),
            RTCRtpCodecParameters("video/rtx", 90_000, None, number + 1, [], {"apt": number}),
        )
    ]
    aioice.ice.get_host_addresses = _addresses


def _addresses(use_ipv4: bool, use_ipv6: bool) -> list[str]:  # noqa: FBT001  aioice asks so
    """Return the addresses of this machine; one without a network still has itself."""
    return get_host_addresses(use_ipv4, use_ipv6) or ["127.0.0.1"]
