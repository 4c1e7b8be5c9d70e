"""Asks the media engine what runs, and ends pushes: our engine or an SRS, over its HTTP API."""

from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic
from urllib.parse import quote, urlsplit

import msgspec

from homeroom.domain.streams import APP, StreamFacts
from homeroom.media.engine.http_client import NoResponseError, send_request

PAGE = 1000
"""Streams asked for at once; an SRS gives ten unless it is told."""
MOST = 10_000
"""Streams of one engine; a list without an end would be a mistake of its."""
OK = 200
GONE = 404


class _Publish(msgspec.Struct, frozen=True):
    """Who pushes a stream; older SRS number their clients."""

    active: bool = False
    cid: str | int | None = None


class _Facts(msgspec.Struct, frozen=True):
    """What our own engine tells of a stream besides."""

    key_frame_ms: int | None = None
    viewers: dict[str, int] = {}
    recording: str = "off"
    recording_error: str | None = None


class _Stream(msgspec.Struct, frozen=True):
    name: str
    app: str = ""
    clients: int = 0
    publish: _Publish = _Publish()
    homeroom: _Facts | None = None


class Totals(msgspec.Struct, frozen=True):
    """What our own engine has counted since it started; bytes of media in and out."""

    recording_failures: int = 0
    slow_key_frames: int = 0
    spooled: int = 0
    bytes_in: int = 0
    bytes_out: int = 0


class _Page(msgspec.Struct, frozen=True):
    code: int
    streams: tuple[_Stream, ...] = ()
    homeroom: Totals | None = None


@dataclass(frozen=True, slots=True)
class Running:
    """A stream that is being pushed."""

    name: str
    client_id: str
    facts: StreamFacts


@dataclass(frozen=True, slots=True)
class Streams:
    """What an engine says of itself at one moment."""

    running: Sequence[Running]
    totals: Totals | None
    """None where it is not our own."""


class Control:
    """The way to one engine, which remembers since when it does not answer."""

    def __init__(self, url: str, bearer: str) -> None:
        """Take the address of the API; the bearer token goes where it names no user."""
        self._url = url.rstrip("/")
        has_user = "@" in urlsplit(url).netloc
        self._headers = {} if has_user else {"Authorization": f"Bearer {bearer}"}
        self._down_since: float | None = monotonic()

    @property
    def is_up(self) -> bool:
        """Whether it answered when it was last asked for its streams."""
        return self._down_since is None

    def down_for(self) -> float:
        """Return the seconds for which it has not answered, 0 where it does."""
        return 0.0 if self._down_since is None else monotonic() - self._down_since

    async def streams(self) -> Streams:
        """Return what runs; raises `Unanswered`."""
        try:
            streams = await self._streams()
        except NoResponseError:
            if self._down_since is None:
                self._down_since = monotonic()
            raise
        self._down_since = None
        return streams

    async def kick(self, client_id: str) -> None:
        """End a client's connection, where there is one; raises `Unanswered`."""
        url = f"{self._url}/api/v1/clients/{quote(client_id, safe='')}"
        status, _ = await send_request(url, method="DELETE", headers=self._headers)
        if status not in (OK, GONE):
            raise NoResponseError(f"status {status}")

    async def _streams(self) -> Streams:
        page = await self._page(0)
        found = [*page.streams]
        while len(page.streams) == PAGE and len(found) < MOST:
            page = await self._page(len(found))
            found += page.streams
        running = (_running(one) for one in found if one.app == APP)
        return Streams([one for one in running if one is not None], page.homeroom)

    async def _page(self, start: int) -> _Page:
        url = f"{self._url}/api/v1/streams/?start={start}&count={PAGE}"
        status, body = await send_request(url, headers=self._headers)
        if status != OK:
            raise NoResponseError(f"status {status}")
        try:
            page = msgspec.json.decode(body, type=_Page)
        except ValueError as failure:
            raise NoResponseError(f"an answer that is not understood: {failure}") from failure
        if page.code != 0:
            raise NoResponseError(f"code {page.code}")
        return page


def _running(stream: _Stream) -> Running | None:
    publish, facts = stream.publish, stream.homeroom
    if not publish.active or publish.cid is None:
        return None
    if facts is None:
        # An SRS counts the publisher as well, and does not say who watches by which protocol.
        viewers = {"other": max(stream.clients - 1, 0)}
        told = StreamFacts(None, viewers, None, None)
    else:
        told = StreamFacts(
            facts.key_frame_ms, facts.viewers, facts.recording, facts.recording_error
        )
    return Running(stream.name, str(publish.cid), told)
