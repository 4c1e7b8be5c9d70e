"""The parts that deliver messages: the loop, and the client that it makes when it needs one."""

import asyncio
from importlib import import_module
from typing import TYPE_CHECKING
from uuid import uuid4

from homeroom.base.clock import Moment
from homeroom.base.ids import SchoolId
from homeroom.base.settings import Settings
from homeroom.bootstrap.core import CoreParts
from homeroom.domain.deliveries import AttemptResult
from homeroom.domain.endpoints import Endpoint
from homeroom.domain.message_files import sign_message_file
from homeroom.folder import get_lease_owner
from homeroom.messages.addresses import PRIVATE, AddressGuard
from homeroom.messages.dispatcher import MessageDispatcher
from homeroom.messages.outbox_work import TakeFault, take_no_fault
from homeroom.messages.sender import Sender, SendTest
from homeroom.usecases import schools

if TYPE_CHECKING:
    from homeroom.messages.client import MessageClient


def build_dispatcher(core: CoreParts, take_fault: TakeFault = take_no_fault) -> MessageDispatcher:
    """Return the delivery loop of a server, which each commit of this process wakes."""
    # Unlike jobs, a school's outbox is for one process: servers may share a folder.
    owner = f"{get_lease_owner(core.async_store.store) or ''} {uuid4().hex}"

    async def make_sender() -> Sender:
        # In a thread: aiohttp takes 0.3 s to import, and calls are answered in this time.
        await asyncio.to_thread(import_module, "homeroom.messages.client")
        return create_client(core)

    dispatcher = MessageDispatcher(
        core.async_store, core.clock, core.real, make_sender, owner, take_fault
    )
    core.async_store.store.on_messages = dispatcher.nudge
    return dispatcher


def build_guard(settings: Settings) -> AddressGuard:
    """Return what decides on the addresses of receivers; private ones are free in the sandbox."""
    allowed = settings.allowed_networks()
    return AddressGuard((*allowed, *PRIVATE) if settings.sandbox else allowed)


def build_test(core: CoreParts) -> SendTest:
    """Return what sends the test message to an endpoint, on a connection of its own."""

    async def send_test(endpoint: Endpoint) -> AttemptResult:
        client = create_client(core)
        try:
            return await client.send_test(endpoint)
        finally:
            await client.close()

    return send_test


def create_client(core: CoreParts) -> "MessageClient":
    """Return the HTTP client; call it in the event loop that will use it."""
    from homeroom.messages.client import MessageClient  # noqa: PLC0415  aiohttp takes 0.2 s to import

    reads: dict[SchoolId, asyncio.Task[str]] = {}

    async def read_secret(school: SchoolId) -> str:
        return await core.async_store.read(lambda uow: schools.get(uow, school).secret)

    async def find_secret(school: SchoolId) -> str:
        # Attempts that begin together share a read, and a secret that was rotated signs at once.
        task = reads.get(school)
        if task is None:
            task = reads[school] = asyncio.create_task(read_secret(school))
            task.add_done_callback(lambda _: reads.pop(school))
        return await asyncio.shield(task)

    def sign_file(path: str, until: Moment) -> str:
        return sign_message_file(core.hosts.pages, path, until, core.secrets.clips)

    return MessageClient(core.clock, core.real, build_guard(core.settings), find_secret, sign_file)
