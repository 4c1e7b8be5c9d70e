"""Two servers on one PostgreSQL that are killed while they deliver to a receiver that was down."""

import json
import random
import signal
import time
from collections import defaultdict
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

from bench.messages.receiver import EVERY_LESSON, Arrival
from bench.messages.setup import Receiver, add_backlog, add_endpoint, running_receiver
from bench.target import Account
from homeroom.base.clock import DAY
from homeroom.base.settings import Settings
from homeroom.testing.sandbox import SandboxClient
from tests.support.process import Process

LESSONS: Final = 100
DAYS_DOWN: Final = 7
STOPPED_SECONDS: Final = 65
"""Longer than a lease."""
WAIT_SECONDS: Final = 900


@dataclass(frozen=True)
class DeliveryCounts:
    """The result of a run."""

    messages: int
    lost: int
    misordered: int
    duplicates: int

    def __str__(self) -> str:
        return (
            f"{self.messages} messages: {self.lost} lost, {self.misordered} misordered,"
            f" {self.duplicates} came again"
        )


class DeliveryKills:
    """A school with an endpoint, and the servers that deliver its messages."""

    def __init__(self, folder: Path, database: str, seed: int) -> None:
        self._random = random.Random(seed)
        self._folder, self._database = folder, database
        self._key_file = folder / "key"
        self._servers = {name: self._start(name) for name in ("one", "two")}
        self._settings = Settings(data=folder / "one", database=database)
        words = ("school", "create", "--name", "Soak", "--json")
        school = json.loads(self._servers["one"].cli(*words))
        self._account = Account(int(school["sid"]), str(school["secret"]))

    def _start(self, name: str) -> Process:
        return Process(
            "--sandbox",
            data=self._folder / name,
            database=self._database,
            key_file=self._key_file,
        )

    def run(self, messages: int, kills: int, *, with_stop: bool) -> DeliveryCounts:
        """Send messages through it all, and count what the receiver saw."""
        with ExitStack() as stack:
            receiver = stack.enter_context(running_receiver(self._settings))
            try:
                arrivals = self._deliver(receiver, messages, kills, with_stop=with_stop)
            finally:
                for server in self._servers.values():
                    server.kill()
        return count(arrivals, messages)

    def _deliver(
        self, receiver: Receiver, messages: int, kills: int, *, with_stop: bool
    ) -> list[Arrival]:
        receiver.clear(EVERY_LESSON)
        add_endpoint(self._settings, self._account, receiver.url)
        add_backlog(self._settings, self._account, messages // 2, LESSONS)
        with SandboxClient(self._servers["one"].url) as sandbox:
            for _ in range(DAYS_DOWN):
                sandbox.move(advance=DAY)
            while_down = receiver.log()
            receiver.clear()
            sandbox.move(advance=10)
        add_backlog(self._settings, self._account, messages // 2, LESSONS, after=messages // 2)
        for _ in range(kills):
            self._wait(receiver, receiver.count() + messages // (2 * kills), messages)
            name = self._random.choice(list(self._servers))
            self._servers[name].kill()
            self._servers[name] = self._start(name)
        if with_stop:
            process = self._servers["two"].process
            process.send_signal(signal.SIGSTOP)
            time.sleep(STOPPED_SECONDS)
            process.send_signal(signal.SIGCONT)
        self._wait(receiver, None, messages)
        return [*while_down, *receiver.log()]

    def _wait(self, receiver: Receiver, arrivals: int | None, messages: int) -> None:
        """Wait until so many have come, or until each message has."""
        deadline = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < deadline:
            if arrivals is not None and receiver.count() >= arrivals:
                return
            if len({arrival.number for arrival in receiver.log()}) >= messages:
                return
            time.sleep(0.2)


def count(arrivals: list[Arrival], messages: int) -> DeliveryCounts:
    """Count the messages that did not come, came too late, or came again."""
    of_lesson: dict[int, list[int]] = defaultdict(list)
    for arrival in arrivals:
        of_lesson[arrival.lesson].append(arrival.number)
    numbers = [number for numbers in of_lesson.values() for number in numbers]
    misordered = sum(
        after < before for numbers in of_lesson.values() for before, after in pairwise(numbers)
    )
    present = set(numbers)
    return DeliveryCounts(
        messages, messages - len(present), misordered, len(numbers) - len(present)
    )
