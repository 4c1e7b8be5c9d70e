"""The measures, each with its target."""

import statistics
import time
from dataclasses import asdict, dataclass
from typing import Any

from bench import bulk
from bench.limit import capture_statements, replay_statements
from bench.load import LoadPlan, drive, drive_in_process
from bench.target import (
    Account,
    Place,
    Target,
    create_places,
    lesson_requests,
    new_school,
    roster_request,
    serving,
)
from homeroom.base.settings import Settings

LIMIT_NUMBERS = (500_000_000, 700_000_000)
"""Where the limit's identities begin, before and after the server's own."""


@dataclass(frozen=True)
class RunLength:
    """The lengths and sizes of the parts of a run."""

    seconds: float
    rounds: int
    small: int
    large: int


@dataclass(frozen=True)
class ReportLine:
    """One measured value beside its target."""

    what: str
    value: str
    aim: str = ""
    is_reached: bool | None = None


@dataclass(frozen=True)
class Result:
    """The lines of one measure, and its numbers for a program to read."""

    title: str
    lines: list[ReportLine]
    numbers: dict[str, Any]


def hot_path(settings: Settings, pace: RunLength) -> Result:
    """Measure addCourseClass at 1 and 32 connections, as a fraction of the limit."""
    account = new_school(settings)
    with serving(settings) as target:
        places = create_places(account.partner(target.port))
    unit = capture_statements(settings, account, places[0])
    limits = [replay_statements(settings, unit, LIMIT_NUMBERS[0], pace.seconds)]
    numbers: dict[str, Any] = {"statements": len(unit)}
    with serving(settings) as target:
        requests = lesson_requests(account, places)
        for connections, first in ((1, 100_000_000), (32, 300_000_000)):
            drive_in_process(LoadPlan(target.port, connections, 2, requests, first))
            cpu = target.cpu_seconds()
            seen = drive_in_process(
                LoadPlan(target.port, connections, pace.seconds, requests, first + 10**7)
            )
            cpu = (target.cpu_seconds() - cpu) / seen.answers
            numbers[f"at_{connections}"] = {
                "per_second": seen.per_second,
                "cpu_us": cpu * 1e6,
                "median_ms": seen.median_ms,
                "p99_ms": seen.p99_ms,
            }
        numbers["resident_mb"] = target.resident_mb()
    limits.append(replay_statements(settings, unit, LIMIT_NUMBERS[1], pace.seconds))
    numbers["limit_per_second"] = max(limits)
    return Result("addCourseClass", _hot_lines(numbers), numbers)


def _hot_lines(numbers: dict[str, Any]) -> list[ReportLine]:
    limit = numbers["limit_per_second"]
    lines = [
        ReportLine(
            f"the limit: {numbers['statements']} statements a class, 32 a commit",
            f"{limit:,.0f}/s",
        )
    ]
    for connections in (1, 32):
        at = numbers[f"at_{connections}"]
        share = at["per_second"] / limit
        p99 = f"p50 {at['median_ms']:.1f}, p99 {at['p99_ms']:.1f} ms"
        many = connections > 1
        lines += [
            ReportLine(
                f"{connections} connections, requests",
                f"{at['per_second']:,.0f}/s = {share:.2f} of the limit",
                "0.40" if many else "",
                share >= 0.4 if many else None,
            ),
            ReportLine(
                f"{connections} connections, latency",
                p99,
                "p99 < 50 ms" if many else "",
                at["p99_ms"] < 50 if many else None,
            ),
            ReportLine(f"{connections} connections, CPU of the server", f"{at['cpu_us']:,.0f} us"),
        ]
    resident = numbers["resident_mb"]
    lines.append(ReportLine("memory after it", f"{resident:.0f} MB", "< 120 MB", resident < 120))
    return lines


