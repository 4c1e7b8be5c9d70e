"""The measures of messages; each returns lines with their goals."""

import statistics
import time
from functools import partial
from typing import ClassVar, Final

import msgspec

from bench.databases import Databases
from bench.messages.receiver import Arrival
from bench.messages.senders import SenderPlan
from bench.messages.setup import (
    Receiver,
    add_backlog,
    add_endpoint,
    run_sender,
    running_receiver,
    serving_messages,
)
from bench.report import ReportLine, Result
from bench.target import Account, new_school
from homeroom.base.ids import CourseId, LessonId, SchoolId
from homeroom.base.settings import Settings
from homeroom.contract.messages.body import MessageBody
from homeroom.contract.messages.kinds import MessageKind
from homeroom.domain.events import Event
from homeroom.folder import open_store
from homeroom.store.unit_of_work import UnitOfWork

LESSONS: Final = 100
FAILING_LESSON: Final = 7
P95: Final = 0.95


class BenchLength(msgspec.Struct, frozen=True):
    """The sizes of a run."""

    calls: int
    """Calls of the partner API, whose messages have their delay measured."""
    messages: int
    """Of each sender of the throughput."""
    tasks: int
    """Of the task queue, which takes longer."""
    seconds: int
    """For which messages of many classes are written at a steady rate."""
    backlog: int
    rounds: int


class NumberedBody(MessageBody, frozen=True, kw_only=True, rename="pascal"):
    """The body of a message of a measure."""

    kind: ClassVar[MessageKind] = MessageKind.ENTER_CLASS

    number: int


def percentile(values: list[float], part: float = P95) -> float:
    return sorted(values)[min(int(len(values) * part), len(values) - 1)]


def measure_delay(databases: Databases, length: BenchLength) -> Result:
    """Measure from a call to the first byte of its message, on a server that has nothing to do."""
    settings = databases.create()
    account = new_school(settings)
    began: dict[int, float] = {}
    with running_receiver(settings) as receiver:
        add_endpoint(settings, account, receiver.url)
        with serving_messages(settings) as target, account.partner(target.port) as partner:
            time.sleep(1)
            for number in range(length.calls):
                at = time.monotonic()
                reply = partner.call("addCourse", courseName=f"Course {number}")
                assert reply.errno == 1, reply.body
                began[int(reply.data)] = at
                time.sleep(0.03)
            receiver.wait_for(length.calls)
        took = [arrival.at - began[arrival.lesson] for arrival in receiver.log()]
    p50, p95 = statistics.median(took) * 1000, percentile(took) * 1000
    line = ReportLine(
        "from a call to the first byte of its message",
        f"p50 {p50:.1f} ms, p95 {p95:.1f} ms",
        "p95 <= 100 ms",
        p95 <= 100,
    )
    return Result("Delay of a message", databases.engine, [line], {"p50_ms": p50, "p95_ms": p95})


def _rate(arrivals: list[Arrival]) -> float:
    first, last = (find(arrival.at for arrival in arrivals) for find in (min, max))
    return len(arrivals) / (last - first)


def measure_throughput(databases: Databases, length: BenchLength) -> Result:
    """Measure messages a second of 100 classes, beside a thin sender and a queue of tasks."""
    rates: dict[str, list[float]] = {}
    for _ in range(length.rounds):
        rates.setdefault("homeroom", []).append(_drain(databases, length.messages))
        for kind, messages in (("memory", length.messages), ("tasks", length.tasks)):
            if kind == "tasks" and databases.engine != "postgresql":
                continue
            rates.setdefault(kind, []).append(_send_beside(databases, kind, messages))
    ours, thin = (statistics.median(rates[name]) for name in ("homeroom", "memory"))
    lines = [
        ReportLine("homeroom", f"{ours:,.0f} messages/s"),
        ReportLine(
            "a thin sender from memory",
            f"{thin:,.0f} messages/s = {ours / thin:.2f}",
            ">= 0.5",
            ours / thin >= 0.5,
        ),
    ]
    if "tasks" in rates:
        tasks = statistics.median(rates["tasks"])
        lines.append(
            ReportLine(
                "procrastinate, lock=class, and httpx",
                f"{tasks:,.0f} messages/s = {ours / tasks:.1f} times",
                ">= 5 times",
                ours / tasks >= 5,
            )
        )
    return Result(f"Messages of {LESSONS} classes", databases.engine, lines, dict(rates))


