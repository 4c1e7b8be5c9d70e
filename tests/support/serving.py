"""A real server on a real socket, in a thread of the test run, by a clock that stands still."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from homeroom.base.clock import Clock, Moment
from homeroom.base.settings import Settings
from homeroom.bootstrap import RunningServer, run_server
from homeroom.folder import open_store

READY_SECONDS: Final = 30
START: Final = 1_900_000_000
"""17 March 2030: far from the machine's own time, so that nothing goes by that unseen."""


class StoppedClock(Clock):
    """A clock that moves when it is told to."""

    def __init__(self, moment: Moment | None = None) -> None:
        self.moment = START if moment is None else moment

    def now(self) -> Moment:
        """Return the moment it stands at."""
        return self.moment

    def advance(self, seconds: int) -> None:
        """Move on, or back when negative."""
        self.moment += seconds


@dataclass(frozen=True)
class House:
    """A running server, its clock, and the way to its rooms that a test may use to arrange."""

    url: str
    clock: StoppedClock
    running: RunningServer
    engine: str


@contextmanager
def running_house(
    folder: Path,
    database: str | None,
    engine: str,
    *,
    moment: Moment | None = None,
    host: str = "127.0.0.1",
    sandbox: bool = True,
    media_api: str | None = None,
) -> Iterator[House]:
    """Run a server until the block ends."""
    # Streams are carried elsewhere: what the API does about them needs no engine.
    settings = Settings(
        data=folder,
        database=database,
        host=host,
        port=0,
        sandbox=sandbox,
        media="external",
        rtmp_url="rtmp://127.0.0.1",
        media_url="http://127.0.0.1:8081",
        media_api=media_api,
    )
    clock = StoppedClock(moment)
    started = threading.Event()
    got: list[RunningServer] = []
    failures: list[BaseException] = []

    def ready(running: RunningServer) -> None:
        got.append(running)
        started.set()

    def serve() -> None:
        try:
            with open_store(settings) as store:
                asyncio.run(run_server(settings, store, clock, ready))
        except BaseException as failure:  # noqa: BLE001  shown by the test run, not lost in a thread
            failures.append(failure)
            started.set()

    thread = threading.Thread(target=serve, name="house")
    thread.start()
    started.wait(READY_SECONDS)
    if failures or not got:
        raise RuntimeError("the server did not start") from next(iter(failures), None)
    try:
        yield House(got[0].url, clock, got[0], engine)
    finally:
        got[0].stop()
        thread.join(READY_SECONDS)
        if failures:
            raise failures[0]
