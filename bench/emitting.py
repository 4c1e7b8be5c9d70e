"""The cost of messages: addCourseClass of a school with receivers, beside one without."""

import statistics
from contextlib import ExitStack
from functools import partial

from sqlalchemy import UpdateBase, insert

from bench.contest import Contestant, measure_once
from bench.databases import Databases
from bench.dataset import DataSet, Sizes, prepare
from bench.report import ReportLine, Result
from bench.rows import find_row
from bench.target import serving
from bench.versions import CURRENT
from homeroom.base.settings import Settings
from homeroom.folder import open_store
from homeroom.store.statement import Statement
from homeroom.store.tables import endpoints, outboxes
from homeroom.store.unit_of_work import UnitOfWork

SECONDS = 2
MAX_COST = 0.08
"""Share of the requests per second that messages may cost."""
SIZES = Sizes(newcomers=0, singles=0, members=0, over=0)


def measure_emitting(databases: Databases, rounds: int) -> list[Result]:
    """Measure two servers in turn: the school of one has an endpoint.

    Its messages are left to a server that does not exist, so only their writing is measured.
    """
    row = find_row("addCourseClass")
    with ExitStack() as stack:
        without = databases.create()
        dataset = prepare(without, CURRENT, SIZES)
        with_receiver = databases.copy(without)
        _add_endpoint(with_receiver, dataset)
        servers = [
            Contestant(name, stack.enter_context(serving(databases.reach(settings))), dataset)
            for name, settings in (("without", without), ("with", with_receiver))
        ]
        lines = []
        for connections in row.connections:
            rates: dict[str, list[float]] = {server.name: [] for server in servers}
            cpu: dict[str, list[float]] = {server.name: [] for server in servers}
            for _ in range(rounds):
                for server in servers:
                    sample = measure_once(server, row, connections, SECONDS, databases)
                    rates[server.name].append(sample.measured.per_second)
                    used = sample.server.total + sample.database
                    cpu[server.name].append(used / sample.measured.answers * 1e6)
            goal = f"<= {MAX_COST:.0%}"
            before, after = (statistics.median(each) for each in rates.values())
            cost = 1 - after / before
            value = f"{before:,.0f} to {after:,.0f}/s = {cost:.1%}"
            lines.append(
                ReportLine(f"addCourseClass, {connections}", value, goal, cost <= MAX_COST)
            )
            before, after = (statistics.median(each) for each in cpu.values())
            value = f"{before:,.0f} to {after:,.0f} us = {after / before - 1:.1%}"
            lines.append(ReportLine("  processor time of server and database", value))
    numbers = {line.what: line.value for line in lines}
    return [Result("Messages of a school with receivers", databases.engine, lines, numbers)]


def _add_endpoint(settings: Settings, dataset: DataSet) -> None:
    """Add an endpoint that was active once, and lease the messages of the school."""
    endpoint = insert(endpoints).values(
        school_id=dataset.account.sid,
        url="http://127.0.0.1:9/",
        format="classin",
        ordering="school",
        state="paused",
        timeout_seconds=10,
        alert_addresses="[]",
        start_after_id=0,
        created_at=0,
    )
    lease = insert(outboxes).values(
        school_id=dataset.account.sid,
        last_position=0,
        leased_until=2**40,
        leased_by="bench",
    )
    with open_store(settings) as store:
        for change in (endpoint, lease):
            store.write(partial(_execute, change=change))


def _execute(uow: UnitOfWork, change: UpdateBase) -> None:
    uow.schools._tx.execute(Statement(change), {})  # noqa: SLF001  the way in
