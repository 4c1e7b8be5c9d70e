"""Pushes the sample clip into a demo class, again and again, and makes it the replay of another."""

import asyncio
import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Final

from homeroom.async_store import AsyncStore
from homeroom.base.keys import KeyGenerator
from homeroom.domain.refusal import Refusal
from homeroom.domain.streams import StreamKind
from homeroom.domain.webcasts import Hosts
from homeroom.media.engine import flv
from homeroom.media.engine.flatten import flatten
from homeroom.media.engine.packager import InitSegment, MediaChunk, Packager
from homeroom.media.engine.packets import VIDEO, Packet
from homeroom.media.engine.publisher import PublishError, open_publisher
from homeroom.store.engine import StoreError
from homeroom.store.storage import Storage, import_clip
from homeroom.store.unit_of_work import Store, UnitOfWork
from homeroom.usecases import clips, demo, teaching
from homeroom.usecases.demo import DemoSchool
from homeroom.usecases.dependencies import Dependencies

log = logging.getLogger("homeroom.media")

SAMPLE: Final = Path(__file__).with_name("sample.flv")
"""Drawn and encoded by scripts/make_sample.py."""
RETRY_SECONDS: Final = 1.0
"""Seconds after which a push that has ended is begun again."""


@dataclass(frozen=True, slots=True)
class LoopingClip:
    """A clip whose end goes over into its beginning."""

    headers: list[Packet]
    frames: list[Packet]
    length_ms: int
    """Milliseconds from its first picture to that of the next turn."""

    @classmethod
    def read(cls, path: Path) -> "LoopingClip":
        """Read an FLV whose pictures are evenly spaced."""
        packets = list(flv.read_packets(path.read_bytes()))
        frames = [packet for packet in packets if not packet.is_header]
        times = [packet.time for packet in frames if packet.kind == VIDEO]
        length_ms = times[-1] - times[0] + times[1] - times[0]
        return cls([packet for packet in packets if packet.is_header], frames, length_ms)

    def loop_packets(self) -> Iterator[Packet]:
        """Return its packets for ever; their times go on from one turn to the next."""
        yield from self.headers
        for begin in count(0, self.length_ms):
            for frame in self.frames:
                yield replace(frame, time=begin + frame.time)


class DemoBroadcast:
    """What keeps the demo class on the air, for as long as it is open."""

    def __init__(self, store: AsyncStore, deps: Dependencies, push_base: str) -> None:
        """Take where streams are pushed to from here: `rtmp://127.0.0.1:PORT`."""
        self._store = store
        self._deps = deps
        self._hosts = Hosts("", "", "", push_base)

    async def run(self) -> None:
        """Push until the class is over; where the engine ends a push, begin another one."""
        clip = await asyncio.to_thread(LoopingClip.read, SAMPLE)
        while True:
            try:
                url = await self._store.read(self._get_push_url)
                if url is None:
                    log.info("the demo class is over")
                    return
                await push_clip(clip, url)
            except (PublishError, StoreError) as reason:
                log.debug("the demo class is not on the air", extra={"reason": str(reason)})
            await asyncio.sleep(RETRY_SECONDS)

    def _get_push_url(self, uow: UnitOfWork) -> str | None:
        lesson = demo.get_on_air(uow)
        if lesson is None:
            return None
        return teaching.get_push_url(lesson, StreamKind.CLASS, self._deps, self._hosts)


def write_recording(source: Path, target: Path) -> None:
    """Write an FLV as a flat MP4, by the same steps as a class that was recorded."""
    fragments = target.with_suffix(".fragments")
    with fragments.open("wb") as file:
        inits: list[InitSegment] = []

        def append(chunk: MediaChunk) -> None:
            if chunk.init not in inits:
                inits.append(chunk.init)
                file.write(chunk.init.data)
            file.write(chunk.data)

        packager = Packager(append)
        for packet in flv.read_packets(source.read_bytes()):
            packager.add(packet, packet.time)
        packager.end()
    flatten(fragments, target)
    fragments.unlink()


def add_recording(store: Store, storage: Storage, school: DemoSchool) -> None:
    """Give the demo's past class a clip, once, so that its page has a replay."""
    lesson = store.read(lambda uow: demo.find_unrecorded(uow, school.demo))
    if lesson is None:
        return
    with TemporaryDirectory() as folder:
        recording = Path(folder) / "whole-numbers.mp4"
        write_recording(SAMPLE, recording)
        file = import_clip(storage, recording, KeyGenerator().file_id(), lesson.hours.begin)
    try:
        store.write(lambda uow: clips.add(uow, lesson.id, file), lesson.school)
    except (Refusal, StoreError):
        storage.erase(file.path)
        raise


async def push_clip(clip: LoopingClip, url: str) -> None:
    """Push a clip at its own pace, endlessly; raises `Unpublished` when the server ends that."""
    async with open_publisher(url) as publisher:
        started_at = monotonic()
        for packet in clip.loop_packets():
            # Sound goes along with the picture before it: that wakes us once a picture.
            ahead = packet.time / 1000 - (monotonic() - started_at)
            if packet.kind == VIDEO and ahead > 0:
                await asyncio.sleep(ahead)
            await publisher.send(packet)
