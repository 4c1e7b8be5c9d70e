"""A server under calls while its database fails: what calls and probes answer, as a table."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from itertools import count
from typing import Final, Self

import httpx

from homeroom.base.clock import SystemClock
from tests.support.process import Process
from tests.support.wire import Partner

CALLERS: Final = 4
PAUSE_SECONDS: Final = 0.1
TIMEOUT_SECONDS: Final = 60.0
"""Longest wait for an answer: longer than a unit of work may take."""
FAULT_SECONDS: Final = 5
MAX_CALL_SECONDS: Final = 35
NO_ANSWER: Final = "no answer"


@dataclass(frozen=True)
class TableRow:
    """A fault, and what a server answered from its begin to the first right call after its end."""

    fault: str
    fault_seconds: float
    calls: str
    probes: str
    right_after_seconds: float
    """From the end of the fault until all calls were right again."""
    lost: int
    """Calls that were acknowledged, and whose course is not there."""

    def __str__(self) -> str:
        """Return a row of a table in Markdown."""
        return (
            f"| {self.fault}, {self.fault_seconds:.0f} s | {self.calls} | {self.probes}"
            f" | {self.right_after_seconds:.1f} s | {self.lost} |"
        )


TABLE_HEAD: Final = (
    "| fault | calls | /readyz | right again after | acknowledged and lost |",
    "| --- | --- | --- | --- | --- |",
)


@dataclass(frozen=True)
class Answer:
    """The answer to a call or a probe, and when it was sent and answered."""

    text: str
    begin: float
    end: float
    is_right: bool


@dataclass
class Traffic:
    """Callers of addCourse and a prober, each in a thread, until the block ends."""

    server: Process
    calls: list[Answer] = field(default_factory=list)
    probes: list[Answer] = field(default_factory=list)
    acknowledged: set[str] = field(default_factory=set)
    sent: set[str] = field(default_factory=set)
    _numbers: "count[int]" = field(default_factory=count)
    _stopped: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._threads = [threading.Thread(target=self._call_on) for _ in range(CALLERS)]
        self._threads.append(threading.Thread(target=self._probe_on))
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join(TIMEOUT_SECONDS)

    def wait_until_right(self, since: float, seconds: float = TIMEOUT_SECONDS) -> float:
        """Wait until a call that was sent after a moment is right; returns the time it took.

        It counts from the moment to the answer after which no call failed.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            later = [call for call in list(self.calls) if call.begin >= since]
            right = [call.end for call in later if call.is_right]
            failures = [call.end for call in self.calls if not call.is_right and call.end >= since]
            if len(right) >= 5 * CALLERS:
                return max([min(right), *failures]) - since
            time.sleep(0.05)
        raise AssertionError("no call is right again")

    def _call_on(self) -> None:
        api = Partner(
            self.server.url,
            self.server.sid,
            self.server.secret,
            SystemClock(),
        )
        while not self._stopped.wait(PAUSE_SECONDS):
            name = f"course {next(self._numbers)}"
            self.sent.add(name)
            begin = time.monotonic()
            try:
                reply = api.call("addCourse", courseName=name)
            except httpx.HTTPError:
                self.calls.append(Answer(NO_ANSWER, begin, time.monotonic(), is_right=False))
                continue
            if reply.errno == 1:
                self.acknowledged.add(name)
            text = f"{reply.status} errno {reply.errno} {reply.reason}".strip()
            self.calls.append(Answer(text, begin, time.monotonic(), is_right=reply.errno == 1))
        api.close()

    def _probe_on(self) -> None:
        with httpx.Client(trust_env=False, timeout=TIMEOUT_SECONDS) as client:
            while not self._stopped.wait(PAUSE_SECONDS):
                begin = time.monotonic()
                response = client.get(f"{self.server.url}/readyz")
                body = response.json()
                text = f"{response.status_code} {'; '.join(body['reasons'])}".strip()
                answer = Answer(text, begin, time.monotonic(), is_right=response.is_success)
                self.probes.append(answer)


@dataclass(frozen=True)
class Outcome:
    """The calls that ended after the begin of a fault, and their summary."""

    row: TableRow
    calls: list[Answer]


def endure(
    server: Process,
    name: str,
    fault: AbstractContextManager[None],
    read_names: Callable[[], Collection[str]],
    seconds: float = FAULT_SECONDS,
) -> Outcome:
    """Call a server before, during and after a fault; no call may be done twice or take too long.

    The fault lasts for some seconds.
    """
    with Traffic(server) as traffic:
        traffic.wait_until_right(time.monotonic())
        begin = time.monotonic()
        with fault:
            time.sleep(seconds)
        end = time.monotonic()
        delay = traffic.wait_until_right(end)
    calls = [call for call in traffic.calls if begin <= call.end]
    probes = [probe for probe in traffic.probes if begin <= probe.end]
    names = [each for each in read_names() if each in traffic.sent]
    assert len(names) == len(set(names))
    assert max(call.end - call.begin for call in calls) < MAX_CALL_SECONDS
    lost = traffic.acknowledged - set(names)
    row = TableRow(name, end - begin, describe(calls), describe(probes), delay, len(lost))
    return Outcome(row, calls)


def describe(answers: list[Answer]) -> str:
    """Return how often each answer was given, and the longest wait for one."""
    if not answers:
        return "none"
    texts = Counter(answer.text for answer in answers)
    longest = max(answer.end - answer.begin for answer in answers)
    counts = "; ".join(f"{number} x {text}" for text, number in texts.most_common())
    return f"{counts} (longest {longest:.1f} s)"
