"""`serve`: takes the data folder, opens its store, and runs a server on it."""

import resource
from collections.abc import Callable

import uvloop

from homeroom.base.clock import SystemClock
from homeroom.base.garbage_collector import tune_garbage_collector
from homeroom.base.log import log_to_stderr
from homeroom.base.settings import Settings
from homeroom.bootstrap.core import CoreParts
from homeroom.bootstrap.dependencies import build_dependencies
from homeroom.bootstrap.main_process import MainServer, run_main_process
from homeroom.bootstrap.server import RunningServer, run_server
from homeroom.folder import (
    FolderLock,
    get_lease_owner,
    lock_data_folder,
    narrow_folders,
    open_storage,
    open_store,
    set_clock,
)
from homeroom.media import service as media_service
from homeroom.media.demo import add_recording
from homeroom.store.unit_of_work import Store, UnitOfWork
from homeroom.usecases import deliveries, demo, jobs, secrets
from homeroom.usecases.demo import DemoSchool

Ready = Callable[[str, CoreParts, DemoSchool | None], None]
"""Called with the URL of a server and its core once connections are accepted."""


def serve(settings: Settings, ready: Ready) -> None:
    """Serve until SIGTERM or SIGINT."""
    log_to_stderr(settings.log_level)
    # A viewer is a connection, and there may be thousands.
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    narrow_folders(settings)
    with lock_data_folder(settings) as lock, open_store(settings) as store:
        real = SystemClock()
        set_clock(settings, store, real)
        _release_leases(settings, store, lock)
        store.write(jobs.put_back)
        school = None
        if settings.demo:
            school = store.write(lambda uow: _prepare_demo(uow, settings))
            add_recording(store, open_storage(settings, store), school)

        def announce(running: RunningServer | MainServer) -> None:
            lock.announce(running.url, running.core.hosts)
            ready(running.url, running.core, school)
            tune_garbage_collector()

        run = run_server if settings.workers == 1 else run_main_process
        uvloop.run(run(settings, store, real, announce))


def _release_leases(settings: Settings, store: Store, lock: FolderLock) -> None:
    """Release what a server which died had leased: jobs, and the outboxes of schools."""
    with lock.try_alone() as is_alone:
        if settings.database is None:
            # Only this server uses the database.
            store.write(jobs.release_all)
            store.write(deliveries.release_all)
        elif is_alone and (owner := get_lease_owner(store)) is not None:
            store.write(lambda uow: jobs.release(uow, owner))
            store.write(lambda uow: deliveries.release_all(uow, owner))


def _prepare_demo(uow: UnitOfWork, settings: Settings) -> DemoSchool:
    works = media_service.create_video_check(settings, None)
    deps = build_dependencies(settings, secrets.load_or_create(uow), works)
    school = demo.find_or_create(uow, deps)
    return demo.put_on_air(uow, deps, school) if settings.media == "embedded" else school
