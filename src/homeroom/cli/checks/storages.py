"""Storages: jobs that wait for a server with other files."""

from homeroom.cli.checks.result import MAX_EXAMPLES, CheckResult, CheckStatus
from homeroom.cli.command import format_time
from homeroom.store.unit_of_work import Store
from homeroom.usecases import storages


def check_storages(store: Store) -> CheckResult:
    """Name the other storages that have files to erase, and when a server last ran there."""
    states = store.read(storages.list_storages)
    waiting = [
        f"{state.jobs} for {state.record.id} ({state.record.name}, last seen "
        f"{format_time(state.record.seen_at)})"
        for state in states
        if state.jobs and not state.is_here
    ]
    if waiting:
        text = f"jobs wait for other servers: {'; '.join(waiting[:MAX_EXAMPLES])}"
        return CheckResult("storages", CheckStatus.WARN, text)
    return CheckResult("storages", CheckStatus.OK, f"{len(states)}, no job waits for another")
