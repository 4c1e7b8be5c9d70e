"""What was measured, as lines with the aims beside them."""

import statistics
from dataclasses import dataclass

from bench.live.chat import Heard
from bench.live.measures import Spread
from bench.live.pages import Pages
from bench.live.viewers import Watched

RATIOS = {
    "rtmp ours": ("rtmp nginx-rtmp", 2.0),
    "flv ours": ("flv node-media-server", 3.0),
    "flv ours, 40 ms": ("flv node-media-server", 3.0),
    "hls ours": ("hls nginx-rtmp", 0.85),
}
"""Whom it is compared with, and how many times as many viewers a core should carry."""
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
class Line:
    """One measured value beside what was aimed at."""

    what: str
    value: str
    verdict: str = ""


def loads(watched: dict[str, list[Watched]]) -> list[Line]:
    """Return the viewers that a core carries."""
    per_core = {
        name: statistics.median(one.per_core for one in found) for name, found in watched.items()
    }
    lines = []
    for name, carried in sorted(per_core.items()):
        late = sum(one.lagging for one in watched[name])
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
        lines.append(Line(name, value, ", ".join(verdicts)))
    return lines


def busy(watched: dict[str, list[Watched]]) -> list[Line]:
    """Return what else there was that speaks against the numbers."""
    rounds = [one for found in watched.values() for one in found]
    others = max(one.others for one in rounds)
    own = max(one.own for one in rounds)
    lagging = {name: sum(one.lagging for one in found) for name, found in watched.items() if found}
    late = ", ".join(f"{number} of {name}" for name, number in lagging.items() if number)
    return [
        Line(
            "used by others, at most",
            f"{others:.2f} cores",
            "" if others < ALONE else "TOO BUSY: trust the ratios only",
        ),
        Line(
            "the load generator, at most",
            f"{own:.2f} cores",
            "" if own < AT_EASE else "TOO BUSY: it could not keep up",
        ),
        Line("viewers that lagged", late or "none"),
    ]


def spreads(took: dict[str, Spread]) -> list[Line]:
    """Return times by protocol and server."""
    lines = []
    for name, spread in sorted(took.items()):
        value = f"p50 {spread.p50:.1f}, p95 {spread.p95:.1f} ms"
        protocol, _, server = name.partition(" ")
        ours = took.get(f"{protocol} ours")
        ratio = f"ours takes {ours.p50 / spread.p50:.2f} of it" if ours else ""
        lines.append(Line(name, value, "" if server.startswith("ours") else ratio))
    return lines


def publishers(cores: dict[str, list[float]]) -> list[Line]:
    """Return what publishers cost, by server."""
    used = {name: statistics.median(found) for name, found in cores.items()}
    lines = []
    for name, part in sorted(used.items()):
        value, verdict = f"{100 * part:.1f} % of a core", ""
        if name == "ours" and "nginx-rtmp" in used:
            times = part / used["nginx-rtmp"]
            value += f" = {times:.2f} of nginx-rtmp"
            verdict = _verdict("no more", is_reached=times <= 1)
        lines.append(Line(name, value, verdict))
    return lines


def page(found: Pages) -> list[Line]:
    """Return what the live page is like for those who watch."""
    spreads = (found.flv, found.hls, found.first, found.first_asked)
    lines = []
    for (name, aim), spread in zip(WITHIN.items(), spreads, strict=True):
        value = f"p50 {spread.p50:.0f}, p95 {spread.p95:.0f} ms"
        verdict = _verdict(f"p95 {aim:,} ms", is_reached=spread.p95 <= aim)
        lines.append(Line(name, value, verdict))
    weight = found.weight / 1000
    verdict = _verdict(f"{WEIGHT} kB", is_reached=weight < WEIGHT)
    return [*lines, Line("weight", f"{weight:.0f} kB", verdict)]


def chats(found: dict[str, Heard]) -> list[Line]:
    """Return how soon a message of a chat reaches all, and what that costs."""
    lines = []
    for name, heard in found.items():
        value = f"p50 {heard.p50:.0f}, p95 {heard.p95:.0f}, slowest {heard.slowest:.0f} ms"
        missed = f"{heard.missed} missed, " if heard.missed else ""
        is_reached = heard.p95 <= AT_ONCE and not heard.missed
        lines.append(
            Line(name, value, missed + _verdict(f"p95 {AT_ONCE} ms", is_reached=is_reached))
        )
        cost = f"{heard.a_core:,.0f} deliveries a second and core"
        cores = f"server {heard.server:.2f}, viewers {heard.own:.2f} cores"
        lines.append(Line("", cost, cores))
    most = max(heard.a_core for heard in found.values())
    reached = _verdict(f"{DELIVERIES:,}", is_reached=most >= DELIVERIES)
    lines.append(Line("deliveries, at best", f"{most:,.0f} a second and core", reached))
    return lines


def _verdict(aim: str, *, is_reached: bool) -> str:
    return f"{'reached' if is_reached else 'MISSED'} (aim {aim})"
