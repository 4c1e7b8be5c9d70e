"""The heartbeat: a small write that reaches the disk, to learn whether a call could be served."""

from homeroom.base.keys import random_text
from homeroom.store.unit_of_work import UnitOfWork

STATE_NAMES = 16
"""Names of heartbeats: servers on one database must not wait for each other's row."""
PADDING_LENGTH = 32 * 1024
"""Characters that no database can compress: what a call writes needs room for several pages."""


def beat(uow: UnitOfWork, server: int) -> None:
    """Write the heartbeat of a server, by any number of it, over its last one."""
    text = f"{uow.now} {random_text(PADDING_LENGTH)}"
    uow.server_state.save(f"heartbeat.{server % STATE_NAMES}", text)
