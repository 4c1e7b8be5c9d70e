"""Client of the HTTP API of a media engine, ours or an SRS: lists streams and ends pushes."""

from collections.abc import Sequence
from time import monotonic
from urllib.parse import quote, urlsplit

import msgspec

from homeroom.base.stream_problems import DropReason, StreamProblem
from homeroom.base.values import Value
from homeroom.domain.streams import APP, StreamFacts, StreamFigures
from homeroom.media.engine.http_client import NoResponseError, send_request

PAGE_SIZE = 1000
"""Streams per request; the default of an SRS is ten."""
MAX_STREAMS = 10_000
"""Limit on the streams of one engine, in case its list never ends."""
OK = 200
NOT_FOUND = 404


class _PublisherEntry(msgspec.Struct, frozen=True):
    """Publisher of a stream; older SRS identify clients by number."""

    active: bool = False
    cid: str | int | None = None


class _EngineFields(msgspec.Struct, frozen=True):
    """Fields that only our own engine adds to a stream."""

    key_frame_ms: int | None = None
    longest_key_frame_ms: int | None = None
    video_kbps: int | None = None
    audio_kbps: int | None = None
    frame_rate: float | None = None
    dropped_frames: dict[DropReason, int] = {}
    problems: tuple[StreamProblem, ...] = ()
    viewers: dict[str, int] = {}
    recording: str = "off"
    recording_error: str | None = None


class _StreamEntry(msgspec.Struct, frozen=True):
    name: str
    app: str = ""
    clients: int = 0
    publish: _PublisherEntry = _PublisherEntry()
    homeroom: _EngineFields | None = None


class EngineTotals(msgspec.Struct, frozen=True):
    """Counters of our own engine since its start; bytes are of media, in and out."""

    recording_failures: int = 0
    slow_key_frames: int = 0
    dropped_frames: int = 0
    spooled: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    connections: int = 0
    connections_closed: int = 0
    connections_refused: int = 0


class _StreamPage(msgspec.Struct, frozen=True):
    code: int
    streams: tuple[_StreamEntry, ...] = ()
    homeroom: EngineTotals | None = None


class RunningStream(Value, frozen=True):
    """A stream that has a publisher."""

    name: str
    client_id: str
    facts: StreamFacts


class EngineState(Value, frozen=True):
    """State of an engine at one moment."""

    running: Sequence[RunningStream]
    totals: EngineTotals | None
    """Counters, or None if the engine is not our own."""


class EngineClient:
    """Client of one engine; measures for how long the engine has not answered."""

    def __init__(self, url: str, bearer: str) -> None:
        """Set up for the API at `url`; send the bearer token unless the URL contains a user."""
        self._url = url.rstrip("/")
        has_user = "@" in urlsplit(url).netloc
        self._headers = {} if has_user else {"Authorization": f"Bearer {bearer}"}
        self._down_since: float | None = monotonic()

    @property
    def is_up(self) -> bool:
        """True if the engine answered the last `fetch_state`."""
        return self._down_since is None

    def seconds_down(self) -> float:
        """Return the seconds for which the engine has not answered; 0 if it answers."""
        return monotonic() - self._down_since if self._down_since is not None else 0.0

    async def fetch_state(self) -> EngineState:
        """Return the published streams and the counters; raises `NoResponseError`."""
        try:
            state = await self._fetch_streams()
        except NoResponseError:
            if self._down_since is None:
                self._down_since = monotonic()
            raise
        self._down_since = None
        return state

    async def kick(self, client_id: str) -> None:
        """End a client's connection, if it has one; raises `NoResponseError`."""
        url = f"{self._url}/api/v1/clients/{quote(client_id, safe='')}"
        status, _ = await send_request(url, method="DELETE", headers=self._headers)
        if status not in (OK, NOT_FOUND):
            raise NoResponseError(f"status {status}")

    async def _fetch_streams(self) -> EngineState:
        page = await self._fetch_page(0)
        entries = [*page.streams]
        while len(page.streams) == PAGE_SIZE and len(entries) < MAX_STREAMS:
            page = await self._fetch_page(len(entries))
            entries += page.streams
        running = (_parse_stream(entry) for entry in entries if entry.app == APP)
        return EngineState([entry for entry in running if entry is not None], page.homeroom)

    async def _fetch_page(self, start: int) -> _StreamPage:
        url = f"{self._url}/api/v1/streams/?start={start}&count={PAGE_SIZE}"
        status, body = await send_request(url, headers=self._headers)
        if status != OK:
            raise NoResponseError(f"status {status}")
        try:
            page = msgspec.json.decode(body, type=_StreamPage)
        except ValueError as failure:
            raise NoResponseError(f"an answer that is not understood: {failure}") from failure
        if page.code != 0:
            raise NoResponseError(f"code {page.code}")
        return page


def _parse_stream(stream: _StreamEntry) -> RunningStream | None:
    publish, facts = stream.publish, stream.homeroom
    if not publish.active or publish.cid is None:
        return None
    if facts is None:
        # An SRS counts the publisher too, and does not tell the protocols of viewers.
        viewers = {"other": max(stream.clients - 1, 0)}
        stream_facts = StreamFacts(None, viewers, None, None)
    else:
        figures = StreamFigures(
            facts.video_kbps,
            facts.audio_kbps,
            facts.frame_rate,
            facts.longest_key_frame_ms,
            facts.dropped_frames,
        )
        stream_facts = StreamFacts(
            facts.key_frame_ms,
            facts.viewers,
            facts.recording,
            facts.recording_error,
            facts.problems,
            figures,
        )
    return RunningStream(stream.name, str(publish.cid), stream_facts)
