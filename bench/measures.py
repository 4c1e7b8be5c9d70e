"""Single measures: growth of the database, depth of lists, cold start, memory."""

import statistics
import time
from contextlib import ExitStack
from dataclasses import dataclass, replace

import httpx

from bench import bulk
from bench.contest import Contestant, measure_once
from bench.databases import Databases
from bench.dataset import DataSet, Sizes, prepare
from bench.load import LoadPlan, drive
from bench.report import ReportLine, Result
from bench.rows import LIST_OF_CLASSES, LIVE_PAGE, Row, find_row
from bench.target import COURSES, create_places, lesson_requests, new_school, serving
from bench.versions import CURRENT
from bench.wrk import send_load
from homeroom.base.settings import Settings

PAGE_ROWS = 500
SECONDS = 2
GROWN_ROWS = {
    "addCourseClass": 0,
    "editCourseClass": 0,
    "addCourseLabels": 0,
    LIST_OF_CLASSES: 0,
    LIVE_PAGE: 0,
    "addCourseStudent": 3000,
    "delCourseStudentMultiple of 1": 3000,
    "deleteClassVideo": 1000,
}
"""The requests of a run, for those that use up people or clips, so that small stays small."""


@dataclass(frozen=True)
class Growth:
    """A small and a large database."""

    small: int
    large: int
    """Classes."""
    students: int
    """In the school with many classes."""
    members: int
    """Students of each course there."""
    rounds: int


def measure_growth(databases: Databases, growth: Growth) -> list[Result]:
    """Measure rows in a small and in a large database, in turn, and a list to its end."""
    servers: dict[str, Contestant] = {}
    spare = max(GROWN_ROWS.values()) * growth.rounds
    clips = GROWN_ROWS["deleteClassVideo"] * growth.rounds
    small = Sizes(newcomers=spare, singles=spare, members=0, over=clips)
    many = replace(small, newcomers=spare + growth.students, members=growth.members * COURSES)
    with ExitStack() as stack:
        for name, classes, sizes in (
            ("small", growth.small, small),
            ("large", growth.large, many),
        ):
            settings = databases.create()
            dataset = _grow(settings, classes, sizes)
            target = stack.enter_context(serving(databases.reach(settings)))
            servers[name] = Contestant(name, target, dataset)
        lines = [
            line
            for name in GROWN_ROWS
            for line in _compare(find_row(name), servers, databases, growth.rounds)
        ]
        title = f"{growth.small:,} classes, then {growth.large:,} with {growth.students:,} students"
        return [
            Result(title, databases.engine, lines, {line.what: line.value for line in lines}),
            _measure_depth(servers["large"], databases.engine, growth.large),
        ]


def _grow(settings: Settings, classes: int, sizes: Sizes) -> DataSet:
    dataset = prepare(settings, CURRENT, sizes)
    bulk.multiply(settings, classes // (sizes.ahead + sizes.over) - 1)
    return dataset


def _compare(
    row: Row, servers: dict[str, Contestant], databases: Databases, rounds: int
) -> list[ReportLine]:
    connections = max(row.connections)
    rates: dict[str, list[float]] = {name: [] for name in servers}
    limited = replace(row, requests_in_all=GROWN_ROWS[row.name])
    for _ in range(rounds):
        for name, server in servers.items():
            sample = measure_once(server, limited, connections, SECONDS, databases)
            rates[name].append(sample.measured.per_second)
    small, large = (statistics.median(rates[name]) for name in ("small", "large"))
    ratio = small / large
    value = f"{small:,.0f} to {large:,.0f}/s = {ratio:.2f} times"
    return [ReportLine(f"{row.name}, {connections}", value, "<= 1.3 times", ratio <= 1.3)]


def _measure_depth(server: Contestant, engine: str, rows: int) -> Result:
    """Read a list to its end, and compare its first pages with its last ones."""
    took = []
    query: dict[str, str | int] | None = {"limit": PAGE_ROWS}
    headers = {"authorization": f"Bearer {server.dataset.token}"}
    with httpx.Client(base_url=f"http://127.0.0.1:{server.target.port}", timeout=30) as client:
        while query is not None:
            began = time.perf_counter()
            response = client.get("/admin/v1/classes", params=query, headers=headers)
            took.append((time.perf_counter() - began) * 1000)
            cursor = response.raise_for_status().json()["next"]
            query = {"limit": PAGE_ROWS, "cursor": cursor} if cursor else None
    first, last = (statistics.median(part) for part in (took[1:11], took[-11:-1]))
    ratio = last / first
    line = ReportLine(
        f"first and last pages of {len(took):,}",
        f"{first:.1f} to {last:.1f} ms = {ratio:.2f} times",
        "<= 1.5 times",
        ratio <= 1.5,
    )
    numbers = {"first_ms": first, "last_ms": last}
    return Result(f"List of {rows:,} classes, {PAGE_ROWS} a page", engine, [line], numbers)


def measure_cold_start(databases: Databases) -> list[Result]:
    """Measure from exec to the first answered call, and memory: idle, and after load."""
    settings = databases.create()
    account = new_school(settings)
    with serving(settings) as target:
        requests = lesson_requests(account, create_places(account.partner(target.port), courses=1))
    seconds: list[float] = []
    idle: list[float] = []
    for number in range(5):
        began = time.perf_counter()
        with serving(settings) as target:
            seen = drive(LoadPlan(target.port, 1, 0, requests, 100 + number))
            seconds.append(time.perf_counter() - began)
            assert not seen.other, seen.other
            time.sleep(1)
            idle.append(target.resident_mb())
    with serving(settings) as target:
        send_load(LoadPlan(target.port, 32, 5, requests, 200_000_000))
        loaded = target.resident_mb()
    start, memory = statistics.median(seconds), statistics.median(idle)
    lines = [
        ReportLine("exec to the first answer", f"{start:.2f} s", "<= 0.8 s", start <= 0.8),
        ReportLine("memory when idle", f"{memory:.0f} MB", "<= 80 MB", memory <= 80),
        ReportLine("memory after 5 s of load", f"{loaded:.0f} MB", "< 120 MB", loaded < 120),
    ]
    numbers = {"seconds": start, "idle_mb": memory, "loaded_mb": loaded}
    return [Result("Cold start", databases.engine, lines, numbers)]
