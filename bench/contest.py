"""Interleaved rounds: the same requests for each server in turn, each with its own database."""

import os
import statistics
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import msgspec

from bench.cpu import ServerCPU
from bench.databases import Databases
from bench.dataset import (
    FIRST_MEMBER,
    FIRST_NEWCOMER,
    FIRST_OVER,
    DataSet,
    Sizes,
    prepare,
)
from bench.load import LoadPlan, Measured
from bench.rows import N, Row, edit_form, label_forms
from bench.target import Target, lesson_form, roster_form, running, serving, signature
from bench.versions import CURRENT, Version
from bench.wrk import send_load
from bench.yardsticks.recipe import Recipe, trace_actions
from homeroom.base.settings import Settings
from homeroom.contract.action import APIPath
from homeroom.folder import database_address

SPARE_NUMBERS = 10
"""Numbers that the generator may use up without an answer, beside one for each connection."""
WARM_UP_SECONDS = 1.0
MAX_TRIES = 3


@dataclass(frozen=True)
class Sample:
    """One run: the answers, and the processor time of each."""

    measured: Measured
    server: ServerCPU
    database: float
    """Seconds of the processes of PostgreSQL, and of PgBouncer; 0 for SQLite."""


@dataclass
class Contestant:
    """A running server of its own database."""

    name: str
    target: Target
    dataset: DataSet
    actions: frozenset[str] | None = None
    """The only actions that it answers; None for all requests."""
    has_own_paths: bool = False
    """Each action has a path of its own: a web framework does not dispatch by the query."""
    used: dict[str, int] = field(default_factory=dict)
    """Numbers used up by row."""

    def answers(self, row: Row) -> bool:
        return self.actions is None or row.action in self.actions

    def build_plan(self, row: Row, connections: int, seconds: float) -> LoadPlan:
        """Return a run of a row, from the first number that is still free."""
        first = row.first_number + self.used.get(row.name, 0)
        requests = row.build(self.dataset, first)
        if self.has_own_paths:
            requests = [text.replace(f"{APIPath.COURSE}?action=", "/", 1) for text in requests]
        in_all = row.requests_in_all
        return LoadPlan(
            self.target.port,
            connections,
            3600 if in_all else seconds,
            requests,
            first,
            in_all,
            row.marker,
        )

    def use(self, row: Row, plan: LoadPlan, answers: int) -> None:
        """Note the numbers that a run used up."""
        spare = 0 if plan.requests_in_all else plan.connections + SPARE_NUMBERS
        used = self.used.get(row.name, 0)
        self.used[row.name] = used + (answers + spare) * row.numbers_a_request


def measure_once(
    contestant: Contestant,
    row: Row,
    connections: int,
    seconds: float,
    databases: Databases,
    *,
    warm_up: bool = True,
) -> Sample:
    """Run a row for some seconds, after a shorter run that warms up."""
    if warm_up and not row.requests_in_all:
        _send(contestant, row, connections, WARM_UP_SECONDS)
    server, database = contestant.target.cpu(), databases.read_cpu_seconds()
    measured = _send(contestant, row, connections, seconds)
    return Sample(
        measured,
        contestant.target.cpu() - server,
        databases.read_cpu_seconds() - database,
    )


def _send(contestant: Contestant, row: Row, connections: int, seconds: float) -> Measured:
    """Run a row; on a machine that is very busy, a second can pass without an answer.

    Each try has numbers of its own: a request without an answer may be done all the same.
    """
    for _ in range(MAX_TRIES):
        plan = contestant.build_plan(row, connections, seconds)
        try:
            measured = send_load(plan)
        except RuntimeError as error:
            log = contestant.target.log.read_text(errors="replace")[-2000:]
            raise RuntimeError(f"{contestant.name}, {row.name}: {error}\n{log}") from None
        contestant.use(row, plan, measured.answers)
        if measured.answers:
            return measured
    raise RuntimeError(f"{contestant.name}, {row.name}: there was no answer")


@dataclass(frozen=True)
class Entry:
    """The medians of a row for one contestant."""

    name: str
    per_second: float
    loop_us: float
    threads_us: float
    database_us: float
    median_ms: float
    p99_ms: float

    @property
    def server_us(self) -> float:
        return self.loop_us + self.threads_us


