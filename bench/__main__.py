"""Measure everything on both engines, print it as a table and keep it as JSON."""

import argparse
import json
import os
import platform
import tempfile
import timeit
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.measures import (
    ReportLine,
    Result,
    RunLength,
    as_json,
    cold_start,
    growth,
    hot_path,
    removals,
)
from homeroom.base.settings import Settings
from tests.support.postgres import Postgres, running_postgres

REPORT = Path(__file__).parent / "last.json"
FULL = RunLength(seconds=10, rounds=5, small=10_000, large=1_000_000)
QUICK = RunLength(seconds=3, rounds=3, small=10_000, large=100_000)
MEASURES = ("hot", "removals", "growth", "cold")
ENGINES = ("sqlite", "postgresql")

Fresh = Callable[[], Settings]
"""Makes the settings of an empty database."""


def main() -> None:
    arguments = _parse_arguments()
    pace = QUICK if arguments.quick else FULL
    print(_machine())
    results: list[tuple[str, Result]] = []
    for engine in arguments.engines:
        with _databases(engine) as fresh:
            for measure in arguments.measures:
                result = _run_measure(measure, fresh, pace)
                results.append((engine, result))
                _show(engine, result)
    report = {"machine": _machine(), "results": as_json(results)}
    REPORT.write_text(json.dumps(report, indent=1))
    print(f"\nAlso in {REPORT}")


def _machine() -> str:
    """Say what it runs on, and how fast that is just now: shared machines differ by the hour."""
    seconds = min(timeit.repeat("for number in numbers: pass", "numbers = range(10**7)", number=1))
    cores = os.cpu_count()
    return f"Python {platform.python_version()}, {10 / seconds:.0f} million turns/s; {cores} cores"


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench ARGS=...", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="short runs, 100,000 classes at most")
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=ENGINES)
    parser.add_argument("--measures", nargs="+", choices=MEASURES, default=MEASURES)
    return parser.parse_args()


@contextmanager
def _databases(engine: str) -> Iterator[Fresh]:
    """Give empty databases, on a private cluster where they are PostgreSQL's."""
    with tempfile.TemporaryDirectory(prefix="homeroom-bench-") as folder:

        def settings(cluster: Postgres | None = None) -> Settings:
            data = Path(tempfile.mkdtemp(dir=folder))
            return Settings(data=data, database=cluster.fresh() if cluster else None)

        if engine == "sqlite":
            yield settings
        else:
            with running_postgres() as cluster:
                yield lambda: settings(cluster)


def _run_measure(measure: str, fresh: Fresh, pace: RunLength) -> Result:
    if measure == "growth":
        return growth(fresh(), fresh(), pace)
    return {"hot": hot_path, "removals": removals, "cold": cold_start}[measure](fresh(), pace)


def _show(engine: str, result: Result) -> None:
    print(f"\n{result.title}, {engine}", flush=True)
    for line in result.lines:
        print(f"  {line.what:52}{line.value:32}{_verdict(line)}", flush=True)


def _verdict(line: ReportLine) -> str:
    return f"{'reached' if line.is_reached else 'MISSED'} (aim {line.aim})" if line.aim else ""


if __name__ == "__main__":
    main()
