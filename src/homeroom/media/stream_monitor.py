"""Monitor of an engine's streams: polls its state and ends pushes that are no longer allowed."""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping

from homeroom.async_store import AsyncStore
from homeroom.base.values import replace
from homeroom.domain.streams import StreamFacts
from homeroom.media.engine.http_client import NoResponseError
from homeroom.media.engine_client import EngineClient, EngineState, RunningStream
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import streams
from homeroom.usecases.dependencies import Dependencies
from homeroom.web.metrics import MediaNumbers

log = logging.getLogger("homeroom.media")

REVOCATION_CHECK_SECONDS = 0.4
"""Interval of checking permissions. A forbidden push ends within one second."""
POLL_SECONDS = 0.5
"""Interval of polling an engine: what changes reaches the pages within a second."""
ERROR_BACKOFF_SECONDS = 5.0
"""Delay after a failure, so that a database failure does not fill the log."""
POLL_DOWN_SECONDS = 0.1
"""Interval of polling an engine that does not answer."""


class StreamMonitor:
    """Polls one engine, updates publish sessions and metrics, and ends forbidden pushes."""

    def __init__(
        self,
        store: AsyncStore,
        deps: Dependencies,
        client: EngineClient,
        engine_id: str,
        report_numbers: Callable[[MediaNumbers], None],
    ) -> None:
        """Set up; `engine_id` is empty for an external engine."""
        self._store = store
        self._deps = deps
        self._client = client
        self._engine_id = engine_id
        self._report_numbers = report_numbers
        self._numbers = MediaNumbers()
        self._running: Mapping[str, RunningStream] = {}
        self._missing: set[str] = set()
        self._unknown: set[str] = set()
        self._kicked: dict[str, str] = {}
        """Reason by client, for clients that are being disconnected; logged once per reason."""

    def facts(self, name: str) -> StreamFacts | None:
        """Return the latest facts of a running stream, or None."""
        running = self._running.get(name)
        return running.facts if running is not None else None

    def list_facts(self) -> Mapping[str, StreamFacts]:
        """Return the latest facts of all running streams, by name."""
        return {name: running.facts for name, running in self._running.items()}

    async def run(self) -> None:
        """Poll and check until cancelled."""
        async with asyncio.TaskGroup() as both:
            both.create_task(
                self._repeat(self._check_permissions, lambda: REVOCATION_CHECK_SECONDS)
            )
            both.create_task(
                self._repeat(
                    self._poll, lambda: POLL_SECONDS if self._client.is_up else POLL_DOWN_SECONDS
                )
            )

    async def _repeat(
        self, action: Callable[[], Awaitable[None]], pause: Callable[[], float]
    ) -> None:
        while True:
            try:
                await action()
            except Exception:
                log.exception("stream_monitor_failed")
                await asyncio.sleep(ERROR_BACKOFF_SECONDS)
            await asyncio.sleep(pause())

    async def _check_permissions(self) -> None:
        """End pushes that are no longer allowed."""
        if not self._client.is_up:
            return
        revoked = await self._store.read(
            lambda uow: streams.find_revoked_sessions(uow, self._deps, self._engine_id)
        )
        for push in revoked:
            await self._kick(push.client_id, push.reason)

    async def _kick(self, client_id: str, reason: str) -> None:
        """End a push; the caller retries until it has ended, and only the first try is logged."""
        is_new = self._kicked.get(client_id) != reason
        self._kicked[client_id] = reason
        if is_new:
            log.info("push_revoked", extra={"client": client_id, "reason": reason})
        try:
            await self._client.kick(client_id)
        except NoResponseError as failure:
            if is_new:
                why = {"client": client_id, "why": str(failure)}
                log.warning("push_kick_failed", extra=why)

    async def _poll(self) -> None:
        """Fetch the engine's state; update sessions, metrics and facts."""
        # The engine comes first: a database failure must not mark the engine as down.
        try:
            state = await self._client.fetch_state()
        except NoResponseError as failure:
            if self._numbers.is_up:
                log.warning("engine_not_answering", extra={"why": str(failure)})
            self._running = {}
            self._update_numbers(
                replace(self._numbers, is_up=False, publishers=0, viewers={}, problems={})
            )
        else:
            self._running = {stream.name: stream for stream in state.running}
            self._update_numbers(_to_numbers(state))
            here = {stream.client_id for stream in state.running}
            self._kicked = {
                client_id: reason for client_id, reason in self._kicked.items() if client_id in here
            }
            recorded = await self._store.read(self._read_problems)
            await self._update_sessions(state, recorded)
            await self._kick_unknown(here - recorded.keys())

    def _read_problems(self, uow: UnitOfWork) -> dict[str, str | None]:
        return {
            session.client_id: session.problem
            for session in streams.list_running_sessions(uow, self._engine_id)
        }

    async def _update_sessions(
        self, state: EngineState, recorded: Mapping[str, str | None]
    ) -> None:
        """End sessions that the engine no longer has, and save recording errors."""
        errors = {stream.client_id: stream.facts.recording_error for stream in state.running}
        missing = recorded.keys() - errors.keys()
        # A push that started after the poll is missing once; a push missing twice has ended.
        gone = missing & self._missing
        self._missing = missing
        problems = {
            client_id: error
            for client_id, error in errors.items()
            if error is not None and error != recorded.get(client_id, error)
        }
        if gone or problems:
            await self._store.write(
                lambda uow: streams.record_engine_state(uow, self._engine_id, gone, problems)
            )

    async def _kick_unknown(self, unknown: set[str]) -> None:
        """End pushes of our own engine that have no session, because their school was reset."""
        if not self._engine_id:
            return
        # As above: a push that ended after the poll is unknown once.
        for client_id in unknown & self._unknown:
            await self._kick(client_id, "it has no publish session")
        self._unknown = unknown

    def _update_numbers(self, numbers: MediaNumbers) -> None:
        self._numbers = numbers
        self._report_numbers(numbers)


def _to_numbers(state: EngineState) -> MediaNumbers:
    viewers: Counter[str] = Counter()
    problems: Counter[str] = Counter()
    for stream in state.running:
        viewers.update(stream.facts.viewers)
        problems.update(stream.facts.problems)
    totals = state.totals
    if totals is None:
        return MediaNumbers(is_up=True, publishers=len(state.running), viewers=viewers)
    return MediaNumbers(
        is_up=True,
        publishers=len(state.running),
        viewers=viewers,
        problems=problems,
        bytes_in=totals.bytes_in,
        bytes_out=totals.bytes_out,
        slow_key_frames=totals.slow_key_frames,
        dropped_frames=totals.dropped_frames,
        recording_failures=totals.recording_failures,
        spooled=totals.spooled,
        connections=totals.connections,
        connections_closed=totals.connections_closed,
        connections_refused=totals.connections_refused,
    )
