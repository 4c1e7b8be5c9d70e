"""Measure messages on both engines, beside other senders in the same run; print and keep it.

`python -m bench.messages [--quick] [--engines E] [--measures M]`. A whole run takes ten minutes.
"""

import argparse
import json
from pathlib import Path
from typing import Final

from bench.databases import open_databases
from bench.messages import measures
from bench.messages.measures import BenchLength
from bench.report import Result, describe_machine

REPORT: Final = Path(__file__).parents[1] / "last-messages.json"
ENGINES: Final = ("postgresql", "sqlite")
MEASURES: Final = {
    "delay": measures.measure_delay,
    "throughput": measures.measure_throughput,
    "failing": measures.measure_failing,
    "backlog": measures.measure_backlog,
}
ONLY_POSTGRESQL: Final = frozenset({"failing"})
"""Measures that write from another process, which the server hears of on PostgreSQL alone."""
FULL: Final = BenchLength(
    calls=200,
    messages=10_000,
    tasks=2_000,
    seconds=15,
    backlog=1_000_000,
    rounds=3,
)
QUICK: Final = BenchLength(
    calls=50,
    messages=3_000,
    tasks=500,
    seconds=5,
    backlog=100_000,
    rounds=1,
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.messages", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="short runs")
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=ENGINES)
    parser.add_argument("--measures", nargs="+", choices=MEASURES, default=list(MEASURES))
    parser.add_argument("--output", type=Path, default=REPORT, help="the JSON file")
    options = parser.parse_args()
    print(describe_machine(), flush=True)
    results: list[Result] = []
    for engine in options.engines:
        with open_databases(engine) as databases:
            for name in options.measures:
                if name in ONLY_POSTGRESQL and engine != "postgresql":
                    continue
                result = MEASURES[name](databases, QUICK if options.quick else FULL)
                results.append(result)
                print(result, flush=True)
    report = {"machine": describe_machine(), "results": [result.as_json() for result in results]}
    options.output.write_text(json.dumps(report, indent=1))
    print(f"\nAlso in {options.output}")


if __name__ == "__main__":
    main()