def removals(settings: Settings, pace: RunLength) -> Result:
    """Measure delCourseStudentMultiple with 1, 100 and 1,000 entries."""
    account = new_school(settings)
    numbers: dict[str, float] = {}
    with serving(settings) as target:
        place = create_places(account.partner(target.port), courses=1)[0]
        students = bulk.students(settings, account, 1000)
        for size in (1, 100, 1000):
            took = [
                _removal(target, account, place, students[:size])
                for _ in range(pace.rounds * 5 + 1)
            ]
            numbers[str(size)] = statistics.median(took[1:])
    ratio = numbers["1000"] / numbers["1"]
    lines = [ReportLine(f"{size} entries", f"{ms:.1f} ms") for size, ms in numbers.items()]
    lines.append(ReportLine("1,000 entries to one", f"{ratio:.1f} times", "< 30", ratio < 30))
    return Result("delCourseStudentMultiple", lines, {"ms": numbers, "ratio": ratio})


def _removal(target: Target, account: Account, place: Place, uids: list[int]) -> float:
    """Add people to a course and return the milliseconds of taking them out again."""
    persons = [{"uid": uid} for uid in uids]
    took = 0.0
    for action, entries in (
        ("addCourseStudentMultiple", {"studentJson": persons}),
        ("delCourseStudentMultiple", {"studentUidJson": uids}),
    ):
        requests = [roster_request(account, place, action, entries)]
        seen = drive(LoadPlan(target.port, 1, 0, requests, 0))
        assert not seen.other, seen.other
        took = seen.median_ms
    return took


def growth(small: Settings, large: Settings, pace: RunLength) -> Result:
    """Measure addCourseClass in a small and in a large database, by turns."""
    rates: dict[str, list[float]] = {"small": [], "large": []}
    with (
        bulk.serve_many_classes(small, pace.small) as small_server,
        bulk.serve_many_classes(large, pace.large) as large_server,
    ):
        for number in range(pace.rounds):
            for name, server in (("small", small_server), ("large", large_server)):
                first = 100_000_000 * (number + 1)
                drive_in_process(LoadPlan(server.target.port, 32, 1, server.requests, first))
                plan = LoadPlan(
                    server.target.port, 32, pace.seconds, server.requests, first + 10**7
                )
                rates[name].append(drive_in_process(plan).per_second)
    rate = {name: statistics.median(seen) for name, seen in rates.items()}
    ratio = rate["small"] / rate["large"]
    lines = [
        ReportLine(f"with {pace.small:,} classes", f"{rate['small']:,.0f}/s"),
        ReportLine(f"with {pace.large:,} classes", f"{rate['large']:,.0f}/s"),
        ReportLine("slower by", f"{ratio:.2f} times", "< 1.3", ratio < 1.3),
    ]
    return Result("addCourseClass as the database grows", lines, {**rate, "ratio": ratio})


def cold_start(settings: Settings, pace: RunLength) -> Result:
    """Measure from exec to the first answered call, and the memory of an idle server."""
    account = new_school(settings)
    with serving(settings) as target:
        requests = lesson_requests(account, create_places(account.partner(target.port), courses=1))
    seconds: list[float] = []
    resident: list[float] = []
    for number in range(5):
        began = time.perf_counter()
        with serving(settings) as target:
            seen = drive(LoadPlan(target.port, 1, 0, requests, 100 + number))
            seconds.append(time.perf_counter() - began)
            assert not seen.other, seen.other
            time.sleep(1)
            resident.append(target.resident_mb())
    numbers = {"seconds": statistics.median(seconds), "resident_mb": statistics.median(resident)}
    del pace
    lines = [
        ReportLine(
            "exec to the first answer",
            f"{numbers['seconds']:.2f} s",
            "< 1 s",
            numbers["seconds"] < 1,
        ),
        ReportLine(
            "memory when idle",
            f"{numbers['resident_mb']:.0f} MB",
            "< 90 MB",
            numbers["resident_mb"] < 90,
        ),
    ]
    return Result("Cold start", lines, numbers)


def as_json(results: list[tuple[str, Result]]) -> list[dict[str, Any]]:
    return [{"engine": engine, **asdict(result)} for engine, result in results]
