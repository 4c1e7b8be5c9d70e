"""Demo media: streams the sample clip in a loop, and records it as the replay of a past class."""

import asyncio
import logging
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Final

from homeroom.async_store import AsyncStore
from homeroom.base.keys import KeyGenerator
from homeroom.base.values import Value, replace
from homeroom.domain.refusal import Refusal
from homeroom.domain.streams import StreamKind
from homeroom.domain.webcasts import Hosts
from homeroom.media.engine import flv
from homeroom.media.engine.flatten import flatten
from homeroom.media.engine.init_segment import InitSegment
from homeroom.media.engine.packager import MediaChunk, Packager
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
"""Clip made by scripts/make_sample.py."""
RETRY_SECONDS: Final = 1.0
"""Delay before a new push after one has ended."""


class LoopingClip(Value, frozen=True):
    """A clip that can be played in a loop without a visible cut."""

    headers: list[Packet]
    frames: list[Packet]
    length_ms: int
    """Milliseconds from the first picture to the first picture of the next loop."""

    @classmethod
    def read(cls, path: Path) -> "LoopingClip":
        """Read an FLV file; its pictures must be evenly spaced."""
        packets = list(flv.read_packets(path.read_bytes()))
        frames = [packet for packet in packets if not packet.is_header]
        times = [packet.time for packet in frames if packet.kind == VIDEO]
        length_ms = times[-1] - times[0] + times[1] - times[0]
        return cls([packet for packet in packets if packet.is_header], frames, length_ms)

    def loop_packets(self) -> Iterator[Packet]:
        """Yield the packets in an endless loop with continuous times."""
        yield from self.headers
        for begin in count(0, self.length_ms):
            for frame in self.frames:
                yield replace(frame, time=begin + frame.time)


class DemoBroadcast:
    """Background task that publishes the sample clip to the demo class while it is open."""

    def __init__(self, store: AsyncStore, deps: Dependencies, push_base: str) -> None:
        """Set up; `push_base` is the engine's URL on this machine: `rtmp://127.0.0.1:PORT`."""
        self._store = store
        self._deps = deps
        self._hosts = Hosts("", "", "", push_base)

    async def run(self) -> None:
        """Push until the class is over. If the engine ends a push, start another."""
        clip = await asyncio.to_thread(LoopingClip.read, SAMPLE)
        while True:
            try:
                url = await self._store.read(self._get_push_url)
                if url is None:
                    log.info("demo_class_ended")
                    return
                await push_clip(clip, url)
            except (PublishError, StoreError) as reason:
                log.debug("demo_push_failed", extra={"reason": str(reason)})
            await asyncio.sleep(RETRY_SECONDS)

    def _get_push_url(self, uow: UnitOfWork) -> str | None:
        lesson = demo.get_on_air(uow)
        if lesson is None:
            return None
        return teaching.get_push_url(lesson, StreamKind.CLASS, self._deps, self._hosts)


def write_recording(source: Path, target: Path) -> None:
    """Convert an FLV file to a flat MP4 by the same steps as the recording of a class."""
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
    """Add a clip to the demo's past class, unless it has one, so that its page has a replay."""
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
    """Push a clip in real time and in a loop; raises `PublishError` when the server ends it."""
    async with open_publisher(url) as publisher:
        started_at = monotonic()
        for packet in clip.loop_packets():
            # Sound is sent with the picture before it, so that the task wakes once per picture.
            ahead = packet.time / 1000 - (monotonic() - started_at)
            if packet.kind == VIDEO and ahead > 0:
                await asyncio.sleep(ahead)
            await publisher.send(packet)
