"""WHIP session of one browser: its peer connection, its tracks, and the RTMP push."""

import asyncio
import logging
import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, suppress
from ipaddress import ip_address
from time import monotonic
from typing import Final, cast

from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.rtp import RtpPacket

from homeroom.base.errors import HomeroomError
from homeroom.media.engine.amf0 import Value, encode
from homeroom.media.engine.packets import AUDIO, SCRIPT, VIDEO, Packet
from homeroom.media.engine.publisher import PublishError, open_publisher
from homeroom.media.whip import audio
from homeroom.media.whip.audio import AudioTranscoder
from homeroom.media.whip.av_sync import AVSynchronizer
from homeroom.media.whip.h264 import AccessUnit, H264Depacketizer
from homeroom.media.whip.receiver import RTPReceiver

log = logging.getLogger("homeroom.media.whip")

MAX_SILENT_SECONDS: Final = 10.0
"""Time without a packet after which a session ends; also the time for the first packet."""
CHECK_SECONDS: Final = 0.5
ANSWER_TIMEOUT_SECONDS: Final = 8.0
"""Time to answer an offer."""
CLOSE_TIMEOUT_SECONDS: Final = 5.0
KEYFRAME_SECONDS: Final = 1.7
"""Delay of the next request for a keyframe, so that keyframes come every two seconds."""
MAX_QUEUED_PACKETS: Final = 1_000
"""Packets that may wait for the engine; about ten seconds."""
MAX_CANDIDATES: Final = 20
METADATA_CODECS: Final[dict[str, Value]] = {"videocodecid": 7.0, "audiocodecid": 10.0}
_CANDIDATE = re.compile(r"^(a=candidate:\S+ \d+ \S+ \d+ )(\S+)( .*)$")


class BadOfferError(HomeroomError):
    """An offer cannot be answered; the message is the reason."""


