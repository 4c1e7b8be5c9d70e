"""A school with an endpoint and a backlog, put straight into the database, and what delivers it."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final
from urllib.request import Request, urlopen

from bench.bulk import NUMBERS, run
from bench.messages.receiver import Arrival
from bench.target import Account, Target, running, serve_words
from bench.versions import CURRENT
from homeroom.base.settings import Settings

WAIT_SECONDS: Final = 600.0
POLL_SECONDS: Final = 0.05
FILLER: Final = "x" * 300
"""Makes a message as long as one that tells of a change of a class."""


@dataclass(frozen=True)
class Receiver:
    """A receiver that runs as a process."""

    url: str

    def _read(self, path: str, body: object = None) -> Any:  # noqa: ANN401  JSON
        data = json.dumps(body).encode() if body is not None else None
        with urlopen(Request(f"{self.url}{path}", data)) as response:  # noqa: S310  our own process
            return json.load(response)

    def count(self) -> int:
        return int(self._read("/count"))

    def log(self) -> list[Arrival]:
        return [Arrival(*entry) for entry in self._read("/log")]

    def clear(self, failing_lesson: int = 0) -> None:
        """Begin a new log, and refuse the messages of a class from now on."""
        self._read("/fail", {"lesson": failing_lesson})

    def wait_for(self, count: int) -> None:
        deadline = time.monotonic() + WAIT_SECONDS
        while self.count() < count:
            if time.monotonic() > deadline:
                raise RuntimeError(f"only {self.count()} of {count} messages came")
            time.sleep(POLL_SECONDS)


@contextmanager
def running_receiver(settings: Settings) -> Iterator[Receiver]:
    """Run a receiver until the block ends."""
    words = [sys.executable, "-m", "bench.messages.receiver"]
    with running(words, settings.data / "receiver.log", dict(os.environ)) as target:
        yield Receiver(f"http://127.0.0.1:{target.port}")


@contextmanager
def serving_messages(settings: Settings) -> Iterator[Target]:
    """Run a server that may send to this machine, until the block ends."""
    environment = CURRENT.environment() | {"HOMEROOM_WEBHOOK_ALLOW": "127.0.0.0/8"}
    command = CURRENT.command(*serve_words(settings))
    with running(command, settings.data / "bench.log", environment) as target:
        yield target


def run_sender(kind: str, plan: str) -> None:
    """Run a sender that ours is measured beside, to its end."""
    words = [sys.executable, "-m", "bench.messages.senders", kind, plan]
    subprocess.run(words, check=True, capture_output=True)


def add_endpoint(settings: Settings, account: Account, url: str) -> None:
    """Add an endpoint of the school that has each class in an order of its own."""
    values = {
        "school_id": account.sid,
        "url": f"'{url}/messages'",
        "format": "'classin'",
        "ordering": "'class'",
        "state": "'active'",
        "timeout_seconds": 10,
        "alert_addresses": "'[]'",
        "start_after_id": 0,
        "activated_at": int(time.time()),
        "created_at": int(time.time()),
    }
    columns, texts = ", ".join(values), ", ".join(map(str, values.values()))
    run(settings, f"INSERT INTO endpoints ({columns}) VALUES ({texts})")  # noqa: S608  our own values


def add_backlog(
    settings: Settings, account: Account, messages: int, lessons: int, after: int = 0
) -> None:
    """Add messages that wait, over some classes in turn; their numbers follow a number."""
    lesson = f"(n % {lessons} + 1)"
    head = f'{{"SID":{account.sid},"Cmd":"eeoClassInfoChange","ClassID":'
    tail = f',"ActionTime":{int(time.time())},"opData":{{"text":"{FILLER}"}},"Number":'
    body = f"'{head}' || CAST({lesson} AS TEXT) || '{tail}' || CAST(n + {after} AS TEXT) || '}}'"
    run(
        settings,
        f"{NUMBERS.format(messages)} INSERT INTO messages"  # noqa: S608  our own values
        " (school_id, kind, stream, lesson_id, body, is_simulated, created_at)"
        f" SELECT {account.sid}, 'class_changed', 'class:' || CAST({lesson} AS TEXT), {lesson},"
        f" {body}, 0, {int(time.time())} FROM numbers",
        "ANALYZE",
    )
