"""Measure the partner API beside other servers, on both engines; print and keep tables.

`thin` runs the statements of an action and nothing else, `batch` writes classes in batches on
PostgreSQL, `tutorial` is FastAPI with an ORM (`bench/yardsticks`). A ratio is ours to theirs.
"""

import argparse
import json
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from bench.contest import Contestant, Field, measure_once, running_contestants, summarise
from bench.databases import Databases, open_databases
from bench.dataset import Sizes
from bench.emitting import measure_emitting
from bench.measures import Growth, measure_cold_start, measure_growth
from bench.report import ReportLine, Result, describe_machine, report_row
from bench.rows import ROWS, Row, list_goals
from bench.versions import CURRENT, checked_out

REPORT = Path(__file__).parent / "last.json"
MEASURES = ("rows", "emit", "growth", "cold")
ENGINES = ("sqlite", "postgresql")


@dataclass(frozen=True)
class RunLength:
    """The lengths and sizes of the parts of a run."""

    seconds: float
    rounds: int
    hot_rounds: int
    """Of addCourseClass, which has most goals."""
    sizes: Sizes
    growth: Growth


FULL = RunLength(
    2,
    3,
    5,
    Sizes(newcomers=150_000, singles=250_000, members=120_000, over=100_000),
    Growth(small=10_000, large=1_000_000, students=100_000, members=5_000, rounds=3),
)
QUICK = RunLength(
    1,
    1,
    3,
    Sizes(newcomers=40_000, singles=60_000, members=60_000, over=40_000),
    Growth(small=10_000, large=100_000, students=20_000, members=5_000, rounds=1),
)


def main() -> None:
    options = _parse_arguments()
    print(describe_machine(), flush=True)
    results: list[Result] = []
    length = QUICK if options.quick else FULL
    for engine in options.engines:
        with open_databases(engine, pgbouncer=options.pgbouncer) as databases:
            for result in _measure(databases, options, length):
                results.append(result)
                print(result, flush=True)
    report = {
        "machine": describe_machine(),
        "commit": _describe_commit(),
        "options": vars(options),
        "results": [result.as_json() for result in results],
    }
    options.output.write_text(json.dumps(report, indent=1, default=str))
    print(f"\nAlso in {options.output}")


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench ARGS=...", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="short runs, 100,000 classes at most")
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=ENGINES)
    parser.add_argument("--measures", nargs="+", choices=MEASURES, default=MEASURES)
    parser.add_argument("--rows", nargs="+", metavar="TEXT", help="only rows whose names begin so")
    parser.add_argument("--before", metavar="COMMIT", help="measure this commit in the same run")
    parser.add_argument("--pgbouncer", action="store_true", help="reach PostgreSQL through it")
    parser.add_argument("--workers", type=int, default=1, help="workers of our server")
    parser.add_argument(
        "--curve", nargs="+", type=int, default=[], metavar="N", help="also with N workers each"
    )
    parser.add_argument("--no-yardsticks", action="store_true", help="measure only our server")
    parser.add_argument("--output", type=Path, default=REPORT, help="the JSON file")
    return parser.parse_args()


def _measure(
    databases: Databases, options: argparse.Namespace, length: RunLength
) -> Iterator[Result]:
    """Do the measures in their order, the most important rows first."""
    if "rows" in options.measures:
        yield from _measure_rows(databases, options, length)
    if "emit" in options.measures:
        yield from measure_emitting(databases, length.hot_rounds)
    if "cold" in options.measures:
        yield from measure_cold_start(databases)
    if "growth" in options.measures:
        yield from measure_growth(databases, length.growth)


def _measure_rows(
    databases: Databases, options: argparse.Namespace, length: RunLength
) -> Iterator[Result]:
    rows = [
        row
        for row in ROWS
        if not options.rows or any(row.name.startswith(text) for text in options.rows)
    ]
    with ExitStack() as stack:
        versions = [CURRENT]
        if options.before:
            versions.append(stack.enter_context(checked_out(options.before)))
        taking_part = Field(
            tuple(versions),
            yardsticks=not options.no_yardsticks,
            workers=options.workers if databases.engine == "postgresql" else 1,
            curve=tuple(options.curve) if databases.engine == "postgresql" else (),
        )
        contestants = stack.enter_context(running_contestants(databases, taking_part, length.sizes))
        for row in rows:
            for connections in row.connections:
                yield _measure_row(row, connections, contestants, databases, length)


def _measure_row(
    row: Row,
    connections: int,
    contestants: list[Contestant],
    databases: Databases,
    length: RunLength,
) -> Result:
    """Measure a row for each server in turn, and again, so that a slow minute hits all alike."""
    taking_part = [each for each in contestants if each.answers(row)]
    rounds = length.hot_rounds if row is ROWS[0] else length.rounds
    try:
        samples = [
            [
                measure_once(each, row, connections, length.seconds, databases)
                for each in taking_part
            ]
            for _ in range(rounds)
        ]
    except RuntimeError as error:
        # A run takes long: the other rows are worth it.
        reason = str(error).partition("\n")[0]
        failure = ReportLine("no figures", reason, "answers in order", is_reached=False)
        return Result(f"{row.name}, {connections}", databases.engine, [failure], {})
    entries = [
        summarise(each.name, [turn[number] for turn in samples])
        for number, each in enumerate(taking_part)
    ]
    goals = list_goals(row, databases.engine, connections)
    return report_row(row, connections, databases.engine, entries, goals)


def _describe_commit() -> str:
    words = ["git", "describe", "--always", "--dirty"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return done.stdout.strip()


if __name__ == "__main__":
    main()
