"""A noisy school beside a quiet one: the median of the quiet one, alone and beside the other.

`python -m bench.neighbours [--database ADDRESS] [--seconds N]` prints lines for each kind of noise.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from statistics import quantiles
from urllib.request import urlopen

from bench import bulk
from bench.load import NUMBER, LoadPlan, Measured, drive
from bench.target import (
    Account,
    Place,
    create_places,
    new_school,
    request,
    roster_request,
    serving,
    signature,
)
from homeroom.base.settings import Settings

NOISY_CONNECTIONS = 1000
BATCH_CONNECTIONS = 32
BATCH_ENTRIES = 200
WARM_UP_SECONDS = 1.5
PROBES = ("/healthz", "/readyz")
FIRST_NUMBERS = count(1, 10_000_000)


def build_course_request(account: Account) -> str:
    """Return a request that adds a course of a fresh name."""
    return request("addCourse", {**signature(account), "courseName": f"c{NUMBER.decode()}"})


def build_batch_requests(account: Account, place: Place, uids: list[int]) -> list[str]:
    """Return requests that add and remove many students."""
    return [
        roster_request(
            account, place, "addCourseStudentMultiple", {"studentJson": [{"uid": u} for u in uids]}
        ),
        roster_request(account, place, "delCourseStudentMultiple", {"studentUidJson": uids}),
    ]


@contextmanager
def running_load(plan: LoadPlan) -> Iterator[None]:
    """Drive from a process of its own while the block runs, whatever the answers are."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.load"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parent.parent,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(asdict(plan)))
    process.stdin.close()
    time.sleep(WARM_UP_SECONDS)
    try:
        yield
    finally:
        process.stdout.read()
        process.wait()


@dataclass(frozen=True)
class Comparison:
    """A quiet school alone and beside a noise."""

    noise: str
    alone_ms: float
    """Median of the calls of the quiet school."""
    beside_ms: float
    probes_ms: dict[str, float]
    """95th percentile of the probes beside the noise, by path."""

    @property
    def times(self) -> float:
        return self.beside_ms / self.alone_ms

    def __str__(self) -> str:
        """Return one line for a person."""
        probes = ", ".join(f"{path} p95 {ms:.1f} ms" for path, ms in self.probes_ms.items())
        return (
            f"{self.noise}: alone {self.alone_ms:.2f} ms, beside {self.beside_ms:.2f} ms,"
            f" {self.times:.2f} times; {probes}"
        )


def probe(port: int, seconds: float) -> dict[str, float]:
    """Return the 95th percentile of the probes in milliseconds, by path."""
    results = {}
    for path in PROBES:
        took = []
        until = time.perf_counter() + seconds
        while time.perf_counter() < until:
            started = time.perf_counter()
            with urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as response:
                response.read()
            took.append((time.perf_counter() - started) * 1000)
        results[path] = quantiles(took, n=20)[-1]
    return results


def measure(settings: Settings, seconds: float) -> Iterator[Comparison]:
    """Compare for each kind of noise, on one engine."""
    quiet, noisy = new_school(settings), new_school(settings)
    with serving(settings) as target:
        place = create_places(noisy.partner(target.port), 1)[0]
        batches = build_batch_requests(noisy, place, bulk.students(settings, noisy, BATCH_ENTRIES))

        def measure_quiet() -> Measured:
            first = next(FIRST_NUMBERS)
            requests = [build_course_request(quiet)]
            return drive(LoadPlan(target.port, 1, seconds, requests, first))

        measure_quiet()
        noises = {
            f"{NOISY_CONNECTIONS} connections": (NOISY_CONNECTIONS, [build_course_request(noisy)]),
            f"{BATCH_CONNECTIONS} of batches": (BATCH_CONNECTIONS, batches),
            "1 of batches": (1, batches),
        }
        for name, (connections, noise) in noises.items():
            alone = measure_quiet()
            length = 3 * seconds + WARM_UP_SECONDS
            with running_load(
                LoadPlan(target.port, connections, length, noise, next(FIRST_NUMBERS))
            ):
                beside = measure_quiet()
                probes = probe(target.port, seconds / 2)
            yield Comparison(name, alone.median_ms, beside.median_ms, probes)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database")
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data=Path(folder), database=options.database)
        for comparison in measure(settings, options.seconds):
            print(json.dumps(asdict(comparison)) if options.json else comparison, flush=True)


if __name__ == "__main__":
    main()
