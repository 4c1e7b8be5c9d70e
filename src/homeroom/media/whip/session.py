"""One browser that is on the air: its connection, its two tracks, and the push they become."""

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

from homeroom.media.engine.amf0 import Value, encode
from homeroom.media.engine.packets import AUDIO, SCRIPT, VIDEO, Packet
from homeroom.media.engine.publisher import PublishError, open_publisher
from homeroom.media.whip import sound
from homeroom.media.whip.avc import Picture, Pictures
from homeroom.media.whip.receiver import Receiver
from homeroom.media.whip.sound import Sound
from homeroom.media.whip.timeline import Timeline

log = logging.getLogger("homeroom.media.whip")

SILENCE: Final = 10.0
"""Seconds without a packet after which a browser counts as gone; it has as long to begin."""
LOOK: Final = 0.5
ANSWERING: Final = 8.0
"""Seconds for an answer."""
CLOSING: Final = 5.0
KEY_EVERY: Final = 1.7
"""Seconds after a key frame until the next is asked for: on its way, it comes within two."""
MOST_WAITING: Final = 1_000
"""Packets that wait for the server; about ten seconds."""
MOST_CANDIDATES: Final = 20
CODECS: Final[dict[str, Value]] = {"videocodecid": 7.0, "audiocodecid": 10.0}
_CANDIDATE = re.compile(r"^(a=candidate:\S+ \d+ \S+ \d+ )(\S+)( .*)$")


class BadOffer(Exception):
    """An offer that cannot be answered; the message says why."""


