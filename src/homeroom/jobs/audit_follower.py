"""Follows the audit trail: commands of operators appear in the log of each running server."""

import asyncio
import logging
from collections.abc import Callable, Sequence

from homeroom.async_store import AsyncStore
from homeroom.base.clock import HOUR, Clock
from homeroom.domain.audit import AuditEntry, AuditKind
from homeroom.usecases import audit
from homeroom.web import security_log
from homeroom.web.addresses import UNKNOWN_ADDRESS
from homeroom.web.security_log import SecurityEvent

log = logging.getLogger("homeroom.jobs.audit")

INTERVAL_SECONDS = 1.0
OVERLAP = 20
"""Entries that are read again: on PostgreSQL a lower number may be committed later."""


class AuditFollower:
    """Logs the commands of operators within a second, and purges old entries every hour."""

    def __init__(
        self, store: AsyncStore, real: Clock, is_paused: Callable[[], bool] = lambda: False
    ) -> None:
        """Create a follower; `is_paused` tells whether the clock is in doubt."""
        self._store = store
        self._real = real
        self._is_paused = is_paused
        self._newest = 0
        self._logged: set[int] = set()
        self._purge_at = 0

    async def run(self) -> None:
        """Follow until cancelled; a failure of the store ends nothing."""
        started = False
        while True:
            try:
                if not started:
                    await self.start()
                    started = True
                await self.follow()
                await self.purge()
            except Exception as failure:  # noqa: BLE001  the store reports its failures; this one comes again
                log.debug("audit_not_read", extra={"reason": str(failure)})
            await asyncio.sleep(INTERVAL_SECONDS)

    async def start(self) -> None:
        """Begin after the entries that exist: their commands are not of this server's time."""
        self._newest = await self._store.read(audit.get_newest_id)
        entries = await self._store.read(lambda uow: audit.list_after(uow, self._newest - OVERLAP))
        self._logged = {listed.id for listed in entries}

    async def follow(self) -> None:
        """Log the entries since the last time."""
        after = self._newest - OVERLAP
        self.report_new(await self._store.read(lambda uow: audit.list_after(uow, after)))

    def report_new(self, entries: Sequence[AuditEntry]) -> None:
        """Log those of the newest entries that are not logged yet."""
        for listed in entries:
            if listed.id not in self._logged:
                _report(listed)
        self._logged = {listed.id for listed in entries}
        self._newest = max(self._newest, *self._logged, 0)

    async def purge(self) -> None:
        """Delete the entries that are over a year old, once an hour."""
        now = self._real.now()
        # A clock that jumped far ahead, and back again, must not end the purges.
        is_due = now >= self._purge_at or self._purge_at > now + HOUR
        if is_due and not self._is_paused():
            self._purge_at = now + HOUR
            if count := await self._store.write(lambda uow: audit.purge(uow, now)):
                log.info("sweep_deleted", extra={"sort": "audit_entries", "count": count})


def _report(listed: AuditEntry) -> None:
    """Write a command to the security log; requests have lines of their own."""
    entry, actor = listed.entry, listed.entry.actor
    if entry.kind is not AuditKind.COMMAND:
        return
    security_log.report(
        SecurityEvent.OPERATOR_COMMAND,
        actor.origin or UNKNOWN_ADDRESS,
        actor=actor.name,
        outcome=entry.outcome.value,
        entry=listed.id,
        uid=actor.uid,
        act=entry.act,
        arguments=audit.format_arguments(entry),
        sid=entry.school,
        reason=entry.reason,
    )
