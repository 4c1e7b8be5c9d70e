"""The follower of the audit trail: each command is logged once, and old entries go."""

import asyncio
import time

import pytest
from sqlalchemy import func, insert, select

from homeroom.async_store import AsyncStore
from homeroom.base.clock import DAY, YEAR
from homeroom.domain.audit import AuditActor, AuditEntry, AuditKind, NewAuditEntry
from homeroom.jobs.audit_follower import AuditFollower
from homeroom.store.tables import audit_entries
from homeroom.testing.clock import ManualClock
from tests.support.given import Given
from tests.support.security import SecurityLines


def entry(number: int, kind: AuditKind = AuditKind.COMMAND) -> AuditEntry:
    actor = AuditActor("ann", 1000, "desk")
    return AuditEntry(number, NewAuditEntry(0, kind, "follow", actor, arguments="{}"))


def test_a_command_is_logged_once(given: Given, caplog: pytest.LogCaptureFixture) -> None:
    """On PostgreSQL a lower number may be committed after a higher one."""
    lines = SecurityLines(caplog)

    async def follow() -> None:
        follower = AuditFollower(AsyncStore(given.store), ManualClock())
        for numbers in ([1, 3], [1, 2, 3], [2, 3, 4], [3, 4]):
            follower.report_new([entry(number) for number in numbers])
        follower.report_new([entry(4), entry(5, AuditKind.REQUEST)])

    asyncio.run(follow())
    logged = [line["entry"] for line in lines.of("operator_command") if line["act"] == "follow"]
    assert logged == [1, 3, 2, 4]


def test_nothing_is_purged_while_the_clock_is_in_doubt(given: Given) -> None:
    now = int(time.time())
    mark = f"old of {given.school.id}"
    values = {"at": now - YEAR - DAY, "kind": "command", "act": mark, "outcome": "done"}
    given.write(insert(audit_entries).values(**values))
    count = select(func.count()).where(audit_entries.c.act == mark)
    is_paused = True

    async def purge() -> None:
        nonlocal is_paused
        follower = AuditFollower(AsyncStore(given.store), ManualClock(now), lambda: is_paused)
        await follower.purge()
        assert given.rows(count)[0][0] == 1
        is_paused = False
        await follower.purge()
        assert given.rows(count)[0][0] == 0

    asyncio.run(purge())