class Session:
    """A browser's connection, from its offer to its end."""

    def __init__(self, push_url: str, address: str | None) -> None:
        """Take where it is pushed to, and the address that browsers are told, if it is another."""
        self.push_url = push_url
        self._address = address
        self._connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._receivers: list[Receiver] = []
        self._timeline = Timeline()
        self._pictures = Pictures()
        self._header = b""
        self._key_at = 0.0
        self._sound = Sound()
        self._worker = ThreadPoolExecutor(1, "sound")
        self._push = AsyncExitStack()
        self._packets: asyncio.Queue[Packet] = asyncio.Queue(MOST_WAITING)
        self._over: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._tasks: set[asyncio.Task[None]] = set()

    async def answer(self, offer: str) -> str:
        """Answer an offer, once it may be pushed; raises `BadOffer`, `Unpublished`."""
        try:
            async with asyncio.timeout(ANSWERING):
                await self._take(offer)
                self._publisher = await self._push.enter_async_context(
                    open_publisher(self.push_url)
                )
                await self._connection.setLocalDescription()
        except TimeoutError:
            raise BadOffer("there is no way to the browser") from None
        return _readdressed(self._connection.localDescription.sdp, self._address)

    async def run(self) -> None:
        """Publish what comes until either side has had enough."""
        watching = asyncio.create_task(self._watch())
        publishing = asyncio.create_task(self._publish())
        try:
            ends = (watching, publishing, self._over)
            done, _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            log.info("a browser's push ends: %s", next(iter(done)).result())
        finally:
            self.end("")
            for task in (watching, publishing):
                task.cancel()
            await asyncio.gather(watching, publishing, return_exceptions=True)
            await self.close()

    def end(self, reason: str) -> None:
        """Have `run` end."""
        if not self._over.done():
            self._over.set_result(reason)

    async def close(self) -> None:
        """Let go of the browser."""
        self._worker.shutdown(wait=False, cancel_futures=True)
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSING):
                await self._push.aclose()
                await self._connection.close()

    async def _take(self, offer: str) -> None:
        try:
            told = RTCSessionDescription(_without_riddles(offer), "offer")
            await self._connection.setRemoteDescription(told)
        except Exception as failure:
            # Its parser raises whatever it trips over.
            raise BadOffer("the offer names no H.264 and Opus that can be taken") from failure
        transceivers = self._connection.getTransceivers()
        self._receivers = [cast("Receiver", one.receiver) for one in transceivers]
        kinds = [one.kind for one in self._receivers]
        if not kinds or len(set(kinds)) < len(kinds):
            raise BadOffer("an offer has one picture, one sound, or both")
        for receiver in self._receivers:
            self._join(receiver)
        self._connection.on("connectionstatechange", self._look_at_state)

    def _join(self, receiver: Receiver) -> None:
        line = self._timeline
        is_video = receiver.kind == "video"
        track = line.video if is_video else line.audio
        receiver.take = (lambda packet: self._see(packet, receiver)) if is_video else self._hear
        receiver.arrivals = self._receivers[0].arrivals
        receiver.report = lambda ntp, stamp: line.report(track, ntp, stamp)
        receiver.gone = lambda: self.end("the browser has ended it")

    def _look_at_state(self) -> None:
        if self._connection.connectionState in {"failed", "closed"}:
            self.end("the connection is gone")

    def _see(self, packet: RtpPacket | None, receiver: Receiver) -> None:
        """Take a packet of the picture, or that some are lost."""
        if packet is None:
            self._pictures.lose()
        elif packet.payload:  # some are sent to measure the way, and carry nothing
            ticks = self._timeline.video.ticks(packet.timestamp)
            self._timeline.arrive(self._timeline.video, ticks, monotonic())
            for picture in self._pictures.take(packet.payload, ticks, is_last=bool(packet.marker)):
                self._show(picture)
        if self._pictures.is_broken or monotonic() - self._key_at > KEY_EVERY:
            task = asyncio.create_task(receiver.ask_for_key())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _show(self, picture: Picture) -> None:
        time = self._timeline.place(self._timeline.video, picture.ticks)
        is_key = picture.is_key
        if is_key:
            self._key_at = monotonic()
            header = picture.header
            if header and header != self._header:
                self._header = header
                self._put([Packet(VIDEO, time, header)])
        self._put([Packet(VIDEO, time, picture.frame)])

    def _hear(self, packet: RtpPacket | None) -> None:
        """Take a packet of the sound; where some are lost, `Sound` sees by their times."""
        if packet is None or not packet.payload or self._over.done():
            return
        ticks = self._timeline.audio.ticks(packet.timestamp)
        self._timeline.arrive(self._timeline.audio, ticks, monotonic())
        turning = asyncio.get_running_loop().run_in_executor(
            self._worker, self._sound.turned, packet.payload, ticks
        )
        turning.add_done_callback(self._heard)

    def _heard(self, turned: asyncio.Future[list[tuple[int, bytes]]]) -> None:
        if turned.cancelled():
            return
        place, track = self._timeline.place, self._timeline.audio
        self._put(Packet(AUDIO, place(track, ticks), body) for ticks, body in turned.result())

    def _put(self, packets: Iterable[Packet]) -> None:
        try:
            for packet in packets:
                self._packets.put_nowait(packet)
        except asyncio.QueueFull:
            self.end("the server does not take it fast enough")

    async def _watch(self) -> str:
        """Return once nothing has come for too long."""
        while monotonic() - max(one.heard_at for one in self._receivers) < SILENCE:  # noqa: ASYNC110  silence raises no event
            await asyncio.sleep(LOOK)  # no event tells that nothing happens
        return f"nothing has come for {SILENCE:.0f} s"

    async def _publish(self) -> str:
        """Publish until that ends; returns why."""
        kinds = {receiver.kind for receiver in self._receivers}
        told = {name: value for name, value in CODECS.items() if name[:5] in kinds}
        try:
            await self._publisher.send(Packet(SCRIPT, 0, encode("onMetaData", told)))
            if "audio" in kinds:
                await self._publisher.send(Packet(AUDIO, 0, sound.HEADER))
            while True:
                await self._publisher.send(await self._packets.get())
        except PublishError as end:
            return str(end)


def _without_riddles(offer: str) -> str:
    """Return an offer with few candidates, none of a name: browsers reach us, not we them."""
    lines, left = [], MOST_CANDIDATES
    for line in offer.splitlines():
        found = _CANDIDATE.match(line)
        if found is not None:
            left -= 1
            if left < 0 or not _is_address(found[2]):
                continue
        lines.append(line)
    return "\r\n".join(lines) + "\r\n"


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _readdressed(answer: str, address: str | None) -> str:
    """Return an answer whose candidates of that family name another address."""
    if address is None:
        return answer
    version = ip_address(address).version
    lines = []
    for line in answer.splitlines():
        found = _CANDIDATE.match(line)
        if found is not None and ip_address(found[2]).version == version:
            lines.append(found[1] + address + found[3])
        else:
            lines.append(line)
    return "\r\n".join(lines) + "\r\n"
