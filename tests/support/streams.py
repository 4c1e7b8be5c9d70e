"""Pushing and pulling as a media engine tells the API of it, without one."""

from collections.abc import Collection, Mapping
from itertools import count
from typing import Final
from urllib.parse import urlsplit

from homeroom.base.clock import MINUTE
from homeroom.domain.streams import PublishSession
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import streams
from homeroom.usecases.dependencies import Dependencies
from homeroom.usecases.streams import LessonStreams, StreamClient
from tests.support.given import Given
from tests.support.scheduled import Scheduled
from tests.support.wire import Value

_NUMBERS: Final = count(1)
LIVE: Final[dict[str, Value]] = {"record": 1, "live": 1, "replay": 0}
WITH_SCENE: Final[dict[str, Value]] = {**LIVE, "recordScene": 1}


def peer(address: str) -> StreamClient:
    """Return a new client at an address as it is printed."""
    where = urlsplit(address)
    _, app, name = where.path.split("/")
    stream = name.removesuffix(".m3u8").removesuffix(".flv")
    return StreamClient(f"client-{next(_NUMBERS)}", "192.0.2.7", app, stream, f"?{where.query}")


class Streamed(Scheduled):
    """A class that is recorded, live and has a scene unless said otherwise, and its streams."""

    def __init__(self, given: Given, **fields: Value) -> None:
        super().__init__(given, **{**WITH_SCENE, **fields})

    @property
    def deps(self) -> Dependencies:
        """Dependencies of the server's use cases."""
        return self.given.house.deps

    @property
    def streams(self) -> LessonStreams:
        """The streams as an operator sees them."""
        hosts = self.given.house.hosts
        return self.given.store.read(
            lambda uow: streams.get_streams(uow, self.deps, hosts, self.lesson)
        )

    @property
    def push_url(self) -> str:
        """Address to push the class to."""
        assert self.streams.room is not None
        return self.streams.room.push_url

    @property
    def pull_url(self) -> str:
        """Address to pull the class over RTMP."""
        assert self.streams.room is not None
        assert self.streams.room.pull_urls is not None
        return self.streams.room.pull_urls.rtmp

    @property
    def pushes(self) -> list[PublishSession]:
        """The pushes of the class, the newest first."""
        return self.streams.sessions

    def opened(self) -> "Streamed":
        """Let time pass until the class is open, and no one is there yet."""
        self.given.until(self.begin - 20 * MINUTE)
        return self

    def pushed(self, address: str | None = None, engine: str = "") -> StreamClient:
        """Begin a push that must be let in."""
        client = peer(address or self.push_url)
        self.given.store.write(lambda uow: streams.start_push(uow, self.deps, client, engine))
        return client

    def pulled(self, address: str | None = None) -> None:
        """Begin a pull that must be let in."""
        client = peer(address or self.pull_url)
        self.given.store.read(lambda uow: streams.check_play(uow, self.deps, client))

    def unwelcome(self, client: StreamClient) -> str | None:
        """Return why a running push may no longer be, or none."""

        def look(uow: UnitOfWork) -> list[streams.RevokedSession]:
            return streams.find_revoked_sessions(uow, self.deps, "")

        found = {one.client_id: one.reason for one in self.given.store.read(look)}
        return found.get(client.client_id)

    def settle(self, gone: Collection[str], problems: Mapping[str, str]) -> None:
        """Let the engine say which clients have gone, and whose recordings went wrong."""
        self.given.store.write(lambda uow: streams.record_engine_state(uow, "", gone, problems))
