"""The measures of a media server."""

import asyncio
import math
import random
import statistics
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass

from bench.live.servers import Server, Start
from bench.live.source import Source, push_source
from bench.live.viewers import StreamLoad, ViewerPlan, cpu_seconds, watch_stream
from bench.live.wire import NAME, Publisher, first_key, flv_pictures, rtmp_pictures

PICTURES: dict[str, Callable[[int, str], AsyncIterator[bytes]]] = {
    "rtmp": rtmp_pictures,
    "flv": flv_pictures,
}
"""How one player watches, by protocol."""
PUBLISHERS = 20
WATCHERS = 5
"""Players that measure the latency, of each protocol."""
SETTLED = 3.0
"""Seconds until pushes have begun and the first HLS segments are there."""


@dataclass(frozen=True)
class LiveRunLength:
    """The lengths and sizes of the parts of a run."""

    rounds: int
    viewers: int
    """Those of RTMP and HTTP-FLV."""
    hls_viewers: int
    """They take turns, so that more of them are needed to be felt."""
    seconds: float
    joins: int
    publishing: float
    """Seconds for which publishers are measured."""


@dataclass(frozen=True)
class Spread:
    """The median and the 95th percentile, in milliseconds."""

    p50: float
    p95: float


def load(
    start: Start, source: Source, pace: LiveRunLength, protocols: list[str]
) -> dict[str, StreamLoad]:
    """Return the cost of the viewers, by protocol."""
    loads = {}
    with start() as server, push_source(source, server.push_urls(NAME)):
        time.sleep(SETTLED)
        for protocol in protocols:
            loads[protocol] = watch_stream(
                ViewerPlan(
                    protocol,
                    server.port(protocol),
                    server.paths[protocol],
                    pace.hls_viewers if protocol == "hls" else pace.viewers,
                    pace.seconds,
                    server.processes(),
                    source.bytes_per_second,
                )
            )
    return loads


def joining(
    start: Start, source: Source, pace: LiveRunLength, protocols: list[str]
) -> dict[str, Spread]:
    """Return how long the first key frame takes, for players that join at any time."""
    with start() as server, push_source(source, server.push_urls(NAME)):
        time.sleep(SETTLED)
        return {
            protocol: asyncio.run(_joins(server, protocol, pace.joins)) for protocol in protocols
        }


async def _joins(server: Server, protocol: str, joins: int) -> Spread:
    chance = random.Random(protocol)  # noqa: S311  the same moments for each server

    async def join() -> float:
        await asyncio.sleep(chance.uniform(0, 0.1 * joins))
        port = server.port(protocol)
        return await first_key(PICTURES[protocol](port, server.paths[protocol]))

    return spread(await asyncio.gather(*(join() for _ in range(joins))))


def latency(
    start: Start, source: Source, pace: LiveRunLength, protocols: list[str]
) -> dict[str, Spread]:
    """Return how long pictures take from publisher to player."""
    with start() as server:
        return asyncio.run(_delays(server, source, pace.seconds, protocols))


async def _delays(
    server: Server, source: Source, seconds: float, protocols: list[str]
) -> dict[str, Spread]:
    publisher = Publisher(server.rtmp, source.packets())
    # What a player gets at first was sent before it came, and does not count.
    began = math.inf

    async def watch(protocol: str, delays: list[float]) -> None:
        pictures = PICTURES[protocol](server.port(protocol), server.paths[protocol])
        async with aclosing(pictures) as stream:  # type: ignore[type-var]  # the generator's type hides its aclose
            async for picture in stream:
                now = time.perf_counter()
                if publisher.sent[picture] > began:
                    delays.append(now - publisher.sent[picture])

    delays_by_protocol: dict[str, list[float]] = {protocol: [] for protocol in protocols}
    tasks = [asyncio.create_task(publisher.run())]
    await publisher.is_live.wait()
    await asyncio.sleep(SETTLED / 2)
    for _ in range(WATCHERS):
        tasks += [asyncio.create_task(watch(*item)) for item in delays_by_protocol.items()]
    await asyncio.sleep(SETTLED / 2)
    began = time.perf_counter()
    await asyncio.sleep(seconds)
    for task in tasks:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    return {protocol: spread(delays) for protocol, delays in delays_by_protocol.items()}


def publishing(start: Start, source: Source, pace: LiveRunLength) -> float:
    """Return the cores that publishers take, with HLS and a recording each."""
    names = [f"push{number}" for number in range(PUBLISHERS)]
    with start() as server, push_source(source, server.push_urls(*names)):
        time.sleep(SETTLED)
        processes = server.processes()
        began, used = time.perf_counter(), cpu_seconds(processes)
        time.sleep(pace.publishing)
        cores = (cpu_seconds(processes) - used) / (time.perf_counter() - began)
        recordings = [
            file for file in server.recordings.iterdir() if file.suffix in {".mp4", ".flv"}
        ]
        if len(recordings) != PUBLISHERS or not all(
            file.stat().st_size > 1_000_000 for file in recordings
        ):
            raise RuntimeError(f"not every push was recorded: {recordings}")
    return cores


def spread(seconds: Sequence[float]) -> Spread:
    """Return how times are spread."""
    cuts: list[float] = statistics.quantiles(seconds, n=20)
    return Spread(1000 * cuts[9], 1000 * cuts[18])
