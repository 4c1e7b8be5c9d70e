"""Where the microseconds of a call go, on SQLite: `python -m bench.profile [--before COMMIT]`.

A server with a clock around its stages (`bench/profiled.py`) answers addCourseClass at 32
connections. One without it says what the clocks cost.
"""

import argparse
import os
import signal
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import msgspec

from bench.contest import Contestant, Sample, measure_once
from bench.databases import Databases, open_databases
from bench.dataset import Sizes, prepare
from bench.profiled import LOOP, WRITER
from bench.report import describe_machine
from bench.rows import Row, find_row
from bench.target import Target, running, serve_words, serving
from bench.versions import CURRENT, Version, checked_out

SIZES = Sizes(newcomers=100_000, singles=0, members=0, over=0)
CONNECTIONS = 32
WAIT_SECONDS = 10.0


@dataclass(frozen=True)
class Profile:
    """Microseconds a call by stage, of one version."""

    version: Version
    stages: dict[str, float]
    timed: Sample
    plain: Sample


def profile(version: Version, row: Row, seconds: float, databases: Databases) -> Profile:
    """Measure a version with and without clocks, each on the same database."""
    settings = databases.create()
    dataset = prepare(settings, version, SIZES)
    file = settings.data / "stages.json"
    words = serve_words(settings)
    command = [sys.executable, "-m", "bench.profiled", str(file), *words]
    log = settings.data / "bench.log"
    with running(command, log, version.environment()) as target:
        contestant = Contestant(version.name, target, dataset)
        measure_once(contestant, row, CONNECTIONS, 1, databases)
        _read_stages(target, file)
        timed = measure_once(contestant, row, CONNECTIONS, seconds, databases, warm_up=False)
        spent = _read_stages(target, file)
    used = contestant.used
    with serving(settings, version) as target:
        contestant = Contestant(version.name, target, dataset, used=used)
        plain = measure_once(contestant, row, CONNECTIONS, seconds, databases)
    calls = timed.measured.answers
    stages = {stage: nanoseconds / 1000 / calls for stage, nanoseconds in spent.items()}
    return Profile(version, stages, timed, plain)


def _read_stages(target: Target, file: Path) -> dict[str, int]:
    """Return what the stages took since the last time."""
    file.unlink(missing_ok=True)
    os.kill(target.process.pid, signal.SIGUSR1)
    until = time.monotonic() + WAIT_SECONDS
    while not file.exists():
        if time.monotonic() > until:
            raise TimeoutError(f"the server did not write {file}")
        # An idle event loop looks for signals when it has something to do.
        with urlopen(f"http://127.0.0.1:{target.port}/healthz", timeout=WAIT_SECONDS) as response:
            response.read()
    return msgspec.json.decode(file.read_bytes(), type=dict[str, int])


def print_table(profiles: list[Profile]) -> None:
    """Print the stages as a table of Markdown, a column for each version."""
    names = ["now" if p.version is CURRENT else p.version.name for p in profiles]
    print(f"| us of processor time a call | {' | '.join(names)} |")
    print(f"| --- | {' | '.join('--:' for _ in profiles)} |")
    _print_thread(profiles, LOOP, "event loop", "HTTP protocol, tasks, sockets")
    _print_thread(profiles, WRITER, "writer thread", "queue, wake-ups, reads of other threads")
    _print_line("both, without the clocks", [_per_call(p.plain) for p in profiles], is_bold=True)
    rates = [profile.plain.measured.per_second for profile in profiles]
    _print_line("requests a second, without the clocks", rates)


def _print_thread(
    profiles: list[Profile], stages: dict[str, tuple[str, ...]], thread: str, rest: str
) -> None:
    totals = [
        (p.timed.server.loop if stages is LOOP else p.timed.server.threads)
        / p.timed.measured.answers
        * 1e6
        for p in profiles
    ]
    named = [sum(p.stages.get(stage, 0) for stage in stages) for p in profiles]
    _print_line(rest, [total - part for total, part in zip(totals, named, strict=True)])
    for stage in stages:
        _print_line(stage, [p.stages.get(stage, 0) for p in profiles])
    _print_line(thread, totals, is_bold=True)


def _print_line(name: str, values: list[float], *, is_bold: bool = False) -> None:
    mark = "**" if is_bold else ""
    print(f"| {mark}{name}{mark} | {' | '.join(f'{mark}{v:,.0f}{mark}' for v in values)} |")


def _per_call(sample: Sample) -> float:
    return sample.server.total / sample.measured.answers * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--before", metavar="COMMIT", help="profile this commit too")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument(
        "--row",
        default="addCourseClass",
        choices=("addCourseClass", "addCourseStudent", "editCourseClass"),
    )
    options = parser.parse_args()
    print(f"{describe_machine()}\n", flush=True)
    with ExitStack() as stack:
        versions = [CURRENT]
        if options.before:
            versions.insert(0, stack.enter_context(checked_out(options.before)))
        databases = stack.enter_context(open_databases("sqlite"))
        row = find_row(options.row)
        print_table([profile(each, row, options.seconds, databases) for each in versions])


if __name__ == "__main__":
    main()
