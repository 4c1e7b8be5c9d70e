"""The report: lines with the measured values beside their targets."""

import statistics
from dataclasses import dataclass

from bench.live.chat import ChatLoad
from bench.live.measures import Spread
from bench.live.pages import Pages
from bench.live.viewers import StreamLoad

RATIOS = {
    "rtmp ours": ("rtmp nginx-rtmp", 2.0),
    "flv ours": ("flv node-media-server", 3.0),
    "flv ours, 40 ms": ("flv node-media-server", 3.0),
    "hls ours": ("hls nginx-rtmp", 0.85),
}
"""The server to compare with, and the target ratio of viewers per core."""
COUNTS = {"flv ours": 5_000, "flv ours, 40 ms": 10_000}
"""How many viewers a core should carry."""
WITHIN = {"FLV": 500, "LL-HLS": 1_000, "first picture": 500, "first picture, asked for": 500}
"""Milliseconds within which 95 of a hundred pictures should be seen on the live page."""
WEIGHT = 300
"""Kilobytes that the live page should not exceed."""
LIMIT = "flv limit"
AT_ONCE = 200
"""Milliseconds within which a message of a chat should reach 95 of 100."""
DELIVERIES = 100_000
"""How many messages a second a core should take to viewers of chats."""
ALONE = 0.3
"""Cores; with more used by others the numbers are lower than they would be."""
AT_EASE = 0.9


@dataclass(frozen=True)
class LiveReportLine:
    """One measured value beside its target."""

    what: str
    value: str
    verdict: str = ""


def loads(watched: dict[str, list[StreamLoad]]) -> list[LiveReportLine]:
    """Return the viewers that a core carries."""
    per_core = {
        name: statistics.median(load.per_core for load in rounds)
        for name, rounds in watched.items()
    }
    lines = []
    for name, carried in sorted(per_core.items()):
        late = sum(load.lagging for load in watched[name])
        value = f"{carried:,.0f}" + (f" ({late} lagged)" if late else "")
        verdicts = []
        peer, ratio = RATIOS.get(name, ("", 0.0))
        if peer in per_core:
            times = carried / per_core[peer]
            value += f" = {times:.2f} of {peer.partition(' ')[2]}"
            verdicts.append(_verdict(f"{ratio:g} times", is_reached=times >= ratio))
        if name == "flv ours" and LIMIT in per_core:
            value += f", {carried / per_core[LIMIT]:.2f} of the limit"
        if name in COUNTS:
            aim = COUNTS[name]
            verdicts.append(_verdict(f"{aim:,}", is_reached=carried >= aim))
        lines.append(LiveReportLine(name, value, ", ".join(verdicts)))
    return lines


def busy(watched: dict[str, list[StreamLoad]]) -> list[LiveReportLine]:
    """Return other load that makes the numbers less reliable."""
    rounds = [load for loads in watched.values() for load in loads]
    others = max(load.others for load in rounds)
    own = max(load.own for load in rounds)
    lagging = {
        name: sum(load.lagging for load in loads) for name, loads in watched.items() if loads
    }
    late = ", ".join(f"{number} of {name}" for name, number in lagging.items() if number)
    return [
        LiveReportLine(
            "used by others, at most",
            f"{others:.2f} cores",
            "" if others < ALONE else "TOO BUSY: trust the ratios only",
        ),
        LiveReportLine(
            "the load generator, at most",
            f"{own:.2f} cores",
            "" if own < AT_EASE else "TOO BUSY: it could not keep up",
        ),
        LiveReportLine("viewers that lagged", late or "none"),
    ]


def spreads(took: dict[str, Spread]) -> list[LiveReportLine]:
    """Return times by protocol and server."""
    lines = []
    for name, spread in sorted(took.items()):
        value = f"p50 {spread.p50:.1f}, p95 {spread.p95:.1f} ms"
        protocol, _, server = name.partition(" ")
        ours = took.get(f"{protocol} ours")
        ratio = f"ours takes {ours.p50 / spread.p50:.2f} of it" if ours else ""
        lines.append(LiveReportLine(name, value, "" if server.startswith("ours") else ratio))
    return lines


def publishers(cores: dict[str, list[float]]) -> list[LiveReportLine]:
    """Return the cost of publishers, by server."""
    used = {name: statistics.median(rounds) for name, rounds in cores.items()}
    lines = []
    for name, part in sorted(used.items()):
        value, verdict = f"{100 * part:.1f} % of a core", ""
        if name == "ours" and "nginx-rtmp" in used:
            times = part / used["nginx-rtmp"]
            value += f" = {times:.2f} of nginx-rtmp"
            verdict = _verdict("no more", is_reached=times <= 1)
        lines.append(LiveReportLine(name, value, verdict))
    return lines


def page(pages: Pages) -> list[LiveReportLine]:
    """Return latency and weight of the live page."""
    spreads = (pages.flv, pages.hls, pages.first, pages.first_asked)
    lines = []
    for (name, aim), spread in zip(WITHIN.items(), spreads, strict=True):
        value = f"p50 {spread.p50:.0f}, p95 {spread.p95:.0f} ms"
        verdict = _verdict(f"p95 {aim:,} ms", is_reached=spread.p95 <= aim)
        lines.append(LiveReportLine(name, value, verdict))
    weight = pages.weight / 1000
    verdict = _verdict(f"{WEIGHT} kB", is_reached=weight < WEIGHT)
    return [*lines, LiveReportLine("weight", f"{weight:.0f} kB", verdict)]


def chats(loads: dict[str, ChatLoad]) -> list[LiveReportLine]:
    """Return how soon a message of a chat reaches all, and what that costs."""
    lines = []
    for name, load in loads.items():
        value = f"p50 {load.p50:.0f}, p95 {load.p95:.0f}, slowest {load.slowest:.0f} ms"
        missed = f"{load.missed} missed, " if load.missed else ""
        is_reached = load.p95 <= AT_ONCE and not load.missed
        lines.append(
            LiveReportLine(
                name, value, missed + _verdict(f"p95 {AT_ONCE} ms", is_reached=is_reached)
            )
        )
        cost = f"{load.a_core:,.0f} deliveries a second and core"
        cores = f"server {load.server:.2f}, viewers {load.own:.2f} cores"
        lines.append(LiveReportLine("", cost, cores))
    most = max(load.a_core for load in loads.values())
    reached = _verdict(f"{DELIVERIES:,}", is_reached=most >= DELIVERIES)
    lines.append(LiveReportLine("deliveries, at best", f"{most:,.0f} a second and core", reached))
    return lines


def _verdict(aim: str, *, is_reached: bool) -> str:
    return f"{'reached' if is_reached else 'MISSED'} (aim {aim})"
