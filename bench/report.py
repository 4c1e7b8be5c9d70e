"""What is printed and kept: a table for each row, lines for single values, and their goals."""

import os
import platform
import timeit
from dataclasses import asdict, dataclass
from typing import Any

from bench.contest import Entry
from bench.rows import Row
from bench.wrk import describe_generator

HEAD = (
    f"  {'':12}{'requests/s':>11}{'ratio':>7}{'loop':>8}{'threads':>9}{'database':>10}"
    f"{'p50':>8}{'p99':>8}"
)
UNITS = f"  {'':12}{'':>11}{'':>7}{'us':>8}{'us':>9}{'us':>10}{'ms':>8}{'ms':>8}"


@dataclass(frozen=True)
class ReportLine:
    """One measured value beside its goal."""

    what: str
    value: str
    goal: str = ""
    is_reached: bool | None = None

    def __str__(self) -> str:
        """Return the line for a person."""
        verdict = f"{'reached' if self.is_reached else 'MISSED'} (goal {self.goal})"
        return f"  {self.what:52}{self.value:32}{verdict if self.goal else ''}"


@dataclass(frozen=True)
class Result:
    """One part of the report."""

    title: str
    engine: str
    lines: list[ReportLine]
    numbers: dict[str, Any]
    table: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return the part for a person."""
        return "\n".join([f"\n{self.title}, {self.engine}", *self.table, *map(str, self.lines)])

    def as_json(self) -> dict[str, Any]:
        """Return the part for a program."""
        return asdict(self)


def describe_machine() -> str:
    """Return what it runs on, and how fast that is just now: shared machines differ by the hour."""
    seconds = min(timeit.repeat("for number in numbers: pass", "numbers = range(10**7)", number=1))
    return (
        f"Python {platform.python_version()}, {10 / seconds:.0f} million turns/s; "
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; {describe_generator()}"
    )


def report_row(
    row: Row, connections: int, engine: str, entries: list[Entry], goals: dict[str, float]
) -> Result:
    """Return the table of one row: each server, and the ratio of ours to it."""
    ours = entries[0]
    table = [HEAD, UNITS]
    table += [
        f"  {entry.name:12}{entry.per_second:>11,.0f}{ours.per_second / entry.per_second:>7.2f}"
        f"{entry.loop_us:>8,.0f}{entry.threads_us:>9,.0f}{entry.database_us:>10,.0f}"
        f"{entry.median_ms:>8.1f}{entry.p99_ms:>8.1f}"
        for entry in entries
    ]
    by_name = {entry.name: entry for entry in entries}
    lines = []
    for name, goal in goals.items():
        if name in by_name:
            ratio = ours.per_second / by_name[name].per_second
            lines.append(
                ReportLine(f"to {name}", f"{ratio:.2f} times", f"{goal:g} at least", ratio >= goal)
            )
    if row.max_p99_ms is not None and connections == max(row.connections):
        p99 = ours.p99_ms
        is_reached = p99 <= row.max_p99_ms
        lines.append(ReportLine("p99", f"{p99:.1f} ms", f"<= {row.max_p99_ms:g} ms", is_reached))
    if row.units_a_request > 1:
        per_second = ours.per_second * row.units_a_request
        lines.append(ReportLine(f"{row.units} a second", f"{per_second:,.0f}"))
    if row.max_cpu_us is not None:
        cost = ours.server_us / row.units_a_request
        lines.append(
            ReportLine(
                f"processor time of the server, each {row.unit}",
                f"{cost:,.0f} us",
                f"<= {row.max_cpu_us:g} us",
                cost <= row.max_cpu_us,
            )
        )
    numbers = {
        "row": row.name,
        "connections": connections,
        "servers": [asdict(entry) for entry in entries],
    }
    title = f"{row.name}, {connections} connection{'s' if connections > 1 else ''}"
    return Result(title, engine, lines, numbers, tuple(table))
