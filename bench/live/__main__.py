"""Measure our media engine beside other servers, and our pages; print it and keep it as JSON."""

import argparse
import json
import os
import platform
from collections import defaultdict
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.live import chat, pages
from bench.live.measures import LiveRunLength, Spread, joining, latency, load, publishing
from bench.live.report import LiveReportLine, busy, chats, loads, page, publishers, spreads
from bench.live.servers import Missing, Start, homeroom, limit, nginx, node
from bench.live.source import Source
from bench.live.viewers import StreamLoad
from tests.support.browser import NoBrowserError

REPORT = Path(__file__).parents[1] / "last-live.json"
FULL = LiveRunLength(rounds=2, viewers=500, hls_viewers=1500, seconds=5, joins=40, publishing=12)
QUICK = LiveRunLength(rounds=1, viewers=300, hls_viewers=900, seconds=3, joins=20, publishing=6)
BESIDE_OTHERS = ("viewers", "joins", "latency", "publishers")
MEASURES = (*BESIDE_OTHERS, "pages", "chat")
SERVERS: dict[str, tuple[Start, list[str]]] = {
    "ours": (homeroom(0), ["rtmp", "flv", "hls"]),
    "ours, 40 ms": (homeroom(40), ["flv"]),
    "nginx-rtmp": (nginx, ["rtmp", "hls"]),
    "node-media-server": (node, ["rtmp", "flv"]),
    "limit": (limit, ["flv"]),
}
"""How each is started, and what is measured of it."""
WITH_RECORDING = ("ours", "nginx-rtmp")
NO_SERVER = "limit"


def main() -> None:
    arguments = _parse_arguments()
    pace = QUICK if arguments.quick else FULL
    numbers: dict[str, Any] = {
        "machine": f"Python {platform.python_version()}, {os.cpu_count()} cores"
    }
    print(numbers["machine"])
    if set(arguments.measures) & set(BESIDE_OTHERS):
        numbers |= _beside_others(arguments, pace)
    if "pages" in arguments.measures:
        numbers |= _pages()
    if "chat" in arguments.measures:
        loads_by_room = chat.measure_chat(pace.seconds * 2)
        numbers["chat"] = {name: asdict(load) for name, load in loads_by_room.items()}
        _show(f"A message to {chat.VIEWERS:,} viewers of one chat", chats(loads_by_room))
    REPORT.write_text(json.dumps(numbers, indent=1))
    print(f"\nAlso in {REPORT}")


def _beside_others(arguments: argparse.Namespace, pace: LiveRunLength) -> dict[str, Any]:
    there = {name: SERVERS[name] for name in arguments.servers if _is_there(name)}
    source = Source()
    numbers: dict[str, Any] = {"missing": sorted(set(arguments.servers) - set(there))}
    if "viewers" in arguments.measures:
        watched = _watch_all(there, source, pace)
        numbers["viewers"] = {
            name: [asdict(load) for load in loads_of_server]
            for name, loads_of_server in watched.items()
        }
        title = f"Viewers a core, from {pace.viewers} of them, {pace.hls_viewers} by HLS"
        _show(title, loads(watched))
        _show("Whether to believe it", busy(watched))
    for measure, title, function in (
        ("joins", "From connect to the first key frame", joining),
        ("latency", "From publisher to player", latency),
    ):
        if measure in arguments.measures:
            took: dict[str, Spread] = {}
            for name, (start, protocols) in there.items():
                if name == NO_SERVER:
                    continue
                steady = [protocol for protocol in protocols if protocol != "hls"]
                spreads_by_protocol = function(start, source, pace, steady)
                took |= {
                    f"{protocol} {name}": spread for protocol, spread in spreads_by_protocol.items()
                }
            numbers[measure] = {name: asdict(spread) for name, spread in took.items()}
            _show(title, spreads(took))
    if "publishers" in arguments.measures:
        cores: dict[str, list[float]] = defaultdict(list)
        for _ in range(pace.rounds):
            for name in [server for server in WITH_RECORDING if server in there]:
                cores[name].append(publishing(there[name][0], source, pace))
        numbers["publishers"] = cores
        _show("20 publishers, each with HLS and a recording", publishers(cores))
    return numbers


def _pages() -> dict[str, Any]:
    try:
        result = pages.measure_pages()
    except NoBrowserError as reason:
        print(f"\n*** SKIPPED: the live page. {reason}\n", flush=True)
        return {}
    _show("The live page in Chromium, from the clock to the eye", page(result))
    return {"pages": asdict(result)}


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench-live ARGS=...", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short round, in three minutes")
    parser.add_argument("--servers", nargs="+", choices=SERVERS, default=list(SERVERS))
    parser.add_argument("--measures", nargs="+", choices=MEASURES, default=MEASURES)
    return parser.parse_args()


def _is_there(name: str) -> bool:
    """Tell whether a server starts here; says so loudly if not."""
    try:
        with SERVERS[name][0]():
            return True
    except Missing as reason:
        print(f"\n*** SKIPPED: {name}. To have it measured: {reason}\n", flush=True)
        return False


def _watch_all(
    there: dict[str, tuple[Start, list[str]]], source: Source, pace: LiveRunLength
) -> dict[str, list[StreamLoad]]:
    """Return all rounds, by protocol and server; by turns, for the machine's pace changes."""
    rounds: dict[str, list[StreamLoad]] = defaultdict(list)
    for number in range(pace.rounds):
        for name, (start, protocols) in there.items():
            print(f"Round {number + 1} of {pace.rounds}: {name} ...", flush=True)
            for protocol, watched in load(start, source, pace, protocols).items():
                rounds[f"{protocol} {name}"].append(watched)
    return rounds


def _show(title: str, lines: list[LiveReportLine]) -> None:
    print(f"\n{title}", flush=True)
    for line in lines:
        print(f"  {line.what:28}{line.value:54}{line.verdict}", flush=True)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main()