def summarise(name: str, samples: list[Sample]) -> Entry:
    """Return the median of each figure."""

    def median(read: Callable[[Sample], float]) -> float:
        return statistics.median(read(sample) for sample in samples)

    return Entry(
        name,
        median(lambda sample: sample.measured.per_second),
        median(lambda sample: sample.server.loop / sample.measured.answers * 1e6),
        median(lambda sample: sample.server.threads / sample.measured.answers * 1e6),
        median(lambda sample: sample.database / sample.measured.answers * 1e6),
        median(lambda sample: sample.measured.median_ms),
        median(lambda sample: sample.measured.p99_ms),
    )


@dataclass(frozen=True)
class Field:
    """Which servers take part."""

    versions: tuple[Version, ...] = (CURRENT,)
    yardsticks: bool = True
    workers: int = 1
    curve: tuple[int, ...] = ()
    """Numbers of workers with which our server takes part again."""


@contextmanager
def running_contestants(
    databases: Databases, taking_part: Field, sizes: Sizes
) -> Iterator[list[Contestant]]:
    """Prepare the databases and run all servers until the block ends."""
    with ExitStack() as stack:
        contestants: list[Contestant] = []
        recipe: Recipe | None = None
        for version in taking_part.versions:
            prepared = databases.create()
            dataset = prepare(prepared, version, sizes)
            if version is CURRENT and taking_part.yardsticks:
                recipe = make_recipe(databases.copy(prepared), dataset)
                contestants += _start_yardsticks(databases, prepared, dataset, recipe, stack)
            servers = [(version.name, 1, prepared)]
            if version is CURRENT:
                servers = [(version.name, taking_part.workers, prepared)]
                servers += [
                    (f"{count} workers", count, databases.copy(prepared))
                    for count in taking_part.curve
                ]
            for name, workers, settings in servers:
                target = stack.enter_context(serving(databases.reach(settings), version, workers))
                contestants.append(Contestant(name, target, dataset))
        # In the order of the table: the server itself, then what it is measured beside.
        order = ["homeroom", "before"]
        yield sorted(
            contestants,
            key=lambda each: order.index(each.name) if each.name in order else len(order),
        )


def make_recipe(settings: Settings, dataset: DataSet) -> Recipe:
    """Trace the actions of the table on a copy of the database."""
    account = dataset.account
    signed = signature(account)
    members = {"studentUidJson": [FIRST_MEMBER]}
    lesson = lesson_form(account, dataset.places[0])
    forms = {
        "addCourseClass": {**lesson, "courseUniqueIdentity": "987654321"},
        "addCourseStudent": {
            **signed,
            "courseId": str(dataset.places[0].course),
            "identity": "1",
            "studentUid": str(FIRST_NEWCOMER),
        },
        "delCourseStudentMultiple": roster_form(account, dataset.course_of(FIRST_MEMBER), members),
        "addCourseLabels": label_forms(dataset)[0],
        "deleteClassVideo": {**signed, "classId": str(FIRST_OVER)},
        "editCourseClass": edit_form(dataset, 0, N.replace("#", "7")),
    }
    actions = trace_actions(settings, account.sid, forms)
    return Recipe("", account.sid, account.secret, actions)


def _start_yardsticks(
    databases: Databases, prepared: Settings, dataset: DataSet, recipe: Recipe, stack: ExitStack
) -> Iterator[Contestant]:
    """Run the thin servers and the tutorial, each on a copy of the prepared database."""
    programs: list[tuple[str, list[str], tuple[str, ...] | None]] = [
        ("thin", ["bench.yardsticks.thin"], tuple(recipe.actions)),
        ("batch", ["bench.yardsticks.thin", "--batch"], ("addCourseClass",)),
        (
            "tutorial",
            ["bench.yardsticks.tutorial"],
            ("addCourseClass", "addCourseStudent", "editCourseClass"),
        ),
    ]
    for name, words, actions in programs:
        if name == "batch" and prepared.database is None:
            continue
        settings = databases.copy(prepared)
        file = settings.data / "recipe.json"
        own = msgspec.structs.replace(
            recipe,
            database=str(database_address(databases.reach(settings))),
            has_pool=databases.has_pool,
        )
        file.write_bytes(msgspec.json.encode(own))
        target = stack.enter_context(
            running(
                [sys.executable, "-m", words[0], str(file), *words[1:]],
                settings.data / "bench.log",
                dict(os.environ),
            )
        )
        yield Contestant(
            name, target, dataset, frozenset(actions or ()), has_own_paths=name == "tutorial"
        )
