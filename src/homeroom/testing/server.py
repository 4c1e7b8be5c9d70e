"""A real server on a real socket, in a thread of the test run."""

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Final, Self

from homeroom.base.ids import SchoolId
from homeroom.base.keys import KeyGenerator
from homeroom.base.settings import Settings
from homeroom.bootstrap.main_parts import MainParts
from homeroom.bootstrap.server import RunningServer
from homeroom.bootstrap.server import run_server as run_until_stopped
from homeroom.bootstrap.services import Services
from homeroom.contract.errno import Errno
from homeroom.domain.tokens import TokenScope
from homeroom.domain.webcasts import Hosts
from homeroom.folder import open_store
from homeroom.store.local_storage import LocalStorage
from homeroom.store.unit_of_work import Store
from homeroom.testing.clock import ManualClock
from homeroom.testing.inbox import Inbox
from homeroom.testing.partner import PartnerClient
from homeroom.testing.sandbox import SandboxClient
from homeroom.testing.school import SchoolBuilder
from homeroom.usecases import operations, schools
from homeroom.usecases.dependencies import Dependencies
from homeroom.web.faults import Fault, FaultInjector

READY_SECONDS: Final = 30
MEDIA_SETTINGS: Final[Mapping[str, str]] = {
    "media": "external",
    "rtmp_url": "rtmp://127.0.0.1",
    "media_url": "http://127.0.0.1:8081",
}


class ThreadedServer:
    """A server in a thread of this process, on a free port, while a `with` block lasts.

    It keeps its data in a folder, in SQLite unless `database` is the URL of a PostgreSQL database.
    It runs no media engine: streams have addresses, and nothing listens there.
    """

    url: str
    """Its address, such as http://127.0.0.1:40123."""
    main: MainParts
    """The parts that a server has once: jobs and media; as inner as those of `services`."""
    services: Services
    """The server's inner parts: for Homeroom's own tests, and not kept from version to version."""
    stop: Callable[[], None]
    """Asks the server to finish; the end of the block does so."""

    def __init__(
        self,
        data: Path | None = None,
        *,
        port: int = 0,
        clock: ManualClock | None = None,
        sandbox: bool = True,
        **more_settings: Any,  # noqa: ANN401  settings of any type
    ) -> None:
        """Set up; without a folder `data` it takes a temporary one, and port 0 is a free one.

        `more_settings` are any other settings of a server.
        """
        self.clock = clock or ManualClock()
        """The clock of the server; move it with `clock.advance(seconds)`."""
        self._data = data
        self._settings = {"port": port, "sandbox": sandbox, **MEDIA_SETTINGS, **more_settings}
        self._ends = ExitStack()

    def __enter__(self) -> Self:
        """Start; returns when the server answers."""
        with ExitStack() as ends:
            data = self._data or Path(ends.enter_context(TemporaryDirectory(prefix="homeroom-")))
            server = ends.enter_context(_serve(Settings(data=data, **self._settings), self.clock))
            self.url, self.stop = server.url, server.stop
            self.main, self.services = server.main, server.services
            self._ends = ends.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        """Stop; raises what the server failed with."""
        self._ends.close()

    @property
    def sandbox(self) -> SandboxClient:
        """A new client of its sandbox, which the caller closes."""
        return SandboxClient(self.url)

    @property
    def inbox(self) -> Inbox:
        """A new reader of the messages of all schools, which the caller closes."""
        return Inbox(self.url)

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

    def school(self, name: str = "School") -> SchoolBuilder:
        """Create a school, and return what fills it."""
        deps = Dependencies(KeyGenerator(), "", 0)
        school = self.store.write(lambda uow: schools.create(uow, deps, name))

        def issue_token() -> str:
            scopes = (TokenScope.ADMIN,)
            return self.store.write(
                lambda uow: operations.issue_token(uow, deps, school.id, "tests", scopes)
            )[1]

        api = PartnerClient(self.url, school.id, school.secret, self.clock)
        return SchoolBuilder(api, issue_token)

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
def _serve(settings: Settings, clock: ManualClock) -> Iterator[RunningServer]:
    """Run a server in a thread until the block ends."""
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
        yield server
    finally:
        server.stop()
        thread.join(READY_SECONDS)
        if failures:
            raise failures[0]
