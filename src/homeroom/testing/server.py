"""A real server on a real socket, in a thread of the test run."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from homeroom.base.ids import SchoolId
from homeroom.base.keys import KeyGenerator
from homeroom.base.settings import Settings
from homeroom.bootstrap.main_parts import MainParts
from homeroom.bootstrap.server import RunningServer
from homeroom.bootstrap.server import run_server as run_until_stopped
from homeroom.bootstrap.services import Services
from homeroom.contract.errno import Errno
from homeroom.domain.webcasts import Hosts
from homeroom.folder import open_store
from homeroom.store.local_storage import LocalStorage
from homeroom.store.unit_of_work import Store
from homeroom.testing.clock import ManualClock
from homeroom.testing.partner import PartnerClient
from homeroom.testing.sandbox import SandboxClient
from homeroom.testing.school import SchoolBuilder
from homeroom.usecases import schools
from homeroom.usecases.dependencies import Dependencies
from homeroom.web.faults import Fault, FaultInjector

READY_SECONDS: Final = 30


@dataclass(frozen=True)
class LocalServer:
    """A server that runs in a thread of this process."""

    url: str
    """Its address, such as http://127.0.0.1:40123."""
    clock: ManualClock
    """The clock of the server; move it with `clock.advance(seconds)`."""
    main: MainParts
    """The parts that a server has once: jobs and media; as inner as those of `services`."""
    services: Services
    """The server's inner parts: for Homeroom's own tests, and not kept from version to version."""
    stop: Callable[[], None]
    """Asks the server to finish; `run_server` does so at its end."""

    @property
    def sandbox(self) -> SandboxClient:
        """A new client of its sandbox, which the caller closes."""
        return SandboxClient(self.url)

    @property
    def store(self) -> Store:
        """The server's own store, to bring about what no partner call can."""
        return self.services.async_store.store

    @property
    def deps(self) -> Dependencies:
        """The dependencies of its use cases: keys and limits."""
        return self.services.deps

    @property
    def hosts(self) -> Hosts:
        """The addresses of its pages and streams."""
        return self.services.hosts

    @property
    def files(self) -> LocalStorage:
        """Its files: clips and pictures."""
        return self.services.files

    @property
    def faults(self) -> FaultInjector:
        """The faults of its sandbox that have not happened yet."""
        if self.main.state.faults is None:
            raise RuntimeError("this server runs without its sandbox")
        return self.main.state.faults

    def create_school(self, name: str = "School") -> SchoolBuilder:
        """Create a school, and return what fills it."""
        deps = Dependencies(KeyGenerator(), "", 0)
        school = self.store.write(lambda uow: schools.create(uow, deps, name))
        return SchoolBuilder(PartnerClient(self.url, school.id, school.secret, self.clock))

    def add_fault(
        self,
        action: str,
        errno: Errno | None = None,
        *,
        sid: int | None = None,
        delay_ms: int = 0,
        drop: bool = False,
        times: int = 1,
        after_commit: bool = False,
    ) -> None:
        """Add a fault to the next calls of an action, of one school or of all."""
        school = SchoolId(sid) if sid is not None else None
        self.faults.add(Fault(0, action, school, errno, delay_ms, drop, times, after_commit))

    def forget_credentials(self) -> None:
        """Drop what the server remembers of schools, after a test has changed one in the store."""
        self.services.authenticator.forget()


@contextmanager
def run_server(
    data: Path,
    *,
    clock: ManualClock | None = None,
    database: str | None = None,
    host: str = "127.0.0.1",
    sandbox: bool = True,
    media_api: str | None = None,
    **more_settings: Any,  # noqa: ANN401  settings of any type
) -> Iterator[LocalServer]:
    """Run a server on a free port until the block ends; `more_settings` are any other settings.

    It keeps its data in the folder `data`, in SQLite unless `database` is the URL of a PostgreSQL
    database. It runs no media engine: streams have addresses, and nothing listens there.
    """
    settings = Settings(
        data=data,
        database=database,
        host=host,
        port=0,
        sandbox=sandbox,
        media="external",
        rtmp_url="rtmp://127.0.0.1",
        media_url="http://127.0.0.1:8081",
        media_api=media_api,
        **more_settings,
    )
    clock = clock or ManualClock()
    started = threading.Event()
    servers: list[RunningServer] = []
    failures: list[BaseException] = []

    def announce(server: RunningServer) -> None:
        servers.append(server)
        started.set()

    def serve() -> None:
        try:
            with open_store(settings) as store:
                asyncio.run(run_until_stopped(settings, store, clock, announce))
        except BaseException as failure:  # noqa: BLE001  raised again by the thread that waits
            failures.append(failure)
            started.set()

    thread = threading.Thread(target=serve, name="homeroom")
    thread.start()
    started.wait(READY_SECONDS)
    if failures or not servers:
        raise RuntimeError("the server did not start") from next(iter(failures), None)
    server = servers[0]
    try:
        yield LocalServer(server.url, clock, server.main, server.services, server.stop)
    finally:
        server.stop()
        thread.join(READY_SECONDS)
        if failures:
            raise failures[0]