class WHIPSession:
    """Connection of a browser from its offer to its end."""

    def __init__(self, push_url: str, address: str | None) -> None:
        """Set up; `address` is the public IP address for ICE candidates, if it is not our own."""
        self.push_url = push_url
        self._address = address
        self._connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._receivers: list[RTPReceiver] = []
        self._sync = AVSynchronizer()
        self._depacketizer = H264Depacketizer()
        self._header = b""
        self._keyframe_at = 0.0
        self._transcoder = AudioTranscoder()
        self._executor = ThreadPoolExecutor(1, "sound")
        self._push_stack = AsyncExitStack()
        self._packets: asyncio.Queue[Packet] = asyncio.Queue(MAX_QUEUED_PACKETS)
        self._ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._tasks: set[asyncio.Task[None]] = set()

    async def answer(self, offer: str) -> str:
        """Answer an offer after the push has started; raises `BadOfferError`, `PublishError`."""
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_SECONDS):
                await self._accept_offer(offer)
                self._publisher = await self._push_stack.enter_async_context(
                    open_publisher(self.push_url)
                )
                await self._connection.setLocalDescription()
        except TimeoutError:
            raise BadOfferError("there is no way to the browser") from None
        return _replace_addresses(self._connection.localDescription.sdp, self._address)

    async def run(self) -> None:
        """Publish the tracks until the browser or the engine ends."""
        silence_task = asyncio.create_task(self._wait_for_silence())
        publish_task = asyncio.create_task(self._publish())
        try:
            ends = (silence_task, publish_task, self._ended)
            done, _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            log.info("session_ended: %s", next(iter(done)).result())
        finally:
            self.end("")
            for task in (silence_task, publish_task):
                task.cancel()
            await asyncio.gather(silence_task, publish_task, return_exceptions=True)
            await self.close()

    def end(self, reason: str) -> None:
        """Make `run` return."""
        if not self._ended.done():
            self._ended.set_result(reason)

    async def close(self) -> None:
        """Close the push and the peer connection."""
        self._executor.shutdown(wait=False, cancel_futures=True)
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_TIMEOUT_SECONDS):
                await self._push_stack.aclose()
                await self._connection.close()

    async def _accept_offer(self, offer: str) -> None:
        try:
            description = RTCSessionDescription(_filter_candidates(offer), "offer")
            await self._connection.setRemoteDescription(description)
        except Exception as failure:
            # The parser of aiortc raises exceptions of many types.
            raise BadOfferError("the offer names no H.264 and Opus that can be taken") from failure
        transceivers = self._connection.getTransceivers()
        self._receivers = [cast("RTPReceiver", item.receiver) for item in transceivers]
        kinds = [receiver.kind for receiver in self._receivers]
        if not kinds or len(set(kinds)) < len(kinds):
            raise BadOfferError("an offer has one picture, one sound, or both")
        for receiver in self._receivers:
            self._connect_receiver(receiver)
        self._connection.on("connectionstatechange", self._check_connection)

    def _connect_receiver(self, receiver: RTPReceiver) -> None:
        sync = self._sync
        is_video = receiver.kind == "video"
        track = sync.video if is_video else sync.audio
        receiver.on_packet = (
            (lambda packet: self._handle_video(packet, receiver))
            if is_video
            else self._handle_audio
        )
        receiver.feedback = self._receivers[0].feedback
        receiver.on_sender_report = lambda ntp, stamp: sync.add_sender_report(track, ntp, stamp)
        receiver.on_disconnect = lambda: self.end("the browser has ended it")

    def _check_connection(self) -> None:
        if self._connection.connectionState in {"failed", "closed"}:
            self.end("the connection is gone")

    def _handle_video(self, packet: RtpPacket | None, receiver: RTPReceiver) -> None:
        """Handle a video packet; None means that packets are lost."""
        if packet is None:
            self._depacketizer.mark_loss()
        elif packet.payload:  # probe packets for bandwidth are empty
            ticks = self._sync.video.ticks(packet.timestamp)
            self._sync.note_arrival(self._sync.video, ticks, monotonic())
            for access_unit in self._depacketizer.add(
                packet.payload, ticks, is_last=bool(packet.marker)
            ):
                self._send_access_unit(access_unit)
        if self._depacketizer.needs_keyframe or monotonic() - self._keyframe_at > KEYFRAME_SECONDS:
            task = asyncio.create_task(receiver.request_keyframe())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _send_access_unit(self, access_unit: AccessUnit) -> None:
        time = self._sync.to_ms(self._sync.video, access_unit.ticks)
        is_keyframe = access_unit.is_keyframe
        if is_keyframe:
            self._keyframe_at = monotonic()
            header = access_unit.header
            if header and header != self._header:
                self._header = header
                self._enqueue([Packet(VIDEO, time, header)])
        self._enqueue([Packet(VIDEO, time, access_unit.frame)])

    def _handle_audio(self, packet: RtpPacket | None) -> None:
        """Handle an audio packet; the transcoder detects losses by the times of packets."""
        if packet is None or not packet.payload or self._ended.done():
            return
        ticks = self._sync.audio.ticks(packet.timestamp)
        self._sync.note_arrival(self._sync.audio, ticks, monotonic())
        future = asyncio.get_running_loop().run_in_executor(
            self._executor, self._transcoder.transcode, packet.payload, ticks
        )
        future.add_done_callback(self._send_audio)

    def _send_audio(self, future: asyncio.Future[list[tuple[int, bytes]]]) -> None:
        if future.cancelled():
            return
        to_ms, track = self._sync.to_ms, self._sync.audio
        self._enqueue(Packet(AUDIO, to_ms(track, ticks), body) for ticks, body in future.result())

    def _enqueue(self, packets: Iterable[Packet]) -> None:
        try:
            for packet in packets:
                self._packets.put_nowait(packet)
        except asyncio.QueueFull:
            self.end("the server does not take it fast enough")

    async def _wait_for_silence(self) -> str:
        """Return when no packet has arrived for too long."""
        while self._seconds_silent() < MAX_SILENT_SECONDS:  # noqa: ASYNC110  silence raises no event
            await asyncio.sleep(CHECK_SECONDS)
        return f"nothing has come for {MAX_SILENT_SECONDS:.0f} s"

    def _seconds_silent(self) -> float:
        return monotonic() - max(receiver.last_packet_at for receiver in self._receivers)

    async def _publish(self) -> str:
        """Send queued packets until the push ends; return the reason."""
        kinds = {receiver.kind for receiver in self._receivers}
        metadata = {name: value for name, value in METADATA_CODECS.items() if name[:5] in kinds}
        try:
            await self._publisher.send(Packet(SCRIPT, 0, encode("onMetaData", metadata)))
            if "audio" in kinds:
                await self._publisher.send(Packet(AUDIO, 0, audio.AAC_CONFIG_TAG))
            while True:
                await self._publisher.send(await self._packets.get())
        except PublishError as error:
            return str(error)


def _filter_candidates(offer: str) -> str:
    """Return an offer with a limited number of candidates, and none with a host name.

    Browsers connect to us, so their candidates are not needed.
    """
    lines, left = [], MAX_CANDIDATES
    for line in offer.splitlines():
        match = _CANDIDATE.match(line)
        if match is not None:
            left -= 1
            if left < 0 or not _is_address(match[2]):
                continue
        lines.append(line)
    return "\r\n".join(lines) + "\r\n"


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _replace_addresses(answer: str, address: str | None) -> str:
    """Return an answer with `address` in all candidates of its IP version."""
    if address is None:
        return answer
    version = ip_address(address).version
    lines = []
    for line in answer.splitlines():
        match = _CANDIDATE.match(line)
        if match is not None and ip_address(match[2]).version == version:
            lines.append(match[1] + address + match[3])
        else:
            lines.append(line)
    return "\r\n".join(lines) + "\r\n"