def _drain(databases: Databases, messages: int) -> float:
    settings = databases.create()
    account = new_school(settings)
    with running_receiver(settings) as receiver:
        add_endpoint(settings, account, receiver.url)
        add_backlog(settings, account, messages, LESSONS)
        with serving_messages(settings):
            receiver.wait_for(messages)
        return _rate(receiver.log())


def _send_beside(databases: Databases, kind: str, messages: int) -> float:
    settings = databases.create()
    with running_receiver(settings) as receiver:
        database = settings.database or ""
        plan = SenderPlan(f"{receiver.url}/messages", messages, LESSONS, "secret", database)
        run_sender(kind, msgspec.json.encode(plan).decode())
        return _rate(receiver.log())


def measure_failing(databases: Databases, length: BenchLength) -> Result:
    """Measure the delay of 99 classes alone, and beside one whose messages are not acknowledged."""
    settings = databases.create()
    account = new_school(settings)
    p95s: dict[int, list[float]] = {0: [], FAILING_LESSON: []}
    with running_receiver(settings) as receiver:
        add_endpoint(settings, account, receiver.url)
        with serving_messages(settings):
            time.sleep(1)
            _write_steadily(settings, account, receiver, 1, 0)
            for _ in range(length.rounds):
                for failing, p95_of_rounds in p95s.items():
                    took = _write_steadily(settings, account, receiver, length.seconds, failing)
                    p95_of_rounds.append(percentile(took) * 1000)
    alone, beside = (statistics.median(values) for values in p95s.values())
    line = ReportLine(
        f"p95 of {LESSONS - 1} classes, alone and beside one that fails",
        f"{alone:.1f} to {beside:.1f} ms = {beside / alone:.2f} times",
        "<= 1.2 times",
        beside / alone <= 1.2,
    )
    return Result("One failing class", databases.engine, [line], {"p95_ms": list(p95s.values())})


def _write_steadily(
    settings: Settings, account: Account, receiver: Receiver, seconds: int, failing: int
) -> list[float]:
    """Write a hundred messages a second, and return the delays of those of the other classes."""
    receiver.clear(failing)
    committed: dict[int, float] = {}
    begin = time.monotonic()
    with open_store(settings) as store:
        for number in range(seconds * LESSONS):
            event = Event(
                school=SchoolId(account.sid),
                body=NumberedBody(number=number),
                at=int(time.time()),
                course=CourseId(1),
                lesson=LessonId(number % LESSONS + 1),
            )
            store.write(partial(UnitOfWork.emit, event=event))
            committed[number] = time.monotonic()
            time.sleep(max(0.0, begin + (number + 1) / LESSONS - time.monotonic()))
    expected = {number for number in committed if number % LESSONS + 1 != failing}
    deadline = time.monotonic() + 30
    while True:
        log = receiver.log()
        if expected <= {arrival.number for arrival in log}:
            break
        assert time.monotonic() < deadline, "not all messages came"
        time.sleep(0.2)
    return [arrival.at - committed[arrival.number] for arrival in log if arrival.number in expected]


def measure_backlog(databases: Databases, length: BenchLength) -> Result:
    """Measure the begin and the rate of a large backlog, beside those of a small one."""
    small = _drain(databases, length.messages)
    settings = databases.create()
    account = new_school(settings)
    with running_receiver(settings) as receiver:
        add_endpoint(settings, account, receiver.url)
        add_backlog(settings, account, length.backlog, LESSONS)
        with serving_messages(settings):
            ready = time.monotonic()
            receiver.wait_for(3 * length.messages)
        log = sorted(receiver.log())
    start = log[0].at - ready
    rates = [
        _rate(log[first : first + length.messages])
        for first in range(0, 3 * length.messages, length.messages)
    ]
    drain = min(rates) / small
    lines = [
        ReportLine("from the start to the first message", f"{start:.2f} s", "<= 2 s", start <= 2),
        ReportLine(
            "rate of a small backlog, and three parts of this one",
            f"{small:,.0f} and {', '.join(f'{rate:,.0f}' for rate in rates)}/s = {drain:.2f}",
            ">= 0.8",
            drain >= 0.8,
        ),
    ]
    numbers = {"start_seconds": start, "small": small, "rates": rates}
    return Result(f"Backlog of {length.backlog:,}", databases.engine, lines, numbers)
